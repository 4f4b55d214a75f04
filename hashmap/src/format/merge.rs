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
/// The names are those that serde writes for the value's own fields: an unknown name, and an `alias`, are refused, because
/// what they say would be lost. A variant of an enum that holds something is an object of one name too:
/// `{"Home": null, "Work": "x"}` makes a `Work` of a `Home`.
///
/// Merging goes through JSON. A stored value that JSON would change (it holds a NaN, or a map with keys that are no text)
/// is [`Error::NoJson`](crate::Error::NoJson), and nothing is written.
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
    let merged: T = serde_json::from_value(tree).map_err(|_| {
        refused::<T>(if current.is_some() {
            "one of its parts is of another type or has an unknown name, or something that is needed is removed"
        } else {
            "nothing is stored to be merged with, and it is not a whole value by itself"
        })
    })?;
    // What serde took without a word, and did not keep.
    let Ok(tree) = tree_of(&merged) else {
        return Err(refused::<T>("what it makes does not read back from JSON"));
    };
    if has_names(&tree, parts) { Ok(merged) } else { Err(refused::<T>("one of its parts has an unknown name")) }
}

/// True if every name to which the parts give a value is a name of the whole.
fn has_names(tree: &Value, parts: &Map<String, Value>) -> bool {
    parts.iter().all(|(name, part)| match (part, tree.get(name)) {
        (Value::Null, _) => true,
        (Value::Object(parts), Some(tree)) => has_names(tree, parts),
        (Value::Object(parts), None) => has_names(&Value::Null, parts),
        (_, found) => found.is_some(),
    })
}

/// The value as JSON, from which it must be possible to make it again.
fn tree_of<T: Serialize + DeserializeOwned>(value: &T) -> Result<Value, Fault> {
    let no_json = |problem| Fault::NoJson { written: type_name::<T>(), problem };
    let to_tree = |value: &T| serde_json::to_value(value).map_err(|_| no_json("it has no form in JSON"));
    let read = |tree: &Value| T::deserialize(tree).map_err(|_| no_json("it does not read back from JSON"));
    let tree = to_tree(value)?;
    let again = read(&tree)?;
    let (before, after) = (bytes_of(value)?, bytes_of(&again)?);
    if before == after {
        return Ok(tree);
    }
    // A hash map or a hash set: the same entries in another order, and in yet another when it is read once more.
    if sorted_bytes(&before) == sorted_bytes(&after) && in_order(&tree) == in_order(&to_tree(&again)?) {
        for _ in 0..READINGS {
            if bytes_of(&read(&tree)?)? != after {
                return Ok(tree);
            }
        }
    }
    Err(no_json("JSON changes it"))
}

/// How often a value is read to see whether it has an order. A hash map of two entries keeps it by chance every second
/// time.
const READINGS: usize = 64;

/// The stored form.
fn bytes_of<T: Serialize>(value: &T) -> Result<Vec<u8>, Fault> {
    let shape = codec::plan(value, usize::MAX)?;
    let mut bytes = Vec::with_capacity(shape.len());
    codec::write(value, &shape, &mut bytes)?;
    Ok(bytes)
}

fn sorted_bytes(bytes: &[u8]) -> Vec<u8> {
    let mut sorted = bytes.to_vec();
    sorted.sort_unstable();
    sorted
}

/// The tree with the elements of its lists in an order of their own.
fn in_order(tree: &Value) -> Value {
    match tree {
        Value::Array(list) => {
            let mut list: Vec<_> = list.iter().map(in_order).collect();
            list.sort_by_cached_key(Value::to_string);
            Value::Array(list)
        }
        Value::Object(object) => object.iter().map(|(name, value)| (name.clone(), in_order(value))).collect(),
        value => value.clone(),
    }
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
