//! Targets: the hash that operations go to, with its key, limits and expiry.

use std::sync::Arc;

use crate::command::changes::Changes;
use crate::command::key::Key;
use crate::command::ttl::Expiry;
use crate::error::{Error, Place};

/// The default limit on the size of a written value, in bytes: 64 MiB.
const VALUE_LIMIT: usize = 64 << 20;

/// The default limit on the attempts of an operation of several steps.
const ATTEMPT_LIMIT: u32 = 64;

/// A hash in Redis, with the settings of its accessor.
#[derive(Debug, Clone)]
pub struct Target {
    pub(crate) key: Key,
    /// The limit on the size of a written value, in bytes.
    pub(crate) value_limit: usize,
    /// The limit on the attempts of an operation of several steps.
    pub(crate) attempt_limit: u32,
    pub(crate) expiry: Expiry,
}

impl Target {
    pub(crate) fn new(key: Key, expiry: Expiry) -> Self {
        Self { key, value_limit: VALUE_LIMIT, attempt_limit: ATTEMPT_LIMIT, expiry }
    }

    /// Returns the key, or why nothing can be sent to it.
    #[inline]
    pub(crate) fn key(&self) -> Result<&Arc<str>, Error> {
        self.key.check()
    }

    /// Names the hash or one of its fields, for an error before anything is sent.
    pub(crate) fn place(&self, field: Option<&str>) -> Place {
        Place::new(self.key().map_or("", |key| key), field)
    }

    /// Makes empty changes, with room for about this many fields and bytes.
    #[inline]
    pub(crate) fn changes(&self, fields: usize, bytes: usize) -> Result<Changes, Error> {
        Ok(Changes::new(Arc::clone(self.key()?), self.value_limit, fields, bytes))
    }
}
