//! Opens connections: one URL decides where the data lies.

#[cfg(feature = "tokio-comp")]
pub(crate) mod asynchronous;
pub(crate) mod blocking;
mod clients;
mod cluster;
#[cfg(feature = "tokio-comp")]
mod cluster_async;
mod deadline;
pub(crate) mod direct;
#[cfg(feature = "tokio-comp")]
mod driver;
mod failed;
mod login;
mod node;
pub(crate) mod options;
mod past;
mod reconnecting;
#[cfg(feature = "tokio-comp")]
mod reconnecting_async;
mod resp;
mod route;
pub(crate) mod routed;
mod sentinels;
pub(crate) mod slots;
mod socket;
#[cfg(feature = "tokio-comp")]
mod stream;
mod url;

use crate::error::Error;
#[cfg(feature = "tokio-comp")]
use crate::open::asynchronous::AsyncConnection;
use crate::open::blocking::Connection;
use crate::open::options::Options;

/// Opens a blocking connection to the place that a URL names.
///
/// | URL | where the data lies |
/// |---|---|
/// | `memory:`, `memory:name` | in this process, until it ends; `memory:` twice is two stores, `memory:name` twice is one |
/// | `file:settings.redb`, `file:///var/lib/app/settings.redb` | in one file, which is created if it does not exist |
/// | `redis://[user:password@]host[:port][/database]` | on a Redis or Valkey server |
/// | `rediss://…` | on such a server, over TLS |
/// | `redis+unix:///run/redis.sock` | on a server on this machine |
/// | `redis+cluster://host:port,host:port` | in a cluster; `rediss+cluster://` over TLS |
/// | `redis+sentinel://host:port,host:port/mastername[/database]` | on the master that Sentinels name; `rediss+sentinel://` |
///
/// Parameters follow a `?`, with `&` between them: `protocol=resp3`; `durability=eventual` for files;
/// `as=redis-7.0` (or `redis-8.0`, `valkey-8.1`, `valkey-9.1`) for memory and files, which then answer as that server; `connect_timeout`
/// and `response_timeout` for servers, such as `500ms` or `5s`; `ca`, `cert` and `key`, paths of PEM files, over TLS;
/// `db`, `user` and `pass` for Unix sockets; `sentinel_user` and `sentinel_pass` for Sentinels.
/// [`Options`](crate::Options) sets most of them in code.
///
/// The connection implements redis-rs's `ConnectionLike`, so every accessor and every redis-rs call works on it. A
/// connection that fails is dropped, and the next call opens a new one. No call lasts longer than its time-outs. A command
/// that was sent whole is not sent again: it may have been carried out. One that only reads is, once, if the connection was
/// closed.
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
/// Returns [`Error::Url`] if the URL is not one of these, [`Error::Feature`] if this crate was built without what it
/// needs, [`Error::Store`] if the file cannot be opened, and [`Error::Connect`] if the server cannot be reached or
/// refuses the user.
pub fn open(url: &str) -> Result<Connection, Error> {
    Options::parse(url)?.open()
}

/// Opens an async connection to the place that a URL names. [`open`] lists the URLs.
///
/// The connection can be cloned and shared by tasks. It implements redis-rs's `aio::ConnectionLike`.
///
/// # Errors
///
/// Returns the errors of [`open`].
#[cfg(feature = "tokio-comp")]
pub async fn open_async(url: &str) -> Result<AsyncConnection, Error> {
    Options::parse(url)?.open_async().await
}
