//! The changes of one write: which fields are set or removed in one step, and on what conditions.
//!
//! Each value is encoded once, into one buffer. The changes, not the operation, decide which command they become: see
//! [`write_changes`](crate::command::redis::write_changes).

use std::ops::Range;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::command::name::Name;
use crate::command::ttl::FieldTtl;
use crate::error::Error;
use crate::error::fault::Fault;
use crate::error::place::Place;
use crate::format::storage::FormatOf;

/// Encoded values, one after the other.
pub(crate) type Buffer = Vec<u8>;

/// A condition on the hash as a whole. Where it does not hold, nothing is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HashCondition {
    Absent,
    Present,
}

/// A condition on one field, under whichever of its names it is stored. Where it does not hold, nothing is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Guard {
    Absent,
    Present,
    /// The field must be stored with exactly these bytes.
    Stored(Vec<u8>),
}

/// The change of one field.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) name: Name,
    pub(crate) guard: Option<Guard>,
    pub(crate) to: Outcome,
}

/// The state of a field after the write.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    Removed,
    /// Set to the bytes at this place of the buffer.
    Set(Range<usize>, FieldTtl),
}

/// The changes of one write, in order, with their encoded values.
#[derive(Debug, Clone)]
pub struct Changes {
    pub(crate) key: Arc<str>,
    value_limit: usize,
    pub(crate) buffer: Buffer,
    pub(crate) list: SmallVec<[Change; 1]>,
    pub(crate) condition: Option<HashCondition>,
    /// True if a field that expires keeps its time to live where its bytes do not change.
    pub(crate) keeps_unchanged: bool,
}

impl Change {
    /// True if it sets a field that has aliases, which the same step has to remove.
    pub(crate) fn moves(&self) -> bool {
        matches!(self.to, Outcome::Set(..)) && !self.name.aliases().is_empty()
    }

    /// How many names and values it is.
    pub(crate) fn args(&self) -> usize {
        1 + usize::from(matches!(self.to, Outcome::Set(..))) + self.name.aliases().len()
    }
}

impl Changes {
    /// Reserves room for this many fields and bytes of values.
    #[inline]
    pub(crate) fn new(key: Arc<str>, value_limit: usize, fields: usize, bytes: usize) -> Self {
        Self {
            key,
            value_limit,
            buffer: Buffer::with_capacity(bytes),
            list: SmallVec::with_capacity(fields),
            condition: None,
            keeps_unchanged: false,
        }
    }

    /// Writes only if the hash exists, or only if it does not.
    pub(crate) fn only_if(mut self, condition: HashCondition) -> Self {
        self.condition = Some(condition);
        self
    }

    /// Leaves fields alone that expire and whose bytes do not change, so that they keep their times to live.
    pub(crate) fn keeping_unchanged(mut self) -> Self {
        self.keeps_unchanged = true;
        self
    }

    /// Sets a field.
    #[inline]
    pub(crate) fn set<T: ?Sized, F: FormatOf<T, Q>, Q: ?Sized>(
        &mut self,
        name: Name,
        value: &Q,
        ttl: FieldTtl,
    ) -> Result<(), Error> {
        self.append(name, ttl, |buffer, limit| encode::<T, F, Q>(buffer, value, limit))
    }

    /// Sets a field to what `encode` appends to the buffer.
    #[inline]
    pub(crate) fn append(
        &mut self,
        name: Name,
        ttl: FieldTtl,
        encode: impl FnOnce(&mut Buffer, usize) -> Result<(), Fault>,
    ) -> Result<(), Error> {
        if name.is_empty() {
            return Err(Error::EmptyField { place: Place::new(&self.key, None) });
        }
        let start = self.buffer.len();
        encode(&mut self.buffer, self.value_limit)
            .map_err(|fault| Error::at(fault, Place::new(&self.key, Some(&name))))?;
        let bytes = start..self.buffer.len();
        self.list.push(Change { name, guard: None, to: Outcome::Set(bytes, ttl) });
        Ok(())
    }

    /// Removes a field.
    pub(crate) fn remove(&mut self, name: Name) {
        self.list.push(Change { name, guard: None, to: Outcome::Removed });
    }

    /// Guards the field that was added last: where the guard does not hold, nothing is written.
    pub(crate) fn guard(mut self, guard: Guard) -> Self {
        self.guard_last(guard);
        self
    }

    /// Does what [`guard`](Self::guard) does.
    pub(crate) fn guard_last(&mut self, guard: Guard) {
        if let Some(change) = self.list.last_mut() {
            change.guard = Some(guard);
        }
    }

    /// Keeps only the fields that differ from `before`, and guards each by what `stored` returns for its position.
    ///
    /// `before` must have the same fields in the same order.
    pub(crate) fn keep_changed(
        &mut self,
        before: &Self,
        mut stored: impl FnMut(usize) -> Result<Option<Vec<u8>>, Error>,
    ) -> Result<(), Error> {
        let mut list = SmallVec::new();
        for (index, mut change) in std::mem::take(&mut self.list).into_iter().enumerate() {
            if self.value(&change) == before.list.get(index).and_then(|change| before.value(change)) {
                continue;
            }
            change.guard = Some(stored(index)?.map_or(Guard::Absent, Guard::Stored));
            list.push(change);
        }
        self.list = list;
        Ok(())
    }

    /// Returns the bytes that a field is set to, or `None` if it is removed.
    #[inline]
    pub(crate) fn value(&self, change: &Change) -> Option<&[u8]> {
        match &change.to {
            Outcome::Set(bytes, _) => self.buffer.get(bytes.clone()),
            Outcome::Removed => None,
        }
    }
}

/// Appends the stored form of a value.
#[inline]
pub(crate) fn encode<T: ?Sized, F: FormatOf<T, Q>, Q: ?Sized>(
    buffer: &mut Buffer,
    value: &Q,
    limit: usize,
) -> Result<(), Fault> {
    let plan = F::plan(value, limit)?;
    buffer.reserve(F::planned_len(&plan));
    F::write(value, &plan, buffer)
}
