//! A hash table that is in order: by the hash of the names, so that a scan can go on from any hash.

use std::cmp::Ordering;

/// What lies in the table: a name, and the hash of it, which is its position.
pub(super) trait Named {
    fn position(&self) -> u64;
    fn name(&self) -> &[u8];
}

/// The most entries that are searched one by one. Beyond, there are gaps, and a search begins near its end.
const SMALL: usize = 16;

/// Linear probing in which the entries stay in order. The home of an entry is the slot at the share of the table that
/// its position is of all positions; no slot between home and entry is empty. While a table is small, the first slot is
/// everybody's home, so that there are no gaps.
#[derive(Debug)]
pub(super) struct Ordered<T> {
    slots: Vec<Option<T>>,
    len: usize,
    /// How many slots are the home of something; 0: the table is small.
    homes: usize,
}

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), len: 0, homes: 0 }
    }
}

impl<T: Named> Ordered<T> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    fn home(&self, position: u64) -> usize {
        if self.homes == 0 {
            return 0;
        }
        let share = (u128::from(position) * self.homes as u128) >> 64;
        usize::try_from(share).unwrap_or_default()
    }

    /// The slot of a name, or where it would have to be inserted.
    pub(super) fn find(&self, position: u64, name: &[u8]) -> Result<usize, usize> {
        let home = self.home(position);
        for (at, slot) in self.slots.iter().enumerate().skip(home) {
            let Some(entry) = slot else { return Err(at) };
            match entry.position().cmp(&position) {
                Ordering::Equal if entry.name() == name => return Ok(at),
                Ordering::Less | Ordering::Equal => {}
                Ordering::Greater => return Err(at),
            }
        }
        Err(self.slots.len().max(home))
    }

    pub(super) fn get(&self, position: u64, name: &[u8]) -> Option<&T> {
        let at = self.find(position, name).ok()?;
        self.at(at)
    }

    pub(super) fn at(&self, at: usize) -> Option<&T> {
        self.slots.get(at)?.as_ref()
    }

    pub(super) fn at_mut(&mut self, at: usize) -> Option<&mut T> {
        self.slots.get_mut(at)?.as_mut()
    }

    /// Inserts an entry where [`Self::find`] said, and returns where it is now.
    pub(super) fn insert(&mut self, mut at: usize, entry: T) -> usize {
        let is_full = if self.homes == 0 { self.len >= SMALL } else { self.len >= self.homes / 4 * 3 };
        if is_full {
            self.rebuild(self.len * 2);
            at = self.find(entry.position(), entry.name()).unwrap_or_else(|at| at);
        }
        self.len += 1;
        let mut carried = Some(entry);
        for slot in self.slots.iter_mut().skip(at) {
            std::mem::swap(slot, &mut carried);
            if carried.is_none() {
                return at;
            }
        }
        self.slots.push(carried);
        at
    }

    /// Removes what is at a slot.
    pub(super) fn remove(&mut self, at: usize) -> Option<T> {
        let removed = self.slots.get_mut(at)?.take()?;
        self.len -= 1;
        // Whatever stands away from its home moves up.
        let mut free = at;
        while let Some(Some(next)) = self.slots.get(free + 1)
            && self.home(next.position()) <= free
        {
            self.slots.swap(free, free + 1);
            free += 1;
        }
        if self.homes > 0 && self.len < self.homes / 4 {
            self.rebuild(self.len * 2);
        }
        Some(removed)
    }

    /// The entries from a position on, in order.
    pub(super) fn from(&self, position: u64) -> impl Iterator<Item = &T> {
        let slots = self.slots.get(self.home(position)..).unwrap_or_default();
        slots.iter().flatten().skip_while(move |entry| entry.position() < position)
    }

    /// The first slot at a position whose entry is asked for.
    pub(super) fn slot_at(&self, position: u64, is_asked_for: impl Fn(&T) -> bool) -> Option<usize> {
        let slots = self.slots.iter().enumerate().skip(self.home(position));
        slots
            .map_while(|(at, slot)| slot.as_ref().map(|entry| (at, entry)))
            .take_while(|(_, entry)| entry.position() <= position)
            .find(|(_, entry)| entry.position() == position && is_asked_for(entry))
            .map(|(at, _)| at)
    }

    fn rebuild(&mut self, homes: usize) {
        self.homes = if homes <= SMALL { 0 } else { homes };
        let mut slots = Vec::with_capacity(self.homes.max(self.len) + 1);
        for entry in std::mem::take(&mut self.slots).into_iter().flatten() {
            let home = self.home(entry.position());
            while slots.len() < home {
                slots.push(None);
            }
            slots.push(Some(entry));
        }
        if slots.len() < self.homes {
            slots.resize_with(self.homes, || None);
        }
        self.slots = slots;
    }
}
