//! Where something went wrong: a hash, and one of its fields.

use std::fmt;

/// A hash, or one field of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    key: Option<Box<str>>,
    field: Option<Name>,
}

/// The name of a field. Other programs can give a field a name that is not text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    Text(Box<str>),
    Bytes(Box<[u8]>),
}

impl Place {
    pub(crate) fn new(key: &str, field: Option<&str>) -> Self {
        Self { key: Some(key.into()), field: field.map(|name| Name::Text(name.into())) }
    }

    /// A field whose name came from a server.
    pub(crate) fn of_bytes(key: &str, field: &[u8]) -> Self {
        let name =
            std::str::from_utf8(field).map_or_else(|_| Name::Bytes(field.into()), |name| Name::Text(name.into()));
        Self { key: Some(key.into()), field: Some(name) }
    }

    /// The Redis key.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The field of the hash, if its name is text.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match &self.field {
            Some(Name::Text(name)) => Some(name),
            Some(Name::Bytes(_)) | None => None,
        }
    }

    /// The field of the hash, as bytes: a name that is not UTF-8 can be given to
    /// [`delete_raw`](crate::HashKey::delete_raw).
    #[must_use]
    pub fn field_bytes(&self) -> Option<&[u8]> {
        match &self.field {
            Some(Name::Text(name)) => Some(name.as_bytes()),
            Some(Name::Bytes(name)) => Some(name),
            None => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.key, &self.field) {
            (Some(key), Some(Name::Text(field))) => write!(f, "field {field:?} of hash {key:?}"),
            (Some(key), Some(Name::Bytes(field))) => write!(f, "field b\"{}\" of hash {key:?}", field.escape_ascii()),
            (Some(key), None) => write!(f, "hash {key:?}"),
            (None, _) => f.write_str("the value"),
        }
    }
}
