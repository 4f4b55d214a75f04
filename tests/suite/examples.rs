//! Every example runs in every place, and prints what its reader expects.

use std::process::Command;

use redis_hashmap_tests::{AnyError, given, newer_server, redis_url};

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

/// Without a server, it uses a file, in which the second run finds what the first has stored.
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

/// Two versions of a program, of which the newer one reads what the older one has stored.
#[test]
fn two_versions() -> Result<(), AnyError> {
    for url in ["memory:".to_owned(), redis_url()] {
        let printed = run("evolution", |command| {
            command.env("REDIS_URL", url);
        })?;
        for line in [
            "theme.get      Some(Night { contrast: None })",
            r#"font.get       Some(Font { name: "serif", points: 12 })"#,
            r#"["addresses", "font", "nick", "theme", "visits"]"#,
            r#"["addresses", "font", "nickname", "theme", "visits"]"#,
            "visits.get     Some(8)",
            r#"Some([Address { zip: 10115, line1: "1 Main St", note: Some("ring twice") }])"#,
        ] {
            prints(&printed, line);
        }
    }
    Ok(())
}

/// It checks by itself that nothing is lost or counted twice.
#[test]
fn an_outage() -> Result<(), AnyError> {
    prints(&run("outage", |_| ())?, "No visit was lost, and none was counted twice.");
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

/// What each of the other examples prints wherever it runs.
const STORIES: [(&str, &[&str]); 4] = [
    (
        "user_profiles",
        &[
            "create ann again                 user \"ann\" has a profile already",
            "    the theme is new             Preferences { theme: Light, notifications: true }",
            "two updates of ann at once       Preferences { theme: Dark, notifications: false }",
            "get bob                          user \"bob\" has no profile",
        ],
    ),
    (
        "configuration",
        &[
            "set database, more connections   version 2",
            "components                       [\"database\", \"mail\"]",
            "roll database back to 1          version 3",
            "roll database back to 7          database has no former version 7",
            "get mail                         mail was never configured",
        ],
    ),
    (
        "cache",
        &[
            "get temp_data                    Some([1, 2, 3])",
            "get_or_insert_with answer        42, cached",
            "get temp_data after 100 ms       None",
            "get user_123                     None",
        ],
    ),
    (
        "sessions",
        &[
            "create                           SessionId(…), 64 characters that are not shown",
            "two updates at once              [\"apples\", \"pears\"]",
            "a late update                    there is no such session, or it has ended",
            "end_all                          1000",
            "clean_up the index               1",
        ],
    ),
];

/// Without a server, twice on one file.
#[test]
fn stories_in_a_file() -> Result<(), AnyError> {
    let folder = std::env::temp_dir().join(format!("redis-hashmap-stories-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    for (example, lines) in STORIES.into_iter().chain(STORIES) {
        let printed = run(example, |command| {
            command.env("TMPDIR", &folder);
        })?;
        for line in lines {
            prints(&printed, line);
        }
    }
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

/// In memory: nothing is left over, and nothing needs a second connection. In the place of a server on which fields do not
/// expire too.
#[test]
fn stories_in_memory() -> Result<(), AnyError> {
    for (url, fields_expire) in [("memory:", true), ("memory:?as=redis-7.0", false)] {
        for (example, lines) in STORIES {
            let printed = run(example, |command| {
                command.env("REDIS_URL", url);
            })?;
            for line in lines {
                prints(&printed, line);
            }
            if example == "cache" {
                prints(&printed, &format!("set temp_data, for 100 ms        removed by the server: {fields_expire}"));
            }
        }
    }
    Ok(())
}

/// On a server on which fields do not expire, on one on which they do, and on a cluster.
#[test]
fn stories_on_servers() -> Result<(), AnyError> {
    let cluster = format!("redis+cluster://{}", given("REDIS_CLUSTER_NODES"));
    let urls = [(Some(redis_url()), Some(false)), (newer_server("REDIS_8_URL"), Some(true)), (Some(cluster), None)];
    for (url, fields_expire) in urls {
        let Some(url) = url else { continue };
        for (example, lines) in STORIES {
            let printed = run(example, |command| {
                command.env("REDIS_URL", &url);
            })?;
            for line in lines {
                prints(&printed, line);
            }
            if let ("cache", Some(fields_expire)) = (example, fields_expire) {
                prints(&printed, &format!("set temp_data, for 100 ms        removed by the server: {fields_expire}"));
            }
        }
    }
    Ok(())
}
