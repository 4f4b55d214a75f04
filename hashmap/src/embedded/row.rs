//! A small hash as one row: its fields one after the other, in the order of their positions.
//!
//! Each is the length of its name, twice the length of its value (plus one if it expires), both as varints, when it
//! expires (8 bytes, little endian, if it does), its name and its value.

use std::io;
use std::ops::Range;

use crate::embedded::layout::position;

/// The most fields of a row.
const MOST_FIELDS: usize = 64;

/// The most bytes of a row, about: two pages. Each change writes the whole row.
const MOST_BYTES: usize = 8 << 10;

/// A field of a row.
#[derive(Clone, Copy)]
pub(super) struct Stored<'a> {
    pub(super) name: &'a [u8],
    pub(super) value: &'a [u8],
    /// Milliseconds since 1970; 0: never.
    pub(super) expires: u64,
}

/// The fields of a row.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn find(self, name: &[u8]) -> io::Result<Option<Stored<'a>>> {
        for field in self {
            let field = field?;
            if field.name == name {
                return Ok(Some(field));
            }
        }
        Ok(None)
    }

    fn take(&mut self) -> Option<Stored<'a>> {
        let (name, value) = (self.varint()?, self.varint()?);
        let expires = if value & 1 == 0 {
            0
        } else {
            let (time, rest) = self.0.split_first_chunk()?;
            self.0 = rest;
            u64::from_le_bytes(*time)
        };
        let (name, rest) = self.0.split_at_checked(name)?;
        let (value, rest) = rest.split_at_checked(value >> 1)?;
        self.0 = rest;
        Some(Stored { name, value, expires })
    }

    fn varint(&mut self) -> Option<usize> {
        let mut number = 0;
        for shift in (0..usize::BITS).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = io::Result<Stored<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.take();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or_else(|| io::Error::other("the file is damaged; restore it from a copy")))
    }
}

fn put_varint(row: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        row.push(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
        number >>= 7;
    }
    row.push(u8::try_from(number).unwrap_or_default());
}

/// A small hash while it is changed.
#[derive(Debug, Default)]
pub(super) struct Small {
    /// The row that was read, then names and values that were set.
    bytes: Vec<u8>,
    fields: Vec<Part>,
    /// About how long its row will be.
    len: usize,
}

#[derive(Debug)]
struct Part {
    name: Range<usize>,
    value: Range<usize>,
    expires: u64,
}

impl Part {
    fn len(&self) -> usize {
        self.name.len() + self.value.len() + 4 + if self.expires == 0 { 0 } else { 8 }
    }
}

impl Small {
    /// Reads a row, but leaves out fields that are not wanted.
    pub(super) fn read(row: &[u8], wanted: impl Fn(u64) -> bool) -> io::Result<Self> {
        let mut small = Self { bytes: row.to_vec(), ..Self::default() };
        let mut fields = Fields(row);
        while let Some(field) = fields.next() {
            let field = field?;
            // The value of a field ends where the next one begins, and its name ends where its value begins.
            let end = row.len() - fields.0.len();
            let middle = end - field.value.len();
            let part = Part { name: middle - field.name.len()..middle, value: middle..end, expires: field.expires };
            if wanted(field.expires) {
                small.len += part.len();
                small.fields.push(part);
            }
        }
        Ok(small)
    }

    pub(super) fn count(&self) -> usize {
        self.fields.len()
    }

    pub(super) fn is_too_large(&self) -> bool {
        self.fields.len() > MOST_FIELDS || self.len > MOST_BYTES
    }

    fn stored(&self, part: &Part) -> Stored<'_> {
        Stored { name: &self.bytes[part.name.clone()], value: &self.bytes[part.value.clone()], expires: part.expires }
    }

    fn index(&self, name: &[u8]) -> Option<usize> {
        self.fields.iter().position(|part| self.bytes[part.name.clone()] == *name)
    }

    pub(super) fn find(&self, name: &[u8]) -> Option<Stored<'_>> {
        self.fields.get(self.index(name)?).map(|part| self.stored(part))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Stored<'_>> {
        self.fields.iter().map(|part| self.stored(part))
    }

    /// Sets a field: true if it is new.
    pub(super) fn set(&mut self, name: &[u8], value: &[u8], expires: u64) -> bool {
        let index = self.index(name);
        let name_at = match index {
            Some(index) => self.fields[index].name.clone(),
            None => self.add(name),
        };
        let part = Part { name: name_at, value: self.add(value), expires };
        self.len += part.len();
        if let Some(index) = index {
            self.len -= self.fields[index].len();
            self.fields[index] = part;
        } else {
            let place = (position(name), name);
            let before = |part: &Part| {
                let other = &self.bytes[part.name.clone()];
                (position(other), other) < place
            };
            self.fields.insert(self.fields.partition_point(before), part);
        }
        index.is_none()
    }

    pub(super) fn expire(&mut self, name: &[u8], at: u64) {
        if let Some(index) = self.index(name) {
            self.len -= self.fields[index].len();
            self.fields[index].expires = at;
            self.len += self.fields[index].len();
        }
    }

    /// Removes a field: true if it was there.
    pub(super) fn unset(&mut self, name: &[u8]) -> bool {
        let Some(index) = self.index(name) else { return false };
        self.len -= self.fields.remove(index).len();
        true
    }

    fn add(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    /// Writes the row.
    pub(super) fn write(&self, row: &mut Vec<u8>) {
        row.clear();
        for field in self.iter() {
            put_varint(row, field.name.len());
            put_varint(row, field.value.len() << 1 | usize::from(field.expires != 0));
            if field.expires != 0 {
                row.extend_from_slice(&field.expires.to_le_bytes());
            }
            row.extend_from_slice(field.name);
            row.extend_from_slice(field.value);
        }
    }
}
