//! Hashes in redb's tables. Nothing here knows Redis's commands or replies.

use std::borrow::Cow;

use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};

use crate::embedded::storage::{Entry, Field};
use crate::format::shape::{fmix64, fnv1a};

/// The version of this layout. A file with another version is refused.
pub(super) const LAYOUT: u64 = 1;

pub(super) type KeyName = (u64, &'static [u8]);
pub(super) type KeyRow = (u64, u64, u64);
pub(super) type FieldName = (u64, u64, &'static [u8]);
pub(super) type FieldRow = (u64, &'static [u8]);

/// Position and name of each key: its id, its number of fields, and when it expires (in ms since 1970; 0: never).
pub(super) const KEYS: TableDefinition<KeyName, KeyRow> = TableDefinition::new("keys");
/// Id of the key, position and name of each field: when it expires (0: never), and its value.
pub(super) const FIELDS: TableDefinition<FieldName, FieldRow> = TableDefinition::new("fields");
/// Time and key of what expires: the key itself, or fields of it. Each time leads to a key once.
pub(super) const EXPIRIES: TableDefinition<KeyName, ()> = TableDefinition::new("expiries");
/// Id of the key, time and name of each field that expires. A store that was made before fields could expire gets this
/// table when it is opened.
pub(super) const FIELD_EXPIRIES: TableDefinition<FieldName, ()> = TableDefinition::new("field expiries");
/// The layout's version and the next id.
pub(super) const META: TableDefinition<&str, u64> = TableDefinition::new("meta");

pub(super) const META_LAYOUT: &str = "layout";
const META_NEXT_ID: &str = "next id";

type Result<T> = std::result::Result<T, redb::Error>;

/// The position of a name among its siblings: a hash that never changes, so that a cursor of SCAN can be a number.
pub(super) fn position(name: &[u8]) -> u64 {
    fmix64(fnv1a(name))
}

/// What stands in the row of a key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'k> {
    key: &'k [u8],
    /// 0: it has no row yet.
    pub(super) id: u64,
    /// The number of fields, including those that have expired but are not cleared away yet.
    pub(super) len: u64,
    /// Milliseconds since 1970; 0: never.
    pub(super) expires: u64,
}

pub(super) trait Keys: ReadableTable<KeyName, KeyRow> {}
impl<T: ReadableTable<KeyName, KeyRow>> Keys for T {}

pub(super) trait Fields: ReadableTable<FieldName, FieldRow> {}
impl<T: ReadableTable<FieldName, FieldRow>> Fields for T {}

pub(super) trait FieldExpiries: ReadableTable<FieldName, ()> {}
impl<T: ReadableTable<FieldName, ()>> FieldExpiries for T {}

/// The tables, for reading.
pub(super) struct View<'a, K, F, E> {
    pub(super) keys: &'a K,
    pub(super) fields: &'a F,
    pub(super) field_expiries: &'a E,
    /// Milliseconds since 1970.
    pub(super) now: u64,
}

impl<K, F, E> Clone for View<'_, K, F, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, F, E> Copy for View<'_, K, F, E> {}

impl<K: Keys, F: Fields, E: FieldExpiries> View<'_, K, F, E> {
    /// The hash at a key, unless the key has expired. All of its fields may have expired: see [`Self::living`].
    pub(super) fn hash<'k>(&self, key: &'k [u8]) -> Result<Option<Row<'k>>> {
        let Some(row) = self.keys.get((position(key), key))? else { return Ok(None) };
        let (id, len, expires) = row.value();
        Ok(self.is_alive(expires).then_some(Row { key, id, len, expires }))
    }

    /// The hash at a key, unless the key or every field of it has expired.
    fn living<'k>(&self, key: &'k [u8]) -> Result<Option<Row<'k>>> {
        match self.hash(key)? {
            Some(hash) if self.has_fields(hash.id, hash.len)? => Ok(Some(hash)),
            _ => Ok(None),
        }
    }

    fn is_alive(&self, expires: u64) -> bool {
        expires == 0 || expires > self.now
    }

    /// True unless all fields of a hash have expired. It counts the expired ones only if no field expires later.
    pub(super) fn has_fields(&self, id: u64, len: u64) -> Result<bool> {
        let first = |from| Ok::<_, redb::Error>(self.field_expiries.range(of_hash(id, from))?.next().transpose()?);
        Ok(first(0)?.is_none_or(|(row, _)| row.value().1 > self.now)
            || first(self.now + 1)?.is_some()
            || self.due(id)? < len)
    }

    /// How many fields have expired but are not cleared away yet.
    fn due(&self, id: u64) -> Result<u64> {
        let mut due = 0;
        for row in self.field_expiries.range(due_of_hash(id, self.now))? {
            row?;
            due += 1;
        }
        Ok(due)
    }

    /// How many fields there are, without the expired ones.
    pub(super) fn len(&self, hash: Row<'_>) -> Result<u64> {
        Ok(hash.len.saturating_sub(self.due(hash.id)?))
    }

    pub(super) fn field(&self, hash: Row<'_>, field: &[u8]) -> Result<Option<Field<'static>>> {
        let Some(row) = self.fields.get((hash.id, position(field), field))? else { return Ok(None) };
        let (expires, value) = row.value();
        Ok(self.is_alive(expires).then(|| Field { expires, value: Cow::Owned(value.to_vec()) }))
    }

    /// When a field expires, if it exists; 0: never.
    pub(super) fn field_expires(&self, hash: Row<'_>, field: &[u8]) -> Result<Option<u64>> {
        let expires = self.fields.get((hash.id, position(field), field))?.map(|row| row.value().0);
        Ok(expires.filter(|expires| self.is_alive(*expires)))
    }

    /// Visits the fields from a position on, until the visitor returns false.
    pub(super) fn each_field(&self, hash: Row<'_>, from: u64, mut visit: impl FnMut(Entry<'_>) -> bool) -> Result<()> {
        for row in self.fields.range(of_hash(hash.id, from))? {
            let (name, row) = row?;
            let ((_, position, name), (expires, value)) = (name.value(), row.value());
            if self.is_alive(expires) && !visit(Entry { position, name, expires, value }) {
                break;
            }
        }
        Ok(())
    }

    /// Visits the keys from a position on, until the visitor returns false.
    pub(super) fn each_key(&self, from: u64, mut visit: impl FnMut(u64, &[u8]) -> bool) -> Result<()> {
        for row in self.keys.range((from, &[][..])..)? {
            let (name, row) = row?;
            let ((position, key), (id, len, expires)) = (name.value(), row.value());
            if self.is_alive(expires) && self.has_fields(id, len)? && !visit(position, key) {
                break;
            }
        }
        Ok(())
    }
}

type Names = std::ops::Range<(u64, u64, &'static [u8])>;

/// The rows of a hash: in the table of fields from a position on, in the table of field expiries from a time on.
fn of_hash(id: u64, from: u64) -> Names {
    (id, from, &[])..(id + 1, 0, &[])
}

/// The rows of the expired fields of a hash, in the table of field expiries.
fn due_of_hash(id: u64, now: u64) -> Names {
    (id, 0, &[])..(id, now + 1, &[])
}

/// The tables, for writing.
pub(super) struct Tables<'t> {
    keys: Table<'t, KeyName, KeyRow>,
    fields: Table<'t, FieldName, FieldRow>,
    expiries: Table<'t, KeyName, ()>,
    field_expiries: Table<'t, FieldName, ()>,
    meta: Table<'t, &'static str, u64>,
    pub(super) now: u64,
}

type TablesView<'a, 't> =
    View<'a, Table<'t, KeyName, KeyRow>, Table<'t, FieldName, FieldRow>, Table<'t, FieldName, ()>>;

impl<'t> Tables<'t> {
    pub(super) fn new(transaction: &'t WriteTransaction, now: u64) -> Result<Self> {
        Ok(Self {
            keys: transaction.open_table(KEYS)?,
            fields: transaction.open_table(FIELDS)?,
            expiries: transaction.open_table(EXPIRIES)?,
            field_expiries: transaction.open_table(FIELD_EXPIRIES)?,
            meta: transaction.open_table(META)?,
            now,
        })
    }

    pub(super) fn view(&self) -> TablesView<'_, 't> {
        View { keys: &self.keys, fields: &self.fields, field_expiries: &self.field_expiries, now: self.now }
    }

    /// Frees the space of what has expired, at most at so many times of keys.
    pub(super) fn reclaim(&mut self, most: usize) -> Result<()> {
        for _ in 0..most {
            let (when, key) = match self.expiries.range(..=(self.now, &[][..]))?.next().transpose()? {
                Some((row, _)) => (row.value().0, row.value().1.to_vec()),
                None => break,
            };
            if self.find(&key)?.is_none() {
                self.remove(&key)?;
            }
            // It should be gone with the key or field. If it stayed, no later one would have its turn.
            self.expiries.remove((when, &*key))?;
        }
        Ok(())
    }

    /// The hash at a key, after clearing away its expired fields.
    fn find<'k>(&mut self, key: &'k [u8]) -> Result<Option<Row<'k>>> {
        let Some(mut hash) = self.view().hash(key)? else { return Ok(None) };
        let before = hash.len;
        for row in self.field_expiries.extract_from_if(due_of_hash(hash.id, self.now), |_, ()| true)? {
            let row = row?.0;
            let (id, when, field) = row.value();
            self.fields.remove((id, position(field), field))?;
            self.expiries.remove((when, key))?;
            hash.len -= 1;
        }
        if hash.len < before {
            self.close(hash)?;
        }
        Ok((hash.len > 0).then_some(hash))
    }

    /// The hash at a key, or an empty one. [`Self::close`] must follow the changes.
    pub(super) fn open<'k>(&mut self, key: &'k [u8]) -> Result<Row<'k>> {
        if let Some(hash) = self.find(key)? {
            return Ok(hash);
        }
        self.remove(key)?; // it may be there, expired
        Ok(Row { key, id: 0, len: 0, expires: 0 })
    }

    fn next_id(&mut self) -> Result<u64> {
        let id = self.meta.get(META_NEXT_ID)?.map_or(1, |row| row.value());
        self.meta.insert(META_NEXT_ID, id + 1)?;
        Ok(id)
    }

    /// Sets a field and when it expires: true if it is new. [`Self::close`] must follow.
    pub(super) fn set(&mut self, hash: &mut Row<'_>, field: &[u8], value: &[u8], expires: u64) -> Result<bool> {
        if hash.id == 0 {
            hash.id = self.next_id()?;
        }
        let name = (hash.id, position(field), field);
        let old = self.fields.insert(name, (expires, value))?.map(|row| row.value().0);
        hash.len += u64::from(old.is_none());
        self.reschedule(*hash, field, old.unwrap_or(0), expires)?;
        Ok(old.is_none())
    }

    /// Removes a field: true if it was there. [`Self::close`] must follow.
    pub(super) fn unset(&mut self, hash: &mut Row<'_>, field: &[u8]) -> Result<bool> {
        let old = self.fields.remove((hash.id, position(field), field))?.map(|row| row.value().0);
        hash.len -= u64::from(old.is_some());
        self.reschedule(*hash, field, old.unwrap_or(0), 0)?;
        Ok(old.is_some())
    }

    fn reschedule(&mut self, hash: Row<'_>, field: &[u8], old: u64, new: u64) -> Result<()> {
        if old == new {
            return Ok(());
        }
        if old != 0 {
            self.field_expiries.remove((hash.id, old, field))?;
            self.unlist(hash, old)?;
        }
        if new != 0 {
            self.field_expiries.insert((hash.id, new, field), ())?;
            self.expiries.insert((new, hash.key), ())?;
        }
        Ok(())
    }

    /// Removes a time that leads to the key, unless something else of the key expires then.
    fn unlist(&mut self, hash: Row<'_>, when: u64) -> Result<()> {
        let another = self.field_expiries.range((hash.id, when, &[][..])..(hash.id, when + 1, &[][..]))?.next();
        if hash.expires != when && another.transpose()?.is_none() {
            self.expiries.remove((when, hash.key))?;
        }
        Ok(())
    }

    /// Stores the number of fields and when the key expires. A hash without fields is removed.
    pub(super) fn close(&mut self, hash: Row<'_>) -> Result<()> {
        let name = (position(hash.key), hash.key);
        if hash.len > 0 {
            self.keys.insert(name, (hash.id, hash.len, hash.expires))?;
            return Ok(());
        }
        self.keys.remove(name)?;
        self.expiries.remove((hash.expires, hash.key))?;
        Ok(())
    }

    /// Sets when a key expires; 0: never. [`Self::close`] must follow.
    pub(super) fn expire(&mut self, hash: &mut Row<'_>, at: u64) -> Result<()> {
        let old = std::mem::replace(&mut hash.expires, at);
        if old != 0 {
            self.unlist(*hash, old)?;
        }
        if at != 0 {
            self.expiries.insert((at, hash.key), ())?;
        }
        Ok(())
    }

    /// Removes a key and its fields, expired or not: true if it was there and alive.
    pub(super) fn remove(&mut self, key: &[u8]) -> Result<bool> {
        let was_alive = self.view().living(key)?.is_some();
        let Some((id, expires)) = self.keys.get((position(key), key))?.map(|row| (row.value().0, row.value().2)) else {
            return Ok(false);
        };
        for row in self.field_expiries.extract_from_if(of_hash(id, 0), |_, ()| true)? {
            self.expiries.remove((row?.0.value().1, key))?;
        }
        self.fields.retain_in(of_hash(id, 0), |_, _| false)?;
        self.close(Row { key, id, len: 0, expires })?;
        Ok(was_alive)
    }
}
