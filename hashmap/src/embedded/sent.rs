//! What connections send to the thread of a store.

use std::io;
use std::sync::Arc;

use redis::{RedisError, RedisResult, Value};

use crate::embedded::request::Dialect;
use crate::embedded::transaction::Watched;

/// Takes the answers to a request.
pub(super) type Respond = Box<dyn FnOnce(RedisResult<Vec<Value>>) + Send>;

/// Commands that are carried out with nothing in between.
pub(super) struct Request {
    pub(super) packed: Vec<u8>,
    pub(super) dialect: Dialect,
    pub(super) watched: Arc<Watched>,
    pub(super) respond: Respond,
}

/// The error where the thread has ended, which only a panic makes it do.
pub(super) fn stopped() -> RedisError {
    io::Error::other("the embedded store has stopped").into()
}
