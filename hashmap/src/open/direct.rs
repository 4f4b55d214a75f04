//! Lets an accessor have what a blocking connection of ours receives, as it was received.
//!
//! An accessor has its connection behind redis-rs's `ConnectionLike`: a reference, the guard of a pool, a `dyn`. That hands
//! out `Value`s, and each string of them is an allocation. So the accessor says, for this thread, which bytes it is about to
//! send. If a connection of ours gets exactly these, it leaves what it receives here, and returns a mark. If another type lies
//! in between and returns something else, that counts.

use std::cell::RefCell;

use redis::{ConnectionLike, PushKind, RedisResult, Value};

use crate::command::received::{Answer, Received};

thread_local! {
    static ASKED: RefCell<Asked> = const { RefCell::new(Asked::Nothing) };
}

enum Asked {
    Nothing,
    /// Somebody wants what is received after these bytes.
    For(*const [u8]),
    Left(Received),
}

/// Sends packed commands, and returns their replies.
pub(crate) fn send_all(con: &mut dyn ConnectionLike, packed: &[u8], count: usize) -> RedisResult<Received> {
    let before = Restored(ASKED.replace(Asked::For(packed)));
    let values = con.req_packed_commands(packed, 0, count)?;
    let left = ASKED.replace(Asked::Nothing);
    drop(before);
    let is_marked = matches!(&*values, [Value::Push { kind: PushKind::Other(kind), .. }] if kind.is_empty());
    match left {
        Asked::Left(received) if is_marked => Ok(received),
        _ => Ok(values.into_iter().map(Answer::Value).collect()),
    }
}

/// What was asked for before: an accessor can lie behind a connection too.
struct Restored(Asked);

impl Drop for Restored {
    fn drop(&mut self) {
        ASKED.replace(std::mem::replace(&mut self.0, Asked::Nothing));
    }
}

/// True if what is received after these bytes is to be left here. Connections of ours call it.
pub(super) fn is_asked_for(packed: &[u8]) -> bool {
    ASKED.with_borrow(|asked| matches!(asked, Asked::For(bytes) if std::ptr::eq(*bytes, packed)))
}

/// Leaves what was received, and returns what the connection is to return instead.
pub(super) fn leave(received: Received) -> Value {
    ASKED.replace(Asked::Left(received));
    Value::Push { kind: PushKind::Other(String::new()), data: Vec::new() }
}
