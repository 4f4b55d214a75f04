//! Reads patches from JSON and the like. The derive says which fields there are.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};

/// The fields of a patch by their names in JSON. For generated code.
pub trait PatchFields<'de>: Default {
    /// What an error says was expected, if something else was sent.
    const EXPECTING: &'static str;

    /// The names of the fields.
    const NAMES: &'static [&'static str];

    /// True if any other name is an error, as with serde's `deny_unknown_fields`.
    const DENY_UNKNOWN: bool;

    /// The key under which serde writes a name of the struct, and that name: `#[serde(tag = "type")]`.
    const TAG: Option<(&'static str, &'static str)> = None;

    /// Reads the value of the field of this name. Returns the field's position, or `None` if there is no such field.
    ///
    /// # Errors
    ///
    /// If the value is not of the field's type.
    fn read<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<Option<usize>, A::Error>;
}

/// Reads a patch: a value sets its field, `null` clears an optional field, and a field that is missing is kept.
///
/// # Errors
///
/// If the input is not a map, a value is not of its field's type, a field comes twice, or a name is unknown and the
/// patch denies that.
pub fn deserialize_patch<'de, P: PatchFields<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<P, D::Error> {
    deserializer.deserialize_map(Fields(PhantomData))
}

/// A body that is of another type by its own word is not a patch of this one.
fn check_tag<'de, P: PatchFields<'de>, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    let Some((tag, name)) = P::TAG else { return Ok(()) };
    if map.next_value::<String>()? == name {
        Ok(())
    } else {
        Err(A::Error::custom(format_args!("`{tag}` is not `{name}`, expected {}", P::EXPECTING)))
    }
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
                None if P::TAG.is_some_and(|(tag, _)| tag == name) => check_tag::<P, A>(&mut map)?,
                None if P::DENY_UNKNOWN => return Err(A::Error::unknown_field(&name, P::NAMES)),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(patch)
    }
}
