//! A part of a stored value that is read by the schema of its writer: what it is, and the bytes that it takes.

use std::any::type_name;
use std::cell::RefCell;
use std::fmt;

use crate::format::decode_fault::DecodeFault;
use crate::format::schema::{Id, Node, Parts, Schema, Variant};
use crate::format::verify::{bytes, char, split, varint, zigzag};
use crate::kind::Kind;

pub(super) struct Context<'a> {
    pub(super) schema: &'a Schema,
    pub(super) ignored: &'a RefCell<Vec<String>>,
}

impl<'a> Context<'a> {
    pub(super) fn part(&'a self, id: Id, bytes: &'a [u8]) -> Result<Part<'a>, DecodeFault> {
        let content = match self.schema.nodes.get(id).ok_or(DecodeFault::Custom)? {
            Node::Scalar(leaf) => Content::Scalar(leaf.kind),
            Node::Option(some) => Content::Option(*some),
            Node::Seq(element) => Content::Seq(*element),
            Node::Map(key, value) => Content::Map(*key, *value),
            Node::Tuple(parts) => Content::Tuple(parts),
            Node::Struct { name, fields } => Content::Struct(Owner::Struct(name), fields),
            Node::Enum { name, variants } => {
                let mut rest = bytes;
                let index = varint(&mut rest).and_then(|index| u32::try_from(index).ok());
                let variant = index.and_then(|index| variants.get(&index)).ok_or(DecodeFault::Invalid("variant"))?;
                return Ok(Part { context: self, content: Content::Variant(name, variant), bytes: rest, field: None });
            }
            Node::Dynamic => Content::Dynamic,
            Node::Unknown => return Err(DecodeFault::Custom),
        };
        Ok(Part { context: self, content, bytes, field: None })
    }

    /// Takes a part off the front of bytes that hold several.
    pub(super) fn next(&'a self, id: Id, bytes: &mut &'a [u8]) -> Result<Part<'a>, DecodeFault> {
        let part = split(self.schema, id, bytes).ok_or(DecodeFault::Truncated)?;
        self.part(id, part)
    }
}

/// A part of a value, and the bytes that it takes.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) content: Content<'a>,
    pub(super) bytes: &'a [u8],
    /// What it is a field of, and its name.
    pub(super) field: Option<(Owner<'a>, &'a str)>,
}

#[derive(Clone, Copy)]
pub(super) enum Content<'a> {
    Scalar(Kind),
    Option(Id),
    Seq(Id),
    Map(Id, Id),
    Tuple(&'a [Id]),
    Struct(Owner<'a>, &'a [(String, Id)]),
    /// A variant of the enum of this name. The bytes are those of its parts.
    Variant(&'a str, &'a Variant),
    Dynamic,
}

/// What a field is one of, by the names in a schema.
#[derive(Clone, Copy)]
pub(super) enum Owner<'a> {
    Struct(&'a str),
    /// A variant of an enum: the names of both.
    Variant(&'a str, &'a str),
    Map,
}

impl fmt::Display for Owner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Struct(name) => f.write_str(name),
            Self::Variant(name, variant) => write!(f, "{name}::{variant}"),
            Self::Map => f.write_str(OF_A_MAP),
        }
    }
}

/// What is told of an entry of a map that is not read.
const OF_A_MAP: &str = "an entry of a map";

/// The value of a scalar.
pub(super) enum Scalar<'a> {
    Unit,
    Bool(bool),
    Signed(i128),
    Unsigned(u128),
    F32(f32),
    F64(f64),
    Char(char),
    Str(&'a str),
    Bytes(&'a [u8]),
}

impl<'a> Part<'a> {
    pub(super) fn scalar(&self, kind: Kind) -> Result<Scalar<'a>, DecodeFault> {
        let mut rest = self.bytes;
        let scalar = match kind {
            Kind::Unit => Some(Scalar::Unit),
            Kind::Bool => rest.first().map(|byte| Scalar::Bool(*byte != 0)),
            Kind::I8 => rest.first().map(|byte| Scalar::Signed(byte.cast_signed().into())),
            Kind::U8 => rest.first().map(|byte| Scalar::Unsigned((*byte).into())),
            Kind::I16 | Kind::I32 | Kind::I64 | Kind::I128 => zigzag(&mut rest).map(Scalar::Signed),
            Kind::U16 | Kind::U32 | Kind::U64 | Kind::U128 => varint(&mut rest).map(Scalar::Unsigned),
            Kind::F32 => rest.first_chunk().map(|bytes| Scalar::F32(f32::from_le_bytes(*bytes))),
            Kind::F64 => rest.first_chunk().map(|bytes| Scalar::F64(f64::from_le_bytes(*bytes))),
            Kind::Char => char(&mut rest).map(Scalar::Char),
            Kind::Str => bytes(&mut rest).and_then(|text| std::str::from_utf8(text).ok()).map(Scalar::Str),
            Kind::Bytes => bytes(&mut rest).map(Scalar::Bytes),
            _ => None,
        };
        scalar.ok_or(DecodeFault::Truncated)
    }

    /// What is in it, where it is an `Option` that is `Some`: for types that do not ask for an `Option`.
    pub(super) fn unwrapped(self) -> Result<Self, DecodeFault> {
        let mut part = self;
        while let (Content::Option(some), [1, rest @ ..]) = (part.content, part.bytes) {
            part = part.context.part(some, rest)?;
        }
        Ok(part)
    }

    /// The number, if it is an integer.
    pub(super) fn integer<T: TryFrom<i128> + TryFrom<u128>>(&self) -> Result<Option<T>, DecodeFault> {
        let Content::Scalar(kind) = self.content else { return Ok(None) };
        let number = match self.scalar(kind)? {
            Scalar::Signed(number) => T::try_from(number).ok(),
            Scalar::Unsigned(number) => T::try_from(number).ok(),
            _ => return Ok(None),
        };
        number.map(Some).ok_or(DecodeFault::OutOfRange(type_name::<T>()))
    }

    /// The number, if it is one that an `f64` holds exactly.
    pub(super) fn float(&self) -> Result<Option<f64>, DecodeFault> {
        let Content::Scalar(kind) = self.content else { return Ok(None) };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let float = match self.scalar(kind)? {
            Scalar::F32(float) => Some(float.into()),
            Scalar::F64(float) => Some(float),
            // The largest would round up to a power of two, and back to itself.
            Scalar::Signed(number) => (number as f64 as i128 == number && number != i128::MAX).then_some(number as f64),
            Scalar::Unsigned(number) => {
                (number as f64 as u128 == number && number != u128::MAX).then_some(number as f64)
            }
            _ => return Ok(None),
        };
        float.map(Some).ok_or(DecodeFault::OutOfRange("f64"))
    }

    /// What a variant holds, as a value of its own: one part alone is that part.
    pub(super) fn of_variant(self, of: &'a str, variant: &'a Variant) -> Result<Self, DecodeFault> {
        let content = match &variant.parts {
            Parts::Unit => Content::Scalar(Kind::Unit),
            Parts::Unnamed(parts) => match parts.as_slice() {
                [part] => return self.context.part(*part, self.bytes),
                parts => Content::Tuple(parts),
            },
            Parts::Named(fields) => Content::Struct(Owner::Variant(of, &variant.name), fields),
        };
        Ok(Self { content, ..self })
    }
}
