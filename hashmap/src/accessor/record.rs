use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::time::{Duration, SystemTime};

use redis::ConnectionLike;

use crate::accessor::field::Field;
use crate::accessor::get_many::Selection;
use crate::accessor::map::names;
use crate::accessor::target::Hash;
use crate::command::changes::{FieldCodec, Must, Write};
use crate::command::key::{Key, Template};
use crate::command::reply::{Reply, Values};
use crate::command::request::Request;
use crate::command::ttl::{Expiry, Ttl};
use crate::command::{Command, Decode};
use crate::error::Error;
use crate::run::steps::{Update, Whole};
use crate::run::{Blocking, Connected, Deferred, Executor};

/// A struct that is stored as a Redis hash, one field in each hash field. Implemented by `#[derive(RedisHash)]`.
pub trait RedisHash: Sized {
    /// The fields, in the order in which they are declared; the ones marked `skip` are not among them.
    const FIELDS: &'static [FieldInfo];

    /// How long the record lives after each write, if it declares that: `#[redis_hash(ttl = "30m")]`.
    const TTL: Option<Duration> = None;

    /// True if each read of a value renews that time: `#[redis_hash(sliding)]`.
    const SLIDING: bool = false;

    /// The accessor, `UserSettingsHash<E>` for a `UserSettings`.
    type Hash<E>: From<Record<Self, E>>;

    /// The record with every field optional, `UserSettingsPartial` for a `UserSettings`.
    type Partial;

    /// What to change of a record, `UserSettingsPatch` for a `UserSettings`.
    type Patch: Default;

    /// The fields by name, `UserSettingsFields` for a `UserSettings`.
    type Fields;

    #[doc(hidden)]
    const NAMED: Self::Fields;

    #[doc(hidden)]
    fn write(&self, out: &mut Write) -> Result<(), Error>;

    #[doc(hidden)]
    fn write_patch(patch: &Self::Patch, out: &mut Write) -> Result<(), Error>;

    #[doc(hidden)]
    fn read(fields: &mut RecordReader<'_>) -> Result<Self, Error>;

    #[doc(hidden)]
    fn read_partial(fields: &mut RecordReader<'_>) -> Result<Self::Partial, Error>;
}

/// A record that exists even where nothing is stored: each of its fields is an `Option`, has a default, or is skipped.
/// Implemented by `#[derive(RedisHash)]` where that is so.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` cannot be made of defaults: it has required fields",
    label = "has required fields",
    note = "`get_or_default` needs every field to be an `Option` or to have `#[redis_hash(default)]`; `get_all` returns \
            `None` where no record is stored, `get_partial` each field as it is"
)]
pub trait DefaultedHash: RedisHash {}

/// A field of a record, as declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldInfo {
    /// Its name in Redis.
    pub name: &'static str,
    /// What its absence means.
    pub presence: Presence,
    /// How long it lives after each write, if it declares that: `#[redis_hash(ttl = "5m")]`.
    pub ttl: Option<Duration>,
}

impl FieldInfo {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(name: &'static str, presence: Presence) -> Self {
        Self { name, presence, ttl: None }
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn expiring(self, ttl: u64) -> Self {
        Self { ttl: Some(Duration::from_millis(ttl)), ..self }
    }
}

/// What it means for a record that a field is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Presence {
    /// There is no whole record without it.
    Required,
    /// It is `None`.
    Optional,
    /// It is its default.
    Defaulted,
}

/// What every accessor of a record can do: the operations on the record as a whole. Each accessor that
/// `#[derive(RedisHash)]` generates dereferences to this.
///
/// It is made by `UserSettings::at(key)`, or by `UserSettings::of(id)` where the struct declares its key, without a
/// connection; [`on`](Self::on) gives it one. Making it does no I/O and cannot fail: an empty key is an error of the
/// first operation.
///
/// ```
/// use redis_hashmap::RedisHash;
///
/// #[derive(RedisHash, Debug, PartialEq)]
/// #[redis_hash(key = "user:{user_id}:settings")]
/// struct UserSettings {
///     theme: String,
///     font_size: Option<u8>,
/// }
/// # let mut con = redis_hashmap_tests::connection()?;
/// # let key = redis_hashmap_tests::key();
///
/// let mut settings = UserSettings::of(&key).on(&mut con);
/// assert_eq!(settings.get_all()?, None);                                                    // HMGET
/// settings.set_all(&UserSettings { theme: "dark".to_owned(), font_size: Some(14) })?;       // HSET
/// assert_eq!(settings.get_fields()?.len(), 2);                                              // HKEYS
/// assert_eq!(settings.size()?, 2);                                                          // HLEN
/// assert!(settings.clear()?);                                                               // DEL
/// # Ok::<(), redis_hashmap_tests::AnyError>(())
/// ```
pub struct Record<R, E = Deferred> {
    hash: Hash<E>,
    record: PhantomData<fn() -> R>,
}

impl<R, E: Clone> Clone for Record<R, E> {
    fn clone(&self) -> Self {
        Self { hash: self.hash.clone(), record: PhantomData }
    }
}

impl<R, E: fmt::Debug> fmt::Debug for Record<R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record<{}>({:?}, {:?})", std::any::type_name::<R>(), self.hash.key, self.hash.executor)
    }
}

/// For generated code.
#[doc(hidden)]
impl<R: RedisHash> Record<R> {
    pub fn at(key: impl Into<String>) -> Self {
        Self { hash: Hash::new(Key::new(key), Expiry::declared(R::TTL, R::SLIDING)), record: PhantomData }
    }

    pub fn of(template: Template, ids: &[&dyn Display]) -> Self {
        Self { hash: Hash::new(template.fill(ids), Expiry::declared(R::TTL, R::SLIDING)), record: PhantomData }
    }
}

/// For generated code.
#[doc(hidden)]
impl<R, E> Record<R, E> {
    pub fn field<T, F>(&mut self, field: &FieldCodec<T>) -> Field<'_, E, T, F> {
        Field::declared(&mut self.hash, field)
    }
}

impl<R: RedisHash, E> Record<R, E> {
    fn reach<E2>(&self, executor: E2) -> R::Hash<E2> {
        Record { hash: self.hash.on(executor), record: PhantomData }.into()
    }

    /// The same record on a blocking connection: operations return `Result<T, Error>`.
    ///
    /// It takes whatever implements [`redis::ConnectionLike`], by mutable reference or by value. No I/O.
    pub fn on<C: ConnectionLike>(&self, con: C) -> R::Hash<Blocking<C>> {
        self.reach(Blocking::new(con))
    }

    /// The same record on an async connection that can be cloned: operations return futures that borrow nothing.
    ///
    /// No I/O.
    #[cfg(feature = "tokio-comp")]
    pub fn on_async<C>(&self, con: C) -> R::Hash<crate::Async<C>>
    where
        C: redis::aio::ConnectionLike + Clone + Send + 'static,
    {
        self.reach(crate::Async::new(con))
    }

    /// The same record on an async connection that cannot be cloned, such as `&mut *guard` of a pool: one operation at
    /// a time.
    ///
    /// No I/O.
    #[cfg(feature = "tokio-comp")]
    pub fn on_exclusive<'c, C>(&self, con: &'c mut C) -> R::Hash<crate::Exclusive<'c, C>>
    where
        C: redis::aio::ConnectionLike + Send,
    {
        self.reach(crate::Exclusive::new(con))
    }

    /// Sets how large a value this accessor stores, in bytes; 64 MiB if nothing is said. What is read is not limited.
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

    /// The Redis key. Empty if it was made with an empty id.
    #[must_use]
    pub fn key(&self) -> &str {
        self.hash.key.check().unwrap_or_default()
    }
}

impl<R, E> Record<R, E>
where
    R: RedisHash + Send + 'static,
    E: Executor,
{
    fn load<T: Send + 'static>(&mut self, decode: Decode<T>) -> E::Output<'_, T> {
        let request = Request::hmget(&self.hash.key, R::FIELDS.iter().map(|field| field.name));
        self.hash.read(request, decode)
    }

    /// Reads the whole record: `None` where none of its fields is stored.
    ///
    /// One `HMGET` of its own fields, O(number of fields). Absent fields are `None` or their default; fields in Redis
    /// that the struct does not have are ignored.
    ///
    /// # Errors
    ///
    /// [`MissingField`](Error::MissingField) if a required field is absent and others are there, and the errors of
    /// [`Field::get`].
    pub fn get_all(&mut self) -> E::Output<'_, Option<R>> {
        self.load(|reply, _| {
            let mut fields = RecordReader::new::<R>(reply)?;
            if fields.all_absent() { Ok(None) } else { R::read(&mut fields).map(Some) }
        })
    }

    /// Reads the whole record, made of its defaults where nothing is stored.
    ///
    /// One `HMGET`, O(number of fields). It exists where every field is an `Option` or has a default.
    ///
    /// # Errors
    ///
    /// Those of [`Field::get`].
    pub fn get_or_default(&mut self) -> E::Output<'_, R>
    where
        R: DefaultedHash,
    {
        self.load(|reply, _| R::read(&mut RecordReader::new::<R>(reply)?))
    }

    /// Reads what is stored of the record, without defaults: each field is `None` where it is absent.
    ///
    /// One `HMGET`, O(number of fields).
    ///
    /// # Errors
    ///
    /// Those of [`Field::get`].
    pub fn get_partial(&mut self) -> E::Output<'_, R::Partial>
    where
        R::Partial: Send + 'static,
    {
        self.load(|reply, _| R::read_partial(&mut RecordReader::new::<R>(reply)?))
    }

    /// Reads several fields, as a tuple of what their [`get`](Field::get) would return.
    ///
    /// One `HMGET`, O(number of fields that are read).
    ///
    /// ```
    /// use redis_hashmap::RedisHash;
    ///
    /// #[derive(RedisHash)]
    /// struct UserSettings {
    ///     theme: String,
    ///     #[redis_hash(default = 14)]
    ///     font_size: u8,
    ///     nick: Option<String>,
    /// }
    /// # let mut con = redis_hashmap_tests::connection()?;
    /// # let key = redis_hashmap_tests::key();
    ///
    /// let mut settings = UserSettings::at(&*key).on(&mut con);
    /// settings.theme().set("dark")?;
    /// let (theme, font_size) = settings.get_many(|field| (field.theme, field.font_size))?; // HMGET key theme font_size
    /// assert_eq!((theme.as_deref(), font_size), (Some("dark"), 14));
    /// # settings.clear()?;
    /// # Ok::<(), redis_hashmap_tests::AnyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Field::get`].
    pub fn get_many<S: Selection>(&mut self, select: impl FnOnce(R::Fields) -> S) -> E::Output<'_, S::Output> {
        let selection = select(R::NAMED);
        let request = self.hash.reads(Request::hmget(&self.hash.key, selection.names().into_iter()));
        self.hash.executor.execute(Command::selecting(request, move |reply| {
            let names = selection.names().len();
            selection.read(&mut RecordReader { values: reply.values(names)?, index: 0 })
        }))
    }

    fn write_of(&self, record: &R) -> Result<Write, Error> {
        let mut write = self.hash.write_of(R::FIELDS.len(), size_of::<R>())?;
        record.write(&mut write)?;
        Ok(write.keeping())
    }

    /// Stores the whole record: sets its fields and removes those that are `None`, in one step for every other client.
    ///
    /// `HSET`, O(number of fields); where some fields are `None`, where the record or a field declares a time to live, a
    /// script that calls `HSET` and `HDEL`, and where all are `None`, `HDEL`. Fields in Redis that the struct does not
    /// have are kept. A time to live of the record stays as it is, or is renewed if it is declared; a field that expires
    /// keeps its time if its bytes do not change.
    ///
    /// # Errors
    ///
    /// [`Refused`](Error::Refused) or [`TooLarge`](Error::TooLarge) if a value cannot be stored; then nothing is sent.
    /// [`Unsupported`](Error::Unsupported) if a field expires and the server cannot do that; then nothing is written.
    pub fn set_all(&mut self, record: &R) -> E::Output<'_, ()> {
        let ttl = self.hash.expiry.on_write;
        let request = self.write_of(record).map(|write| write.finish("set_all", ttl));
        self.hash.run(request, |reply, _| reply.done())
    }

    /// Stores the whole record if there is none: true if it was stored.
    ///
    /// A script, O(number of fields), that asks `EXISTS` first. A record of which any field is stored, even one that the
    /// struct does not have, is there.
    ///
    /// # Errors
    ///
    /// As [`set_all`](Self::set_all).
    pub fn create(&mut self, record: &R) -> E::Output<'_, bool> {
        let write = self.write_of(record);
        self.hash.write_if("create", Must::NotExist, write)
    }

    /// Stores the whole record if there is one already: true if it was stored.
    ///
    /// A script, O(number of fields), that asks `EXISTS` first. Times to live are kept as by [`set_all`](Self::set_all).
    ///
    /// # Errors
    ///
    /// As [`set_all`](Self::set_all).
    pub fn replace(&mut self, record: &R) -> E::Output<'_, bool> {
        let write = self.write_of(record);
        self.hash.write_if("replace", Must::Exist, write)
    }

    fn patch_of(&self, patch: &R::Patch) -> Result<Write, Error> {
        let mut write = self.hash.write_of(4, size_of::<R>())?;
        R::write_patch(patch, &mut write)?;
        Ok(write)
    }

    /// Writes the fields that the patch sets or clears, and no other, in one step for every other client.
    ///
    /// `HSET` or `HDEL`, O(number of those fields); where it does both, or a time to live is declared, a script. A field
    /// that expires gets its declared time anew, as by [`Field::set`]. It does not ask whether there is a record, and can
    /// make an incomplete one: see [`patch_if_present`](Self::patch_if_present). An empty patch writes nothing (it sends
    /// `EXISTS`).
    ///
    /// # Errors
    ///
    /// As [`set_all`](Self::set_all).
    pub fn patch(&mut self, patch: &R::Patch) -> E::Output<'_, ()> {
        let ttl = self.hash.expiry.on_write;
        let request = self.patch_of(patch).map(|write| write.finish("patch", ttl));
        self.hash.run(request, |reply, _| reply.done())
    }

    /// As [`patch`](Self::patch), if there is a record: true if there is.
    ///
    /// A script, O(number of fields that the patch writes), that asks `EXISTS` first.
    ///
    /// # Errors
    ///
    /// As [`set_all`](Self::set_all).
    pub fn patch_if_present(&mut self, patch: &R::Patch) -> E::Output<'_, bool> {
        let write = self.patch_of(patch);
        self.hash.write_if("patch_if_present", Must::Exist, write)
    }

    /// When the record expires.
    ///
    /// `PTTL`, O(1). It does not count as a read of a sliding record.
    pub fn ttl(&mut self) -> E::Output<'_, Ttl> {
        self.hash.ttl()
    }

    /// Has the record expire after `ttl`: false if there is none. A declared time replaces it at the next write.
    ///
    /// `PEXPIRE`, O(1).
    ///
    /// # Errors
    ///
    /// [`Expiry`](Error::Expiry) if `ttl` is zero or beyond 1,114 years; then nothing is sent.
    pub fn expire_in(&mut self, ttl: Duration) -> E::Output<'_, bool> {
        self.hash.expire_in(ttl)
    }

    /// Has the record expire at a point in time: false if there is none. A time that has passed removes it at once.
    ///
    /// `PEXPIREAT`, O(1).
    ///
    /// # Errors
    ///
    /// As [`expire_in`](Self::expire_in).
    pub fn expire_at(&mut self, at: SystemTime) -> E::Output<'_, bool> {
        self.hash.expire_at(at)
    }

    /// Has the record stay: true if it would have expired. A declared time is back with the next write.
    ///
    /// `PERSIST`, O(1).
    pub fn persist(&mut self) -> E::Output<'_, bool> {
        self.hash.persist()
    }

    /// The names of all stored fields, in no order, those that the struct does not have included.
    ///
    /// `HKEYS`, O(number of fields).
    ///
    /// # Errors
    ///
    /// [`FieldName`](Error::FieldName) if a name is not UTF-8.
    pub fn get_fields(&mut self) -> E::Output<'_, Vec<String>> {
        let request = Request::hkeys(&self.hash.key);
        self.hash.run(request, names)
    }

    /// True if the key exists, that is if any field is stored (or if it holds another Redis type).
    ///
    /// `EXISTS`, O(1).
    pub fn exists(&mut self) -> E::Output<'_, bool> {
        let request = Request::exists(&self.hash.key);
        self.hash.run(request, |reply, _| reply.flag())
    }

    /// The number of stored fields, those that the struct does not have included.
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

impl<R: RedisHash + Send + 'static, E: Executor> Record<R, E> {
    /// Reads the record, changes it, and writes the fields that have changed, if they still are what was read; else once
    /// more, up to the [limit of attempts](Self::set_attempt_limit). Returns the new record; `None` where there is none,
    /// and then `change` is not called.
    ///
    /// `HMGET`, then a script: two round trips, two more for each conflict. Only the fields that `change` has changed are
    /// written and guarded: two updates that touch different fields never conflict, and what `change` only reads can have
    /// changed meanwhile. Where `change` changes nothing, nothing is written.
    ///
    /// `change` can be called several times, each time with the record as it is then. If it panics, nothing is written.
    ///
    /// ```
    /// use redis_hashmap::RedisHash;
    ///
    /// #[derive(RedisHash, Debug, PartialEq)]
    /// struct Account { balance: i64, owner: String }
    /// # let mut con = redis_hashmap_tests::connection()?;
    /// # let key = redis_hashmap_tests::key();
    ///
    /// let mut account = Account::at(&*key).on(&mut con);
    /// account.set_all(&Account { balance: 100, owner: "Ann".to_owned() })?;
    /// let account = account.update(|account| account.balance -= 30)?;
    /// assert_eq!(account.map(|account| account.balance), Some(70));
    /// # Ok::<(), redis_hashmap_tests::AnyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`get_all`](Self::get_all) and [`set_all`](Self::set_all), and [`Conflict`](Error::Conflict) if others changed
    /// the same fields in each attempt.
    pub fn update<'a, 'f, C>(&'a mut self, mut change: C) -> E::Driven<'a, 'f, Result<Option<R>, Error>>
    where
        E: Connected,
        C: FnMut(&mut R) + Send + 'f,
        'f: 'a,
        R: 'f,
    {
        self.try_update(move |record| {
            change(record);
            Ok(())
        })
    }

    /// The same with a `change` that can refuse: its error is returned, and nothing is written.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update), and what `change` returns.
    pub fn try_update<'a, 'f, C, X>(&'a mut self, change: C) -> E::Driven<'a, 'f, Result<Option<R>, X>>
    where
        E: Connected,
        C: FnMut(&mut R) -> Result<(), X> + Send + 'f,
        X: From<Error> + Send + 'f,
        'f: 'a,
        R: 'f,
    {
        let whole = Whole { hash: self.hash.on(()), absent: Some(|| None), record: PhantomData };
        self.hash.executor.drive(Update::new(whole, change))
    }

    /// As [`update`](Self::update), with the record made of its defaults where there is none. It exists where every field
    /// is an `Option` or has a default.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn update_or_default<'a, 'f, C>(&'a mut self, mut change: C) -> E::Driven<'a, 'f, Result<R, Error>>
    where
        E: Connected,
        C: FnMut(&mut R) + Send + 'f,
        'f: 'a,
        R: DefaultedHash + 'f,
    {
        self.try_update_or_default(move |record| {
            change(record);
            Ok(())
        })
    }

    /// The same with a `change` that can refuse: its error is returned, and nothing is written.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update), and what `change` returns.
    pub fn try_update_or_default<'a, 'f, C, X>(&'a mut self, change: C) -> E::Driven<'a, 'f, Result<R, X>>
    where
        E: Connected,
        C: FnMut(&mut R) -> Result<(), X> + Send + 'f,
        X: From<Error> + Send + 'f,
        'f: 'a,
        R: DefaultedHash + 'f,
    {
        let whole = Whole::<R, R> { hash: self.hash.on(()), absent: None, record: PhantomData };
        self.hash.executor.drive(Update::new(whole, change))
    }
}

/// Reads the fields of a record, in the order in which they are declared. For generated code.
pub struct RecordReader<'a> {
    values: Values<'a>,
    index: usize,
}

#[expect(clippy::missing_errors_doc, reason = "generated code hands the errors on")]
impl<'a> RecordReader<'a> {
    pub(crate) fn new<R: RedisHash>(reply: Reply<'a>) -> Result<Self, Error> {
        Ok(Self { values: reply.values(R::FIELDS.len())?, index: 0 })
    }

    pub(crate) fn all_absent(&self) -> bool {
        self.values.all_absent()
    }

    /// The next field, where it is stored.
    pub fn option<T>(&mut self, field: &FieldCodec<T>) -> Result<Option<T>, Error> {
        let index = self.index;
        self.index += 1;
        let Some(stored) = self.values.next()? else { return Ok(None) };
        (field.decode)(&stored).map(Some).map_err(|fault| Error::at(fault, self.values.place(index)))
    }

    /// The next field, which must be stored.
    pub fn required<T>(&mut self, field: &FieldCodec<T>) -> Result<T, Error> {
        self.option(field)?.ok_or_else(|| self.missing())
    }

    /// The next field, or its default.
    pub fn defaulted<T>(&mut self, field: &FieldCodec<T>) -> Result<T, Error> {
        match (self.option(field)?, field.default) {
            (Some(value), _) => Ok(value),
            (None, Some(default)) => Ok(default()),
            (None, None) => Err(self.missing()),
        }
    }

    /// The field that was read last is not there.
    pub(crate) fn missing(&self) -> Error {
        Error::MissingField { place: self.values.place(self.index - 1) }
    }
}
