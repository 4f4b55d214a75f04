//! An async connection that is opened anew where the one before was lost, to a server or to the master that Sentinels name.

use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_lock::Mutex;
use redis::{RedisResult, Value};
use tokio::time::{Instant, timeout_at};

use crate::open::clients::ends_with;
use crate::open::driver::AsyncNode;
use crate::open::login::Login;
use crate::open::node::CallFailed;
use crate::open::options::Options;
use crate::open::reconnecting::{Source, not_connected, not_sent, only_reads, timed_out};

/// Drops its connection after any failure that leaves it in doubt. The next call opens a new one.
///
/// What was sent whole is not sent again, because it may have been carried out; what only reads is, once, if the connection
/// was closed.
#[derive(Clone)]
pub(super) struct AsyncReconnecting(Arc<Shared>);

struct Shared {
    /// Locked while a connection is opened, so that calls which fail together open one.
    source: Mutex<Source>,
    login: Login,
    database: i64,
    connect_timeout: Duration,
    response_timeout: Duration,
    current: StdMutex<Current>,
}

#[derive(Default)]
struct Current {
    node: Option<AsyncNode>,
    /// The number of this connection: a failure of an older one does not drop it.
    generation: u64,
}

impl AsyncReconnecting {
    pub(super) async fn open(source: Source, options: &Options) -> RedisResult<Self> {
        let this = Self(Arc::new(Shared {
            source: Mutex::new(source),
            login: Login::new(options),
            database: options.database,
            connect_timeout: options.connect_timeout,
            response_timeout: options.response_timeout,
            current: StdMutex::default(),
        }));
        this.connect().await?;
        Ok(this)
    }

    pub(super) fn database(&self) -> i64 {
        self.0.database
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        // Nothing panics while it is locked.
        self.0.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn opened(&self) -> Option<(AsyncNode, u64)> {
        let current = self.current();
        current.node.clone().map(|node| (node, current.generation))
    }

    /// The connection, opened anew if there is none. Who waits while another opens one has no more time than that one.
    async fn connect(&self) -> RedisResult<(AsyncNode, u64)> {
        let deadline = Instant::now() + self.0.connect_timeout;
        let connecting = async {
            let mut source = self.0.source.lock().await;
            if let Some(opened) = self.opened() {
                return Ok(opened);
            }
            let Shared { login, connect_timeout, response_timeout, .. } = &*self.0;
            let left = Ord::min(*connect_timeout, deadline.saturating_duration_since(Instant::now()));
            let node = match &mut *source {
                Source::Server(address) => AsyncNode::connect(address, login, false, left, *response_timeout).await?,
                #[cfg(feature = "sentinel")]
                Source::Sentinel(sentinels) => sentinels.connect_async(login, left, *response_timeout).await?,
            };
            let mut current = self.current();
            current.generation += 1;
            current.node = Some(node.clone());
            Ok((node, current.generation))
        };
        timeout_at(deadline, connecting).await.unwrap_or_else(|_| Err(timed_out()))
    }

    fn forget(&self, generation: u64) {
        let mut current = self.current();
        if current.generation == generation {
            current.node = None;
        }
    }

    /// Sends the commands that `pack` packs, and returns `count` replies after the first `offset`. An error among those fails
    /// them all.
    pub(super) async fn call(
        &self,
        pack: impl Fn() -> Vec<u8> + Send + Sync,
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        let mut replies = self.send(pack, offset + count).await?;
        for reply in replies.drain(..offset) {
            reply.extract_error()?;
        }
        Ok(replies)
    }

    async fn send(&self, pack: impl Fn() -> Vec<u8> + Send + Sync, count: usize) -> RedisResult<Vec<Value>> {
        let mut opened = self.opened();
        loop {
            let was_open = opened.is_some();
            let (node, generation) = match opened.take() {
                Some(opened) => opened,
                None => self.connect().await.map_err(not_connected)?,
            };
            let CallFailed { error, unsent: is_unsent } = match node.call(pack(), count).await {
                Ok(replies) => {
                    if replies.iter().any(ends_with) {
                        self.forget(generation);
                    }
                    return Ok(replies);
                }
                Err(failed) => failed,
            };
            self.forget(generation);
            let is_safe = is_unsent || (error.is_io_error() && only_reads(&pack()));
            if !was_open || error.is_timeout() || !is_safe {
                return Err(if is_unsent { not_sent(error) } else { error });
            }
        }
    }
}
