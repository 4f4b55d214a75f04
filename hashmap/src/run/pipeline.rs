//! Sends several requests in one round trip, and returns the reply to each.

use redis::{ConnectionLike, ErrorKind, RedisError, ServerErrorKind, Value};

use crate::command::received::{Answer, Received};
use crate::command::reply::{Reply, failed, unexpected};
use crate::command::request::{By, Request};
use crate::error::Error;
use crate::error::place::Place;
use crate::error::redis_fault::RedisFault;
use crate::open::direct;
use crate::open::routed::Partial;

/// Sends requests and returns their replies in order. An error of the server stands in the place of a reply.
pub(crate) fn send_all(requests: &[&Request], atomic: bool, con: &mut dyn ConnectionLike) -> Result<Received, Error> {
    let Some(first) = requests.first() else { return Ok(Received::default()) };
    if !con.supports_pipelining() {
        if atomic {
            return Err(Error::NotAtomic {
                reason: "a blocking cluster connection of redis-rs has no transactions; `open` has, with all keys in one slot",
            });
        }
        return Ok(requests.iter().map(|request| con.req_command(&request.cmd(By::Source)).into()).collect());
    }
    let size: usize = requests.iter().map(|request| request.estimated_size()).sum();
    let mut packed = Vec::with_capacity(size + 64);
    if atomic {
        redis::cmd("MULTI").write_packed_command(&mut packed);
    }
    for request in requests {
        request.pack(By::Source, &mut packed);
    }
    if atomic {
        redis::cmd("EXEC").write_packed_command(&mut packed);
    }
    let replies = if atomic {
        con.req_packed_commands(&packed, 0, replies_of(requests.len(), atomic))
            .map(|replies| ordered(replies, requests, atomic))
    } else {
        direct::send_all(con, &packed, requests.len()).map(|received| all(received, requests))
    };
    match replies {
        Ok(received) => received,
        // Refused before anything is sent. A server's own stands in the reply to its command and never gets here.
        Err(error) if atomic && is_cross_slot(&error) => Err(over_several_slots()),
        Err(error) => partial(&error, requests.len(), atomic).ok_or_else(|| failed(error, first)),
    }
}

/// True if a cluster connection refuses a pipeline over several hash slots.
pub(crate) fn is_cross_slot(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::CrossSlot)
}

pub(crate) fn over_several_slots() -> Error {
    Error::NotAtomic {
        reason: "its keys lie in several hash slots of the cluster; a common hash tag, as in `{user:42}:settings` \
                 and `{user:42}:profile`, puts them into one",
    }
}

/// What nodes of a cluster have answered to a batch of which others have not answered their part.
pub(crate) fn partial(error: &RedisError, count: usize, atomic: bool) -> Option<Received> {
    let partial = Partial::of(error).filter(|partial| !atomic && partial.replies.len() == count)?;
    Some(partial.replies.iter().cloned().map(Answer::from).collect())
}

/// Returns how many replies to ask for. In a transaction these include the replies to MULTI and to the queued commands.
///
/// Only they tell which command the server has refused, and whether there is a transaction at all. Besides, redis-rs
/// 1.8.1 panics where it skips over a refused MULTI.
pub(crate) fn replies_of(commands: usize, atomic: bool) -> usize {
    commands + if atomic { 2 } else { 0 }
}

/// Returns the reply to each command, without those of MULTI and of the queued commands.
pub(crate) fn ordered(mut replies: Vec<Value>, requests: &[&Request], atomic: bool) -> Result<Received, Error> {
    let Some(first) = requests.first() else { return Ok(Received::default()) };
    if atomic {
        let exec = replies.pop();
        let mut queued = replies.into_iter();
        if let Some(Value::ServerError(error)) = queued.next() {
            return Err(Error::Redis {
                place: Place::new(&first.key, None),
                operation: "MULTI",
                source: RedisFault::new(error.into()),
            });
        }
        for (request, reply) in requests.iter().zip(queued) {
            Reply::new(Ok(reply), request)?;
        }
        replies = match exec {
            Some(Value::Array(replies)) => replies,
            Some(Value::Nil) => return Err(Error::WatchedKeyChanged),
            Some(Value::ServerError(error)) => return Err(failed(error.into(), first)),
            _ => return Err(unexpected(first)),
        };
    }
    all(replies.into_iter().map(Answer::Value).collect(), requests)
}

/// Checks that there is a reply to each request.
fn all(received: Received, requests: &[&Request]) -> Result<Received, Error> {
    match requests.first() {
        Some(first) if received.len() != requests.len() => Err(unexpected(first)),
        _ => Ok(received),
    }
}
