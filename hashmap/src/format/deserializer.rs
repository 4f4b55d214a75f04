//! A Deserializer that guards against hostile bytes. bincode decodes each scalar; everything that the bytes could
//! misuse (lengths, nesting, elements that take no space) is checked here before anything is allocated or called.
//!
//! bincode's own Deserializer aborts the process on a string whose length prefix is huge, overflows the stack on deep
//! nesting and spins on a `Vec<()>` with a billion elements.

use bincode::config::{Configuration, standard};
use bincode::de::read::{BorrowReader, Reader};
use bincode::de::{BorrowDecode, Decode, Decoder as _, DecoderImpl};
use bincode::error::DecodeError;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use crate::format::decode_fault::DecodeFault;
use crate::format::shape::{MAX_DEPTH, MAX_ZERO_WIDTH};
use crate::kind::Kind;

/// The most elements that are announced to a visitor at once: not every collection is as careful with that as serde's.
const ANNOUNCED_AT_ONCE: usize = 256;

/// The bytes that are left.
struct Input<'de> {
    rest: &'de [u8],
}

impl Reader for Input<'_> {
    #[inline]
    fn read(&mut self, bytes: &mut [u8]) -> Result<(), DecodeError> {
        bytes.copy_from_slice(self.take_bytes(bytes.len())?);
        Ok(())
    }

    #[inline]
    fn peek_read(&mut self, n: usize) -> Option<&[u8]> {
        self.rest.get(..n)
    }

    #[inline]
    fn consume(&mut self, n: usize) {
        self.rest = self.rest.get(n..).unwrap_or_default();
    }
}

impl<'de> BorrowReader<'de> for Input<'de> {
    #[inline]
    fn take_bytes(&mut self, length: usize) -> Result<&'de [u8], DecodeError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or_else(|| DecodeError::UnexpectedEnd { additional: length - self.rest.len() })?;
        self.rest = rest;
        Ok(taken)
    }
}

/// Decodes one stored value.
pub(crate) struct Decoder<'de> {
    inner: DecoderImpl<Input<'de>, Configuration, ()>,
    /// The whole stored value, for a [`Value`](crate::Value) at its root.
    stored: &'de [u8],
    kind: Kind,
    depth: i32,
    zero_width: u32,
    /// How many elements may still be announced to visitors; at first, as many as there are bytes. Elements that take
    /// space are never more than that, so honest announcements do not run out, and preallocation stays in proportion to
    /// the value whatever its lengths claim.
    announceable: usize,
}

impl<'de> Decoder<'de> {
    /// `header` is the number of bytes before the payload.
    pub(crate) fn new(stored: &'de [u8], kind: Kind, header: usize) -> Self {
        let rest = stored.get(header..).unwrap_or_default();
        Self {
            inner: DecoderImpl::new(Input { rest }, standard(), ()),
            stored,
            kind,
            depth: 0,
            zero_width: 0,
            announceable: rest.len(),
        }
    }

    pub(crate) fn finish(mut self) -> Result<(), DecodeFault> {
        match self.left() {
            0 => Ok(()),
            left => Err(DecodeFault::Trailing(left)),
        }
    }

    #[inline]
    fn left(&mut self) -> usize {
        self.inner.reader().rest.len()
    }

    #[inline]
    fn scalar<T: Decode<()>>(&mut self) -> Result<T, DecodeFault> {
        Ok(T::decode(&mut self.inner)?)
    }

    #[inline]
    fn borrowed<T: BorrowDecode<'de, ()>>(&mut self) -> Result<T, DecodeFault> {
        Ok(T::borrow_decode(&mut self.inner)?)
    }

    /// Runs `visit` one level deeper.
    #[inline]
    fn nested<T>(&mut self, visit: impl FnOnce(&mut Self) -> Result<T, DecodeFault>) -> Result<T, DecodeFault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(DecodeFault::TooDeep);
        }
        let value = visit(self)?;
        self.depth -= 1;
        Ok(value)
    }

    /// The length of a seq or a map. Elements that take no byte are counted when they are read.
    #[inline]
    fn len(&mut self) -> Result<usize, DecodeFault> {
        let len = usize::try_from(self.scalar::<u64>()?).map_err(|_| DecodeFault::Length)?;
        if len > self.left() && len > MAX_ZERO_WIDTH as usize {
            return Err(DecodeFault::Length);
        }
        Ok(len)
    }

    #[inline]
    fn elements(&mut self, left: usize) -> Elements<'_, 'de> {
        let hint = left.min(self.announceable).min(ANNOUNCED_AT_ONCE);
        self.announceable -= hint;
        Elements { decoder: self, left, hint, before: 0 }
    }

    #[inline]
    fn parts<V: Visitor<'de>>(&mut self, len: usize, visitor: V) -> Result<V::Value, DecodeFault> {
        self.nested(|decoder| visitor.visit_seq(Parts { decoder, left: len }))
    }
}

macro_rules! scalars {
    ($($method:ident $visit:ident $type:ty;)*) => {
        $(#[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeFault> {
            visitor.$visit(self.scalar::<$type>()?)
        })*
    };
}

macro_rules! refused {
    ($($method:ident $what:literal;)*) => {
        $(fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, DecodeFault> {
            Err(DecodeFault::NotSelfDescribing($what))
        })*
    };
}

impl<'de> Deserializer<'de> for &mut Decoder<'de> {
    type Error = DecodeFault;

    scalars! {
        deserialize_bool visit_bool bool;
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
        deserialize_f32 visit_f32 f32;
        deserialize_f64 visit_f64 f64;
        deserialize_char visit_char char;
    }

    refused! {
        deserialize_any "any value";
        deserialize_ignored_any "a value to ignore";
        deserialize_identifier "a field's name";
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeFault> {
        visitor.visit_borrowed_str(self.borrowed()?)
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeFault> {
        self.deserialize_str(visitor)
    }

    #[inline]
    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeFault> {
        visitor.visit_borrowed_bytes(self.borrowed()?)
    }

    #[inline]
    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeFault> {
        self.deserialize_bytes(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeFault> {
        match self.scalar::<u8>()? {
            0 => visitor.visit_none(),
            1 => self.nested(|decoder| visitor.visit_some(decoder)),
            _ => Err(DecodeFault::Invalid("option")),
        }
    }

    #[inline]
    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeFault> {
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DecodeFault> {
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeFault> {
        if Kind::from_value_name(name).is_none() {
            return visitor.visit_newtype_struct(self);
        }
        if self.depth == 0 && self.kind != Kind::Dynamic {
            if !self.kind.is_scalar() {
                // A composite of a type that only its writer knew: it is kept as it is stored.
                self.inner.reader().rest = &[];
                return visitor.visit_borrowed_bytes(self.stored);
            }
            // A stored scalar is a node of a tree: its kind, then its payload.
            self.inner.reader().rest = self.stored;
        }
        self.depth -= 1; // as in the shape pass: the framing of a node is not a level
        let value = visitor.visit_newtype_struct(&mut *self)?;
        self.depth += 1;
        Ok(value)
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeFault> {
        let len = self.len()?;
        self.nested(|decoder| visitor.visit_seq(decoder.elements(len)))
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, DecodeFault> {
        self.parts(len, visitor)
    }

    #[inline]
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeFault> {
        self.parts(len, visitor)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeFault> {
        let len = self.len()?;
        self.nested(|decoder| visitor.visit_map(decoder.elements(len)))
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeFault> {
        self.parts(fields.len(), visitor)
    }

    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeFault> {
        self.nested(|decoder| visitor.visit_enum(Variant { decoder }))
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }
}

/// The elements of a seq or the entries of a map.
struct Elements<'a, 'de> {
    decoder: &'a mut Decoder<'de>,
    left: usize,
    hint: usize,
    /// How many bytes were left before this element.
    before: usize,
}

impl Elements<'_, '_> {
    /// True if there is one more.
    #[inline]
    fn next(&mut self) -> bool {
        self.before = self.decoder.left();
        let more = self.left > 0;
        self.left -= usize::from(more);
        more
    }

    #[inline]
    fn finish_element(&mut self) -> Result<(), DecodeFault> {
        if self.decoder.left() == self.before {
            self.decoder.zero_width += 1;
            if self.decoder.zero_width > MAX_ZERO_WIDTH {
                return Err(DecodeFault::ZeroWidth);
            }
        }
        Ok(())
    }
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = DecodeFault;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, DecodeFault> {
        if !self.next() {
            return Ok(None);
        }
        let value = seed.deserialize(&mut *self.decoder)?;
        self.finish_element()?;
        Ok(Some(value))
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some(self.hint)
    }
}

impl<'de> MapAccess<'de> for Elements<'_, 'de> {
    type Error = DecodeFault;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeFault> {
        if self.next() { seed.deserialize(&mut *self.decoder).map(Some) } else { Ok(None) }
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DecodeFault> {
        let value = seed.deserialize(&mut *self.decoder)?;
        self.finish_element()?;
        Ok(value)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some(self.hint)
    }
}

/// The parts of a tuple or a struct: the type says how many.
struct Parts<'a, 'de> {
    decoder: &'a mut Decoder<'de>,
    left: usize,
}

impl<'de> SeqAccess<'de> for Parts<'_, 'de> {
    type Error = DecodeFault;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, DecodeFault> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(&mut *self.decoder).map(Some)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

struct Variant<'a, 'de> {
    decoder: &'a mut Decoder<'de>,
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = DecodeFault;
    type Variant = Self;

    #[inline]
    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), DecodeFault> {
        let index: u32 = self.decoder.scalar()?;
        let value = seed.deserialize(IntoDeserializer::<DecodeFault>::into_deserializer(index))?;
        Ok((value, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = DecodeFault;

    #[inline]
    fn unit_variant(self) -> Result<(), DecodeFault> {
        Ok(())
    }

    #[inline]
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, DecodeFault> {
        seed.deserialize(self.decoder)
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, DecodeFault> {
        visitor.visit_seq(Parts { decoder: self.decoder, left: len })
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeFault> {
        self.tuple_variant(fields.len(), visitor)
    }
}
