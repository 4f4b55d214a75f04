//! What operations of several steps read and write back: one field, or a whole record.

use std::marker::PhantomData;

use crate::command::changes::{Changes, Guard, Name};
use crate::command::redis::{hmget_declared, hmget_one, write_changes, write_field};
use crate::command::redis_hash::{RecordReader, RedisHash};
use crate::command::reply::Values;
use crate::command::request::Request;
use crate::command::target::Target;
use crate::command::ttl::FieldTtl;
use crate::error::{Error, Place};
use crate::format::storage::{Format, FormatOf};
use crate::run::mailbox::Mailbox;

/// What an update reads, changes and writes back.
pub(crate) trait Subject {
    type Value;
    /// What the operation returns of it.
    type Output;

    fn target(&self) -> &Target;

    fn place(&self) -> Place;

    /// Asks for its fields.
    fn read(&self) -> Result<Request, Error>;

    /// The value that is stored.
    fn decode(&self, values: &Values<'_>) -> Result<Stored<Self::Value, Self::Output>, Error>;

    /// All its fields, in the order in which they are read.
    fn encode(&self, value: &Self::Value) -> Result<Changes, Error>;

    fn write(&self, changes: Changes) -> Result<Request, Error>;

    fn output(value: Self::Value) -> Self::Output;
}

/// What is stored, or what to return where nothing is.
pub(crate) enum Stored<V, O> {
    Value(V),
    Absent(O),
}

/// A whole record.
pub(crate) struct WholeRecord<R, O> {
    pub(crate) target: Target,
    pub(crate) absence: Absence<O>,
    pub(crate) record: PhantomData<fn() -> R>,
}

/// What a record is where nothing is stored.
pub(crate) enum Absence<O> {
    /// No record: the operation returns this.
    Returns(fn() -> O),
    /// A record of defaults.
    Defaults,
}

impl<R: RedisHash, O: From<R>> Subject for WholeRecord<R, O> {
    type Value = R;
    type Output = O;

    fn target(&self) -> &Target {
        &self.target
    }

    fn place(&self) -> Place {
        self.target.place(None)
    }

    fn read(&self) -> Result<Request, Error> {
        hmget_declared(&self.target, R::FIELDS)
    }

    fn decode(&self, values: &Values<'_>) -> Result<Stored<R, O>, Error> {
        match self.absence {
            Absence::Returns(absent) if values.all_absent() => Ok(Stored::Absent(absent())),
            _ => R::read(&mut RecordReader::new(values)).map(Stored::Value),
        }
    }

    fn encode(&self, record: &R) -> Result<Changes, Error> {
        let mut changes = self.target.changes(R::FIELDS.len(), size_of::<R>())?;
        record.write(&mut changes)?;
        Ok(changes)
    }

    fn write(&self, changes: Changes) -> Result<Request, Error> {
        // A record of one field is guarded, and so reported, by that.
        let write = if R::FIELDS.len() == 1 { write_field } else { write_changes };
        write(&self.target, "update", changes)
    }

    fn output(record: R) -> O {
        record.into()
    }
}

/// One field of a hash.
pub(crate) struct OneField<T, F> {
    pub(crate) target: Target,
    pub(crate) name: Name,
    pub(crate) default: Option<fn() -> T>,
    /// What a write does to its time to live, or why that cannot be done.
    pub(crate) ttl: Result<FieldTtl, Error>,
    pub(crate) format: PhantomData<fn() -> F>,
}

impl<T, F: Format<T>> OneField<T, F> {
    pub(crate) fn place(&self) -> Place {
        self.target.place(Some(&self.name))
    }

    fn request(&self) -> Result<Request, Error> {
        hmget_one(&self.target, self.name.clone())
    }

    /// Reads the bytes that are stored.
    pub(crate) async fn stored(&self, mailbox: &Mailbox) -> Result<Option<Vec<u8>>, Error> {
        let request = self.request()?;
        mailbox.send(&request).await?.values()?.take(0)
    }

    pub(crate) fn decode(&self, stored: &[u8]) -> Result<T, Error> {
        F::decode(stored).map_err(|fault| Error::at(fault, self.place()))
    }

    /// What `get` returns where it is absent.
    pub(crate) fn absent(&self) -> Result<F::Get, Error> {
        let absent = F::absent(self.default).ok_or_else(|| Error::MissingField { place: self.place() })?;
        Ok(absent())
    }

    /// What becomes of its time to live where its value is changed: what declares none keeps the one it has.
    pub(crate) fn ttl_of_change(&self) -> Result<FieldTtl, Error> {
        Ok(match self.ttl.clone()? {
            FieldTtl::Unlimited if F::EXPIRES => FieldTtl::Keep,
            ttl => ttl,
        })
    }

    /// Its removal.
    pub(crate) fn removal(&self) -> Result<Changes, Error> {
        let mut changes = self.target.changes(1, 0)?;
        changes.remove(self.name.clone());
        Ok(changes)
    }

    /// Its change to a value.
    pub(crate) fn change<Q: ?Sized>(&self, value: &Q, ttl: FieldTtl) -> Result<Changes, Error>
    where
        F: FormatOf<T, Q>,
    {
        let mut changes = self.target.changes(1, 0)?;
        changes.set::<T, F, Q>(self.name.clone(), value, ttl)?;
        Ok(changes)
    }

    /// A write of it, if it is still what was read.
    pub(crate) fn write_if_still(
        &self,
        stored: Option<Vec<u8>>,
        operation: &'static str,
        change: Changes,
    ) -> Result<Request, Error> {
        let guard = stored.map_or(Guard::Absent, Guard::Stored);
        write_field(&self.target, operation, change.guard(guard))
    }
}

impl<T, F> Subject for OneField<T, F>
where
    F: Format<T> + FormatOf<T, T>,
{
    type Value = T;
    type Output = F::Get;

    fn target(&self) -> &Target {
        &self.target
    }

    fn place(&self) -> Place {
        self.place()
    }

    fn read(&self) -> Result<Request, Error> {
        self.request()
    }

    fn decode(&self, values: &Values<'_>) -> Result<Stored<T, F::Get>, Error> {
        match (values.get(0)?, self.default) {
            (Some(stored), _) => self.decode(stored).map(Stored::Value),
            (None, Some(default)) => Ok(Stored::Value(default())),
            (None, None) => self.absent().map(Stored::Absent),
        }
    }

    fn encode(&self, value: &T) -> Result<Changes, Error> {
        self.change(value, self.ttl_of_change()?)
    }

    fn write(&self, changes: Changes) -> Result<Request, Error> {
        write_field(&self.target, "update", changes)
    }

    fn output(value: T) -> F::Get {
        F::found(value)
    }
}
