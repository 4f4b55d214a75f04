//! Operations that read before they write, on records, fields and map entries: `update`, `take`, `compare_and_set`, …
//!
//! Each takes several steps, which `run/` carries out.

use std::fmt::Display;
use std::future::ready;
use std::marker::PhantomData;

use crate::accessor::field::Field;
use crate::accessor::map::HashMap;
use crate::accessor::map_value::{Holds, MapValue};
use crate::accessor::record::Record;
use crate::command::redis_hash::{DefaultedHash, RedisHash};
use crate::error::Error;
use crate::format::given::ToStored;
use crate::format::storage::{Format, FormatOf, StoredAs};
use crate::run::get_or_insert::get_or_insert;
use crate::run::subject::{Absence, OneField, WholeRecord};
use crate::run::take::take;
use crate::run::update::update;
use crate::run::write_if::write_if;
use crate::run::{Connected, Executor};

impl<R: RedisHash + Send + 'static, E: Executor> Record<R, E> {
    /// Reads the record, changes it, and writes the changed fields. Returns the new record.
    ///
    /// Returns `None` where no record is stored; then `change` is not called. `HMGET`, then a script: two round trips.
    /// The script writes only if the changed fields are still stored as they were read. Otherwise there is a conflict,
    /// and everything starts over, up to the [limit of attempts](crate::HashKey::set_attempt_limit): two more round
    /// trips each.
    ///
    /// Only the fields that `change` changes are written and guarded. Two updates of different fields never conflict,
    /// but what `change` only reads can have changed meanwhile. Where `change` changes nothing, nothing is written.
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
    /// let account = Account::at(&*key).on(&mut con);
    /// account.set_all(&Account { balance: 100, owner: "Ann".to_owned() })?;
    /// let account = account.update(|account| account.balance -= 30)?;
    /// assert_eq!(account.map(|account| account.balance), Some(70));
    /// # Ok::<(), redis_hashmap_tests::AnyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`get_all`](Self::get_all) and [`set_all`](Self::set_all), and
    /// [`Conflict`](Error::Conflict) if others changed the same fields in each attempt.
    pub fn update<'a, 'f, C>(&'a self, mut change: C) -> E::Driven<'a, 'f, Result<Option<R>, Error>>
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

    /// Updates the record like [`update`](Self::update). If `change` returns an error, nothing is written.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`update`](Self::update) and of `change`.
    pub fn try_update<'a, 'f, C, X>(&'a self, change: C) -> E::Driven<'a, 'f, Result<Option<R>, X>>
    where
        E: Connected,
        C: FnMut(&mut R) -> Result<(), X> + Send + 'f,
        X: From<Error> + Send + 'f,
        'f: 'a,
        R: 'f,
    {
        self.drive_update(Absence::Returns(|| None), change)
    }

    /// Updates the record like [`update`](Self::update). Where none is stored, changes one made of its defaults.
    ///
    /// Fields that keep their default are not written. Available where every field is an `Option` or has a default.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`update`](Self::update).
    pub fn update_or_default<'a, 'f, C>(&'a self, mut change: C) -> E::Driven<'a, 'f, Result<R, Error>>
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

    /// Updates the record like [`update_or_default`](Self::update_or_default). If `change` returns an error, nothing is
    /// written.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`update`](Self::update) and of `change`.
    pub fn try_update_or_default<'a, 'f, C, X>(&'a self, change: C) -> E::Driven<'a, 'f, Result<R, X>>
    where
        E: Connected,
        C: FnMut(&mut R) -> Result<(), X> + Send + 'f,
        X: From<Error> + Send + 'f,
        'f: 'a,
        R: DefaultedHash + 'f,
    {
        self.drive_update(Absence::Defaults, change)
    }

    fn drive_update<'a, 'f, O, C, X>(&'a self, absence: Absence<O>, change: C) -> E::Driven<'a, 'f, Result<O, X>>
    where
        E: Connected,
        C: FnMut(&mut R) -> Result<(), X> + Send + 'f,
        X: From<Error> + Send + 'f,
        O: From<R> + Send + 'f,
        'f: 'a,
        R: 'f,
    {
        let record = WholeRecord { target: self.target.clone(), absence, record: PhantomData };
        self.executor.drive(|mailbox| update(mailbox, record, change))
    }
}

impl<'a, E, T, F> Field<'a, E, T, F>
where
    E: Executor,
    T: Send + 'static,
    F: Format<T> + FormatOf<T, T>,
{
    /// Reads the value, changes it, and stores it. Returns the new value.
    ///
    /// `HMGET`, or `HGETEX` where each write lets the field expire, then a script: two round trips. The script stores the
    /// value only if the field is still stored as it was read. Otherwise everything starts over, up to the accessor's
    /// [limit of attempts](crate::HashKey::set_attempt_limit): two more round trips each.
    ///
    /// Where the field is absent and has no default, returns `None` and does not call `change`. A value that `change`
    /// leaves unchanged is not written. A declared time to live is given anew; an entry of a map keeps the one that it
    /// has.
    ///
    /// `change` can be called several times. If it panics, nothing is written.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`get`](Self::get) and [`set`](Self::set), and [`Conflict`](crate::Error::Conflict) if
    /// others changed the field in each attempt.
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

    /// Updates the value like [`update`](Self::update). If `change` returns an error, nothing is written.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`update`](Self::update) and of `change`.
    pub fn try_update<'f, C, X>(self, change: C) -> E::Driven<'a, 'f, Result<F::Get, X>>
    where
        E: Connected,
        C: FnMut(&mut T) -> Result<(), X> + Send + 'f,
        X: From<Error> + Send + 'f,
        'f: 'a,
        T: 'f,
        F: 'f,
    {
        let field = self.owned();
        self.hash.executor.drive(|mailbox| update(mailbox, field, change))
    }

    /// Reads the field and removes it. Returns what [`get`](Self::get) would return.
    ///
    /// What cannot be read is not removed. For a number, `bool`, `char` or `String`, the stored kind says that it can
    /// be read: a script with `HGET` and `HDEL`, O(1), one round trip. Anything else has to be decoded first, and so
    /// does a counter or a text field: `HMGET`, then a script that removes it if it is still stored as it was read.
    /// That takes two round trips, and two more for each conflict.
    ///
    /// If the reply does not arrive, the value can be gone, as with Redis's own `HGETDEL`.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`get`](Self::get), and [`Conflict`](crate::Error::Conflict) if others changed the field
    /// in each attempt.
    pub fn take<'f>(self) -> E::Driven<'a, 'f, Result<F::Get, Error>>
    where
        E: Connected,
        'f: 'a,
        T: 'f,
        F: 'f,
    {
        let field = self.owned();
        self.hash.executor.drive(|mailbox| take(mailbox, field))
    }

    /// Stores `new` if the field holds `expected`. Returns true if it was stored.
    ///
    /// An absent field holds its default; without a default it equals nothing. `HMGET`, then a script: two round trips.
    ///
    /// `PartialEq` compares the values, since two equal `HashMap`s can differ in their bytes. The script then guards
    /// the bytes that were read. A declared time to live is given anew; an entry of a map keeps the one that it has.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`get`](Self::get) and [`set`](Self::set), and [`Conflict`](crate::Error::Conflict) if
    /// others stored equal values in other bytes in each attempt.
    pub fn compare_and_set<'f, P, V>(self, expected: &'f P, new: V) -> E::Driven<'a, 'f, Result<bool, Error>>
    where
        E: Connected,
        T: PartialEq<P> + 'f,
        P: Sync + ?Sized,
        V: ToStored<T>,
        F: FormatOf<T, V::As> + 'f,
        'f: 'a,
    {
        let field = self.owned();
        let change = field.ttl_of_change().and_then(|ttl| field.change(new, ttl));
        let is_expected = move |current: &T| *current == *expected;
        self.hash.executor.drive(|mailbox| write_if(mailbox, field, is_expected, "compare_and_set", change))
    }

    /// Removes the field if `judge` returns true for its value. Returns true if it was removed.
    ///
    /// `HMGET`, then a script that removes it if it is still stored as it was read: two round trips, two more for each
    /// conflict. Where the field is absent, `judge` is not called.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`get`](Self::get), and [`Conflict`](crate::Error::Conflict) if others changed the field
    /// in each attempt.
    pub fn delete_if<'f, J>(self, judge: J) -> E::Driven<'a, 'f, Result<bool, Error>>
    where
        E: Connected,
        J: FnMut(&T) -> bool + Send + 'f,
        'f: 'a,
        T: 'f,
        F: 'f,
    {
        // A default is not stored, so it cannot be removed.
        let field = OneField { default: None, ..self.owned() };
        let removal = field.removal();
        self.hash.executor.drive(|mailbox| write_if(mailbox, field, judge, "delete_if", removal))
    }

    /// Reads the value. Where the field is absent, makes a value, stores it and returns it.
    ///
    /// If another client stores a value first, returns that one. `HMGET`; where the field is absent, a script too. A
    /// declared default does not count as a value. Where the value is to expire, the first step is `HGETEX`, which fails on a
    /// server that cannot do that: `make` is not called for nothing.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`get`](Self::get) and [`set`](Self::set), and [`Conflict`](crate::Error::Conflict) if the
    /// value of another client came first in each attempt and was gone again when it was read.
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

    /// Does what [`get_or_insert_with`](Self::get_or_insert_with) does. If `make` returns an error, nothing is written.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`get_or_insert_with`](Self::get_or_insert_with) and of `make`.
    pub fn get_or_try_insert_with<'f, M, X>(self, make: M) -> E::Driven<'a, 'f, Result<T, X>>
    where
        E: Connected,
        M: FnOnce() -> Result<T, X> + Send + 'f,
        X: From<Error> + Send + 'f,
        'f: 'a,
        T: 'f,
        F: 'f,
    {
        let field = self.owned();
        self.hash.executor.drive(|mailbox| get_or_insert(mailbox, field, || ready(make())))
    }
}

#[cfg(feature = "tokio-comp")]
impl<T, F, C> Field<'_, crate::run::asynchronous::Async<C>, T, F>
where
    C: redis::aio::ConnectionLike + Clone + Send + 'static,
    T: Send + 'static,
    F: Format<T> + FormatOf<T, T> + 'static,
{
    /// Does what [`get_or_try_insert_with`](Self::get_or_try_insert_with) does, with a `make` that returns a future.
    ///
    /// `HMGET` (or `HGETEX`); where the field is absent, a script after `make`. Nothing is locked meanwhile: other clients can make a
    /// value too, and all of them get the one that is stored first.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`get_or_insert_with`](Self::get_or_insert_with) and of `make`.
    pub fn get_or_try_insert_with_async<'f, M, R, X>(self, make: M) -> impl Future<Output = Result<T, X>> + Send + 'f
    where
        M: FnOnce() -> R + Send + 'f,
        R: Future<Output = Result<T, X>> + Send + 'f,
        X: From<Error> + Send + 'f,
    {
        let field = self.owned();
        self.hash.executor.drive(|mailbox| get_or_insert(mailbox, field, make))
    }
}

impl<K, V: MapValue, E: Executor> HashMap<K, V, E> {
    /// Reads a value, changes it, and stores it by [`Field::update`]. Returns the new value.
    ///
    /// Returns `None` where the field is absent; then `change` is not called. `HMGET`, then a script: two round trips,
    /// two more for each conflict. An [`entry`](Self::entry) has `try_update` too, whose `change` can fail.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Field::update`].
    pub fn update<'a, 'f, T, C>(
        &'a self,
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

    /// Stores `new` if the field holds `expected`. Returns true if it was stored.
    ///
    /// `HMGET`, then a script: two round trips. See [`Field::compare_and_set`]. A map of [`Any`](crate::Any) has to be
    /// told the type: `map.entry::<String>("theme").compare_and_set("dark", "light")`.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Field::compare_and_set`].
    pub fn compare_and_set<'a, 'f, T, P, W>(
        &'a self,
        field: &(impl StoredAs<K> + Display + ?Sized),
        expected: &'f P,
        new: W,
    ) -> E::Driven<'a, 'f, Result<bool, Error>>
    where
        E: Connected,
        V: Holds<T, Format: FormatOf<T, T> + FormatOf<T, W::As>>,
        W: ToStored<T>,
        V::Format: 'f,
        T: PartialEq<P> + Send + 'static,
        P: Sync + ?Sized,
        'f: 'a,
    {
        self.entry(field).compare_and_set(expected, new)
    }

    /// Reads a value and removes it. Returns `None` where the field is absent.
    ///
    /// For a number, `bool`, `char` or `String`, a script with `HGET` and `HDEL`: one round trip. For anything else,
    /// `HMGET`, then a script. What cannot be read is not removed: see [`Field::take`].
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Field::take`].
    pub fn take<'a, 'f, T>(
        &'a self,
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

    /// Removes a field if `judge` returns true for its value. Returns true if it was removed.
    ///
    /// `HMGET`, then a script: two round trips, two more for each conflict. See [`Field::delete_if`].
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Field::delete_if`].
    pub fn delete_if<'a, 'f, T, J>(
        &'a self,
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

    /// Reads a value. Where the field is absent, makes a value, stores it and returns it.
    ///
    /// If another client stores a value first, returns that one. `HMGET`; where the field is absent, a script too. An
    /// [`entry`](Self::entry) has `get_or_try_insert_with` too, whose `make` can fail, and `with_ttl`.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Field::get_or_insert_with`].
    pub fn get_or_insert_with<'a, 'f, T, M>(
        &'a self,
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
