//! The key of a hash as a whole: what records and maps have in common.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::command::Command;
use crate::command::Read;
use crate::command::redis::{del, hdel_raw, hkeys, hlen, persist, pexpire, pexpireat, pttl};
use crate::command::reply::{count, flag, raw_names, ttl};
use crate::command::request::Request;
use crate::command::target::Target;
use crate::command::ttl::{Millis, Ttl, millis_since_epoch};
use crate::error::Error;
use crate::run::wait::wait;
use crate::run::{Alone, Deferred, Executor};

/// The key of a hash, with the operations that records and maps have in common.
///
/// [`Record`](crate::Record) and [`HashMap`](crate::HashMap) dereference to it.
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
    /// Sets the size of the largest value that this accessor stores, in bytes. The default is 64 MiB.
    ///
    /// What is read is not limited. A Redis server takes at most 512 MB (`proto-max-bulk-len`), and closes the
    /// connection on more.
    pub fn set_value_limit(&mut self, bytes: usize) {
        self.target.value_limit = bytes;
    }

    /// Sets how many attempts `update` and its kin make while others change what they have read. The default is 64.
    ///
    /// There is always a first attempt. The second one follows at once, each later one after a random pause. The pauses
    /// grow, up to 250 ms or 64 times what an attempt takes, whichever is longer. In async code they need tokio's
    /// timer, which has to be enabled on the runtime; outside of tokio there are no pauses.
    pub fn set_attempt_limit(&mut self, attempts: u32) {
        self.target.attempt_limit = attempts;
    }

    /// Returns the Redis key. It is empty if it was made with an empty id.
    #[must_use]
    pub fn key(&self) -> &str {
        self.target.key.check().map_or("", |key| key)
    }
}

impl<E: Executor> HashKey<E> {
    #[inline]
    pub(crate) fn run<T: Send + 'static>(&self, request: Result<Request, Error>, read: Read<T>) -> E::Output<'_, T> {
        self.executor.execute(Command::new(request, read))
    }

    /// Returns the number of stored fields, including those that a record's struct does not have.
    ///
    /// `HLEN`, O(1). A server still counts a field that has expired until it has removed it, soon after; memory and files do
    /// not.
    pub fn size(&self) -> E::Output<'_, u64> {
        self.run(hlen(&self.target), count)
    }

    /// Returns the names of all stored fields as bytes, in no particular order.
    ///
    /// `HKEYS`, O(number of fields). Other programs can give a field a name that is not UTF-8: `get_fields` reports it, and
    /// this returns it.
    pub fn get_fields_raw(&self) -> E::Output<'_, Vec<Vec<u8>>> {
        self.run(hkeys(&self.target), raw_names)
    }

    /// Removes a field by its name in bytes: true if it was there.
    ///
    /// `HDEL`, O(1).
    ///
    /// ```
    /// use redis_hashmap::{Error, HashMap};
    /// # let mut con = redis_hashmap_tests::connection()?;
    /// # let key = redis_hashmap_tests::key();
    ///
    /// redis::cmd("HSET").arg(&*key).arg(b"\xff").arg("x").exec(&mut con)?;    // another program
    /// let map = HashMap::new(&*key).on(con);
    /// let Err(Error::FieldName { place, .. }) = map.get_fields() else { panic!("it is not a `String`") };
    /// assert!(place.to_string().starts_with(r#"field b"\xff" of hash"#));
    /// assert!(map.delete_raw(place.field_bytes().unwrap_or_default())?);
    /// assert_eq!(map.get_fields()?.len(), 0);
    /// # Ok::<(), redis_hashmap_tests::AnyError>(())
    /// ```
    pub fn delete_raw(&self, field: &[u8]) -> E::Output<'_, bool> {
        self.run(hdel_raw(&self.target, field), flag)
    }

    /// Removes the key with all its fields. Returns true if the key existed, whatever its Redis type.
    ///
    /// `DEL`, O(number of fields).
    pub fn clear(&self) -> E::Output<'_, bool> {
        self.run(del(&self.target), flag)
    }

    /// Returns the remaining time to live of the hash as a whole.
    ///
    /// `PTTL`, O(1). It does not renew a sliding record. [`Field::ttl`](crate::Field::ttl) returns that of one field.
    pub fn ttl(&self) -> E::Output<'_, Ttl> {
        self.run(pttl(&self.target), ttl)
    }

    /// Makes the hash as a whole expire after `ttl`. Returns false if the key does not exist.
    ///
    /// `PEXPIRE`, O(1). Where a record declares a time to live, its next write replaces `ttl`, and its next read of a
    /// value does if it is sliding. Other writes leave the time to live of the hash unchanged.
    ///
    /// # Errors
    ///
    /// [`Expiry`](Error::Expiry) if `ttl` is zero or beyond 1,114 years; then nothing is sent.
    pub fn expire_in(&self, ttl: Duration) -> E::Output<'_, bool> {
        let millis = Millis::from_duration(ttl, || self.target.place(None));
        self.run(millis.and_then(|millis| pexpire(&self.target, millis)), flag)
    }

    /// Makes the hash as a whole expire at a point in time. Returns false if the key does not exist.
    ///
    /// `PEXPIREAT`, O(1). A point in time that has passed removes the hash at once.
    ///
    /// # Errors
    ///
    /// [`Expiry`](Error::Expiry) if `at` is not after the start of 1970, or is after the year 4199; then nothing is
    /// sent.
    pub fn expire_at(&self, at: SystemTime) -> E::Output<'_, bool> {
        let millis = millis_since_epoch(at, || self.target.place(None));
        self.run(millis.and_then(|millis| pexpireat(&self.target, millis)), flag)
    }

    /// Ends the time to live of the hash as a whole, so that the hash stays. Returns true if it had one.
    ///
    /// `PERSIST`, O(1). Where a record declares a time to live, its next write gives it anew, and its next read of a
    /// value does if it is sliding.
    pub fn persist(&self) -> E::Output<'_, bool> {
        self.run(persist(&self.target), flag)
    }
}

impl<E: Executor> HashKey<E> {
    /// Waits until so many replicas have everything that this connection has written, or until the time is over. Returns how
    /// many have it, which can be fewer or more.
    ///
    /// Redis replicates asynchronously: what it has acknowledged is lost if the master fails before a replica has it.
    /// `WAIT`, which makes the connection wait, so that it has to be one that nobody else uses: `on(con)` or
    /// `on_exclusive(&mut con)`. The time is rounded up to milliseconds, and should be less than the connection's
    /// `response_timeout`. Even where enough replicas have it, a failover that chooses another one loses it.
    ///
    /// In a cluster, the masters are asked that this connection has written to, and the least of their answers counts. The
    /// store in memory or in a file has no replicas, and answers 0.
    ///
    /// ```
    /// use std::time::Duration;
    /// use redis_hashmap::HashMap;
    /// # let con = redis_hashmap_tests::connection()?;
    /// # let key = redis_hashmap_tests::key();
    ///
    /// let orders = HashMap::new(&*key).on(con);
    /// orders.set("42", "paid")?;
    /// let replicas = orders.wait(0, Duration::from_millis(100))?;      // WAIT 0 100
    /// println!("{replicas} replicas have it");
    /// # orders.clear()?;
    /// # Ok::<(), redis_hashmap_tests::AnyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`Redis`](Error::Redis), also where a connection of [`open`](fn@crate::open) was lost since the write: a new
    /// one has written nothing, and Redis would answer for nothing.
    pub fn wait(&self, replicas: u32, timeout: Duration) -> E::Driven<'_, '_, Result<u64, Error>>
    where
        E: Alone,
    {
        let place = self.target.place(None);
        self.executor.drive(|mailbox| wait(mailbox, replicas, timeout, place))
    }
}

impl<E: fmt::Debug> fmt::Debug for HashKey<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HashKey({:?}, {:?})", self.target.key, self.executor)
    }
}
