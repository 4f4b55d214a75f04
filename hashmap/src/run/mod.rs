//! What becomes of a command: the only folder that sends anything.

use std::time::Duration;

use redis::{ConnectionLike, ErrorKind, RedisError, ServerErrorKind, Value};

use crate::command::Command;
use crate::command::reply::{Reply, failed, unexpected};
use crate::command::request::Request;
use crate::error::Error;
use crate::error::redis_fault::RedisFault;
use crate::run::steps::{Step, Steps};

/// Connections are not shown: their `Debug` can hold a password.
macro_rules! hide_connection {
    ($($type:ty, $name:literal;)*) => {
        $(impl<C> std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($name)
            }
        })*
    };
}

#[cfg(feature = "tokio-comp")]
mod asynchronous;
#[cfg(feature = "tokio-comp")]
mod cluster_slot;
pub(crate) mod steps;

/// What becomes of the commands that an accessor makes.
///
/// | executor | made by | an operation returns |
/// |---|---|---|
/// | [`Deferred`] | the constructors | a [`Command<T>`], nothing is sent |
/// | [`Blocking`] | `on(con)` | `Result<T, Error>` |
#[cfg_attr(feature = "tokio-comp", doc = "| [`Async`] | `on_async(con)` | a `Send + 'static` future of it |")]
#[cfg_attr(
    feature = "tokio-comp",
    doc = "| [`Exclusive`] | `on_exclusive(&mut con)` | a future that borrows the connection |"
)]
pub trait Executor: sealed::Sealed {
    /// What an operation with the result `T` returns.
    type Output<'a, T: Send + 'static>
    where
        Self: 'a;

    /// What an operation of several steps returns, which ends with a `T`: that, or a future of it. `'f` is what the
    /// operation borrows besides the accessor, such as its closure.
    type Driven<'a, 'f, T: Send + 'f>
    where
        Self: 'a,
        'f: 'a;

    /// Runs a command, or keeps it for later.
    fn execute<T: Send + 'static>(&mut self, command: Command<T>) -> Self::Output<'_, T>;
}

/// An executor with a connection: what takes several round trips, such as `update`, needs one.
#[diagnostic::on_unimplemented(
    message = "this operation takes several round trips, and the accessor has no connection",
    label = "needs an accessor with a connection",
    note = "give it one by `on(con)`, `on_async(con)` or `on_exclusive(&mut con)`; it cannot be a part of a `batch`"
)]
pub trait Connected: Executor {
    #[doc(hidden)]
    fn drive<'a, 'f, S>(&'a mut self, steps: S) -> Self::Driven<'a, 'f, Result<S::Output, S::Error>>
    where
        S: Steps + Send + 'f,
        S::Output: Send + 'f,
        S::Error: Send + 'f,
        'f: 'a;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Deferred {}
    impl<C> Sealed for super::Blocking<C> {}
    #[cfg(feature = "tokio-comp")]
    impl<C> Sealed for super::Async<C> {}
    #[cfg(feature = "tokio-comp")]
    impl<C> Sealed for super::Exclusive<'_, C> {}
}

/// Sends nothing: operations return their [`Command`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Deferred;

impl Executor for Deferred {
    type Output<'a, T: Send + 'static> = Command<T>;

    /// It has no connection for them.
    type Driven<'a, 'f, T: Send + 'f>
        = std::convert::Infallible
    where
        'f: 'a;

    fn execute<T: Send + 'static>(&mut self, command: Command<T>) -> Command<T> {
        command
    }
}

/// Runs each command on a blocking connection: a redis-rs `Connection`, `ClusterConnection` or `Client`, a guard of a
/// pool, a mutable reference to any of them, or whatever else implements [`redis::ConnectionLike`].
#[derive(Clone)]
pub struct Blocking<C>(C);

impl<C> Blocking<C> {
    pub(crate) fn new(con: C) -> Self {
        Self(con)
    }

    pub(crate) fn connection(&mut self) -> &mut C {
        &mut self.0
    }
}

impl<C: ConnectionLike> Executor for Blocking<C> {
    type Output<'a, T: Send + 'static>
        = Result<T, Error>
    where
        C: 'a;

    type Driven<'a, 'f, T: Send + 'f>
        = T
    where
        C: 'a,
        'f: 'a;

    fn execute<T: Send + 'static>(&mut self, command: Command<T>) -> Result<T, Error> {
        command.query(&mut self.0)
    }
}

impl<C: ConnectionLike> Connected for Blocking<C> {
    fn drive<'a, 'f, S>(&'a mut self, mut steps: S) -> Result<S::Output, S::Error>
    where
        S: Steps + Send + 'f,
        S::Output: Send + 'f,
        S::Error: Send + 'f,
        'f: 'a,
    {
        let mut step = steps.start()?;
        loop {
            let mut request = match step {
                Step::Done(output) => return Ok(output),
                Step::Send(request) => request,
                Step::SendAfter(wait, request) => {
                    std::thread::sleep(wait);
                    request
                }
            };
            let reply = send_one(&mut request, &mut self.0);
            step = steps.next(Reply::new(reply, &request)?)?;
        }
    }
}

hide_connection! { Blocking<C>, "Blocking"; }

fn is_noscript(reply: &Result<Value, RedisError>) -> bool {
    let kind = match reply {
        Ok(Value::ServerError(error)) => return error.kind() == Some(ServerErrorKind::NoScript),
        Ok(_) => return false,
        Err(error) => error.kind(),
    };
    kind == ErrorKind::Server(ServerErrorKind::NoScript)
}

impl<T> Command<T> {
    /// Sends the command and waits for its answer: one round trip.
    ///
    /// # Errors
    ///
    /// An [`Error`] of the operation; where the key is empty or the value cannot be stored, before anything is sent.
    pub fn query(self, con: &mut dyn ConnectionLike) -> Result<T, Error> {
        let mut request = self.request?;
        let reply = send_one(&mut request, con);
        self.reader.read(Reply::new(reply, &request)?)
    }
}

/// Sends a request, with the source of its script where the server does not know it.
fn send_one(request: &mut Request, con: &mut dyn ConnectionLike) -> Result<Value, RedisError> {
    let reply = con.req_command(&request.cmd);
    if !(request.is_script() && is_noscript(&reply)) {
        return reply;
    }
    *request = request.clone().standalone();
    con.req_command(&request.cmd)
}

/// How long to wait before the next attempt, after so many that failed, the last of which took so long: not at all at
/// first, then longer and longer, and not for as long as others who failed at the same time.
///
/// Of those who try at once one succeeds. The waits grow until most of them wait, with room for 64 at a time.
pub(crate) fn pause(failed: u32, took: Duration) -> Option<Duration> {
    use std::hash::{BuildHasher, RandomState};
    const SHORTEST: Duration = Duration::from_micros(250);
    const LONGEST: Duration = Duration::from_millis(250);
    let took = took.max(SHORTEST);
    let bound = took.saturating_mul(1 << failed.checked_sub(2)?.min(16)).min(LONGEST.max(took.saturating_mul(64)));
    // The seed of a hash map: as random as this needs.
    let random = RandomState::new().hash_one(failed);
    let micros = u64::try_from(bound.as_micros()).unwrap_or(u64::MAX);
    Some(Duration::from_micros(random % micros.max(1)))
}

/// Sends requests and returns their replies in order, a server's error where a reply should be.
pub(crate) fn send_all(
    requests: &[Request],
    atomic: bool,
    con: &mut dyn ConnectionLike,
) -> Result<Vec<Result<Value, RedisError>>, Error> {
    let Some(first) = requests.first() else { return Ok(Vec::new()) };
    if !con.supports_pipelining() {
        if atomic {
            return Err(Error::NotAtomic {
                reason: "a blocking cluster connection has no transactions; use an async one, with all keys in one slot",
            });
        }
        return Ok(requests.iter().map(|request| con.req_command(&request.cmd)).collect());
    }
    // Packed into one buffer: a redis::Pipeline would copy every command once more.
    let mut packed = Vec::new();
    let mut pack = |cmd: &redis::Cmd| cmd.write_packed_command(&mut packed);
    if atomic {
        pack(&redis::cmd("MULTI"));
    }
    for request in requests {
        pack(&request.cmd);
    }
    if atomic {
        pack(&redis::cmd("EXEC"));
    }
    let replies = con.req_packed_commands(&packed, 0, replies_of(requests.len(), atomic));
    ordered(replies.map_err(|error| failed(error, first))?, requests, atomic)
}

/// How many replies to ask for: in a transaction those of MULTI and of the queued commands too. Only they tell which
/// command the server has refused, and whether there is a transaction at all; and redis-rs 1.8.1 panics where it skips
/// over a refused MULTI.
fn replies_of(commands: usize, atomic: bool) -> usize {
    commands + if atomic { 2 } else { 0 }
}

/// The reply to each command.
fn ordered(
    mut replies: Vec<Value>,
    requests: &[Request],
    atomic: bool,
) -> Result<Vec<Result<Value, RedisError>>, Error> {
    let Some(first) = requests.first() else { return Ok(Vec::new()) };
    if atomic {
        let exec = replies.pop();
        let mut queued = replies.into_iter();
        if let Some(Value::ServerError(error)) = queued.next() {
            return Err(Error::Redis {
                place: first.hash(),
                operation: "MULTI",
                source: RedisFault::new(error.into()),
            });
        }
        for (request, reply) in requests.iter().zip(queued) {
            Reply::new(Ok(reply), request)?;
        }
        replies = match exec {
            Some(Value::Array(replies)) => replies,
            Some(Value::Nil) => {
                return Err(Error::NotAtomic {
                    reason: "a key that this connection watches has changed; nothing was carried out",
                });
            }
            Some(Value::ServerError(error)) => return Err(failed(error.into(), first)),
            _ => return Err(unexpected(first)),
        };
    }
    if replies.len() != requests.len() {
        return Err(unexpected(first));
    }
    Ok(replies.into_iter().map(Ok).collect())
}

#[cfg(feature = "tokio-comp")]
pub use asynchronous::{Async, Exclusive};

#[cfg(feature = "tokio-comp")]
pub(crate) use asynchronous::send_all as send_all_async;
