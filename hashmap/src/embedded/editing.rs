//! The tables of a file, for writing.

use redb::{ReadableTable, Table, WriteTransaction};

use crate::embedded::layout::{
    DUE, FIELD_TIMES, FIELDS, FieldName, FieldRow, HASHES, KeyName, KeyRow, META, META_NEXT_ID, due_of_hash, io_error,
    of_hash, position,
};
use crate::embedded::row::Small;
use crate::embedded::storage::{Edit, Entry, Field, Hash, Reader, Result, Writer};
use crate::embedded::tables::{Found, Head, View, each_small, is_alive};

/// The tables, for writing.
pub(super) struct Tables<'t> {
    hashes: Table<'t, KeyName, KeyRow>,
    fields: Table<'t, FieldName, FieldRow>,
    field_times: Table<'t, FieldName, ()>,
    due: Table<'t, KeyName, ()>,
    meta: Table<'t, &'static str, u64>,
    /// A row that is being written.
    row: Vec<u8>,
    /// Milliseconds since 1970. With 0, nothing expires.
    pub(super) now: u64,
}

type HashesTable<'t> = Table<'t, KeyName, KeyRow>;
type FieldsTable<'t> = Table<'t, FieldName, FieldRow>;
type TimesTable<'t> = Table<'t, FieldName, ()>;

impl<'t> Tables<'t> {
    pub(super) fn new(transaction: &'t WriteTransaction, now: u64) -> std::result::Result<Self, redb::Error> {
        Ok(Self {
            hashes: transaction.open_table(HASHES)?,
            fields: transaction.open_table(FIELDS)?,
            field_times: transaction.open_table(FIELD_TIMES)?,
            due: transaction.open_table(DUE)?,
            meta: transaction.open_table(META)?,
            row: Vec::new(),
            now,
        })
    }

    fn view(&self) -> View<'_, HashesTable<'t>, FieldsTable<'t>, TimesTable<'t>> {
        View { hashes: &self.hashes, fields: &self.fields, field_times: &self.field_times, now: self.now }
    }

    /// Frees the space of what has expired, of at most so many keys.
    pub(super) fn clear_due(&mut self, most: usize) -> Result<()> {
        for _ in 0..most {
            let first = self.due.range(..=(self.now, &[][..])).map_err(io_error)?.next();
            let first = first.transpose().map_err(io_error)?;
            let Some((when, key)) = first.map(|(row, _)| (row.value().0, row.value().1.to_vec())) else { break };
            self.edit(&key)?.close()?;
            // It is listed for another time now. If it stayed, no later one would have its turn.
            self.due.remove((when, &*key)).map_err(io_error)?;
        }
        Ok(())
    }

    fn next_id(&mut self) -> Result<u64> {
        let id = self.meta.get(META_NEXT_ID).map_err(io_error)?.map_or(1, |row| row.value());
        self.meta.insert(META_NEXT_ID, id + 1).map_err(io_error)?;
        Ok(id)
    }

    /// Removes all rows of a key.
    fn erase(&mut self, key: &[u8], head: Head) -> Result<()> {
        if !head.is_small() {
            self.fields.retain_in(of_hash(head.id, 0), |_, _| false).map_err(io_error)?;
            self.field_times.retain_in(of_hash(head.id, 0), |_, ()| false).map_err(io_error)?;
        }
        if head.due != 0 {
            self.due.remove((head.due, key)).map_err(io_error)?;
        }
        self.hashes.remove((position(key), key)).map_err(io_error)?;
        Ok(())
    }

    fn set_large(&mut self, id: u64, name: &[u8], value: &[u8], expires: u64) -> Result<Option<u64>> {
        let old = self.fields.insert((id, position(name), name), (expires, value)).map_err(io_error)?;
        let old = old.map(|row| row.value().0);
        self.reschedule(id, name, old.unwrap_or(0), expires)?;
        Ok(old)
    }

    fn unset_large(&mut self, id: u64, name: &[u8]) -> Result<Option<u64>> {
        let old = self.fields.remove((id, position(name), name)).map_err(io_error)?;
        let old = old.map(|row| row.value().0);
        self.reschedule(id, name, old.unwrap_or(0), 0)?;
        Ok(old)
    }

    fn reschedule(&mut self, id: u64, name: &[u8], old: u64, new: u64) -> Result<()> {
        if old != new && old != 0 {
            self.field_times.remove((id, old, name)).map_err(io_error)?;
        }
        if old != new && new != 0 {
            self.field_times.insert((id, new, name), ()).map_err(io_error)?;
        }
        Ok(())
    }

    /// When the first field of a large hash expires; 0: none does.
    fn first_time(&self, id: u64) -> Result<u64> {
        let first = self.field_times.range(of_hash(id, 0)).map_err(io_error)?.next();
        Ok(first.transpose().map_err(io_error)?.map_or(0, |(row, _)| row.value().1))
    }
}

/// A hash that is being changed.
pub(super) struct Editing<'a, 't> {
    tables: &'a mut Tables<'t>,
    key: &'a [u8],
    /// As it was read; None: there was none.
    was: Option<Head>,
    head: Head,
    /// Its fields, unless it is large.
    small: Option<Small>,
    /// Fields of a small one have changed.
    is_changed: bool,
    /// Something that expires has come, gone, or got another time.
    times_changed: bool,
}

impl Editing<'_, '_> {
    fn count(&self) -> u64 {
        self.small.as_ref().map_or(self.head.len, |small| small.count() as u64)
    }

    /// Gives each field a row of its own.
    fn enlarge(&mut self) -> Result<()> {
        let Some(small) = self.small.take() else { return Ok(()) };
        self.head.id = self.tables.next_id()?;
        for field in small.iter() {
            self.tables.set_large(self.head.id, field.name, field.value, field.expires)?;
            self.head.len += 1;
        }
        Ok(())
    }

    /// Removes the fields of a large one that have expired.
    fn clear_large(&mut self) -> Result<()> {
        let Tables { fields, field_times, now, .. } = &mut *self.tables;
        for row in field_times.extract_from_if(due_of_hash(self.head.id, *now), |_, ()| true).map_err(io_error)? {
            let row = row.map_err(io_error)?.0;
            let (id, _, name) = row.value();
            fields.remove((id, position(name), name)).map_err(io_error)?;
            self.head.len = self.head.len.saturating_sub(1);
        }
        self.times_changed = true;
        Ok(())
    }

    /// Takes note of what became of a field: when it expired, if it was there, and when it does.
    fn changed(&mut self, old: Option<u64>, new: u64) {
        self.times_changed |= old.unwrap_or(0) != new;
    }

    /// When the first thing of it expires; 0: nothing does.
    fn next_time(&self) -> Result<u64> {
        let earlier = |first: u64, time: u64| if first == 0 || (time != 0 && time < first) { time } else { first };
        let of_fields = match &self.small {
            Some(small) => small.iter().map(|field| field.expires).fold(0, earlier),
            None => self.tables.first_time(self.head.id)?,
        };
        Ok(earlier(self.head.expires, of_fields))
    }

    /// Lists it for what expires next. A time that is too early costs one look when it comes; moving it would cost every
    /// renewal a row of another table.
    fn list(&mut self) -> Result<()> {
        let (due, next) = (self.head.due, self.next_time()?);
        if due == next || (due != 0 && next > due && due > self.tables.now) {
            return Ok(());
        }
        if due != 0 {
            self.tables.due.remove((due, self.key)).map_err(io_error)?;
        }
        if next != 0 {
            self.tables.due.insert((next, self.key), ()).map_err(io_error)?;
        }
        self.head.due = next;
        Ok(())
    }

    /// Writes its row, if that has changed. A hash without fields is removed.
    fn save(&mut self) -> Result<()> {
        if self.count() == 0 {
            return self.was.take().map_or(Ok(()), |was| self.tables.erase(self.key, was));
        }
        if self.times_changed || self.head.is_due(self.tables.now) {
            self.list()?;
        }
        if !self.is_changed && self.was == Some(self.head) {
            return Ok(());
        }
        let Tables { hashes, row, .. } = &mut *self.tables;
        row.clear();
        if let Some(small) = &self.small {
            small.write(row);
        }
        let Head { id, len, expires, due } = self.head;
        hashes.insert((position(self.key), self.key), (id, len, expires, due, &**row)).map_err(io_error)?;
        (self.was, self.is_changed, self.times_changed) = (Some(self.head), false, false);
        Ok(())
    }
}

impl Hash for Editing<'_, '_> {
    fn expires(&self) -> u64 {
        self.head.expires
    }

    fn len(&self) -> Result<u64> {
        Ok(self.count())
    }

    fn has_fields(&self) -> Result<bool> {
        Ok(self.count() > 0)
    }

    fn field(&self, name: &[u8]) -> Result<Option<Field<'_>>> {
        match &self.small {
            Some(small) => {
                Ok(small.find(name).map(|field| Field { expires: field.expires, value: field.value.into() }))
            }
            None => self.tables.view().large_field(self.head.id, name),
        }
    }

    fn field_expires(&self, name: &[u8]) -> Result<Option<u64>> {
        match &self.small {
            Some(small) => Ok(small.find(name).map(|field| field.expires)),
            None => self.tables.view().large_expires(self.head.id, name),
        }
    }

    fn each_field(&self, from: u64, visit: impl FnMut(Entry<'_>) -> bool) -> Result<()> {
        match &self.small {
            Some(small) => each_small(small.iter().map(Ok), (from, self.tables.now), visit),
            None => self.tables.view().each_large(self.head.id, from, visit),
        }
    }
}

impl Edit for Editing<'_, '_> {
    fn set(&mut self, name: &[u8], value: &[u8], expires: u64) -> Result<bool> {
        let old = if let Some(small) = &mut self.small {
            let old = small.find(name).map(|field| (field.expires, field.value == value));
            if old == Some((expires, true)) {
                return Ok(false);
            }
            self.is_changed = true;
            small.set(name, value, expires);
            if small.is_too_large() {
                self.enlarge()?;
            }
            old.map(|(expires, _)| expires)
        } else {
            let old = self.tables.set_large(self.head.id, name, value, expires)?;
            self.head.len += u64::from(old.is_none());
            old
        };
        self.changed(old, expires);
        Ok(old.is_none())
    }

    fn expire_field(&mut self, name: &[u8], at: u64) -> Result<()> {
        let Some(old) = self.field_expires(name)?.filter(|old| *old != at) else { return Ok(()) };
        if let Some(small) = &mut self.small {
            small.expire(name, at);
            self.is_changed = true;
        } else if let Some(field) = self.tables.view().large_field(self.head.id, name)? {
            self.tables.set_large(self.head.id, name, &field.value, at)?;
        }
        self.changed(Some(old), at);
        Ok(())
    }

    fn unset(&mut self, name: &[u8]) -> Result<bool> {
        let old = if let Some(small) = &mut self.small {
            let old = small.find(name).map(|field| field.expires);
            self.is_changed |= small.unset(name);
            old
        } else {
            let old = self.tables.unset_large(self.head.id, name)?;
            self.head.len = self.head.len.saturating_sub(u64::from(old.is_some()));
            old
        };
        self.changed(old, 0);
        Ok(old.is_some())
    }

    fn expire(&mut self, at: u64) -> Result<()> {
        if self.count() > 0 && self.head.expires != at {
            self.head.expires = at;
            self.times_changed = true;
        }
        Ok(())
    }

    fn close(mut self) -> Result<()> {
        self.save()
    }
}

impl<'t> Reader for Tables<'t> {
    type Hash<'a>
        = Found<'a, HashesTable<'t>, FieldsTable<'t>, TimesTable<'t>>
    where
        Self: 'a;

    fn now(&self) -> u64 {
        self.now
    }

    fn hash<'a>(&'a self, key: &'a [u8]) -> Result<Option<Self::Hash<'a>>> {
        self.view().find(key)
    }

    fn each_key(&self, from: u64, visit: impl FnMut(u64, &[u8]) -> bool) -> Result<()> {
        self.view().each_key(from, visit)
    }
}

impl<'t> Writer for Tables<'t> {
    type Edit<'a>
        = Editing<'a, 't>
    where
        Self: 'a;

    fn edit<'a>(&'a mut self, key: &'a [u8]) -> Result<Self::Edit<'a>> {
        let now = self.now;
        let mut was = None;
        let mut small = Some(Small::default());
        let mut is_changed = false;
        if let Some(row) = self.hashes.get((position(key), key)).map_err(io_error)? {
            let head = Head::of(row.value());
            was = Some(head);
            if !head.is_small() {
                small = None;
            } else if is_alive(head.expires, now) {
                small = Some(Small::read(row.value().4, |expires| is_alive(expires, now))?);
                // What has expired is left out.
                is_changed = head.is_due(now);
            }
        }
        if let Some(head) = was.filter(|head| !is_alive(head.expires, now)) {
            self.erase(key, head)?;
            (was, small) = (None, Some(Small::default()));
        }
        let head = was.unwrap_or_default();
        let mut hash = Editing { tables: self, key, was, head, small, is_changed, times_changed: false };
        if !head.is_small() && head.is_due(now) {
            hash.clear_large()?;
            // Its row agrees with the other tables, whether it is changed or not.
            hash.save()?;
            if hash.count() == 0 {
                (hash.head, hash.small) = (Head::default(), Some(Small::default()));
            }
        }
        Ok(hash)
    }

    fn remove(&mut self, key: &[u8]) -> Result<bool> {
        let Some(row) = self.hashes.get((position(key), key)).map_err(io_error)? else { return Ok(false) };
        let head = Head::of(row.value());
        drop(row);
        let was_there = self.hash(key)?.map_or(Ok(false), |hash| hash.has_fields())?;
        self.erase(key, head)?;
        Ok(was_there)
    }

    /// Each transaction does so once, which may carry out many commands.
    fn reclaim(&mut self) -> Result<()> {
        Ok(())
    }
}
