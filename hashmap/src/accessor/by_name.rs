//! Reads patches and partial records from JSON and the like, and writes partial records. The derive says which fields
//! there are.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserializer, Serialize, Serializer};

/// The fields of a patch or of a partial record by their names in JSON. For generated code.
pub trait FieldsByName<'de>: Default {
    /// What an error says was expected, if something else was sent.
    const EXPECTING: &'static str;

    /// The names of the fields.
    const NAMES: &'static [&'static str];

    /// True if any other name is an error, as with serde's `deny_unknown_fields`.
    const DENY_UNKNOWN: bool;

    /// The key under which serde writes a name of the struct, `#[serde(tag = "type")]`, and the names under which it is
    /// read and written. Either is taken: what was written has to be readable.
    const TAG: Option<(&'static str, [&'static str; 2])> = None;

    /// Reads the value of the field of this name. Returns the field's position, or `None` if there is no such field.
    ///
    /// # Errors
    ///
    /// If the value is not of the field's type.
    fn read<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<Option<usize>, A::Error>;
}

/// Reads fields by their names. One that is missing stays as it is by default.
///
/// # Errors
///
/// If the input is not a map, a value is not of its field's type, a field comes twice, or a name is unknown and the
/// struct denies that.
pub fn deserialize_fields<'de, P: FieldsByName<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<P, D::Error> {
    deserializer.deserialize_map(Fields(PhantomData))
}

/// What is of another type by its own word is not a patch of this one.
fn check_tag<'de, P: FieldsByName<'de>, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    let Some((tag, names)) = P::TAG else { return Ok(()) };
    let name = names[0];
    if names.contains(&&*map.next_value::<String>()?) {
        Ok(())
    } else {
        Err(A::Error::custom(format_args!("`{tag}` is not `{name}`, expected {}", P::EXPECTING)))
    }
}

struct Fields<P>(PhantomData<P>);

impl<'de, P: FieldsByName<'de>> Visitor<'de> for Fields<P> {
    type Value = P;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(P::EXPECTING)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<P, A::Error> {
        let mut fields = P::default();
        let mut seen = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            match fields.read(&name, &mut map)? {
                Some(field) if seen.contains(&field) => return Err(A::Error::duplicate_field(P::NAMES[field])),
                Some(field) => seen.push(field),
                None if P::TAG.is_some_and(|(tag, _)| tag == name) => check_tag::<P, A>(&mut map)?,
                None if P::DENY_UNKNOWN => return Err(A::Error::unknown_field(&name, P::NAMES)),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(fields)
    }
}

/// An optional field as its struct writes it, if it is there.
pub fn present<T>(field: &Option<T>) -> Option<&Option<T>> {
    field.is_some().then_some(field)
}

/// Begins to write the fields that are there, with the name of the struct under its tag, if it has one.
///
/// # Errors
///
/// Returns the errors of the serializer.
pub fn serialize_struct<S: Serializer>(
    serializer: S,
    name: &'static str,
    tag: Option<&'static str>,
    are_there: &[bool],
) -> Result<S::SerializeStruct, S::Error> {
    let count = are_there.iter().filter(|is_there| **is_there).count();
    let mut fields = serializer.serialize_struct(name, count + usize::from(tag.is_some()))?;
    if let Some(tag) = tag {
        fields.serialize_field(tag, name)?;
    }
    Ok(fields)
}

/// Writes a field that is there, and leaves out one that is not.
///
/// # Errors
///
/// Returns the errors of the serializer.
pub fn serialize_field<S: SerializeStruct, T: Serialize>(
    fields: &mut S,
    name: &'static str,
    value: Option<T>,
) -> Result<(), S::Error> {
    match value {
        Some(value) => fields.serialize_field(name, &value),
        None => fields.skip_field(name),
    }
}
