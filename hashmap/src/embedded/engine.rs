//! The tables as an engine of the embedded store.

use std::io;

use redb::Table;

use crate::embedded::storage::{self, Edit, Entry, Field, Hash, Reader, Writer};
use crate::embedded::tables::{FieldExpiries, FieldName, FieldRow, Fields, KeyName, KeyRow, Keys, Row, Tables, View};

/// A hash for reading.
pub(super) struct Found<'a, K, F, E> {
    view: View<'a, K, F, E>,
    row: Row<'a>,
}

impl<K: Keys, F: Fields, E: FieldExpiries> Hash for Found<'_, K, F, E> {
    fn expires(&self) -> u64 {
        self.row.expires
    }

    fn len(&self) -> storage::Result<u64> {
        self.view.len(self.row).map_err(io_error)
    }

    fn has_fields(&self) -> storage::Result<bool> {
        Ok(self.row.len > 0 && self.view.has_fields(self.row.id, self.row.len).map_err(io_error)?)
    }

    fn field(&self, name: &[u8]) -> storage::Result<Option<Field<'_>>> {
        self.view.field(self.row, name).map_err(io_error)
    }

    fn field_expires(&self, name: &[u8]) -> storage::Result<Option<u64>> {
        self.view.field_expires(self.row, name).map_err(io_error)
    }

    fn each_field(&self, from: u64, visit: impl FnMut(Entry<'_>) -> bool) -> storage::Result<()> {
        self.view.each_field(self.row, from, visit).map_err(io_error)
    }
}

impl<K: Keys, F: Fields, E: FieldExpiries> Reader for View<'_, K, F, E> {
    type Hash<'a>
        = Found<'a, K, F, E>
    where
        Self: 'a;

    fn now(&self) -> u64 {
        self.now
    }

    fn hash<'a>(&'a self, key: &'a [u8]) -> storage::Result<Option<Self::Hash<'a>>> {
        let row = View::hash(self, key).map_err(io_error)?;
        Ok(row.map(|row| Found { view: *self, row }))
    }

    fn each_key(&self, from: u64, visit: impl FnMut(u64, &[u8]) -> bool) -> storage::Result<()> {
        View::each_key(self, from, visit).map_err(io_error)
    }
}

pub(super) fn io_error(error: redb::Error) -> io::Error {
    match error {
        redb::Error::Io(error) => error,
        error => io::Error::other(error.to_string()),
    }
}

/// A hash that is being changed.
pub(super) struct Editing<'a, 't> {
    tables: &'a mut Tables<'t>,
    row: Row<'a>,
}

impl<'t> Editing<'_, 't> {
    fn found(&self) -> Found<'_, Table<'t, KeyName, KeyRow>, Table<'t, FieldName, FieldRow>, Table<'t, FieldName, ()>> {
        Found { view: self.tables.view(), row: self.row }
    }
}

impl Hash for Editing<'_, '_> {
    fn expires(&self) -> u64 {
        self.row.expires
    }

    fn len(&self) -> storage::Result<u64> {
        Ok(self.row.len)
    }

    fn has_fields(&self) -> storage::Result<bool> {
        Ok(self.row.len > 0)
    }

    fn field(&self, name: &[u8]) -> storage::Result<Option<Field<'_>>> {
        self.tables.view().field(self.row, name).map_err(io_error)
    }

    fn field_expires(&self, name: &[u8]) -> storage::Result<Option<u64>> {
        self.found().field_expires(name)
    }

    fn each_field(&self, from: u64, visit: impl FnMut(Entry<'_>) -> bool) -> storage::Result<()> {
        self.found().each_field(from, visit)
    }
}

impl Edit for Editing<'_, '_> {
    fn set(&mut self, name: &[u8], value: &[u8], expires: u64) -> storage::Result<bool> {
        self.tables.set(&mut self.row, name, value, expires).map_err(io_error)
    }

    fn expire_field(&mut self, name: &[u8], at: u64) -> storage::Result<()> {
        let field = self.tables.view().field(self.row, name).map_err(io_error)?;
        field.map_or(Ok(()), |field| self.set(name, &field.value, at).map(drop))
    }

    fn unset(&mut self, name: &[u8]) -> storage::Result<bool> {
        self.tables.unset(&mut self.row, name).map_err(io_error)
    }

    fn expire(&mut self, at: u64) -> storage::Result<()> {
        if self.row.len == 0 {
            return Ok(());
        }
        self.tables.expire(&mut self.row, at).map_err(io_error)
    }

    fn close(self) -> storage::Result<()> {
        self.tables.close(self.row).map_err(io_error)
    }
}

impl<'t> Reader for Tables<'t> {
    type Hash<'a>
        = Found<'a, Table<'t, KeyName, KeyRow>, Table<'t, FieldName, FieldRow>, Table<'t, FieldName, ()>>
    where
        Self: 'a;

    fn now(&self) -> u64 {
        self.now
    }

    fn hash<'a>(&'a self, key: &'a [u8]) -> storage::Result<Option<Self::Hash<'a>>> {
        let view = self.view();
        let row = View::hash(&view, key).map_err(io_error)?;
        Ok(row.map(|row| Found { view, row }))
    }

    fn each_key(&self, from: u64, visit: impl FnMut(u64, &[u8]) -> bool) -> storage::Result<()> {
        View::each_key(&self.view(), from, visit).map_err(io_error)
    }
}

impl<'t> Writer for Tables<'t> {
    type Edit<'a>
        = Editing<'a, 't>
    where
        Self: 'a;

    fn edit<'a>(&'a mut self, key: &'a [u8]) -> storage::Result<Self::Edit<'a>> {
        let row = self.open(key).map_err(io_error)?;
        Ok(Editing { tables: self, row })
    }

    fn remove(&mut self, key: &[u8]) -> storage::Result<bool> {
        Tables::remove(self, key).map_err(io_error)
    }

    /// Each transaction does so once, which may carry out many commands.
    fn reclaim(&mut self) -> storage::Result<()> {
        Ok(())
    }
}
