//! What a hash should hold, where the outcome of some writes is not known.

use std::collections::{BTreeMap, BTreeSet};

/// The possible values of each field. Most have one; `None` is absent.
#[derive(Debug, Default)]
pub(crate) struct Model {
    fields: BTreeMap<String, BTreeSet<Option<i64>>>,
    /// How many writes were found carried out, or not, of those that were in doubt.
    pub(crate) resolved: usize,
}

impl Model {
    /// The possible values of a field.
    pub(crate) fn of(&self, field: &str) -> BTreeSet<Option<i64>> {
        self.fields.get(field).cloned().unwrap_or_else(|| BTreeSet::from([None]))
    }

    /// The value of a field is now one of those that it may have had, changed by this.
    pub(crate) fn done(&mut self, field: &str, change: impl Fn(Option<i64>) -> Option<i64>) {
        let values = self.of(field).into_iter().map(change).collect();
        self.fields.insert(field.to_owned(), values);
    }

    /// The same, or nothing has happened.
    pub(crate) fn in_doubt(&mut self, field: &str, change: impl Fn(Option<i64>) -> Option<i64>) {
        let before = self.of(field);
        let values = before.iter().copied().map(change).chain(before.iter().copied()).collect();
        self.fields.insert(field.to_owned(), values);
    }

    /// A field was read. Fails if it cannot have this value.
    pub(crate) fn read(&mut self, field: &str, value: Option<i64>) -> Result<(), String> {
        let possible = self.of(field);
        if !possible.contains(&value) {
            return Err(format!("{field} is {value:?}, and can only be one of {possible:?}"));
        }
        self.resolved += usize::from(possible.len() > 1);
        self.fields.insert(field.to_owned(), BTreeSet::from([value]));
        Ok(())
    }
}
