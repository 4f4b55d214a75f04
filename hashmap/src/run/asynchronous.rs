//! Runs commands on async connections.

use std::any::Any;
use std::fmt;
use std::future::{poll_fn, ready};
use std::pin::{Pin, pin};
use std::task::Poll;

use async_lock::Mutex;
use redis::aio::ConnectionLike;
use redis::{Cmd, Pipeline, RedisFuture, RedisResult, Value};

use crate::command::Command;
use crate::command::batch::{Batch, Commands};
use crate::command::reply::{Reply, is_unknown_script};
use crate::command::request::{By, Request};
use crate::error::Error;
use crate::open::asynchronous::AsyncConnection;
use crate::run::mailbox::{Ask, Mailbox};
use crate::run::pipeline_async::send_all_async;
use crate::run::sealed::Sealed;
use crate::run::{Alone, Connected, Executor};

/// Runs each command on an async connection that can be cloned.
///
/// Such a connection is a `MultiplexedConnection`, a `ConnectionManager` or an async `ClusterConnection`. Each
/// operation returns a future of its own that borrows nothing, so several can run at once (`tokio::join!`) or be
/// spawned. Nothing is sent before the future is awaited.
///
/// A repository that does not care which connection it has is generic over it:
///
/// ```
/// use redis::aio::ConnectionLike;
/// use redis_hashmap::{Async, Error, RedisHash};
///
/// #[derive(RedisHash)]
/// #[redis_hash(key = "user:{id}")]
/// struct User { name: String }
///
/// #[derive(Clone)]
/// struct Users<C>(C);
///
/// impl<C: ConnectionLike + Clone + Send + 'static> Users<C> {
///     fn user(&self, id: u64) -> UserHash<Async<C>> {
///         User::of(id).on_async(self.0.clone())
///     }
///
///     async fn rename(&self, id: u64, name: &str) -> Result<bool, Error> {
///         self.user(id).name().set_if_present(name).await
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), redis_hashmap_tests::AnyError> {
///
/// let users = Users(redis_hashmap::open_async("memory:").await?);    // or any async connection of redis-rs
/// assert!(!users.rename(42, "Ann").await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Async<C>(C);

impl<C> Async<C> {
    pub(crate) fn new(con: C) -> Self {
        Self(con)
    }
}

/// Does not show the connection, since its `Debug` output can contain a password.
impl<C> fmt::Debug for Async<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Async")
    }
}

impl<C> Sealed for Async<C> {}

impl<C: ConnectionLike + Clone + Send + 'static> Executor for Async<C> {
    type Output<'a, T: Send + 'static>
        = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'static>>
    where
        C: 'a;

    type Driven<'a, 'f, T: Send + 'f>
        = Pin<Box<dyn Future<Output = T> + Send + 'f>>
    where
        C: 'a,
        'f: 'a;

    fn execute<T: Send + 'static>(&self, command: Command<T>) -> Self::Output<'_, T> {
        // Taken apart before, so that the future holds the request once.
        let Command { request, reader } = command;
        let request = match request {
            Ok(request) => request,
            Err(error) => return Box::pin(ready(Err(error))),
        };
        // One of ours takes a request as it is, without a command of redis-rs and a future of its own.
        let con: &dyn Any = &self.0;
        if let Some(con) = con.downcast_ref::<AsyncConnection>() {
            let con = con.clone();
            return Box::pin(async move {
                let mut by = By::Hash;
                loop {
                    let reply = con.send(&request, by).await;
                    if matches!(by, By::Source) || !is_unknown_script(&request, &reply) {
                        return reader.read(Reply::new(reply, &request)?);
                    }
                    by = By::Source;
                }
            });
        }
        let mut con = self.0.clone();
        Box::pin(async move { reader.read(Reply::new(send(&request, &mut con).await, &request)?) })
    }
}

impl<C: ConnectionLike + Clone + Send + 'static> Connected for Async<C> {
    fn drive<'a, 'f, T, O>(&'a self, operation: impl FnOnce(Mailbox) -> O) -> Self::Driven<'a, 'f, T>
    where
        O: Future<Output = T> + Send + 'f,
        T: Send + 'f,
        'f: 'a,
    {
        let mailbox = Mailbox::new();
        Box::pin(drive(operation(mailbox.clone()), mailbox, self.0.clone()))
    }
}

/// Runs each command on an async connection that it borrows exclusively.
///
/// The connection need not be `Clone`: it can be one behind the guard of a pool. Concurrent operations wait for each
/// other, in the order in which they were first polled. The connection is never locked while a closure of yours runs.
pub struct Exclusive<'c, C> {
    con: Mutex<&'c mut C>,
    database: i64,
}

impl<'c, C: ConnectionLike> Exclusive<'c, C> {
    pub(crate) fn new(con: &'c mut C) -> Self {
        Self { database: con.get_db(), con: Mutex::new(con) }
    }
}

impl<C> fmt::Debug for Exclusive<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exclusive")
    }
}

impl<C> Sealed for Exclusive<'_, C> {}

impl<C: ConnectionLike + Send> Executor for Exclusive<'_, C> {
    type Output<'a, T: Send + 'static>
        = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>
    where
        Self: 'a;

    type Driven<'a, 'f, T: Send + 'f>
        = Pin<Box<dyn Future<Output = T> + Send + 'a>>
    where
        Self: 'a,
        'f: 'a;

    fn execute<T: Send + 'static>(&self, command: Command<T>) -> Self::Output<'_, T> {
        Box::pin(async move { command.query_async(&mut Locking(self)).await })
    }
}

impl<C: ConnectionLike + Send> Connected for Exclusive<'_, C> {
    fn drive<'a, 'f, T, O>(&'a self, operation: impl FnOnce(Mailbox) -> O) -> Self::Driven<'a, 'f, T>
    where
        O: Future<Output = T> + Send + 'f,
        T: Send + 'f,
        'f: 'a,
    {
        let mailbox = Mailbox::new();
        Box::pin(drive(operation(mailbox.clone()), mailbox, Locking(self)))
    }
}

impl<C: ConnectionLike + Send> Alone for Exclusive<'_, C> {}

/// Locks an exclusive connection for each command, from sending it to its reply.
struct Locking<'a, 'c, C>(&'a Exclusive<'c, C>);

impl<C: ConnectionLike + Send> ConnectionLike for Locking<'_, '_, C> {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move { self.0.con.lock().await.req_packed_command(cmd).await })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        cmd: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move { self.0.con.lock().await.req_packed_commands(cmd, offset, count).await })
    }

    fn get_db(&self) -> i64 {
        self.0.database
    }
}

/// Answers what an operation asks for, until it ends.
async fn drive<T>(operation: impl Future<Output = T>, mailbox: Mailbox, mut con: impl ConnectionLike) -> T {
    let mut operation = pin!(operation);
    loop {
        let step = poll_fn(|context| match operation.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            // Where it has asked for nothing, it awaits a future of the user, which wakes this task.
            Poll::Pending => mailbox.asked().map_or(Poll::Pending, |ask| Poll::Ready(Err(ask))),
        });
        let answer = match step.await {
            Ok(output) => return output,
            Err(Ask::Send(cmd)) => con.req_packed_command(&cmd).await,
            Err(Ask::Wait(pause)) => {
                // Outside of tokio there is no timer: the operation goes on at once.
                if tokio::runtime::Handle::try_current().is_ok() {
                    tokio::time::sleep(pause).await;
                }
                Ok(Value::Nil)
            }
        };
        mailbox.answer(answer);
    }
}

/// Sends a request, and again with the source of its script where the server does not know the script.
async fn send(request: &Request, con: &mut impl ConnectionLike) -> RedisResult<Value> {
    let mut by = By::Hash;
    loop {
        let reply = con.req_packed_command(&request.cmd(by)).await;
        if matches!(by, By::Source) || !is_unknown_script(request, &reply) {
            return reply;
        }
        by = By::Source;
    }
}

impl<T> Command<T> {
    /// Sends the command and awaits its reply, in one round trip.
    ///
    /// A script that the server does not know yet takes two.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`query`](Self::query).
    pub async fn query_async(self, con: &mut impl ConnectionLike) -> Result<T, Error> {
        let request = self.request?;
        self.reader.read(Reply::new(send(&request, con).await, &request)?)
    }
}

impl<C: Commands> Batch<C> {
    /// Sends the commands and awaits all replies, in one round trip.
    ///
    /// On a cluster it is one for each master, all at once.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`query`](Self::query).
    pub async fn query_async<A>(self, con: &mut A) -> Result<C::Output, Error>
    where
        A: ConnectionLike + Clone,
    {
        let mut received = send_all_async(&self.made()?, self.atomic, con).await?;
        self.commands.read(&mut received)
    }

    /// Sends the commands and awaits all replies, in one round trip. Returns a `Result` for each command.
    ///
    /// One record that is damaged does not hide the others. On a cluster it is one for each master, all at once.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`query_each`](Self::query_each).
    pub async fn query_each_async<A>(self, con: &mut A) -> Result<C::Each, Error>
    where
        A: ConnectionLike + Clone,
    {
        let mut received = send_all_async(&self.makeable()?, self.atomic, con).await?;
        Ok(self.commands.read_each(&mut received))
    }
}
