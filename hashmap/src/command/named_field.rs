//! The declared fields of records, as const data: what a field is called, what its absence means, how it is stored.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use crate::command::changes::{Buffer, Changes, encode};
use crate::command::ttl::FieldTtl;
use crate::error::Error;
use crate::error::fault::Fault;
use crate::format::storage::{Bincode, Format, FormatOf};

/// A field of a record, as declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldInfo {
    /// Its name in Redis.
    pub name: &'static str,
    /// What its absence means.
    pub presence: Presence,
    /// How long it lives after each write, if it declares that: `#[redis_hash(ttl = "5m")]`.
    pub ttl: Option<Duration>,
}

/// What it means for a record that a field is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Presence {
    /// There is no whole record without it.
    Required,
    /// It is `None`.
    Optional,
    /// It is its default.
    Defaulted,
}

/// A field of a record by name, to be read by [`Record::get_many`](crate::Record::get_many).
///
/// The derive makes one constant of it for each field, and it is the one place where a field's type is asked whether it
/// can be stored: a type that cannot is one error.
pub struct NamedField<T, F = Bincode> {
    info: FieldInfo,
    encode: fn(&mut Buffer, &T, usize) -> Result<(), Fault>,
    decode: fn(&[u8]) -> Result<T, Fault>,
    default: Option<fn() -> T>,
    format: PhantomData<fn() -> F>,
}

impl<T, F> NamedField<T, F> {
    const fn new<S: FormatOf<T, T> + Format<T>>(name: &'static str, presence: Presence) -> Self {
        let info = FieldInfo { name, presence, ttl: None };
        Self { info, encode: encode::<T, S, T>, decode: S::decode, default: None, format: PhantomData }
    }

    /// Its name in Redis.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.info.name
    }

    pub(crate) fn ttl(&self) -> FieldTtl {
        FieldTtl::declared(self.info.ttl)
    }

    pub(crate) fn default(&self) -> Option<fn() -> T> {
        self.default
    }

    pub(crate) fn decode(&self, stored: &[u8]) -> Result<T, Fault> {
        (self.decode)(stored)
    }
}

/// For generated code. `S` is how the field is stored; `F` is that with what stands for its absence.
#[doc(hidden)]
impl<T, F> NamedField<T, F> {
    #[must_use]
    pub const fn required<S: FormatOf<T, T> + Format<T>>(name: &'static str) -> Self {
        Self::new::<S>(name, Presence::Required)
    }

    #[must_use]
    pub const fn optional<S: FormatOf<T, T> + Format<T>>(name: &'static str) -> Self {
        Self::new::<S>(name, Presence::Optional)
    }

    #[must_use]
    pub const fn defaulted<S: FormatOf<T, T> + Format<T>>(name: &'static str, default: fn() -> T) -> Self {
        Self { default: Some(default), ..Self::new::<S>(name, Presence::Defaulted) }
    }

    /// With the milliseconds in which it expires after each write.
    #[must_use]
    pub const fn expiring(mut self, ttl: u64) -> Self {
        self.info.ttl = Some(Duration::from_millis(ttl));
        self
    }

    #[must_use]
    pub const fn info(&self) -> FieldInfo {
        self.info
    }

    /// Sets the field.
    pub fn set(&self, value: &T, out: &mut Changes) -> Result<(), Error> {
        out.append(self.info.name.into(), self.ttl(), |buffer, limit| (self.encode)(buffer, value, limit))
    }

    /// Sets an optional field, or removes it.
    pub fn set_option(&self, value: Option<&T>, out: &mut Changes) -> Result<(), Error> {
        let Some(value) = value else {
            out.remove(self.info.name.into());
            return Ok(());
        };
        self.set(value, out)
    }

    /// Sets the field, or leaves it alone.
    pub fn patch(&self, value: Option<&T>, out: &mut Changes) -> Result<(), Error> {
        value.map_or(Ok(()), |value| self.set(value, out))
    }

    /// Sets an optional field, removes it, or leaves it alone.
    pub fn patch_option(&self, value: Option<&Option<T>>, out: &mut Changes) -> Result<(), Error> {
        value.map_or(Ok(()), |value| self.set_option(value.as_ref(), out))
    }
}

impl<T, F> Clone for NamedField<T, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, F> Copy for NamedField<T, F> {}

impl<T, F> fmt::Debug for NamedField<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NamedField({:?})", self.info.name)
    }
}
