use std::fmt;
use std::marker::PhantomData;

use crate::executor::Executor;
use crate::format::{Bincode, Format, FormatOf};
use crate::hash::Hash;

/// One field of a record: what the accessor's method for it hands out.
///
/// `T` is the type in the field; for an `Option<T>` field the `T` in it. `F` says how it is stored and what stands for
/// it where it is absent.
///
/// ```
/// use redis_hashmap::RedisHash;
///
/// #[derive(RedisHash)]
/// struct UserSettings {
///     theme: String,
///     #[redis_hash(default = 14)]
///     font_size: u8,
/// }
/// # let mut con = redis_hashmap_tests::connection()?;
/// # let key = redis_hashmap_tests::key();
///
/// let mut settings = UserSettings::at(&*key).on(&mut con);
/// assert!(settings.theme().set("dark")?);                        // HSET key theme …: true, the field is new
/// assert_eq!(settings.theme().get()?.as_deref(), Some("dark"));  // HGET key theme
/// assert_eq!(settings.font_size().get()?, 14);                   // HGET key font_size: its default
/// assert!(settings.theme().exists()?);                           // HEXISTS key theme
/// assert!(settings.theme().delete()?);                           // HDEL key theme: true, it was there
/// # Ok::<(), redis_hashmap_tests::AnyError>(())
/// ```
#[must_use = "a field does nothing by itself: call `get`, `set`, `delete` or `exists`"]
pub struct Field<'a, E, T, F = Bincode> {
    hash: &'a mut Hash<E>,
    name: &'static str,
    default: Option<fn() -> T>,
    format: PhantomData<F>,
}

impl<'a, E, T, F> Field<'a, E, T, F> {
    pub(crate) fn new(hash: &'a mut Hash<E>, name: &'static str, default: Option<fn() -> T>) -> Self {
        Self { hash, name, default, format: PhantomData }
    }

    /// The name of the field in Redis.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }
}

impl<'a, E: Executor, T, F: Format<T>> Field<'a, E, T, F> {
    /// Reads the field: `None` where it is absent, or its declared default.
    ///
    /// `HGET`, O(1).
    ///
    /// # Errors
    ///
    /// [`WrongType`](crate::Error::WrongType) or [`OtherShape`](crate::Error::OtherShape) if something else is stored,
    /// [`Foreign`](crate::Error::Foreign) or [`Damaged`](crate::Error::Damaged) if no value of this library is.
    pub fn get(self) -> E::Output<'a, F::Get> {
        self.hash.get::<T, F>(self.name, F::absent(self.default))
    }

    /// Stores a value: true if the field is new, false if it was overwritten.
    ///
    /// `HSET`, O(1). It takes the field's type, or what is stored as one: `"dark"` for a `String`, a slice for a `Vec`.
    ///
    /// # Errors
    ///
    /// [`Refused`](crate::Error::Refused) or [`TooLarge`](crate::Error::TooLarge) if the value cannot be stored; then
    /// nothing is sent.
    pub fn set<Q: ?Sized>(self, value: &Q) -> E::Output<'a, bool>
    where
        F: FormatOf<T, Q>,
    {
        self.hash.set::<T, F, Q>(self.name, value)
    }

    /// Removes the field: true if it was there.
    ///
    /// `HDEL`, O(1).
    pub fn delete(self) -> E::Output<'a, bool> {
        self.hash.delete(self.name)
    }

    /// True if the field is stored. A default does not count.
    ///
    /// `HEXISTS`, O(1).
    pub fn exists(self) -> E::Output<'a, bool> {
        self.hash.exists(self.name)
    }
}

impl<E, T, F> fmt::Debug for Field<'_, E, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({:?} of {:?})", self.name, self.hash.key)
    }
}
