//! Records: the operations on a struct as a whole.

use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use redis::ConnectionLike;

use crate::accessor::field::Field;
use crate::accessor::get_many::Selection;
use crate::accessor::hash_key::HashKey;
use crate::accessor::names::names;
use crate::command::changes::{Changes, HashCondition};
use crate::command::key::{Key, Template};
use crate::command::named_field::NamedField;
use crate::command::patch_writer::PatchWriter;
use crate::command::redis::{exists, hkeys, hmget, hmget_declared, write_changes};
use crate::command::redis_hash::{
    DefaultedHash, PlainPatch, RecordReader, RedisHash, read_fields, read_partial, read_record,
};
use crate::command::reply::{applied, done, flag};
use crate::command::target::Target;
use crate::command::ttl::Expiry;
use crate::command::{Command, Read};
use crate::error::Error;
use crate::run::blocking::Blocking;
use crate::run::{Deferred, Executor};

/// The operations on a record as a whole.
///
/// Each accessor that `#[derive(RedisHash)]` generates dereferences to this type. `UserSettings::at(key)` makes an
/// accessor without a connection, and so does `UserSettings::of(id)` where the struct declares its key.
/// [`on`](Self::on) gives it a connection. Making it does no I/O and cannot fail: the first operation reports an empty
/// key or id.
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
/// let settings = UserSettings::of(&key).on(&mut con);
/// assert_eq!(settings.get_all()?, None);                                                    // HMGET
/// settings.set_all(&UserSettings { theme: "dark".to_owned(), font_size: Some(14) })?;       // HSET
/// assert_eq!(settings.get_fields()?.len(), 2);                                              // HKEYS
/// assert_eq!(settings.size()?, 2);                                                          // HLEN
/// assert!(settings.clear()?);                                                               // DEL
/// # Ok::<(), redis_hashmap_tests::AnyError>(())
/// ```
pub struct Record<R, E = Deferred> {
    hash: HashKey<E>,
    record: PhantomData<fn() -> R>,
}

impl<R, E: Clone> Clone for Record<R, E> {
    fn clone(&self) -> Self {
        Self { hash: self.hash.clone(), record: PhantomData }
    }
}

impl<R, E: fmt::Debug> fmt::Debug for Record<R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record<{}>({:?}, {:?})", std::any::type_name::<R>(), self.target.key, self.executor)
    }
}

impl<R, E> Deref for Record<R, E> {
    type Target = HashKey<E>;

    fn deref(&self) -> &HashKey<E> {
        &self.hash
    }
}

impl<R, E> DerefMut for Record<R, E> {
    fn deref_mut(&mut self) -> &mut HashKey<E> {
        &mut self.hash
    }
}

/// For generated code.
#[doc(hidden)]
impl<R: RedisHash> Record<R> {
    pub fn at(key: impl Into<String>) -> Self {
        Self::new(Target::new(Key::new(key), Expiry::declared(R::TTL, R::SLIDING)), Deferred)
    }

    pub fn of(template: Template, ids: &[&dyn Display]) -> Self {
        Self::new(Target::new(template.fill(ids), Expiry::declared(R::TTL, R::SLIDING)), Deferred)
    }
}

/// For generated code.
#[doc(hidden)]
impl<R, E> Record<R, E> {
    pub fn new(target: Target, executor: E) -> Self {
        Self { hash: HashKey { target, executor }, record: PhantomData }
    }

    pub fn field<T, F>(&self, field: &NamedField<T, F>) -> Field<'_, E, T, F> {
        Field::declared(&self.hash, field)
    }
}

impl<R: RedisHash, E> Record<R, E> {
    fn reach<E2>(&self, executor: E2) -> R::Hash<E2> {
        R::accessor(self.target.clone(), executor)
    }

    /// Returns the record with `ttl` in place of its declared time to live, for a time that is known only at run time.
    ///
    /// Each write gives it to the record in the same step, and each read of a value too, if the record is `sliding`. No I/O.
    /// An accessor whose connection cannot be cloned is given its connection afterwards: `at(key).with_ttl(ttl).on(con)`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use redis_hashmap::RedisHash;
    ///
    /// #[derive(RedisHash)]
    /// struct Session { user: String }
    /// # let con = redis_hashmap_tests::connection()?;
    /// # let key = redis_hashmap_tests::key();
    ///
    /// let session = Session::at(&*key).with_ttl(Duration::from_secs(600)).on(con);
    /// assert!(session.create(&Session { user: "ann".to_owned() })?);    // a script: EXISTS, HSET, PEXPIRE
    /// assert!(session.ttl()?.remaining().is_some());                    // PTTL
    /// # session.clear()?;
    /// # Ok::<(), redis_hashmap_tests::AnyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A `ttl` of zero or beyond 1,114 years is reported by each operation ([`Expiry`](Error::Expiry)), which sends nothing.
    #[must_use]
    pub fn with_ttl(&self, ttl: Duration) -> R::Hash<E>
    where
        E: Clone,
    {
        R::accessor(self.target.clone().with_ttl(ttl), self.executor.clone())
    }

    /// Returns the record on a blocking connection. Its operations return `Result<T, Error>`.
    ///
    /// It takes whatever implements [`redis::ConnectionLike`], by mutable reference or by value. No I/O.
    pub fn on<C: ConnectionLike>(&self, con: C) -> R::Hash<Blocking<C>> {
        self.reach(Blocking::new(con))
    }

    /// Returns the record on an async connection that can be cloned. Its operations return futures that borrow nothing.
    ///
    /// No I/O.
    #[cfg(feature = "tokio-comp")]
    pub fn on_async<C>(&self, con: C) -> R::Hash<crate::run::asynchronous::Async<C>>
    where
        C: redis::aio::ConnectionLike + Clone + Send + 'static,
    {
        self.reach(crate::run::asynchronous::Async::new(con))
    }

    /// Returns the record on an async connection that cannot be cloned, such as `&mut *guard` of a pool.
    ///
    /// It runs one operation at a time. No I/O.
    #[cfg(feature = "tokio-comp")]
    pub fn on_exclusive<'c, C>(&self, con: &'c mut C) -> R::Hash<crate::run::asynchronous::Exclusive<'c, C>>
    where
        C: redis::aio::ConnectionLike + Send,
    {
        self.reach(crate::run::asynchronous::Exclusive::new(con))
    }
}

impl<R, E> Record<R, E>
where
    R: RedisHash + Send + 'static,
    E: Executor,
{
    fn load<T: Send + 'static>(&self, read: Read<T>) -> E::Output<'_, T> {
        self.run(hmget_declared(&self.target, R::FIELDS), read)
    }

    /// Reads the whole record. Returns `None` where none of its fields is stored.
    ///
    /// One `HMGET` of its own fields, O(number of fields). An absent field is `None` or its default. Fields in Redis
    /// that the struct does not have are ignored.
    ///
    /// # Errors
    ///
    /// Returns [`MissingField`](Error::MissingField) if a required field is absent while another field is stored, and
    /// the errors of [`Field::get`]. If several fields cannot be read, the error is [`Fields`](Error::Fields), which has
    /// them all.
    pub fn get_all(&self) -> E::Output<'_, Option<R>> {
        self.load(|reply| {
            let values = reply.values()?;
            if values.all_absent() { Ok(None) } else { read_record(&values).map(Some) }
        })
    }

    /// Reads the whole record. Where nothing is stored, returns one made of its defaults.
    ///
    /// One `HMGET`, O(number of fields). Available where every field is an `Option` or has a default.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Field::get`].
    pub fn get_or_default(&self) -> E::Output<'_, R>
    where
        R: DefaultedHash,
    {
        self.load(|reply| read_record(&reply.values()?))
    }

    /// Reads what is stored of the record, without defaults. An absent field is `None`.
    ///
    /// One `HMGET`, O(number of fields).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Field::get`].
    pub fn get_partial(&self) -> E::Output<'_, R::Partial>
    where
        R::Partial: Send + 'static,
    {
        self.load(|reply| read_partial::<R>(&reply.values()?))
    }

    /// Reads the whole record, each field by itself: its value, or why it cannot be read. Returns `None` where none of its
    /// fields is stored.
    ///
    /// One `HMGET`, O(number of fields). One bad field does not hide the others. A required field that is absent is an
    /// error of that field.
    ///
    /// ```
    /// use redis_hashmap::{Error, RedisHash};
    ///
    /// #[derive(RedisHash)]
    /// struct UserSettings {
    ///     theme: String,
    ///     font_size: Option<u8>,
    /// }
    /// # let mut con = redis_hashmap_tests::connection()?;
    /// # let key = redis_hashmap_tests::key();
    ///
    /// redis::cmd("HSET").arg(&*key).arg("font_size").arg("14 pt").exec(&mut con)?;   // by another program
    /// let settings = UserSettings::at(&*key).on(&mut con);
    /// settings.theme().set("dark")?;
    /// let each = settings.get_each()?.ok_or("nothing is stored")?;                   // HMGET key theme font_size
    /// assert_eq!(each.theme.as_deref().ok(), Some("dark"));
    /// assert!(matches!(each.font_size, Err(Error::Foreign { .. })));
    /// assert_eq!(each.errors().len(), 1);
    /// # settings.clear()?;
    /// # Ok::<(), redis_hashmap_tests::AnyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Only errors of the command as a whole.
    pub fn get_each(&self) -> E::Output<'_, Option<R::Each>>
    where
        R::Each: Send + 'static,
    {
        self.load(|reply| {
            let values = reply.values()?;
            Ok((!values.all_absent()).then(|| R::read_each(&mut RecordReader::new(&values))))
        })
    }

    /// Reads several fields, as a tuple of what their [`get`](Field::get) would return.
    ///
    /// One `HMGET`, O(number of fields read).
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
    /// let settings = UserSettings::at(&*key).on(&mut con);
    /// settings.theme().set("dark")?;
    /// let (theme, font_size) = settings.get_many(|field| (field.theme, field.font_size))?; // HMGET key theme …
    /// assert_eq!((theme.as_deref(), font_size), (Some("dark"), 14));
    /// # settings.clear()?;
    /// # Ok::<(), redis_hashmap_tests::AnyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Field::get`].
    pub fn get_many<S: Selection>(&self, select: impl FnOnce(R::Fields) -> S) -> E::Output<'_, S::Output> {
        let selection = select(R::NAMED);
        let request = hmget(&self.target, selection.names());
        self.executor.execute(Command::selecting(request, move |reply| {
            read_fields(&reply.values()?, |fields| selection.read(fields))
        }))
    }

    fn changes_to(&self, record: &R) -> Result<Changes, Error> {
        let mut changes = self.target.changes(R::FIELDS.len(), size_of::<R>())?;
        record.write(&mut changes)?;
        Ok(changes.keeping_unchanged())
    }

    fn changes_of(&self, patch: &R::Patch) -> Result<Changes, Error> {
        let mut patched = PatchWriter::new(self.target.changes(4, size_of::<R>())?, None);
        R::write_patch(patch, &mut patched)?;
        Ok(patched.changes)
    }

    fn write(&self, operation: &'static str, changes: Result<Changes, Error>) -> E::Output<'_, ()> {
        let request = changes.and_then(|changes| write_changes(&self.target, operation, changes));
        self.run(request, done)
    }

    fn write_if(
        &self,
        condition: HashCondition,
        operation: &'static str,
        changes: Result<Changes, Error>,
    ) -> E::Output<'_, bool> {
        let changes = changes.map(|changes| changes.only_if(condition));
        let request = changes.and_then(|changes| write_changes(&self.target, operation, changes));
        self.run(request, applied)
    }

    /// Stores the whole record, in one step for every other client.
    ///
    /// It sets the fields and removes those that are `None`. `HSET`, O(number of fields), or `HDEL` where all fields
    /// are `None`. Where only some are, or where the record or a field declares a time to live, a script calls `HSET`
    /// and `HDEL` (and `HSETEX`, `PEXPIRE`).
    ///
    /// Fields in Redis that the struct does not have are kept. A declared time to live of the record is renewed;
    /// another one stays. A field that declares a time to live keeps the remaining one if its bytes do not change.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Field::set`], for any of the fields.
    pub fn set_all(&self, record: &R) -> E::Output<'_, ()> {
        self.write("set_all", self.changes_to(record))
    }

    /// Stores the whole record if it does not exist. Returns true if it was stored.
    ///
    /// A script that asks `EXISTS` first, O(number of fields). A record exists if any field is stored at its key, even
    /// one that the struct does not have.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`set_all`](Self::set_all).
    pub fn create(&self, record: &R) -> E::Output<'_, bool> {
        self.write_if(HashCondition::Absent, "create", self.changes_to(record))
    }

    /// Stores the whole record if it exists already. Returns true if it was stored.
    ///
    /// A script that asks `EXISTS` first, O(number of fields). It treats other fields and times to live like
    /// [`set_all`](Self::set_all).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`set_all`](Self::set_all).
    pub fn replace(&self, record: &R) -> E::Output<'_, bool> {
        self.write_if(HashCondition::Present, "replace", self.changes_to(record))
    }

    /// Writes the fields that the patch sets or clears, and no others, in one step for every other client.
    ///
    /// `HSET` or `HDEL`, O(number of those fields). Where the patch needs both, or a time to live is declared, a
    /// script. A field that the patch sets gets its declared time to live anew, even if its bytes do not change. An
    /// empty patch writes nothing and renews nothing (it sends `EXISTS`).
    ///
    /// A record with fields that are merged has [`merge`](Self::merge) instead.
    ///
    /// It does not ask whether the record exists, and can make an incomplete one:
    /// [`patch_if_present`](Self::patch_if_present) cannot.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`set_all`](Self::set_all).
    pub fn patch(&self, patch: &R::Patch) -> E::Output<'_, ()>
    where
        R: PlainPatch,
    {
        self.write("patch", self.changes_of(patch))
    }

    /// Does what [`patch`](Self::patch) does, if the record exists. Returns true if it exists.
    ///
    /// A script that asks `EXISTS` first, O(number of fields that the patch writes).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`set_all`](Self::set_all).
    pub fn patch_if_present(&self, patch: &R::Patch) -> E::Output<'_, bool>
    where
        R: PlainPatch,
    {
        self.write_if(HashCondition::Present, "patch_if_present", self.changes_of(patch))
    }

    /// Returns the names of all stored fields as they are stored, in no particular order, including those that the struct does
    /// not have. A field that still lies under an alias has that name.
    ///
    /// `HKEYS`, O(number of fields).
    ///
    /// # Errors
    ///
    /// [`FieldName`](Error::FieldName) if a name is not UTF-8.
    pub fn get_fields(&self) -> E::Output<'_, Vec<String>> {
        self.run(hkeys(&self.target), names)
    }

    /// Returns true if the key exists, that is, if any field is stored (or if the key holds another Redis type).
    ///
    /// `EXISTS`, O(1).
    pub fn exists(&self) -> E::Output<'_, bool> {
        self.run(exists(&self.target), flag)
    }
}
