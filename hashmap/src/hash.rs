use crate::codec::DEFAULT_VALUE_LIMIT;
use crate::command::{Command, Decode, Request};
use crate::error::Error;
use crate::executor::{Deferred, Executor};
use crate::format::{Format, FormatOf};
use crate::key::Key;
use crate::reply::Reply;

/// A hash and a way to reach it: what records, maps and fields have in common.
#[derive(Debug, Clone)]
pub(crate) struct Hash<E> {
    pub(crate) key: Key,
    pub(crate) value_limit: usize,
    pub(crate) executor: E,
}

impl Hash<Deferred> {
    pub(crate) fn new(key: Key) -> Self {
        Self { key, value_limit: DEFAULT_VALUE_LIMIT, executor: Deferred }
    }
}

impl<E> Hash<E> {
    /// The same hash, reached in another way.
    pub(crate) fn on<E2>(&self, executor: E2) -> Hash<E2> {
        Hash { key: self.key.clone(), value_limit: self.value_limit, executor }
    }
}

impl<E: Executor> Hash<E> {
    #[inline]
    pub(crate) fn run<T: Send + 'static>(
        &mut self,
        request: Result<Request, Error>,
        decode: Decode<T>,
    ) -> E::Output<'_, T> {
        self.executor.execute(Command::new(request, decode))
    }

    #[inline]
    pub(crate) fn set<T, F, Q>(&mut self, field: &str, value: &Q) -> E::Output<'_, bool>
    where
        F: FormatOf<T, Q>,
        Q: ?Sized,
    {
        let request = Request::hset::<T, F, Q>(&self.key, field, value, self.value_limit);
        self.run(request, |reply, _| reply.flag())
    }

    #[inline]
    pub(crate) fn get<T, F: Format<T>>(
        &mut self,
        field: &str,
        absent: Option<fn() -> F::Get>,
    ) -> E::Output<'_, F::Get> {
        let request = Request::hget(&self.key, field);
        self.executor.execute(Command::new(request, decode_field::<T, F>).or(absent))
    }

    #[inline]
    pub(crate) fn delete(&mut self, field: &str) -> E::Output<'_, bool> {
        let request = Request::hdel(&self.key, field);
        self.run(request, |reply, _| reply.flag())
    }

    #[inline]
    pub(crate) fn exists(&mut self, field: &str) -> E::Output<'_, bool> {
        let request = Request::hexists(&self.key, field);
        self.run(request, |reply, _| reply.flag())
    }

    pub(crate) fn size(&mut self) -> E::Output<'_, u64> {
        let request = Request::hlen(&self.key);
        self.run(request, |reply, _| reply.count())
    }

    pub(crate) fn clear(&mut self) -> E::Output<'_, bool> {
        let request = Request::del(&self.key);
        self.run(request, |reply, _| reply.flag())
    }
}

fn decode_field<T, F: Format<T>>(reply: Reply<'_>, absent: Option<fn() -> F::Get>) -> Result<F::Get, Error> {
    let request = reply.request();
    match (reply.bytes()?, absent) {
        (Some(stored), _) => F::decode(&stored).map(F::found).map_err(|fault| Error::at(fault, request.place())),
        (None, Some(absent)) => Ok(absent()),
        (None, None) => Err(crate::reply::unexpected(request)),
    }
}
