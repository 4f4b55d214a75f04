//! The blocking connection to any place, which `open` returns.

use std::fmt;

use redis::{Cmd, ConnectionLike, ErrorKind, RedisResult, Value};

use crate::error::Error;
use crate::open::cluster::Cluster;
use crate::open::direct;
use crate::open::options::{Options, Target};
use crate::open::reconnecting::{Reconnecting, Source};
use crate::open::resp::Values;
use crate::open::sentinels::Sentinels;
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
    Cluster(Box<Cluster>),
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
            Target::Cluster(nodes) => {
                let con = Cluster::open(options.way_to_nodes(nodes)?).map_err(options.failed())?;
                Way::Cluster(Box::new(con))
            }
            Target::Sentinel { sentinels, master } => {
                let sentinels = sentinels.iter().map(|sentinel| options.address_of(sentinel));
                let sentinels = sentinels.collect::<Result<_, _>>()?;
                reconnecting(Source::Sentinel(Box::new(Sentinels::new(options, sentinels, master))))?
            }
        };
        Ok(Self { place: options.place(), way })
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connection({})", self.place)
    }
}

fn one(replies: RedisResult<Values>) -> RedisResult<Value> {
    replies?.pop().ok_or_else(|| (ErrorKind::UnexpectedReturnType, "there is no reply").into())
}

impl ConnectionLike for Connection {
    fn req_command(&mut self, cmd: &Cmd) -> RedisResult<Value> {
        match &mut self.way {
            #[cfg(feature = "embedded")]
            Way::Embedded(con) => con.req_command(cmd),
            _ => self.req_packed_command(&cmd.get_packed_command()),
        }
    }

    fn req_packed_command(&mut self, cmd: &[u8]) -> RedisResult<Value> {
        match &mut self.way {
            #[cfg(feature = "embedded")]
            Way::Embedded(con) => con.req_packed_command(cmd),
            Way::Server(con) => one(con.call(cmd, 0, 1)),
            Way::Cluster(con) => one(con.call(cmd, 0, 1)),
        }
    }

    fn req_packed_commands(&mut self, cmd: &[u8], offset: usize, count: usize) -> RedisResult<Vec<Value>> {
        match &mut self.way {
            #[cfg(feature = "embedded")]
            Way::Embedded(con) => con.req_packed_commands(cmd, offset, count),
            Way::Server(con) if offset == 0 && direct::is_asked_for(cmd) => {
                con.call_all(cmd, count).map(|received| vec![direct::leave(received)])
            }
            Way::Server(con) => con.call(cmd, offset, count).map(Values::into_vec),
            Way::Cluster(con) => con.call(cmd, offset, count).map(Values::into_vec),
        }
    }

    fn get_db(&self) -> i64 {
        match &self.way {
            #[cfg(feature = "embedded")]
            Way::Embedded(_) => 0,
            Way::Server(con) => con.database(),
            Way::Cluster(_) => 0,
        }
    }

    fn supports_pipelining(&self) -> bool {
        match &self.way {
            #[cfg(feature = "embedded")]
            Way::Embedded(con) => ConnectionLike::supports_pipelining(con),
            Way::Server(_) | Way::Cluster(_) => true,
        }
    }

    fn check_connection(&mut self) -> bool {
        redis::cmd("PING").exec(self).is_ok()
    }

    /// True even after a failure, since the next call opens a new connection.
    fn is_open(&self) -> bool {
        true
    }
}
