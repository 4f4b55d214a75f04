use std::time::{Duration, SystemTime};

use crate::command::changes::{Guard, Must, Write};
use crate::command::key::Key;
use crate::command::reply::{Reply, unexpected};
use crate::command::request::Request;
use crate::command::ttl::{self, Expiry, Ttl};
use crate::command::{Command, Decode};
use crate::error::{Error, Place};
use crate::format::DEFAULT_VALUE_LIMIT;
use crate::format::storage::{Format, FormatOf};
use crate::run::{Deferred, Executor};

/// How often `update` and its kin try, if nothing is said.
const ATTEMPTS: u32 = 64;

/// A hash and a way to reach it: what records, maps and fields have in common.
#[derive(Debug, Clone)]
pub(crate) struct Hash<E> {
    pub(crate) key: Key,
    pub(crate) value_limit: usize,
    pub(crate) attempts: u32,
    pub(crate) expiry: Expiry,
    pub(crate) executor: E,
}

impl Hash<Deferred> {
    pub(crate) fn new(key: Key, expiry: Expiry) -> Self {
        Self { key, value_limit: DEFAULT_VALUE_LIMIT, attempts: ATTEMPTS, expiry, executor: Deferred }
    }
}

impl<E> Hash<E> {
    /// The same hash, reached in another way.
    pub(crate) fn on<E2>(&self, executor: E2) -> Hash<E2> {
        let Self { value_limit, attempts, expiry, .. } = *self;
        Hash { key: self.key.clone(), value_limit, attempts, expiry, executor }
    }

    /// The key, for an error of what is not sent.
    pub(crate) fn place(&self, field: Option<&str>) -> Place {
        Place::new(self.key.check().unwrap_or_default(), field)
    }

    /// A write of about so many fields and bytes.
    pub(crate) fn write_of(&self, fields: usize, bytes: usize) -> Result<Write, Error> {
        Write::new(&self.key, fields, bytes, self.value_limit)
    }

    /// A read, after which a sliding record expires anew.
    pub(crate) fn reads(&self, request: Result<Request, Error>) -> Result<Request, Error> {
        request.map(|request| request.expiring(self.expiry.on_read))
    }

    /// A write, after which a record that expires does so anew.
    fn writes(&self, request: Result<Request, Error>) -> Result<Request, Error> {
        request.map(|request| request.expiring(self.expiry.on_write))
    }
}

impl<E: Executor> Hash<E> {
    /// Runs what neither reads nor writes values.
    #[inline]
    pub(crate) fn run<T: Send + 'static>(
        &mut self,
        request: Result<Request, Error>,
        decode: Decode<T>,
    ) -> E::Output<'_, T> {
        self.executor.execute(Command::new(request, decode))
    }

    #[inline]
    pub(crate) fn read<T: Send + 'static>(
        &mut self,
        request: Result<Request, Error>,
        decode: Decode<T>,
    ) -> E::Output<'_, T> {
        let request = self.reads(request);
        self.run(request, decode)
    }

    #[inline]
    pub(crate) fn write<T: Send + 'static>(
        &mut self,
        request: Result<Request, Error>,
        decode: Decode<T>,
    ) -> E::Output<'_, T> {
        let request = self.writes(request);
        self.run(request, decode)
    }

    #[inline]
    pub(crate) fn set<T, F, Q>(&mut self, field: &str, value: &Q, ttl: Result<u64, Error>) -> E::Output<'_, bool>
    where
        T: ?Sized,
        F: FormatOf<T, Q>,
        Q: ?Sized,
    {
        let request = match ttl {
            Ok(0) => self.writes(Request::hset::<T, F, Q>(&self.key, field, value, self.value_limit)),
            Ok(ttl) => self.field_write("set", |write| write.set_field::<T, F, Q>(field, value, ttl)),
            Err(error) => Err(error),
        };
        self.run(request, |reply, _| reply.flag())
    }

    /// Sets a field if it is absent, or if it is present.
    pub(crate) fn set_if<T, F, Q>(
        &mut self,
        field: &str,
        guard: Guard,
        value: &Q,
        ttl: Result<u64, Error>,
    ) -> E::Output<'_, bool>
    where
        T: ?Sized,
        F: FormatOf<T, Q>,
        Q: ?Sized,
    {
        let operation = if guard == Guard::Absent { "set_if_absent" } else { "set_if_present" };
        if guard == Guard::Absent && matches!(ttl, Ok(0)) && self.expiry.on_write == 0 {
            let request = Request::hsetnx::<T, F, Q>(&self.key, field, value, self.value_limit);
            return self.run(request, |reply, _| reply.flag());
        }
        let request = self.field_write(operation, |write| {
            write.guard(field.to_owned(), guard);
            write.set_field::<T, F, Q>(field, value, ttl?)
        });
        self.run(request, |reply, _| reply.applied())
    }

    fn field_write(
        &self,
        operation: &'static str,
        fill: impl FnOnce(&mut Write) -> Result<(), Error>,
    ) -> Result<Request, Error> {
        let mut write = self.write_of(1, 0)?;
        fill(&mut write)?;
        Ok(write.finish_field(operation, self.expiry.on_write))
    }

    /// Writes several fields, if the hash is as it must be.
    pub(crate) fn write_if(
        &mut self,
        operation: &'static str,
        must: Must,
        write: Result<Write, Error>,
    ) -> E::Output<'_, bool> {
        let ttl = self.expiry.on_write;
        let request = write.map(|write| write.only_if(must).finish(operation, ttl));
        self.run(request, |reply, _| reply.applied())
    }

    #[inline]
    pub(crate) fn get<T, F: Format<T>>(
        &mut self,
        field: &str,
        absent: Option<fn() -> F::Get>,
    ) -> E::Output<'_, F::Get> {
        let request = self.reads(Request::hget(&self.key, field));
        self.executor.execute(Command::or(request, decode_field::<T, F>, absent))
    }

    #[inline]
    pub(crate) fn delete(&mut self, field: &str) -> E::Output<'_, bool> {
        let request = Request::hdel(&self.key, field);
        self.write(request, |reply, _| reply.flag())
    }

    #[inline]
    pub(crate) fn exists(&mut self, field: &str) -> E::Output<'_, bool> {
        let request = Request::hexists(&self.key, field);
        self.run(request, |reply, _| reply.flag())
    }

    /// Adds to a counter, which expires after `ttl` milliseconds if it has no time yet; 0: it does not.
    pub(crate) fn increment(&mut self, field: &str, by: i64, ttl: Result<u64, Error>) -> E::Output<'_, i64> {
        let request = match (ttl, self.expiry.on_write) {
            (Ok(0), 0) => Request::hincrby(&self.key, field, by),
            (Ok(ttl), on_write) => Request::increment_expiring(&self.key, field, by, ttl, on_write),
            (Err(error), _) => Err(error),
        };
        self.run(request, |reply, _| reply.number())
    }

    pub(crate) fn size(&mut self) -> E::Output<'_, u64> {
        let request = Request::hlen(&self.key);
        self.run(request, |reply, _| reply.count())
    }

    pub(crate) fn clear(&mut self) -> E::Output<'_, bool> {
        let request = Request::del(&self.key);
        self.run(request, |reply, _| reply.flag())
    }

    pub(crate) fn expire_in(&mut self, ttl: Duration) -> E::Output<'_, bool> {
        let request = ttl::millis(ttl, || self.place(None)).and_then(|millis| Request::pexpire(&self.key, millis));
        self.run(request, |reply, _| reply.flag())
    }

    pub(crate) fn expire_at(&mut self, at: SystemTime) -> E::Output<'_, bool> {
        let request =
            ttl::millis_since_epoch(at, || self.place(None)).and_then(|millis| Request::pexpireat(&self.key, millis));
        self.run(request, |reply, _| reply.flag())
    }

    pub(crate) fn ttl(&mut self) -> E::Output<'_, Ttl> {
        let request = Request::pttl(&self.key);
        self.run(request, |reply, _| {
            let request = reply.request();
            Ttl::from_reply(reply.number()?).ok_or_else(|| unexpected(request))
        })
    }

    pub(crate) fn persist(&mut self) -> E::Output<'_, bool> {
        let request = Request::persist(&self.key);
        self.run(request, |reply, _| reply.flag())
    }

    pub(crate) fn expire_field_in(&mut self, field: &str, ttl: Duration) -> E::Output<'_, bool> {
        let request =
            ttl::millis(ttl, || self.place(Some(field))).and_then(|millis| Request::hpexpire(&self.key, field, millis));
        self.run(request, |reply, _| reply.of_field().map(|answer| answer > 0))
    }

    pub(crate) fn expire_field_at(&mut self, field: &str, at: SystemTime) -> E::Output<'_, bool> {
        let request = ttl::millis_since_epoch(at, || self.place(Some(field)))
            .and_then(|millis| Request::hpexpireat(&self.key, field, millis));
        self.run(request, |reply, _| reply.of_field().map(|answer| answer > 0))
    }

    pub(crate) fn field_ttl(&mut self, field: &str) -> E::Output<'_, Ttl> {
        let request = Request::hpttl(&self.key, field);
        self.run(request, |reply, _| {
            let request = reply.request();
            Ttl::from_reply(reply.of_field()?).ok_or_else(|| unexpected(request))
        })
    }

    pub(crate) fn persist_field(&mut self, field: &str) -> E::Output<'_, bool> {
        let request = Request::hpersist(&self.key, field);
        self.run(request, |reply, _| reply.of_field().map(|answer| answer > 0))
    }
}

pub(crate) fn decode_field<T, F: Format<T>>(reply: Reply<'_>, absent: Option<fn() -> F::Get>) -> Result<F::Get, Error> {
    let request = reply.request();
    match (reply.bytes()?, absent) {
        (Some(stored), _) => F::decode(&stored).map(F::found).map_err(|fault| Error::at(fault, request.place())),
        (None, Some(absent)) => Ok(absent()),
        (None, None) => Err(unexpected(request)),
    }
}
