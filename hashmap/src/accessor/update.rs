//! Operations of records, fields and map entries that read before they write: `update`, `take`, `compare_and_set`, …
//!
//! They take several steps, which are in `run/`.

use std::fmt::Display;
use std::future::ready;
use std::marker::PhantomData;

use crate::accessor::field::Field;
use crate::accessor::map::HashMap;
use crate::accessor::map_value::{Holds, MapValue};
use crate::accessor::record::Record;
use crate::command::redis_hash::{DefaultedHash, RedisHash};
use crate::error::Error;
use crate::format::storage::{Format, FormatOf, StoredAs};
use crate::run::get_or_insert::get_or_insert;
use crate::run::subject::{Absence, OneField, WholeRecord};
use crate::run::take::take;
use crate::run::update::update;
use crate::run::write_if::write_if;
use crate::run::{Connected, Executor};

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
    /// let account = Account::at(&*key).on(&mut con);
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

    /// The same with a `change` that can refuse: its error is returned, and nothing is written.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update), and what `change` returns.
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

    /// As [`update`](Self::update), with the record made of its defaults where there is none. It exists where every field
    /// is an `Option` or has a default.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
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

    /// The same with a `change` that can refuse: its error is returned, and nothing is written.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update), and what `change` returns.
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
        let field = self.owned();
        self.hash.executor.drive(|mailbox| update(mailbox, field, change))
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
        let field = self.owned();
        self.hash.executor.drive(|mailbox| take(mailbox, field))
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
        let field = self.owned();
        let change = field.ttl_of_change().and_then(|ttl| field.change(new, ttl));
        let is_expected = move |current: &T| *current == *expected;
        self.hash.executor.drive(|mailbox| write_if(mailbox, field, is_expected, "compare_and_set", change))
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
        // A default is nothing that could be removed.
        let field = OneField { default: None, ..self.owned() };
        let removal = field.removal();
        self.hash.executor.drive(|mailbox| write_if(mailbox, field, judge, "delete_if", removal))
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
    /// As [`get_or_try_insert_with`](Self::get_or_try_insert_with), with a `make` that takes its time: a future.
    ///
    /// `HMGET`; where the field is absent, a script after `make`. It holds nothing meanwhile: others can make one too, and
    /// the first that is stored is everybody's.
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
        let field = self.owned();
        self.hash.executor.drive(|mailbox| get_or_insert(mailbox, field, make))
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

    /// Stores `new` if the field holds `expected`: true if it was stored.
    ///
    /// `HMGET`, then a script: two round trips. See [`Field::compare_and_set`]. In a map of [`Any`] the type has to be said:
    /// `map.entry::<String>("theme").compare_and_set("dark", "light")`.
    ///
    /// # Errors
    ///
    /// As [`Field::compare_and_set`].
    pub fn compare_and_set<'a, 'f, T, P, Q>(
        &'a self,
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

    /// Removes a field if its value is one to remove, and it still is what was read: true if it was removed.
    ///
    /// `HMGET`, then a script: two round trips, two more for each conflict. See [`Field::delete_if`].
    ///
    /// # Errors
    ///
    /// As [`Field::delete_if`].
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

    /// Reads a value; where there is none, makes one and stores it, unless somebody else was faster: then theirs.
    ///
    /// `HMGET`; where the field is absent, a script too. [`entry`](Self::entry) has `get_or_try_insert_with`, whose `make`
    /// can fail, and `with_ttl`.
    ///
    /// # Errors
    ///
    /// As [`Field::get_or_insert_with`].
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
