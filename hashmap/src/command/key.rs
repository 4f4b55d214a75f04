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
