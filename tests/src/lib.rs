//! Fixtures for the tests and doctests of redis-hashmap, and the README and docs as doctests.
//!
//! `tests/run` starts the servers, and says in the environment where they are.

/// The README's code: each snippet is a program of its own, which a reader can paste.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

/// The code in docs/deployment.md.
#[cfg(doctest)]
#[doc = include_str!("../../docs/deployment.md")]
pub struct Deployment;

/// The code in docs/recipes.md, which `suite/recipes.rs` attacks.
#[cfg(doctest)]
#[doc = include_str!("../../docs/recipes.md")]
pub struct Recipes;

pub mod cluster;
pub mod fake;
pub mod odd;
pub mod proxy;
pub mod random;
pub mod server;

use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The error of a test or an example.
pub type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// Opens a connection for doctests: to `REDIS_URL` if that is set, otherwise to a store in memory.
///
/// # Errors
///
/// Fails if there is no connection.
pub fn connection() -> Result<redis_hashmap::Connection, redis_hashmap::Error> {
    redis_hashmap::open(&url())
}

/// [`connection`] for async doctests.
///
/// # Errors
///
/// Fails if there is no connection.
pub async fn connection_async() -> Result<redis_hashmap::AsyncConnection, redis_hashmap::Error> {
    redis_hashmap::open_async(&url()).await
}

fn url() -> String {
    std::env::var("REDIS_URL").unwrap_or_else(|_| "memory:doctests".to_owned())
}

/// The URL of the server of most tests. Without `tests/run`, a redis-server on its usual port.
#[must_use]
pub fn redis_url() -> String {
    std::env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379/".to_owned())
}

/// An address that `tests/run` gives.
///
/// # Panics
///
/// Panics outside of `tests/run`.
#[must_use]
pub fn given(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: run the tests with tests/run"))
}

/// The URL of a newer server, `REDIS_8_URL`, `VALKEY_8_URL` or `VALKEY_9_URL`. `None` if `tests/run` was told to leave it out.
///
/// # Panics
///
/// Panics outside of `tests/run`: a test that is not run must be reported, never silently skipped.
#[must_use]
pub fn newer_server(variable: &str) -> Option<String> {
    Some(given(variable)).filter(|url| url != "left-out")
}

/// Runs a test on a store in memory, on one in a file, and on a server, each time with a key of its own.
///
/// # Errors
///
/// The test's, and if a store cannot be opened.
pub fn in_each_place(
    test: impl Fn(&mut redis_hashmap::Connection, &str) -> Result<(), AnyError>,
) -> Result<(), AnyError> {
    let name = key().replace('/', "-");
    let file = std::env::temp_dir().join(format!("{name}.redb"));
    for url in ["memory:".to_owned(), format!("file:{}", file.display()), redis_url()] {
        test(&mut redis_hashmap::open(&url)?, &key()).map_err(|error| format!("{url}: {error}"))?;
    }
    Ok(std::fs::remove_file(file)?)
}

/// A client of the server of most tests. No I/O.
///
/// # Panics
///
/// Panics if `REDIS_URL` is not a URL.
#[must_use]
pub fn client() -> redis::Client {
    redis::Client::open(redis_url()).expect("REDIS_URL is the URL of a redis-server")
}

/// Connects to the server of most tests.
///
/// # Errors
///
/// Fails if it cannot be reached.
pub fn server() -> redis::RedisResult<redis::Connection> {
    client().get_connection()
}

/// A key for one test. It is deleted when it goes out of scope.
#[must_use]
pub fn key() -> Key {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    Key(format!("redis-hashmap-test/{}/{now:x}/{count}", std::process::id()))
}

/// The key that [`key`] returns.
#[derive(Debug)]
pub struct Key(String);

impl Deref for Key {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        if let Ok(mut con) = connection() {
            // The server of the tests is thrown away anyway.
            let _ = redis::cmd("DEL").arg(&self.0).query::<()>(&mut con);
        }
    }
}

#[cfg(test)]
mod pages {
    /// A forge shows the lines that rustdoc hides, and a `main.rs` has nothing around it as a doctest has.
    #[test]
    fn each_snippet_can_be_pasted_as_it_stands() {
        for page in [
            include_str!("../../README.md"),
            include_str!("../../docs/deployment.md"),
            include_str!("../../docs/recipes.md"),
        ] {
            for block in page.split("```rust\n").skip(1) {
                let snippet = block.split("```").next().unwrap_or(block);
                assert!(snippet.contains("fn main() "), "it has no main:\n{snippet}");
                assert!(!snippet.contains("redis_hashmap_tests"), "it uses what only the tests have:\n{snippet}");
                let hidden = |line: &str| line.trim() == "#" || line.trim_start().starts_with("# ");
                assert!(!snippet.lines().any(hidden), "it has hidden lines:\n{snippet}");
            }
        }
    }
}
