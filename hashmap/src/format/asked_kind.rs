//! Finds the kind that a type is stored as from what it asks of a Deserializer, without a value of it.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};

use crate::kind::Kind;

/// The kind that `T` first asks a Deserializer for. `None` where it asks for nothing certain, or is a
/// [`Value`](crate::Value), which reads everything.
#[inline]
pub(crate) fn asked_kind<'de, T: Deserialize<'de>>() -> Option<Kind> {
    match T::deserialize(Probe) {
        Ok(_) => None,
        Err(Asked(kind)) => kind,
    }
}

/// The kind that was asked for first. It is returned as an error, which ends the deserialization.
#[derive(Debug)]
struct Asked(Option<Kind>);

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl std::error::Error for Asked {}

impl de::Error for Asked {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(None)
    }
}

struct Probe;

macro_rules! asks {
    ($($method:ident($($argument:ty),*) = $kind:expr;)*) => {
        $(#[inline]
        fn $method<V: Visitor<'de>>(self, $(_: $argument,)* _: V) -> Result<V::Value, Asked> {
            Err(Asked($kind))
        })*
    };
}

impl<'de> Deserializer<'de> for Probe {
    type Error = Asked;

    asks! {
        deserialize_any() = None;
        deserialize_ignored_any() = None;
        deserialize_identifier() = None;
        deserialize_unit() = Some(Kind::Unit);
        deserialize_unit_struct(&'static str) = Some(Kind::Unit);
        deserialize_bool() = Some(Kind::Bool);
        deserialize_i8() = Some(Kind::I8);
        deserialize_i16() = Some(Kind::I16);
        deserialize_i32() = Some(Kind::I32);
        deserialize_i64() = Some(Kind::I64);
        deserialize_i128() = Some(Kind::I128);
        deserialize_u8() = Some(Kind::U8);
        deserialize_u16() = Some(Kind::U16);
        deserialize_u32() = Some(Kind::U32);
        deserialize_u64() = Some(Kind::U64);
        deserialize_u128() = Some(Kind::U128);
        deserialize_f32() = Some(Kind::F32);
        deserialize_f64() = Some(Kind::F64);
        deserialize_char() = Some(Kind::Char);
        deserialize_str() = Some(Kind::Str);
        deserialize_string() = Some(Kind::Str);
        deserialize_bytes() = Some(Kind::Bytes);
        deserialize_byte_buf() = Some(Kind::Bytes);
        deserialize_option() = Some(Kind::Option);
        deserialize_seq() = Some(Kind::Seq);
        deserialize_tuple(usize) = Some(Kind::Tuple);
        deserialize_tuple_struct(&'static str, usize) = Some(Kind::Tuple);
        deserialize_map() = Some(Kind::Map);
        deserialize_struct(&'static str, &'static [&'static str]) = Some(Kind::Struct);
        deserialize_enum(&'static str, &'static [&'static str]) = Some(Kind::Enum);
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Asked> {
        if Kind::from_value_name(name).is_some() { Err(Asked(None)) } else { visitor.visit_newtype_struct(self) }
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }
}
