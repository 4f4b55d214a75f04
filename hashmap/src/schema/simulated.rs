//! Types that are made at run time, and are read as serde's derive would read them: for tests of random changes.

use std::fmt;

use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, EnumAccess, IgnoredAny, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

use crate::kind::Kind;

/// A type, with the attributes that serde's derive takes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Type {
    Scalar(Kind),
    Option(Box<Type>),
    Seq(Box<Type>),
    /// A map with texts as its keys, as JSON has it.
    Map(Box<Type>),
    Tuple(Vec<Type>),
    Struct(Vec<Field>),
    Enum(Vec<Case>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) aliases: Vec<String>,
    /// True for `#[serde(default)]`: the default is [`Read::Default`].
    pub(super) default: bool,
    pub(super) of: Type,
}

/// A variant of an enum.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) aliases: Vec<String>,
    pub(super) holds: Holds,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Holds {
    Nothing,
    Unnamed(Vec<Type>),
    Named(Vec<Field>),
}

/// What was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Read {
    Int(i128),
    /// The bits of a float.
    Float(u64),
    Bool(bool),
    Text(String),
    Char(char),
    Unit,
    None,
    Some(Box<Read>),
    Many(Vec<Read>),
    Entries(Vec<(String, Read)>),
    Variant(usize, Vec<Read>),
    Default,
}

/// A kind for [`Type::Scalar`].
pub(super) const KINDS: [Kind; 11] = [
    Kind::Bool,
    Kind::U8,
    Kind::U32,
    Kind::U64,
    Kind::I8,
    Kind::I64,
    Kind::F32,
    Kind::F64,
    Kind::Str,
    Kind::Char,
    Kind::Unit,
];

impl<'de> DeserializeSeed<'de> for &Type {
    type Value = Read;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Read, D::Error> {
        match self {
            Type::Scalar(kind) => scalar(*kind, from),
            Type::Option(some) => from.deserialize_option(Optional(some)),
            Type::Seq(element) => from.deserialize_seq(Elements(element)),
            Type::Map(value) => from.deserialize_map(Entries(value)),
            Type::Tuple(parts) => from.deserialize_tuple(parts.len(), Positions(parts)),
            Type::Struct(fields) => from.deserialize_struct("Struct", &[], Fields(fields)),
            Type::Enum(cases) => from.deserialize_enum("Enum", &[], Cases(cases)),
        }
    }
}

fn scalar<'de, D: Deserializer<'de>>(kind: Kind, from: D) -> Result<Read, D::Error> {
    Ok(match kind {
        Kind::Bool => Read::Bool(bool::deserialize(from)?),
        Kind::U8 => Read::Int(u8::deserialize(from)?.into()),
        Kind::U32 => Read::Int(u32::deserialize(from)?.into()),
        Kind::U64 => Read::Int(u64::deserialize(from)?.into()),
        Kind::I8 => Read::Int(i8::deserialize(from)?.into()),
        Kind::I64 => Read::Int(i64::deserialize(from)?.into()),
        Kind::F32 => Read::Float(f64::from(f32::deserialize(from)?).to_bits()),
        Kind::F64 => Read::Float(f64::deserialize(from)?.to_bits()),
        Kind::Char => Read::Char(char::deserialize(from)?),
        Kind::Unit => {
            <()>::deserialize(from)?;
            Read::Unit
        }
        _ => Read::Text(String::deserialize(from)?),
    })
}

struct Optional<'a>(&'a Type);

impl<'de> Visitor<'de> for Optional<'_> {
    type Value = Read;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("option")
    }

    fn visit_none<E: de::Error>(self) -> Result<Read, E> {
        Ok(Read::None)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Read, E> {
        Ok(Read::None)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Read, D::Error> {
        Ok(Read::Some(Box::new(self.0.deserialize(from)?)))
    }
}

struct Elements<'a>(&'a Type);

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = Read;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Read, A::Error> {
        let mut read = Vec::new();
        while let Some(element) = seq.next_element_seed(self.0)? {
            read.push(element);
        }
        Ok(Read::Many(read))
    }
}

struct Entries<'a>(&'a Type);

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = Read;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Read, A::Error> {
        let mut read = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            read.push((key, map.next_value_seed(self.0)?));
        }
        read.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(Read::Entries(read))
    }
}

/// A tuple, or a variant with unnamed parts.
struct Positions<'a>(&'a [Type]);

impl<'de> Visitor<'de> for Positions<'_> {
    type Value = Read;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a tuple")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Read, A::Error> {
        let part = |(index, of)| seq.next_element_seed(of)?.ok_or_else(|| de::Error::invalid_length(index, &"more"));
        self.0.iter().enumerate().map(part).collect::<Result<_, _>>().map(Read::Many)
    }
}

struct Fields<'a>(&'a [Field]);

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = Read;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a struct")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Read, A::Error> {
        let mut read: Vec<Option<Read>> = vec![None; self.0.len()];
        while let Some(key) = map.next_key_seed(Name)? {
            let is_it = |field: &Field| field.name == key || field.aliases.contains(&key);
            match self.0.iter().position(is_it) {
                Some(index) if read[index].is_some() => return Err(de::Error::duplicate_field("field")),
                Some(index) => read[index] = Some(map.next_value_seed(&self.0[index].of)?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let or_absent = |(field, read): (&Field, Option<Read>)| match (read, &field.of) {
            (Some(read), _) => Ok(read),
            (None, _) if field.default => Ok(Read::Default),
            (None, Type::Option(_)) => Ok(Read::None),
            (None, _) => Err(de::Error::missing_field("field")),
        };
        self.0.iter().zip(read).map(or_absent).collect::<Result<_, _>>().map(Read::Many)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Read, A::Error> {
        let part = |(index, field): (usize, &Field)| match seq.next_element_seed(&field.of)? {
            Some(read) => Ok(read),
            None if field.default => Ok(Read::Default),
            None => Err(de::Error::invalid_length(index, &"more")),
        };
        self.0.iter().enumerate().map(part).collect::<Result<_, _>>().map(Read::Many)
    }
}

/// The name of a field or a variant, as serde's derive asks for it.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<String, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = String;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an identifier")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<String, E> {
                Ok(name.to_owned())
            }
        }
        from.deserialize_identifier(Text)
    }
}

struct Cases<'a>(&'a [Case]);

impl<'de> Visitor<'de> for Cases<'_> {
    type Value = Read;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an enum")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Read, A::Error> {
        let (name, content) = data.variant_seed(Name)?;
        let is_it = |case: &Case| case.name == name || case.aliases.contains(&name);
        let index = self.0.iter().position(is_it).ok_or_else(|| de::Error::unknown_variant(&name, &[]))?;
        let read = match &self.0[index].holds {
            Holds::Nothing => {
                content.unit_variant()?;
                Vec::new()
            }
            Holds::Unnamed(parts) => match parts.as_slice() {
                [part] => vec![content.newtype_variant_seed(part)?],
                parts => vec![content.tuple_variant(parts.len(), Positions(parts))?],
            },
            Holds::Named(fields) => vec![content.struct_variant(&[], Fields(fields))?],
        };
        Ok(Read::Variant(index, read))
    }
}
