//! Operations of several steps, without I/O: each is told a reply and says what comes next. Every executor that has a
//! connection drives them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

use crate::accessor::record::{RecordReader, RedisHash};
use crate::accessor::target::{Hash, decode_field};
use crate::command::changes::{Change, Guard, KEEP_TTL, Must, Write};
use crate::command::reply::{Reply, unexpected};
use crate::command::request::Request;
use crate::command::script::TAKE;
use crate::error::{Error, Place};
use crate::format::storage::{Format, FormatOf};
use crate::run::pause;

/// An operation of several steps.
#[doc(hidden)]
pub trait Steps {
    type Output;
    type Error: From<Error>;

    fn start(&mut self) -> Result<Step<Self::Output>, Self::Error>;

    fn next(&mut self, reply: Reply<'_>) -> Result<Step<Self::Output>, Self::Error>;
}

/// What comes next.
#[doc(hidden)]
pub enum Step<T> {
    Done(T),
    Send(Request),
    /// After a pause, where there is a timer.
    SendAfter(Duration, Request),
}

/// What is read, changed and written back: a record, or one field.
pub(crate) trait Subject {
    type Value;
    /// What the operation returns of it.
    type Output;

    fn hash(&self) -> &Hash<()>;

    /// The names of its fields.
    fn names(&self) -> Vec<&str>;

    fn place(&self) -> Place;

    /// Asks for those fields.
    fn request(&self) -> Result<Request, Error>;

    /// The value, or what to return where there is none.
    fn decode(&self, reply: Reply<'_>) -> Result<Result<Self::Value, Self::Output>, Error>;

    fn encode(&self, value: &Self::Value, write: &mut Write) -> Result<(), Error>;

    fn output(value: Self::Value) -> Self::Output;
}

/// How often it was tried.
struct Attempts {
    made: u32,
    limit: u32,
    /// When the last one began.
    began: Instant,
}

impl Attempts {
    fn new(limit: u32) -> Self {
        Self { made: 0, limit, began: Instant::now() }
    }

    /// The request once more, or the error that it was tried often enough.
    fn again<T>(&mut self, place: impl FnOnce() -> Place, request: Result<Request, Error>) -> Result<Step<T>, Error> {
        self.made += 1;
        if self.made >= self.limit {
            return Err(Error::Conflict { place: place(), attempts: self.made });
        }
        let request = request?;
        let wait = pause(self.made, self.began.elapsed());
        self.began = Instant::now() + wait.unwrap_or_default();
        Ok(match wait {
            None => Step::Send(request),
            Some(wait) => Step::SendAfter(wait, request),
        })
    }
}

/// Read, change, and write what has changed, where that is still what was read.
pub(crate) struct Update<S: Subject, F, X> {
    subject: S,
    change: F,
    attempts: Attempts,
    /// What was written, once it is known to be.
    written: Option<S::Value>,
    error: PhantomData<fn() -> X>,
}

impl<S: Subject, F, X> Update<S, F, X> {
    pub(crate) fn new(subject: S, change: F) -> Self {
        let attempts = Attempts::new(subject.hash().attempts);
        Self { subject, change, attempts, written: None, error: PhantomData }
    }
}

impl<S, F, X> Steps for Update<S, F, X>
where
    S: Subject,
    F: FnMut(&mut S::Value) -> Result<(), X>,
    X: From<Error>,
{
    type Output = S::Output;
    type Error = X;

    fn start(&mut self) -> Result<Step<S::Output>, X> {
        Ok(Step::Send(self.subject.request()?))
    }

    fn next(&mut self, reply: Reply<'_>) -> Result<Step<S::Output>, X> {
        if let Some(value) = self.written.take() {
            return if reply.applied()? {
                Ok(Step::Done(S::output(value)))
            } else {
                let Self { subject, attempts, .. } = self;
                Ok(attempts.again(|| subject.place(), subject.request())?)
            };
        }
        let names = self.subject.names();
        let raw = reply.again().values_of(names.len())?;
        let mut value = match self.subject.decode(reply)? {
            Ok(value) => value,
            Err(absent) => return Ok(Step::Done(absent)),
        };
        // What was read is encoded again: maps have no fixed order, so that only two encodings of one value compare.
        let before = self.encode(&value)?;
        (self.change)(&mut value)?;
        let after = self.encode(&value)?;

        let hash = self.subject.hash();
        let mut write = hash.write_of(after.len(), 0)?;
        let mut changed = false;
        // Where a stored field is guarded, the record is there; else that it is has to be said.
        let mut guarded = false;
        let (names_one, is_there) = (names.len() == 1, raw.iter().any(Option::is_some));
        let mut read: HashMap<&str, Option<Vec<u8>>> = names.into_iter().zip(raw).collect();
        let before: HashMap<&str, _> = before.iter().map(|change| (change.name.as_str(), &change.value)).collect();
        for change in after {
            if before.get(change.name.as_str()) == Some(&&change.value) {
                continue;
            }
            changed = true;
            let read = read.get_mut(change.name.as_str()).and_then(Option::take);
            guarded |= read.is_some();
            write.guard(change.name.clone(), read.map_or(Guard::Absent, Guard::Bytes));
            write.change(change);
        }
        if !changed {
            return Ok(Step::Done(S::output(value)));
        }
        if !guarded && is_there {
            write = write.only_if(Must::Exist);
        }
        let finish = if names_one { Write::finish_field } else { Write::finish };
        let request = finish(write, "update", hash.expiry.on_write);
        self.written = Some(value);
        Ok(Step::Send(request))
    }
}

impl<S: Subject, F, X> Update<S, F, X> {
    fn encode(&self, value: &S::Value) -> Result<Vec<Change>, Error> {
        let mut write = self.subject.hash().write_of(8, size_of::<S::Value>())?;
        self.subject.encode(value, &mut write)?;
        Ok(write.into_fields())
    }
}

/// A whole record.
pub(crate) struct Whole<R, O> {
    pub(crate) hash: Hash<()>,
    /// What to return where there is none; without it, it is made of its defaults.
    pub(crate) absent: Option<fn() -> O>,
    pub(crate) record: PhantomData<fn() -> R>,
}

impl<R: RedisHash, O: From<R>> Subject for Whole<R, O> {
    type Value = R;
    type Output = O;

    fn hash(&self) -> &Hash<()> {
        &self.hash
    }

    fn names(&self) -> Vec<&str> {
        R::FIELDS.iter().map(|field| field.name).collect()
    }

    fn place(&self) -> Place {
        self.hash.place(None)
    }

    fn request(&self) -> Result<Request, Error> {
        self.hash.reads(Request::hmget(&self.hash.key, R::FIELDS.iter().map(|field| field.name)))
    }

    fn decode(&self, reply: Reply<'_>) -> Result<Result<R, O>, Error> {
        let mut fields = RecordReader::new::<R>(reply)?;
        match self.absent {
            Some(absent) if fields.all_absent() => Ok(Err(absent())),
            _ => R::read(&mut fields).map(Ok),
        }
    }

    fn encode(&self, record: &R, write: &mut Write) -> Result<(), Error> {
        record.write(write)
    }

    fn output(record: R) -> O {
        record.into()
    }
}

/// One field.
pub(crate) struct One<T, F> {
    pub(crate) hash: Hash<()>,
    pub(crate) name: Cow<'static, str>,
    pub(crate) default: Option<fn() -> T>,
    /// Milliseconds in which it expires after each write, 0: it does not; or why it cannot.
    pub(crate) ttl: Result<u64, Error>,
    pub(crate) format: PhantomData<fn() -> F>,
}

impl<T, F> One<T, F> {
    fn place(&self) -> Place {
        self.hash.place(Some(&self.name))
    }

    /// What an update or a `compare_and_set` gives it: what has no time of its own to be given keeps the one it has.
    pub(crate) fn changed_ttl(&self) -> Result<u64, Error>
    where
        F: Format<T>,
    {
        Ok(match self.ttl.clone()? {
            0 if F::EXPIRES => KEEP_TTL,
            ttl => ttl,
        })
    }

    fn reads(&self) -> Result<Request, Error> {
        let request = Request::hmget_many(&self.hash.key, std::slice::from_ref(&self.name))?;
        self.hash.reads(Ok(Request { one_field: true, ..request }))
    }

    /// Its bytes, as they are stored.
    fn raw(reply: Reply<'_>) -> Result<Option<Vec<u8>>, Error> {
        Ok(reply.values_of(1)?.pop().flatten())
    }

    fn decoded(&self, raw: Option<&[u8]>) -> Result<Option<T>, Error>
    where
        F: Format<T>,
    {
        match raw {
            Some(raw) => F::decode(raw).map(Some).map_err(|fault| Error::at(fault, self.hash.place(Some(&self.name)))),
            None => Ok(self.default.map(|default| default())),
        }
    }

    /// A write of this field, if it is as it was.
    fn guarded(
        &self,
        operation: &'static str,
        guard: Guard,
        set: impl FnOnce(&mut Write) -> Result<(), Error>,
    ) -> Result<Request, Error> {
        let mut write = self.hash.write_of(1, 0)?;
        write.guard(self.name.clone(), guard);
        set(&mut write)?;
        Ok(write.finish_field(operation, self.hash.expiry.on_write))
    }
}

impl<T, F> Subject for One<T, F>
where
    F: Format<T> + FormatOf<T, T>,
{
    type Value = T;
    type Output = F::Get;

    fn hash(&self) -> &Hash<()> {
        &self.hash
    }

    fn names(&self) -> Vec<&str> {
        vec![&self.name]
    }

    fn place(&self) -> Place {
        self.place()
    }

    fn request(&self) -> Result<Request, Error> {
        self.reads()
    }

    fn decode(&self, reply: Reply<'_>) -> Result<Result<T, F::Get>, Error> {
        let request = reply.request();
        match self.decoded(Self::raw(reply)?.as_deref())? {
            Some(value) => Ok(Ok(value)),
            None => F::absent(self.default).map(|absent| Err(absent())).ok_or_else(|| unexpected(request)),
        }
    }

    fn encode(&self, value: &T, write: &mut Write) -> Result<(), Error> {
        write.set_field::<T, F, T>(&self.name, value, self.changed_ttl()?)
    }

    fn output(value: T) -> F::Get {
        F::found(value)
    }
}

/// Read, compare, and write if it is still what was read.
pub(crate) struct WriteIf<T, F, C> {
    field: One<T, F>,
    is_expected: C,
    operation: &'static str,
    /// What to write; it was encoded before anything was sent.
    write: Result<Write, Error>,
    attempts: Attempts,
    writing: bool,
}

impl<T, F, C> WriteIf<T, F, C> {
    pub(crate) fn new(field: One<T, F>, is_expected: C, operation: &'static str, write: Result<Write, Error>) -> Self {
        let attempts = Attempts::new(field.hash.attempts);
        Self { field, is_expected, operation, write, attempts, writing: false }
    }
}

impl<T, F, C> Steps for WriteIf<T, F, C>
where
    F: Format<T>,
    C: FnMut(&T) -> bool,
{
    type Output = bool;
    type Error = Error;

    fn start(&mut self) -> Result<Step<bool>, Error> {
        self.write.clone()?;
        self.field.reads().map(Step::Send)
    }

    fn next(&mut self, reply: Reply<'_>) -> Result<Step<bool>, Error> {
        if self.writing {
            self.writing = false;
            return if reply.applied()? {
                Ok(Step::Done(true))
            } else {
                let Self { field, attempts, .. } = self;
                attempts.again(|| field.place(), field.reads())
            };
        }
        let raw = One::<T, F>::raw(reply)?;
        if !self.field.decoded(raw.as_deref())?.is_some_and(|current| (self.is_expected)(&current)) {
            return Ok(Step::Done(false));
        }
        let mut write = self.write.clone()?;
        write.guard(self.field.name.clone(), raw.map_or(Guard::Absent, Guard::Bytes));
        self.writing = true;
        Ok(Step::Send(write.finish_field(self.operation, self.field.hash.expiry.on_write)))
    }
}

/// Read and remove. A value is removed only when it is known to be readable: a plain scalar by its kind, in one step;
/// anything else after it was decoded, if it still is what was read.
pub(crate) struct Take<T, F> {
    field: One<T, F>,
    attempts: Attempts,
    /// What was read, while it is being removed.
    taken: Option<T>,
}

impl<T, F> Take<T, F> {
    pub(crate) fn new(field: One<T, F>) -> Self {
        let attempts = Attempts::new(field.hash.attempts);
        Self { field, attempts, taken: None }
    }
}

impl<T, F: Format<T> + FormatOf<T, T>> Steps for Take<T, F> {
    type Output = F::Get;
    type Error = Error;

    fn start(&mut self) -> Result<Step<F::Get>, Error> {
        let One { hash, name, .. } = &self.field;
        match F::readable_kind() {
            Some(kind) => Request::take(&hash.key, name, kind.byte(), hash.expiry.on_write),
            None => self.field.reads(),
        }
        .map(Step::Send)
    }

    fn next(&mut self, reply: Reply<'_>) -> Result<Step<F::Get>, Error> {
        let request = reply.request();
        if let Some(taken) = self.taken.take() {
            return if reply.applied()? {
                Ok(Step::Done(F::found(taken)))
            } else {
                let Self { field, attempts, .. } = self;
                attempts.again(|| field.place(), field.reads())
            };
        }
        if request.operation == TAKE.operation {
            return decode_field::<T, F>(reply, F::absent(self.field.default)).map(Step::Done);
        }
        let Some(raw) = One::<T, F>::raw(reply)? else {
            let absent = F::absent(self.field.default).ok_or_else(|| unexpected(request))?;
            return Ok(Step::Done(absent()));
        };
        self.taken = self.field.decoded(Some(&raw))?;
        let name = self.field.name.clone();
        let remove = self.field.guarded("take", Guard::Bytes(raw), |write| {
            write.remove(name);
            Ok(())
        })?;
        Ok(Step::Send(remove))
    }
}

/// Read one field as it is: `None` where it is absent, whatever its default.
#[cfg(feature = "tokio-comp")]
pub(crate) struct ReadOne<T, F>(pub(crate) One<T, F>);

#[cfg(feature = "tokio-comp")]
impl<T, F: Format<T>> Steps for ReadOne<T, F> {
    type Output = Option<T>;
    type Error = Error;

    fn start(&mut self) -> Result<Step<Option<T>>, Error> {
        self.0.ttl.clone()?;
        self.0.reads().map(Step::Send)
    }

    fn next(&mut self, reply: Reply<'_>) -> Result<Step<Option<T>>, Error> {
        let raw = One::<T, F>::raw(reply)?;
        let decoded = raw.map(|raw| self.0.decoded(Some(&raw))).transpose()?;
        Ok(Step::Done(decoded.flatten()))
    }
}

/// Read, and where there is nothing, make and write it, unless somebody else came first: then theirs.
pub(crate) struct GetOrInsert<T, F, M> {
    field: One<T, F>,
    make: Option<M>,
    /// What was made, once it has been sent.
    made: Option<T>,
    attempts: Attempts,
}

impl<T, F, M> GetOrInsert<T, F, M> {
    pub(crate) fn new(field: One<T, F>, make: M) -> Self {
        let attempts = Attempts::new(field.hash.attempts);
        Self { field, make: Some(make), made: None, attempts }
    }
}

impl<T, F, M, X> Steps for GetOrInsert<T, F, M>
where
    F: Format<T> + FormatOf<T, T>,
    M: FnOnce() -> Result<T, X>,
    X: From<Error>,
{
    type Output = T;
    type Error = X;

    fn start(&mut self) -> Result<Step<T>, X> {
        self.field.ttl.clone()?;
        Ok(self.field.reads().map(Step::Send)?)
    }

    fn next(&mut self, reply: Reply<'_>) -> Result<Step<T>, X> {
        let request = reply.request();
        // Each reply to a write is followed by a read, if any.
        if request.operation == OR_INSERT {
            if reply.applied()?
                && let Some(made) = self.made.take()
            {
                return Ok(Step::Done(made));
            }
            let Self { field, attempts, .. } = self;
            return Ok(attempts.again(|| field.place(), field.reads())?);
        }
        let raw = One::<T, F>::raw(reply)?;
        if let Some(raw) = raw {
            let stored = F::decode(&raw).map_err(|fault| Error::at(fault, request.place()))?;
            return Ok(Step::Done(stored));
        }
        if let Some(make) = self.make.take() {
            self.made = Some(make()?);
        }
        let Some(made) = &self.made else { return Err(unexpected(request).into()) };
        let field = &self.field;
        let write = field.guarded(OR_INSERT, Guard::Absent, |write| {
            write.set_field::<T, F, T>(&field.name, made, field.ttl.clone()?)
        })?;
        Ok(Step::Send(write))
    }
}

const OR_INSERT: &str = "get_or_insert_with";
