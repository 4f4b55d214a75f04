//! How a field is stored: as bincode, as text or as a counter, with a default and a time to live or without.

use std::borrow::Cow;
use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::fault::Fault;
use crate::format as codec;
use crate::format::asked_kind::asks_for_anything_first;
use crate::format::past::{Known, read_converted, read_encoded};
use crate::format::shape::Shape;
use crate::kind::Kind;

/// A field that is stored as bincode, with its kind and shape. This is the default.
#[derive(Debug, Clone, Copy)]
pub struct Bincode;

/// A field that is stored as plain text, for other programs to read and write: `#[redis_hash(text)]`.
#[derive(Debug, Clone, Copy)]
pub struct Text;

/// A field with a default, which `get` returns where the field is absent, instead of an `Option`.
#[derive(Debug, Clone, Copy)]
pub struct Defaulted<F = Bincode>(F);

/// A field that can expire: `#[redis_hash(ttl = "5m")]`, and every entry of a map.
#[derive(Debug, Clone, Copy)]
pub struct Expiring<F = Bincode>(F);

/// A counter: an `i64` that Redis itself adds to, stored in decimal digits. `#[redis_hash(counter)]` makes a field one,
/// and `HashMap::<K, Counter>::typed(key)` is a map of them.
///
/// ```
/// use redis_hashmap::{Counter, HashMap};
/// # let mut con = redis_hashmap_tests::connection()?;
/// # let key = redis_hashmap_tests::key();
///
/// let visits = HashMap::<String, Counter>::typed(&*key).on(&mut con);
/// assert_eq!(visits.increment("/index.html", 1)?, 1);   // HINCRBY key /index.html 1
/// assert_eq!(visits.increment("/index.html", 2)?, 3);
/// assert_eq!(visits.get("/index.html")?, Some(3));      // HGET key /index.html
/// # visits.clear()?;
/// # Ok::<(), redis_hashmap_tests::AnyError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Counter;

/// A type that can be a counter: `i64`, as in Redis.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` cannot be a counter",
    label = "a counter is an `i64`, or an `Option` of one",
    note = "Redis counts in 64 bits with a sign (`HINCRBY`): declare the field as an `i64`"
)]
pub trait Countable: sealed::Countable {
    #[doc(hidden)]
    fn from_count(count: i64) -> Self;

    #[doc(hidden)]
    fn count(&self) -> i64;
}

impl Countable for i64 {
    fn from_count(count: i64) -> Self {
        count
    }

    fn count(&self) -> i64 {
        *self
    }
}

/// The format of a field that counts.
#[diagnostic::on_unimplemented(
    message = "this field is not a counter, so Redis cannot add to it",
    label = "`increment` needs a counter",
    note = "declare the field as an `i64` with `#[redis_hash(counter)]`, or the map as a `HashMap<K, Counter>`; or use \
            `update`, which works on every field"
)]
pub trait Counts: sealed::Sealed {}
impl Counts for Counter {}
impl<F: Counts> Counts for Defaulted<F> {}
impl<F: Counts> Counts for Expiring<F> {}

/// The format of a field that can expire.
#[diagnostic::on_unimplemented(
    message = "this field does not expire by itself",
    label = "this needs a field with a declared time to live",
    note = "declare it with `#[redis_hash(ttl = \"5m\")]`, so that `set_all` knows that it expires; every entry of a \
            `HashMap` can expire, and so can a record as a whole (`expire_in` on the accessor itself)"
)]
pub trait Expires: sealed::Sealed {}
impl<F> Expires for Expiring<F> {}

/// How a field of type `T` is stored: [`Bincode`], [`Text`] or [`Counter`], with a default ([`Defaulted`]) or without,
/// with a time to live ([`Expiring`]) or without.
pub trait Format<T>: sealed::Sealed {
    /// What `get` returns.
    type Get: Send + 'static;

    /// What `get` returns for a field that is there.
    #[doc(hidden)]
    fn found(value: T) -> Self::Get;

    /// The function that makes what `get` returns for a field that is absent.
    #[doc(hidden)]
    fn absent(default: Option<fn() -> T>) -> Option<fn() -> Self::Get>;

    #[doc(hidden)]
    fn decode(stored: &[u8]) -> Result<T, Fault>;

    /// Reads a value that is not one of today's type, but one that the field has held before. `fault` is why it is not.
    #[doc(hidden)]
    fn older(known: &Known<'_>, stored: &[u8], fault: Fault) -> Result<T, Fault>;

    /// True if the field can expire by itself.
    #[doc(hidden)]
    const EXPIRES: bool = false;

    /// The kind whose stored values all decode, if there is one.
    #[doc(hidden)]
    fn readable_kind() -> Option<Kind> {
        None
    }
}

/// Writes a `Q` into a field of type `T`.
pub trait FormatOf<T: ?Sized, Q: ?Sized>: sealed::Sealed {
    #[doc(hidden)]
    type Plan;

    #[doc(hidden)]
    fn plan(value: &Q, limit: usize) -> Result<Self::Plan, Fault>;

    #[doc(hidden)]
    fn planned_len(plan: &Self::Plan) -> usize;

    #[doc(hidden)]
    fn write(value: &Q, plan: &Self::Plan, out: impl io::Write) -> Result<(), Fault>;
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Format<T> for Bincode {
    type Get = Option<T>;

    #[inline]
    fn found(value: T) -> Option<T> {
        Some(value)
    }

    #[inline]
    fn absent(_: Option<fn() -> T>) -> Option<fn() -> Option<T>> {
        Some(|| None)
    }

    #[inline]
    fn decode(stored: &[u8]) -> Result<T, Fault> {
        codec::decode(stored)
    }

    fn older(known: &Known<'_>, stored: &[u8], fault: Fault) -> Result<T, Fault> {
        read_encoded(known, stored, fault)
    }

    fn readable_kind() -> Option<Kind> {
        codec::readable_kind::<T>()
    }
}

impl<T, Q> FormatOf<T, Q> for Bincode
where
    T: Serialize + DeserializeOwned + Send + 'static,
    Q: Serialize + StoredAs<T> + ?Sized,
{
    type Plan = Shape;

    #[inline]
    fn plan(value: &Q, limit: usize) -> Result<Shape, Fault> {
        let shape = codec::plan(value, limit)?;
        if asks_for_anything_first::<T>() {
            return Err(codec::asks_for_whatever_is_there::<T>());
        }
        if cfg!(debug_assertions) {
            codec::verify::<T, Q>(value, &shape)?;
        }
        Ok(shape)
    }

    #[inline]
    fn planned_len(plan: &Shape) -> usize {
        plan.len()
    }

    #[inline]
    fn write(value: &Q, plan: &Shape, out: impl io::Write) -> Result<(), Fault> {
        codec::write(value, plan, out)
    }
}

impl<T: FromStr + Send + 'static> Format<T> for Text {
    type Get = Option<T>;

    fn found(value: T) -> Option<T> {
        Some(value)
    }

    #[inline]
    fn absent(_: Option<fn() -> T>) -> Option<fn() -> Option<T>> {
        Some(|| None)
    }

    fn decode(stored: &[u8]) -> Result<T, Fault> {
        codec::from_text(stored)
    }

    fn older(known: &Known<'_>, stored: &[u8], fault: Fault) -> Result<T, Fault> {
        read_converted(known, stored, fault)
    }
}

impl<T, Q> FormatOf<T, Q> for Text
where
    T: FromStr + Send + 'static,
    Q: Display + StoredAs<T> + ?Sized,
{
    type Plan = String;

    fn plan(value: &Q, limit: usize) -> Result<String, Fault> {
        let text = codec::text(value, limit)?;
        if cfg!(debug_assertions) && codec::from_text::<T>(text.as_bytes()).is_err() {
            return Err(Fault::Unreadable {
                written: std::any::type_name::<T>(),
                problem: "its FromStr does not accept what its Display writes".to_owned(),
            });
        }
        Ok(text)
    }

    fn planned_len(plan: &String) -> usize {
        plan.len()
    }

    fn write(_: &Q, plan: &String, out: impl io::Write) -> Result<(), Fault> {
        write_text::<T>(plan, out)
    }
}

impl<T: Countable + Send + 'static> Format<T> for Counter {
    type Get = Option<T>;

    fn found(value: T) -> Option<T> {
        Some(value)
    }

    fn absent(_: Option<fn() -> T>) -> Option<fn() -> Option<T>> {
        Some(|| None)
    }

    fn decode(stored: &[u8]) -> Result<T, Fault> {
        codec::count(stored).map(T::from_count).ok_or(Fault::NotACounter)
    }

    fn older(known: &Known<'_>, stored: &[u8], fault: Fault) -> Result<T, Fault> {
        read_converted(known, stored, fault)
    }
}

impl<T: Countable + Send + 'static> FormatOf<T, T> for Counter {
    type Plan = String;

    fn plan(value: &T, _: usize) -> Result<String, Fault> {
        Ok(value.count().to_string())
    }

    fn planned_len(plan: &String) -> usize {
        plan.len()
    }

    fn write(_: &T, plan: &String, out: impl io::Write) -> Result<(), Fault> {
        write_text::<T>(plan, out)
    }
}

impl<T: Send + 'static, F: Format<T>> Format<T> for Defaulted<F> {
    type Get = T;

    #[inline]
    fn found(value: T) -> T {
        value
    }

    #[inline]
    fn absent(default: Option<fn() -> T>) -> Option<fn() -> T> {
        default
    }

    #[inline]
    fn decode(stored: &[u8]) -> Result<T, Fault> {
        F::decode(stored)
    }

    fn older(known: &Known<'_>, stored: &[u8], fault: Fault) -> Result<T, Fault> {
        F::older(known, stored, fault)
    }

    fn readable_kind() -> Option<Kind> {
        F::readable_kind()
    }
}

impl<T: Send + 'static, F: Format<T>> Format<T> for Expiring<F> {
    type Get = F::Get;

    const EXPIRES: bool = true;

    #[inline]
    fn found(value: T) -> F::Get {
        F::found(value)
    }

    #[inline]
    fn absent(default: Option<fn() -> T>) -> Option<fn() -> F::Get> {
        F::absent(default)
    }

    #[inline]
    fn decode(stored: &[u8]) -> Result<T, Fault> {
        F::decode(stored)
    }

    fn older(known: &Known<'_>, stored: &[u8], fault: Fault) -> Result<T, Fault> {
        F::older(known, stored, fault)
    }

    fn readable_kind() -> Option<Kind> {
        F::readable_kind()
    }
}

/// Implements [`FormatOf`] for a format that stores as another one does.
macro_rules! stores_as {
    ($outer:ident<$param:ident $(: $bound:path)?>, $inner:ty) => {
        impl<T: ?Sized, Q: ?Sized, $param $(: $bound)?> $crate::format::storage::FormatOf<T, Q> for $outer<$param>
        where
            $inner: $crate::format::storage::FormatOf<T, Q>,
        {
            type Plan = <$inner as $crate::format::storage::FormatOf<T, Q>>::Plan;

            #[inline]
            fn plan(value: &Q, limit: usize) -> Result<Self::Plan, $crate::error::fault::Fault> {
                <$inner>::plan(value, limit)
            }

            #[inline]
            fn planned_len(plan: &Self::Plan) -> usize {
                <$inner>::planned_len(plan)
            }

            #[inline]
            fn write(value: &Q, plan: &Self::Plan, out: impl std::io::Write) -> Result<(), $crate::error::fault::Fault> {
                <$inner>::write(value, plan, out)
            }
        }
    };
}

pub(crate) use stores_as;

stores_as! { Defaulted<F>, F }
stores_as! { Expiring<F>, F }

fn write_text<T>(text: &str, mut out: impl io::Write) -> Result<(), Fault> {
    out.write_all(text.as_bytes()).map_err(|_| Fault::Refused {
        written: std::any::type_name::<T>(),
        problem: "the command's buffer refused it".to_owned(),
    })
}

pub(crate) mod sealed {
    use super::{Arc, Cow, Path, PathBuf};

    pub trait Sealed {}
    impl Sealed for super::Bincode {}
    impl Sealed for super::Text {}
    impl Sealed for super::Counter {}
    impl<F> Sealed for super::Defaulted<F> {}
    impl<F> Sealed for super::Expiring<F> {}

    pub trait Countable {}
    impl Countable for i64 {}

    pub trait StoredAs<T: ?Sized> {}
    impl<T: ?Sized> StoredAs<T> for T {}
    impl StoredAs<String> for str {}
    impl StoredAs<Box<str>> for str {}
    impl StoredAs<Arc<str>> for str {}
    impl StoredAs<Cow<'_, str>> for str {}
    impl<T> StoredAs<Vec<T>> for [T] {}
    impl<T> StoredAs<Box<[T]>> for [T] {}
    impl<T> StoredAs<Arc<[T]>> for [T] {}
    impl<T: Clone> StoredAs<Cow<'_, [T]>> for [T] {}
    impl StoredAs<PathBuf> for Path {}
}

/// A type that can be written where a `T` is stored: `T` itself, or one with the same stored form, such as `str` for
/// `String`.
///
/// [`Borrow`](std::borrow::Borrow) would accept too much: an array can be borrowed as a slice, but it is stored as a
/// tuple, and the slice as a seq.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` is not stored as a `{T}`",
    label = "expected a `{T}`, found a `{Self}`",
    note = "`set` takes a reference to the field's own type: `str` for a `String`, `[T]` for a `Vec<T>`, and for an \
            `Option<T>` field the `T` in it (`delete` makes it `None`)"
)]
pub trait StoredAs<T: ?Sized>: sealed::StoredAs<T> {}

// Not in a macro: rustc shows these lines to whoever passes another type.
impl<T: ?Sized> StoredAs<T> for T {}
impl StoredAs<String> for str {}
impl StoredAs<Box<str>> for str {}
impl StoredAs<Arc<str>> for str {}
impl StoredAs<Cow<'_, str>> for str {}
impl<T> StoredAs<Vec<T>> for [T] {}
impl<T> StoredAs<Box<[T]>> for [T] {}
impl<T> StoredAs<Arc<[T]>> for [T] {}
impl<T: Clone> StoredAs<Cow<'_, [T]>> for [T] {}
impl StoredAs<PathBuf> for Path {}
