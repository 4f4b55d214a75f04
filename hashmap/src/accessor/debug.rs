//! What `Debug` of generated types shows: the state of each field, and no value.

use std::fmt::{self, Formatter};

/// A struct with a state for each field.
///
/// # Errors
///
/// Those of the formatter.
pub fn fields(f: &mut Formatter<'_>, name: &str, fields: &[(&str, &str)]) -> fmt::Result {
    let mut shown = f.debug_struct(name);
    for (field, state) in fields {
        shown.field(field, &format_args!("{state}"));
    }
    shown.finish()
}

/// The state of a field of a partial record.
pub fn stored<T>(field: &Option<T>) -> &'static str {
    if field.is_some() { "stored" } else { "absent" }
}

/// The state of a field of a patch.
pub fn patched<T>(field: &Option<T>) -> &'static str {
    if field.is_some() { "set" } else { "kept" }
}

/// The state of an optional field of a patch.
pub fn patched_option<T>(field: &Option<Option<T>>) -> &'static str {
    match field {
        Some(Some(_)) => "set",
        Some(None) => "cleared",
        None => "kept",
    }
}
