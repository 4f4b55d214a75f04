//! Stored values: a header that says what follows, and bincode. `docs/format.md` is the specification.

pub(crate) mod any;
pub(crate) mod asked_kind;
mod asks_for_any;
pub(crate) mod decode_fault;
mod deserializer;
pub(crate) mod given;
pub(crate) mod merge;
mod part;
mod part_access;
pub(crate) mod past;
pub(crate) mod resolve;
pub(crate) mod schema;
pub(crate) mod shape;
mod shape_digest;
pub(crate) mod storage;
pub(crate) mod value;
mod value_serde;
pub(crate) mod verify;

use std::any::{TypeId, type_name};
use std::fmt::Display;
use std::io;
use std::str::FromStr;

use bincode::enc::write::Writer;
use bincode::error::EncodeError;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::fault::Fault;
use crate::format::asked_kind::asked_kind;
use crate::format::decode_fault::DecodeFault;
use crate::format::deserializer::Decoder;
use crate::format::schema::Schema;
use crate::format::shape::{Header, Refusal, Shape};
use crate::format::shape_digest::fingerprint;
use crate::kind::Kind;

/// The first byte of every stored value lies in this range, known or not.
const RESERVED: std::ops::RangeInclusive<u8> = 0x80..=0xBF;

/// Checks that `value` can be stored, and returns its shape, by which [`write`] writes it.
#[inline]
pub(crate) fn plan<T: Serialize + ?Sized>(value: &T, limit: usize) -> Result<Shape, Fault> {
    let shape = Shape::of(value).map_err(|refusal| refused::<T>(&refusal))?;
    check_size(shape.stored_len, limit)?;
    Ok(shape)
}

fn check_size(size: u64, limit: usize) -> Result<(), Fault> {
    if size > limit as u64 { Err(Fault::TooLarge { size, limit }) } else { Ok(()) }
}

fn refused<T: ?Sized>(refusal: &Refusal) -> Fault {
    Fault::Refused { written: type_name::<T>(), problem: refusal.to_string() }
}

/// Writes what [`plan`] has planned.
#[inline]
pub(crate) fn write<T: Serialize + ?Sized>(value: &T, shape: &Shape, mut out: impl io::Write) -> Result<(), Fault> {
    let skip = match shape.header {
        Header::Kind(kind) => out.write_all(&[kind.byte()]).map(|()| 0),
        Header::Digest(kind, digest) => {
            let [a, b, c, d] = digest.to_le_bytes();
            out.write_all(&[kind.byte(), a, b, c, d]).map(|()| 0)
        }
        Header::Carried(_, framing) => Ok(framing),
    };
    skip.map_err(|_| ())
        .and_then(|skip| {
            let mut payload = Payload { out, skip, written: 0 };
            bincode::serde::encode_into_writer(value, &mut payload, bincode::config::standard()).map_err(|_| ())?;
            Ok(payload.written)
        })
        .map_err(|()| refused::<T>(&Refusal::Custom))
        .and_then(|written| {
            // A Serialize that reads a clock or shared state can differ from one pass to the next.
            let is_planned = written + shape.header.len() == shape.stored_len;
            if is_planned { Ok(()) } else { Err(refused::<T>(&Refusal::Changing)) }
        })
}

/// The writer for bincode. It drops the first `skip` bytes: framing that the stored form does not have.
struct Payload<W> {
    out: W,
    skip: u64,
    written: u64,
}

impl<W: io::Write> Writer for &mut Payload<W> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        let mut bytes = bytes;
        if self.skip > 0 {
            let dropped = bytes.len().min(usize::try_from(self.skip).unwrap_or(usize::MAX));
            self.skip -= dropped as u64;
            bytes = &bytes[dropped..];
        }
        self.written += bytes.len() as u64;
        self.out.write_all(bytes).map_err(|inner| EncodeError::Io { inner, index: 0 })
    }
}

/// Decodes a stored value as a `T`, if it is one.
#[inline]
pub(crate) fn decode<T: Serialize + DeserializeOwned>(stored: &[u8]) -> Result<T, Fault> {
    let kind = kind_of(stored)?;
    let asked = asked_kind::<T>();
    if let Some(asked) = asked
        && asked != kind
        && (asked.is_scalar() || kind.is_scalar())
    {
        return other_scalar(stored, kind);
    }
    let header = if kind.is_scalar() { 1 } else { 5 };
    let mut decoder = Decoder::new(stored, kind, header);
    let value = match T::deserialize(&mut decoder).and_then(|value| decoder.finish().map(|()| value)) {
        Ok(value) => value,
        Err(fault) => return Err(undecodable::<T>(kind, asked, stored.len() < header, &fault)),
    };
    let shape = Shape::of(&value).map_err(|refusal| {
        let problem = refusal.to_string();
        if kind.is_scalar() { damaged::<T>(problem) } else { other_shape::<T>(kind, problem) }
    })?;
    check_shape::<T>(stored, kind, &shape)?;
    Ok(value)
}

/// True if a value is of the kind that `T` asks for, where it asks for one.
pub(crate) fn is_of_its_kind<T: DeserializeOwned>(stored: &[u8]) -> bool {
    asked_kind::<T>().is_none_or(|asked| kind_of(stored) == Ok(asked))
}

/// Reads a number as a type that asks for another width, if it fits, and a char as text. The kind byte says what is stored.
#[cold]
fn other_scalar<T: DeserializeOwned>(stored: &[u8], kind: Kind) -> Result<T, Fault> {
    let read =
        if kind.is_number() || kind == Kind::Char { resolve::read(&Schema::of_scalar(kind), stored) } else { None };
    match read {
        Some(Ok(value)) => Ok(value),
        Some(Err(DecodeFault::OutOfRange(_))) => Err(Fault::OutOfRange { stored: kind, asked: type_name::<T>() }),
        _ => Err(Fault::WrongType { stored: kind, asked: type_name::<T>() }),
    }
}

/// The kind of a stored value.
#[inline]
pub(crate) fn kind_of(stored: &[u8]) -> Result<Kind, Fault> {
    match stored.first() {
        Some(byte) if RESERVED.contains(byte) => Kind::from_byte(*byte).ok_or(Fault::UnknownKind(*byte)),
        _ => Err(Fault::Foreign),
    }
}

/// Checks that what was decoded has the kind, the shape and the length of what was written. Otherwise writer and reader
/// did not see the same value, although every byte was consumed.
#[inline]
fn check_shape<T>(stored: &[u8], kind: Kind, shape: &Shape) -> Result<(), Fault> {
    if shape.header.kind() != kind {
        return Err(Fault::WrongType { stored: kind, asked: type_name::<T>() });
    }
    if let Header::Digest(_, digest) = shape.header
        && stored.get(1..5) != Some(digest.to_le_bytes().as_slice())
    {
        return Err(other_shape::<T>(kind, "its digest differs"));
    }
    if shape.stored_len != stored.len() as u64 {
        let problem = "it would have another length if it were written again";
        return Err(if kind.is_scalar() { damaged::<T>(problem.to_owned()) } else { other_shape::<T>(kind, problem) });
    }
    Ok(())
}

fn other_shape<T>(stored: Kind, problem: impl Into<String>) -> Fault {
    Fault::OtherShape { stored, asked: type_name::<T>(), problem: problem.into() }
}

fn damaged<T>(problem: String) -> Fault {
    Fault::Damaged { asked: type_name::<T>(), problem }
}

#[cold]
fn undecodable<T>(stored: Kind, asked: Option<Kind>, no_header: bool, fault: &DecodeFault) -> Fault {
    if no_header {
        damaged::<T>(DecodeFault::Truncated.to_string())
    } else if let DecodeFault::NotSelfDescribing(_) = fault {
        Fault::Unreadable { written: type_name::<T>(), problem: fault.to_string() }
    } else if asked.is_some_and(|asked| asked != stored) {
        Fault::WrongType { stored, asked: type_name::<T>() }
    } else if stored.is_scalar() {
        damaged::<T>(fault.to_string())
    } else {
        // A composite that does not decode is, nearly always, one whose type has changed.
        other_shape::<T>(stored, fault.to_string())
    }
}

/// Proves that what is about to be written reads back with the same contents. Debug builds do this, so that types whose
/// Serialize and Deserialize disagree fail in the first test, not in production.
pub(crate) fn verify<T, Q>(value: &Q, shape: &Shape) -> Result<(), Fault>
where
    T: Serialize + DeserializeOwned,
    Q: Serialize + ?Sized,
{
    let mut stored = Vec::new();
    write(value, shape, &mut stored)?;
    let problem = match decode::<T>(&stored) {
        // Where Serialize skips one field and Deserialize another, the shapes are equal: only the contents differ.
        Ok(read) if fingerprint(&read).ok() == fingerprint(value).ok() => return Ok(()),
        Ok(_) => "it reads back with different contents".to_owned(),
        Err(Fault::Damaged { problem, .. } | Fault::OtherShape { problem, .. } | Fault::Unreadable { problem, .. }) => {
            problem
        }
        Err(_) => "it reads back as a different type".to_owned(),
    };
    Err(Fault::Unreadable { written: type_name::<T>(), problem })
}

/// The fault of a type that can be written and never read, whatever its value is.
#[cold]
pub(crate) fn asks_for_whatever_is_there<T: ?Sized>() -> Fault {
    let problem = "it asks for any value, but bincode does not record what is stored".to_owned();
    Fault::Unreadable { written: type_name::<T>(), problem }
}

/// What is stored of a value in a field that is declared as text.
pub(crate) fn text<T: Display + ?Sized>(value: &T, limit: usize) -> Result<String, Fault> {
    use std::fmt::Write;
    let mut text = String::new();
    // `to_string` would panic where Display fails.
    write!(text, "{value}").map_err(|_| refused::<T>(&Refusal::Custom))?;
    check_size(text.len() as u64, limit)?;
    Ok(text)
}

/// A counter, if only what Redis itself writes is stored: no plus sign, no leading zero.
pub(crate) fn count(stored: &[u8]) -> Option<i64> {
    let count = std::str::from_utf8(stored).ok()?.parse::<i64>().ok()?;
    (count.to_string().as_bytes() == stored).then_some(count)
}

pub(crate) fn from_text<T: FromStr>(stored: &[u8]) -> Result<T, Fault> {
    std::str::from_utf8(stored)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or(Fault::NotText { asked: type_name::<T>() })
}

/// The kind of `T`, if `T` can read every stored value of that kind. Other types that ask for a scalar can refuse its
/// contents: a `NonZeroU8`, a date.
pub(crate) fn readable_kind<T: DeserializeOwned + 'static>() -> Option<Kind> {
    let asked = TypeId::of::<T>();
    let of = |types: &[TypeId]| types.contains(&asked);
    let is_plain = of(&[TypeId::of::<bool>(), TypeId::of::<char>(), TypeId::of::<String>()])
        || of(&[TypeId::of::<f32>(), TypeId::of::<f64>()])
        || of(&[
            TypeId::of::<i8>(),
            TypeId::of::<i16>(),
            TypeId::of::<i32>(),
            TypeId::of::<i64>(),
            TypeId::of::<i128>(),
        ])
        || of(&[
            TypeId::of::<u8>(),
            TypeId::of::<u16>(),
            TypeId::of::<u32>(),
            TypeId::of::<u64>(),
            TypeId::of::<u128>(),
        ]);
    if is_plain { asked_kind::<T>() } else { None }
}
