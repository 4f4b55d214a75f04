//! What an engine of the embedded store can do: hashes by key, their fields, and when either expires. Nothing here
//! knows Redis's commands or replies.

use std::borrow::Cow;
use std::io;

/// A failure of the disk. An engine in memory has none.
pub(super) type Result<T> = io::Result<T>;

/// A field that has not expired.
pub(super) struct Field<'a> {
    /// Milliseconds since 1970; 0: never.
    pub(super) expires: u64,
    pub(super) value: Cow<'a, [u8]>,
}

/// A field as a visitor of a hash sees it.
pub(super) struct Entry<'a> {
    /// The place of the name among its siblings: a hash of it that never changes while the store is open, so that a
    /// cursor of SCAN can be a number.
    pub(super) position: u64,
    pub(super) name: &'a [u8],
    /// Milliseconds since 1970; 0: never.
    pub(super) expires: u64,
    pub(super) value: &'a [u8],
}

/// A hash whose key has not expired. Its fields that have expired are not there.
pub(super) trait Hash {
    /// When the key expires: milliseconds since 1970; 0: never.
    fn expires(&self) -> u64;

    /// How many fields there are. 0 if all have expired.
    fn len(&self) -> Result<u64>;

    /// True if there is a field.
    fn has_fields(&self) -> Result<bool>;

    fn field(&self, name: &[u8]) -> Result<Option<Field<'_>>>;

    /// When a field expires, if it exists; 0: never.
    fn field_expires(&self, name: &[u8]) -> Result<Option<u64>>;

    /// Visits the fields in the order of their positions, from one on, until the visitor returns false.
    fn each_field(&self, from: u64, visit: impl FnMut(Entry<'_>) -> bool) -> Result<()>;
}

/// All hashes, for reading.
pub(super) trait Reader {
    type Hash<'a>: Hash
    where
        Self: 'a;

    /// The time of this request: milliseconds since 1970.
    fn now(&self) -> u64;

    /// The hash at a key, unless the key has expired. All of its fields may have expired.
    fn hash<'a>(&'a self, key: &'a [u8]) -> Result<Option<Self::Hash<'a>>>;

    /// Visits the keys with a field in the order of their positions, from one on, until the visitor returns false.
    fn each_key(&self, from: u64, visit: impl FnMut(u64, &[u8]) -> bool) -> Result<()>;
}

/// The hash at a key while it is changed. If there was none, it is empty.
///
/// Fields that have expired are gone. [`Self::close`] must follow the last change.
pub(super) trait Edit: Hash {
    /// Sets a field and when it expires: true if it is new.
    fn set(&mut self, name: &[u8], value: &[u8], expires: u64) -> Result<bool>;

    /// Sets when a field expires, if it exists.
    fn expire_field(&mut self, name: &[u8], at: u64) -> Result<()>;

    /// Removes a field: true if it was there.
    fn unset(&mut self, name: &[u8]) -> Result<bool>;

    /// Sets when the key expires, if it exists.
    fn expire(&mut self, at: u64) -> Result<()>;

    /// A hash without fields is removed.
    fn close(self) -> Result<()>;
}

/// All hashes, for writing.
pub(super) trait Writer: Reader {
    type Edit<'a>: Edit
    where
        Self: 'a;

    fn edit<'a>(&'a mut self, key: &'a [u8]) -> Result<Self::Edit<'a>>;

    /// Removes a key: true if it was there and had not expired.
    fn remove(&mut self, key: &[u8]) -> Result<bool>;

    /// Frees some of what has expired. It is called before each command that may write.
    fn reclaim(&mut self) -> Result<()>;
}
