use std::fmt::{self, Display};
use std::marker::PhantomData;

use redis::ConnectionLike;

use crate::command::{Command, Decode, FieldCodec, RecordWriter, Request};
use crate::error::Error;
use crate::executor::{Blocking, Deferred, Executor};
use crate::field::Field;
use crate::format::Defaulted;
use crate::hash::Hash;
use crate::key::{Key, Template};
use crate::map::names;
use crate::reply::{Reply, Values};

/// A struct that is stored as a Redis hash, one field in each hash field. Implemented by `#[derive(RedisHash)]`.
pub trait RedisHash: Sized {
    /// The fields, in the order in which they are declared; the ones marked `skip` are not among them.
    const FIELDS: &'static [FieldInfo];

    /// The accessor, `UserSettingsHash<E>` for a `UserSettings`.
    type Hash<E>: From<Record<Self, E>>;

    /// The record with every field optional, `UserSettingsPartial` for a `UserSettings`.
    type Partial;

    #[doc(hidden)]
    fn write(&self, out: &mut RecordWriter) -> Result<(), Error>;

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
}

impl FieldInfo {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(name: &'static str, presence: Presence) -> Self {
        Self { name, presence }
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
        Self { hash: Hash::new(Key::new(key)), record: PhantomData }
    }

    pub fn of(template: Template, ids: &[&dyn Display]) -> Self {
        Self { hash: Hash::new(template.fill(ids)), record: PhantomData }
    }
}

/// For generated code.
#[doc(hidden)]
impl<R, E> Record<R, E> {
    pub fn field<T, F>(&mut self, field: &FieldCodec<T>) -> Field<'_, E, T, F> {
        Field::new(&mut self.hash, field.name, None)
    }

    pub fn field_or<T, F>(&mut self, field: &FieldCodec<T>, default: fn() -> T) -> Field<'_, E, T, Defaulted<F>> {
        Field::new(&mut self.hash, field.name, Some(default))
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
        self.hash.executor.execute(Command::new(request, decode))
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
            if fields.values.all_absent() { Ok(None) } else { R::read(&mut fields).map(Some) }
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

    /// Stores the whole record: sets its fields and removes those that are `None`, in one step for every other client.
    ///
    /// `HSET`, O(number of fields); where some fields are `None`, a script that calls `HSET` and `HDEL`, and where all
    /// are, `HDEL`. Fields in Redis that the struct does not have are kept.
    ///
    /// # Errors
    ///
    /// [`Refused`](Error::Refused) or [`TooLarge`](Error::TooLarge) if a value cannot be stored; then nothing is sent.
    pub fn set_all(&mut self, record: &R) -> E::Output<'_, ()> {
        let request = RecordWriter::new(&self.hash.key, R::FIELDS.len(), size_of::<R>(), self.hash.value_limit)
            .and_then(|mut writer| record.write(&mut writer).map(|()| writer.finish()));
        self.hash.run(request, |reply, _| reply.done())
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

/// Reads the fields of a record, in the order in which they are declared. For generated code.
pub struct RecordReader<'a> {
    values: Values<'a>,
    index: usize,
}

#[expect(clippy::missing_errors_doc, reason = "generated code hands the errors on")]
impl<'a> RecordReader<'a> {
    fn new<R: RedisHash>(reply: Reply<'a>) -> Result<Self, Error> {
        Ok(Self { values: reply.values(R::FIELDS.len())?, index: 0 })
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
        let index = self.index;
        self.option(field)?.ok_or_else(|| Error::MissingField { place: self.values.place(index) })
    }

    /// The next field, or its default.
    pub fn defaulted<T>(&mut self, field: &FieldCodec<T>, default: fn() -> T) -> Result<T, Error> {
        Ok(self.option(field)?.unwrap_or_else(default))
    }
}
