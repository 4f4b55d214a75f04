//! The blocking connection to any place, which `open` returns.

use std::fmt;

use redis::{Cmd, ConnectionLike, RedisResult, Value};

use crate::error::Error;
#[cfg(feature = "cluster")]
use crate::open::clients::repeated;
use crate::open::options::{Options, Target};
#[cfg(feature = "sentinel")]
use crate::open::reconnecting::Sentinels;
use crate::open::reconnecting::{Reconnecting, Source};
use crate::open::socket::Address;

/// A blocking connection to the place that a URL names, as [`open`](crate::open) returns it.
///
/// It implements [`redis::ConnectionLike`]. Its `Debug` shows the place, without a user and a password.
pub struct Connection {
    place: String,
    way: Way,
}

enum Way {
    #[cfg(feature = "embedded")]
    Embedded(crate::embedded::Embedded),
    Server(Box<Reconnecting>),
    #[cfg(feature = "cluster")]
    Cluster(Box<redis::cluster::ClusterConnection>),
}

impl Options {
    /// Opens a blocking connection.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`open`](crate::open).
    pub fn open(&self) -> Result<Connection, Error> {
        Connection::open(self)
    }
}

impl Connection {
    fn open(options: &Options) -> Result<Self, Error> {
        let reconnecting = |source| {
            let con = Reconnecting::open(source, options).map_err(options.failed())?;
            Ok::<_, Error>(Way::Server(Box::new(con)))
        };
        let way = match &options.target {
            #[cfg(feature = "embedded")]
            Target::Memory(_) | Target::File(_) => Way::Embedded(options.embedded()?),
            #[cfg(not(feature = "embedded"))]
            Target::Memory(_) | Target::File(_) => return Err(options.needs("embedded")),
            Target::Server(host) => reconnecting(Source::Server(options.address_of(host)?))?,
            Target::Unix(path) => reconnecting(Source::Server(Address::Unix(path.clone())))?,
            #[cfg(feature = "cluster")]
            Target::Cluster(nodes) => {
                let con = options.cluster(nodes)?.get_connection().map_err(options.failed())?;
                con.set_read_timeout(Some(options.response_timeout)).map_err(options.failed())?;
                con.set_write_timeout(Some(options.response_timeout)).map_err(options.failed())?;
                Way::Cluster(Box::new(con))
            }
            #[cfg(not(feature = "cluster"))]
            Target::Cluster(_) => return Err(options.needs("cluster")),
            #[cfg(feature = "sentinel")]
            Target::Sentinel { sentinels, master } => {
                let sentinels = sentinels.iter().map(|sentinel| options.address_of(sentinel));
                let sentinels = sentinels.collect::<Result<_, _>>()?;
                reconnecting(Source::Sentinel(Sentinels::new(options, sentinels, master)))?
            }
            #[cfg(not(feature = "sentinel"))]
            Target::Sentinel { .. } => return Err(options.needs("sentinel")),
        };
        Ok(Self { place: options.place(), way })
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connection({})", self.place)
    }
}

impl ConnectionLike for Connection {
    fn req_command(&mut self, cmd: &Cmd) -> RedisResult<Value> {
        match &mut self.way {
            #[cfg(feature = "embedded")]
            Way::Embedded(con) => con.req_command(cmd),
            Way::Server(con) => con.call_one(&cmd.get_packed_command()),
            #[cfg(feature = "cluster")]
            Way::Cluster(con) => con.req_command(cmd).map_err(repeated),
        }
    }

    fn req_packed_command(&mut self, cmd: &[u8]) -> RedisResult<Value> {
        match &mut self.way {
            #[cfg(feature = "embedded")]
            Way::Embedded(con) => con.req_packed_command(cmd),
            Way::Server(con) => con.call_one(cmd),
            #[cfg(feature = "cluster")]
            Way::Cluster(con) => con.req_packed_command(cmd).map_err(repeated),
        }
    }

    fn req_packed_commands(&mut self, cmd: &[u8], offset: usize, count: usize) -> RedisResult<Vec<Value>> {
        match &mut self.way {
            #[cfg(feature = "embedded")]
            Way::Embedded(con) => con.req_packed_commands(cmd, offset, count),
            Way::Server(con) => con.call(cmd, offset, count),
            #[cfg(feature = "cluster")]
            Way::Cluster(con) => con.req_packed_commands(cmd, offset, count).map_err(repeated),
        }
    }

    fn get_db(&self) -> i64 {
        match &self.way {
            #[cfg(feature = "embedded")]
            Way::Embedded(_) => 0,
            Way::Server(con) => con.database(),
            #[cfg(feature = "cluster")]
            Way::Cluster(con) => con.get_db(),
        }
    }

    fn supports_pipelining(&self) -> bool {
        match &self.way {
            #[cfg(feature = "embedded")]
            Way::Embedded(con) => ConnectionLike::supports_pipelining(con),
            Way::Server(_) => true,
            #[cfg(feature = "cluster")]
            Way::Cluster(con) => con.supports_pipelining(),
        }
    }

    fn check_connection(&mut self) -> bool {
        redis::cmd("PING").exec(self).is_ok()
    }

    /// True even after a failure, since the next call opens a new connection. A cluster connection answers for itself.
    fn is_open(&self) -> bool {
        match &self.way {
            #[cfg(feature = "cluster")]
            Way::Cluster(con) => con.is_open(),
            _ => true,
        }
    }
}
