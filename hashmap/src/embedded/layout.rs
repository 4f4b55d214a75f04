//! What lies in a file: redb's tables. Nothing here knows Redis's commands or replies.

use std::io;

use redb::TableDefinition;

use crate::format::shape::{fmix64, fnv1a};

/// The version of this layout. A file with an older one is migrated, a newer one is refused.
pub(super) const LAYOUT: u64 = 2;

pub(super) type KeyName = (u64, &'static [u8]);
pub(super) type KeyRow = (u64, u64, u64, u64, &'static [u8]);
pub(super) type FieldName = (u64, u64, &'static [u8]);
pub(super) type FieldRow = (u64, &'static [u8]);

/// Position and name of each key: its id (0: it is small), its number of fields (0: it is small), when it expires, its
/// time in [`DUE`], and its fields if it is small (see `row.rs`). A hash that has become large stays so.
///
/// Times are milliseconds since 1970; 0: never.
pub(super) const HASHES: TableDefinition<KeyName, KeyRow> = TableDefinition::new("hashes");
/// Of large hashes: id of the key, position and name of each field: when it expires, and its value.
pub(super) const FIELDS: TableDefinition<FieldName, FieldRow> = TableDefinition::new("fields of large hashes");
/// Of large hashes: id of the key, time and name of each field that expires.
pub(super) const FIELD_TIMES: TableDefinition<FieldName, ()> = TableDefinition::new("times of large hashes");
/// A time for each key that expires or has fields that do. It is not later than the first of them; when it comes, the key
/// is looked at.
pub(super) const DUE: TableDefinition<KeyName, ()> = TableDefinition::new("due");
/// The layout's version and the next id.
pub(super) const META: TableDefinition<&str, u64> = TableDefinition::new("meta");

pub(super) const META_LAYOUT: &str = "layout";
pub(super) const META_NEXT_ID: &str = "next id";

/// The position of a name among its siblings: a hash that never changes, so that a cursor of SCAN can be a number.
pub(super) fn position(name: &[u8]) -> u64 {
    fmix64(fnv1a(name))
}

type Names = std::ops::Range<(u64, u64, &'static [u8])>;

/// The rows of a large hash: in the table of fields from a position on, in the table of times from a time on.
pub(super) fn of_hash(id: u64, from: u64) -> Names {
    (id, from, &[])..(id.saturating_add(1), 0, &[])
}

/// The rows of the expired fields of a large hash, in the table of times.
pub(super) fn due_of_hash(id: u64, now: u64) -> Names {
    (id, 0, &[])..(id, now.saturating_add(1), &[])
}

pub(super) fn io_error(error: impl Into<redb::Error>) -> io::Error {
    match error.into() {
        redb::Error::Io(error) => error,
        redb::Error::Corrupted(_) => io::Error::other("the file is damaged; restore it from a copy"),
        error => io::Error::other(error.to_string()),
    }
}
