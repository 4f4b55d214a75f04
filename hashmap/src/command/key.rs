//! Redis keys: given in full, or made of a template and ids.

use std::fmt::{self, Display, Write as _};
use std::sync::Arc;

use crate::error::Error;

/// The key of a hash, or why there is none. Constructors neither fail nor do I/O, so the first operation reports it.
#[derive(Clone)]
pub(crate) enum Key {
    Valid(Arc<str>),
    EmptyId(Template, &'static str),
}

impl Key {
    pub(crate) fn new(key: impl Into<String>) -> Self {
        Self::Valid(key.into().into())
    }

    /// Returns the key, or why there is none.
    pub(crate) fn check(&self) -> Result<&Arc<str>, Error> {
        match self {
            Self::Valid(key) if key.is_empty() => Err(Error::EmptyKey),
            Self::Valid(key) => Ok(key),
            Self::EmptyId(template, placeholder) => Err(Error::EmptyId { template: template.source, placeholder }),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Valid(key) => write!(f, "{key:?}"),
            Self::EmptyId(template, _) => write!(f, "{:?} with an empty id", template.source),
        }
    }
}

/// A key with placeholders, such as `"user:{user_id}:settings"`. The derive takes it apart.
#[derive(Clone, Copy)]
pub struct Template {
    /// As the user wrote it.
    pub source: &'static str,
    /// The text before each placeholder, and its name.
    pub placeholders: &'static [(&'static str, &'static str)],
    /// The text after the last one.
    pub tail: &'static str,
}

impl Template {
    /// Makes the key for these ids, one for each placeholder.
    ///
    /// `%`, `{`, `}` and `:` in an id are percent-encoded. The derive makes sure that one of the last three stands
    /// between any two placeholders, so different ids never give the same key. An id never reaches into the key of
    /// another struct either, as `42:settings` would in `user:{id}` beside `user:{id}:settings`.
    pub(crate) fn fill(self, ids: &[&dyn Display]) -> Key {
        let mut key = String::new();
        for ((before, placeholder), id) in self.placeholders.iter().zip(ids) {
            key.push_str(before);
            let start = key.len();
            // An id whose `Display` fails counts as empty.
            let whole = write!(Escaped(&mut key), "{id}").is_ok();
            if key.len() == start || !whole {
                return Key::EmptyId(self, placeholder);
            }
        }
        key.push_str(self.tail);
        Key::new(key)
    }
}

struct Escaped<'a>(&'a mut String);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for char in text.chars() {
            match char {
                '%' => self.0.push_str("%25"),
                '{' => self.0.push_str("%7B"),
                '}' => self.0.push_str("%7D"),
                ':' => self.0.push_str("%3A"),
                char => self.0.push(char),
            }
        }
        Ok(())
    }
}

/// Makes a key of a template and ids, with `{}` for each id: `key!("tenant:{}:flags", tenant)`.
///
/// It is for maps, whose keys no struct declares. `%`, `{`, `}` and `:` in an id are percent-encoded, as in the keys of
/// records: no two ids give the same key, and none reaches into the key of something else. `{{` and `}}` are literal braces,
/// for the hash tags of a cluster. The template is checked when it is compiled. If an id is empty, so is the key, which the
/// first operation reports ([`EmptyKey`](crate::Error::EmptyKey)).
///
/// ```
/// use redis_hashmap::{HashMap, key};
///
/// let tenant = "a:b";
/// let flags = HashMap::<String, bool>::typed(key!("tenant:{}:flags", tenant));
/// assert_eq!(flags.key(), "tenant:a%3Ab:flags");
/// assert_eq!(key!("{{user:{}}}:cart:{}", 42, "x"), "{user:42}:cart:x");
/// assert_eq!(key!("tenant:{}:flags", ""), "");
/// ```
///
/// ```compile_fail
/// let two_ids_that_could_meet = redis_hashmap::key!("{}{}", 1, 23);
/// ```
#[macro_export]
macro_rules! key {
    ($template:literal $(, $id:expr)* $(,)?) => {{
        const _: () = $crate::__private::check_key($template, <[&str]>::len(&[$(::core::stringify!($id)),*]));
        $crate::__private::fill_key($template, &[$(&$id as &dyn ::core::fmt::Display),*])
    }};
}

/// Checks a template of [`key!`](crate::key) that is to take so many ids.
///
/// # Panics
///
/// While it is compiled, if the template is wrong.
pub const fn check_key(template: &str, ids: usize) {
    let bytes = template.as_bytes();
    assert!(!bytes.is_empty(), "the key is empty: write one such as \"tenant:{{}}:flags\"");
    let (mut at, mut found, mut separated) = (0, 0, true);
    while at < bytes.len() {
        let doubled = at + 1 < bytes.len() && bytes[at + 1] == bytes[at];
        match bytes[at] {
            b'{' | b'}' if doubled => {
                separated = true;
                at += 1;
            }
            b'{' => {
                let closed = at + 1 < bytes.len() && bytes[at + 1] == b'}';
                assert!(closed, "an id is written `{{}}` in this key, and a literal brace `{{{{`");
                assert!(separated, "two `{{}}` need a `:` between them, or different ids could give the same key");
                separated = false;
                found += 1;
                at += 1;
            }
            b'}' => panic!("a `}}` of this key has no `{{` before it: a literal brace is written `}}}}`"),
            b':' => separated = true,
            _ => {}
        }
        at += 1;
    }
    assert!(found == ids, "a key takes as many ids as it has `{{}}`");
}

/// Makes the key of a template that [`check_key`] has checked. It is empty if one of the ids is.
#[must_use]
pub fn fill_key(template: &str, ids: &[&dyn Display]) -> String {
    let mut key = String::with_capacity(template.len() + ids.len() * 8);
    let mut ids = ids.iter();
    let mut chars = template.chars();
    while let Some(char) = chars.next() {
        key.push(char);
        // What follows a brace is the same one again, or the end of a placeholder.
        if matches!(char, '{' | '}') && chars.next() != Some(char) {
            key.pop();
            let start = key.len();
            let whole = ids.next().is_some_and(|id| write!(Escaped(&mut key), "{id}").is_ok());
            if key.len() == start || !whole {
                return String::new();
            }
        }
    }
    key
}
