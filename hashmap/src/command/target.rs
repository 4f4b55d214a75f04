//! A hash that operations go to: its key, its limits and its expiry.

use std::sync::Arc;

use crate::command::changes::Changes;
use crate::command::key::Key;
use crate::command::ttl::Expiry;
use crate::error::{Error, Place};

/// The default of the longest value that is written, in bytes: 64 MiB.
const VALUE_LIMIT: usize = 64 << 20;

/// The default of how often an operation of several steps tries.
const ATTEMPT_LIMIT: u32 = 64;

/// A hash in Redis, and what its accessor says of it.
#[derive(Debug, Clone)]
pub struct Target {
    pub(crate) key: Key,
    /// How large a value may be that is written, in bytes.
    pub(crate) value_limit: usize,
    /// How often an operation of several steps tries.
    pub(crate) attempt_limit: u32,
    pub(crate) expiry: Expiry,
}

impl Target {
    pub(crate) fn new(key: Key, expiry: Expiry) -> Self {
        Self { key, value_limit: VALUE_LIMIT, attempt_limit: ATTEMPT_LIMIT, expiry }
    }

    /// The key, or why nothing can be sent to it.
    #[inline]
    pub(crate) fn key(&self) -> Result<&Arc<str>, Error> {
        self.key.check()
    }

    /// The hash, or one of its fields, for an error of what is not sent.
    pub(crate) fn place(&self, field: Option<&str>) -> Place {
        Place::new(self.key().map_or("", |key| key), field)
    }

    /// Changes of about so many fields and bytes.
    #[inline]
    pub(crate) fn changes(&self, fields: usize, bytes: usize) -> Result<Changes, Error> {
        Ok(Changes::new(Arc::clone(self.key()?), self.value_limit, fields, bytes))
    }
}
