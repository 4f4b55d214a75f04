//! What is to be written to a hash in one step: which fields to set, which to remove, and on what conditions.

use std::borrow::Cow;

use redis::{Cmd, RedisWrite};

use crate::command::key::Key;
use crate::command::request::{Request, UNPACKED, check_name, copy_args};
use crate::command::script::WRITE;
use crate::error::fault::Fault;
use crate::error::{Error, Place};
use crate::format::storage::{Format, FormatOf};

/// A field of a record: its name in Redis, how it is written and read, its default, its time to live. For generated
/// code.
///
/// It is the one place where a field's type is asked whether it can be stored, so that a type that cannot is one error.
pub struct FieldCodec<T> {
    pub(crate) name: &'static str,
    append: fn(&mut Cmd, &str, &T, usize) -> Result<(), Fault>,
    pub(crate) decode: fn(&[u8]) -> Result<T, Fault>,
    pub(crate) default: Option<fn() -> T>,
    /// Milliseconds; 0: it does not expire.
    pub(crate) ttl: u64,
}

impl<T> Clone for FieldCodec<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for FieldCodec<T> {}

impl<T> FieldCodec<T> {
    /// A field that is stored in the format `F`.
    #[must_use]
    pub const fn new<F: FormatOf<T, T> + Format<T>>(name: &'static str) -> Self {
        Self { name, append: append::<T, F, T>, decode: F::decode, default: None, ttl: 0 }
    }

    /// With what it is where it is absent.
    #[must_use]
    pub const fn or(self, default: fn() -> T) -> Self {
        Self { default: Some(default), ..self }
    }

    /// With the milliseconds in which it expires after each write.
    #[must_use]
    pub const fn expiring(self, ttl: u64) -> Self {
        Self { ttl, ..self }
    }
}

/// In place of milliseconds: the field keeps the time that it has, if it has one. It needs no expiry of fields.
pub(crate) const KEEP_TTL: u64 = u64::MAX;

/// Appends a name and a value to a command.
fn append<T: ?Sized, F: FormatOf<T, Q>, Q: ?Sized>(
    cmd: &mut Cmd,
    name: &str,
    value: &Q,
    limit: usize,
) -> Result<(), Fault> {
    let plan = F::plan(value, limit)?;
    cmd.arg(name);
    F::write(value, &plan, cmd.writer_for_next_arg())
}

/// What the hash as a whole must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Must {
    Whatever,
    NotExist,
    Exist,
}

/// What a field must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Guard {
    Absent,
    Present,
    Bytes(Vec<u8>),
}

type Name = Cow<'static, str>;

/// Fields on their way into one command: `HSET` where all are set, `HDEL` where all are removed, else a script.
#[derive(Clone)]
pub struct Write {
    /// `HSET key field value …`: what is set and does not expire.
    request: Request,
    set: usize,
    /// Field, value and milliseconds in turn: what is set and expires.
    expiring: Cmd,
    expiring_count: usize,
    /// True if one of them is given a time.
    expires: bool,
    removed: Vec<Name>,
    limit: usize,
    must: Must,
    guards: Vec<(Name, Guard)>,
    keep: bool,
}

impl Write {
    pub(crate) fn new(key: &Key, fields: usize, bytes: usize, limit: usize) -> Result<Self, Error> {
        Ok(Self {
            request: Request::start("HSET", key, fields * 2, bytes)?,
            set: 0,
            expiring: Cmd::new(),
            expiring_count: 0,
            expires: false,
            removed: Vec::new(),
            limit,
            must: Must::Whatever,
            guards: Vec::new(),
            keep: false,
        })
    }

    /// Only where the hash is so.
    pub(crate) fn only_if(mut self, must: Must) -> Self {
        self.must = must;
        self
    }

    /// Leaves fields that expire and do not change as they are, time and all.
    pub(crate) fn keeping(mut self) -> Self {
        self.keep = true;
        self
    }

    /// Only where the field is so.
    pub(crate) fn guard(&mut self, field: impl Into<Name>, guard: Guard) {
        self.guards.push((field.into(), guard));
    }

    /// Sets a field of a map, or of a record, that expires if `ttl` (in milliseconds) is not 0.
    pub(crate) fn set_field<T: ?Sized, F: FormatOf<T, Q>, Q: ?Sized>(
        &mut self,
        name: &str,
        value: &Q,
        ttl: u64,
    ) -> Result<(), Error> {
        check_name(name, || self.request.hash())?;
        self.append(name, ttl, |cmd, limit| append::<T, F, Q>(cmd, name, value, limit))
    }

    /// Sets a field.
    ///
    /// # Errors
    ///
    /// If the value cannot be stored.
    pub fn set<T>(&mut self, field: &FieldCodec<T>, value: &T) -> Result<(), Error> {
        self.append(field.name, field.ttl, |cmd, limit| (field.append)(cmd, field.name, value, limit))
    }

    fn append(
        &mut self,
        name: &str,
        ttl: u64,
        append: impl FnOnce(&mut Cmd, usize) -> Result<(), Fault>,
    ) -> Result<(), Error> {
        let appended = if ttl == 0 {
            self.set += 1;
            append(&mut self.request.cmd, self.limit)
        } else {
            append(&mut self.expiring, self.limit).map(|()| self.expire_last(ttl))
        };
        appended.map_err(|fault| {
            let hash = self.request.hash();
            Error::at(fault, Place::new(hash.key().unwrap_or_default(), Some(name)))
        })
    }

    /// Says when the field that was appended last expires.
    fn expire_last(&mut self, ttl: u64) {
        if ttl == KEEP_TTL {
            self.expiring.arg("keep");
        } else {
            self.expiring.arg(ttl);
            self.expires = true;
        }
        self.expiring_count += 1;
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
            self.remove(field.name);
            Ok(())
        }
    }

    /// Sets a field, or leaves it as it is.
    ///
    /// # Errors
    ///
    /// If the value cannot be stored.
    pub fn patch<T>(&mut self, field: &FieldCodec<T>, value: Option<&T>) -> Result<(), Error> {
        value.map_or(Ok(()), |value| self.set(field, value))
    }

    /// Sets an optional field, removes it, or leaves it as it is.
    ///
    /// # Errors
    ///
    /// If the value cannot be stored.
    pub fn patch_option<T>(&mut self, field: &FieldCodec<T>, value: Option<Option<&T>>) -> Result<(), Error> {
        value.map_or(Ok(()), |value| self.set_option(field, value))
    }

    pub(crate) fn remove(&mut self, field: impl Into<Name>) {
        self.removed.push(field.into());
    }

    /// What is written: each field with its bytes, or none where it is removed.
    pub(crate) fn into_fields(self) -> Vec<Change> {
        let mut set = Vec::new();
        let mut changes = Vec::with_capacity(self.set + self.expiring_count + self.removed.len());
        for arg in self.request.cmd.args_iter().skip(2).chain(self.expiring.args_iter()) {
            if let redis::Arg::Simple(bytes) = arg {
                set.push(bytes);
            }
        }
        let (plain, expiring) = set.split_at(self.set * 2);
        let change = |name: &[u8], value: Option<&[u8]>, ttl| Change {
            name: String::from_utf8_lossy(name).into_owned(),
            value: value.map(<[u8]>::to_vec),
            ttl,
        };
        changes.extend(plain.chunks_exact(2).map(|set| change(set[0], Some(set[1]), 0)));
        changes.extend(expiring.chunks_exact(3).map(|set| {
            let ttl = std::str::from_utf8(set[2]).ok().and_then(|ttl| ttl.parse().ok()).unwrap_or(KEEP_TTL);
            change(set[0], Some(set[1]), ttl)
        }));
        changes.extend(self.removed.iter().map(|name| change(name.as_bytes(), None, 0)));
        changes
    }

    /// Writes a field as [`Self::into_fields`] has given it.
    pub(crate) fn change(&mut self, change: Change) {
        let Change { name, value, ttl } = change;
        match value {
            None => self.remove(name),
            Some(value) if ttl == 0 => {
                self.request.cmd.arg(name).arg(value);
                self.set += 1;
            }
            Some(value) => {
                self.expiring.arg(name).arg(value);
                self.expire_last(ttl);
            }
        }
    }

    /// The command for it, after which the hash expires in `ttl` milliseconds; 0: it is left as it is.
    pub(crate) fn finish(mut self, operation: &'static str, ttl: u64) -> Request {
        if self.must == Must::Whatever && self.guards.is_empty() && self.expiring_count == 0 {
            let direct = ttl == 0 || self.set * 2 + self.removed.len() <= UNPACKED;
            match (self.set, self.removed.len()) {
                (0, 0) => return self.nothing(),
                (_, 0) if direct => return self.request.expiring(ttl),
                (0, _) if direct => return self.only_removes().expiring(ttl),
                _ => {}
            }
        }
        let args = 6 + self.guards.len() * 2 + self.expiring_count * 3 + self.set * 2 + self.removed.len();
        let mut request = Request::script(&WRITE, self.request.key(), args);
        request.operation = operation;
        request.expires_fields = self.expires;
        // Behind EVALSHA, the hash, 1, the key, three arguments and the number of guards.
        request.fields = match (self.guards.len(), self.expiring_count) {
            (1.., _) => 8,
            (0, 1..) => 9,
            (0, 0) => 10,
        };
        let cmd = &mut request.cmd;
        cmd.arg(match self.must {
            Must::Whatever => "",
            Must::NotExist => "absent",
            Must::Exist => "present",
        });
        let keep = self.keep && self.expiring_count > 0;
        cmd.arg(ttl).arg(if keep { "keep" } else { "" }).arg(self.guards.len());
        for (field, guard) in std::mem::take(&mut self.guards) {
            cmd.arg(&*field);
            match guard {
                Guard::Absent => cmd.arg(""),
                Guard::Present => cmd.arg("*"),
                Guard::Bytes(mut bytes) => {
                    bytes.insert(0, b'=');
                    cmd.arg(bytes)
                }
            };
        }
        cmd.arg(self.expiring_count);
        copy_args(&self.expiring, 0, cmd);
        cmd.arg(self.set * 2);
        self.request.copy_args(2, cmd);
        for field in &self.removed {
            cmd.arg(&**field);
        }
        request
    }

    /// The same, about the one field that it names.
    pub(crate) fn finish_field(self, operation: &'static str, ttl: u64) -> Request {
        Request { one_field: true, ..self.finish(operation, ttl) }
    }

    /// Redis has no command that does nothing; this one changes nothing.
    fn nothing(self) -> Request {
        let mut cmd = Cmd::new();
        cmd.arg("EXISTS").arg(self.request.key());
        Request { cmd, operation: "EXISTS", ..self.request }
    }

    fn only_removes(&self) -> Request {
        let mut cmd = Cmd::new();
        cmd.arg("HDEL").arg(self.request.key());
        for field in &self.removed {
            cmd.arg(&**field);
        }
        Request { cmd, operation: "HDEL", ..self.request.clone() }
    }
}

/// A field that is set, or removed where there is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) name: String,
    pub(crate) value: Option<Vec<u8>>,
    /// Milliseconds; 0: it does not expire.
    pub(crate) ttl: u64,
}
