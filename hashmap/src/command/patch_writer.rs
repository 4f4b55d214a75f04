//! Writes patches: what is set or cleared at once, and what is merged when it is known what is stored.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::command::changes::{Changes, Guard};
use crate::command::name::Name;
use crate::command::named_field::NamedField;
use crate::command::reply::Values;
use crate::error::Error;
use crate::format::merge::{Merge, merged};

/// Collects the changes of a patch. For generated code, which hands it each field of the patch.
pub struct PatchWriter<'a> {
    pub(crate) changes: Changes,
    /// The fields that are merged, in order. Where nothing has been read yet, they are not among the changes.
    pub(crate) merged: Vec<Name>,
    /// What is stored in these fields, if it has been read.
    stored: Option<&'a Values<'a>>,
}

#[expect(clippy::missing_errors_doc, reason = "generated code hands the errors on")]
impl<'a> PatchWriter<'a> {
    pub(crate) fn new(changes: Changes, stored: Option<&'a Values<'a>>) -> Self {
        Self { changes, merged: Vec::new(), stored }
    }

    /// Sets a field, or leaves it alone for `None`.
    pub fn set<T, F>(&mut self, field: &NamedField<T, F>, value: Option<&T>) -> Result<(), Error> {
        value.map_or(Ok(()), |value| field.set(value, &mut self.changes))
    }

    /// Sets an optional field, removes it for `Some(None)`, or leaves it alone for `None`.
    pub fn set_option<T, F>(&mut self, field: &NamedField<T, F>, value: Option<&Option<T>>) -> Result<(), Error> {
        value.map_or(Ok(()), |value| field.set_option(value.as_ref(), &mut self.changes))
    }

    /// Sets a field or parts of it, or leaves it alone for `None`.
    pub fn merge<T, F>(&mut self, field: &NamedField<T, F>, value: Option<&Merge<T>>) -> Result<(), Error>
    where
        T: Serialize + DeserializeOwned,
    {
        let parts = match value {
            None => return Ok(()),
            Some(Merge::Set(value)) => return field.set(value, &mut self.changes),
            Some(Merge::Parts(parts)) => parts,
        };
        let index = self.merged.len();
        self.merged.push(field.names());
        let Some(values) = self.stored else { return Ok(()) };
        let stored = values.get(index)?;
        let at = |fault| Error::at(fault, values.place(index));
        let current = match stored {
            Some(stored) => Some(field.decode(stored).map_err(at)?),
            None => field.default().map(|default| default()),
        };
        field.set(&merged(current.as_ref(), parts).map_err(at)?, &mut self.changes)?;
        self.changes.guard_last(stored.map_or(Guard::Absent, |stored| Guard::Stored(stored.to_vec())));
        Ok(())
    }

    /// Sets an optional field or parts of it, removes it for `Some(None)`, or leaves it alone for `None`.
    pub fn merge_option<T, F>(
        &mut self,
        field: &NamedField<T, F>,
        value: Option<&Option<Merge<T>>>,
    ) -> Result<(), Error>
    where
        T: Serialize + DeserializeOwned,
    {
        match value {
            Some(None) => field.set_option(None, &mut self.changes),
            Some(Some(value)) => self.merge(field, Some(value)),
            None => Ok(()),
        }
    }
}
