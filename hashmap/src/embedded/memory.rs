//! The engine in memory: hash tables in this process.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::embedded::bytes::Bytes;
use crate::embedded::ordered::{Named, Ordered};
use crate::embedded::storage::{self, Edit, Entry, Field, Hash, Reader, Writer};

/// The most keys and fields that one request clears away besides its own work.
const RECLAIMED_AT_ONCE: usize = 32;

/// The time and the position of something that expires. It is listed once, even if several share both.
type Due = (u64, u64);

/// Hashes in this process.
#[derive(Debug)]
pub(super) struct Memory {
    seed: Seed,
    keys: Ordered<Key>,
    /// For each key with something that expires, one time that is not later than the first of them. When it comes, the
    /// key is looked at, and listed for its next one.
    due: BTreeSet<Due>,
    /// The time of the present request, once something has asked for it; 0: nothing has.
    now: Cell<u64>,
}

#[derive(Debug)]
struct Key {
    position: u64,
    name: Bytes,
    /// Milliseconds since 1970; 0: never.
    expires: u64,
    /// Its time in [`Memory::due`]; 0: it is not there.
    listed: u64,
    fields: Ordered<Stored>,
    /// When which of the fields expire.
    due: BTreeSet<Due>,
}

#[derive(Debug)]
struct Stored {
    position: u64,
    /// Milliseconds since 1970; 0: never.
    expires: u64,
    name: Bytes,
    value: Bytes,
}

impl Named for Key {
    fn position(&self) -> u64 {
        self.position
    }

    fn name(&self) -> &[u8] {
        self.name.as_slice()
    }
}

impl Named for Stored {
    fn position(&self) -> u64 {
        self.position
    }

    fn name(&self) -> &[u8] {
        self.name.as_slice()
    }
}

/// Turns names into positions. It is drawn anew for each store, so that nobody can choose names that collide.
#[derive(Debug)]
struct Seed(u64, u64);

impl Seed {
    fn new() -> Self {
        let random = RandomState::new();
        Self(random.hash_one(0), random.hash_one(1) | 1)
    }

    /// Folded multiplication, eight bytes at a time.
    fn position(&self, name: &[u8]) -> u64 {
        let fold = |a: u64, b: u64| {
            let product = u128::from(a) * u128::from(b);
            let half = |bits: u128| u64::try_from(bits).unwrap_or_default();
            half(product >> 64) ^ half(product & u128::from(u64::MAX))
        };
        let mut words = name.chunks_exact(8);
        let mut hash = self.0 ^ name.len() as u64;
        for word in &mut words {
            hash = fold(hash ^ word.try_into().map_or(0, u64::from_le_bytes), self.1);
        }
        let rest = words.remainder().iter().rev().fold(0, |rest, byte| rest << 8 | u64::from(*byte));
        fold(fold(hash ^ rest, self.1), self.0 | 1)
    }
}

/// The time: milliseconds since 1970.
pub(super) fn clock() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl Stored {
    fn field(&self) -> Field<'_> {
        Field { expires: self.expires, value: Cow::Borrowed(self.value.as_slice()) }
    }
}

impl Key {
    fn new(position: u64, name: &[u8]) -> Self {
        let (fields, due) = (Ordered::default(), BTreeSet::new());
        Self { position, name: Bytes::new(name), expires: 0, listed: 0, fields, due }
    }

    /// The time of the first thing that expires; 0: nothing does.
    fn next(&self) -> u64 {
        match self.due.first() {
            Some((first, _)) if self.expires == 0 || *first < self.expires => *first,
            _ => self.expires,
        }
    }

    /// Lists a field for another time than before.
    fn reschedule(&mut self, position: u64, old: u64, new: u64) {
        if old == new {
            return;
        }
        if old != 0 && self.fields.slot_at(position, |field| field.expires == old).is_none() {
            self.due.remove(&(old, position));
        }
        if new != 0 {
            self.due.insert((new, position));
        }
    }

    /// Removes fields that have expired, at most so many. Returns how many are removed.
    fn clear(&mut self, now: u64, most: usize) -> usize {
        let mut cleared = 0;
        while cleared < most
            && let Some((expires, position)) = self.due.first().copied().filter(|(expires, _)| *expires <= now)
        {
            if let Some(at) = self.fields.slot_at(position, |field| field.expires == expires) {
                self.fields.remove(at);
                cleared += 1;
            }
            self.reschedule(position, expires, 0);
        }
        cleared
    }
}

impl Memory {
    pub(super) fn new() -> Self {
        Self { seed: Seed::new(), keys: Ordered::default(), due: BTreeSet::new(), now: Cell::new(0) }
    }

    /// Begins a request: at a time, or now.
    pub(super) fn begin(&mut self, now: Option<u64>) -> &mut Self {
        self.now.set(now.unwrap_or(0));
        self
    }

    fn is_alive(&self, expires: u64) -> bool {
        expires == 0 || expires > self.now()
    }

    /// Clears away what has expired of a key, or so much of it, and lists the key for what expires next. Returns how much
    /// that was.
    fn clear(&mut self, at: usize, most: usize) -> usize {
        let now = self.now();
        let Some(key) = self.keys.at_mut(at) else { return 0 };
        if key.expires != 0 && key.expires <= now {
            self.take(at);
            return 1;
        }
        let cleared = key.clear(now, most);
        let (old, position) = (std::mem::take(&mut key.listed), key.position);
        self.unlist(old, position);
        self.list(at);
        cleared
    }

    /// Lists a key for what expires first of it. A key without fields is removed.
    fn list(&mut self, at: usize) {
        let Some(key) = self.keys.at_mut(at) else { return };
        if key.fields.len() == 0 {
            self.take(at);
            return;
        }
        let (old, next, position) = (key.listed, key.next(), key.position);
        // A time that is too early costs one look at the key when it comes; moving it would cost every renewal.
        if next != 0 && (old == 0 || next < old) {
            key.listed = next;
            self.unlist(old, position);
            self.due.insert((next, position));
        }
    }

    /// Removes a time of a position, unless another key there has the same.
    fn unlist(&mut self, listed: u64, position: u64) {
        if listed != 0 && self.keys.slot_at(position, |key| key.listed == listed).is_none() {
            self.due.remove(&(listed, position));
        }
    }

    fn take(&mut self, at: usize) {
        if let Some(key) = self.keys.remove(at) {
            self.unlist(key.listed, key.position);
        }
    }
}

/// A hash for reading.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'a> {
    memory: &'a Memory,
    key: &'a Key,
}

impl<'a> Found<'a> {
    fn get(&self, name: &[u8]) -> Option<&'a Stored> {
        let field = self.key.fields.get(self.memory.seed.position(name), name)?;
        self.memory.is_alive(field.expires).then_some(field)
    }
}

impl Hash for Found<'_> {
    fn expires(&self) -> u64 {
        self.key.expires
    }

    fn len(&self) -> storage::Result<u64> {
        let due = match self.key.due.first() {
            Some((first, _)) if !self.memory.is_alive(*first) => {
                self.key.due.range(..=(self.memory.now(), u64::MAX)).count()
            }
            _ => 0,
        };
        Ok(self.key.fields.len().saturating_sub(due) as u64)
    }

    fn has_fields(&self) -> storage::Result<bool> {
        Ok(self.len()? > 0)
    }

    fn field(&self, name: &[u8]) -> storage::Result<Option<Field<'_>>> {
        Ok(self.get(name).map(Stored::field))
    }

    fn field_expires(&self, name: &[u8]) -> storage::Result<Option<u64>> {
        Ok(self.get(name).map(|field| field.expires))
    }

    fn each_field(&self, from: u64, mut visit: impl FnMut(Entry<'_>) -> bool) -> storage::Result<()> {
        for field in self.key.fields.from(from).filter(|field| self.memory.is_alive(field.expires)) {
            let Stored { position, expires, name, value } = field;
            let entry =
                Entry { position: *position, expires: *expires, name: name.as_slice(), value: value.as_slice() };
            if !visit(entry) {
                break;
            }
        }
        Ok(())
    }
}

impl Reader for Memory {
    type Hash<'a> = Found<'a>;

    fn now(&self) -> u64 {
        if self.now.get() == 0 {
            self.now.set(clock());
        }
        self.now.get()
    }

    fn hash<'a>(&'a self, key: &'a [u8]) -> storage::Result<Option<Found<'a>>> {
        let found = self.keys.get(self.seed.position(key), key);
        Ok(found.filter(|key| self.is_alive(key.expires)).map(|key| Found { memory: self, key }))
    }

    fn each_key(&self, from: u64, mut visit: impl FnMut(u64, &[u8]) -> bool) -> storage::Result<()> {
        for key in self.keys.from(from) {
            let is_there = self.is_alive(key.expires) && Found { memory: self, key }.has_fields()?;
            if is_there && !visit(key.position, key.name.as_slice()) {
                break;
            }
        }
        Ok(())
    }
}

/// A hash that is being changed.
#[derive(Debug)]
pub(super) struct Editing<'a> {
    memory: &'a mut Memory,
    name: &'a [u8],
    position: u64,
    /// Its slot among the keys, or where it will be. No other key comes or goes meanwhile.
    slot: Result<usize, usize>,
}

impl Editing<'_> {
    fn found(&self) -> Option<Found<'_>> {
        let key = self.memory.keys.at(self.slot.ok()?)?;
        Some(Found { memory: self.memory, key })
    }

    fn key(&mut self) -> Option<&mut Key> {
        self.memory.keys.at_mut(self.slot.ok()?)
    }
}

impl Hash for Editing<'_> {
    fn expires(&self) -> u64 {
        self.found().map_or(0, |found| found.expires())
    }

    fn len(&self) -> storage::Result<u64> {
        self.found().map_or(Ok(0), |found| found.len())
    }

    fn has_fields(&self) -> storage::Result<bool> {
        Ok(self.len()? > 0)
    }

    fn field(&self, name: &[u8]) -> storage::Result<Option<Field<'_>>> {
        Ok(self.found().and_then(|found| found.get(name)).map(Stored::field))
    }

    fn field_expires(&self, name: &[u8]) -> storage::Result<Option<u64>> {
        self.found().map_or(Ok(None), |found| found.field_expires(name))
    }

    fn each_field(&self, from: u64, visit: impl FnMut(Entry<'_>) -> bool) -> storage::Result<()> {
        self.found().map_or(Ok(()), |found| found.each_field(from, visit))
    }
}

impl Edit for Editing<'_> {
    fn set(&mut self, name: &[u8], value: &[u8], expires: u64) -> storage::Result<bool> {
        let position = self.memory.seed.position(name);
        if let Err(at) = self.slot {
            let key = Key::new(self.position, self.name);
            self.slot = Ok(self.memory.keys.insert(at, key));
        }
        let Some(key) = self.key() else { return Ok(false) };
        let slot = key.fields.find(position, name);
        match slot {
            Ok(at) => {
                let Some(field) = key.fields.at_mut(at) else { return Ok(false) };
                field.value.replace(value);
                let old = std::mem::replace(&mut field.expires, expires);
                key.reschedule(position, old, expires);
            }
            Err(at) => {
                key.fields.insert(at, Stored { position, expires, name: Bytes::new(name), value: Bytes::new(value) });
                key.reschedule(position, 0, expires);
            }
        }
        Ok(slot.is_err())
    }

    fn expire_field(&mut self, name: &[u8], at: u64) -> storage::Result<()> {
        let position = self.memory.seed.position(name);
        if let Some(key) = self.key()
            && let Ok(slot) = key.fields.find(position, name)
            && let Some(field) = key.fields.at_mut(slot)
        {
            let old = std::mem::replace(&mut field.expires, at);
            key.reschedule(position, old, at);
        }
        Ok(())
    }

    fn unset(&mut self, name: &[u8]) -> storage::Result<bool> {
        let position = self.memory.seed.position(name);
        let Some(key) = self.key() else { return Ok(false) };
        let Ok(slot) = key.fields.find(position, name) else { return Ok(false) };
        let removed = key.fields.remove(slot);
        key.reschedule(position, removed.map_or(0, |field| field.expires), 0);
        Ok(true)
    }

    fn expire(&mut self, at: u64) -> storage::Result<()> {
        if let Some(key) = self.key() {
            key.expires = at;
        }
        Ok(())
    }

    fn close(self) -> storage::Result<()> {
        let Ok(slot) = self.slot else { return Ok(()) };
        self.memory.list(slot);
        Ok(())
    }
}

impl Writer for Memory {
    type Edit<'a> = Editing<'a>;

    fn edit<'a>(&'a mut self, key: &'a [u8]) -> storage::Result<Editing<'a>> {
        let position = self.seed.position(key);
        let mut slot = self.keys.find(position, key);
        if let Ok(at) = slot
            && self.keys.at(at).is_some_and(|key| !self.is_alive(key.listed))
        {
            self.clear(at, usize::MAX);
            slot = self.keys.find(position, key);
        }
        Ok(Editing { memory: self, name: key, position, slot })
    }

    fn remove(&mut self, key: &[u8]) -> storage::Result<bool> {
        let was_there = self.hash(key)?.is_some_and(|hash| hash.has_fields().unwrap_or_default());
        if let Ok(at) = self.keys.find(self.seed.position(key), key) {
            self.take(at);
        }
        Ok(was_there)
    }

    fn reclaim(&mut self) -> storage::Result<()> {
        let mut left = RECLAIMED_AT_ONCE;
        while left > 0
            && let Some((when, position)) = self.due.first().copied().filter(|(when, _)| !self.is_alive(*when))
        {
            match self.keys.slot_at(position, |key| key.listed == when) {
                Some(at) => left = left.saturating_sub(self.clear(at, left).max(1)),
                None => drop(self.due.pop_first()),
            }
        }
        Ok(())
    }
}
