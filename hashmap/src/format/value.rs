//! Values whose type is only known at run time.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::ser::Serialize;

use crate::error::Error;
use crate::error::fault::Fault;
use crate::error::place::Place;
use crate::format as codec;
use crate::kind::Kind;

/// A stored value of any kind, for fields whose type is only known at run time.
///
/// It reads every stored value: a scalar as that scalar, and a tree that was written as a `Value` as that tree. A
/// composite (struct, enum, `Vec`, …) of a type that only its writer knew stays [`Opaque`]: it can be decoded later,
/// and loses nothing when it is written back.
///
/// In a human-readable format such as JSON, it serializes as the plain value, and any JSON document reads as a `Value`.
/// `null` is [`Value::Unit`].
///
/// ```
/// use redis_hashmap::{HashMap, Value};
/// # let mut con = redis_hashmap_tests::connection()?;
/// # let key = redis_hashmap_tests::key();
/// let settings = HashMap::new(&*key).on(&mut con);
/// settings.set("font_size", 14_u8)?;
/// settings.set("columns", Value::from_iter(["name", "size"]))?;
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

/// A stored composite whose type is not known here. Its `Debug` shows its kind and size.
#[derive(Clone, PartialEq, Eq)]
pub struct Opaque {
    /// The whole stored value, header included.
    pub(super) stored: Box<[u8]>,
}

impl Opaque {
    pub(super) fn new(stored: &[u8]) -> Option<Self> {
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
    /// Returns the errors of [`Field::get`](crate::Field::get), without a key and a field.
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

    /// Encodes anything that can be stored: a scalar becomes that scalar, a composite becomes [`Opaque`].
    ///
    /// It lets a type of your own hold a value of any type, which [`decode`](Self::decode) gives back. (As everywhere
    /// in serde, an array is a tuple and a slice is a seq: encode `&[1, 2][..]` to decode a `Vec`.)
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
    /// Returns [`Refused`](Error::Refused), without a key and a field, if it cannot be stored.
    pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        let encoded = codec::plan(value, usize::MAX).and_then(|shape| {
            let mut stored = Vec::new();
            codec::write(value, &shape, &mut stored)?;
            codec::decode(&stored)
        });
        encoded.map_err(|fault: Fault| Error::at(fault, Place::default()))
    }

    /// Decodes it as the type it was written with, as if the field had been read as a `T`.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Field::get`](crate::Field::get), without a key and a field.
    pub fn decode<T: Serialize + DeserializeOwned>(&self) -> Result<T, Error> {
        let decoded = codec::plan(self, usize::MAX).and_then(|shape| {
            let mut stored = Vec::new();
            codec::write(self, &shape, &mut stored)?;
            codec::decode(&stored)
        });
        decoded.map_err(|fault: Fault| Error::at(fault, Place::default()))
    }

    /// The text, if this is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Str(text) = self { Some(text) } else { None }
    }

    /// The bool, if this is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The integer, if this is one of any width that fits into an `i64`.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        i64::try_from(self.as_i128()?).ok()
    }

    /// The integer, if this is one of any width that fits into a `u64`.
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

    /// The floating-point number, if this is one.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match *self {
            Self::F32(value) => Some(value.into()),
            Self::F64(value) => Some(value),
            _ => None,
        }
    }

    /// The value of the entry with this text as its key, if this is a map and has one.
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
    /// Makes a sequence of the values.
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self::Seq(values.into_iter().map(Into::into).collect())
    }
}
