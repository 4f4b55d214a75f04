//! The tables of a file, for reading.

use std::borrow::Cow;

use redb::{AccessGuard, ReadableTable};

use crate::embedded::layout::{FieldName, FieldRow, KeyName, KeyRow, due_of_hash, io_error, of_hash, position};
use crate::embedded::row;
use crate::embedded::storage::{Entry, Field, Hash, Reader, Result};

pub(super) trait Hashes: ReadableTable<KeyName, KeyRow> {}
impl<T: ReadableTable<KeyName, KeyRow>> Hashes for T {}

pub(super) trait Fields: ReadableTable<FieldName, FieldRow> {}
impl<T: ReadableTable<FieldName, FieldRow>> Fields for T {}

pub(super) trait FieldTimes: ReadableTable<FieldName, ()> {}
impl<T: ReadableTable<FieldName, ()>> FieldTimes for T {}

/// The tables, for reading.
pub(super) struct View<'t, H, F, T> {
    pub(super) hashes: &'t H,
    pub(super) fields: &'t F,
    pub(super) field_times: &'t T,
    /// Milliseconds since 1970.
    pub(super) now: u64,
}

impl<H, F, T> Clone for View<'_, H, F, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<H, F, T> Copy for View<'_, H, F, T> {}

/// What stands in the row of a key besides its fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// 0: it is small.
    pub(super) id: u64,
    /// If it is large: the number of fields, including those that have expired but are not cleared away yet.
    pub(super) len: u64,
    pub(super) expires: u64,
    /// Its time among those that are due.
    pub(super) due: u64,
}

impl Head {
    pub(super) fn of((id, len, expires, due, _): (u64, u64, u64, u64, &[u8])) -> Self {
        Self { id, len, expires, due }
    }

    pub(super) fn is_small(&self) -> bool {
        self.id == 0
    }

    /// False as long as nothing of the hash can have expired.
    pub(super) fn is_due(&self, now: u64) -> bool {
        self.due != 0 && self.due <= now
    }
}

/// True if what expires then is there now.
pub(super) fn is_alive(expires: u64, now: u64) -> bool {
    expires == 0 || expires > now
}

impl<'t, H: Hashes, F: Fields, T: FieldTimes> View<'t, H, F, T> {
    /// The hash at a key, unless the key has expired.
    pub(super) fn find(self, key: &[u8]) -> Result<Option<Found<'t, H, F, T>>> {
        let Some(row) = self.hashes.get((position(key), key)).map_err(io_error)? else { return Ok(None) };
        let head = Head::of(row.value());
        Ok(is_alive(head.expires, self.now).then_some(Found { view: self, head, row }))
    }

    /// How many fields of a large hash have expired but are not cleared away yet.
    fn due(&self, head: Head) -> Result<u64> {
        let mut due = 0;
        if head.is_due(self.now) {
            for row in self.field_times.range(due_of_hash(head.id, self.now)).map_err(io_error)? {
                row.map_err(io_error)?;
                due += 1;
            }
        }
        Ok(due)
    }

    pub(super) fn large_len(&self, head: Head) -> Result<u64> {
        Ok(head.len.saturating_sub(self.due(head)?))
    }

    pub(super) fn large_field(&self, id: u64, name: &[u8]) -> Result<Option<Field<'static>>> {
        let Some(row) = self.fields.get((id, position(name), name)).map_err(io_error)? else { return Ok(None) };
        let (expires, value) = row.value();
        Ok(is_alive(expires, self.now).then(|| Field { expires, value: Cow::Owned(value.to_vec()) }))
    }

    pub(super) fn large_expires(&self, id: u64, name: &[u8]) -> Result<Option<u64>> {
        let row = self.fields.get((id, position(name), name)).map_err(io_error)?;
        Ok(row.map(|row| row.value().0).filter(|expires| is_alive(*expires, self.now)))
    }

    pub(super) fn each_large(&self, id: u64, from: u64, mut visit: impl FnMut(Entry<'_>) -> bool) -> Result<()> {
        for row in self.fields.range(of_hash(id, from)).map_err(io_error)? {
            let (name, row) = row.map_err(io_error)?;
            let ((_, position, name), (expires, value)) = (name.value(), row.value());
            if is_alive(expires, self.now) && !visit(Entry { position, name, expires, value }) {
                break;
            }
        }
        Ok(())
    }
}

/// Visits the fields of a small hash.
pub(super) fn each_small<'a>(
    fields: impl Iterator<Item = Result<row::Stored<'a>>>,
    (from, now): (u64, u64),
    mut visit: impl FnMut(Entry<'_>) -> bool,
) -> Result<()> {
    for field in fields {
        let row::Stored { name, value, expires } = field?;
        let position = position(name);
        if position >= from && is_alive(expires, now) && !visit(Entry { position, name, expires, value }) {
            break;
        }
    }
    Ok(())
}

/// A hash for reading.
pub(super) struct Found<'t, H, F, T> {
    view: View<'t, H, F, T>,
    head: Head,
    row: AccessGuard<'t, KeyRow>,
}

impl<H: Hashes, F: Fields, T: FieldTimes> Found<'_, H, F, T> {
    /// The fields, if it is small.
    fn small(&self) -> Option<row::Fields<'_>> {
        self.head.is_small().then(|| row::Fields(self.row.value().4))
    }
}

impl<H: Hashes, F: Fields, T: FieldTimes> Hash for Found<'_, H, F, T> {
    fn expires(&self) -> u64 {
        self.head.expires
    }

    fn len(&self) -> Result<u64> {
        let Some(fields) = self.small() else { return self.view.large_len(self.head) };
        let mut len = 0;
        each_small(fields, (0, self.view.now), |_| {
            len += 1;
            true
        })?;
        Ok(len)
    }

    fn has_fields(&self) -> Result<bool> {
        let Some(fields) = self.small() else { return Ok(self.len()? > 0) };
        let mut has = false;
        each_small(fields, (0, self.view.now), |_| {
            has = true;
            false
        })?;
        Ok(has)
    }

    fn field(&self, name: &[u8]) -> Result<Option<Field<'_>>> {
        let Some(fields) = self.small() else { return self.view.large_field(self.head.id, name) };
        let field = fields.find(name)?.filter(|field| is_alive(field.expires, self.view.now));
        Ok(field.map(|field| Field { expires: field.expires, value: Cow::Borrowed(field.value) }))
    }

    fn field_expires(&self, name: &[u8]) -> Result<Option<u64>> {
        match self.small() {
            Some(_) => Ok(self.field(name)?.map(|field| field.expires)),
            None => self.view.large_expires(self.head.id, name),
        }
    }

    fn each_field(&self, from: u64, visit: impl FnMut(Entry<'_>) -> bool) -> Result<()> {
        match self.small() {
            Some(fields) => each_small(fields, (from, self.view.now), visit),
            None => self.view.each_large(self.head.id, from, visit),
        }
    }
}

impl<'t, H: Hashes, F: Fields, T: FieldTimes> Reader for View<'t, H, F, T> {
    type Hash<'a>
        = Found<'t, H, F, T>
    where
        Self: 'a;

    fn now(&self) -> u64 {
        self.now
    }

    fn hash<'a>(&'a self, key: &'a [u8]) -> Result<Option<Self::Hash<'a>>> {
        self.find(key)
    }

    fn each_key(&self, from: u64, mut visit: impl FnMut(u64, &[u8]) -> bool) -> Result<()> {
        for row in self.hashes.range((from, &[][..])..).map_err(io_error)? {
            let (name, row) = row.map_err(io_error)?;
            let head = Head::of(row.value());
            let (position, key) = name.value();
            let is_there = is_alive(head.expires, self.now)
                && (!head.is_due(self.now) || Found { view: *self, head, row }.has_fields()?);
            if is_there && !visit(position, key) {
                break;
            }
        }
        Ok(())
    }
}
