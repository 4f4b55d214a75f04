use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::{Error, Place};

/// The latest time at which something expires, in milliseconds since 1970: what Redis 8.0 takes for fields.
const LATEST: u64 = (1 << 46) - 1;

/// The longest time to live, in milliseconds: half of that, so that there is room for the years that have passed.
pub(crate) const MAX_TTL: u64 = 1 << 45;

/// When something in Redis expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ttl {
    /// Nothing is stored.
    Absent,
    /// It stays until it is removed.
    Persistent,
    /// It expires after this time. Redis counts in milliseconds.
    Remaining(Duration),
}

impl Ttl {
    /// The time that remains, if something is stored and expires.
    #[must_use]
    pub fn remaining(self) -> Option<Duration> {
        if let Self::Remaining(duration) = self { Some(duration) } else { None }
    }

    /// Of what TTL commands answer.
    pub(crate) fn from_reply(millis: i64) -> Option<Self> {
        match millis {
            -2 => Some(Self::Absent),
            -1 => Some(Self::Persistent),
            millis => Some(Self::Remaining(Duration::from_millis(u64::try_from(millis).ok()?))),
        }
    }
}

/// What a record declares about its expiry.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Expiry {
    /// Milliseconds that each write gives the record; 0: writes leave it as it is.
    pub(crate) on_write: u64,
    /// The same for reads.
    pub(crate) on_read: u64,
}

impl Expiry {
    /// What the attributes `ttl` and `sliding` say.
    pub(crate) fn declared(ttl: Option<Duration>, sliding: bool) -> Self {
        let ttl = ttl.map_or(0, declared_millis);
        Self { on_write: ttl, on_read: if sliding { ttl } else { 0 } }
    }
}

/// The derive has checked the literal.
pub(crate) fn declared_millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(MAX_TTL).clamp(1, MAX_TTL)
}

/// A time to live in milliseconds, rounded up.
pub(crate) fn millis(ttl: Duration, place: impl FnOnce() -> Place) -> Result<u64, Error> {
    let millis = ttl.as_nanos().div_ceil(1_000_000);
    match u64::try_from(millis) {
        Ok(millis @ 1..=MAX_TTL) => Ok(millis),
        Ok(0) => Err(Error::Expiry { place: place(), problem: "a time to live of zero; to remove it, delete it" }),
        _ => Err(Error::Expiry { place: place(), problem: "a time to live longer than 2^45 ms (1,114 years)" }),
    }
}

/// A point in time in milliseconds since 1970.
pub(crate) fn millis_since_epoch(at: SystemTime, place: impl FnOnce() -> Place) -> Result<u64, Error> {
    let problem = match at.duration_since(UNIX_EPOCH).map(|since| u64::try_from(since.as_millis())) {
        Ok(Ok(millis @ 1..=LATEST)) => return Ok(millis),
        Ok(_) => "a time after the year 4199, or at the very start of 1970",
        Err(_) => "a time before 1970",
    };
    Err(Error::Expiry { place: place(), problem })
}
