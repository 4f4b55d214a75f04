//! Reads a stored value by the schema of its writer: fields and variants by their names, numbers at any width that holds
//! them. What becomes of a changed type is what serde's own attributes say, as in JSON.
//!
//! A part knows where its bytes end. So a Deserialize that stops early, or swallows an error, misreads nothing.

use std::cell::RefCell;
use std::marker::PhantomData;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, Visitor};

use crate::format::decode_fault::DecodeFault;
use crate::format::deserializer::Decoder;
use crate::format::part::{Content, Context, Owner, Part, Scalar};
use crate::format::part_access::{Chosen, Entries, Fields, Ids, Sequence};
use crate::format::schema::{Id, Parts, Schema, Variant};
use crate::format::verify::{payload, varint};
use crate::kind::Kind;

/// Reads a stored value as a `T`, if this schema has written it: `None` if it has not.
pub(crate) fn read<T: de::DeserializeOwned>(schema: &Schema, stored: &[u8]) -> Option<Result<T, DecodeFault>> {
    read_and_tell(schema, stored, &RefCell::default())
}

/// Does what [`read`] does, and tells which fields of structs were stored and not read, as `Address.note`.
pub(crate) fn read_and_tell<T: de::DeserializeOwned>(
    schema: &Schema,
    stored: &[u8],
    ignored: &RefCell<Vec<String>>,
) -> Option<Result<T, DecodeFault>> {
    read_with(PhantomData::<T>, schema, stored, ignored)
}

/// Does what [`read_and_tell`] does, with a seed.
pub(crate) fn read_with<T, S: for<'a> DeserializeSeed<'a, Value = T>>(
    seed: S,
    schema: &Schema,
    stored: &[u8],
    ignored: &RefCell<Vec<String>>,
) -> Option<Result<T, DecodeFault>> {
    let bytes = payload(schema, stored)?;
    let context = Context { schema, ignored };
    Some(context.part(schema.root, bytes).and_then(|part| seed.deserialize(part)))
}

impl<'a> Part<'a> {
    pub(super) fn seq<V: Visitor<'a>>(self, parts: Ids<'a>, visitor: V) -> Result<V::Value, DecodeFault> {
        let mut access = Sequence { context: self.context, parts, rest: self.bytes };
        let value = visitor.visit_seq(&mut access)?;
        if access.parts.len() == 0 { Ok(value) } else { Err(DecodeFault::Length) }
    }

    pub(super) fn fields<V: Visitor<'a>>(
        self,
        of: Owner<'a>,
        fields: &'a [(String, Id)],
        visitor: V,
    ) -> Result<V::Value, DecodeFault> {
        visitor.visit_map(Fields { context: self.context, of, left: fields.iter(), rest: self.bytes, value: None })
    }
}

macro_rules! integers {
    ($($method:ident $visit:ident $type:ty;)*) => {
        $(fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, DecodeFault> {
            let part = self.unwrapped()?;
            match part.integer::<$type>()? {
                Some(number) => visitor.$visit(number),
                None => part.deserialize_any(visitor),
            }
        })*
    };
}

/// Asks for what is there.
macro_rules! as_stored {
    ($($method:ident($($argument:ty),*);)*) => {
        $(fn $method<V: Visitor<'a>>(self, $(_: $argument,)* visitor: V) -> Result<V::Value, DecodeFault> {
            self.unwrapped()?.deserialize_any(visitor)
        })*
    };
}

impl<'a> Deserializer<'a> for Part<'a> {
    type Error = DecodeFault;

    integers! {
        deserialize_i8 visit_i8 i8;
        deserialize_i16 visit_i16 i16;
        deserialize_i32 visit_i32 i32;
        deserialize_i64 visit_i64 i64;
        deserialize_i128 visit_i128 i128;
        deserialize_u8 visit_u8 u8;
        deserialize_u16 visit_u16 u16;
        deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64;
        deserialize_u128 visit_u128 u128;
    }

    as_stored! {
        deserialize_bool();
        deserialize_char();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_unit();
        deserialize_unit_struct(&'static str);
        deserialize_seq();
        deserialize_tuple(usize);
        deserialize_tuple_struct(&'static str, usize);
        deserialize_map();
        deserialize_struct(&'static str, &'static [&'static str]);
    }

    /// What is there, at the width at which it is stored.
    #[expect(clippy::cast_possible_truncation, reason = "the kind says the width")]
    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, DecodeFault> {
        match self.content {
            Content::Scalar(kind) => match (self.scalar(kind)?, kind) {
                (Scalar::Unit, _) => visitor.visit_unit(),
                (Scalar::Bool(value), _) => visitor.visit_bool(value),
                (Scalar::Signed(value), Kind::I8) => visitor.visit_i8(value as i8),
                (Scalar::Signed(value), Kind::I16) => visitor.visit_i16(value as i16),
                (Scalar::Signed(value), Kind::I32) => visitor.visit_i32(value as i32),
                (Scalar::Signed(value), Kind::I64) => visitor.visit_i64(value as i64),
                (Scalar::Signed(value), _) => visitor.visit_i128(value),
                (Scalar::Unsigned(value), Kind::U8) => {
                    visitor.visit_u8(value.try_into().map_err(|_| DecodeFault::Custom)?)
                }
                (Scalar::Unsigned(value), Kind::U16) => {
                    visitor.visit_u16(value.try_into().map_err(|_| DecodeFault::Custom)?)
                }
                (Scalar::Unsigned(value), Kind::U32) => {
                    visitor.visit_u32(value.try_into().map_err(|_| DecodeFault::Custom)?)
                }
                (Scalar::Unsigned(value), Kind::U64) => {
                    visitor.visit_u64(value.try_into().map_err(|_| DecodeFault::Custom)?)
                }
                (Scalar::Unsigned(value), _) => visitor.visit_u128(value),
                (Scalar::F32(value), _) => visitor.visit_f32(value),
                (Scalar::F64(value), _) => visitor.visit_f64(value),
                (Scalar::Char(value), _) => visitor.visit_char(value),
                (Scalar::Str(value), _) => visitor.visit_borrowed_str(value),
                (Scalar::Bytes(value), _) => visitor.visit_borrowed_bytes(value),
            },
            Content::Option(some) => match self.bytes {
                [1, rest @ ..] => visitor.visit_some(self.context.part(some, rest)?),
                _ => visitor.visit_none(),
            },
            Content::Seq(element) => {
                let mut rest = self.bytes;
                let len = varint(&mut rest).and_then(|len| usize::try_from(len).ok()).ok_or(DecodeFault::Length)?;
                Self { bytes: rest, ..self }.seq(Ids::Repeated(element, len), visitor)
            }
            Content::Map(key, value) => {
                let mut rest = self.bytes;
                let left = varint(&mut rest).and_then(|len| usize::try_from(len).ok()).ok_or(DecodeFault::Length)?;
                let mut entries = Entries { context: self.context, key, value, left, rest };
                let map = visitor.visit_map(&mut entries)?;
                if entries.left == 0 { Ok(map) } else { Err(DecodeFault::Length) }
            }
            Content::Tuple(parts) => self.seq(Ids::Listed(parts.iter()), visitor),
            Content::Struct(of, fields) => self.fields(of, fields, visitor),
            Content::Variant(of, variant) => visitor.visit_enum(Chosen { part: self, of, variant }),
            // A tree is read as a `Value` only.
            Content::Dynamic => Err(DecodeFault::Custom),
        }
    }

    /// serde's own `f32` takes any `f64`, and loses digits.
    fn deserialize_f32<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, DecodeFault> {
        let part = self.unwrapped()?;
        #[expect(clippy::cast_possible_truncation, clippy::float_cmp, reason = "it has to be the same")]
        match part.float()? {
            Some(float) if float.is_nan() || f64::from(float as f32) == float => visitor.visit_f32(float as f32),
            Some(_) => Err(DecodeFault::OutOfRange("f32")),
            None => part.deserialize_any(visitor),
        }
    }

    fn deserialize_f64<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, DecodeFault> {
        let part = self.unwrapped()?;
        match part.float()? {
            Some(float) => visitor.visit_f64(float),
            None => part.deserialize_any(visitor),
        }
    }

    /// A variant without contents can be read as its name, as in JSON.
    fn deserialize_str<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, DecodeFault> {
        let part = self.unwrapped()?;
        match part.content {
            Content::Variant(_, Variant { name, parts: Parts::Unit }) => visitor.visit_borrowed_str(name),
            _ => part.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, DecodeFault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, DecodeFault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, DecodeFault> {
        match self.content {
            Content::Option(_) => self.deserialize_any(visitor),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeFault> {
        if Kind::from_value_name(name).is_none() {
            return visitor.visit_newtype_struct(self);
        }
        let Content::Dynamic = self.content else { return Err(DecodeFault::Custom) };
        Decoder::new(self.bytes, Kind::Dynamic, 0).deserialize_newtype_struct(name, visitor)
    }

    /// The name of a variant without contents can become a variant, as in JSON.
    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeFault> {
        let part = self.unwrapped()?;
        if let Content::Scalar(Kind::Str) = part.content
            && let Scalar::Str(name) = part.scalar(Kind::Str)?
        {
            return visitor.visit_enum(BorrowedStrDeserializer::new(name));
        }
        part.deserialize_any(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, DecodeFault> {
        if let Some((of, field)) = self.field {
            let place = if let Owner::Map = of { of.to_string() } else { format!("{of}.{field}") };
            self.context.ignored.borrow_mut().push(place);
        }
        visitor.visit_unit()
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}
