use std::any::type_name;
use std::borrow::Cow;
use std::fmt::{self, Display, Write};
use std::hash::Hash as StdHash;
use std::marker::PhantomData;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use redis::ConnectionLike;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::accessor::field::Field;
use crate::accessor::target::Hash;
use crate::command::changes::Guard;
use crate::command::key::Key;
use crate::command::reply::{Entry, Reply};
use crate::command::request::Request;
use crate::command::ttl::{Expiry, Ttl, millis};
use crate::error::{Error, Place};
use crate::format::storage::{Any, Bincode, Counter, Expiring, Format, FormatOf, StoredAs};
use crate::format::value::Value;
use crate::run::{Blocking, Connected, Deferred, Executor};

/// What a map can hold: values of one type, [`Any`] kind of values, or [`Counter`]s.
pub trait MapValue {
    /// What `set` stores.
    #[doc(hidden)]
    type Stored: ?Sized;

    /// What `get_all` reads: the type of the values, [`Value`], or `i64`.
    type Item: Send + 'static;

    #[doc(hidden)]
    type Format: Format<Self::Item>;
}

impl<V: Serialize + DeserializeOwned + Send + 'static> MapValue for V {
    type Stored = V;
    type Item = V;
    type Format = Expiring<Bincode>;
}

impl MapValue for Any {
    type Stored = Self;
    type Item = Value;
    type Format = Expiring<Bincode>;
}

impl MapValue for Counter {
    type Stored = i64;
    type Item = i64;
    type Format = Expiring<Counter>;
}

/// Says as what the values of a map are read: those of a typed map as their type, those of a map of [`Any`] as whatever
/// is asked for, those of a map of [`Counter`]s as `i64`.
#[diagnostic::on_unimplemented(
    message = "a map of `{Self}` holds no `{T}`",
    label = "not what the map holds",
    note = "a typed map reads its values as their own type; `HashMap::new` is a map of values of any kind"
)]
pub trait Holds<T>: MapValue<Format: Format<T, Get = Option<T>>> {}
impl<V: Serialize + DeserializeOwned + Send + 'static> Holds<V> for V {}
impl<T: Serialize + DeserializeOwned + Send + 'static> Holds<T> for Any {}
impl Holds<i64> for Counter {}

/// A Redis hash as a map, for fields that are only known at run time.
///
/// [`HashMap::new`] is a map of text to values of any kind: each `set` and `get` says which.
///
/// ```
/// use redis_hashmap::HashMap;
/// # let mut con = redis_hashmap_tests::connection()?;
/// # let key = redis_hashmap_tests::key();
///
/// let mut settings = HashMap::new(&*key).on(&mut con);
/// settings.set("theme", "dark")?;                               // HSET key theme …
/// settings.set("notifications", &true)?;                        // HSET key notifications …
///
/// let theme: Option<String> = settings.get("theme")?;           // HGET key theme
/// assert_eq!(theme.as_deref(), Some("dark"));
/// let everything = settings.get_all()?;                         // HGETALL key
/// assert_eq!(everything["notifications"].as_bool(), Some(true));
/// # settings.clear()?;
/// # Ok::<(), redis_hashmap_tests::AnyError>(())
/// ```
///
/// [`HashMap::typed`] is a map of one type of key and one type of value. A key is whatever has `Display` and `FromStr`.
///
/// ```
/// use redis_hashmap::HashMap;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Profile { name: String }
/// # let mut con = redis_hashmap_tests::connection()?;
/// # let key = redis_hashmap_tests::key();
///
/// let mut profiles = HashMap::<u64, Profile>::typed(&*key).on(&mut con);
/// profiles.set(&42, &Profile { name: "Ann".to_owned() })?;      // HSET key 42 …
/// assert_eq!(profiles.get(&42)?.map(|p| p.name), Some("Ann".to_owned()));
/// # profiles.clear()?;
/// # Ok::<(), redis_hashmap_tests::AnyError>(())
/// ```
///
/// Making a map does no I/O and cannot fail: an empty key is an error of the first operation. Without
/// [`on`](Self::on) the operations return [`Command`](crate::Command)s.
pub struct HashMap<K = String, V = Any, E = Deferred> {
    pub(crate) hash: Hash<E>,
    types: PhantomData<fn() -> (K, V)>,
}

impl<K, V, E: Clone> Clone for HashMap<K, V, E> {
    fn clone(&self) -> Self {
        Self { hash: self.hash.clone(), types: PhantomData }
    }
}

impl<K, V, E: fmt::Debug> fmt::Debug for HashMap<K, V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, value) = (type_name::<K>(), type_name::<V>());
        write!(f, "HashMap<{key}, {value}>({:?}, {:?})", self.hash.key, self.hash.executor)
    }
}

impl HashMap {
    /// The map at `key`, of text to values of any kind.
    #[must_use]
    pub fn new(key: impl Into<String>) -> Self {
        Self::typed(key)
    }
}

impl<K, V> HashMap<K, V> {
    /// The map at `key`, of one type of key and one type of value.
    #[must_use]
    pub fn typed(key: impl Into<String>) -> Self {
        Self { hash: Hash::new(Key::new(key), Expiry::default()), types: PhantomData }
    }
}

impl<K, V, E> HashMap<K, V, E> {
    fn reach<E2>(&self, executor: E2) -> HashMap<K, V, E2> {
        HashMap { hash: self.hash.on(executor), types: PhantomData }
    }

    /// The same map on a blocking connection: operations return `Result<T, Error>`.
    ///
    /// It takes whatever implements [`redis::ConnectionLike`], by mutable reference or by value. No I/O.
    pub fn on<C: ConnectionLike>(&self, con: C) -> HashMap<K, V, Blocking<C>> {
        self.reach(Blocking::new(con))
    }

    /// The same map on an async connection that can be cloned: operations return futures that borrow nothing.
    ///
    /// No I/O.
    #[cfg(feature = "tokio-comp")]
    pub fn on_async<C>(&self, con: C) -> HashMap<K, V, crate::Async<C>>
    where
        C: redis::aio::ConnectionLike + Clone + Send + 'static,
    {
        self.reach(crate::Async::new(con))
    }

    /// The same map on an async connection that cannot be cloned, such as `&mut *guard` of a pool: one operation at a
    /// time.
    ///
    /// No I/O.
    #[cfg(feature = "tokio-comp")]
    pub fn on_exclusive<'c, C>(&self, con: &'c mut C) -> HashMap<K, V, crate::Exclusive<'c, C>>
    where
        C: redis::aio::ConnectionLike + Send,
    {
        self.reach(crate::Exclusive::new(con))
    }

    /// Sets how large a value this map stores, in bytes; 64 MiB if nothing is said. What is read is not limited.
    ///
    /// A Redis server takes at most 512 MB (`proto-max-bulk-len`), and hangs up on more.
    pub fn set_value_limit(&mut self, bytes: usize) {
        self.hash.value_limit = bytes;
    }

    /// Sets how often `update` and its kin try, where others change what they have read; 64 times if nothing is said.
    ///
    /// The second attempt is made at once, each later one after a random pause that grows, up to 250 ms or 64 times what
    /// an attempt takes, where there is a timer (in async code that is tokio's, which has to be enabled).
    pub fn set_attempt_limit(&mut self, attempts: u32) {
        self.hash.attempts = attempts;
    }

    /// The Redis key.
    #[must_use]
    pub fn key(&self) -> &str {
        self.hash.key.check().unwrap_or_default()
    }
}

impl<K, V, E: Executor> HashMap<K, V, E> {
    /// Removes a field: true if it was there.
    ///
    /// `HDEL`, O(1).
    pub fn delete<Q>(&mut self, field: &Q) -> E::Output<'_, bool>
    where
        Q: StoredAs<K> + Display + ?Sized,
    {
        self.hash.delete(&text(field))
    }

    /// True if the map has no field, that is if the key does not exist.
    ///
    /// `EXISTS`, O(1).
    pub fn is_empty(&mut self) -> E::Output<'_, bool> {
        let request = Request::exists(&self.hash.key);
        self.hash.run(request, |reply, _| reply.flag().map(|exists| !exists))
    }

    /// True if the field is stored.
    ///
    /// `HEXISTS`, O(1).
    pub fn exists<Q>(&mut self, field: &Q) -> E::Output<'_, bool>
    where
        Q: StoredAs<K> + Display + ?Sized,
    {
        self.hash.exists(&text(field))
    }

    /// The names of all fields, in no order.
    ///
    /// `HKEYS`, O(number of fields).
    ///
    /// # Errors
    ///
    /// [`FieldName`](Error::FieldName) if a name is no `K`.
    pub fn get_fields(&mut self) -> E::Output<'_, Vec<K>>
    where
        K: Display + FromStr + Send + 'static,
    {
        let request = Request::hkeys(&self.hash.key);
        self.hash.run(request, names)
    }

    /// The number of fields.
    ///
    /// `HLEN`, O(1).
    pub fn size(&mut self) -> E::Output<'_, u64> {
        self.hash.size()
    }

    /// Removes several fields: how many were there.
    ///
    /// One `HDEL`, O(number of fields given).
    pub fn delete_many<'q, Q>(&mut self, fields: impl IntoIterator<Item = &'q Q>) -> E::Output<'_, u64>
    where
        Q: StoredAs<K> + Display + ?Sized + 'q,
    {
        let fields = texts(fields);
        let request = Request::hdel_many(&self.hash.key, &fields);
        if fields.is_empty() {
            self.hash.run(request, |_, _| Ok(0))
        } else {
            self.hash.run(request, |reply, _| reply.count())
        }
    }

    /// Removes the key with all its fields: true if there was something, of whatever Redis type.
    ///
    /// `DEL`, O(number of fields).
    pub fn clear(&mut self) -> E::Output<'_, bool> {
        self.hash.clear()
    }

    /// When the map as a whole expires; of one of its fields, ask [`entry`](Self::entry).
    ///
    /// `PTTL`, O(1).
    pub fn ttl(&mut self) -> E::Output<'_, Ttl> {
        self.hash.ttl()
    }

    /// Has the map as a whole expire after `ttl`: false if there is none. Writes leave that time as it is.
    ///
    /// `PEXPIRE`, O(1).
    ///
    /// # Errors
    ///
    /// [`Expiry`](Error::Expiry) if `ttl` is zero or beyond 1,114 years; then nothing is sent.
    pub fn expire_in(&mut self, ttl: Duration) -> E::Output<'_, bool> {
        self.hash.expire_in(ttl)
    }

    /// Has the map as a whole expire at a point in time: false if there is none. A time that has passed removes it at
    /// once.
    ///
    /// `PEXPIREAT`, O(1).
    ///
    /// # Errors
    ///
    /// As [`expire_in`](Self::expire_in).
    pub fn expire_at(&mut self, at: SystemTime) -> E::Output<'_, bool> {
        self.hash.expire_at(at)
    }

    /// Has the map as a whole stay: true if it would have expired.
    ///
    /// `PERSIST`, O(1).
    pub fn persist(&mut self) -> E::Output<'_, bool> {
        self.hash.persist()
    }
}

impl<K, V: MapValue, E: Executor> HashMap<K, V, E> {
    /// One entry, with every operation there is on one field; those that are used most are methods of the map too.
    ///
    /// ```
    /// use std::time::Duration;
    /// use redis_hashmap::HashMap;
    /// # let mut con = redis_hashmap::open("memory:")?; // Redis 7 has no expiry of fields
    ///
    /// let mut codes = HashMap::<u64, String>::typed("codes").on(&mut con);
    /// codes.set_with_ttl(&42, "sesame", Duration::from_secs(60))?;      // a script: HSETEX
    /// assert!(codes.entry(&42).ttl()?.remaining().is_some());           // HPTTL
    /// assert!(codes.entry(&42).persist()?);                             // HPERSIST
    /// # Ok::<(), redis_hashmap_tests::AnyError>(())
    /// ```
    pub fn entry<T>(&mut self, field: &(impl StoredAs<K> + Display + ?Sized)) -> Field<'_, E, T, V::Format>
    where
        V: Holds<T>,
    {
        Field::entry(&mut self.hash, text(field))
    }

    /// Stores a value: true if the field is new, false if it was overwritten.
    ///
    /// `HSET`, O(1). It ends a time to live of the field.
    ///
    /// # Errors
    ///
    /// [`Refused`](Error::Refused) or [`TooLarge`](Error::TooLarge) if the value cannot be stored; then nothing is sent.
    pub fn set<Q, W>(&mut self, field: &Q, value: &W) -> E::Output<'_, bool>
    where
        Q: StoredAs<K> + Display + ?Sized,
        W: ?Sized,
        V::Format: FormatOf<V::Stored, W>,
    {
        self.hash.set::<V::Stored, V::Format, W>(&text(field), value, Ok(0))
    }

    /// Stores several values: how many of the fields are new. It takes a map by reference, or pairs of references.
    ///
    /// One `HSET`, O(number of entries): one step for every other client.
    ///
    /// ```
    /// use redis_hashmap::HashMap;
    /// # let mut con = redis_hashmap_tests::connection()?;
    /// # let key = redis_hashmap_tests::key();
    ///
    /// let mut stock = HashMap::<String, u32>::typed(&*key).on(&mut con);
    /// assert_eq!(stock.set_many([("apples", &3), ("pears", &5)])?, 2);                  // HSET key apples … pears …
    /// assert_eq!(stock.get_many(["pears", "plums"])?, [Some(5), None]);                 // HMGET key pears plums
    /// assert_eq!(stock.delete_many(["apples", "plums"])?, 1);                           // HDEL key apples plums
    /// # stock.clear()?;
    /// # Ok::<(), redis_hashmap_tests::AnyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Refused`](Error::Refused) or [`TooLarge`](Error::TooLarge) if one of the values cannot be stored; then nothing
    /// is sent.
    pub fn set_many<'q, Q, W>(&mut self, entries: impl IntoIterator<Item = (&'q Q, &'q W)>) -> E::Output<'_, u64>
    where
        Q: StoredAs<K> + Display + ?Sized + 'q,
        W: ?Sized + 'q,
        V::Format: FormatOf<V::Stored, W>,
    {
        let mut any = false;
        let request = self.hash.write_of(8, 64).and_then(|mut write| {
            for (field, value) in entries {
                any = true;
                write.set_field::<V::Stored, V::Format, W>(&text(field), value, 0)?;
            }
            Ok(write.finish("HSET", 0))
        });
        if any { self.hash.run(request, |reply, _| reply.count()) } else { self.hash.run(request, |_, _| Ok(0)) }
    }

    /// Reads a value: `None` where the field is absent. From a map of [`Any`] it is read as the type that is asked for;
    /// [`Value`] reads every kind.
    ///
    /// `HGET`, O(1).
    ///
    /// # Errors
    ///
    /// As [`Field::get`].
    pub fn get<T>(&mut self, field: &(impl StoredAs<K> + Display + ?Sized)) -> E::Output<'_, Option<T>>
    where
        V: Holds<T>,
        T: Send + 'static,
    {
        self.hash.get::<T, V::Format>(&text(field), Some(|| None))
    }

    /// Reads several values, in the order of the fields given: `None` where one is absent.
    ///
    /// One `HMGET`, O(number of fields given).
    ///
    /// # Errors
    ///
    /// As [`Field::get`].
    pub fn get_many<'q, T, Q>(&mut self, fields: impl IntoIterator<Item = &'q Q>) -> E::Output<'_, Vec<Option<T>>>
    where
        Q: StoredAs<K> + Display + ?Sized + 'q,
        V: Holds<T>,
        T: Send + 'static,
    {
        let fields = texts(fields);
        let request = Request::hmget_many(&self.hash.key, &fields);
        if fields.is_empty() {
            self.hash.run(request, |_, _| Ok(Vec::new()))
        } else {
            self.hash.run(request, values::<T, V>)
        }
    }

    /// Reads all fields and their values; those of a map of [`Any`] are [`Value`]s, each of the kind that was stored.
    ///
    /// `HGETALL`, O(number of fields). It holds the whole map in memory: a large one is read by
    #[cfg_attr(feature = "tokio-comp", doc = "[`iter`](HashMap::iter) or [`stream`](HashMap::stream).")]
    #[cfg_attr(not(feature = "tokio-comp"), doc = "[`iter`](HashMap::iter).")]
    ///
    /// # Errors
    ///
    /// As [`Field::get`], and [`FieldName`](Error::FieldName) if a name is no `K`.
    pub fn get_all(&mut self) -> E::Output<'_, std::collections::HashMap<K, V::Item>>
    where
        K: Display + FromStr + Eq + StdHash + Send + 'static,
    {
        let request = Request::hgetall(&self.hash.key);
        self.hash.run(request, entries::<K, V>)
    }

    /// Stores a value if the field is absent: true if it was stored.
    ///
    /// `HSETNX`, O(1).
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    pub fn set_if_absent<Q, W>(&mut self, field: &Q, value: &W) -> E::Output<'_, bool>
    where
        Q: StoredAs<K> + Display + ?Sized,
        W: ?Sized,
        V::Format: FormatOf<V::Stored, W>,
    {
        self.hash.set_if::<V::Stored, V::Format, W>(&text(field), Guard::Absent, value, Ok(0))
    }

    /// Overwrites a value, if the field is there: true if it was stored.
    ///
    /// A script with `HGET` and `HSET`, O(1).
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    pub fn set_if_present<Q, W>(&mut self, field: &Q, value: &W) -> E::Output<'_, bool>
    where
        Q: StoredAs<K> + Display + ?Sized,
        W: ?Sized,
        V::Format: FormatOf<V::Stored, W>,
    {
        self.hash.set_if::<V::Stored, V::Format, W>(&text(field), Guard::Present, value, Ok(0))
    }

    /// Stores a value that expires after `ttl`: true if the field is new.
    ///
    /// A script with `HSETEX`, O(1). [`entry`](Self::entry) has `ttl`, `expire_in`, `persist`, and
    /// `with_ttl` for the other operations.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set), [`Expiry`](Error::Expiry) if `ttl` is zero or beyond 1,114 years, and
    /// [`Unsupported`](Error::Unsupported) if fields do not expire on the server; then nothing is written.
    pub fn set_with_ttl<Q, W>(&mut self, field: &Q, value: &W, ttl: Duration) -> E::Output<'_, bool>
    where
        Q: StoredAs<K> + Display + ?Sized,
        W: ?Sized,
        V::Format: FormatOf<V::Stored, W>,
    {
        let field = text(field);
        let ttl = millis(ttl, || self.hash.place(Some(&field)));
        self.hash.set::<V::Stored, V::Format, W>(&field, value, ttl)
    }
}

impl<K, E: Executor> HashMap<K, Counter, E> {
    /// Adds to a counter and returns the sum; an absent one counts from 0.
    ///
    /// `HINCRBY`, O(1).
    ///
    /// # Errors
    ///
    /// As [`Field::increment`].
    pub fn increment<Q>(&mut self, field: &Q, by: i64) -> E::Output<'_, i64>
    where
        Q: StoredAs<K> + Display + ?Sized,
    {
        self.hash.increment(&text(field), by, Ok(0))
    }
}

impl<K, V: MapValue, E: Executor> HashMap<K, V, E> {
    /// Reads a value, changes it, and stores it if it is still what was read; else once more. Returns the new value;
    /// `None` where the field is absent, and then `change` is not called.
    ///
    /// `HMGET`, then a script: two round trips, two more for each conflict. See [`Field::update`];
    /// [`entry`](Self::entry) has `try_update`, whose `change` can refuse.
    ///
    /// # Errors
    ///
    /// As [`Field::update`].
    pub fn update<'a, 'f, T, C>(
        &'a mut self,
        field: &(impl StoredAs<K> + Display + ?Sized),
        change: C,
    ) -> E::Driven<'a, 'f, Result<Option<T>, Error>>
    where
        E: Connected,
        V: Holds<T, Format: FormatOf<T, T>>,
        V::Format: 'f,
        C: FnMut(&mut T) + Send + 'f,
        T: Send + 'static,
        'f: 'a,
    {
        self.entry(field).update(change)
    }

    /// Stores `new` if the field holds `expected`: true if it was stored.
    ///
    /// `HMGET`, then a script: two round trips. See [`Field::compare_and_set`]. In a map of [`Any`] the type has to be said:
    /// `map.entry::<String>("theme").compare_and_set("dark", "light")`.
    ///
    /// # Errors
    ///
    /// As [`Field::compare_and_set`].
    pub fn compare_and_set<'a, 'f, T, P, Q>(
        &'a mut self,
        field: &(impl StoredAs<K> + Display + ?Sized),
        expected: &'f P,
        new: &Q,
    ) -> E::Driven<'a, 'f, Result<bool, Error>>
    where
        E: Connected,
        V: Holds<T, Format: FormatOf<T, T> + FormatOf<T, Q>>,
        V::Format: 'f,
        T: PartialEq<P> + Send + 'static,
        P: Sync + ?Sized,
        Q: ?Sized,
        'f: 'a,
    {
        self.entry(field).compare_and_set(expected, new)
    }

    /// Reads a value and removes it: `None` where the field is absent.
    ///
    /// For a number, `bool`, `char` or `String` a script with `HGET` and `HDEL`, one round trip; for anything else `HMGET`, then a script. See
    /// [`Field::take`].
    ///
    /// # Errors
    ///
    /// As [`Field::take`]: what cannot be read is not removed.
    pub fn take<'a, 'f, T>(
        &'a mut self,
        field: &(impl StoredAs<K> + Display + ?Sized),
    ) -> E::Driven<'a, 'f, Result<Option<T>, Error>>
    where
        E: Connected,
        V: Holds<T, Format: FormatOf<T, T>>,
        V::Format: 'f,
        T: Send + 'static,
        'f: 'a,
    {
        self.entry(field).take()
    }

    /// Removes a field if its value is one to remove, and it still is what was read: true if it was removed.
    ///
    /// `HMGET`, then a script: two round trips, two more for each conflict. See [`Field::delete_if`].
    ///
    /// # Errors
    ///
    /// As [`Field::delete_if`].
    pub fn delete_if<'a, 'f, T, J>(
        &'a mut self,
        field: &(impl StoredAs<K> + Display + ?Sized),
        judge: J,
    ) -> E::Driven<'a, 'f, Result<bool, Error>>
    where
        E: Connected,
        V: Holds<T, Format: FormatOf<T, T>>,
        V::Format: 'f,
        J: FnMut(&T) -> bool + Send + 'f,
        T: Send + 'static,
        'f: 'a,
    {
        self.entry(field).delete_if(judge)
    }

    /// Reads a value; where there is none, makes one and stores it, unless somebody else was faster: then theirs.
    ///
    /// `HMGET`; where the field is absent, a script too. [`entry`](Self::entry) has `get_or_try_insert_with`, whose `make`
    /// can fail, and `with_ttl`.
    ///
    /// # Errors
    ///
    /// As [`Field::get_or_insert_with`].
    pub fn get_or_insert_with<'a, 'f, T, M>(
        &'a mut self,
        field: &(impl StoredAs<K> + Display + ?Sized),
        make: M,
    ) -> E::Driven<'a, 'f, Result<T, Error>>
    where
        E: Connected,
        V: Holds<T, Format: FormatOf<T, T>>,
        V::Format: 'f,
        M: FnOnce() -> T + Send + 'f,
        T: Send + 'static,
        'f: 'a,
    {
        self.entry(field).get_or_insert_with(make)
    }
}

fn texts<'q, Q: Display + ?Sized + 'q>(fields: impl IntoIterator<Item = &'q Q>) -> Vec<Cow<'static, str>> {
    fields.into_iter().map(|field| text(field).into()).collect()
}

/// The name of a field. Where Display fails there is none, which is the error of an empty name.
fn text<Q: Display + ?Sized>(field: &Q) -> String {
    let mut name = String::new();
    if write!(name, "{field}").is_err() {
        name.clear();
    }
    name
}

pub(crate) fn names<K: Display + FromStr>(reply: Reply<'_>, _: Option<fn() -> Vec<K>>) -> Result<Vec<K>, Error> {
    let request = reply.request();
    reply.names()?.iter().map(|field| name(field).ok_or_else(|| no_name::<K>(request, field))).collect()
}

/// A field's name as a key. One that the key would not write like that (`007` for 7) is none: `get` would not find it.
fn name<K: Display + FromStr>(field: &[u8]) -> Option<K> {
    let field = std::str::from_utf8(field).ok()?;
    field.parse().ok().filter(|key| text(key) == field)
}

fn no_name<K>(request: &Request, field: &[u8]) -> Error {
    Error::FieldName { place: place_of(request, field), asked: type_name::<K>() }
}

pub(crate) fn place_of(request: &Request, field: &[u8]) -> Place {
    Place::new(&String::from_utf8_lossy(request.key()), Some(&String::from_utf8_lossy(field)))
}

/// A field and its value.
pub(crate) fn entry<K, V>(request: &Request, (field, stored): Entry) -> Result<(K, V::Item), Error>
where
    K: Display + FromStr,
    V: MapValue,
{
    let key = name(&field).ok_or_else(|| no_name::<K>(request, &field))?;
    let value = V::Format::decode(&stored).map_err(|fault| Error::at(fault, place_of(request, &field)))?;
    Ok((key, value))
}

type Entries<K, V> = std::collections::HashMap<K, <V as MapValue>::Item>;

fn entries<K, V>(reply: Reply<'_>, _: Option<fn() -> Entries<K, V>>) -> Result<Entries<K, V>, Error>
where
    K: Display + FromStr + Eq + StdHash,
    V: MapValue,
{
    let request = reply.request();
    reply.entries()?.into_iter().map(|found| entry::<K, V>(request, found)).collect()
}

fn values<T, V: Holds<T>>(reply: Reply<'_>, _: Option<fn() -> Vec<Option<T>>>) -> Result<Vec<Option<T>>, Error> {
    let request = reply.request();
    let decode = |(index, stored): (usize, Option<Vec<u8>>)| {
        let decoded = stored.map(|stored| <V::Format as Format<T>>::decode(&stored));
        decoded.transpose().map_err(|fault| Error::at(fault, request.place_of(index)))
    };
    reply.all_values()?.into_iter().enumerate().map(decode).collect()
}
