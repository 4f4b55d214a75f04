//! The async connection to any place, which `open_async` returns.

use std::fmt;

use redis::aio::ConnectionLike;
use redis::{Arg, Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, RedisResult, Value};

use crate::command::request::{By, Request};
use crate::error::Error;
use crate::open::cluster_async::AsyncCluster;
use crate::open::options::{Options, Target};
use crate::open::past::needs_no_state;
use crate::open::reconnecting::Source;
use crate::open::reconnecting_async::AsyncReconnecting;
use crate::open::resp::Values;
use crate::open::sentinels::Sentinels;
use crate::open::socket::Address;

/// An async connection to the place that a URL names, as [`open_async`](crate::open_async) returns it.
///
/// It can be cloned and shared by tasks. It implements [`redis::aio::ConnectionLike`]. Its `Debug` shows the place,
/// without a user and a password.
#[derive(Clone)]
pub struct AsyncConnection {
    place: std::sync::Arc<str>,
    way: Way,
}

#[derive(Clone)]
enum Way {
    #[cfg(feature = "embedded")]
    Embedded(crate::embedded::Embedded),
    Server(AsyncReconnecting),
    Cluster(AsyncCluster),
}

impl Options {
    /// Opens an async connection.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`open`](crate::open).
    pub async fn open_async(&self) -> Result<AsyncConnection, Error> {
        AsyncConnection::open(self).await
    }
}

impl AsyncConnection {
    async fn open(options: &Options) -> Result<Self, Error> {
        let reconnecting = async |source| {
            let con = AsyncReconnecting::open(source, options).await;
            con.map(Way::Server).map_err(options.failed())
        };
        let way = match &options.target {
            #[cfg(feature = "embedded")]
            Target::Memory(_) | Target::File(_) => Way::Embedded(embedded(options).await?),
            #[cfg(not(feature = "embedded"))]
            Target::Memory(_) | Target::File(_) => return Err(options.needs("embedded")),
            Target::Server(host) => reconnecting(Source::Server(options.address_of(host)?)).await?,
            Target::Unix(path) => reconnecting(Source::Server(Address::Unix(path.clone()))).await?,
            Target::Cluster(nodes) => {
                let con = AsyncCluster::open(options.way_to_nodes(nodes)?).await;
                Way::Cluster(con.map_err(options.failed())?)
            }
            Target::Sentinel { sentinels, master } => {
                let sentinels = sentinels.iter().map(|sentinel| options.address_of(sentinel));
                let sentinels = sentinels.collect::<Result<_, _>>()?;
                reconnecting(Source::Sentinel(Box::new(Sentinels::new(options, sentinels, master)))).await?
            }
        };
        Ok(Self { place: options.place().into(), way })
    }
}

/// Opens the store on a thread of its own: opening a file reads all of it, and no thread of a runtime should wait for
/// that.
#[cfg(feature = "embedded")]
async fn embedded(options: &Options) -> Result<crate::embedded::Embedded, Error> {
    let (sender, receiver) = futures_channel::oneshot::channel();
    let (place, options) = (options.place(), options.clone());
    let opening = std::thread::Builder::new().name("redis-hashmap open".to_owned()).spawn(move || {
        // The caller may have stopped waiting.
        let _ = sender.send(options.embedded());
    });
    let failed = |problem: String| Error::Store { place, problem };
    if let Err(error) = opening {
        return Err(failed(error.to_string()));
    }
    receiver.await.unwrap_or_else(|_| Err(failed("the thread that opens it has panicked".to_owned())))
}

impl AsyncConnection {
    /// Sends a request, packed into one buffer.
    pub(crate) async fn send(&self, request: &Request, by: By) -> RedisResult<Value> {
        let pack = || {
            let mut packed = Vec::with_capacity(request.estimated_size());
            request.pack(by, &mut packed);
            packed
        };
        let mut replies = match &self.way {
            #[cfg(feature = "embedded")]
            Way::Embedded(con) => return con.clone().req_packed_command(&request.cmd(by)).await,
            Way::Server(con) => con.call(pack, 0, 1).await?,
            Way::Cluster(con) => Box::pin(con.call(pack(), 0, 1)).await?,
        };
        replies.pop().ok_or_else(no_reply)
    }
}

fn no_reply() -> RedisError {
    (ErrorKind::UnexpectedReturnType, "there is no reply").into()
}

impl fmt::Debug for AsyncConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AsyncConnection({})", self.place)
    }
}

/// The name of a command, and its first argument.
fn name(cmd: &Cmd) -> Option<(&[u8], &[u8])> {
    let mut args = cmd.args_iter().map(|arg| if let Arg::Simple(arg) = arg { arg } else { b"" });
    Some((args.next()?, args.next().unwrap_or_default()))
}

impl ConnectionLike for AsyncConnection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match &mut self.way {
            #[cfg(feature = "embedded")]
            Way::Embedded(con) => ConnectionLike::req_packed_command(con, cmd),
            Way::Server(con) => Box::pin(async move {
                needs_no_state(name(cmd))?;
                con.call(|| cmd.get_packed_command(), 0, 1).await?.pop().ok_or_else(no_reply)
            }),
            Way::Cluster(con) => Box::pin(async move {
                needs_no_state(name(cmd))?;
                con.call(cmd.get_packed_command(), 0, 1).await?.pop().ok_or_else(no_reply)
            }),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match &mut self.way {
            #[cfg(feature = "embedded")]
            Way::Embedded(con) => ConnectionLike::req_packed_commands(con, pipeline, offset, count),
            Way::Server(con) => Box::pin(async move {
                needs_no_state(pipeline.cmd_iter().filter_map(name))?;
                con.call(|| pipeline.get_packed_pipeline(), offset, count).await.map(Values::into_vec)
            }),
            Way::Cluster(con) => Box::pin(async move {
                needs_no_state(pipeline.cmd_iter().filter_map(name))?;
                con.call(pipeline.get_packed_pipeline(), offset, count).await.map(Values::into_vec)
            }),
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
}
