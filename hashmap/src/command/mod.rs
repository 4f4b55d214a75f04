//! Typed Redis commands as values: what to send, and how to read the reply. No I/O.

pub(crate) mod batch;
pub(crate) mod changes;
pub(crate) mod key;
pub(crate) mod name;
pub(crate) mod named_field;
pub(crate) mod names;
pub(crate) mod packed;
pub(crate) mod patch_writer;
pub(crate) mod probe;
pub(crate) mod received;
pub(crate) mod redis;
pub(crate) mod redis_hash;
pub(crate) mod reply;
pub(crate) mod request;
pub(crate) mod script;
pub(crate) mod slot;
pub(crate) mod strings;
pub(crate) mod target;
pub(crate) mod ttl;

use std::fmt;
use std::sync::Arc;

use ::redis::Cmd;

use crate::command::reply::Reply;
use crate::command::request::{By, Request};
use crate::error::Error;

/// One typed Redis command: what to send, and how to read the reply.
///
/// The operations of an accessor without a connection return one. Nothing is sent until [`query`](Self::query),
/// [`query_async`](Self::query_async) or a [`batch`](crate::batch) sends it.
///
/// ```
/// use redis_hashmap::HashMap;
/// # let mut con = redis_hashmap_tests::connection()?;
/// # let key = redis_hashmap_tests::key();
///
/// let command = HashMap::new(&*key).size();
/// assert_eq!(command.query(&mut con)?, 0); // HLEN key
/// # Ok::<(), redis_hashmap_tests::AnyError>(())
/// ```
///
/// Its `Debug` shows the Redis command (for a script, the operation), the key and the field, never the value.
#[must_use = "a command does nothing until it is sent: by `query(&mut con)`, `query_async(&mut con).await` or `batch`; an \
              accessor with a connection, by `on(con)` or `on_async(con)`, sends it at once"]
#[derive(Clone)]
pub struct Command<T> {
    pub(crate) request: Result<Request, Error>,
    pub(crate) reader: Reader<T>,
}

/// Reads a reply.
pub(crate) type Read<T> = fn(Reply<'_>) -> Result<T, Error>;

/// Reads a reply. The second argument makes the result where nothing is stored.
pub(crate) type ReadOr<T> = fn(Reply<'_>, Option<fn() -> T>) -> Result<T, Error>;

/// Reads a reply as a `T`.
pub(crate) struct Reader<T>(How<T>);

type Select<T> = Arc<dyn Fn(Reply<'_>) -> Result<T, Error> + Send + Sync>;

enum How<T> {
    Plain(Read<T>),
    /// Reads one field. The second function makes the result where the field is absent.
    Or(ReadOr<T>, Option<fn() -> T>),
    /// Captures the fields that `get_many` selected, so it cannot be a plain `fn`.
    Selecting(Select<T>),
}

impl<T> Clone for Reader<T> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            How::Plain(read) => How::Plain(*read),
            How::Or(read, absent) => How::Or(*read, *absent),
            How::Selecting(select) => How::Selecting(Arc::clone(select)),
        })
    }
}

impl<T> Reader<T> {
    #[inline]
    pub(crate) fn read(&self, reply: Reply<'_>) -> Result<T, Error> {
        match &self.0 {
            How::Plain(read) => read(reply),
            How::Or(read, absent) => read(reply, *absent),
            How::Selecting(select) => select(reply),
        }
    }
}

impl<T> Command<T> {
    #[inline]
    pub(crate) fn new(request: Result<Request, Error>, read: Read<T>) -> Self {
        Self { request, reader: Reader(How::Plain(read)) }
    }

    /// Makes a command that reads one field. `absent` makes the result where the field is absent.
    #[inline]
    pub(crate) fn or(request: Result<Request, Error>, read: ReadOr<T>, absent: Option<fn() -> T>) -> Self {
        Self { request, reader: Reader(How::Or(read, absent)) }
    }

    pub(crate) fn selecting(
        request: Result<Request, Error>,
        select: impl Fn(Reply<'_>) -> Result<T, Error> + Send + Sync + 'static,
    ) -> Self {
        Self { request, reader: Reader(How::Selecting(Arc::new(select))) }
    }

    /// Returns the redis-rs command, for a pipeline or a routing of your own.
    ///
    /// # Errors
    ///
    /// Returns the errors that [`query`](Self::query) returns before it sends anything: an empty key, a value that
    /// cannot be stored.
    pub fn into_cmd(self) -> Result<Cmd, Error> {
        Ok(self.request?.cmd(By::Source))
    }
}

impl<T> fmt::Debug for Command<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.request {
            Ok(request) => write!(f, "Command({} on {})", request.operation, request.place()),
            Err(error) => write!(f, "Command({error:?})"),
        }
    }
}
