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
    name: fn() -> &'static str,
    pub(crate) stored_as: StoredAs,
    /// Reads one of its values as it is stored today. `None` if it is none.
    read: fn(&[u8]) -> Converted<T>,
    /// Reads one by the schema of its writer, and tells what is not read. `None` if that has not written it.
    read_by: fn(&Schema, &[u8], &Ignored) -> Converted<T>,
}

/// The types that a field was.
pub struct Conversions<T: 'static>(pub &'static [Was<T>]);

impl<T> Was<T> {
    /// A type that was stored with its kind and shape.
    #[must_use]
    pub const fn encoded<Old: Serialize + DeserializeOwned>() -> Self
    where
        T: TryFrom<Old>,
    {
        Self {
            name: type_name::<Old>,
            stored_as: StoredAs::Bincode,
            read: |stored| format::decode::<Old>(stored).ok().map(convert),
            read_by: |schema, stored, ignored| {
                let old = match format::decode::<Old>(stored) {
                    Ok(old) => Ok(old),
                    Err(_) => resolve::read_and_tell::<Old>(schema, stored, ignored)?,
                };
                Some(old.and_then(convert))
            },
        }
    }

    /// A type that was stored as plain text.
    #[must_use]
    pub const fn text<Old: FromStr>() -> Self
    where
        T: TryFrom<Old>,
    {
        Self {
            name: type_name::<Old>,
            stored_as: StoredAs::Text,
            read: |stored| format::from_text::<Old>(stored).ok().map(convert),
            read_by: |_, _, _| None,
        }
    }

    /// A counter.
    #[must_use]
    pub const fn counter() -> Self
    where
        T: TryFrom<i64>,
    {
        Self {
            name: type_name::<i64>,
            stored_as: StoredAs::Counter,
            read: |stored| format::count(stored).map(convert),
            read_by: |_, _, _| None,
        }
    }

    /// The name of the type, without the paths of modules.
    pub(crate) fn name(&self) -> String {
        without_paths((self.name)())
    }

    /// Reads one of its values, by the schema of its writer if that is given.
    pub(crate) fn read(&self, schema: Option<&Schema>, stored: &[u8], ignored: &Ignored) -> Converted<T> {
        schema.map_or_else(|| (self.read)(stored), |schema| (self.read_by)(schema, stored, ignored))
    }
}

/// The error of a conversion can quote the value, so it is not passed on.
fn convert<Old, T: TryFrom<Old>>(old: Old) -> Result<T, DecodeFault> {
    T::try_from(old).map_err(|_| DecodeFault::Conversion)
}

impl<T> fmt::Debug for Was<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Was({:?})", self.name())
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
    let by = |past: &&Past| Some((past.words.clone(), resolve::read(&past.schema, stored)?));
    match known.schemas.iter().copied().filter(|past| past.was.is_none()).find_map(|past| by(&past)) {
        Some((_, Ok(value))) => Ok(value),
        Some((words, Err(problem))) => Err(Fault::OtherShape {
            stored: kind,
            asked: type_name::<T>(),
            problem: format!("it was stored as {words}: {problem}; {}", problem.innermost().cure()),
        }),
        None => read_converted(known, stored, fault),
    }
}

/// Reads a value of a type that the field was, for `fault`.
pub(crate) fn read_converted<T: 'static>(known: &Known<'_>, stored: &[u8], fault: Fault) -> Result<T, Fault> {
    let conversions = known.conversions.and_then(|conversions| conversions.downcast_ref::<Conversions<T>>());
    for was in conversions.map_or(&[][..], |conversions| conversions.0) {
        let name = was.name();
        let by_schema = |past: &&Past| {
            let is_its = past.was.as_ref() == Some(&name);
            is_its.then(|| was.read(Some(&past.schema), stored, &RefCell::default())).flatten()
        };
        let read = was.read(None, stored, &RefCell::default());
        match read.or_else(|| known.schemas.iter().find_map(by_schema)) {
            None => {}
            Some(Ok(value)) => return Ok(value),
            Some(Err(problem)) => {
                let (was, asked) = ((was.name)(), type_name::<T>());
                return Err(Fault::Conversion { was, asked, problem: problem.to_string() });
            }
        }
    }
    Err(fault)
}

/// The name of a type without the paths of modules, as `Vec<Address>`.
pub(crate) fn without_paths(type_name: &str) -> String {
    let mut short = String::new();
    for part in type_name.split_inclusive(|char: char| !(char.is_alphanumeric() || char == '_' || char == ':')) {
        short.push_str(part.rsplit("::").next().unwrap_or(part));
    }
    short
}
