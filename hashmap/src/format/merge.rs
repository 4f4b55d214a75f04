//! Merges a part of a value into the whole: JSON Merge Patch, RFC 7396.

use std::any::type_name;
use std::fmt;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::error::fault::Fault;
use crate::format as codec;
use crate::format::given::IntoValue;
use crate::format::shape::MAX_DEPTH;

/// What a patch does to a field that is declared as `#[redis_hash(merge)]`: it sets the field, or changes parts of its
/// value.
///
/// serde reads an object as parts, and anything else as the value. The parts are a JSON Merge Patch
/// ([RFC 7396](https://www.rfc-editor.org/rfc/rfc7396)): what they name is changed, also in objects within objects; `null`
/// removes; lists are replaced as a whole.
///
/// The names are those that serde gives to the value's own fields. A variant of an enum that holds something is an object
/// of one name too: `{"Home": null, "Work": "x"}` makes a `Work` of a `Home`.
#[derive(Clone, PartialEq)]
pub enum Merge<T> {
    /// Sets the field.
    Set(T),
    /// Changes these parts of its value.
    Parts(Map<String, Value>),
}

impl<T> fmt::Debug for Merge<T> {
    /// Shows which it is, and no values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Set(_) => "Set(…)",
            Self::Parts(_) => "Parts(…)",
        })
    }
}

impl<T> From<T> for Merge<T> {
    fn from(value: T) -> Self {
        Self::Set(value)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Merge<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Object(parts) => Ok(Self::Parts(parts)),
            value => T::deserialize(value).map(Self::Set).map_err(D::Error::custom),
        }
    }
}

/// What the builder of a patch makes of what it is given for a merged field.
#[doc(hidden)]
pub fn given<T>(value: impl IntoValue<T>) -> Merge<T> {
    Merge::Set(value.into_value())
}

/// What the builder of a patch makes of what it is given for an optional merged field.
#[doc(hidden)]
pub fn given_option<T>(value: impl IntoValue<Option<T>>) -> Option<Merge<T>> {
    value.into_value().map(Merge::Set)
}

/// Changes parts of a value. Where there is none, the parts have to be all of it.
pub(crate) fn merged<T: Serialize + DeserializeOwned>(
    current: Option<&T>,
    parts: &Map<String, Value>,
) -> Result<T, Fault> {
    let mut tree = current.map_or_else(|| Ok(Value::Null), tree_of)?;
    merge(&mut tree, parts, 0).ok_or_else(|| refused::<T>("it nests too deep"))?;
    // serde's text would quote the value.
    serde_json::from_value(tree).map_err(|_| {
        refused::<T>(if current.is_some() {
            "one of its parts is of another type or has an unknown name, or something that is needed is removed"
        } else {
            "nothing is stored to be merged with, and it is not a whole value by itself"
        })
    })
}

/// The value as JSON, from which it must be possible to make it again.
fn tree_of<T: Serialize + DeserializeOwned>(value: &T) -> Result<Value, Fault> {
    let no_json = |problem| Fault::NoJson { written: type_name::<T>(), problem };
    let tree = serde_json::to_value(value).map_err(|_| no_json("it has no form in JSON"))?;
    let read = T::deserialize(&tree).map_err(|_| no_json("it does not read back from JSON"))?;
    if bytes_of(value)? == bytes_of(&read)? { Ok(tree) } else { Err(no_json("JSON changes it")) }
}

/// How often each byte occurs in the stored form. The order of a map's entries does not count.
fn bytes_of<T: Serialize>(value: &T) -> Result<[usize; 256], Fault> {
    let shape = codec::plan(value, usize::MAX)?;
    let mut bytes = Vec::with_capacity(shape.len());
    codec::write(value, &shape, &mut bytes)?;
    let mut counts = [0; 256];
    for byte in bytes {
        counts[usize::from(byte)] += 1;
    }
    Ok(counts)
}

/// RFC 7396, section 2. Returns `None` where it nests too deep.
fn merge(target: &mut Value, parts: &Map<String, Value>, depth: i32) -> Option<()> {
    if depth > MAX_DEPTH {
        return None;
    }
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let object = target.as_object_mut()?;
    for (name, part) in parts {
        match part {
            Value::Null => drop(object.remove(name)),
            Value::Object(parts) => merge(object.entry(name).or_insert(Value::Null), parts, depth + 1)?,
            value => drop(object.insert(name.clone(), value.clone())),
        }
    }
    Some(())
}

fn refused<T>(problem: &'static str) -> Fault {
    Fault::Merge { written: type_name::<T>(), problem }
}
