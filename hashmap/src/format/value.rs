use std::fmt;

use serde::de::{self, Deserialize, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeTuple, Serializer};

use crate::error::{Error, Place};
use crate::format::{self as codec, Fault};
use crate::kind::Kind;

/// A stored value of any kind, for fields whose type is only known at run time.
///
/// It reads every stored value. A scalar is read as what it is; a tree that was written as a `Value` as that tree. A
/// composite (struct, enum, `Vec`, …) of a type that only its writer knew stays [`Opaque`]: it can be decoded later,
/// and loses nothing when it is written back.
///
/// In a human-readable format such as JSON it serializes as the plain value, so that any JSON document is a `Value`.
/// `null` is [`Value::Unit`].
///
/// ```
/// use redis_hashmap::{HashMap, Value};
/// # let mut con = redis_hashmap_tests::connection()?;
/// # let key = redis_hashmap_tests::key();
/// let mut settings = HashMap::new(&*key).on(&mut con);
/// settings.set("font_size", &14_u8)?;
/// settings.set("columns", &Value::from_iter(["name", "size"]))?;
///
/// assert_eq!(settings.get("font_size")?, Some(Value::U8(14)));
/// let columns: Option<Value> = settings.get("columns")?;
/// assert_eq!(columns, Some(Value::Seq(vec!["name".into(), "size".into()])));
/// # settings.clear()?;
/// # Ok::<(), redis_hashmap_tests::AnyError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum Value {
    /// `()`.
    #[default]
    Unit,
    /// `bool`.
    Bool(bool),
    /// `i8`.
    I8(i8),
    /// `i16`.
    I16(i16),
    /// `i32`.
    I32(i32),
    /// `i64`.
    I64(i64),
    /// `i128`.
    I128(i128),
    /// `u8`.
    U8(u8),
    /// `u16`.
    U16(u16),
    /// `u32`.
    U32(u32),
    /// `u64`.
    U64(u64),
    /// `u128`.
    U128(u128),
    /// `f32`.
    F32(f32),
    /// `f64`.
    F64(f64),
    /// `char`.
    Char(char),
    /// Text.
    Str(String),
    /// A byte string.
    Bytes(Vec<u8>),
    /// A sequence of values.
    Seq(Vec<Value>),
    /// A map, in the order it was written in.
    Map(Vec<(Value, Value)>),
    /// A composite of a type that only its writer knew.
    Opaque(Opaque),
}

/// A stored composite whose type is not known here; its `Debug` shows its kind and size.
#[derive(Clone, PartialEq, Eq)]
pub struct Opaque {
    /// As it is stored, header included.
    stored: Box<[u8]>,
}

impl Opaque {
    fn new(stored: &[u8]) -> Option<Self> {
        let kind = codec::kind_of(stored).ok()?;
        (stored.len() >= 5 && !kind.is_scalar()).then(|| Self { stored: stored.into() })
    }

    /// The kind of the stored composite.
    #[must_use]
    pub fn kind(&self) -> Kind {
        // `new` has checked it.
        codec::kind_of(&self.stored).unwrap_or(Kind::Dynamic)
    }

    /// Decodes it as the type it was written with.
    ///
    /// # Errors
    ///
    /// As [`Field::get`](crate::Field::get), without a key and a field.
    pub fn decode<T: Serialize + DeserializeOwned>(&self) -> Result<T, Error> {
        codec::decode(&self.stored).map_err(|fault| Error::at(fault, Place::default()))
    }
}

impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opaque({}, {} bytes)", self.kind(), self.stored.len())
    }
}

impl Value {
    /// The kind that this value is stored as. A `Seq` or `Map` is a tree of values: [`Kind::Dynamic`].
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Unit => Kind::Unit,
            Self::Bool(_) => Kind::Bool,
            Self::I8(_) => Kind::I8,
            Self::I16(_) => Kind::I16,
            Self::I32(_) => Kind::I32,
            Self::I64(_) => Kind::I64,
            Self::I128(_) => Kind::I128,
            Self::U8(_) => Kind::U8,
            Self::U16(_) => Kind::U16,
            Self::U32(_) => Kind::U32,
            Self::U64(_) => Kind::U64,
            Self::U128(_) => Kind::U128,
            Self::F32(_) => Kind::F32,
            Self::F64(_) => Kind::F64,
            Self::Char(_) => Kind::Char,
            Self::Str(_) => Kind::Str,
            Self::Bytes(_) => Kind::Bytes,
            Self::Seq(_) | Self::Map(_) => Kind::Dynamic,
            Self::Opaque(opaque) => opaque.kind(),
        }
    }

    /// Makes a value of anything that can be stored: a scalar is what it is, a composite is [`Opaque`]. It lets a type of
    /// one's own hold a value of any type, which [`decode`](Self::decode) gives back. (As everywhere in serde, an array is a
    /// tuple and a slice is a seq: `&[1, 2][..]` is what decodes as a `Vec`.)
    ///
    /// ```
    /// use redis_hashmap::Value;
    ///
    /// let value = Value::encode(&("a", 1_u8))?;
    /// assert_eq!(value.decode::<(String, u8)>()?, ("a".to_owned(), 1));
    /// # Ok::<(), redis_hashmap::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Refused`](Error::Refused) if it cannot be stored, without a key and a field.
    pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        let encoded = codec::plan(value, usize::MAX).and_then(|shape| {
            let mut stored = Vec::new();
            codec::write(value, &shape, &mut stored)?;
            codec::decode(&stored)
        });
        encoded.map_err(|fault: Fault| Error::at(fault, Place::default()))
    }

    /// Decodes it as a `T`: the type it was written with, as if the field had been read as one.
    ///
    /// # Errors
    ///
    /// As [`Field::get`](crate::Field::get), without a key and a field.
    pub fn decode<T: Serialize + DeserializeOwned>(&self) -> Result<T, Error> {
        let decoded = codec::plan(self, usize::MAX).and_then(|shape| {
            let mut stored = Vec::new();
            codec::write(self, &shape, &mut stored)?;
            codec::decode(&stored)
        });
        decoded.map_err(|fault: Fault| Error::at(fault, Place::default()))
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Str(text) = self { Some(text) } else { None }
    }

    /// The bool, if it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The integer, if it is one of any width and fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        i64::try_from(self.as_i128()?).ok()
    }

    /// The integer, if it is one of any width, not negative, and fits.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        u64::try_from(self.as_i128()?).ok()
    }

    fn as_i128(&self) -> Option<i128> {
        Some(match *self {
            Self::I8(value) => value.into(),
            Self::I16(value) => value.into(),
            Self::I32(value) => value.into(),
            Self::I64(value) => value.into(),
            Self::I128(value) => value,
            Self::U8(value) => value.into(),
            Self::U16(value) => value.into(),
            Self::U32(value) => value.into(),
            Self::U64(value) => value.into(),
            Self::U128(value) => value.try_into().ok()?,
            _ => return None,
        })
    }

    /// The floating point number, if it is one.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match *self {
            Self::F32(value) => Some(value.into()),
            Self::F64(value) => Some(value),
            _ => None,
        }
    }

    /// The value of a map's entry, if it is a map with that text as a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        let Self::Map(entries) = self else { return None };
        entries.iter().find(|(k, _)| k.as_str() == Some(key)).map(|(_, value)| value)
    }
}

macro_rules! from {
    ($($type:ty => $variant:ident;)*) => {
        $(impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$variant(value.into())
            }
        })*
    };
}

from! {
    bool => Bool;
    i8 => I8; i16 => I16; i32 => I32; i64 => I64; i128 => I128;
    u8 => U8; u16 => U16; u32 => U32; u64 => U64; u128 => U128;
    f32 => F32; f64 => F64;
    char => Char;
    String => Str; &str => Str;
    Vec<u8> => Bytes; &[u8] => Bytes;
    Vec<Value> => Seq;
    Vec<(Value, Value)> => Map;
}

impl From<()> for Value {
    fn from((): ()) -> Self {
        Self::Unit
    }
}

impl<T: Into<Value>> FromIterator<T> for Value {
    /// A sequence of the values.
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self::Seq(values.into_iter().map(Into::into).collect())
    }
}

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
    /// The value alone: in JSON, and behind the mark of a node.
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

/// Takes a node, or a whole composite as it is stored.
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
        let opaque = Opaque::new(stored).ok_or_else(|| E::custom("no stored composite"))?;
        Ok(Value::Opaque(opaque))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut node: A) -> Result<Value, A::Error> {
        fn plain<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(node: &mut A) -> Result<T, A::Error> {
            node.next_element()?.ok_or_else(|| de::Error::custom("no value in a node"))
        }
        let mark: u8 = plain(&mut node)?;
        let no_node = || de::Error::custom("no kind of a node");
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

/// Takes what a self-describing format such as JSON holds.
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
