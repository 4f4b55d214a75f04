//! Redis commands: the only file that knows their names and their arguments.

use std::fmt;

use redis::{Arg, Cmd, RedisWrite};

use crate::codec::Fault;
use crate::error::{Error, Place};
use crate::format::{Format, FormatOf};
use crate::key::Key;
use crate::reply::Reply;
use crate::script::{SET_AND_REMOVE, Script};

/// One typed Redis command: what to send, and how to read the answer.
///
/// An accessor without a connection hands them out; nothing is sent until [`query`](Self::query),
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
/// Its `Debug` shows the Redis command, the key and the field, never the value.
#[must_use = "a command does nothing until it is sent: `query`, `query_async` or `batch`"]
#[derive(Clone)]
pub struct Command<T> {
    pub(crate) request: Result<Request, Error>,
    pub(crate) reader: Reader<T>,
}

/// Reads a reply; the function stands for an absent field.
pub(crate) type Decode<T> = fn(Reply<'_>, Option<fn() -> T>) -> Result<T, Error>;

/// Makes a `T` of a reply.
#[doc(hidden)]
pub struct Reader<T> {
    decode: Decode<T>,
    /// What stands for an absent field.
    absent: Option<fn() -> T>,
}

impl<T> Clone for Reader<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Reader<T> {}

impl<T> Reader<T> {
    #[inline]
    pub(crate) fn read(self, reply: Reply<'_>) -> Result<T, Error> {
        (self.decode)(reply, self.absent)
    }
}

impl<T> Command<T> {
    #[inline]
    pub(crate) fn new(request: Result<Request, Error>, decode: Decode<T>) -> Self {
        Self { request, reader: Reader { decode, absent: None } }
    }

    /// With what stands for an absent field.
    #[inline]
    pub(crate) fn or(mut self, absent: Option<fn() -> T>) -> Self {
        self.reader.absent = absent;
        self
    }

    /// The redis-rs command, for a pipeline or a routing of your own.
    ///
    /// # Errors
    ///
    /// What [`query`](Self::query) would say before it sends anything: an empty key, a value that cannot be stored.
    pub fn into_cmd(self) -> Result<Cmd, Error> {
        Ok(self.request?.standalone().cmd)
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

/// What is sent.
#[derive(Clone)]
#[doc(hidden)]
pub struct Request {
    pub(crate) cmd: Cmd,
    /// The Redis command's name, or the operation a script stands for.
    pub(crate) operation: &'static str,
    /// True if the argument behind the key is the one field it is about.
    one_field: bool,
    script: Option<&'static Script>,
}

impl Request {
    fn start(operation: &'static str, key: &Key, args: usize, bytes: usize) -> Result<Self, Error> {
        let key = key.check()?;
        let mut cmd = Cmd::with_capacity(args + 2, operation.len() + key.len() + bytes);
        cmd.arg(operation).arg(key);
        Ok(Self { cmd, operation, one_field: false, script: None })
    }

    /// A command that is about the whole hash.
    fn whole(operation: &'static str, key: &Key) -> Result<Self, Error> {
        Self::start(operation, key, 0, 0)
    }

    /// A command that is about one field.
    fn one(operation: &'static str, key: &Key, field: &str, bytes: usize) -> Result<Self, Error> {
        let mut request = Self::start(operation, key, 2, field.len() + bytes)?;
        if field.is_empty() {
            return Err(Error::EmptyField { place: request.place() });
        }
        request.cmd.arg(field);
        request.one_field = true;
        Ok(request)
    }

    /// `HSET key field value`
    #[inline]
    pub(crate) fn hset<T, F, Q>(key: &Key, field: &str, value: &Q, limit: usize) -> Result<Self, Error>
    where
        F: FormatOf<T, Q>,
        Q: ?Sized,
    {
        let planned = F::plan(value, limit);
        let size = planned.as_ref().map_or(0, F::planned_len);
        let mut request = Self::one("HSET", key, field, size)?;
        planned
            .and_then(|plan| F::write(value, &plan, request.cmd.writer_for_next_arg()))
            .map_err(|fault| Error::at(fault, request.place()))?;
        Ok(request)
    }

    /// `HGET key field`
    pub(crate) fn hget(key: &Key, field: &str) -> Result<Self, Error> {
        Self::one("HGET", key, field, 0)
    }

    /// `HDEL key field`
    pub(crate) fn hdel(key: &Key, field: &str) -> Result<Self, Error> {
        Self::one("HDEL", key, field, 0)
    }

    /// `HEXISTS key field`
    pub(crate) fn hexists(key: &Key, field: &str) -> Result<Self, Error> {
        Self::one("HEXISTS", key, field, 0)
    }

    /// `HGETALL key`
    pub(crate) fn hgetall(key: &Key) -> Result<Self, Error> {
        Self::whole("HGETALL", key)
    }

    /// `HKEYS key`
    pub(crate) fn hkeys(key: &Key) -> Result<Self, Error> {
        Self::whole("HKEYS", key)
    }

    /// `HLEN key`
    pub(crate) fn hlen(key: &Key) -> Result<Self, Error> {
        Self::whole("HLEN", key)
    }

    /// `DEL key`
    pub(crate) fn del(key: &Key) -> Result<Self, Error> {
        Self::whole("DEL", key)
    }

    /// `EXISTS key`
    pub(crate) fn exists(key: &Key) -> Result<Self, Error> {
        Self::whole("EXISTS", key)
    }

    /// `HMGET key field …`
    pub(crate) fn hmget(key: &Key, fields: impl ExactSizeIterator<Item = &'static str>) -> Result<Self, Error> {
        // Names are short: an exact sum would take another round over them.
        let mut request = Self::start("HMGET", key, fields.len(), fields.len() * 12)?;
        for field in fields {
            request.cmd.arg(field);
        }
        Ok(request)
    }

    /// The key, and the field if it is about one.
    pub(crate) fn place(&self) -> Place {
        let key = self.arg(self.key_index());
        let field = self.one_field.then(|| self.arg(self.key_index() + 1));
        Place::new(&key, field.as_deref())
    }

    /// The key, and the field at this position behind it.
    pub(crate) fn place_of(&self, field: usize) -> Place {
        Place::new(&self.arg(self.key_index()), Some(&self.arg(self.key_index() + 1 + field)))
    }

    /// The hash as a whole.
    pub(crate) fn hash(&self) -> Place {
        Place::new(&self.arg(self.key_index()), None)
    }

    pub(crate) fn key(&self) -> &[u8] {
        self.bytes(self.key_index())
    }

    fn key_index(&self) -> usize {
        // EVALSHA hash 1 key
        if self.script.is_some() { 3 } else { 1 }
    }

    fn bytes(&self, index: usize) -> &[u8] {
        match self.cmd.args_iter().nth(index) {
            Some(Arg::Simple(bytes)) => bytes,
            _ => &[],
        }
    }

    fn arg(&self, index: usize) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.bytes(index))
    }

    pub(crate) fn is_script(&self) -> bool {
        self.script.is_some()
    }

    /// With its source, if it is a script: what a server without it needs, and a batch, since EVALSHA inside MULTI
    /// would let the commands around it pass where the script is not known.
    pub(crate) fn standalone(self) -> Self {
        let Some(script) = self.script else { return self };
        let mut cmd = Cmd::with_capacity(self.cmd.args_iter().len(), script.source.len());
        cmd.arg("EVAL").arg(script.source);
        for arg in self.cmd.args_iter().skip(2) {
            if let Arg::Simple(bytes) = arg {
                cmd.arg(bytes);
            }
        }
        Self { cmd, ..self }
    }
}

/// A field of a record: its name in Redis, and how it is written and read. For generated code.
///
/// It is the one place where a field's type is asked whether it can be stored, so that a type that cannot is one error.
pub struct FieldCodec<T> {
    pub(crate) name: &'static str,
    append: fn(&mut Cmd, &'static str, &T, usize) -> Result<(), Fault>,
    pub(crate) decode: fn(&[u8]) -> Result<T, Fault>,
}

impl<T> FieldCodec<T> {
    /// A field that is stored in the format `F`.
    #[must_use]
    pub const fn new<F: FormatOf<T, T> + Format<T>>(name: &'static str) -> Self {
        Self { name, append: append::<T, F>, decode: F::decode }
    }
}

/// Appends a name and a value to a command.
fn append<T, F: FormatOf<T, T>>(cmd: &mut Cmd, name: &'static str, value: &T, limit: usize) -> Result<(), Fault> {
    let plan = F::plan(value, limit)?;
    cmd.arg(name);
    F::write(value, &plan, cmd.writer_for_next_arg())
}

/// The fields of a record on their way into one command: `HSET` where all are set, `HDEL` where none is, else a script
/// that sets and removes.
pub struct RecordWriter {
    request: Request,
    removed: Vec<&'static str>,
    set: usize,
    limit: usize,
}

impl RecordWriter {
    pub(crate) fn new(key: &Key, fields: usize, bytes: usize, limit: usize) -> Result<Self, Error> {
        let request = Request::start("HSET", key, fields * 2, bytes)?;
        Ok(Self { request, removed: Vec::new(), set: 0, limit })
    }

    /// Sets a field.
    ///
    /// # Errors
    ///
    /// If the value cannot be stored.
    pub fn set<T>(&mut self, field: &FieldCodec<T>, value: &T) -> Result<(), Error> {
        self.set += 1;
        (field.append)(&mut self.request.cmd, field.name, value, self.limit).map_err(|fault| {
            let hash = self.request.hash();
            Error::at(fault, Place::new(hash.key().unwrap_or_default(), Some(field.name)))
        })
    }

    /// Sets an optional field, or removes it.
    ///
    /// # Errors
    ///
    /// If the value cannot be stored.
    pub fn set_option<T>(&mut self, field: &FieldCodec<T>, value: Option<&T>) -> Result<(), Error> {
        if let Some(value) = value {
            self.set(field, value)
        } else {
            self.removed.push(field.name);
            Ok(())
        }
    }

    pub(crate) fn finish(self) -> Request {
        if self.removed.is_empty() {
            return self.request;
        }
        let mut request = self.request;
        let mut cmd = Cmd::new();
        if self.set == 0 {
            request.operation = "HDEL";
            cmd.arg("HDEL").arg(request.key());
        } else {
            let script = &SET_AND_REMOVE;
            cmd.arg("EVALSHA").arg(script.hash()).arg(1).arg(request.key()).arg(self.set * 2);
            for arg in request.cmd.args_iter().skip(2) {
                if let Arg::Simple(bytes) = arg {
                    cmd.arg(bytes);
                }
            }
            request.operation = script.operation;
            request.script = Some(script);
        }
        for field in self.removed {
            cmd.arg(field);
        }
        request.cmd = cmd;
        request
    }
}
