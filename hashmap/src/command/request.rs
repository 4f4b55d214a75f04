//! Redis commands: the only file, besides the scripts, that knows their names and their arguments.

use std::borrow::Cow;

use redis::{Arg, Cmd, RedisWrite};

use crate::command::key::Key;
use crate::command::script::{CALL_AND_EXPIRE, INCREMENT, Script, TAKE};
use crate::error::{Error, Place};
use crate::format::storage::FormatOf;

/// How many arguments a script hands on to a command: `unpack` is limited by Lua's stack.
pub(crate) const UNPACKED: usize = 4000;

/// What is sent.
#[derive(Clone)]
#[doc(hidden)]
pub struct Request {
    pub(crate) cmd: Cmd,
    /// The Redis command's name, or the operation that a script stands for.
    pub(crate) operation: &'static str,
    /// Where the names of fields begin, if it names any.
    pub(crate) fields: usize,
    /// True if it is about one field.
    pub(crate) one_field: bool,
    /// True if it needs a server with expiry of fields.
    pub(crate) expires_fields: bool,
    pub(crate) script: Option<&'static Script>,
}

/// Where the key of a script stands: `EVALSHA hash 1 key`.
const SCRIPT_KEY: usize = 3;

impl Request {
    pub(crate) fn start(operation: &'static str, key: &Key, args: usize, bytes: usize) -> Result<Self, Error> {
        let key = key.check()?;
        let mut cmd = Cmd::with_capacity(args + 2, operation.len() + key.len() + bytes);
        cmd.arg(operation).arg(key);
        Ok(Self { cmd, operation, fields: 2, one_field: false, expires_fields: false, script: None })
    }

    /// A script on one hash; its arguments are to follow.
    pub(crate) fn script(script: &'static Script, key: &[u8], args: usize) -> Self {
        let mut cmd = Cmd::with_capacity(args + 4, key.len());
        cmd.arg("EVALSHA").arg(script.hash()).arg(1).arg(key);
        Self {
            cmd,
            operation: script.operation,
            fields: SCRIPT_KEY + 1,
            one_field: false,
            expires_fields: false,
            script: Some(script),
        }
    }

    /// Says that it is about one field, whose name is at this position.
    pub(crate) fn about_field(mut self, position: usize) -> Self {
        self.fields = position;
        self.one_field = true;
        self
    }

    /// A command that is about the whole hash.
    fn whole(operation: &'static str, key: &Key) -> Result<Self, Error> {
        Self::start(operation, key, 0, 0)
    }

    /// A command that is about one field.
    fn one(operation: &'static str, key: &Key, field: &str, bytes: usize) -> Result<Self, Error> {
        let mut request = Self::start(operation, key, 2, field.len() + bytes)?;
        check_name(field, || request.place())?;
        request.cmd.arg(field);
        request.one_field = true;
        Ok(request)
    }

    /// A command on several fields. Where there is none to name, one that changes nothing.
    fn several(operation: &'static str, key: &Key, fields: &[Cow<'_, str>]) -> Result<Self, Error> {
        let mut request = Self::start(operation, key, fields.len(), fields.iter().map(|field| field.len()).sum())?;
        for field in fields {
            check_name(field, || request.hash())?;
            request.cmd.arg(&**field);
        }
        if fields.is_empty() { Self::exists(key) } else { Ok(request) }
    }

    /// `HSET key field value`
    #[inline]
    pub(crate) fn hset<T, F, Q>(key: &Key, field: &str, value: &Q, limit: usize) -> Result<Self, Error>
    where
        F: FormatOf<T, Q>,
        T: ?Sized,
        Q: ?Sized,
    {
        Self::value::<T, F, Q>("HSET", key, field, value, limit)
    }

    /// `HSETNX key field value`
    pub(crate) fn hsetnx<T, F, Q>(key: &Key, field: &str, value: &Q, limit: usize) -> Result<Self, Error>
    where
        F: FormatOf<T, Q>,
        T: ?Sized,
        Q: ?Sized,
    {
        Self::value::<T, F, Q>("HSETNX", key, field, value, limit)
    }

    #[inline]
    fn value<T, F, Q>(operation: &'static str, key: &Key, field: &str, value: &Q, limit: usize) -> Result<Self, Error>
    where
        F: FormatOf<T, Q>,
        T: ?Sized,
        Q: ?Sized,
    {
        let planned = F::plan(value, limit);
        let size = planned.as_ref().map_or(0, F::planned_len);
        let mut request = Self::one(operation, key, field, size)?;
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

    /// `HDEL key field …`
    pub(crate) fn hdel_many(key: &Key, fields: &[Cow<'_, str>]) -> Result<Self, Error> {
        Self::several("HDEL", key, fields)
    }

    /// `HEXISTS key field`
    pub(crate) fn hexists(key: &Key, field: &str) -> Result<Self, Error> {
        Self::one("HEXISTS", key, field, 0)
    }

    /// `HINCRBY key field by`
    pub(crate) fn hincrby(key: &Key, field: &str, by: i64) -> Result<Self, Error> {
        let mut request = Self::one("HINCRBY", key, field, 20)?;
        request.cmd.arg(by);
        Ok(request)
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

    /// `HSCAN key cursor COUNT count`
    pub(crate) fn hscan(key: &Key, cursor: u64, count: u32) -> Result<Self, Error> {
        let mut request = Self::start("HSCAN", key, 3, 40)?;
        request.cmd.arg(cursor).arg("COUNT").arg(count);
        Ok(request)
    }

    /// `DEL key`
    pub(crate) fn del(key: &Key) -> Result<Self, Error> {
        Self::whole("DEL", key)
    }

    /// `EXISTS key`
    pub(crate) fn exists(key: &Key) -> Result<Self, Error> {
        Self::whole("EXISTS", key)
    }

    /// `PEXPIRE key milliseconds`
    pub(crate) fn pexpire(key: &Key, millis: u64) -> Result<Self, Error> {
        Self::with_number("PEXPIRE", key, millis)
    }

    /// `PEXPIREAT key milliseconds`
    pub(crate) fn pexpireat(key: &Key, millis: u64) -> Result<Self, Error> {
        Self::with_number("PEXPIREAT", key, millis)
    }

    /// `PTTL key`
    pub(crate) fn pttl(key: &Key) -> Result<Self, Error> {
        Self::whole("PTTL", key)
    }

    /// `PERSIST key`
    pub(crate) fn persist(key: &Key) -> Result<Self, Error> {
        Self::whole("PERSIST", key)
    }

    /// `HPEXPIRE key milliseconds FIELDS 1 field`
    pub(crate) fn hpexpire(key: &Key, field: &str, millis: u64) -> Result<Self, Error> {
        Self::field_expiry(Self::with_number("HPEXPIRE", key, millis)?, field)
    }

    /// `HPEXPIREAT key milliseconds FIELDS 1 field`
    pub(crate) fn hpexpireat(key: &Key, field: &str, millis: u64) -> Result<Self, Error> {
        Self::field_expiry(Self::with_number("HPEXPIREAT", key, millis)?, field)
    }

    /// `HPTTL key FIELDS 1 field`
    pub(crate) fn hpttl(key: &Key, field: &str) -> Result<Self, Error> {
        Self::field_expiry(Self::whole("HPTTL", key)?, field)
    }

    /// `HPERSIST key FIELDS 1 field`
    pub(crate) fn hpersist(key: &Key, field: &str) -> Result<Self, Error> {
        Self::field_expiry(Self::whole("HPERSIST", key)?, field)
    }

    fn with_number(operation: &'static str, key: &Key, number: u64) -> Result<Self, Error> {
        let mut request = Self::start(operation, key, 5, 40)?;
        request.cmd.arg(number);
        Ok(request)
    }

    fn field_expiry(mut self, field: &str) -> Result<Self, Error> {
        check_name(field, || self.hash())?;
        self.cmd.arg("FIELDS").arg(1).arg(field);
        self.expires_fields = true;
        let position = self.cmd.args_iter().len() - 1;
        Ok(self.about_field(position))
    }

    /// `HMGET key field …`, of a record's own fields.
    pub(crate) fn hmget(key: &Key, fields: impl ExactSizeIterator<Item = &'static str>) -> Result<Self, Error> {
        // Names are short: an exact sum would take another round over them.
        let mut request = Self::start("HMGET", key, fields.len(), fields.len() * 12)?;
        for field in fields {
            request.cmd.arg(field);
        }
        Ok(request)
    }

    /// `HMGET key field …`
    pub(crate) fn hmget_many(key: &Key, fields: &[Cow<'_, str>]) -> Result<Self, Error> {
        Self::several("HMGET", key, fields)
    }

    /// `HINCRBY`, after which a field that has no time expires in `millis`, and the record in `ttl` (0: it is left as it is).
    pub(crate) fn increment_expiring(key: &Key, field: &str, by: i64, millis: u64, ttl: u64) -> Result<Self, Error> {
        let named = Self::one("increment", key, field, 0)?;
        let mut request = Self::script(&INCREMENT, named.key(), 4).about_field(SCRIPT_KEY + 1);
        request.cmd.arg(field).arg(by).arg(millis).arg(ttl);
        request.expires_fields = millis != 0;
        Ok(request)
    }

    /// Reads a field and removes it, if it is of this kind.
    pub(crate) fn take(key: &Key, field: &str, kind: u8, ttl: u64) -> Result<Self, Error> {
        let named = Self::one("take", key, field, 0)?;
        let mut request = Self::script(&TAKE, named.key(), 3).about_field(SCRIPT_KEY + 1);
        request.cmd.arg(field).arg(ttl).arg(kind);
        Ok(request)
    }

    /// The same, and the record expires in so many milliseconds from then; 0: it is left as it is.
    pub(crate) fn expiring(self, ttl: u64) -> Self {
        if ttl == 0 {
            return self;
        }
        let mut request = Self::script(&CALL_AND_EXPIRE, self.key(), self.cmd.args_iter().len());
        request.cmd.arg(ttl).arg(self.operation);
        self.copy_args(2, &mut request.cmd);
        Self {
            operation: self.operation,
            // Behind EVALSHA, the hash, 1, the key, the time and the command's name.
            fields: self.fields + SCRIPT_KEY + 1,
            one_field: self.one_field,
            ..request
        }
    }

    /// The key, and the field if it is about one.
    pub(crate) fn place(&self) -> Place {
        if self.one_field { self.place_of(0) } else { self.hash() }
    }

    /// The key, and this one of the fields it names.
    pub(crate) fn place_of(&self, field: usize) -> Place {
        Place::new(&self.arg(self.key_index()), Some(&self.arg(self.fields + field)))
    }

    /// How many fields it names, if nothing comes behind them.
    pub(crate) fn fields_named(&self) -> usize {
        self.cmd.args_iter().len() - self.fields
    }

    /// The hash as a whole.
    pub(crate) fn hash(&self) -> Place {
        Place::new(&self.arg(self.key_index()), None)
    }

    pub(crate) fn key(&self) -> &[u8] {
        self.bytes(self.key_index())
    }

    fn key_index(&self) -> usize {
        if self.script.is_some() { SCRIPT_KEY } else { 1 }
    }

    fn bytes(&self, index: usize) -> &[u8] {
        match self.cmd.args_iter().nth(index) {
            Some(Arg::Simple(bytes)) => bytes,
            _ => &[],
        }
    }

    fn arg(&self, index: usize) -> Cow<'_, str> {
        String::from_utf8_lossy(self.bytes(index))
    }

    /// Appends its arguments from a position on to another command.
    pub(crate) fn copy_args(&self, from: usize, to: &mut Cmd) {
        copy_args(&self.cmd, from, to);
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
        copy_args(&self.cmd, 2, &mut cmd);
        Self { cmd, ..self }
    }
}

pub(crate) fn copy_args(cmd: &Cmd, from: usize, to: &mut Cmd) {
    for arg in cmd.args_iter().skip(from) {
        if let Arg::Simple(bytes) = arg {
            to.arg(bytes);
        }
    }
}

pub(crate) fn check_name(field: &str, place: impl FnOnce() -> Place) -> Result<(), Error> {
    if field.is_empty() { Err(Error::EmptyField { place: place() }) } else { Ok(()) }
}
