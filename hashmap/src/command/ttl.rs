//! Times to live, of hashes and of fields.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::Error;
use crate::error::place::Place;

/// The latest point in time at which something can expire, in milliseconds since 1970. Redis 8.0 takes no later one for
/// fields.
const LATEST: u64 = (1 << 46) - 1;

/// The longest time to live, in milliseconds: half of [`LATEST`], to leave room for the years since 1970.
const MAX_TTL: u64 = 1 << 45;

/// The time to live of a hash or a field in Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ttl {
    /// The hash or field does not exist.
    Absent,
    /// It has no time to live, and stays until it is removed.
    Persistent,
    /// It expires after this time, which Redis counts in milliseconds.
    Remaining(Duration),
}

impl Ttl {
    /// Returns the remaining time, if the hash or field exists and expires.
    #[must_use]
    pub fn remaining(self) -> Option<Duration> {
        if let Self::Remaining(duration) = self { Some(duration) } else { None }
    }

    /// Reads the reply of a TTL command.
    pub(crate) fn from_reply(millis: i64) -> Option<Self> {
        match millis {
            -2 => Some(Self::Absent),
            -1 => Some(Self::Persistent),
            millis => Some(Self::Remaining(Duration::from_millis(u64::try_from(millis).ok()?))),
        }
    }
}

/// A time to live that a struct declares by an expression, in whole milliseconds. For generated code, which calls it when
/// it is compiled.
///
/// # Panics
///
/// If it is zero, or longer than a time to live can be.
#[must_use]
pub const fn declared_ttl(ttl: Duration) -> Duration {
    let millis = ttl.as_nanos().div_ceil(1_000_000);
    assert!(millis > 0, "a time to live cannot be zero: it is at least 1 ms");
    assert!(millis <= MAX_TTL as u128, "this time to live is too long: it is at most 2^45 ms (1,114 years)");
    #[expect(clippy::cast_possible_truncation, reason = "it is below 2^46")]
    Duration::from_millis(millis as u64)
}

/// A time to live, in milliseconds: between 1 and [`MAX_TTL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Millis(u64);

impl Millis {
    /// A declared time to live, which the derive has checked already.
    pub(crate) fn declared(ttl: Duration) -> Self {
        Self(u64::try_from(ttl.as_millis()).unwrap_or(MAX_TTL).clamp(1, MAX_TTL))
    }

    /// Rounds up, so that a short time to live does not become zero.
    pub(crate) fn from_duration(ttl: Duration, place: impl FnOnce() -> Place) -> Result<Self, Error> {
        let problem = match u64::try_from(ttl.as_nanos().div_ceil(1_000_000)) {
            Ok(millis @ 1..=MAX_TTL) => return Ok(Self(millis)),
            Ok(0) => "a time to live of zero; to remove it, delete it",
            _ => "a time to live longer than 2^45 ms (1,114 years)",
        };
        Err(Error::Expiry { place: place(), problem })
    }

    pub(crate) fn get(self) -> u64 {
        self.0
    }
}

/// What a write does to the time to live of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldTtl {
    /// The field stays until it is removed: `HSET` ends any time to live that it has.
    Unlimited,
    /// The field keeps the time to live that it has, if any. This works on servers that cannot expire fields, too.
    Keep,
    /// The field expires after this time.
    Limited(Millis),
}

impl FieldTtl {
    pub(crate) fn declared(ttl: Option<Duration>) -> Self {
        ttl.map_or(Self::Unlimited, |ttl| Self::Limited(Millis::declared(ttl)))
    }
}

/// What a record declares about its expiry.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Expiry {
    /// The time to live that each write gives the record, if any.
    pub(crate) on_write: Option<Millis>,
    /// The time to live that each read of a value gives the record, if any.
    pub(crate) on_read: Option<Millis>,
}

impl Expiry {
    /// The expiry that the attributes `ttl` and `sliding` declare.
    pub(crate) fn declared(ttl: Option<Duration>, sliding: bool) -> Self {
        let on_write = ttl.map(Millis::declared);
        Self { on_write, on_read: on_write.filter(|_| sliding) }
    }
}

/// Converts a point in time to milliseconds since 1970.
pub(crate) fn millis_since_epoch(at: SystemTime, place: impl FnOnce() -> Place) -> Result<u64, Error> {
    let problem = match at.duration_since(UNIX_EPOCH).map(|since| u64::try_from(since.as_millis())) {
        Ok(Ok(millis @ 1..=LATEST)) => return Ok(millis),
        Ok(_) => "a time after the year 4199, or at the very start of 1970",
        Err(_) => "a time before 1970",
    };
    Err(Error::Expiry { place: place(), problem })
}
