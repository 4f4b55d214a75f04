//! Finds the kind that a type is stored as from what it asks of a Deserializer, without a value of it.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};

use crate::kind::Kind;

/// The kind that `T` first asks a Deserializer for. `None` where it asks for nothing certain, or is a
/// [`Value`](crate::Value), which reads everything.
#[inline]
pub(crate) fn asked_kind<'de, T: Deserialize<'de>>() -> Option<Kind> {
    match T::deserialize(Probe) {
        Err(Asked::Kind(kind)) => Some(kind),
        Ok(_) | Err(Asked::Anything | Asked::Nothing) => None,
    }
}

/// True if `T` first asks for whatever is there, which bincode does not record.
#[inline]
pub(crate) fn asks_for_anything_first<'de, T: Deserialize<'de>>() -> bool {
    matches!(T::deserialize(Probe), Err(Asked::Anything))
}

/// What was asked for first. It is returned as an error, which ends the deserialization.
#[derive(Debug)]
enum Asked {
    Kind(Kind),
    Anything,
    /// Nothing certain.
    Nothing,
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Asked {}

impl de::Error for Asked {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Nothing
    }
}

struct Probe;

macro_rules! asks {
    ($($method:ident($($argument:ty),*) = $kind:expr;)*) => {
        $(#[inline]
        fn $method<V: Visitor<'de>>(self, $(_: $argument,)* _: V) -> Result<V::Value, Asked> {
            Err($kind)
        })*
    };
}

impl<'de> Deserializer<'de> for Probe {
    type Error = Asked;

    asks! {
        deserialize_any() = Asked::Anything;
        deserialize_ignored_any() = Asked::Anything;
        deserialize_identifier() = Asked::Nothing;
        deserialize_unit() = Asked::Kind(Kind::Unit);
        deserialize_unit_struct(&'static str) = Asked::Kind(Kind::Unit);
        deserialize_bool() = Asked::Kind(Kind::Bool);
        deserialize_i8() = Asked::Kind(Kind::I8);
        deserialize_i16() = Asked::Kind(Kind::I16);
        deserialize_i32() = Asked::Kind(Kind::I32);
        deserialize_i64() = Asked::Kind(Kind::I64);
        deserialize_i128() = Asked::Kind(Kind::I128);
        deserialize_u8() = Asked::Kind(Kind::U8);
        deserialize_u16() = Asked::Kind(Kind::U16);
        deserialize_u32() = Asked::Kind(Kind::U32);
        deserialize_u64() = Asked::Kind(Kind::U64);
        deserialize_u128() = Asked::Kind(Kind::U128);
        deserialize_f32() = Asked::Kind(Kind::F32);
        deserialize_f64() = Asked::Kind(Kind::F64);
        deserialize_char() = Asked::Kind(Kind::Char);
        deserialize_str() = Asked::Kind(Kind::Str);
        deserialize_string() = Asked::Kind(Kind::Str);
        deserialize_bytes() = Asked::Kind(Kind::Bytes);
        deserialize_byte_buf() = Asked::Kind(Kind::Bytes);
        deserialize_option() = Asked::Kind(Kind::Option);
        deserialize_seq() = Asked::Kind(Kind::Seq);
        deserialize_tuple(usize) = Asked::Kind(Kind::Tuple);
        deserialize_tuple_struct(&'static str, usize) = Asked::Kind(Kind::Tuple);
        deserialize_map() = Asked::Kind(Kind::Map);
        deserialize_struct(&'static str, &'static [&'static str]) = Asked::Kind(Kind::Struct);
        deserialize_enum(&'static str, &'static [&'static str]) = Asked::Kind(Kind::Enum);
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Asked> {
        if Kind::from_value_name(name).is_some() { Err(Asked::Nothing) } else { visitor.visit_newtype_struct(self) }
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::{asked_kind, asks_for_anything_first};
    use crate::kind::Kind;

    #[test]
    fn what_a_type_asks_for_first_is_known() {
        assert!(asks_for_anything_first::<serde_json::Value>() && !asks_for_anything_first::<u8>());
        assert_eq!(asked_kind::<u8>(), Some(Kind::U8));
        assert_eq!(asked_kind::<serde_json::Value>(), None);
    }
}
