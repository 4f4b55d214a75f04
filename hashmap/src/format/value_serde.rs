//! Serde for [`Value`]: a tree of marked nodes in Redis, the plain value in JSON and the like.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeTuple, Serializer};

use crate::format::value::{Opaque, Value};
use crate::kind::Kind;

/// The mark of an opaque node in a tree.
const OPAQUE: u8 = Kind::Dynamic as u8;
const SEQ: u8 = Kind::Seq as u8;
const MAP: u8 = Kind::Map as u8;

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return self.serialize_plain(serializer);
        }
        serializer.serialize_newtype_struct(self.kind().value_name(), &Node(self))
    }
}

impl Value {
    /// Serializes the value alone, for JSON and behind the mark of a node.
    fn serialize_plain<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unit => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::I8(value) => serializer.serialize_i8(*value),
            Self::I16(value) => serializer.serialize_i16(*value),
            Self::I32(value) => serializer.serialize_i32(*value),
            Self::I64(value) => serializer.serialize_i64(*value),
            Self::I128(value) => serializer.serialize_i128(*value),
            Self::U8(value) => serializer.serialize_u8(*value),
            Self::U16(value) => serializer.serialize_u16(*value),
            Self::U32(value) => serializer.serialize_u32(*value),
            Self::U64(value) => serializer.serialize_u64(*value),
            Self::U128(value) => serializer.serialize_u128(*value),
            Self::F32(value) => serializer.serialize_f32(*value),
            Self::F64(value) => serializer.serialize_f64(*value),
            Self::Char(value) => serializer.serialize_char(*value),
            Self::Str(value) => serializer.serialize_str(value),
            Self::Bytes(value) => serializer.serialize_bytes(value),
            Self::Seq(values) => serializer.collect_seq(values),
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
            Self::Opaque(opaque) => serializer.serialize_bytes(&opaque.stored),
        }
    }
}

/// A node of a stored tree: a mark, which for scalars is their kind, and the plain value.
struct Node<'a>(&'a Value);

impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Plain<'a>(&'a Value);
        impl Serialize for Plain<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.serialize_plain(serializer)
            }
        }
        let mark = match self.0 {
            Value::Seq(_) => SEQ,
            Value::Map(_) => MAP,
            Value::Opaque(_) => OPAQUE,
            scalar => scalar.kind().byte(),
        };
        let mut node = serializer.serialize_tuple(2)?;
        node.serialize_element(&mark)?;
        node.serialize_element(&Plain(self.0))?;
        node.end()
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(PlainVisitor)
        } else {
            deserializer.deserialize_newtype_struct(Kind::Dynamic.value_name(), ValueVisitor)
        }
    }
}

/// Reads a node, or a whole composite in its stored form.
struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a dynamic value")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_tuple(2, self)
    }

    fn visit_bytes<E: de::Error>(self, stored: &[u8]) -> Result<Value, E> {
        let opaque = Opaque::new(stored).ok_or_else(|| E::custom("not a stored composite"))?;
        Ok(Value::Opaque(opaque))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut node: A) -> Result<Value, A::Error> {
        fn plain<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(node: &mut A) -> Result<T, A::Error> {
            node.next_element()?.ok_or_else(|| de::Error::custom("a node without a value"))
        }
        let mark: u8 = plain(&mut node)?;
        let no_node = || de::Error::custom("a node of an unknown kind");
        Ok(match mark {
            SEQ => Value::Seq(plain(&mut node)?),
            MAP => Value::Map(plain::<Entries, A>(&mut node)?.0),
            OPAQUE => plain::<OpaqueNode, A>(&mut node)?.0,
            mark => match Kind::from_byte(mark).ok_or_else(no_node)? {
                Kind::Unit => {
                    plain::<(), A>(&mut node)?;
                    Value::Unit
                }
                Kind::Bool => Value::Bool(plain(&mut node)?),
                Kind::I8 => Value::I8(plain(&mut node)?),
                Kind::I16 => Value::I16(plain(&mut node)?),
                Kind::I32 => Value::I32(plain(&mut node)?),
                Kind::I64 => Value::I64(plain(&mut node)?),
                Kind::I128 => Value::I128(plain(&mut node)?),
                Kind::U8 => Value::U8(plain(&mut node)?),
                Kind::U16 => Value::U16(plain(&mut node)?),
                Kind::U32 => Value::U32(plain(&mut node)?),
                Kind::U64 => Value::U64(plain(&mut node)?),
                Kind::U128 => Value::U128(plain(&mut node)?),
                Kind::F32 => Value::F32(plain(&mut node)?),
                Kind::F64 => Value::F64(plain(&mut node)?),
                Kind::Char => Value::Char(plain(&mut node)?),
                Kind::Str => Value::Str(plain(&mut node)?),
                Kind::Bytes => Value::Bytes(plain::<ByteString, A>(&mut node)?.0),
                _ => return Err(no_node()),
            },
        })
    }
}

struct ByteString(Vec<u8>);

impl<'de> Deserialize<'de> for ByteString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Vec<u8>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a byte string")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
        }
        deserializer.deserialize_bytes(Bytes).map(Self)
    }
}

struct OpaqueNode(Value);

impl<'de> Deserialize<'de> for OpaqueNode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(ValueVisitor).map(Self)
    }
}

struct Entries(Vec<(Value, Value)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = Vec<(Value, Value)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                entries(map)
            }
        }
        deserializer.deserialize_map(Map).map(Self)
    }
}

fn entries<'de, A: MapAccess<'de>>(mut map: A) -> Result<Vec<(Value, Value)>, A::Error> {
    let mut entries = Vec::new();
    while let Some(entry) = map.next_entry()? {
        entries.push(entry);
    }
    Ok(entries)
}

/// Reads what a self-describing format such as JSON holds.
struct PlainVisitor;

macro_rules! visits {
    ($($method:ident($type:ty) $variant:ident;)*) => {
        $(fn $method<E: de::Error>(self, value: $type) -> Result<Value, E> {
            Ok(Value::$variant(value.into()))
        })*
    };
}

impl<'de> Visitor<'de> for PlainVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    visits! {
        visit_bool(bool) Bool;
        visit_i64(i64) I64;
        visit_i128(i128) I128;
        visit_u64(u64) U64;
        visit_u128(u128) U128;
        visit_f64(f64) F64;
        visit_char(char) Char;
        visit_str(&str) Str;
        visit_string(String) Str;
        visit_bytes(&[u8]) Bytes;
        visit_byte_buf(Vec<u8>) Bytes;
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Unit)
    }

    fn visit_none<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Unit)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            values.push(value);
        }
        Ok(Value::Seq(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        entries(map).map(Value::Map)
    }
}
