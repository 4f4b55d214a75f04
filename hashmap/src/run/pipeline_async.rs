//! Sends several requests in one round trip on an async connection.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use redis::aio::ConnectionLike;
use redis::{Pipeline, RedisError, Value};

use crate::command::received::{Answer, Received};
use crate::command::reply::{failed, unexpected};
use crate::command::request::{By, Request};
use crate::command::slot::slot;
use crate::error::Error;
use crate::run::pipeline::{is_cross_slot, ordered, over_several_slots, partial, replies_of};

/// [`send_all`](crate::run::pipeline::send_all) on an async connection.
///
/// On a cluster connection of redis-rs, one pipeline reaches one slot, so the requests are sent slot by slot, all slots at once.
pub(crate) async fn send_all_async<C: ConnectionLike + Clone>(
    requests: &[&Request],
    atomic: bool,
    con: &mut C,
) -> Result<Received, Error> {
    let Some(first) = requests.first() else { return Ok(Received::default()) };
    let failure = match send(requests.iter().copied(), atomic, con).await {
        Ok(replies) => return ordered(replies, requests, atomic),
        Err(failure) => failure,
    };
    if let Some(replies) = partial(&failure, requests.len(), atomic) {
        return Ok(replies);
    }
    // A cluster connection refuses a pipeline over several slots before it sends anything. A server's own CROSSSLOT
    // error stands in the reply to its command and never gets here.
    if !is_cross_slot(&failure) {
        return Err(failed(failure, first));
    }
    if atomic {
        return Err(over_several_slots());
    }
    let mut groups: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
    for (index, request) in requests.iter().enumerate() {
        groups.entry(slot(request.key.as_bytes())).or_default().push(index);
    }
    let groups = join_all(groups.into_values().map(|indices| {
        let mut con = con.clone();
        async move {
            let sent = send(indices.iter().map(|index| requests[*index]), false, &mut con).await;
            (indices, sent)
        }
    }))
    .await;
    // All groups have been awaited: the failure of one does not cancel another.
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
    Ok(replies.into_iter().map(Answer::from).collect())
}

async fn send<'r>(
    requests: impl Iterator<Item = &'r Request>,
    atomic: bool,
    con: &mut impl ConnectionLike,
) -> Result<Vec<Value>, RedisError> {
    let mut pipeline = Pipeline::new();
    for request in requests {
        pipeline.add_command(request.cmd(By::Source));
    }
    if atomic {
        pipeline.atomic();
    }
    // `query_async` would not return the replies to MULTI and to the queued commands.
    con.req_packed_commands(&pipeline, 0, replies_of(pipeline.len(), atomic)).await
}
