use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::time::{Duration, SystemTime};

use crate::accessor::target::Hash;
use crate::command::changes::{FieldCodec, Guard};
use crate::command::ttl::{Ttl, millis};
use crate::error::Error;
use crate::format::storage::{Bincode, Counts, Expires, Format, FormatOf};
#[cfg(feature = "tokio-comp")]
use crate::run::steps::ReadOne;
use crate::run::steps::{GetOrInsert, One, Take, Update, WriteIf};
use crate::run::{Connected, Executor};

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
/// let mut settings = UserSettings::at(&*key).on(&mut con);
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
    hash: &'a mut Hash<E>,
    name: Cow<'static, str>,
    default: Option<fn() -> T>,
    /// Milliseconds, 0: it does not expire; or why it cannot be given them.
    ttl: Result<u64, Error>,
    format: PhantomData<F>,
}

impl<'a, E, T, F> Field<'a, E, T, F> {
    /// A field of a record.
    pub(crate) fn declared(hash: &'a mut Hash<E>, codec: &FieldCodec<T>) -> Self {
        Self { hash, name: codec.name.into(), default: codec.default, ttl: Ok(codec.ttl), format: PhantomData }
    }

    /// An entry of a map.
    pub(crate) fn entry(hash: &'a mut Hash<E>, name: String) -> Self {
        Self { hash, name: name.into(), default: None, ttl: Ok(0), format: PhantomData }
    }

    /// The name of the field in Redis.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same field, which whatever is written to it next has expire after `ttl`, instead of the declared time.
    ///
    /// ```
    /// use std::time::Duration;
    /// use redis_hashmap::HashMap;
    /// # let mut con = redis_hashmap::open("memory:")?; // Redis 7 has no expiry of fields
    ///
    /// let mut codes = HashMap::<u64, String>::typed("codes").on(&mut con);
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
        self.ttl = millis(ttl, || self.hash.place(Some(&self.name)));
        self
    }

    /// The same, free of the accessor, for an operation of several steps.
    fn one(&self) -> One<T, F> {
        let Self { name, default, ttl, .. } = self;
        One { hash: self.hash.on(()), name: name.clone(), default: *default, ttl: ttl.clone(), format: PhantomData }
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
        self.hash.get::<T, F>(&self.name, F::absent(self.default))
    }

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
        self.hash.set::<T, F, Q>(&self.name, value, self.ttl)
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
        self.hash.set_if::<T, F, Q>(&self.name, Guard::Absent, value, self.ttl)
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
        self.hash.set_if::<T, F, Q>(&self.name, Guard::Present, value, self.ttl)
    }

    /// Removes the field: true if it was there.
    ///
    /// `HDEL`, O(1).
    pub fn delete(self) -> E::Output<'a, bool> {
        self.hash.delete(&self.name)
    }

    /// True if the field is stored. A default does not count.
    ///
    /// `HEXISTS`, O(1).
    pub fn exists(self) -> E::Output<'a, bool> {
        self.hash.exists(&self.name)
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
        self.hash.increment(&self.name, by, self.ttl)
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
        self.hash.field_ttl(&self.name)
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
        self.hash.expire_field_in(&self.name, ttl)
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
        self.hash.expire_field_at(&self.name, at)
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
        self.hash.persist_field(&self.name)
    }
}

impl<'a, E, T, F> Field<'a, E, T, F>
where
    E: Executor,
    T: Send + 'static,
    F: Format<T> + FormatOf<T, T>,
{
    /// Reads the value, changes it, and stores it if the field is still what was read; else once more, up to the
    /// accessor's [limit of attempts](crate::Record::set_attempt_limit). Returns the new value.
    ///
    /// `HMGET`, then a script: two round trips, two more for each conflict. Where the field is absent and has no default,
    /// it is `None` and `change` is not called. A value that `change` leaves as it is is not written.
    ///
    /// `change` can be called several times. If it panics, nothing is written. A declared time to live is given anew; an
    /// entry of a map keeps the time that it has.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get) and [`set`](Self::set), and [`Conflict`](crate::Error::Conflict) if others changed the field
    /// in each attempt.
    pub fn update<'f, C>(self, mut change: C) -> E::Driven<'a, 'f, Result<F::Get, Error>>
    where
        E: Connected,
        C: FnMut(&mut T) + Send + 'f,
        'f: 'a,
        T: 'f,
        F: 'f,
    {
        self.try_update(move |value| {
            change(value);
            Ok(())
        })
    }

    /// The same with a `change` that can refuse: its error is returned, and nothing is written.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update), and what `change` returns.
    pub fn try_update<'f, C, X>(self, change: C) -> E::Driven<'a, 'f, Result<F::Get, X>>
    where
        E: Connected,
        C: FnMut(&mut T) -> Result<(), X> + Send + 'f,
        X: From<Error> + Send + 'f,
        'f: 'a,
        T: 'f,
        F: 'f,
    {
        let steps = Update::new(self.one(), change);
        self.hash.executor.drive(steps)
    }

    /// Reads the field and removes it: what [`get`](Self::get) would return.
    ///
    /// For a number, `bool`, `char` or `String` a script with `HGET` and `HDEL`, O(1), one round trip: its kind says that it
    /// can be read. For anything else `HMGET`, then a script that removes it if it still is what was read: two round trips, two
    /// more for each conflict, because only its reader can tell, and what cannot be read is not removed.
    ///
    /// If the answer does not arrive, the value can be gone: as with Redis's own `HGETDEL`.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), and [`Conflict`](crate::Error::Conflict) if others changed the field in each attempt.
    pub fn take<'f>(self) -> E::Driven<'a, 'f, Result<F::Get, Error>>
    where
        E: Connected,
        'f: 'a,
        T: 'f,
        F: 'f,
    {
        let steps = Take::new(self.one());
        self.hash.executor.drive(steps)
    }

    /// Stores `new` if the field holds `expected`: true if it was stored. An absent field holds its default, if it has
    /// one, and else equals nothing.
    ///
    /// `HMGET`, then a script: two round trips. The value is compared by `PartialEq` and guarded by its bytes, as the
    /// bytes of a `HashMap` have no fixed order.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get) and [`set`](Self::set), and [`Conflict`](crate::Error::Conflict) if others stored equal
    /// values in other bytes in each attempt.
    pub fn compare_and_set<'f, P, Q>(self, expected: &'f P, new: &Q) -> E::Driven<'a, 'f, Result<bool, Error>>
    where
        E: Connected,
        T: PartialEq<P> + 'f,
        P: Sync + ?Sized,
        Q: ?Sized,
        F: FormatOf<T, Q> + 'f,
        'f: 'a,
    {
        let new = self.hash.write_of(1, 0).and_then(|mut write| {
            write.set_field::<T, F, Q>(&self.name, new, self.one().changed_ttl()?)?;
            Ok(write)
        });
        let steps = WriteIf::new(self.one(), move |current: &T| *current == *expected, "compare_and_set", new);
        self.hash.executor.drive(steps)
    }

    /// Removes the field if its value is one to remove, and it still is what was read: true if it was removed.
    ///
    /// `HMGET`, then a script: two round trips, two more for each conflict. Where the field is absent, `judge` is not
    /// called.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), and [`Conflict`](crate::Error::Conflict) if others changed the field in each attempt.
    pub fn delete_if<'f, J>(self, judge: J) -> E::Driven<'a, 'f, Result<bool, Error>>
    where
        E: Connected,
        J: FnMut(&T) -> bool + Send + 'f,
        'f: 'a,
        T: 'f,
        F: 'f,
    {
        let write = self.hash.write_of(1, 0).map(|mut write| {
            write.remove(self.name.clone());
            write
        });
        let steps = WriteIf::new(One { default: None, ..self.one() }, judge, "delete_if", write);
        self.hash.executor.drive(steps)
    }

    /// Reads the value; where there is none, makes one and stores it, unless somebody else was faster: then theirs.
    ///
    /// `HMGET`; where the field is absent, a script too. A declared default does not count as a value.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get) and [`set`](Self::set).
    pub fn get_or_insert_with<'f, M>(self, make: M) -> E::Driven<'a, 'f, Result<T, Error>>
    where
        E: Connected,
        M: FnOnce() -> T + Send + 'f,
        'f: 'a,
        T: 'f,
        F: 'f,
    {
        self.get_or_try_insert_with(move || Ok(make()))
    }

    /// The same with a `make` that can fail: its error is returned, and nothing is written.
    ///
    /// # Errors
    ///
    /// As [`get_or_insert_with`](Self::get_or_insert_with), and what `make` returns.
    pub fn get_or_try_insert_with<'f, M, X>(self, make: M) -> E::Driven<'a, 'f, Result<T, X>>
    where
        E: Connected,
        M: FnOnce() -> Result<T, X> + Send + 'f,
        X: From<Error> + Send + 'f,
        'f: 'a,
        T: 'f,
        F: 'f,
    {
        let steps = GetOrInsert::new(self.one(), make);
        self.hash.executor.drive(steps)
    }
}

#[cfg(feature = "tokio-comp")]
impl<T, F, C> Field<'_, crate::Async<C>, T, F>
where
    C: redis::aio::ConnectionLike + Clone + Send + 'static,
    T: Send + 'static,
    F: Format<T> + FormatOf<T, T> + 'static,
{
    /// As [`get_or_try_insert_with`](Self::get_or_try_insert_with), with a `make` that takes its time: a future.
    ///
    /// `HMGET`; where the field is absent, another one after `make` and then a script. It holds nothing meanwhile: others
    /// can make one too, and the first that is stored is everybody's.
    ///
    /// # Errors
    ///
    /// As [`get_or_insert_with`](Self::get_or_insert_with), and what `make` returns.
    pub fn get_or_try_insert_with_async<'f, M, R, X>(self, make: M) -> impl Future<Output = Result<T, X>> + Send + 'f
    where
        M: FnOnce() -> R + Send + 'f,
        R: Future<Output = Result<T, X>> + Send + 'f,
        X: From<Error> + Send + 'f,
    {
        let (mut hash, here, again) = (self.hash.on(self.hash.executor.clone()), self.one(), self.one());
        async move {
            if let Some(stored) = hash.executor.drive(ReadOne(here)).await? {
                return Ok(stored);
            }
            let value = make().await?;
            Ok(hash.executor.drive(GetOrInsert::new(again, || Ok::<T, Error>(value))).await?)
        }
    }
}

impl<E, T, F> fmt::Debug for Field<'_, E, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({:?} of {:?})", self.name, self.hash.key)
    }
}
