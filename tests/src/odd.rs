//! Odd records that are public, so that rustdoc and the lints for public items see what is generated of them.
//! `odd/lints.rs` runs them.

#![deny(
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    missing_docs,
    unreachable_pub,
    unused,
    unused_results,
    unused_qualifications,
    missing_copy_implementations,
    missing_debug_implementations,
    single_use_lifetimes,
    unused_lifetimes,
    warnings
)]

use redis_hashmap::RedisHash;

/// A public record, all of whose fields can be copied.
#[derive(RedisHash, Debug, Clone, Copy, PartialEq)]
pub struct Copied {
    /// One.
    pub one: u8,
    /// Two.
    pub two: Option<f64>,
}

/// Fields with the names of methods of std.
#[derive(RedisHash, Debug, Clone, PartialEq, Eq, Default)]
pub struct Conventional {
    /// A field.
    pub new: u8,
    /// A field.
    pub len: u64,
    /// A field.
    pub iter: Vec<u8>,
    /// A field.
    pub add: Option<u8>,
    /// A field.
    pub not: Option<bool>,
    /// A field.
    pub next: Option<String>,
    /// A field.
    pub borrow: Option<String>,
    /// A field.
    pub hash: Option<String>,
    /// A field.
    pub eq: Option<bool>,
    /// A field.
    pub deref: Option<bool>,
    /// A field.
    pub neg: u8,
    /// A field.
    pub is_admin: bool,
    /// A field.
    pub to_text: String,
    /// A field.
    pub into_text: String,
    /// A field.
    pub as_text: String,
    /// A field.
    pub from_text: String,
    /// A field.
    pub from_str: String,
    /// A field.
    pub to_string: String,
    /// A field.
    pub iter_mut: Option<Vec<u8>>,
    /// A field.
    pub drop: u8,
    /// A field.
    pub default_: u8,
    /// A field.
    pub r#type: u8,
    /// A field.
    #[redis_hash(rename = "a `b`\n[c] <d>")]
    pub odd_name: u8,
    /// A field.
    pub large: [u64; 32],
}

/// A record whose documentation has links.
#[derive(RedisHash, Debug, Clone, Copy, PartialEq, Eq)]
pub struct Linked {
    /// Beside [`Self::language`], at most [`Self::MOST`]; checked by [`check`](Self::check) of a [`Self`], and
    /// see [the constant][most], [`Linked::check`] and [the other](#structfield.language).
    ///
    /// [most]: Self::MOST
    ///
    /// ```
    /// struct Code(u8);
    /// impl Code {
    ///     const MOST: u8 = 1;
    ///     fn new() -> Self {
    ///         Self(Self::MOST)
    ///     }
    /// }
    /// assert_eq!(Code::new().0, 1);
    /// ```
    pub theme: u8,
    #[doc = "Not [`Self::theme`], nor [a method](method@Self::check)."]
    #[doc(alias = "tongue")]
    pub language: Option<u8>,
}

impl Linked {
    /// A limit.
    pub const MOST: u8 = 3;

    /// Looks at [`Self::theme`].
    #[must_use]
    pub const fn check(&self) -> bool {
        self.theme <= Self::MOST
    }
}

/// A derive of std has this name too.
#[derive(RedisHash)]
#[allow(missing_debug_implementations)]
pub struct Hash<T> {
    /// See [`Self::value`] and [Self].
    pub value: T,
}

/// Nobody should see this.
#[doc(hidden)]
#[derive(RedisHash, Debug, Clone, Copy)]
pub struct Hidden {
    pub a: u8,
}

/// A record with a field that nobody should see.
#[derive(RedisHash, Debug, Clone, Copy)]
pub struct Partly {
    /// One.
    pub a: u8,
    #[doc(hidden)]
    pub b: Option<u8>,
}
