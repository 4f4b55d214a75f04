//! Reads what older versions of a record have stored in a field: by the schemas that its type has had, and through the types
//! that it was before its meaning changed.

use std::any::{Any, type_name};
use std::cell::RefCell;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::fault::Fault;
use crate::format;
use crate::format::decode_fault::DecodeFault;
use crate::format::resolve;
use crate::format::schema::Schema;

/// A schema that a field has had.
#[derive(Debug, Clone)]
pub(crate) struct Past {
    /// What it is, in words.
    pub(crate) words: String,
    pub(crate) schema: Schema,
    /// The name of the type through which its values are converted.
    pub(crate) was: Option<String>,
}

/// All that is known of the past of a field.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    pub(crate) schemas: &'a [&'a Past],
    /// A [`Conversions`] of the field's type.
    pub(crate) conversions: Option<&'static (dyn Any + Send + Sync)>,
}

/// How the values of a type that a field was are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoredAs {
    Bincode,
    Text,
    Counter,
}

/// The fields of structs that are stored and not read.
type Ignored = RefCell<Vec<String>>;

/// What a value becomes. `None` if it is none of the type that is converted.
type Converted<T> = Option<Result<T, DecodeFault>>;

/// A type that a field was before its meaning changed, and how its values become a `T`: `#[redis_hash(was = OldType)]`.
pub struct Was<T> {
    /// The type, as the attribute names it.
    pub(crate) name: &'static str,
    pub(crate) stored_as: StoredAs,
    read: fn(&[u8], How<'_>) -> Converted<T>,
}

/// How a value is read as one of a type that the field was.
#[derive(Clone, Copy)]
pub(crate) enum How<'a> {
    /// As it is stored today: a number at its own width.
    Exactly,
    /// A number at any width.
    AtAnyWidth,
    /// By the schema of its writer. What is not read is told.
    By(&'a Schema, &'a Ignored),
}

/// The types that a field was.
pub struct Conversions<T: 'static>(pub &'static [Was<T>]);

impl<T> Was<T> {
    /// A type that was stored with its kind and shape.
    #[must_use]
    pub const fn encoded<Old: Serialize + DeserializeOwned>(name: &'static str) -> Self
    where
        T: TryFrom<Old>,
    {
        let read = |stored: &[u8], how: How<'_>| {
            let old = match how {
                How::Exactly if !format::is_of_its_kind::<Old>(stored) => return None,
                How::Exactly | How::AtAnyWidth => Ok(format::decode::<Old>(stored).ok()?),
                How::By(schema, ignored) => {
                    let by_names = resolve::read_and_tell::<Old>(schema, stored, ignored)?;
                    format::decode::<Old>(stored).map_or(by_names, Ok)
                }
            };
            Some(old.and_then(convert))
        };
        Self { name, stored_as: StoredAs::Bincode, read }
    }

    /// A type that was stored as plain text.
    #[must_use]
    pub const fn text<Old: FromStr>(name: &'static str) -> Self
    where
        T: TryFrom<Old>,
    {
        let read = |stored: &[u8], _: How<'_>| format::from_text::<Old>(stored).ok().map(convert);
        Self { name, stored_as: StoredAs::Text, read }
    }

    /// A counter.
    #[must_use]
    pub const fn counter() -> Self
    where
        T: TryFrom<i64>,
    {
        let read = |stored: &[u8], _: How<'_>| format::count(stored).map(convert);
        Self { name: "i64", stored_as: StoredAs::Counter, read }
    }

    pub(crate) fn read(&self, stored: &[u8], how: How<'_>) -> Converted<T> {
        (self.read)(stored, how)
    }
}

impl<T> Conversions<T> {
    /// Converts a value of one of the types, and says of which: of one that is stored so today, or else of one that has a schema
    /// which has written it, or else of a number.
    pub(crate) fn take(&self, schemas: &[&Past], stored: &[u8]) -> Option<(usize, Result<T, DecodeFault>)> {
        let as_stored = |how| {
            let mut types = self.0.iter().enumerate();
            types.find_map(|(index, was)| Some((index, was.read(stored, how)?)))
        };
        let by_schema = |past: &&Past| {
            let is_its = |was: &Was<T>| was.stored_as == StoredAs::Bincode && past.was.as_deref() == Some(was.name);
            let index = self.0.iter().position(is_its)?;
            Some((index, self.0[index].read(stored, How::By(&past.schema, &RefCell::default()))?))
        };
        as_stored(How::Exactly).or_else(|| schemas.iter().find_map(by_schema)).or_else(|| as_stored(How::AtAnyWidth))
    }
}

/// The error of a conversion can quote the value, so it is not passed on.
fn convert<Old, T: TryFrom<Old>>(old: Old) -> Result<T, DecodeFault> {
    T::try_from(old).map_err(|_| DecodeFault::Conversion)
}

impl<T> fmt::Debug for Was<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Was({:?})", self.name)
    }
}

/// Reads a value that is not one of today's `T`, for `fault`: one that a schema of an older `T` has written, or one of a type
/// that the field was.
pub(crate) fn read_encoded<T: DeserializeOwned + 'static>(
    known: &Known<'_>,
    stored: &[u8],
    fault: Fault,
) -> Result<T, Fault> {
    let (Fault::OtherShape { stored: kind, .. } | Fault::WrongType { stored: kind, .. }) = fault else {
        return read_converted(known, stored, fault);
    };
    // Two schemas that have both written a value give the same values to the same names.
    let mut of_today = known.schemas.iter().filter(|past| past.was.is_none());
    match of_today.find_map(|past| Some((&past.words, resolve::read(&past.schema, stored)?))) {
        Some((_, Ok(value))) => Ok(value),
        Some((words, Err(problem))) => Err(Fault::OtherShape {
            stored: kind,
            asked: type_name::<T>(),
            problem: format!("it was stored as {words}: {problem}; {}", problem.innermost().cure()),
        }),
        None if known.schemas.is_empty() => read_converted(known, stored, fault),
        None => read_converted(known, stored, fault.and("no schema in its file has written it")),
    }
}

/// Reads a value of a type that the field was, for `fault`.
pub(crate) fn read_converted<T: 'static>(known: &Known<'_>, stored: &[u8], fault: Fault) -> Result<T, Fault> {
    let conversions = known.conversions.and_then(|conversions| conversions.downcast_ref::<Conversions<T>>());
    let taken = conversions.and_then(|conversions| Some((conversions, conversions.take(known.schemas, stored)?)));
    match taken {
        None => Err(fault),
        Some((_, (_, Ok(value)))) => Ok(value),
        Some((conversions, (index, Err(problem)))) => {
            let was = conversions.0.get(index).map_or("", |was| was.name);
            Err(Fault::Conversion { was, asked: type_name::<T>(), problem: problem.to_string() })
        }
    }
}
