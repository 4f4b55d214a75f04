//! The declared fields of records, as const data: the name of a field, what its absence means, how it is stored.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use crate::command::changes::{Buffer, Changes, encode};
use crate::command::name::{DeclaredName, Name};
use crate::command::ttl::FieldTtl;
use crate::error::Error;
use crate::error::fault::Fault;
use crate::format::storage::{Bincode, Format, FormatOf};
use crate::schema::history::Older;

/// What a struct declares about one field of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldInfo {
    /// The name of the field in Redis.
    pub name: &'static str,
    /// The names under which it was stored before: `#[redis_hash(alias = "…")]`.
    pub aliases: &'static [&'static str],
    /// What the absence of the field means.
    pub presence: Presence,
    /// The time to live that each write gives the field, if it declares one: `#[redis_hash(ttl = "5m")]`.
    pub ttl: Option<Duration>,
}

/// What the absence of a field means for its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Presence {
    /// The record is not whole without the field.
    Required,
    /// The field is `None`.
    Optional,
    /// The field is its default.
    Defaulted,
}

/// A field of a record by name, for [`Record::get_many`](crate::Record::get_many) to read.
///
/// The derive makes one constant of this type for each field. It alone requires that the field's type can be stored, so
/// a type that cannot be stored is reported in one place.
pub struct NamedField<T, F = Bincode> {
    name: &'static DeclaredName,
    presence: Presence,
    ttl: Option<Duration>,
    encode: fn(&mut Buffer, &T, usize) -> Result<(), Fault>,
    decode: fn(&[u8]) -> Result<T, Fault>,
    default: Option<fn() -> T>,
    older: Older<T>,
    format: PhantomData<fn() -> F>,
}

impl<T, F> NamedField<T, F> {
    const fn new<S: FormatOf<T, T> + Format<T>>(name: &'static DeclaredName, presence: Presence) -> Self {
        Self {
            name,
            presence,
            ttl: None,
            encode: encode::<T, S, T>,
            decode: S::decode,
            default: None,
            older: S::older,
            format: PhantomData,
        }
    }

    /// Returns the name of the field in Redis.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name.name
    }

    pub(crate) fn names(&self) -> Name {
        Name::Declared(self.name)
    }

    pub(crate) fn ttl(&self) -> FieldTtl {
        FieldTtl::declared(self.ttl)
    }

    pub(crate) fn default(&self) -> Option<fn() -> T> {
        self.default
    }

    pub(crate) fn decode(&self, stored: &[u8]) -> Result<T, Fault> {
        (self.decode)(stored).or_else(|fault| self.name.decode_older(stored, fault, self.older))
    }
}

/// For generated code. `S` says how the field is stored; `F` says that and what stands for its absence.
#[doc(hidden)]
impl<T, F> NamedField<T, F> {
    #[must_use]
    pub const fn required<S: FormatOf<T, T> + Format<T>>(name: &'static DeclaredName) -> Self {
        Self::new::<S>(name, Presence::Required)
    }

    #[must_use]
    pub const fn optional<S: FormatOf<T, T> + Format<T>>(name: &'static DeclaredName) -> Self {
        Self::new::<S>(name, Presence::Optional)
    }

    #[must_use]
    pub const fn defaulted<S: FormatOf<T, T> + Format<T>>(name: &'static DeclaredName, default: fn() -> T) -> Self {
        Self { default: Some(default), ..Self::new::<S>(name, Presence::Defaulted) }
    }

    /// Declares a time to live, which each write gives the field.
    #[must_use]
    pub const fn expiring(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    #[must_use]
    pub const fn info(&self) -> FieldInfo {
        FieldInfo { name: self.name.name, aliases: self.name.aliases, presence: self.presence, ttl: self.ttl }
    }

    /// Sets the field.
    pub fn set(&self, value: &T, out: &mut Changes) -> Result<(), Error> {
        out.append(self.names(), self.ttl(), |buffer, limit| (self.encode)(buffer, value, limit))
    }

    /// Sets an optional field, or removes it for `None`.
    pub fn set_option(&self, value: Option<&T>, out: &mut Changes) -> Result<(), Error> {
        let Some(value) = value else {
            out.remove(self.names());
            return Ok(());
        };
        self.set(value, out)
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
        write!(f, "NamedField({:?})", self.name.name)
    }
}
