//! The traits that the derive implements for a struct: its fields as const data, and how a record is written and read.

use std::time::Duration;

use crate::command::changes::Changes;
use crate::command::named_field::{FieldInfo, NamedField};
use crate::command::patch_writer::PatchWriter;
use crate::command::reply::Values;
use crate::command::target::Target;
use crate::error::Error;
use crate::format::storage::Format;

/// A struct that is stored as a Redis hash, each of its fields in one hash field.
///
/// `#[derive(RedisHash)]` implements it.
pub trait RedisHash: Sized {
    /// The stored fields, in the order in which they are declared. Fields marked `skip` are not among them.
    const FIELDS: &'static [FieldInfo];

    /// The time to live that each write gives the record, if it declares one: `#[redis_hash(ttl = "30m")]`.
    const TTL: Option<Duration> = None;

    /// True if each read of a value renews that time to live: `#[redis_hash(sliding)]`.
    const SLIDING: bool = false;

    /// The accessor: `UserSettingsHash<E>` for a `UserSettings`.
    type Hash<E>;

    /// The record with every field as an `Option`: `UserSettingsPartial` for a `UserSettings`.
    type Partial;

    /// What is stored of the record, with a `Result` for each field: `UserSettingsEach` for a `UserSettings`.
    type Each;

    /// The changes that a patch makes to a record: `UserSettingsPatch` for a `UserSettings`.
    type Patch: Default;

    /// The fields by name: `UserSettingsFields` for a `UserSettings`.
    type Fields;

    #[doc(hidden)]
    const NAMED: Self::Fields;

    /// Makes the accessor of the record at a target.
    #[doc(hidden)]
    fn accessor<E>(target: Target, executor: E) -> Self::Hash<E>;

    #[doc(hidden)]
    fn write(&self, out: &mut Changes) -> Result<(), Error>;

    #[doc(hidden)]
    fn write_patch(patch: &Self::Patch, out: &mut PatchWriter<'_>) -> Result<(), Error>;

    #[doc(hidden)]
    fn read(fields: &mut RecordReader<'_>) -> Result<Self, Error>;

    #[doc(hidden)]
    fn read_each(fields: &mut RecordReader<'_>) -> Self::Each;

    #[doc(hidden)]
    fn read_partial(fields: &mut RecordReader<'_>) -> Result<Self::Partial, Error>;
}

/// A record that can be made of defaults where nothing is stored.
///
/// `#[derive(RedisHash)]` implements it for a struct of which each field is an `Option`, has a default (that of a
/// counter is 0), or is skipped.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` cannot be made of defaults: it has required fields",
    label = "has required fields",
    note = "`get_or_default` needs every field to be an `Option` or to have `#[redis_hash(default)]`; `get_all` returns \
            `None` where no record is stored, `get_partial` each field as it is"
)]
pub trait DefaultedHash: RedisHash {}

/// A record whose patches only set and clear fields, so that they can be written without reading.
///
/// `#[derive(RedisHash)]` implements it for a struct without `#[redis_hash(merge)]`.
#[diagnostic::on_unimplemented(
    message = "a patch of a `{Self}` can change parts of a field, which has to be read first",
    label = "has fields that are merged",
    note = "use `merge` or `merge_if_present`, which need a connection; they are there for records whose fields are declared as \
            `#[redis_hash(merge)]`"
)]
pub trait PlainPatch: RedisHash {}

/// Reads the fields of a record, in the order in which they are declared. For generated code.
pub struct RecordReader<'a> {
    values: &'a Values<'a>,
    index: usize,
    /// What is wrong with the fields that were read, if that is to be kept.
    errors: Option<Vec<Error>>,
}

#[expect(clippy::missing_errors_doc, reason = "generated code hands the errors on")]
impl<'a> RecordReader<'a> {
    pub(crate) fn new(values: &'a Values<'a>) -> Self {
        Self { values, index: 0, errors: None }
    }

    /// Reads the next field, or `None` where it is absent.
    pub fn option<T, F>(&mut self, field: &NamedField<T, F>) -> Result<Option<T>, Error> {
        let index = self.index;
        self.index += 1;
        let values = self.values;
        let Some(stored) = values.get(index).map_err(|error| self.keep(error))? else { return Ok(None) };
        field.decode(stored).map(Some).map_err(|fault| self.keep(Error::at(fault, self.values.place(index))))
    }

    /// Reads the next field, which must be stored.
    pub fn required<T, F>(&mut self, field: &NamedField<T, F>) -> Result<T, Error> {
        self.option(field)?.ok_or_else(|| self.missing())
    }

    /// Reads the next field, or makes its default where it is absent.
    pub fn defaulted<T, F>(&mut self, field: &NamedField<T, F>) -> Result<T, Error> {
        match (self.option(field)?, field.default()) {
            (Some(value), _) => Ok(value),
            (None, Some(default)) => Ok(default()),
            (None, None) => Err(self.missing()),
        }
    }

    /// Reads the next field as its `get` returns it.
    pub(crate) fn get<T, F: Format<T>>(&mut self, field: &NamedField<T, F>) -> Result<F::Get, Error> {
        match (self.option(field)?, F::absent(field.default())) {
            (Some(value), _) => Ok(F::found(value)),
            (None, Some(absent)) => Ok(absent()),
            (None, None) => Err(self.missing()),
        }
    }

    /// The error for the absence of the field that was read last.
    fn missing(&mut self) -> Error {
        self.keep(Error::MissingField { place: self.values.place(self.index - 1) })
    }

    #[cold]
    fn keep(&mut self, error: Error) -> Error {
        if let Some(errors) = &mut self.errors {
            errors.push(error.clone());
        }
        error
    }
}

/// Reads a whole record. An error names every field that cannot be read.
pub(crate) fn read_record<R: RedisHash>(values: &Values<'_>) -> Result<R, Error> {
    R::read(&mut RecordReader::new(values))
        .map_err(|first| all_of(values, first, |fields| drop(R::read_each(fields)), |_| true))
}

/// Reads what is stored of a record. An error names every field that cannot be read.
pub(crate) fn read_partial<R: RedisHash>(values: &Values<'_>) -> Result<R::Partial, Error> {
    let counts = |error: &Error| !matches!(error, Error::MissingField { .. });
    R::read_partial(&mut RecordReader::new(values))
        .map_err(|first| all_of(values, first, |fields| drop(R::read_each(fields)), counts))
}

/// Reads some fields. An error names every field that cannot be read, if `read` does not stop at the first.
pub(crate) fn read_fields<T>(
    values: &Values<'_>,
    read: impl Fn(&mut RecordReader<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    read(&mut RecordReader::new(values)).map_err(|first| all_of(values, first, |fields| drop(read(fields)), |_| true))
}

/// The errors of all fields, once one of them has failed: the fields are read again, since a good record should not pay for
/// a bad one.
#[cold]
fn all_of(
    values: &Values<'_>,
    first: Error,
    read: impl FnOnce(&mut RecordReader<'_>),
    counts: impl Fn(&Error) -> bool,
) -> Error {
    let mut fields = RecordReader { values, index: 0, errors: Some(Vec::new()) };
    read(&mut fields);
    let errors: Vec<Error> = fields.errors.into_iter().flatten().filter(counts).collect();
    // A type can refuse a value once and take it the next time.
    if errors.is_empty() { first } else { Error::of_fields(values.hash(), errors) }
}
