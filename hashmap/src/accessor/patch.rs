//! Patches from JSON and the like. The derive says which fields there are.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};

/// The fields of a patch, as they are named in JSON. For generated code.
pub trait PatchFields<'de>: Default {
    /// What is described to who sends something else.
    const EXPECTING: &'static str;

    /// The names.
    const NAMES: &'static [&'static str];

    /// True if a name that is none of them is an error, as by serde's `deny_unknown_fields`.
    const DENY_UNKNOWN: bool;

    /// Reads the value of the field of this name: its position, or `None` if there is no such field.
    ///
    /// # Errors
    ///
    /// If the value is none of the field.
    fn read<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<Option<usize>, A::Error>;
}

/// Reads a patch: what is there is set, `null` clears an optional field, and what is not there is kept.
///
/// # Errors
///
/// If it is no map, if a value does not fit or a field comes twice.
pub fn deserialize_patch<'de, P: PatchFields<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<P, D::Error> {
    deserializer.deserialize_map(Fields(PhantomData))
}

struct Fields<P>(PhantomData<P>);

impl<'de, P: PatchFields<'de>> Visitor<'de> for Fields<P> {
    type Value = P;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(P::EXPECTING)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<P, A::Error> {
        let mut patch = P::default();
        let mut seen = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            match patch.read(&name, &mut map)? {
                Some(field) if seen.contains(&field) => return Err(A::Error::duplicate_field(P::NAMES[field])),
                Some(field) => seen.push(field),
                None if P::DENY_UNKNOWN => return Err(A::Error::unknown_field(&name, P::NAMES)),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(patch)
    }
}
