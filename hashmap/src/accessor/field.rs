//! One field of a hash: a field of a record, or an entry of a map.

use std::fmt;
use std::marker::PhantomData;
use std::time::{Duration, SystemTime};

use crate::accessor::hash_key::HashKey;
use crate::command::Command;
use crate::command::changes::{Changes, Guard, Name};
use crate::command::named_field::NamedField;
use crate::command::redis::{
    hdel, hexists, hget, hincrby, hpersist, hpexpire, hpexpireat, hpttl, hsetnx, write_field, write_field_if,
};
use crate::command::reply::{Reply, applied, field_flag, field_ttl, flag, number};
use crate::command::ttl::{FieldTtl, Millis, Ttl, millis_since_epoch};
use crate::error::Error;
use crate::format::storage::{Bincode, Counts, Expires, Format, FormatOf};
use crate::run::Executor;
use crate::run::subject::OneField;

/// One field of a record, or one entry of a map: what the accessor's method for it hands out.
///
/// `T` is the type in the field; for an `Option<T>` field the `T` in it. `F` says how it is stored, what stands for it
/// where it is absent, and whether it expires.
///
/// ```
/// use redis_hashmap::RedisHash;
///
/// #[derive(RedisHash)]
/// struct UserSettings {
///     theme: String,
///     #[redis_hash(default = 14)]
///     font_size: u8,
/// }
/// # let mut con = redis_hashmap_tests::connection()?;
/// # let key = redis_hashmap_tests::key();
///
/// let settings = UserSettings::at(&*key).on(&mut con);
/// assert!(settings.theme().set("dark")?);                        // HSET key theme …: true, the field is new
/// assert_eq!(settings.theme().get()?.as_deref(), Some("dark"));  // HGET key theme
/// assert_eq!(settings.font_size().get()?, 14);                   // HGET key font_size: its default
/// assert!(settings.theme().exists()?);                           // HEXISTS key theme
///
/// assert!(!settings.theme().set_if_absent("light")?);            // HSETNX key theme …: false, it is there
/// assert!(settings.theme().compare_and_set("dark", "light")?);   // HMGET, then a script
/// assert_eq!(settings.font_size().update(|size| *size += 2)?, 16); // HMGET, then a script
/// assert_eq!(settings.theme().take()?.as_deref(), Some("light")); // a script: read and removed
/// assert!(!settings.theme().delete()?);                          // HDEL key theme: false, it was not there
/// # settings.clear()?;
/// # Ok::<(), redis_hashmap_tests::AnyError>(())
/// ```
///
/// Each operation is one step for every other client. Where the record declares a time to live, each write renews it, by
/// a script that calls the same command and `PEXPIRE`; where it is sliding, so does each read of a value.
#[must_use = "a field does nothing by itself: call `get`, `set`, `delete` or `exists`"]
pub struct Field<'a, E, T, F = Bincode> {
    pub(crate) hash: &'a HashKey<E>,
    name: Name,
    default: Option<fn() -> T>,
    /// What a write does to its time to live, or why that cannot be done.
    ttl: Result<FieldTtl, Error>,
    format: PhantomData<F>,
}

impl<'a, E, T, F> Field<'a, E, T, F> {
    /// A field of a record.
    #[inline]
    pub(crate) fn declared(hash: &'a HashKey<E>, field: &NamedField<T, F>) -> Self {
        let (name, ttl) = (field.name().into(), Ok(field.ttl()));
        Self { hash, name, default: field.default(), ttl, format: PhantomData }
    }

    /// An entry of a map.
    #[inline]
    pub(crate) fn entry(hash: &'a HashKey<E>, name: String) -> Self {
        Self { hash, name: name.into(), default: None, ttl: Ok(FieldTtl::Unlimited), format: PhantomData }
    }

    /// The name of the field in Redis.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the field with `ttl` in place of its declared time to live. The next write expires after it.
    ///
    /// ```
    /// use std::time::Duration;
    /// use redis_hashmap::HashMap;
    /// # let mut con = redis_hashmap::open("memory:")?; // Redis 7 has no expiry of fields
    ///
    /// let codes = HashMap::<u64, String>::typed("codes").on(&mut con);
    /// let minute = Duration::from_secs(60);
    /// assert!(codes.entry(&42).with_ttl(minute).set_if_absent("sesame")?);                          // a script: HSETEX
    /// codes.entry(&43).with_ttl(minute).get_or_insert_with(|| "open".to_owned())?;
    /// # assert!(codes.entry(&42).ttl()?.remaining().is_some() && codes.entry(&43).ttl()?.remaining().is_some());
    /// # Ok::<(), redis_hashmap_tests::AnyError>(())
    /// ```
    ///
    /// A `ttl` of zero, or beyond 1,114 years, is an error of the operation that follows.
    pub fn with_ttl(mut self, ttl: Duration) -> Self
    where
        F: Expires,
    {
        self.ttl = Millis::from_duration(ttl, || self.hash.target.place(Some(&self.name))).map(FieldTtl::Limited);
        self
    }

    /// The field by itself, for an operation of several steps.
    pub(crate) fn owned(&self) -> OneField<T, F> {
        let Self { name, default, ttl, .. } = self;
        OneField {
            target: self.hash.target.clone(),
            name: name.clone(),
            default: *default,
            ttl: ttl.clone(),
            format: PhantomData,
        }
    }

    /// The change of the field to a value.
    #[inline]
    fn change<Q: ?Sized>(self, value: &Q) -> Result<Changes, Error>
    where
        F: FormatOf<T, Q>,
    {
        let mut changes = self.hash.target.changes(1, 0)?;
        changes.set::<T, F, Q>(self.name, value, self.ttl?)?;
        Ok(changes)
    }
}

impl<'a, E: Executor, T, F: Format<T>> Field<'a, E, T, F> {
    /// Reads the field: `None` where it is absent, or its declared default.
    ///
    /// `HGET`, O(1).
    ///
    /// # Errors
    ///
    /// [`WrongType`](crate::Error::WrongType) or [`OtherShape`](crate::Error::OtherShape) if something else is stored,
    /// [`Foreign`](crate::Error::Foreign) or [`Damaged`](crate::Error::Damaged) if no value of this library is.
    pub fn get(self) -> E::Output<'a, F::Get> {
        let Self { hash, name, default, .. } = self;
        let command = Command::or(hget(&hash.target, name), read::<T, F>, F::absent(default));
        hash.executor.execute(command)
    }
}

impl<'a, E: Executor, T, F> Field<'a, E, T, F> {
    /// Stores a value: true if the field is new, false if it was overwritten.
    ///
    /// `HSET`, O(1); where the field has a declared time to live, a script with `HSETEX`, which renews it. It takes the
    /// field's type, or what is stored as one: `"dark"` for a `String`, a slice for a `Vec`.
    ///
    /// # Errors
    ///
    /// [`Refused`](crate::Error::Refused) or [`TooLarge`](crate::Error::TooLarge) if the value cannot be stored; then
    /// nothing is sent. [`Unsupported`](crate::Error::Unsupported) if the field expires and the server cannot do that;
    /// then nothing is written.
    pub fn set<Q: ?Sized>(self, value: &Q) -> E::Output<'a, bool>
    where
        F: FormatOf<T, Q>,
    {
        let hash = self.hash;
        let request = self.change(value).and_then(|change| write_field(&hash.target, "set", change));
        hash.run(request, flag)
    }

    /// Stores a value if the field is absent: true if it was stored.
    ///
    /// `HSETNX`, O(1); with a declared time to live, a script.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    pub fn set_if_absent<Q: ?Sized>(self, value: &Q) -> E::Output<'a, bool>
    where
        F: FormatOf<T, Q>,
    {
        let hash = self.hash;
        let is_plain = matches!(self.ttl, Ok(FieldTtl::Unlimited)) && hash.target.expiry.on_write.is_none();
        let change = self.change(value);
        if is_plain {
            return hash.run(change.map(hsetnx), flag);
        }
        let write = |change| write_field_if(&hash.target, "set_if_absent", change, Guard::Absent);
        hash.run(change.and_then(write), applied)
    }

    /// Overwrites the field, if it is there: true if it was stored.
    ///
    /// A script with `HGET` and `HSET`, O(1).
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    pub fn set_if_present<Q: ?Sized>(self, value: &Q) -> E::Output<'a, bool>
    where
        F: FormatOf<T, Q>,
    {
        let hash = self.hash;
        let write = |change| write_field_if(&hash.target, "set_if_present", change, Guard::Present);
        hash.run(self.change(value).and_then(write), applied)
    }

    /// Removes the field: true if it was there.
    ///
    /// `HDEL`, O(1).
    pub fn delete(self) -> E::Output<'a, bool> {
        self.hash.run(hdel(&self.hash.target, self.name), flag)
    }

    /// True if the field is stored. A default does not count.
    ///
    /// `HEXISTS`, O(1).
    pub fn exists(self) -> E::Output<'a, bool> {
        self.hash.run(hexists(&self.hash.target, self.name), flag)
    }

    /// Adds to a counter and returns the sum; an absent one counts from 0.
    ///
    /// `HINCRBY`, O(1). Where the counter has a declared time to live, a script that gives it to one that has none; one
    /// that has a time keeps it, so that it counts what happens within it.
    ///
    /// # Errors
    ///
    /// [`Overflow`](crate::Error::Overflow) if the sum is no `i64`, [`NotACounter`](crate::Error::NotACounter) if
    /// something else is stored; both leave it as it is.
    pub fn increment(self, by: i64) -> E::Output<'a, i64>
    where
        F: Counts,
    {
        let Self { hash, name, ttl, .. } = self;
        hash.run(ttl.and_then(|ttl| hincrby(&hash.target, name, by, ttl)), number)
    }

    /// Stores a value that expires after `ttl`: true if the field is new.
    ///
    /// A script with `HSETEX`, O(1).
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set), and [`Expiry`](crate::Error::Expiry) if `ttl` is zero or beyond 1,114 years.
    pub fn set_with_ttl<Q: ?Sized>(self, value: &Q, ttl: Duration) -> E::Output<'a, bool>
    where
        F: FormatOf<T, Q> + Expires,
    {
        self.with_ttl(ttl).set(value)
    }

    /// When the field expires.
    ///
    /// `HPTTL`, O(1).
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::Error::Unsupported) if fields do not expire on the server.
    pub fn ttl(self) -> E::Output<'a, Ttl>
    where
        F: Expires,
    {
        self.hash.run(hpttl(&self.hash.target, self.name), field_ttl)
    }

    /// Has the field expire after `ttl`: false if it is absent. The next `set` replaces the time with the declared one.
    ///
    /// `HPEXPIRE`, O(1).
    ///
    /// # Errors
    ///
    /// [`Expiry`](crate::Error::Expiry) if `ttl` is zero or beyond 1,114 years, and [`Unsupported`](crate::Error::Unsupported)
    /// if fields do not expire on the server.
    pub fn expire_in(self, ttl: Duration) -> E::Output<'a, bool>
    where
        F: Expires,
    {
        let Self { hash, name, .. } = self;
        let millis = Millis::from_duration(ttl, || hash.target.place(Some(&name)));
        let request = millis.and_then(|millis| hpexpire(&hash.target, name, millis));
        hash.run(request, field_flag)
    }

    /// Has the field expire at a point in time: false if it is absent. A time that has passed removes it at once.
    ///
    /// `HPEXPIREAT`, O(1).
    ///
    /// # Errors
    ///
    /// As [`expire_in`](Self::expire_in).
    pub fn expire_at(self, at: SystemTime) -> E::Output<'a, bool>
    where
        F: Expires,
    {
        let Self { hash, name, .. } = self;
        let millis = millis_since_epoch(at, || hash.target.place(Some(&name)));
        let request = millis.and_then(|millis| hpexpireat(&hash.target, name, millis));
        hash.run(request, field_flag)
    }

    /// Has the field stay: true if it would have expired.
    ///
    /// `HPERSIST`, O(1).
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::Error::Unsupported) if fields do not expire on the server.
    pub fn persist(self) -> E::Output<'a, bool>
    where
        F: Expires,
    {
        self.hash.run(hpersist(&self.hash.target, self.name), field_flag)
    }
}

impl<E, T, F> fmt::Debug for Field<'_, E, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({:?} of {:?})", self.name, self.hash.target.key)
    }
}

/// A value that was read, or what stands for it where it is absent.
fn read<T, F: Format<T>>(reply: Reply<'_>, absent: Option<fn() -> F::Get>) -> Result<F::Get, Error> {
    let request = reply.request();
    match (reply.bytes()?, absent) {
        (Some(stored), _) => F::decode(&stored).map(F::found).map_err(|fault| Error::at(fault, request.place())),
        (None, Some(absent)) => Ok(absent()),
        (None, None) => Err(Error::MissingField { place: request.place() }),
    }
}
