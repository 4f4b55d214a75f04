//! What the derive implements for a struct: its fields as const data, and how a record is written and read.

use std::time::Duration;

use crate::command::changes::Changes;
use crate::command::named_field::{FieldInfo, NamedField};
use crate::command::reply::Values;
use crate::command::target::Target;
use crate::error::Error;
use crate::format::storage::Format;

/// A struct that is stored as a Redis hash, one field in each hash field. Implemented by `#[derive(RedisHash)]`.
pub trait RedisHash: Sized {
    /// The fields, in the order in which they are declared; the ones marked `skip` are not among them.
    const FIELDS: &'static [FieldInfo];

    /// How long the record lives after each write, if it declares that: `#[redis_hash(ttl = "30m")]`.
    const TTL: Option<Duration> = None;

    /// True if each read of a value renews that time: `#[redis_hash(sliding)]`.
    const SLIDING: bool = false;

    /// The accessor, `UserSettingsHash<E>` for a `UserSettings`.
    type Hash<E>;

    /// The record with every field optional, `UserSettingsPartial` for a `UserSettings`.
    type Partial;

    /// What to change of a record, `UserSettingsPatch` for a `UserSettings`.
    type Patch: Default;

    /// The fields by name, `UserSettingsFields` for a `UserSettings`.
    type Fields;

    #[doc(hidden)]
    const NAMED: Self::Fields;

    /// The accessor of the record at a target.
    #[doc(hidden)]
    fn accessor<E>(target: Target, executor: E) -> Self::Hash<E>;

    #[doc(hidden)]
    fn write(&self, out: &mut Changes) -> Result<(), Error>;

    #[doc(hidden)]
    fn write_patch(patch: &Self::Patch, out: &mut Changes) -> Result<(), Error>;

    #[doc(hidden)]
    fn read(fields: &mut RecordReader<'_>) -> Result<Self, Error>;

    #[doc(hidden)]
    fn read_partial(fields: &mut RecordReader<'_>) -> Result<Self::Partial, Error>;
}

/// A record that exists even where nothing is stored: each of its fields is an `Option`, has a default, or is skipped.
/// Implemented by `#[derive(RedisHash)]` where that is so.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` cannot be made of defaults: it has required fields",
    label = "has required fields",
    note = "`get_or_default` needs every field to be an `Option` or to have `#[redis_hash(default)]`; `get_all` returns \
            `None` where no record is stored, `get_partial` each field as it is"
)]
pub trait DefaultedHash: RedisHash {}

/// Reads the fields of a record, in the order in which they are declared. For generated code.
pub struct RecordReader<'a> {
    values: &'a Values<'a>,
    index: usize,
}

#[expect(clippy::missing_errors_doc, reason = "generated code hands the errors on")]
impl<'a> RecordReader<'a> {
    pub(crate) fn new(values: &'a Values<'a>) -> Self {
        Self { values, index: 0 }
    }

    /// The next field, where it is stored.
    pub fn option<T, F>(&mut self, field: &NamedField<T, F>) -> Result<Option<T>, Error> {
        let index = self.index;
        self.index += 1;
        let Some(stored) = self.values.get(index)? else { return Ok(None) };
        field.decode(stored).map(Some).map_err(|fault| Error::at(fault, self.values.place(index)))
    }

    /// The next field, which must be stored.
    pub fn required<T, F>(&mut self, field: &NamedField<T, F>) -> Result<T, Error> {
        self.option(field)?.ok_or_else(|| self.missing())
    }

    /// The next field, or its default.
    pub fn defaulted<T, F>(&mut self, field: &NamedField<T, F>) -> Result<T, Error> {
        match (self.option(field)?, field.default()) {
            (Some(value), _) => Ok(value),
            (None, Some(default)) => Ok(default()),
            (None, None) => Err(self.missing()),
        }
    }

    /// The next field, as its `get` returns it.
    pub(crate) fn get<T, F: Format<T>>(&mut self, field: &NamedField<T, F>) -> Result<F::Get, Error> {
        match (self.option(field)?, F::absent(field.default())) {
            (Some(value), _) => Ok(F::found(value)),
            (None, Some(absent)) => Ok(absent()),
            (None, None) => Err(self.missing()),
        }
    }

    /// The field that was read last is absent.
    fn missing(&self) -> Error {
        Error::MissingField { place: self.values.place(self.index - 1) }
    }
}
