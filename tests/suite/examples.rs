//! Every example runs, on every place, and prints what its reader expects.

use std::process::Command;

use redis_hashmap_tests::{AnyError, given, redis_url};

fn run(example: &str, setup: impl FnOnce(&mut Command)) -> Result<String, AnyError> {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["run", "--quiet", "--package", "redis-hashmap-examples", "--example", example])
        .env_remove("REDIS_URL");
    setup(&mut command);
    let output = command.output()?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    Ok(printed)
}

#[track_caller]
fn prints(printed: &str, line: &str) {
    assert!(printed.lines().any(|printed| printed == line), "{line:?} is missing in\n{printed}");
}

const LINES: [&str; 7] = [
    "# A struct: example:user:42:settings",
    "theme.get                        Some(Light)",
    "language.get, its default        \"en\"",
    "get_fields                       [\"language\", \"notifications\", \"theme\"]",
    "# A dynamic map: example:user_settings",
    "get theme as a String            Some(\"dark\")",
    "clear, there was something       true",
];

/// Without a server: a file, in which the second run finds what the first stored.
#[test]
fn user_settings_in_a_file() -> Result<(), AnyError> {
    let folder = std::env::temp_dir().join(format!("redis-hashmap-examples-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    for number in 1..=2 {
        let printed = run("user_settings", |command| {
            command.env("TMPDIR", &folder);
        })?;
        let file = folder.join("redis-hashmap-examples.redb");
        prints(&printed, &format!("REDIS_URL is not set, so no server is used but the file {}.", file.display()));
        prints(&printed, &format!("This is run number {number}: the runs before it have been counted there."));
        for line in LINES {
            prints(&printed, line);
        }
    }
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

#[test]
fn user_settings_on_every_server() -> Result<(), AnyError> {
    let (tls, certs) = (given("REDIS_TLS_ADDRESS"), given("REDIS_TLS_CERTS"));
    for url in [
        redis_url(),
        format!("redis+cluster://{}", given("REDIS_CLUSTER_NODES")),
        format!("redis+sentinel://{}/mymaster", given("REDIS_SENTINEL")),
        format!("rediss://{tls}/?ca={certs}/ca.crt&cert={certs}/client.crt&key={certs}/client.key"),
    ] {
        let printed = run("user_settings", |command| {
            command.env("REDIS_URL", &url);
        })?;
        for line in LINES {
            prints(&printed, line);
        }
    }
    Ok(())
}
