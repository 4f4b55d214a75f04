//! An async connection that is opened anew where the one before was lost, to a server or to the master that Sentinels name.

use std::io;
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use async_lock::Mutex;
use redis::{RedisError, RedisResult};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, timeout_at};

use crate::open::clients::ends_with;
use crate::open::driver::AsyncNode;
use crate::open::failed::CallFailed;
use crate::open::login::Login;
use crate::open::options::Options;
use crate::open::past::{Past, Told, only_reads};
use crate::open::reconnecting::{Source, wanted};
use crate::open::resp::Values;
use crate::open::socket::Address;

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
    /// When it was used last.
    used: Option<Instant>,
    past: Past,
    /// Leaves it as soon as the Sentinels name another master.
    watch: Option<Watch>,
}

/// A call that is to be sent.
#[derive(Default)]
struct Begun {
    opened: Option<(AsyncNode, u64)>,
    told: Told,
}

/// A task that ends when this is dropped.
struct Watch(tokio::task::JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(super) fn timed_out() -> RedisError {
    io::Error::from(io::ErrorKind::TimedOut).into()
}

pub(super) fn after(duration: Duration) -> Instant {
    later(Instant::now(), duration)
}

/// A century from now is as good as never.
fn later(now: Instant, duration: Duration) -> Instant {
    now.checked_add(duration).unwrap_or_else(|| now + Duration::from_secs(3_155_760_000))
}

/// Drops the connection of this number once the Sentinels name another master. Who does not answer is no reason to leave a
/// master that works.
async fn leave_in_time(shared: Weak<Shared>, generation: u64, mut sentinel: AsyncNode) {
    loop {
        sentinel.ended().await;
        let Some(shared) = shared.upgrade().map(AsyncReconnecting) else { return };
        // Calls that have to connect do not wait for silent ones.
        let mut sentinels = match &*shared.0.source.lock().await {
            Source::Sentinel(sentinels) => sentinels.to_ask(),
            Source::Server(_) => return,
        };
        match sentinels.still_named_async(shared.0.connect_timeout).await {
            Ok(Some(again)) => sentinel = again,
            Ok(None) => return shared.forget(generation),
            Err(_) => {}
        }
        drop(shared);
        // One that ends each connection is not asked without end.
        sleep(Duration::from_millis(200)).await;
    }
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
        this.connect(None).await?;
        Ok(this)
    }

    /// A connection to a node of a cluster, which is opened by the first call.
    pub(super) fn to_node(address: Address, login: &Login, connect_timeout: Duration) -> Self {
        Self(Arc::new(Shared {
            source: Mutex::new(Source::Server(address)),
            login: login.clone(),
            database: 0,
            connect_timeout,
            // Not used: each call brings its own, in which it also has to be connected.
            response_timeout: connect_timeout,
            current: StdMutex::default(),
        }))
    }

    pub(super) fn is_open(&self) -> bool {
        self.current().node.is_some()
    }

    /// True if a connection was ever opened.
    pub(super) fn has_been_open(&self) -> bool {
        self.current().past.has_been_open()
    }

    /// Notes in another past what is lost with this one.
    pub(super) fn leave_to(&self, past: &mut Past) {
        past.inherit(&self.current().past);
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

    /// Begins a call: the connection, if there is one, and what is to be noted once it is sent. `None` if no call has used the
    /// connection for a while, and this one has not looked at it yet.
    fn begin(&self, packed: &[u8], now: Instant, has_looked: bool) -> Result<Option<Begun>, CallFailed> {
        const IDLE: Duration = Duration::from_millis(10);
        let mut current = self.current();
        if !has_looked && current.used.is_some_and(|used| now.duration_since(used) >= IDLE) {
            return Ok(None);
        }
        current.used = Some(now);
        let told = current.past.allows(packed)?;
        Ok(Some(Begun { opened: current.node.clone().map(|node| (node, current.generation)), told }))
    }

    /// The connection, opened anew if there is none. Who waits while another opens one has no more time than that one.
    async fn connect(&self, deadline: Option<Instant>) -> RedisResult<(AsyncNode, u64)> {
        let own = after(self.0.connect_timeout);
        let deadline = deadline.map_or(own, |deadline| deadline.min(own));
        let connecting = async {
            let mut source = self.0.source.lock().await;
            if let Some(opened) = self.opened() {
                return Ok(opened);
            }
            let (login, mut watch) = (&self.0.login, None);
            let node = match &mut *source {
                Source::Server(address) => AsyncNode::connect(address, login, false, deadline).await?,
                Source::Sentinel(sentinels) => {
                    let (node, sentinel) = sentinels.connect_async(login, deadline).await?;
                    watch = Some(sentinel);
                    node
                }
            };
            let mut current = self.current();
            current.generation += 1;
            current.past.opens();
            current.node = Some(node.clone());
            let (watching, generation) = (Arc::downgrade(&self.0), current.generation);
            current.watch = watch.map(|sentinel| Watch(tokio::spawn(leave_in_time(watching, generation, sentinel))));
            Ok((node, generation))
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
    ) -> RedisResult<Values> {
        let replies = self.send(pack, offset + count, None).await.map_err(CallFailed::into_error)?;
        wanted(replies, offset, count)
    }

    /// Sends the commands that `pack` packs, and returns the replies. All of it ends at the deadline; without one, connecting
    /// and each attempt have their own time.
    pub(super) async fn send(
        &self,
        pack: impl Fn() -> Vec<u8> + Send + Sync,
        count: usize,
        deadline: Option<Instant>,
    ) -> Result<Values, CallFailed> {
        let mut now = Instant::now();
        let mut packed = pack();
        let mut begun = self.begin(&packed, now, false)?;
        if begun.is_none() {
            // On a runtime of one thread nothing has run since, so that nobody has seen whether the server has closed it:
            // the first lets the runtime hear of it, the second the task of the connection.
            yield_now().await;
            yield_now().await;
            begun = self.begin(&packed, Instant::now(), true)?;
        }
        loop {
            let Begun { opened, mut told } = begun.take().unwrap_or_default();
            let was_open = opened.is_some();
            let (node, generation) = if let Some(opened) = opened {
                opened
            } else {
                // Seldom, and large.
                let connecting = Instant::now();
                let opened = Box::pin(self.connect(deadline)).await.map_err(CallFailed::not_connected)?;
                told = self.current().past.allows(&packed)?;
                // Connecting has its own time; what was spent before counts.
                now += connecting.elapsed();
                opened
            };
            let until = deadline.unwrap_or_else(|| later(now, self.0.response_timeout));
            let calling = node.call(packed, count, until);
            let called = match deadline {
                None => calling.await,
                // The connection ends calls in their order, and one before this may have more time. Where it ends this one
                // itself, it knows what was sent, and comes first.
                Some(_) => timeout_at(until + Duration::from_millis(20), calling)
                    .await
                    .unwrap_or_else(|_| Err(CallFailed::in_doubt(timed_out()))),
            };
            let failed = match called {
                Ok(replies) => {
                    if told != Told::default() {
                        let mut current = self.current();
                        if current.generation == generation {
                            current.past.note(told);
                        } else {
                            current.past.note_lost(told);
                        }
                    }
                    if replies.iter().any(ends_with) {
                        self.forget(generation);
                    }
                    return Ok(replies);
                }
                Err(failed) => failed,
            };
            self.forget(generation);
            let is_safe = !failed.is_in_doubt() || (failed.error.is_io_error() && only_reads(&pack()));
            if !was_open || failed.error.is_timeout() || !is_safe {
                return Err(failed);
            }
            packed = pack();
        }
    }
}
