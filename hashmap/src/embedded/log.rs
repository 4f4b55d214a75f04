//! What changes in memory, written down so that it can be repeated in a file: not the commands, but what became of them.

use std::collections::HashMap;

use crate::embedded::layout::position;
use crate::embedded::memory::Memory;
use crate::embedded::storage::{self, Edit, Entry, Field, Hash, Reader, Writer};

/// So much memory is taken for it at a time.
const CHUNK: usize = 1 << 20;

/// Changes in the order in which they happened.
#[derive(Debug, Default)]
pub(super) struct Log {
    chunks: Vec<Vec<u8>>,
    len: usize,
    count: usize,
}

const REMOVE: u8 = 0;
const EXPIRE: u8 = 1;
const SET: u8 = 2;
const EXPIRE_FIELD: u8 = 3;
const UNSET: u8 = 4;

/// What becomes of a field.
#[derive(Clone, Copy)]
enum Change<'a> {
    Set(&'a [u8], u64),
    Expire(u64),
    Unset,
}

/// What becomes of a key.
#[derive(Default)]
struct Changes<'a> {
    /// Whatever was there before is gone.
    is_new: bool,
    expires: Option<u64>,
    fields: HashMap<&'a [u8], Change<'a>>,
}

impl Log {
    /// How many bytes it has.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// How many changes it has.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    fn push(&mut self, what: u8, key: &[u8], name: &[u8], value: &[u8], time: u64) {
        let len = 1 + 4 * size_of::<u64>() + key.len() + name.len() + value.len();
        if self.chunks.last().is_none_or(|chunk| chunk.capacity() - chunk.len() < len) {
            self.chunks.push(Vec::with_capacity(len.max(CHUNK)));
        }
        let Some(chunk) = self.chunks.last_mut() else { return };
        chunk.push(what);
        for number in [key.len() as u64, name.len() as u64, value.len() as u64, time] {
            chunk.extend_from_slice(&number.to_le_bytes());
        }
        for bytes in [key, name, value] {
            chunk.extend_from_slice(bytes);
        }
        self.len += len;
        self.count += 1;
    }

    /// Puts what happened before in front.
    pub(super) fn put_before(&mut self, mut earlier: Self) {
        earlier.chunks.append(&mut self.chunks);
        earlier.len += self.len;
        earlier.count += self.count;
        *self = earlier;
    }

    /// Repeats the changes, of each key and field only the last. Nothing must expire in `storage` meanwhile: it did so in
    /// memory, at its time.
    pub(super) fn replay(&self, storage: &mut impl Writer) -> storage::Result<()> {
        let mut keys: HashMap<&[u8], Changes<'_>> = HashMap::new();
        for chunk in &self.chunks {
            let mut rest = chunk.as_slice();
            while let Some((key, what, change)) = next(&mut rest) {
                let changes = keys.entry(key).or_default();
                match (what, change) {
                    (REMOVE, _) => *changes = Changes { is_new: true, ..Changes::default() },
                    (EXPIRE, (_, _, time)) => changes.expires = Some(time),
                    (SET, (name, value, time)) => drop(changes.fields.insert(name, Change::Set(value, time))),
                    (EXPIRE_FIELD, (name, _, time)) => {
                        let change = changes.fields.entry(name).or_insert(Change::Expire(time));
                        match change {
                            Change::Set(_, expires) | Change::Expire(expires) => *expires = time,
                            Change::Unset => {}
                        }
                    }
                    (_, (name, _, _)) => drop(changes.fields.insert(name, Change::Unset)),
                }
            }
        }
        let mut keys: Vec<_> = keys.into_iter().map(|(key, changes)| (position(key), key, changes)).collect();
        // In the order of the file.
        keys.sort_unstable_by_key(|(position, key, _)| (*position, *key));
        for (_, key, changes) in keys {
            apply(storage, key, changes)?;
        }
        Ok(())
    }
}

fn apply(storage: &mut impl Writer, key: &[u8], changes: Changes<'_>) -> storage::Result<()> {
    if changes.is_new {
        storage.remove(key)?;
    }
    if changes.fields.is_empty() && changes.expires.is_none() {
        return Ok(());
    }
    let mut hash = storage.edit(key)?;
    for (name, change) in changes.fields {
        match change {
            Change::Set(value, expires) => drop(hash.set(name, value, expires)?),
            Change::Expire(at) => hash.expire_field(name, at)?,
            Change::Unset => drop(hash.unset(name)?),
        }
    }
    if let Some(at) = changes.expires {
        hash.expire(at)?;
    }
    hash.close()
}

type Next<'a> = (&'a [u8], u8, (&'a [u8], &'a [u8], u64));

/// Takes one change from the front: the key, what it is, and the field, value and time.
fn next<'a>(rest: &mut &'a [u8]) -> Option<Next<'a>> {
    let (what, mut after) = rest.split_first()?;
    let mut numbers = [0; 4];
    for number in &mut numbers {
        let (bytes, more) = after.split_first_chunk()?;
        (*number, after) = (u64::from_le_bytes(*bytes), more);
    }
    let [key, name, value, time] = numbers;
    let mut take = |len| {
        let (taken, more) = after.split_at_checked(usize::try_from(len).ok()?)?;
        after = more;
        Some(taken)
    };
    let (key, name, value) = (take(key)?, take(name)?, take(value)?);
    *rest = after;
    Some((key, *what, (name, value, time)))
}

/// The engine in memory, with a log of what changes in it.
pub(super) struct Logged<'a> {
    pub(super) memory: &'a mut Memory,
    pub(super) log: &'a mut Log,
}

/// A hash that is being changed.
pub(super) struct Editing<'a> {
    hash: <Memory as Writer>::Edit<'a>,
    log: &'a mut Log,
    key: &'a [u8],
    /// There was none, or it has expired, and nothing is written down yet.
    is_new: bool,
}

impl Reader for Logged<'_> {
    type Hash<'a>
        = <Memory as Reader>::Hash<'a>
    where
        Self: 'a;

    fn now(&self) -> u64 {
        self.memory.now()
    }

    fn hash<'a>(&'a self, key: &'a [u8]) -> storage::Result<Option<Self::Hash<'a>>> {
        self.memory.hash(key)
    }

    fn each_key(&self, from: u64, visit: impl FnMut(u64, &[u8]) -> bool) -> storage::Result<()> {
        self.memory.each_key(from, visit)
    }
}

impl Writer for Logged<'_> {
    type Edit<'a>
        = Editing<'a>
    where
        Self: 'a;

    fn edit<'a>(&'a mut self, key: &'a [u8]) -> storage::Result<Editing<'a>> {
        let hash = self.memory.edit(key)?;
        let is_new = !hash.has_fields()?;
        Ok(Editing { hash, log: self.log, key, is_new })
    }

    fn remove(&mut self, key: &[u8]) -> storage::Result<bool> {
        self.log.push(REMOVE, key, b"", b"", 0);
        self.memory.remove(key)
    }

    /// Each knows for itself what has expired.
    fn reclaim(&mut self) -> storage::Result<()> {
        self.memory.reclaim()
    }
}

impl Hash for Editing<'_> {
    fn expires(&self) -> u64 {
        self.hash.expires()
    }

    fn len(&self) -> storage::Result<u64> {
        self.hash.len()
    }

    fn has_fields(&self) -> storage::Result<bool> {
        self.hash.has_fields()
    }

    fn field(&self, name: &[u8]) -> storage::Result<Option<Field<'_>>> {
        self.hash.field(name)
    }

    fn field_expires(&self, name: &[u8]) -> storage::Result<Option<u64>> {
        self.hash.field_expires(name)
    }

    fn each_field(&self, from: u64, visit: impl FnMut(Entry<'_>) -> bool) -> storage::Result<()> {
        self.hash.each_field(from, visit)
    }
}

impl Edit for Editing<'_> {
    fn set(&mut self, name: &[u8], value: &[u8], expires: u64) -> storage::Result<bool> {
        if std::mem::take(&mut self.is_new) {
            self.log.push(REMOVE, self.key, b"", b"", 0);
        }
        self.log.push(SET, self.key, name, value, expires);
        self.hash.set(name, value, expires)
    }

    fn expire_field(&mut self, name: &[u8], at: u64) -> storage::Result<()> {
        // What has expired in memory may still be in the file, and must not come back.
        if self.hash.field_expires(name)?.is_some() {
            self.log.push(EXPIRE_FIELD, self.key, name, b"", at);
        }
        self.hash.expire_field(name, at)
    }

    fn unset(&mut self, name: &[u8]) -> storage::Result<bool> {
        let was_there = self.hash.unset(name)?;
        if was_there {
            self.log.push(UNSET, self.key, name, b"", 0);
        }
        Ok(was_there)
    }

    fn expire(&mut self, at: u64) -> storage::Result<()> {
        if !self.is_new {
            self.log.push(EXPIRE, self.key, b"", b"", at);
        }
        self.hash.expire(at)
    }

    fn close(self) -> storage::Result<()> {
        self.hash.close()
    }
}
