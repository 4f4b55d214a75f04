//! Values as callers give them to `set` and to a patch: by value, by reference, or as what is stored alike.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::format::any::{Any, ReadsBack};
use crate::format::value::Value;

/// What `set` takes where a `T` is stored: a `T`, a `&T`, or a reference to what is stored like one, such as `&str` for a
/// `String` and `&[T]` for a `Vec<T>`.
///
/// ```
/// use redis_hashmap::HashMap;
/// # let con = redis_hashmap_tests::connection()?;
/// # let key = redis_hashmap_tests::key();
///
/// let sizes = HashMap::<String, u8>::typed(&*key).on(con);
/// let size = 14;
/// sizes.set("font", size)?;
/// sizes.set("font", &size)?;
/// # sizes.clear()?;
/// # Ok::<(), redis_hashmap_tests::AnyError>(())
/// ```
///
/// A map of values of any kind takes every type that [reads back](ReadsBack) by reference, and those of std by value.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` cannot be set where a `{T}` is stored",
    label = "expected a `{T}`, found a `{Self}`",
    note = "`set` takes the field's own type or a reference to it, `&str` for a `String`, `&[T]` for a `Vec<T>`, and for an \
            `Option<T>` field the `T` in it (`delete` makes it `None`)",
    note = "a map of values of any kind takes a type of your own by reference, as in `set(\"profile\", &profile)`"
)]
pub trait ToStored<T: ?Sized> {
    /// The type whose stored form is written: that of a `T`.
    type As: ?Sized;

    /// The value as it is written.
    fn to_stored(&self) -> &Self::As;
}

impl<T> ToStored<T> for T {
    type As = T;

    #[inline]
    fn to_stored(&self) -> &T {
        self
    }
}

impl<T: ?Sized> ToStored<T> for &T {
    type As = T;

    #[inline]
    fn to_stored(&self) -> &T {
        self
    }
}

/// Implements [`ToStored`] for references to what is stored like an owned type.
macro_rules! stored_alike {
    ($(impl $({$($params:tt)*})? $owned:ty, from $as:ty;)*) => {
        $(impl $(<$($params)*>)? ToStored<$owned> for &$as {
            type As = $as;

            #[inline]
            fn to_stored(&self) -> &$as {
                self
            }
        })*
    };
}

stored_alike! {
    impl String, from str;
    impl Box<str>, from str;
    impl Arc<str>, from str;
    impl Cow<'_, str>, from str;
    impl {T} Vec<T>, from [T];
    impl {T} Box<[T]>, from [T];
    impl {T} Arc<[T]>, from [T];
    impl {T: Clone} Cow<'_, [T]>, from [T];
    impl PathBuf, from Path;
}

impl<T, const N: usize> ToStored<Vec<T>> for &[T; N] {
    type As = [T];

    #[inline]
    fn to_stored(&self) -> &[T] {
        *self
    }
}

impl<T, const N: usize> ToStored<Vec<T>> for [T; N] {
    type As = [T];

    #[inline]
    fn to_stored(&self) -> &[T] {
        self
    }
}

impl<Q: ReadsBack + ?Sized> ToStored<Any> for &Q {
    type As = Q;

    #[inline]
    fn to_stored(&self) -> &Q {
        self
    }
}

/// Implements [`ToStored`] for what a map of any kind takes by value.
///
/// A `T: DeserializeOwned` would be all of them, but the compiler could not tell it from a reference: serde reads `&str`.
macro_rules! any_by_value {
    ($($({$($params:tt)*})? $owned:ty;)*) => {
        $(impl $(<$($params)*>)? ToStored<Any> for $owned {
            type As = Self;

            #[inline]
            fn to_stored(&self) -> &Self {
                self
            }
        })*
    };
}

any_by_value! {
    ();
    bool;
    char;
    i8;
    i16;
    i32;
    i64;
    i128;
    isize;
    u8;
    u16;
    u32;
    u64;
    u128;
    usize;
    f32;
    f64;
    String;
    PathBuf;
    Duration;
    Value;
    {T} Option<T>;
    {T} Vec<T>;
    {T} VecDeque<T>;
    {T} BTreeSet<T>;
    {T, S} HashSet<T, S>;
    {K, T} BTreeMap<K, T>;
    {K, T, S} HashMap<K, T, S>;
    {T, const N: usize} [T; N];
    {A, B} (A, B);
    {A, B, C} (A, B, C);
    {A, B, C, D} (A, B, C, D);
}

/// What the builder of a patch takes for a `T`: a `T`, or what it can be made of, such as `&T`, `&str` for a `String` and
/// `&[T]` for a `Vec<T>`. For an optional field the `T` is an `Option`, and `None` clears the field.
#[diagnostic::on_unimplemented(
    message = "a patch cannot set a `{T}` to a `{Self}`",
    label = "expected a `{T}`, found a `{Self}`",
    note = "a patch takes the field's own type or a reference to it, `&str` for a `String` and `&[T]` for a `Vec<T>`; for an \
            `Option<T>` field also `None`, which clears it"
)]
pub trait IntoValue<T> {
    /// Makes the value, by cloning what is only referred to.
    fn into_value(self) -> T;
}

impl<T> IntoValue<T> for T {
    fn into_value(self) -> T {
        self
    }
}

impl<T> IntoValue<Option<T>> for T {
    fn into_value(self) -> Option<T> {
        Some(self)
    }
}

impl<T: Clone> IntoValue<T> for &T {
    fn into_value(self) -> T {
        self.clone()
    }
}

impl<T: Clone> IntoValue<Option<T>> for &T {
    fn into_value(self) -> Option<T> {
        Some(self.clone())
    }
}

/// Implements [`IntoValue`] for references to what an owned type can be made of.
macro_rules! made_of {
    ($(impl $({$($params:tt)*})? $owned:ty, from $given:ty;)*) => {
        $(
            impl $(<$($params)*>)? IntoValue<$owned> for $given {
                fn into_value(self) -> $owned {
                    self.into()
                }
            }

            impl $(<$($params)*>)? IntoValue<Option<$owned>> for $given {
                fn into_value(self) -> Option<$owned> {
                    Some(self.into())
                }
            }
        )*
    };
}

made_of! {
    impl String, from &str;
    impl Box<str>, from &str;
    impl Arc<str>, from &str;
    impl Cow<'static, str>, from &'static str;
    impl {T: Clone} Vec<T>, from &[T];
    impl {T: Clone} Box<[T]>, from &[T];
    impl {T: Clone} Arc<[T]>, from &[T];
    impl {T: Clone, const N: usize} Vec<T>, from &[T; N];
    impl {T, const N: usize} Vec<T>, from [T; N];
    impl PathBuf, from &Path;
    impl PathBuf, from &str;
}
