//! The async connection to any place, which `open_async` returns.

use std::fmt;

use redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
use redis::{Cmd, Pipeline, RedisFuture, Value};

use crate::error::Error;
#[cfg(feature = "cluster-async")]
use crate::open::clients::repeated;
use crate::open::options::{Options, Target};

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
    Server(ConnectionManager),
    #[cfg(feature = "cluster-async")]
    Cluster(redis::cluster_async::ClusterConnection),
    #[cfg(feature = "sentinel")]
    Sentinel(sentinel::Reconnecting),
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
        let managed = async |address| {
            let config = ConnectionManagerConfig::new()
                .set_connection_timeout(Some(options.connect_timeout))
                .set_response_timeout(Some(options.response_timeout))
                // Opening fails at once if nobody answers. Later, each call tries again.
                .set_number_of_retries(1);
            let manager = ConnectionManager::new_with_config(options.client(address)?, config).await;
            manager.map(Way::Server).map_err(options.failed())
        };
        let way = match &options.target {
            #[cfg(feature = "embedded")]
            Target::Memory(_) | Target::File(_) => Way::Embedded(embedded(options).await?),
            #[cfg(not(feature = "embedded"))]
            Target::Memory(_) | Target::File(_) => return Err(options.needs("embedded")),
            Target::Server(host) => managed(options.address(host)).await?,
            Target::Unix(path) => managed(redis::ConnectionAddr::Unix(path.clone())).await?,
            #[cfg(feature = "cluster-async")]
            Target::Cluster(nodes) => {
                let con = options.cluster(nodes)?.get_async_connection().await;
                Way::Cluster(con.map_err(options.failed())?)
            }
            #[cfg(not(feature = "cluster-async"))]
            Target::Cluster(_) => return Err(options.needs("cluster-async")),
            #[cfg(feature = "sentinel")]
            Target::Sentinel { sentinels, master } => {
                let con = sentinel::Reconnecting::new(options, options.sentinel(sentinels, master)?);
                con.connect().await.map_err(options.failed())?;
                Way::Sentinel(con)
            }
            #[cfg(not(feature = "sentinel"))]
            Target::Sentinel { .. } => return Err(options.needs("sentinel")),
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

impl fmt::Debug for AsyncConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AsyncConnection({})", self.place)
    }
}

impl ConnectionLike for AsyncConnection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match &mut self.way {
            #[cfg(feature = "embedded")]
            Way::Embedded(con) => ConnectionLike::req_packed_command(con, cmd),
            Way::Server(con) => con.req_packed_command(cmd),
            #[cfg(feature = "cluster-async")]
            Way::Cluster(con) => Box::pin(async move { con.req_packed_command(cmd).await.map_err(repeated) }),
            #[cfg(feature = "sentinel")]
            Way::Sentinel(con) => Box::pin(con.command(cmd)),
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
            Way::Server(con) => con.req_packed_commands(pipeline, offset, count),
            #[cfg(feature = "cluster-async")]
            Way::Cluster(con) => {
                Box::pin(async move { con.req_packed_commands(pipeline, offset, count).await.map_err(repeated) })
            }
            #[cfg(feature = "sentinel")]
            Way::Sentinel(con) => Box::pin(con.pipeline(pipeline, offset, count)),
        }
    }

    fn get_db(&self) -> i64 {
        match &self.way {
            #[cfg(feature = "embedded")]
            Way::Embedded(_) => 0,
            Way::Server(con) => con.get_db(),
            #[cfg(feature = "cluster-async")]
            Way::Cluster(con) => con.get_db(),
            #[cfg(feature = "sentinel")]
            Way::Sentinel(con) => con.database(),
        }
    }
}

/// Reconnects to the master that Sentinels name, which redis-rs's `ConnectionManager` cannot do.
#[cfg(feature = "sentinel")]
mod sentinel {
    use std::sync::{Arc, Mutex as StdMutex, PoisonError};

    use async_lock::Mutex;
    use redis::aio::{ConnectionLike, MultiplexedConnection};
    use redis::sentinel::SentinelClient;
    use redis::{AsyncConnectionConfig, Cmd, Pipeline, RedisResult, Value};

    use crate::open::clients::{ends_connection, ends_with};
    use crate::open::options::Options;

    /// Drops its connection after any failure that leaves it in doubt. The next call asks the Sentinels again.
    #[derive(Clone)]
    pub(super) struct Reconnecting(Arc<Shared>);

    struct Shared {
        /// Locked while the Sentinels are asked, so that calls that fail together ask only once.
        client: Mutex<SentinelClient>,
        config: AsyncConnectionConfig,
        database: i64,
        current: StdMutex<Current>,
    }

    #[derive(Default)]
    struct Current {
        con: Option<MultiplexedConnection>,
        /// The number of this connection: a failure of an older one does not drop it.
        generation: u64,
    }

    impl Reconnecting {
        pub(super) fn new(options: &Options, client: SentinelClient) -> Self {
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(options.connect_timeout))
                .set_response_timeout(Some(options.response_timeout));
            let (client, current) = (Mutex::new(client), StdMutex::default());
            Self(Arc::new(Shared { client, config, database: options.database, current }))
        }

        pub(super) fn database(&self) -> i64 {
            self.0.database
        }

        fn current(&self) -> std::sync::MutexGuard<'_, Current> {
            // Nothing panics while it is locked.
            self.0.current.lock().unwrap_or_else(PoisonError::into_inner)
        }

        fn open(&self) -> Option<(MultiplexedConnection, u64)> {
            let current = self.current();
            current.con.clone().map(|con| (con, current.generation))
        }

        pub(super) async fn connect(&self) -> RedisResult<(MultiplexedConnection, u64)> {
            if let Some(open) = self.open() {
                return Ok(open);
            }
            let mut client = self.0.client.lock().await;
            if let Some(open) = self.open() {
                return Ok(open);
            }
            let con = client.get_async_connection_with_config(&self.0.config).await?;
            let mut current = self.current();
            current.generation += 1;
            current.con = Some(con.clone());
            Ok((con, current.generation))
        }

        fn forget(&self, generation: u64) {
            let mut current = self.current();
            if current.generation == generation {
                current.con = None;
            }
        }

        pub(super) async fn command(&mut self, cmd: &Cmd) -> RedisResult<Value> {
            let (mut con, generation) = self.connect().await?;
            let result = con.req_packed_command(cmd).await;
            if result.as_ref().map_or_else(ends_connection, ends_with) {
                self.forget(generation);
            }
            result
        }

        pub(super) async fn pipeline(
            &mut self,
            pipeline: &Pipeline,
            offset: usize,
            count: usize,
        ) -> RedisResult<Vec<Value>> {
            let (mut con, generation) = self.connect().await?;
            let result = con.req_packed_commands(pipeline, offset, count).await;
            if result.as_ref().map_or_else(ends_connection, |replies| replies.iter().any(ends_with)) {
                self.forget(generation);
            }
            result
        }
    }
}
