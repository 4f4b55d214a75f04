//! Maps: hashes whose fields are only known at run time.

use std::any::type_name;
use std::fmt::{self, Display};
use std::hash::Hash;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::str::FromStr;
use std::time::Duration;

use redis::ConnectionLike;

use crate::accessor::field::Field;
use crate::accessor::hash_key::HashKey;
use crate::accessor::map_value::{Holds, MapValue, entries, values};
use crate::accessor::names::{name_of, names, names_of};
use crate::command::key::Key;
use crate::command::redis::{exists, hdel_many, hgetall, hkeys, hmget, write_changes};
use crate::command::reply::{count, flag};
use crate::command::target::Target;
use crate::command::ttl::{Expiry, FieldTtl};
use crate::format::any::Any;
use crate::format::given::ToStored;
use crate::format::storage::{Counter, FormatOf, StoredAs};
use crate::run::blocking::Blocking;
use crate::run::{Deferred, Executor};

/// A Redis hash as a map, for fields that are only known at run time.
///
/// [`HashMap::new`] makes a map of text to values of any kind. Each `set` and `get` says which type it means.
///
/// ```
/// use redis_hashmap::HashMap;
/// # let mut con = redis_hashmap_tests::connection()?;
/// # let key = redis_hashmap_tests::key();
///
/// let settings = HashMap::new(&*key).on(&mut con);
/// settings.set("theme", "dark")?;                               // HSET key theme …
/// settings.set("notifications", true)?;                         // HSET key notifications …
///
/// let theme: Option<String> = settings.get("theme")?;           // HGET key theme
/// assert_eq!(theme.as_deref(), Some("dark"));
/// let everything = settings.get_all()?;                         // HGETALL key
/// assert_eq!(everything["notifications"].as_bool(), Some(true));
/// # settings.clear()?;
/// # Ok::<(), redis_hashmap_tests::AnyError>(())
/// ```
///
/// [`HashMap::typed`] makes a map of one type of key to one type of value. A key is any type with `Display` and
/// `FromStr`.
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
/// let profiles = HashMap::<u64, Profile>::typed(&*key).on(&mut con);
/// profiles.set(&42, Profile { name: "Ann".to_owned() })?;       // HSET key 42 …
/// assert_eq!(profiles.get(&42)?.map(|p| p.name), Some("Ann".to_owned()));
/// # profiles.clear()?;
/// # Ok::<(), redis_hashmap_tests::AnyError>(())
/// ```
///
/// Making a map does no I/O and cannot fail: the first operation reports an empty key, and an operation on a field
/// reports an empty name. Without [`on`](Self::on) the operations return [`Command`](crate::Command)s.
pub struct HashMap<K = String, V = Any, E = Deferred> {
    hash: HashKey<E>,
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
        write!(f, "HashMap<{key}, {value}>({:?}, {:?})", self.target.key, self.executor)
    }
}

impl<K, V, E> Deref for HashMap<K, V, E> {
    type Target = HashKey<E>;

    fn deref(&self) -> &HashKey<E> {
        &self.hash
    }
}

impl<K, V, E> DerefMut for HashMap<K, V, E> {
    fn deref_mut(&mut self) -> &mut HashKey<E> {
        &mut self.hash
    }
}

impl HashMap {
    /// Makes the map at `key`, of text to values of any kind.
    #[must_use]
    pub fn new(key: impl Into<String>) -> Self {
        Self::typed(key)
    }
}

impl<K, V> HashMap<K, V> {
    /// Makes the map at `key`, of one type of key to one type of value.
    #[must_use]
    pub fn typed(key: impl Into<String>) -> Self {
        let target = Target::new(Key::new(key), Expiry::default());
        Self { hash: HashKey { target, executor: Deferred }, types: PhantomData }
    }
}

impl<K, V, E> HashMap<K, V, E> {
    fn untyped(&self, field: &(impl Display + ?Sized)) -> Field<'_, E, (), ()> {
        Field::entry(&self.hash, name_of(field))
    }

    fn reach<E2>(&self, executor: E2) -> HashMap<K, V, E2> {
        HashMap { hash: HashKey { target: self.target.clone(), executor }, types: PhantomData }
    }

    /// Returns the map on a blocking connection. Its operations return `Result<T, Error>`.
    ///
    /// It takes whatever implements [`redis::ConnectionLike`], by mutable reference or by value. No I/O.
    pub fn on<C: ConnectionLike>(&self, con: C) -> HashMap<K, V, Blocking<C>> {
        self.reach(Blocking::new(con))
    }

    /// Returns the map on an async connection that can be cloned. Its operations return futures that borrow nothing.
    ///
    /// No I/O.
    #[cfg(feature = "tokio-comp")]
    pub fn on_async<C>(&self, con: C) -> HashMap<K, V, crate::run::asynchronous::Async<C>>
    where
        C: redis::aio::ConnectionLike + Clone + Send + 'static,
    {
        self.reach(crate::run::asynchronous::Async::new(con))
    }

    /// Returns the map on an async connection that cannot be cloned, such as `&mut *guard` of a pool.
    ///
    /// It runs one operation at a time. No I/O.
    #[cfg(feature = "tokio-comp")]
    pub fn on_exclusive<'c, C>(&self, con: &'c mut C) -> HashMap<K, V, crate::run::asynchronous::Exclusive<'c, C>>
    where
        C: redis::aio::ConnectionLike + Send,
    {
        self.reach(crate::run::asynchronous::Exclusive::new(con))
    }
}

impl<K, V, E: Executor> HashMap<K, V, E> {
    /// Removes a field. Returns true if it was stored.
    ///
    /// `HDEL`, O(1).
    pub fn delete<Q>(&self, field: &Q) -> E::Output<'_, bool>
    where
        Q: StoredAs<K> + Display + ?Sized,
    {
        self.untyped(field).delete()
    }

    /// Returns true if the map has no fields, that is, if the key does not exist.
    ///
    /// `EXISTS`, O(1).
    pub fn is_empty(&self) -> E::Output<'_, bool> {
        self.run(exists(&self.target), |reply| flag(reply).map(|exists| !exists))
    }

    /// Returns true if the field is stored.
    ///
    /// `HEXISTS`, O(1).
    pub fn exists<Q>(&self, field: &Q) -> E::Output<'_, bool>
    where
        Q: StoredAs<K> + Display + ?Sized,
    {
        self.untyped(field).exists()
    }

    /// Returns the names of all fields, in no particular order.
    ///
    /// `HKEYS`, O(number of fields).
    ///
    /// # Errors
    ///
    /// [`FieldName`](crate::Error::FieldName) if a name is not a `K`.
    pub fn get_fields(&self) -> E::Output<'_, Vec<K>>
    where
        K: Display + FromStr + Send + 'static,
    {
        self.run(hkeys(&self.target), names)
    }

    /// Removes several fields. Returns how many of them were stored.
    ///
    /// One `HDEL`, O(number of fields given). For no fields it sends `EXISTS` and returns 0.
    pub fn delete_many<'q, Q>(&self, fields: impl IntoIterator<Item = &'q Q>) -> E::Output<'_, u64>
    where
        Q: StoredAs<K> + Display + ?Sized + 'q,
    {
        let fields = names_of(fields);
        let any = !fields.is_empty();
        let request = hdel_many(&self.target, fields);
        if any { self.run(request, count) } else { self.run(request, |_| Ok(0)) }
    }
}

impl<K, V: MapValue, E: Executor> HashMap<K, V, E> {
    /// Returns one entry, with every operation on one field. The most used ones are methods of the map too.
    ///
    /// ```
    /// use std::time::Duration;
    /// use redis_hashmap::HashMap;
    /// # let mut con = redis_hashmap::open("memory:")?; // Redis 7 has no expiry of fields
    ///
    /// let codes = HashMap::<u64, String>::typed("codes").on(&mut con);
    /// codes.set_with_ttl(&42, "sesame", Duration::from_secs(60))?;      // a script: HSETEX
    /// assert!(codes.entry(&42).ttl()?.remaining().is_some());           // HPTTL
    /// assert!(codes.entry(&42).persist()?);                             // HPERSIST
    /// # Ok::<(), redis_hashmap_tests::AnyError>(())
    /// ```
    pub fn entry<T>(&self, field: &(impl StoredAs<K> + Display + ?Sized)) -> Field<'_, E, T, V::Format>
    where
        V: Holds<T>,
    {
        Field::entry(&self.hash, name_of(field))
    }

    fn stored(&self, field: &(impl Display + ?Sized)) -> Field<'_, E, V::Stored, V::Format> {
        Field::entry(&self.hash, name_of(field))
    }

    /// Stores a value. Returns true if the field is new, false if it was overwritten.
    ///
    /// `HSET`, O(1). It ends the field's time to live.
    ///
    /// # Errors
    ///
    /// [`Refused`](crate::Error::Refused) or [`TooLarge`](crate::Error::TooLarge) if the value cannot be stored, and in
    /// debug builds [`Unreadable`](crate::Error::Unreadable) if a typed map could not read it back; then nothing is
    /// sent.
    pub fn set<Q, W>(&self, field: &Q, value: W) -> E::Output<'_, bool>
    where
        Q: StoredAs<K> + Display + ?Sized,
        W: ToStored<V::Stored>,
        V::Format: FormatOf<V::Stored, W::As>,
    {
        self.stored(field).set(value)
    }

    /// Stores several values, given as pairs of a field and a value, or as a reference to a map. Returns how many fields are new.
    ///
    /// One `HSET`, O(number of entries), in one step for every other client. It ends the times to live of the fields.
    /// For no entries it sends `EXISTS` and returns 0.
    ///
    /// ```
    /// use redis_hashmap::HashMap;
    /// # let mut con = redis_hashmap_tests::connection()?;
    /// # let key = redis_hashmap_tests::key();
    ///
    /// let stock = HashMap::<String, u32>::typed(&*key).on(&mut con);
    /// assert_eq!(stock.set_many([("apples", 3), ("pears", 5)])?, 2);                    // HSET key apples … pears …
    /// assert_eq!(stock.get_many(["pears", "plums"])?, [Some(5), None]);                 // HMGET key pears plums
    /// assert_eq!(stock.delete_many(["apples", "plums"])?, 1);                           // HDEL key apples plums
    /// # stock.clear()?;
    /// # Ok::<(), redis_hashmap_tests::AnyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`set`](Self::set), for any of the values; then nothing is sent.
    pub fn set_many<'q, Q, W>(&self, entries: impl IntoIterator<Item = (&'q Q, W)>) -> E::Output<'_, u64>
    where
        Q: StoredAs<K> + Display + ?Sized + 'q,
        W: ToStored<V::Stored>,
        V::Format: FormatOf<V::Stored, W::As>,
    {
        let changes = self.target.changes(8, 64).and_then(|mut changes| {
            for (field, value) in entries {
                let name = name_of(field).into();
                changes.set::<V::Stored, V::Format, W::As>(name, value.to_stored(), FieldTtl::Unlimited)?;
            }
            Ok(changes)
        });
        let any = changes.as_ref().is_ok_and(|changes| !changes.list.is_empty());
        let request = changes.and_then(|changes| write_changes(&self.target, "set_many", changes));
        if any { self.run(request, count) } else { self.run(request, |_| Ok(0)) }
    }

    /// Reads a value. Returns `None` where the field is absent.
    ///
    /// `HGET`, O(1). A map of [`Any`] reads it as the type that the caller asks for; a [`Value`](crate::Value) takes
    /// every kind.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Field::get`].
    pub fn get<T>(&self, field: &(impl StoredAs<K> + Display + ?Sized)) -> E::Output<'_, Option<T>>
    where
        V: Holds<T>,
        T: Send + 'static,
    {
        self.entry(field).get()
    }

    /// Reads several values, in the order of the fields given. An absent field is `None`.
    ///
    /// One `HMGET`, O(number of fields given). For no fields it sends `EXISTS` and returns an empty `Vec`.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Field::get`].
    pub fn get_many<'q, T, Q>(&self, fields: impl IntoIterator<Item = &'q Q>) -> E::Output<'_, Vec<Option<T>>>
    where
        Q: StoredAs<K> + Display + ?Sized + 'q,
        V: Holds<T>,
        T: Send + 'static,
    {
        let fields = names_of(fields);
        let any = !fields.is_empty();
        let request = hmget(&self.target, fields);
        if any { self.run(request, values::<T, V>) } else { self.run(request, |_| Ok(Vec::new())) }
    }

    /// Reads all fields and their values.
    ///
    /// A map of [`Any`] returns [`Value`](crate::Value)s, each of the kind that was stored.
    ///
    /// `HGETALL`, O(number of fields). It holds the whole map in memory; read a large one by
    #[cfg_attr(feature = "tokio-comp", doc = "[`iter`](HashMap::iter) or [`stream`](HashMap::stream).")]
    #[cfg_attr(not(feature = "tokio-comp"), doc = "[`iter`](HashMap::iter).")]
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Field::get`], and [`FieldName`](crate::Error::FieldName) if a name is not a `K`.
    pub fn get_all(&self) -> E::Output<'_, std::collections::HashMap<K, V::Item>>
    where
        K: Display + FromStr + Eq + Hash + Send + 'static,
    {
        self.run(hgetall(&self.target), entries::<K, V>)
    }

    /// Stores a value if the field is absent. Returns true if it was stored.
    ///
    /// `HSETNX`, O(1).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`set`](Self::set).
    pub fn set_if_absent<Q, W>(&self, field: &Q, value: W) -> E::Output<'_, bool>
    where
        Q: StoredAs<K> + Display + ?Sized,
        W: ToStored<V::Stored>,
        V::Format: FormatOf<V::Stored, W::As>,
    {
        self.stored(field).set_if_absent(value)
    }

    /// Stores a value if the field is present. Returns true if it was stored.
    ///
    /// A script with `HGET` and `HSET`, O(1). It ends the field's time to live.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`set`](Self::set).
    pub fn set_if_present<Q, W>(&self, field: &Q, value: W) -> E::Output<'_, bool>
    where
        Q: StoredAs<K> + Display + ?Sized,
        W: ToStored<V::Stored>,
        V::Format: FormatOf<V::Stored, W::As>,
    {
        self.stored(field).set_if_present(value)
    }

    /// Stores a value that expires after `ttl`. Returns true if the field is new.
    ///
    /// A script with `HSETEX`, O(1). An [`entry`](Self::entry) has `ttl`, `expire_in`, `expire_at` and `persist` for
    /// its time to live, and `with_ttl` for the other writes.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`set`](Self::set), [`Expiry`](crate::Error::Expiry) if `ttl` is zero or beyond 1,114
    /// years, and [`Unsupported`](crate::Error::Unsupported) if the server cannot expire fields; then nothing is
    /// written.
    pub fn set_with_ttl<Q, W>(&self, field: &Q, value: W, ttl: Duration) -> E::Output<'_, bool>
    where
        Q: StoredAs<K> + Display + ?Sized,
        W: ToStored<V::Stored>,
        V::Format: FormatOf<V::Stored, W::As>,
    {
        self.stored(field).set_with_ttl(value, ttl)
    }
}

impl<K, E: Executor> HashMap<K, Counter, E> {
    /// Adds to a counter and returns the sum. An absent counter counts from 0.
    ///
    /// `HINCRBY`, O(1). A counter that has a time to live keeps it.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Field::increment`].
    pub fn increment<Q>(&self, field: &Q, by: i64) -> E::Output<'_, i64>
    where
        Q: StoredAs<K> + Display + ?Sized,
    {
        self.entry(field).increment(by)
    }
}
