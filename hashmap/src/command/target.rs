//! Targets: the hash that operations go to, with its key, limits and expiry.

use std::sync::Arc;
use std::time::Duration;

use crate::command::changes::Changes;
use crate::command::key::Key;
use crate::command::ttl::{Expiry, Millis};
use crate::error::Error;
use crate::error::place::Place;

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
    /// What is wrong with a time to live that was given in code: each operation reports it.
    refused: Option<Box<Error>>,
}

impl Target {
    pub(crate) fn new(key: Key, expiry: Expiry) -> Self {
        Self { key, value_limit: VALUE_LIMIT, attempt_limit: ATTEMPT_LIMIT, expiry, refused: None }
    }

    /// Gives the hash this time to live on each write, and on each read if one is declared for reads.
    pub(crate) fn with_ttl(mut self, ttl: Duration) -> Self {
        match Millis::from_duration(ttl, || self.place(None)) {
            Ok(millis) => {
                let on_read = self.expiry.on_read.map(|_| millis);
                self.expiry = Expiry { on_write: Some(millis), on_read };
                self.refused = None;
            }
            Err(error) => self.refused = Some(Box::new(error)),
        }
        self
    }

    /// Returns the key, or why nothing can be sent to it.
    #[inline]
    pub(crate) fn key(&self) -> Result<&Arc<str>, Error> {
        match &self.refused {
            None => self.key.check(),
            Some(error) => Err((**error).clone()),
        }
    }

    /// Names the hash or one of its fields, for an error before anything is sent.
    pub(crate) fn place(&self, field: Option<&str>) -> Place {
        Place::new(self.key.check().map_or("", |key| key), field)
    }

    /// Makes empty changes, with room for about this many fields and bytes.
    #[inline]
    pub(crate) fn changes(&self, fields: usize, bytes: usize) -> Result<Changes, Error> {
        Ok(Changes::new(Arc::clone(self.key()?), self.value_limit, fields, bytes))
    }
}
