//! The key of a hash as a whole: what records and maps have in common.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::command::Command;
use crate::command::Read;
use crate::command::redis::{del, hlen, persist, pexpire, pexpireat, pttl};
use crate::command::reply::{count, flag, ttl};
use crate::command::request::Request;
use crate::command::target::Target;
use crate::command::ttl::{Millis, Ttl, millis_since_epoch};
use crate::error::Error;
use crate::run::{Deferred, Executor};

/// The key of a hash, and the operations on it that records and maps have in common. Both dereference to it.
///
/// ```
/// use std::time::Duration;
/// use redis_hashmap::HashMap;
/// # let con = redis_hashmap_tests::connection()?;
/// # let key = redis_hashmap_tests::key();
///
/// let settings = HashMap::new(&*key).on(con);
/// settings.set("theme", "dark")?;                                   // HSET key theme …
/// assert_eq!(settings.size()?, 1);                                  // HLEN key
/// assert!(settings.expire_in(Duration::from_secs(60))?);            // PEXPIRE key 60000
/// assert!(settings.ttl()?.remaining().is_some());                   // PTTL key
/// assert!(settings.clear()?);                                       // DEL key
/// # Ok::<(), redis_hashmap_tests::AnyError>(())
/// ```
#[derive(Clone)]
pub struct HashKey<E = Deferred> {
    pub(crate) target: Target,
    pub(crate) executor: E,
}

impl<E> HashKey<E> {
    /// Sets how large a value this accessor stores, in bytes. The default is 64 MiB. What is read is not limited.
    ///
    /// A Redis server takes at most 512 MB (`proto-max-bulk-len`), and closes the connection on more.
    pub fn set_value_limit(&mut self, bytes: usize) {
        self.target.value_limit = bytes;
    }

    /// Sets how often `update` and its kin try, where others change what they have read. The default is 64 times.
    ///
    /// The second attempt is made at once, each later one after a random pause that grows, up to 250 ms or 64 times what
    /// an attempt takes, where there is a timer (in async code that is tokio's, which has to be enabled).
    pub fn set_attempt_limit(&mut self, attempts: u32) {
        self.target.attempt_limit = attempts;
    }

    /// The Redis key. It is empty if it was made with an empty id.
    #[must_use]
    pub fn key(&self) -> &str {
        self.target.key().map_or("", |key| key)
    }
}

impl<E: Executor> HashKey<E> {
    #[inline]
    pub(crate) fn run<T: Send + 'static>(&self, request: Result<Request, Error>, read: Read<T>) -> E::Output<'_, T> {
        self.executor.execute(Command::new(request, read))
    }

    /// The number of stored fields, those that a struct does not have included.
    ///
    /// `HLEN`, O(1).
    pub fn size(&self) -> E::Output<'_, u64> {
        self.run(hlen(&self.target), count)
    }

    /// Removes the key with all its fields: true if there was something, of whatever Redis type.
    ///
    /// `DEL`, O(number of fields).
    pub fn clear(&self) -> E::Output<'_, bool> {
        self.run(del(&self.target), flag)
    }

    /// When the hash as a whole expires.
    ///
    /// `PTTL`, O(1). It does not count as a read of a sliding record. To ask for one field: `ttl` of a
    /// [`Field`](crate::Field).
    pub fn ttl(&self) -> E::Output<'_, Ttl> {
        self.run(pttl(&self.target), ttl)
    }

    /// Has the hash as a whole expire after `ttl`: false if there is none. The next write of a record that declares a
    /// time to live replaces it; other writes leave it unchanged.
    ///
    /// `PEXPIRE`, O(1).
    ///
    /// # Errors
    ///
    /// [`Expiry`](Error::Expiry) if `ttl` is zero or beyond 1,114 years; then nothing is sent.
    pub fn expire_in(&self, ttl: Duration) -> E::Output<'_, bool> {
        let millis = Millis::from_duration(ttl, || self.target.place(None));
        self.run(millis.and_then(|millis| pexpire(&self.target, millis)), flag)
    }

    /// Has the hash as a whole expire at a point in time: false if there is none. A time that has passed removes it at
    /// once.
    ///
    /// `PEXPIREAT`, O(1).
    ///
    /// # Errors
    ///
    /// As [`expire_in`](Self::expire_in).
    pub fn expire_at(&self, at: SystemTime) -> E::Output<'_, bool> {
        let millis = millis_since_epoch(at, || self.target.place(None));
        self.run(millis.and_then(|millis| pexpireat(&self.target, millis)), flag)
    }

    /// Has the hash as a whole stay: true if it would have expired. A time to live that a record declares is back with
    /// the next write.
    ///
    /// `PERSIST`, O(1).
    pub fn persist(&self) -> E::Output<'_, bool> {
        self.run(persist(&self.target), flag)
    }
}

impl<E: fmt::Debug> fmt::Debug for HashKey<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HashKey({:?}, {:?})", self.target.key, self.executor)
    }
}
