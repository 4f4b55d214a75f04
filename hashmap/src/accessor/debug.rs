//! `Debug` of generated types: it shows the state of each field, never its value.

use std::fmt::{self, Formatter};

use crate::format::merge::Merge;

/// Writes a struct with the state of each field.
///
/// # Errors
///
/// Returns the errors of the formatter.
pub fn fields(f: &mut Formatter<'_>, name: &str, fields: &[(&str, &str)]) -> fmt::Result {
    let mut shown = f.debug_struct(name);
    for (field, state) in fields {
        shown.field(field, &format_args!("{state}"));
    }
    shown.finish()
}

/// The state of a field in a partial record.
pub fn stored<T>(field: &Option<T>) -> &'static str {
    if field.is_some() { "stored" } else { "absent" }
}

/// The state of a field in a patch.
pub fn patched<T>(field: &Option<T>) -> &'static str {
    if field.is_some() { "set" } else { "kept" }
}

/// The state of a field in a patch of which parts can be merged.
pub fn merged<T>(field: &Option<Merge<T>>) -> &'static str {
    match field {
        Some(Merge::Set(_)) => "set",
        Some(Merge::Parts(_)) => "merged",
        None => "kept",
    }
}

/// The state of an optional field in a patch of which parts can be merged.
pub fn merged_option<T>(field: &Option<Option<Merge<T>>>) -> &'static str {
    match field {
        Some(None) => "cleared",
        Some(Some(Merge::Set(_))) => "set",
        Some(Some(Merge::Parts(_))) => "merged",
        None => "kept",
    }
}

/// The state of an optional field in a patch.
pub fn patched_option<T>(field: &Option<Option<T>>) -> &'static str {
    match field {
        Some(Some(_)) => "set",
        Some(None) => "cleared",
        None => "kept",
    }
}
