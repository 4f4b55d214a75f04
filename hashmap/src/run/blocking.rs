//! Runs commands on blocking connections.

use std::fmt;
use std::io;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use redis::{ConnectionLike, RedisError, Value};

use crate::command::Command;
use crate::command::batch::{Batch, Commands};
use crate::command::reply::{Reply, is_unknown_script};
use crate::command::request::{By, Request};
use crate::error::Error;
use crate::run::mailbox::{Ask, Mailbox};
use crate::run::pipeline::send_all;
use crate::run::sealed::Sealed;
use crate::run::{Alone, Connected, Executor};

/// Runs each command on a blocking connection.
///
/// Such a connection is a redis-rs `Connection`, `ClusterConnection` or `Client`, a guard of a pool, a mutable
/// reference to any of them, or whatever else implements [`redis::ConnectionLike`].
///
/// Threads can share an accessor. The connection is locked for each command, from sending it to its reply, and
/// concurrent calls wait for each other. It is never locked while a closure of yours runs.
///
/// If the connection panics in a call, all later calls return an error, since the next reply could belong to that call.
pub struct Blocking<C>(Mutex<Own<C>>);

struct Own<C> {
    con: C,
    /// What is sent, command after command in one buffer.
    packed: Vec<u8>,
}

/// A larger buffer is given back.
const KEPT: usize = 64 << 10;

impl<C> Blocking<C> {
    pub(crate) fn new(con: C) -> Self {
        Self(Mutex::new(Own { con, packed: Vec::new() }))
    }
}

impl<C: Clone> Clone for Blocking<C> {
    fn clone(&self) -> Self {
        Self::new(self.0.lock().unwrap_or_else(PoisonError::into_inner).con.clone())
    }
}

/// Does not show the connection, since its `Debug` output can contain a password.
impl<C> fmt::Debug for Blocking<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blocking")
    }
}

impl<C: ConnectionLike> Blocking<C> {
    /// Runs a command.
    pub(crate) fn run<T>(&self, command: Command<T>) -> Result<T, Error> {
        send(command, |request, by| {
            let Own { con, packed } = &mut *self.own()?;
            let reply = send_one(request, by, con, packed);
            packed.clear();
            packed.shrink_to(KEPT);
            reply
        })
    }

    fn own(&self) -> Result<MutexGuard<'_, Own<C>>, RedisError> {
        // Its next reply could belong to the call that panicked.
        let panicked = |_| io::Error::other("the connection panicked in an earlier call: open a new one").into();
        self.0.lock().map_err(panicked)
    }
}

impl<C> Sealed for Blocking<C> {}

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

    fn execute<T: Send + 'static>(&self, command: Command<T>) -> Result<T, Error> {
        self.run(command)
    }
}

impl<C: ConnectionLike> Connected for Blocking<C> {
    fn drive<'a, 'f, T, O>(&'a self, operation: impl FnOnce(Mailbox) -> O) -> T
    where
        O: Future<Output = T> + Send + 'f,
        T: Send + 'f,
        'f: 'a,
    {
        let mailbox = Mailbox::new();
        let mut operation = pin!(operation(mailbox.clone()));
        let mut context = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(output) = operation.as_mut().poll(&mut context) {
                return output;
            }
            match mailbox.asked() {
                Some(Ask::Send(cmd)) => mailbox.answer(self.own().and_then(|mut own| own.con.req_command(&cmd))),
                Some(Ask::Wait(pause)) => {
                    std::thread::sleep(pause);
                    mailbox.answer(Ok(Value::Nil));
                }
                None => unreachable!("on a blocking connection an operation awaits its mailbox alone"),
            }
        }
    }
}

impl<C: ConnectionLike> Alone for Blocking<C> {}

/// Sends a command, and again with the source of its script where the server does not know the script.
fn send<T>(command: Command<T>, mut send: impl FnMut(&Request, By) -> Result<Value, RedisError>) -> Result<T, Error> {
    let request = command.request?;
    let mut reply = send(&request, By::Hash);
    if is_unknown_script(&request, &reply) {
        reply = send(&request, By::Source);
    }
    command.reader.read(Reply::new(reply, &request)?)
}

/// Sends a request, which is packed into an empty buffer.
fn send_one(
    request: &Request,
    by: By,
    con: &mut dyn ConnectionLike,
    packed: &mut Vec<u8>,
) -> Result<Value, RedisError> {
    // A cluster connection of redis-rs would take apart what is packed.
    if !con.supports_pipelining() {
        return con.req_command(&request.cmd(by));
    }
    packed.reserve(request.estimated_size());
    request.pack(by, packed);
    con.req_packed_command(packed)
}

impl<T> Command<T> {
    /// Sends the command and waits for its reply, in one round trip.
    ///
    /// A script that the server does not know yet takes two.
    ///
    /// # Errors
    ///
    /// Returns the errors of the operation that made the command. Where the key is empty or the value cannot be stored,
    /// nothing is sent.
    pub fn query(self, con: &mut dyn ConnectionLike) -> Result<T, Error> {
        send(self, |request, by| send_one(request, by, con, &mut Vec::new()))
    }
}

impl<C: Commands> Batch<C> {
    /// Sends the commands and waits for all replies, in one round trip.
    ///
    /// On a cluster it is one for each master, all at once.
    ///
    /// # Errors
    ///
    /// Returns the first error of any command; the others are carried out all the same. Where a command cannot be made,
    /// nothing is sent.
    pub fn query(self, con: &mut dyn ConnectionLike) -> Result<C::Output, Error> {
        let mut received = send_all(&self.made()?, self.atomic, con)?;
        self.commands.read(&mut received)
    }

    /// Sends the commands and waits for all replies, in one round trip. Returns a `Result` for each command.
    ///
    /// One record that is damaged does not hide the others. On a cluster it is one for each master, all at once.
    ///
    /// ```
    /// use redis_hashmap::{Batch, HashMap};
    /// # let mut con = redis_hashmap_tests::connection()?;
    /// # let key = redis_hashmap_tests::key();
    ///
    /// let map = HashMap::new(&*key);
    /// map.set("a", 1_u8).query(&mut con)?;
    /// let each = ["a", "", "b"].map(|field| map.get::<u8>(field)).into_iter().collect::<Batch<_>>().query_each(&mut con)?;
    /// assert!(matches!(each[..], [Ok(Some(1)), Err(_), Ok(None)]));  // two HGETs: the empty name is not sent
    /// # map.clear().query(&mut con)?;
    /// # Ok::<(), redis_hashmap_tests::AnyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns what fails for all commands: the connection, or the transaction of an [`atomic`](Self::atomic) batch.
    pub fn query_each(self, con: &mut dyn ConnectionLike) -> Result<C::Each, Error> {
        let mut received = send_all(&self.makeable()?, self.atomic, con)?;
        Ok(self.commands.read_each(&mut received))
    }
}
