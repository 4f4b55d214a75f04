//! The executors of async connections.

use std::collections::BTreeMap;
use std::pin::Pin;

use futures_util::future::join_all;
use redis::aio::ConnectionLike;
use redis::{ErrorKind, Pipeline, RedisError, ServerErrorKind, Value};

use super::{Connected, Executor, is_noscript, ordered, replies_of};
use crate::command::Command;
use crate::command::reply::{Reply, failed, unexpected};
use crate::command::request::Request;
use crate::error::Error;
use crate::run::cluster_slot::slot;
use crate::run::steps::{Step, Steps};

/// Runs each command on an async connection that can be cloned: a `MultiplexedConnection`, a `ConnectionManager`
/// or an async `ClusterConnection`.
///
/// Each operation returns a future of its own that borrows nothing, so that several can run at once
/// (`tokio::join!`) or be spawned. Nothing is sent before the future is awaited.
#[derive(Clone)]
pub struct Async<C>(C);

impl<C> Async<C> {
    pub(crate) fn new(con: C) -> Self {
        Self(con)
    }

    pub(crate) fn connection(&self) -> &C {
        &self.0
    }
}

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

    fn execute<T: Send + 'static>(&mut self, command: Command<T>) -> Self::Output<'_, T> {
        let mut con = self.0.clone();
        Box::pin(async move { command.query_async(&mut con).await })
    }
}

/// Runs each command on an async connection that it has for itself: one that is not `Clone`, such as what is
/// behind the guard of a pool.
pub struct Exclusive<'c, C>(&'c mut C);

impl<'c, C> Exclusive<'c, C> {
    pub(crate) fn new(con: &'c mut C) -> Self {
        Self(con)
    }

    pub(crate) fn connection(&mut self) -> &mut C {
        self.0
    }
}

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

    fn execute<T: Send + 'static>(&mut self, command: Command<T>) -> Self::Output<'_, T> {
        Box::pin(async move { command.query_async(self.0).await })
    }
}

impl<C: ConnectionLike + Clone + Send + 'static> Connected for Async<C> {
    fn drive<'a, 'f, S>(&'a mut self, steps: S) -> Self::Driven<'a, 'f, Result<S::Output, S::Error>>
    where
        S: Steps + Send + 'f,
        S::Output: Send + 'f,
        S::Error: Send + 'f,
        'f: 'a,
    {
        let mut con = self.0.clone();
        Box::pin(async move { drive(steps, &mut con).await })
    }
}

impl<C: ConnectionLike + Send> Connected for Exclusive<'_, C> {
    fn drive<'a, 'f, S>(&'a mut self, steps: S) -> Self::Driven<'a, 'f, Result<S::Output, S::Error>>
    where
        S: Steps + Send + 'f,
        S::Output: Send + 'f,
        S::Error: Send + 'f,
        'f: 'a,
    {
        Box::pin(drive(steps, self.0))
    }
}

async fn drive<S: Steps>(mut steps: S, con: &mut impl ConnectionLike) -> Result<S::Output, S::Error> {
    let mut step = steps.start()?;
    loop {
        let mut request = match step {
            Step::Done(output) => return Ok(output),
            Step::Send(request) => request,
            Step::SendAfter(wait, request) => {
                // Outside of tokio there is no timer: it goes on at once.
                if tokio::runtime::Handle::try_current().is_ok() {
                    tokio::time::sleep(wait).await;
                }
                request
            }
        };
        let reply = send_one(&mut request, con).await;
        step = steps.next(Reply::new(reply, &request)?)?;
    }
}

async fn send_one(request: &mut Request, con: &mut impl ConnectionLike) -> Result<Value, RedisError> {
    let reply = con.req_packed_command(&request.cmd).await;
    if !(request.is_script() && is_noscript(&reply)) {
        return reply;
    }
    *request = request.clone().standalone();
    con.req_packed_command(&request.cmd).await
}

hide_connection! { Async<C>, "Async"; Exclusive<'_, C>, "Exclusive"; }

impl<T> Command<T> {
    /// Sends the command and awaits its answer: one round trip.
    ///
    /// # Errors
    ///
    /// As [`query`](Self::query).
    pub async fn query_async(self, con: &mut impl ConnectionLike) -> Result<T, Error> {
        let mut request = self.request?;
        let reply = send_one(&mut request, con).await;
        self.reader.read(Reply::new(reply, &request)?)
    }
}

/// As the blocking one. On a cluster, where one pipeline reaches one slot, the requests are sent slot by slot, all
/// at once.
pub(crate) async fn send_all<C: ConnectionLike + Clone>(
    requests: &[Request],
    atomic: bool,
    con: &mut C,
) -> Result<Vec<Result<Value, RedisError>>, Error> {
    let Some(first) = requests.first() else { return Ok(Vec::new()) };
    let failure = match send(requests.iter(), atomic, con).await {
        Ok(replies) => return ordered(replies, requests, atomic),
        Err(failure) => failure,
    };
    // A cluster connection refuses a pipeline over several slots before it sends anything. A server's own answer
    // stands in the reply of its command and never gets here.
    if failure.kind() != ErrorKind::Server(ServerErrorKind::CrossSlot) {
        return Err(failed(failure, first));
    }
    if atomic {
        return Err(Error::NotAtomic {
            reason: "its keys lie in several hash slots of the cluster; a common hash tag, as in `{user:42}:settings` \
                     and `{user:42}:profile`, puts them into one",
        });
    }
    let mut groups: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
    for (index, request) in requests.iter().enumerate() {
        groups.entry(slot(request.key())).or_default().push(index);
    }
    let groups = join_all(groups.into_values().map(|indices| {
        let mut con = con.clone();
        async move {
            let sent = send(indices.iter().map(|index| &requests[*index]), false, &mut con).await;
            (indices, sent)
        }
    }))
    .await;
    // Every group is awaited, whatever becomes of another one.
    let mut replies: Vec<Result<Value, RedisError>> = requests.iter().map(|_| Ok(Value::Nil)).collect();
    for (indices, sent) in groups {
        match sent {
            Ok(group) if group.len() == indices.len() => {
                for (index, reply) in indices.into_iter().zip(group) {
                    replies[index] = Ok(reply);
                }
            }
            Ok(_) => return Err(unexpected(first)),
            Err(error) => indices.into_iter().for_each(|index| replies[index] = Err(error.clone())),
        }
    }
    Ok(replies)
}

async fn send(
    requests: impl Iterator<Item = &Request>,
    atomic: bool,
    con: &mut impl ConnectionLike,
) -> Result<Vec<Value>, RedisError> {
    let mut pipeline = Pipeline::new();
    for request in requests {
        pipeline.add_command(request.cmd.clone());
    }
    if atomic {
        pipeline.atomic();
    }
    // Not `query_async`, which keeps the replies of MULTI and of the queued commands to itself.
    con.req_packed_commands(&pipeline, 0, replies_of(pipeline.len(), atomic)).await
}
