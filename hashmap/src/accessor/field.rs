//! One field of a hash: a field of a record, or an entry of a map.

use std::fmt;
use std::marker::PhantomData;
use std::time::{Duration, SystemTime};

use crate::accessor::hash_key::HashKey;
use crate::command::Command;
use crate::command::changes::{Changes, Guard};
use crate::command::name::Name;
use crate::command::named_field::NamedField;
use crate::command::redis::{
    hdel, hexists, hget, hincrby, hpersist, hpexpire, hpexpireat, hpttl, hsetnx, write_field, write_field_if,
};
use crate::command::reply::{Reply, applied, exists, field_flag, field_ttl, flag, number};
use crate::command::ttl::{FieldTtl, Millis, Ttl, millis_since_epoch};
use crate::error::Error;
use crate::format::given::ToStored;
use crate::format::storage::{Bincode, Counts, Expires, Format, FormatOf};
use crate::run::Executor;
use crate::run::subject::OneField;

/// One field of a record, or one entry of a map.
///
/// The method of a record's accessor that is named after the field returns it, and [`entry`](crate::HashMap::entry) of
/// a map does. `T` is the type of the value; for an `Option<T>` field it is the `T` inside. `F` says how the value is
/// stored, what stands for it where the field is absent, and whether the field can expire.
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
/// Each operation is one step for every other client. Those that read before they write, such as `update`, take two
/// round trips, and write only if the field is still as it was read.
///
/// Where the record declares a time to live, each write renews it: a script calls the command and `PEXPIRE`. Where the
/// record is sliding, each read of a value renews it too.
///
/// A field that declares aliases, its former names, is read by `HMGET` under the first name that is stored. A write is a script
/// that stores it under its own name and removes the aliases, `delete` is an `HDEL` of all names, and the operations on its
/// time to live name all of them.
#[must_use = "a field does nothing by itself: call `get`, `set`, `delete` or `exists`"]
pub struct Field<'a, E, T, F = Bincode> {
    pub(crate) hash: &'a HashKey<E>,
    name: Name,
    default: Option<fn() -> T>,
    /// What a write does to the field's time to live, or why the one that was asked for cannot be given.
    ttl: Result<FieldTtl, Error>,
    format: PhantomData<F>,
}

impl<'a, E, T, F> Field<'a, E, T, F> {
    /// A field of a record.
    #[inline]
    pub(crate) fn declared(hash: &'a HashKey<E>, field: &NamedField<T, F>) -> Self {
        let (name, ttl) = (field.names(), Ok(field.ttl()));
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

    /// Returns the field with `ttl` in place of its declared time to live.
    ///
    /// ```
    /// use std::time::Duration;
    /// use redis_hashmap::HashMap;
    /// # let mut con = redis_hashmap::open("memory:")?; // Redis 7 has no expiry of fields
    ///
    /// let codes = HashMap::<u64, String>::typed("codes").on(&mut con);
    /// let minute = Duration::from_secs(60);
    /// assert!(codes.entry(&42).with_ttl(minute).set_if_absent("sesame")?);                         // a script: HSETEX
    /// codes.entry(&43).with_ttl(minute).get_or_insert_with(|| "open".to_owned())?;
    /// # assert!(codes.entry(&42).ttl()?.remaining().is_some() && codes.entry(&43).ttl()?.remaining().is_some());
    /// # Ok::<(), redis_hashmap_tests::AnyError>(())
    /// ```
    ///
    /// The value that is written next expires after `ttl`; `increment` gives `ttl` only to a counter that has no time
    /// to live. A `ttl` of zero, or beyond 1,114 years, makes the write return [`Expiry`](crate::Error::Expiry).
    pub fn with_ttl(mut self, ttl: Duration) -> Self
    where
        F: Expires,
    {
        self.ttl = Millis::from_duration(ttl, || self.hash.target.place(Some(&self.name))).map(FieldTtl::Limited);
        self
    }

    /// The field without its accessor, for an operation of several steps, which can outlive it.
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

    /// The change that sets the field to a value.
    #[inline]
    #[expect(clippy::needless_pass_by_value, reason = "it may be a reference")]
    fn change<V: ToStored<T>>(self, value: V) -> Result<Changes, Error>
    where
        F: FormatOf<T, V::As>,
    {
        let mut changes = self.hash.target.changes(1, 0)?;
        changes.set::<T, F, V::As>(self.name, value.to_stored(), self.ttl?)?;
        Ok(changes)
    }
}

impl<'a, E: Executor, T, F: Format<T>> Field<'a, E, T, F> {
    /// Reads the field. Where it is absent, returns its declared default, or `None` if it declares none.
    ///
    /// `HGET`, O(1).
    ///
    /// # Errors
    ///
    /// - [`WrongType`](crate::Error::WrongType) or [`OtherShape`](crate::Error::OtherShape) if a value of another type
    ///   is stored;
    /// - [`Foreign`](crate::Error::Foreign) if another program wrote it, [`UnknownKind`](crate::Error::UnknownKind) if
    ///   a newer version of this library did, [`Damaged`](crate::Error::Damaged) if its bytes are damaged;
    /// - [`NotText`](crate::Error::NotText) from a text field and [`NotACounter`](crate::Error::NotACounter) from a
    ///   counter, if what is stored does not parse;
    /// - [`Unreadable`](crate::Error::Unreadable) if the type can never be read back, as with serde's `untagged`.
    pub fn get(self) -> E::Output<'a, F::Get> {
        let Self { hash, name, default, .. } = self;
        let command = Command::or(hget(&hash.target, name), read::<T, F>, F::absent(default));
        hash.executor.execute(command)
    }
}

impl<'a, E: Executor, T, F> Field<'a, E, T, F> {
    /// Stores a value. Returns true if the field is new, false if it was overwritten.
    ///
    /// `HSET`, O(1). Where the field declares a time to live, a script with `HSETEX`, which renews it. `value` is of
    /// the field's type, a reference to it, or a reference to what is stored exactly like it: `"dark"` for a `String`, a
    /// slice for a `Vec`.
    ///
    /// # Errors
    ///
    /// - [`Refused`](crate::Error::Refused) or [`TooLarge`](crate::Error::TooLarge) if the value cannot be stored, and
    ///   in debug builds [`Unreadable`](crate::Error::Unreadable) if it would not read back; then nothing is sent;
    /// - [`Unsupported`](crate::Error::Unsupported) if the field expires and the server cannot expire fields; then
    ///   nothing is written.
    pub fn set<V>(self, value: V) -> E::Output<'a, bool>
    where
        V: ToStored<T>,
        F: FormatOf<T, V::As>,
    {
        let hash = self.hash;
        let request = self.change(value).and_then(|change| write_field(&hash.target, "set", change));
        hash.run(request, flag)
    }

    /// Stores a value if the field is absent. Returns true if it was stored.
    ///
    /// `HSETNX`, O(1). Where the field or its record declares a time to live, a script.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`set`](Self::set).
    pub fn set_if_absent<V>(self, value: V) -> E::Output<'a, bool>
    where
        V: ToStored<T>,
        F: FormatOf<T, V::As>,
    {
        let hash = self.hash;
        let is_plain = matches!(self.ttl, Ok(FieldTtl::Unlimited))
            && hash.target.expiry.on_write.is_none()
            && self.name.aliases().is_empty();
        let change = self.change(value);
        if is_plain {
            return hash.run(change.map(hsetnx), flag);
        }
        let write = |change| write_field_if(&hash.target, "set_if_absent", change, Guard::Absent);
        hash.run(change.and_then(write), applied)
    }

    /// Stores a value if the field is present. Returns true if it was stored.
    ///
    /// A script with `HGET` and `HSET` (`HSETEX` where the field declares a time to live), O(1).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`set`](Self::set).
    pub fn set_if_present<V>(self, value: V) -> E::Output<'a, bool>
    where
        V: ToStored<T>,
        F: FormatOf<T, V::As>,
    {
        let hash = self.hash;
        let write = |change| write_field_if(&hash.target, "set_if_present", change, Guard::Present);
        hash.run(self.change(value).and_then(write), applied)
    }

    /// Removes the field. Returns true if it was stored.
    ///
    /// `HDEL`, O(1).
    pub fn delete(self) -> E::Output<'a, bool> {
        self.hash.run(hdel(&self.hash.target, self.name), flag)
    }

    /// Returns true if the field is stored. A default does not count.
    ///
    /// `HEXISTS`, O(1). `HMGET` where the field has aliases.
    pub fn exists(self) -> E::Output<'a, bool> {
        self.hash.run(hexists(&self.hash.target, self.name), exists)
    }

    /// Adds to a counter and returns the sum. An absent counter counts from 0.
    ///
    /// `HINCRBY`, O(1). Where the counter or its record declares a time to live, a script. It gives the declared time
    /// to live to a counter that has none. A counter that has one keeps it, so that it counts what happens within that
    /// time.
    ///
    /// # Errors
    ///
    /// - [`Overflow`](crate::Error::Overflow) if the sum does not fit into an `i64`, and
    ///   [`NotACounter`](crate::Error::NotACounter) if something else is stored; both leave the field unchanged;
    /// - [`Unsupported`](crate::Error::Unsupported) if the counter expires and the server cannot expire fields; then
    ///   nothing is written.
    pub fn increment(self, by: i64) -> E::Output<'a, i64>
    where
        F: Counts,
    {
        let Self { hash, name, ttl, .. } = self;
        hash.run(ttl.and_then(|ttl| hincrby(&hash.target, name, by, ttl)), number)
    }

    /// Stores a value that expires after `ttl`. Returns true if the field is new.
    ///
    /// A script with `HSETEX`, O(1).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`set`](Self::set), and [`Expiry`](crate::Error::Expiry) if `ttl` is zero or beyond 1,114
    /// years.
    pub fn set_with_ttl<V>(self, value: V, ttl: Duration) -> E::Output<'a, bool>
    where
        V: ToStored<T>,
        F: FormatOf<T, V::As> + Expires,
    {
        self.with_ttl(ttl).set(value)
    }

    /// Returns the field's remaining time to live.
    ///
    /// `HPTTL`, O(1).
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::Error::Unsupported) if the server cannot expire fields.
    pub fn ttl(self) -> E::Output<'a, Ttl>
    where
        F: Expires,
    {
        self.hash.run(hpttl(&self.hash.target, self.name), field_ttl)
    }

    /// Makes the field expire after `ttl`. Returns false if the field is absent.
    ///
    /// `HPEXPIRE`, O(1). The next `set` replaces `ttl` with the declared time to live, or ends it where none is
    /// declared.
    ///
    /// # Errors
    ///
    /// [`Expiry`](crate::Error::Expiry) if `ttl` is zero or beyond 1,114 years; then nothing is sent.
    /// [`Unsupported`](crate::Error::Unsupported) if the server cannot expire fields.
    pub fn expire_in(self, ttl: Duration) -> E::Output<'a, bool>
    where
        F: Expires,
    {
        let Self { hash, name, .. } = self;
        let millis = Millis::from_duration(ttl, || hash.target.place(Some(&name)));
        let request = millis.and_then(|millis| hpexpire(&hash.target, name, millis));
        hash.run(request, field_flag)
    }

    /// Makes the field expire at a point in time. Returns false if the field is absent.
    ///
    /// `HPEXPIREAT`, O(1). A point in time that has passed removes the field at once.
    ///
    /// # Errors
    ///
    /// [`Expiry`](crate::Error::Expiry) if `at` is not after the start of 1970, or is after the year 4199; then nothing
    /// is sent. [`Unsupported`](crate::Error::Unsupported) if the server cannot expire fields.
    pub fn expire_at(self, at: SystemTime) -> E::Output<'a, bool>
    where
        F: Expires,
    {
        let Self { hash, name, .. } = self;
        let millis = millis_since_epoch(at, || hash.target.place(Some(&name)));
        let request = millis.and_then(|millis| hpexpireat(&hash.target, name, millis));
        hash.run(request, field_flag)
    }

    /// Ends the field's time to live, so that the field stays. Returns true if it had one.
    ///
    /// `HPERSIST`, O(1).
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::Error::Unsupported) if the server cannot expire fields.
    pub fn persist(self) -> E::Output<'a, bool>
    where
        F: Expires,
    {
        self.hash.run(hpersist(&self.hash.target, self.name), field_flag)
    }
}

impl<E, T, F> fmt::Debug for Field<'_, E, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({:?} of {:?})", self.name(), self.hash.target.key)
    }
}

/// Decodes the value, or makes what stands for it where the field is absent.
fn read<T, F: Format<T>>(reply: Reply<'_>, absent: Option<fn() -> F::Get>) -> Result<F::Get, Error> {
    let request = reply.request();
    match (reply.field()?, absent) {
        (Some(stored), _) => request.decode::<T, F>(&stored).map(F::found),
        (None, Some(absent)) => Ok(absent()),
        (None, None) => Err(Error::MissingField { place: request.place() }),
    }
}
