use std::any::type_name;
use std::fmt::{self, Display, Write};
use std::hash::Hash as StdHash;
use std::marker::PhantomData;
use std::str::FromStr;

use redis::ConnectionLike;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec;
use crate::command::Request;
use crate::error::{Error, Place};
use crate::executor::{Blocking, Deferred, Executor};
use crate::format::{Bincode, StoredAs};
use crate::hash::Hash;
use crate::key::Key;
use crate::reply::{Entry, Reply};
use crate::value::Value;

/// The value type of a map whose fields hold values of any kind.
#[derive(Debug, Clone, Copy)]
pub enum Any {}

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
    hash: Hash<E>,
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
        Self { hash: Hash::new(Key::new(key)), types: PhantomData }
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

    /// Removes the key with all its fields: true if there was something, of whatever Redis type.
    ///
    /// `DEL`, O(number of fields).
    pub fn clear(&mut self) -> E::Output<'_, bool> {
        self.hash.clear()
    }
}

impl<K, V, E> HashMap<K, V, E>
where
    V: Serialize + DeserializeOwned + Send + 'static,
    E: Executor,
{
    /// Stores a value: true if the field is new, false if it was overwritten.
    ///
    /// `HSET`, O(1).
    ///
    /// # Errors
    ///
    /// [`Refused`](Error::Refused) or [`TooLarge`](Error::TooLarge) if the value cannot be stored; then nothing is sent.
    pub fn set<Q, W>(&mut self, field: &Q, value: &W) -> E::Output<'_, bool>
    where
        Q: StoredAs<K> + Display + ?Sized,
        W: StoredAs<V> + Serialize + ?Sized,
    {
        self.hash.set::<V, Bincode, W>(&text(field), value)
    }

    /// Reads a value: `None` where the field is absent.
    ///
    /// `HGET`, O(1).
    ///
    /// # Errors
    ///
    /// As [`Field::get`](crate::Field::get).
    pub fn get<Q>(&mut self, field: &Q) -> E::Output<'_, Option<V>>
    where
        Q: StoredAs<K> + Display + ?Sized,
    {
        self.hash.get::<V, Bincode>(&text(field), Some(|| None))
    }

    /// Reads all fields and their values.
    ///
    /// `HGETALL`, O(number of fields).
    ///
    /// # Errors
    ///
    /// As [`Field::get`](crate::Field::get), and [`FieldName`](Error::FieldName) if a name is no `K`.
    pub fn get_all(&mut self) -> E::Output<'_, std::collections::HashMap<K, V>>
    where
        K: Display + FromStr + Eq + StdHash + Send + 'static,
    {
        let request = Request::hgetall(&self.hash.key);
        self.hash.run(request, entries)
    }
}

impl<K, E: Executor> HashMap<K, Any, E> {
    /// Stores a value of any kind: true if the field is new, false if it was overwritten.
    ///
    /// `HSET`, O(1).
    ///
    /// # Errors
    ///
    /// [`Refused`](Error::Refused) or [`TooLarge`](Error::TooLarge) if the value cannot be stored; then nothing is sent.
    pub fn set<Q, W>(&mut self, field: &Q, value: &W) -> E::Output<'_, bool>
    where
        Q: StoredAs<K> + Display + ?Sized,
        W: Serialize + ?Sized,
    {
        self.hash.set::<Any, Bincode, W>(&text(field), value)
    }

    /// Reads a value as the type that was stored: `None` where the field is absent. [`Value`] reads every kind.
    ///
    /// `HGET`, O(1).
    ///
    /// # Errors
    ///
    /// As [`Field::get`](crate::Field::get).
    pub fn get<T>(&mut self, field: &(impl StoredAs<K> + Display + ?Sized)) -> E::Output<'_, Option<T>>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        self.hash.get::<T, Bincode>(&text(field), Some(|| None))
    }

    /// Reads all fields and their values, each of the kind that was stored.
    ///
    /// `HGETALL`, O(number of fields).
    ///
    /// # Errors
    ///
    /// As [`Field::get`](crate::Field::get), and [`FieldName`](Error::FieldName) if a name is no `K`.
    pub fn get_all(&mut self) -> E::Output<'_, std::collections::HashMap<K, Value>>
    where
        K: Display + FromStr + Eq + StdHash + Send + 'static,
    {
        let request = Request::hgetall(&self.hash.key);
        self.hash.run(request, entries)
    }
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

fn place_of(request: &Request, field: &[u8]) -> Place {
    Place::new(&String::from_utf8_lossy(request.key()), Some(&String::from_utf8_lossy(field)))
}

fn entries<K, V>(
    reply: Reply<'_>,
    _: Option<fn() -> std::collections::HashMap<K, V>>,
) -> Result<std::collections::HashMap<K, V>, Error>
where
    K: Display + FromStr + Eq + StdHash,
    V: Serialize + DeserializeOwned,
{
    let request = reply.request();
    let entry = |(field, stored): Entry| {
        let key = name(&field).ok_or_else(|| no_name::<K>(request, &field))?;
        let value = codec::decode(&stored).map_err(|fault| Error::at(fault, place_of(request, &field)))?;
        Ok((key, value))
    };
    reply.entries()?.into_iter().map(entry).collect()
}
