//! The shape of a value: its kind, a digest of how it is built, and its stored length. `docs/format.md` specifies it.

use std::fmt;

use serde::ser;

use crate::kind::Kind;

/// How deep a stored value may nest. A decoder can rely on it.
pub(crate) const MAX_DEPTH: i32 = 128;

/// How many elements that take no byte (`()`, empty structs) a stored value may hold: their number is not bounded by
/// the length of the value.
pub(crate) const MAX_ZERO_WIDTH: u32 = 65_536;

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// What stands before the payload of a stored value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Header {
    /// A scalar: its kind.
    Kind(Kind),
    /// A composite: its kind and the digest of its shape.
    Digest(Kind, u32),
    /// A [`Value`](crate::Value) that carries its header itself, behind this many bytes of its own framing.
    Carried(Kind, u64),
}

impl Header {
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Kind(kind) | Self::Digest(kind, _) | Self::Carried(kind, _) => kind,
        }
    }

    /// How many bytes it takes, besides what bincode writes.
    pub(crate) fn len(self) -> u64 {
        match self {
            Self::Kind(_) => 1,
            Self::Digest(..) => 5,
            Self::Carried(..) => 0,
        }
    }

    /// The length of the whole stored value, where bincode writes `payload` bytes.
    pub(super) fn stored_len(self, payload: u64) -> u64 {
        let framing = if let Self::Carried(_, framing) = self { framing } else { 0 };
        self.len() + payload - framing
    }
}

/// The outermost node of a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Root {
    pub(super) kind: Kind,
    /// For a `Value` that brings its header along: the length of the framing before it.
    pub(super) carried: Option<u64>,
}

impl Root {
    /// The header of a value whose shape has this hash.
    #[inline]
    pub(super) fn header(self, hash: ShapeHash) -> Header {
        match self {
            Self { kind, carried: Some(framing) } => Header::Carried(kind, framing),
            Self { kind, .. } if kind.is_scalar() => Header::Kind(kind),
            Self { kind, .. } => Header::Digest(kind, hash.digest()),
        }
    }
}

/// The result of the shape pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub(crate) header: Header,
    /// Bytes in Redis, header included.
    pub(crate) stored_len: u64,
}

impl Shape {
    /// How many bytes to reserve for it.
    pub(crate) fn len(&self) -> usize {
        usize::try_from(self.stored_len).unwrap_or(0)
    }
}

/// Why a value cannot be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("it nests deeper than {MAX_DEPTH} levels")]
    TooDeep,
    #[error("it holds more than {MAX_ZERO_WIDTH} elements that take no space")]
    ZeroWidth,
    #[error(
        "serde's `skip_serializing_if` leaves out its field `{0}`, which a reader cannot know: remove the attribute"
    )]
    SkippedField(&'static str),
    #[error("its length is not known before it is serialized (serde's `flatten` does that): collect it first")]
    UnknownLength,
    #[error("its Serialize announced {announced} elements, but wrote {written}")]
    Length { announced: u64, written: u64 },
    #[error("it changes while it is serialized")]
    Changing,
    // The text of a foreign error can hold the value.
    #[error("its Serialize refused it")]
    Custom,
}

impl ser::Error for Refusal {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Custom
    }
}

/// The length of an unsigned integer in bincode's varint encoding.
#[inline]
pub(super) fn varint_len(value: u128) -> u64 {
    match value {
        0..=250 => 1,
        251..=0xffff => 3,
        0x1_0000..=0xffff_ffff => 5,
        0x1_0000_0000..=0xffff_ffff_ffff_ffff => 9,
        _ => 17,
    }
}

/// The length of a signed integer in that encoding: zigzag, then varint.
#[inline]
pub(super) fn signed_len(value: i128) -> u64 {
    varint_len(((value << 1) ^ (value >> 127)).cast_unsigned())
}

/// The hash of a shape that is being taken: FNV-1a 64. `docs/format.md` says what is fed to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShapeHash(u64);

impl ShapeHash {
    pub(crate) const EMPTY: Self = Self(FNV_OFFSET);

    #[inline]
    pub(crate) fn feed(&mut self, byte: u8) {
        self.0 = fnv1a_step(self.0, byte);
    }

    /// A number, as LEB128.
    #[inline]
    pub(crate) fn feed_number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.feed((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.feed((number & 0x7f) as u8);
    }

    #[inline]
    pub(crate) fn feed_name(&mut self, name: &str) {
        self.feed_number(name.len() as u64);
        for byte in name.bytes() {
            self.feed(byte);
        }
    }

    /// The hash of what is around elements that have these hashes: their order does not matter.
    #[inline]
    pub(crate) fn feed_sum(&mut self, sum: u64) {
        for byte in sum.to_le_bytes() {
            self.feed(byte);
        }
    }

    /// What an element adds to that sum.
    #[inline]
    pub(crate) fn mixed(self) -> u64 {
        fmix64(self.0)
    }

    pub(crate) fn value(self) -> u64 {
        self.0
    }

    /// The digest that is stored: the low half.
    #[inline]
    #[expect(clippy::cast_possible_truncation)]
    pub(crate) fn digest(self) -> u32 {
        self.0 as u32
    }
}

/// FNV-1a 64 of some bytes.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(FNV_OFFSET, |hash, byte| fnv1a_step(hash, *byte))
}

#[inline]
fn fnv1a_step(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME)
}

/// The finalizer of murmur3: it spreads a hash over all bits, so that a sum of hashes is a hash.
#[inline]
pub(crate) fn fmix64(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// The length of the varint before a byte string, where both together take `total` bytes.
pub(super) fn framed_len(total: u64) -> u64 {
    [1, 3, 5].into_iter().find(|prefix| varint_len(total.saturating_sub(*prefix).into()) == *prefix).unwrap_or(9)
}
