//! The Deserializer that makes samples of a type. It knows no value itself: it asks a [`Source`] for each scalar and for
//! each choice, and tells it which part of the type is asking.

use std::any::type_name;
use std::fmt;

use serde::de::value::{SeqDeserializer, U32Deserializer};
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use crate::format::schema::Scalar;
use crate::kind::Kind;

/// What a value can be among.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Among {
    /// `None`, or `Some`: 0 or 1.
    Option,
    /// A number of elements or entries.
    Elements,
    /// An enum by its name and its variants: an index. There can be fewer of them than names, because of aliases.
    Variants(&'static str, &'static [&'static str]),
}

/// Who asks for a choice: the name of a visitor, and the address of its function.
///
/// The address tells two types of one name apart. Where the compiler makes one function of two, they do the same.
pub(super) type Asking = (&'static str, usize);

/// The type, or the source, wants no more of this sample. Why is known to the source.
#[derive(Debug)]
pub(super) struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for Refused {}

impl de::Error for Refused {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// Where the values of a sample come from.
///
/// It is a trait object, so that a type's Deserialize is compiled once for all sources.
pub(super) trait Source {
    /// A part begins: the root, a field, an element, … `part` is the name of its type.
    fn begin(&mut self, part: &'static str) -> Result<(), Refused>;
    fn end(&mut self, accepted: bool);
    /// A choice of the part that began last.
    fn choose(&mut self, visitor: Asking, among: Among) -> Result<usize, Refused>;
    /// All that is below a choice was asked for.
    fn chosen(&mut self, accepted: bool);
    /// The choice that was made last does not exist.
    fn no_such_choice(&mut self) -> Refused;
    fn scalar(&mut self, kind: Kind) -> Result<Scalar, Refused>;
    /// A newtype begins, which is no part of its own. It ends with `true` in any case where it was entered.
    fn enter_newtype(&mut self) -> Result<(), Refused>;
    fn leave_newtype(&mut self);
    /// The part asks for what bincode does not record.
    fn asks_for(&mut self, what: &'static str) -> Refused;
}

/// A sample of `T` from `source`.
pub(super) fn sample<'de, T: de::Deserialize<'de>>(source: &mut dyn Source) -> Result<T, Refused> {
    part(source, std::marker::PhantomData::<T>)
}

/// Deserializes one part.
fn part<'de, S: DeserializeSeed<'de>>(source: &mut dyn Source, seed: S) -> Result<S::Value, Refused> {
    source.begin(type_name::<S::Value>())?;
    let value = seed.deserialize(Sample { source: &mut *source });
    source.end(value.is_ok());
    value
}

struct Sample<'a> {
    source: &'a mut dyn Source,
}

impl Sample<'_> {
    /// Makes a choice, and lets `visit` ask for what is below it.
    fn choose<V>(
        self,
        asking: Asking,
        among: Among,
        visit: impl FnOnce(&mut dyn Source, usize) -> Result<V, Refused>,
    ) -> Result<V, Refused> {
        let choice = self.source.choose(asking, among)?;
        let value = visit(&mut *self.source, choice);
        self.source.chosen(value.is_ok());
        value
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $type:ty: $scalar:ident $kind:ident;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
            match self.source.scalar(Kind::$kind)? {
                Scalar::$scalar(number) => visitor.$visit(<$type>::try_from(number).map_err(|_| Refused)?),
                _ => Err(Refused),
            }
        })*
    };
}

macro_rules! scalars {
    ($($method:ident($($argument:ty),*) = $kind:ident, $pattern:pat => $visit:ident($value:expr);)*) => {
        $(fn $method<V: Visitor<'de>>(self, $(_: $argument,)* visitor: V) -> Result<V::Value, Refused> {
            match self.source.scalar(Kind::$kind)? {
                $pattern => visitor.$visit($value),
                _ => Err(Refused),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for Sample<'_> {
    type Error = Refused;

    numbers! {
        deserialize_i8 visit_i8 i8: Signed I8;
        deserialize_i16 visit_i16 i16: Signed I16;
        deserialize_i32 visit_i32 i32: Signed I32;
        deserialize_i64 visit_i64 i64: Signed I64;
        deserialize_i128 visit_i128 i128: Signed I128;
        deserialize_u8 visit_u8 u8: Unsigned U8;
        deserialize_u16 visit_u16 u16: Unsigned U16;
        deserialize_u32 visit_u32 u32: Unsigned U32;
        deserialize_u64 visit_u64 u64: Unsigned U64;
        deserialize_u128 visit_u128 u128: Unsigned U128;
    }

    scalars! {
        deserialize_bool() = Bool, Scalar::Bool(value) => visit_bool(value);
        deserialize_f32() = F32, Scalar::F32(bits) => visit_f32(f32::from_bits(bits));
        deserialize_f64() = F64, Scalar::F64(bits) => visit_f64(f64::from_bits(bits));
        deserialize_char() = Char, Scalar::Char(value) => visit_char(value);
        deserialize_str() = Str, Scalar::Str(text) => visit_str(&text);
        deserialize_string() = Str, Scalar::Str(text) => visit_string(text);
        deserialize_bytes() = Bytes, Scalar::Bytes(bytes) => visit_bytes(&bytes);
        deserialize_byte_buf() = Bytes, Scalar::Bytes(bytes) => visit_byte_buf(bytes);
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.source.scalar(Kind::Unit)?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Refused> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Refused> {
        Err(self.source.asks_for("any value"))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Refused> {
        Err(self.source.asks_for("a value to ignore"))
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Refused> {
        Err(self.source.asks_for("a field's name"))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let asking = (type_name::<V>(), V::visit_some::<Sample<'static>> as *const () as usize);
        self.choose(asking, Among::Option, |source, choice| {
            if choice == 0 { visitor.visit_none() } else { visitor.visit_some(Sample { source }) }
        })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Refused> {
        if Kind::from_value_name(name).is_some() {
            // A `Value` is one node, whatever is in it: here, a u8.
            self.source.scalar(Kind::Dynamic)?;
            return visitor.visit_newtype_struct(SeqDeserializer::<_, Refused>::new([Kind::U8.byte(), 1].into_iter()));
        }
        self.source.enter_newtype()?;
        let value = visitor.visit_newtype_struct(Sample { source: &mut *self.source });
        self.source.leave_newtype();
        value
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let asking = (type_name::<V>(), V::visit_seq::<Parts<'static>> as *const () as usize);
        self.choose(asking, Among::Elements, |source, left| visitor.visit_seq(Parts { source, left }))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let asking = (type_name::<V>(), V::visit_map::<Parts<'static>> as *const () as usize);
        self.choose(asking, Among::Elements, |source, left| visitor.visit_map(Parts { source, left }))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_seq(Parts { source: self.source, left: len })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.deserialize_tuple(fields.len(), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let asking = (type_name::<V>(), V::visit_enum::<Variant<'static>> as *const () as usize);
        self.choose(asking, Among::Variants(name, variants), |source, choice| {
            let index = u32::try_from(choice).map_err(|_| Refused)?;
            visitor.visit_enum(Variant { source, index })
        })
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// The parts of a tuple or a struct, the elements of a seq, or the entries of a map.
struct Parts<'a> {
    source: &'a mut dyn Source,
    left: usize,
}

impl<'de> SeqAccess<'de> for Parts<'_> {
    type Error = Refused;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Refused> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        part(self.source, seed).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de> MapAccess<'de> for Parts<'_> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refused> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refused> {
        part(self.source, seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

struct Variant<'a> {
    source: &'a mut dyn Source,
    index: u32,
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Refused;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Refused> {
        let index: U32Deserializer<Refused> = self.index.into_deserializer();
        match seed.deserialize(index) {
            Ok(value) => Ok((value, self)),
            Err(Refused) => Err(self.source.no_such_choice()),
        }
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Refused;

    fn unit_variant(self) -> Result<(), Refused> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Refused> {
        part(self.source, seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_seq(Parts { source: self.source, left: len })
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Refused> {
        self.tuple_variant(fields.len(), visitor)
    }
}
