//! The subjects of operations of several steps, which read and write back one field or a whole record.

use std::marker::PhantomData;

use crate::command::changes::{Changes, Guard};
use crate::command::name::Name;
use crate::command::redis::{hgetex_one, hmget_declared, hmget_one, write_changes, write_field};
use crate::command::redis_hash::{RedisHash, read_record};
use crate::command::reply::Values;
use crate::command::request::Request;
use crate::command::target::Target;
use crate::command::ttl::FieldTtl;
use crate::error::Error;
use crate::error::place::Place;
use crate::format::given::ToStored;
use crate::format::storage::{Format, FormatOf};
use crate::run::mailbox::Mailbox;

/// What an update reads, changes and writes back: one field, or a whole record.
pub(crate) trait Subject {
    type Value;
    /// The result of the operation.
    type Output;

    fn target(&self) -> &Target;

    fn place(&self) -> Place;

    /// Makes the request that reads the subject's fields.
    fn read(&self) -> Result<Request, Error>;

    /// Decodes the stored value.
    fn decode(&self, values: &Values<'_>) -> Result<Stored<Self::Value, Self::Output>, Error>;

    /// Makes the changes that set all fields, in the order in which they are read.
    fn encode(&self, value: &Self::Value) -> Result<Changes, Error>;

    fn write(&self, changes: Changes) -> Result<Request, Error>;

    fn output(value: Self::Value) -> Self::Output;
}

/// The stored value, or what to return where nothing is stored.
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

/// What stands for a record where nothing is stored.
pub(crate) enum Absence<O> {
    /// Nothing: the operation returns this.
    Returns(fn() -> O),
    /// A record made of its defaults.
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
            _ => read_record(values).map(Stored::Value),
        }
    }

    fn encode(&self, record: &R) -> Result<Changes, Error> {
        let mut changes = self.target.changes(R::FIELDS.len(), size_of::<R>())?;
        record.write(&mut changes)?;
        Ok(changes)
    }

    fn write(&self, changes: Changes) -> Result<Request, Error> {
        // An error about a record of one field names that field, which is what the write guards.
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
    /// What a write does to the field's time to live, or why the one that was asked for cannot be given.
    pub(crate) ttl: Result<FieldTtl, Error>,
    pub(crate) format: PhantomData<fn() -> F>,
}

impl<T, F: Format<T>> OneField<T, F> {
    pub(crate) fn place(&self) -> Place {
        self.target.place(Some(&self.name))
    }

    /// Makes the request that reads the field before a closure makes what is written. Where that is to expire, the request
    /// fails on a server that cannot do that.
    fn read_before_closure(&self) -> Result<Request, Error> {
        let read = if let Ok(FieldTtl::Limited(_)) = self.ttl { hgetex_one } else { hmget_one };
        read(&self.target, self.name.clone())
    }

    /// Reads the bytes that are stored.
    pub(crate) async fn stored(&self, mailbox: &Mailbox) -> Result<Option<Vec<u8>>, Error> {
        let request = hmget_one(&self.target, self.name.clone())?;
        mailbox.send(&request).await?.values()?.take(0)
    }

    /// Reads the bytes that are stored, before a closure makes what is written.
    pub(crate) async fn stored_before_closure(&self, mailbox: &Mailbox) -> Result<Option<Vec<u8>>, Error> {
        let request = self.read_before_closure()?;
        mailbox.send(&request).await?.values()?.take(0)
    }

    pub(crate) fn decode(&self, stored: &[u8]) -> Result<T, Error> {
        self.name.decode::<T, F>(stored).map_err(|fault| Error::at(fault, self.place()))
    }

    /// Makes what `get` returns where the field is absent.
    pub(crate) fn absent(&self) -> Result<F::Get, Error> {
        let absent = F::absent(self.default).ok_or_else(|| Error::MissingField { place: self.place() })?;
        Ok(absent())
    }

    /// Says what a change of the value does to the time to live: a field that declares none keeps the one it has.
    pub(crate) fn ttl_of_change(&self) -> Result<FieldTtl, Error> {
        Ok(match self.ttl.clone()? {
            FieldTtl::Unlimited if F::EXPIRES => FieldTtl::Keep,
            ttl => ttl,
        })
    }

    /// Makes the change that removes the field.
    pub(crate) fn removal(&self) -> Result<Changes, Error> {
        let mut changes = self.target.changes(1, 0)?;
        changes.remove(self.name.clone());
        Ok(changes)
    }

    /// Makes the change that sets the field to a value.
    #[expect(clippy::needless_pass_by_value, reason = "it may be a reference")]
    pub(crate) fn change<V: ToStored<T>>(&self, value: V, ttl: FieldTtl) -> Result<Changes, Error>
    where
        F: FormatOf<T, V::As>,
    {
        let mut changes = self.target.changes(1, 0)?;
        changes.set::<T, F, V::As>(self.name.clone(), value.to_stored(), ttl)?;
        Ok(changes)
    }

    /// Makes the request that writes the field if it is still stored as it was read.
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
        self.read_before_closure()
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
