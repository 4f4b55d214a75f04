//! Every example runs, and prints what its reader expects.

use std::process::Command;

use redis_hashmap_tests::{AnyError, redis_url};

fn run(example: &str) -> Result<String, AnyError> {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "redis-hashmap-examples", "--example", example])
        .env("REDIS_URL", redis_url())
        .output()?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    Ok(printed)
}

#[test]
fn user_settings() -> Result<(), AnyError> {
    let printed = run("user_settings")?;
    for line in [
        "# A struct: example:user:42:settings",
        "theme.get                        Some(Light)",
        "language.get, its default        \"en\"",
        "get_fields                       [\"language\", \"notifications\", \"theme\"]",
        "# A dynamic map: example:user_settings",
        "get theme as a String            Some(\"dark\")",
        "clear, there was something       true",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line:?} is missing in\n{printed}");
    }
    Ok(())
}
