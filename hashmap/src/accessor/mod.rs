//! What users hold: records, their fields, and maps.

pub(crate) mod by_name;
pub mod debug;
pub mod each;
pub(crate) mod field;
pub(crate) mod get_many;
pub(crate) mod hash_key;
pub(crate) mod map;
pub(crate) mod map_value;
mod merge;
mod names;
pub(crate) mod record;
pub(crate) mod scan;
mod update;
