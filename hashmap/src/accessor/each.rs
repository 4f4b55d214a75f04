//! What generated types with a `Result` for each field delegate to: which fields could not be read, and why.

use std::fmt::{self, Formatter};

use crate::error::Error;

/// What is wrong with a field, if it cannot be read.
pub fn error<T>(field: &Result<T, Error>) -> Option<&Error> {
    field.as_ref().err()
}

/// What is wrong with the fields that cannot be read.
pub fn errors<const N: usize>(fields: [Option<&Error>; N]) -> Vec<&Error> {
    fields.into_iter().flatten().collect()
}

/// Writes a struct with what is wrong with each field that cannot be read.
///
/// # Errors
///
/// Returns the errors of the formatter.
pub fn fmt(f: &mut Formatter<'_>, name: &str, fields: &[(&str, Option<&Error>)]) -> fmt::Result {
    let mut shown = f.debug_struct(name);
    for (field, error) in fields {
        match error {
            Some(error) => shown.field(field, &format_args!("{error}")),
            None => shown.field(field, &format_args!("read")),
        };
    }
    shown.finish()
}
