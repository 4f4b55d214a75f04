//! One line that decides where the data lies.

#[cfg(feature = "tokio-comp")]
pub(crate) mod asynchronous;
pub(crate) mod blocking;
mod clients;
pub(crate) mod options;
mod url;

use crate::error::Error;
#[cfg(feature = "tokio-comp")]
use crate::open::asynchronous::AsyncConnection;
use crate::open::blocking::Connection;
use crate::open::options::Options;

/// Opens the place that a URL names, for blocking use.
///
/// | URL | where the data lies |
/// |---|---|
/// | `memory:`, `memory:name` | in this process, until it ends |
/// | `file:settings.redb`, `file:///var/lib/app/settings.redb` | in one file, which is made if it is not there |
/// | `redis://[user:password@]host[:port][/database]` | on a Redis or Valkey server |
/// | `rediss://…` | the same over TLS |
/// | `redis+unix:///run/redis.sock` | on a server on this machine |
/// | `redis+cluster://host:port,host:port` | in a cluster; `rediss+cluster://` over TLS |
/// | `redis+sentinel://host:port,host:port/mastername[/database]` | on the master that Sentinels name; `rediss+sentinel://` |
///
/// Parameters follow a `?`, with `&` between them: `protocol=resp3`; `durability=eventual` for files; `connect_timeout`
/// and `response_timeout` for servers, as in `500ms` or `5s`; `ca`, `cert` and `key`, paths of PEM files, over TLS.
/// [`Options`](crate::Options) sets the same in code.
///
/// What it returns implements redis-rs's `ConnectionLike`, so that every accessor and every redis-rs call works on it. A
/// connection that failed is dropped, and made anew by the next call; a command that failed is never sent again.
///
/// ```
/// use redis_hashmap::HashMap;
///
/// let mut con = redis_hashmap::open("memory:")?;
/// HashMap::new("settings").on(&mut con).set("theme", "dark")?;
/// assert_eq!(redis::cmd("HLEN").arg("settings").query::<u64>(&mut con)?, 1);
/// # Ok::<(), redis_hashmap_tests::AnyError>(())
/// ```
///
/// # Errors
///
/// [`Error::Url`] if it is no such URL; [`Error::Store`] if the file cannot be opened; [`Error::Connect`] if the server
/// cannot be reached, or refuses the user.
pub fn open(url: &str) -> Result<Connection, Error> {
    Options::parse(url)?.open()
}

/// Opens the place that a URL names, for async use: see [`open`].
///
/// What it returns can be cloned, and shared by tasks. It implements redis-rs's `aio::ConnectionLike`.
///
/// # Errors
///
/// As [`open`].
#[cfg(feature = "tokio-comp")]
pub async fn open_async(url: &str) -> Result<AsyncConnection, Error> {
    Options::parse(url)?.open_async().await
}
