//! What users hold: records, their fields, and maps.

pub(crate) mod field;
pub(crate) mod get_many;
pub(crate) mod map;
pub(crate) mod patch;
pub(crate) mod record;
pub(crate) mod scan;
pub(crate) mod target;
