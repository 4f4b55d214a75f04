//! Hashes in redb's tables. Nothing here knows Redis's commands or replies.

use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};

use crate::shape::{fmix64, fnv1a};

/// The version of this layout. A file of another one is refused.
pub(super) const LAYOUT: u64 = 1;

type KeyName = (u64, &'static [u8]);
type KeyRow = (u64, u64, u64);
type FieldName = (u64, u64, &'static [u8]);
type FieldRow = (u64, &'static [u8]);

/// Position and name of each key: its id, its number of fields, and when it expires (milliseconds since 1970; 0: never).
pub(super) const KEYS: TableDefinition<KeyName, KeyRow> = TableDefinition::new("keys");
/// Id of the key, position and name of each field: when it expires (0: never), and its value.
pub(super) const FIELDS: TableDefinition<FieldName, FieldRow> = TableDefinition::new("fields");
/// When each key that expires does so.
pub(super) const EXPIRIES: TableDefinition<KeyName, ()> = TableDefinition::new("expiries");
/// The layout's version and the next id.
pub(super) const META: TableDefinition<&str, u64> = TableDefinition::new("meta");

pub(super) const META_LAYOUT: &str = "layout";
const META_NEXT_ID: &str = "next id";

/// How many expired keys one transaction clears away besides its own work.
const RECLAIMED_AT_ONCE: usize = 32;

pub(super) type Result<T> = std::result::Result<T, redb::Error>;

/// Where a name stands among its siblings: a permanent hash, so that a cursor of SCAN is a number.
pub(super) fn position(name: &[u8]) -> u64 {
    fmix64(fnv1a(name))
}

/// A key that is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hash {
    id: u64,
    pub(super) len: u64,
    /// Milliseconds since 1970; 0: never.
    pub(super) expires: u64,
}

pub(super) trait Keys: ReadableTable<KeyName, KeyRow> {}
impl<T: ReadableTable<KeyName, KeyRow>> Keys for T {}

pub(super) trait Fields: ReadableTable<FieldName, FieldRow> {}
impl<T: ReadableTable<FieldName, FieldRow>> Fields for T {}

/// The tables, for reading.
pub(super) struct View<'a, K, F> {
    pub(super) keys: &'a K,
    pub(super) fields: &'a F,
    /// Milliseconds since 1970.
    pub(super) now: u64,
}

impl<K: Keys, F: Fields> View<'_, K, F> {
    /// The hash at a key, unless it has expired.
    pub(super) fn hash(&self, key: &[u8]) -> Result<Option<Hash>> {
        let Some(row) = self.keys.get((position(key), key))? else { return Ok(None) };
        let (id, len, expires) = row.value();
        Ok(self.is_alive(expires).then_some(Hash { id, len, expires }))
    }

    fn is_alive(&self, expires: u64) -> bool {
        expires == 0 || expires > self.now
    }

    pub(super) fn field(&self, hash: Hash, field: &[u8]) -> Result<Option<Vec<u8>>> {
        let row = self.fields.get((hash.id, position(field), field))?;
        Ok(row.map(|row| row.value().1.to_vec()))
    }

    /// Visits the fields from a position on, until the visitor says false.
    pub(super) fn each_field(
        &self,
        hash: Hash,
        from: u64,
        mut visit: impl FnMut(u64, &[u8], &[u8]) -> bool,
    ) -> Result<()> {
        for row in self.fields.range((hash.id, from, &[][..])..)? {
            let (key, value) = row?;
            let (id, position, field) = key.value();
            if id != hash.id || !visit(position, field, value.value().1) {
                break;
            }
        }
        Ok(())
    }

    /// Visits the keys from a position on, until the visitor says false.
    pub(super) fn each_key(&self, from: u64, mut visit: impl FnMut(u64, &[u8]) -> bool) -> Result<()> {
        for row in self.keys.range((from, &[][..])..)? {
            let (key, value) = row?;
            let (position, name) = key.value();
            if self.is_alive(value.value().2) && !visit(position, name) {
                break;
            }
        }
        Ok(())
    }
}

/// The tables, for writing.
pub(crate) struct Writer<'t> {
    keys: Table<'t, KeyName, KeyRow>,
    fields: Table<'t, FieldName, FieldRow>,
    expiries: Table<'t, KeyName, ()>,
    meta: Table<'t, &'static str, u64>,
    now: u64,
}

impl<'t> Writer<'t> {
    pub(super) fn new(transaction: &'t WriteTransaction, now: u64) -> Result<Self> {
        Ok(Self {
            keys: transaction.open_table(KEYS)?,
            fields: transaction.open_table(FIELDS)?,
            expiries: transaction.open_table(EXPIRIES)?,
            meta: transaction.open_table(META)?,
            now,
        })
    }

    pub(super) fn now(&self) -> u64 {
        self.now
    }

    pub(super) fn view(&self) -> View<'_, Table<'t, KeyName, KeyRow>, Table<'t, FieldName, FieldRow>> {
        View { keys: &self.keys, fields: &self.fields, now: self.now }
    }

    /// Gives the space of expired keys back, a few at a time.
    pub(super) fn reclaim(&mut self) -> Result<()> {
        for _ in 0..RECLAIMED_AT_ONCE {
            let key = match self.expiries.range(..=(self.now, &[][..]))?.next() {
                Some(row) => row?.0.value().1.to_vec(),
                None => break,
            };
            self.remove(&key)?;
        }
        Ok(())
    }

    /// The hash at a key, made if there is none.
    pub(super) fn open(&mut self, key: &[u8]) -> Result<Hash> {
        if let Some(hash) = self.view().hash(key)? {
            return Ok(hash);
        }
        self.remove(key)?; // an expired one
        let id = self.meta.get(META_NEXT_ID)?.map_or(1, |row| row.value());
        self.meta.insert(META_NEXT_ID, id + 1)?;
        Ok(Hash { id, len: 0, expires: 0 })
    }

    /// Sets a field: true if it is new. [`Self::close`] makes it count.
    pub(super) fn set(&mut self, hash: &mut Hash, field: &[u8], value: &[u8]) -> Result<bool> {
        let is_new = self.fields.insert((hash.id, position(field), field), (0, value))?.is_none();
        hash.len += u64::from(is_new);
        Ok(is_new)
    }

    /// Removes a field: true if it was there. [`Self::close`] makes it count.
    pub(super) fn unset(&mut self, hash: &mut Hash, field: &[u8]) -> Result<bool> {
        let was_there = self.fields.remove((hash.id, position(field), field))?.is_some();
        hash.len -= u64::from(was_there);
        Ok(was_there)
    }

    /// Stores how many fields there are; a hash without fields is none.
    pub(super) fn close(&mut self, key: &[u8], hash: Hash) -> Result<()> {
        if hash.len == 0 {
            self.forget(key, hash.expires)
        } else {
            self.keys.insert((position(key), key), (hash.id, hash.len, hash.expires)).map(drop).map_err(Into::into)
        }
    }

    /// Sets when a key expires; 0: never.
    pub(super) fn expire(&mut self, key: &[u8], hash: Hash, at: u64) -> Result<()> {
        if hash.expires != 0 {
            self.expiries.remove((hash.expires, key))?;
        }
        if at != 0 {
            self.expiries.insert((at, key), ())?;
        }
        self.close(key, Hash { expires: at, ..hash })
    }

    /// Removes a key and its fields, expired or not: true if it was there and alive.
    pub(super) fn remove(&mut self, key: &[u8]) -> Result<bool> {
        let was_alive = self.view().hash(key)?.is_some();
        let Some((id, expires)) = self.keys.get((position(key), key))?.map(|row| (row.value().0, row.value().2)) else {
            return Ok(false);
        };
        self.fields.retain_in((id, 0, &[][..])..(id + 1, 0, &[][..]), |_, _| false)?;
        self.forget(key, expires)?;
        Ok(was_alive)
    }

    fn forget(&mut self, key: &[u8], expires: u64) -> Result<()> {
        self.keys.remove((position(key), key))?;
        if expires != 0 {
            self.expiries.remove((expires, key))?;
        }
        Ok(())
    }
}
