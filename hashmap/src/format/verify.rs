//! Finds out whether stored bytes were written by a schema.
//!
//! A schema is believed only if it accounts for every byte, and gives the kind and the digest that are stored. The digest
//! covers kinds, names, indices and numbers of parts, so that two schemas that both do take the bytes apart alike.

use crate::format::schema::{Id, Node, Parts, Schema};
use crate::format::shape::{MAX_DEPTH, MAX_ZERO_WIDTH, ShapeHash};
use crate::kind::Kind;

/// Returns the payload of a stored value that was written by this schema, or `None` if it was not.
pub(crate) fn payload<'a>(schema: &Schema, stored: &'a [u8]) -> Option<&'a [u8]> {
    let (kind, rest) = stored.split_first()?;
    let kind = Kind::from_byte(*kind)?;
    let (digest, payload) = if kind.is_scalar() {
        (None, rest)
    } else {
        rest.split_first_chunk().map(|(digest, rest)| (Some(*digest), rest))?
    };
    if schema.kind(schema.root) != Some(kind) {
        return None;
    }
    let mut walk = Walk::over(payload);
    walk.node(schema, schema.root)?;
    let is_written_by_it =
        walk.rest.is_empty() && digest.is_none_or(|digest| digest == walk.hash.digest().to_le_bytes());
    is_written_by_it.then_some(payload)
}

/// Takes a part off the front of bytes that [`payload`] has checked.
pub(crate) fn split<'a>(schema: &Schema, id: Id, bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let mut walk = Walk::over(bytes);
    walk.node(schema, id)?;
    let (part, rest) = bytes.split_at_checked(bytes.len() - walk.rest.len())?;
    *bytes = rest;
    Some(part)
}

/// Takes an unsigned integer off the front: bincode's varint, in its shortest form.
pub(crate) fn varint(bytes: &mut &[u8]) -> Option<u128> {
    let (first, rest) = bytes.split_first()?;
    let (len, least) = match first {
        0..=250 => {
            *bytes = rest;
            return Some(u128::from(*first));
        }
        251 => (2, 251),
        252 => (4, 1 << 16),
        253 => (8, 1 << 32),
        254 => (16, 1 << 64),
        255 => return None,
    };
    let (number, rest) = rest.split_at_checked(len)?;
    *bytes = rest;
    let number = number.iter().rev().fold(0, |sum, byte| sum << 8 | u128::from(*byte));
    (number >= least).then_some(number)
}

/// Takes a signed integer off the front: zigzag, then varint.
pub(crate) fn zigzag(bytes: &mut &[u8]) -> Option<i128> {
    let number = varint(bytes)?;
    Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
}

/// Takes a byte string off the front.
pub(crate) fn bytes<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = usize::try_from(varint(bytes)?).ok()?;
    let (string, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(string)
}

/// Takes a char off the front: it is stored as UTF-8.
pub(crate) fn char(bytes: &mut &[u8]) -> Option<char> {
    let len = (1..=4).find(|len| bytes.get(..*len).is_some_and(|char| std::str::from_utf8(char).is_ok()))?;
    let (char, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    std::str::from_utf8(char).ok()?.chars().next()
}

/// A way over the bytes of a value, which digests its shape as `shape_digest.rs` does.
struct Walk<'a> {
    rest: &'a [u8],
    hash: ShapeHash,
    depth: i32,
    zero_width: u32,
}

impl<'a> Walk<'a> {
    fn over(rest: &'a [u8]) -> Self {
        Self { rest, hash: ShapeHash::EMPTY, depth: 0, zero_width: 0 }
    }

    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    fn skip(&mut self, len: usize) -> Option<()> {
        self.rest = self.rest.get(len..)?;
        Some(())
    }

    fn node(&mut self, schema: &Schema, id: Id) -> Option<()> {
        let node = schema.nodes.get(id)?;
        self.hash.feed(schema.kind(id)?.byte());
        if let Node::Scalar(leaf) = node {
            return self.scalar(leaf.kind);
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH + 1 {
            return None;
        }
        match node {
            Node::Option(some) => {
                let flag = self.byte()?;
                self.hash.feed(flag);
                match flag {
                    0 => {}
                    1 => self.node(schema, *some)?,
                    _ => return None,
                }
            }
            Node::Seq(element) => self.elements(|walk| walk.node(schema, *element))?,
            Node::Map(key, value) => self.elements(|walk| {
                walk.node(schema, *key)?;
                walk.node(schema, *value)
            })?,
            Node::Tuple(parts) => {
                self.hash.feed_number(parts.len() as u64);
                self.unnamed(schema, parts)?;
            }
            Node::Struct { fields, .. } => {
                self.hash.feed_number(fields.len() as u64);
                self.named(schema, fields)?;
            }
            Node::Enum { variants, .. } => {
                let index = u32::try_from(varint(&mut self.rest)?).ok()?;
                let variant = variants.get(&index)?;
                self.hash.feed_number(index.into());
                self.hash.feed_name(&variant.name);
                self.hash.feed_number(variant.parts.len() as u64);
                match &variant.parts {
                    Parts::Unit => {}
                    Parts::Unnamed(parts) => self.unnamed(schema, parts)?,
                    Parts::Named(fields) => self.named(schema, fields)?,
                }
            }
            Node::Dynamic => self.dynamic()?,
            Node::Scalar(_) | Node::Unknown => return None,
        }
        self.depth -= 1;
        Some(())
    }

    fn unnamed(&mut self, schema: &Schema, parts: &[Id]) -> Option<()> {
        parts.iter().try_for_each(|part| self.node(schema, *part))
    }

    fn named(&mut self, schema: &Schema, fields: &[(String, Id)]) -> Option<()> {
        fields.iter().try_for_each(|(name, part)| {
            self.hash.feed_name(name);
            self.node(schema, *part)
        })
    }

    /// The elements of a seq or the entries of a map. Their hashes are added up.
    fn elements(&mut self, mut element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        let outer = self.hash;
        let mut sum = 0_u64;
        let len = u64::try_from(varint(&mut self.rest)?).ok()?;
        for _ in 0..len {
            let before = self.rest.len();
            self.hash = ShapeHash::EMPTY;
            element(self)?;
            sum = sum.wrapping_add(self.hash.mixed());
            if self.rest.len() == before {
                self.zero_width += 1;
                if self.zero_width > MAX_ZERO_WIDTH {
                    return None;
                }
            }
        }
        self.hash = outer;
        self.hash.feed_sum(sum);
        Some(())
    }

    fn scalar(&mut self, kind: Kind) -> Option<()> {
        let rest = &mut self.rest;
        match kind {
            Kind::Unit => Some(()),
            Kind::Bool => self.byte().filter(|byte| *byte <= 1).map(drop),
            Kind::I8 | Kind::U8 => self.skip(1),
            Kind::I16 => i16::try_from(zigzag(rest)?).ok().map(drop),
            Kind::I32 => i32::try_from(zigzag(rest)?).ok().map(drop),
            Kind::I64 => i64::try_from(zigzag(rest)?).ok().map(drop),
            Kind::I128 => zigzag(rest).map(drop),
            Kind::U16 => u16::try_from(varint(rest)?).ok().map(drop),
            Kind::U32 => u32::try_from(varint(rest)?).ok().map(drop),
            Kind::U64 => u64::try_from(varint(rest)?).ok().map(drop),
            Kind::U128 => varint(rest).map(drop),
            Kind::F32 => self.skip(4),
            Kind::F64 => self.skip(8),
            Kind::Char => char(rest).map(drop),
            Kind::Str => std::str::from_utf8(bytes(rest)?).ok().map(drop),
            Kind::Bytes => bytes(rest).map(drop),
            _ => None,
        }
    }

    /// A node of a `Value`: its mark, then what is in it. Its shape is not digested.
    fn dynamic(&mut self) -> Option<()> {
        let hash = self.hash;
        self.dynamic_node(0)?;
        self.hash = hash;
        Some(())
    }

    fn dynamic_node(&mut self, depth: i32) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        match Kind::from_byte(self.byte()?)? {
            Kind::Seq => self.elements(|walk| walk.dynamic_node(depth + 1)),
            Kind::Map => self.elements(|walk| {
                walk.dynamic_node(depth + 1)?;
                walk.dynamic_node(depth + 1)
            }),
            Kind::Dynamic => bytes(&mut self.rest).map(drop),
            kind => self.scalar(kind),
        }
    }
}
