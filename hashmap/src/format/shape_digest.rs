//! The shape pass: finds the shape of a value without encoding it.
//!
//! It runs before each write, and on what each read has decoded.

use std::fmt::{self, Write as _};

use serde::ser::{self, Serialize};

use crate::format::shape::{
    MAX_DEPTH, MAX_ZERO_WIDTH, Refusal, Root, Shape, ShapeHash, framed_len, signed_len, varint_len,
};
use crate::kind::Kind;

impl Shape {
    #[inline]
    pub(crate) fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, Refusal> {
        let pass = Pass::<false>::over(value)?;
        // Where nothing was serialized, which serde does not allow, there is nothing to store.
        let header = pass.root.ok_or(Refusal::Custom)?.header(pass.hash);
        Ok(Self { header, stored_len: header.stored_len(pass.len) })
    }
}

/// A hash of a value's shape and contents, in which the order of maps does not matter.
pub(crate) fn fingerprint<T: Serialize + ?Sized>(value: &T) -> Result<u64, Refusal> {
    Pass::<true>::over(value).map(|pass| pass.hash.value())
}

/// The state of the pass, which is also its serializer. With `CONTENTS`, it hashes the contents of scalars too.
struct Pass<const CONTENTS: bool> {
    hash: ShapeHash,
    len: u64,
    depth: i32,
    zero_width: u32,
    root: Option<Root>,
}

impl<const CONTENTS: bool> Pass<CONTENTS> {
    #[inline]
    fn over<T: Serialize + ?Sized>(value: &T) -> Result<Self, Refusal> {
        let mut pass = Self { hash: ShapeHash::EMPTY, len: 0, depth: 0, zero_width: 0, root: None };
        value.serialize(&mut pass)?;
        Ok(pass)
    }

    #[inline]
    fn contents(&mut self, bytes: &[u8]) {
        if CONTENTS {
            self.hash.feed_number(bytes.len() as u64);
            for byte in bytes {
                self.hash.feed(*byte);
            }
        }
    }

    #[inline]
    fn kind(&mut self, kind: Kind) {
        if self.root.is_none() {
            self.root = Some(Root { kind, carried: None });
        }
        self.hash.feed(kind.byte());
    }

    #[inline]
    fn scalar(&mut self, kind: Kind, len: u64) {
        self.kind(kind);
        self.len += len;
    }

    #[inline]
    fn enter(&mut self) -> Result<(), Refusal> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(Refusal::TooDeep) } else { Ok(()) }
    }

    #[inline]
    fn composite(&mut self, kind: Kind) -> Result<(), Refusal> {
        self.kind(kind);
        self.enter()
    }

    #[inline]
    fn variant(&mut self, index: u32, name: &'static str, arity: usize) -> Result<(), Refusal> {
        self.composite(Kind::Enum)?;
        self.hash.feed_number(u64::from(index));
        self.hash.feed_name(name);
        self.hash.feed_number(arity as u64);
        self.len += varint_len(u128::from(index));
        Ok(())
    }

    #[inline]
    fn elements(&mut self, kind: Kind, announced: Option<usize>) -> Result<Elements<'_, CONTENTS>, Refusal> {
        let announced = announced.ok_or(Refusal::UnknownLength)? as u64;
        self.composite(kind)?;
        self.len += varint_len(u128::from(announced));
        let outer = self.hash;
        Ok(Elements { pass: self, announced, written: 0, outer, sum: 0, before: 0 })
    }
}

macro_rules! scalars {
    ($($method:ident($type:ty) $kind:ident = |$v:ident| $len:expr, $bytes:expr;)*) => {
        $(#[inline]
        fn $method(self, $v: $type) -> Result<(), Refusal> {
            self.scalar(Kind::$kind, $len);
            self.contents($bytes.as_ref());
            Ok(())
        })*
    };
}

impl<'a, const CONTENTS: bool> ser::Serializer for &'a mut Pass<CONTENTS> {
    type Ok = ();
    type Error = Refusal;
    type SerializeSeq = Elements<'a, CONTENTS>;
    type SerializeTuple = Fields<'a, CONTENTS>;
    type SerializeTupleStruct = Fields<'a, CONTENTS>;
    type SerializeTupleVariant = Fields<'a, CONTENTS>;
    type SerializeMap = Elements<'a, CONTENTS>;
    type SerializeStruct = Fields<'a, CONTENTS>;
    type SerializeStructVariant = Fields<'a, CONTENTS>;

    scalars! {
        serialize_bool(bool) Bool = |v| 1, [u8::from(v)];
        serialize_i8(i8) I8 = |v| 1, v.to_le_bytes();
        serialize_i16(i16) I16 = |v| signed_len(v.into()), v.to_le_bytes();
        serialize_i32(i32) I32 = |v| signed_len(v.into()), v.to_le_bytes();
        serialize_i64(i64) I64 = |v| signed_len(v.into()), v.to_le_bytes();
        serialize_i128(i128) I128 = |v| signed_len(v), v.to_le_bytes();
        serialize_u8(u8) U8 = |v| 1, v.to_le_bytes();
        serialize_u16(u16) U16 = |v| varint_len(v.into()), v.to_le_bytes();
        serialize_u32(u32) U32 = |v| varint_len(v.into()), v.to_le_bytes();
        serialize_u64(u64) U64 = |v| varint_len(v.into()), v.to_le_bytes();
        serialize_u128(u128) U128 = |v| varint_len(v), v.to_le_bytes();
        serialize_f32(f32) F32 = |v| 4, v.to_le_bytes();
        serialize_f64(f64) F64 = |v| 8, v.to_le_bytes();
        serialize_char(char) Char = |v| v.len_utf8() as u64, u32::from(v).to_le_bytes();
        serialize_str(&str) Str = |v| varint_len(v.len() as u128) + v.len() as u64, v.as_bytes();
        serialize_bytes(&[u8]) Bytes = |v| varint_len(v.len() as u128) + v.len() as u64, v;
    }

    #[inline]
    fn serialize_unit(self) -> Result<(), Refusal> {
        self.scalar(Kind::Unit, 0);
        Ok(())
    }

    #[inline]
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Refusal> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_none(self) -> Result<(), Refusal> {
        self.kind(Kind::Option);
        self.hash.feed(0);
        self.len += 1;
        Ok(())
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refusal> {
        self.composite(Kind::Option)?;
        self.hash.feed(1);
        self.len += 1;
        value.serialize(&mut *self)?;
        self.depth -= 1;
        Ok(())
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<(), Refusal> {
        let Some(kind) = Kind::from_value_name(name) else { return value.serialize(self) };
        // A `Value`: whatever is in it describes itself, so its shape is one node.
        let (before, is_root) = (self.len, self.root.is_none());
        let outer = self.hash;
        self.root.get_or_insert(Root { kind, carried: None });
        self.depth -= 1; // its framing is a tuple, which is not a level of the user's
        value.serialize(&mut *self)?;
        self.depth += 1;
        if !CONTENTS {
            self.hash = outer;
        }
        self.hash.feed(Kind::Dynamic.byte());
        if is_root && kind != Kind::Dynamic {
            // bincode writes a scalar node as it is stored: its kind and its payload. An opaque composite keeps its
            // stored form; bincode writes that as a byte string behind the mark of its node.
            let framing = if kind.is_scalar() { 0 } else { 1 + framed_len(self.len - before - 1) };
            self.root = Some(Root { kind, carried: Some(framing) });
        }
        Ok(())
    }

    #[inline]
    fn serialize_unit_variant(self, _: &'static str, index: u32, variant: &'static str) -> Result<(), Refusal> {
        self.variant(index, variant, 0)?;
        self.depth -= 1;
        Ok(())
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Refusal> {
        self.variant(index, variant, 1)?;
        value.serialize(&mut *self)?;
        self.depth -= 1;
        Ok(())
    }

    #[inline]
    fn serialize_seq(self, len: Option<usize>) -> Result<Elements<'a, CONTENTS>, Refusal> {
        self.elements(Kind::Seq, len)
    }

    #[inline]
    fn serialize_tuple(self, len: usize) -> Result<Fields<'a, CONTENTS>, Refusal> {
        self.composite(Kind::Tuple)?;
        self.hash.feed_number(len as u64);
        Ok(Fields { pass: self })
    }

    #[inline]
    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Fields<'a, CONTENTS>, Refusal> {
        self.serialize_tuple(len)
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Fields<'a, CONTENTS>, Refusal> {
        self.variant(index, variant, len)?;
        Ok(Fields { pass: self })
    }

    #[inline]
    fn serialize_map(self, len: Option<usize>) -> Result<Elements<'a, CONTENTS>, Refusal> {
        self.elements(Kind::Map, len)
    }

    #[inline]
    fn serialize_struct(self, _: &'static str, len: usize) -> Result<Fields<'a, CONTENTS>, Refusal> {
        self.composite(Kind::Struct)?;
        self.hash.feed_number(len as u64);
        Ok(Fields { pass: self })
    }

    #[inline]
    fn serialize_struct_variant(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Fields<'a, CONTENTS>, Refusal> {
        self.variant(index, variant, len)?;
        Ok(Fields { pass: self })
    }

    /// Counts the bytes that Display writes, without allocating them.
    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<(), Refusal> {
        struct Counter(u64);
        impl fmt::Write for Counter {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.0 += text.len() as u64;
                Ok(())
            }
        }
        if CONTENTS {
            return self.serialize_str(&value.to_string());
        }
        let mut counter = Counter(0);
        write!(counter, "{value}").map_err(|_| Refusal::Custom)?;
        self.scalar(Kind::Str, varint_len(counter.0.into()) + counter.0);
        Ok(())
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }
}

/// The elements of a seq or the entries of a map: each is hashed on its own, and the hashes are added up, so that the
/// order of a `HashMap` does not matter.
pub(crate) struct Elements<'a, const CONTENTS: bool> {
    pass: &'a mut Pass<CONTENTS>,
    announced: u64,
    written: u64,
    /// The hash of what comes before.
    outer: ShapeHash,
    sum: u64,
    /// The length before this element.
    before: u64,
}

impl<const CONTENTS: bool> Elements<'_, CONTENTS> {
    #[inline]
    fn begin<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        self.pass.hash = ShapeHash::EMPTY;
        self.before = self.pass.len;
        value.serialize(&mut *self.pass)
    }

    #[inline]
    fn finish_element(&mut self) -> Result<(), Refusal> {
        self.sum = self.sum.wrapping_add(self.pass.hash.mixed());
        self.written += 1;
        if self.pass.len == self.before {
            self.pass.zero_width += 1;
            if self.pass.zero_width > MAX_ZERO_WIDTH {
                return Err(Refusal::ZeroWidth);
            }
        }
        Ok(())
    }

    #[inline]
    fn finish(self) -> Result<(), Refusal> {
        if self.written != self.announced {
            return Err(Refusal::Length { announced: self.announced, written: self.written });
        }
        self.pass.hash = self.outer;
        self.pass.hash.feed_sum(self.sum);
        self.pass.depth -= 1;
        Ok(())
    }
}

impl<const CONTENTS: bool> ser::SerializeSeq for Elements<'_, CONTENTS> {
    type Ok = ();
    type Error = Refusal;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        self.begin(value)?;
        self.finish_element()
    }

    #[inline]
    fn end(self) -> Result<(), Refusal> {
        self.finish()
    }
}

impl<const CONTENTS: bool> ser::SerializeMap for Elements<'_, CONTENTS> {
    type Ok = ();
    type Error = Refusal;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refusal> {
        self.begin(key)
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        value.serialize(&mut *self.pass)?;
        self.finish_element()
    }

    #[inline]
    fn end(self) -> Result<(), Refusal> {
        self.finish()
    }
}

/// The parts of a tuple, a struct or a variant, hashed one after the other.
pub(crate) struct Fields<'a, const CONTENTS: bool> {
    pass: &'a mut Pass<CONTENTS>,
}

impl<const CONTENTS: bool> Fields<'_, CONTENTS> {
    #[inline]
    fn part<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        value.serialize(&mut *self.pass)
    }

    #[inline]
    fn named<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Refusal> {
        self.pass.hash.feed_name(name);
        self.part(value)
    }
}

macro_rules! fields {
    ($($trait:ident { $method:ident($($name:ident: $type:ty)?) $part:ident })*) => {
        $(impl<const CONTENTS: bool> ser::$trait for Fields<'_, CONTENTS> {
            type Ok = ();
            type Error = Refusal;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, $($name: $type,)? value: &T) -> Result<(), Refusal> {
                self.$part($($name,)? value)
            }

            $(fn skip_field(&mut self, $name: $type) -> Result<(), Refusal> {
                Err(Refusal::SkippedField($name))
            })?

            #[inline]
            fn end(self) -> Result<(), Refusal> {
                self.pass.depth -= 1;
                Ok(())
            }
        })*
    };
}

fields! {
    SerializeTuple { serialize_element() part }
    SerializeTupleStruct { serialize_field() part }
    SerializeTupleVariant { serialize_field() part }
    SerializeStruct { serialize_field(key: &'static str) named }
    SerializeStructVariant { serialize_field(key: &'static str) named }
}
