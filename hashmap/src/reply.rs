//! Replies of a server: the only file that looks into redis's `Value`. Whatever a server sends is checked.

use redis::{RedisError, Value};

use crate::command::Request;
use crate::error::{Error, Place, RedisFault};

/// A field's name and its value.
pub(crate) type Entry = (Vec<u8>, Vec<u8>);

/// A reply, and the request it answers.
pub(crate) struct Reply<'a> {
    value: Value,
    request: &'a Request,
}

impl<'a> Reply<'a> {
    #[inline]
    pub(crate) fn new(reply: Result<Value, RedisError>, request: &'a Request) -> Result<Self, Error> {
        let error = match reply {
            Ok(Value::ServerError(error)) => error.into(),
            Ok(Value::Attribute { data, .. }) => return Self::new(Ok(*data), request),
            Ok(value) => return Ok(Self { value, request }),
            Err(error) => error,
        };
        Err(failed(error, request))
    }

    pub(crate) fn request(&self) -> &'a Request {
        self.request
    }

    /// Something was written: a count of it, or the OK of a script.
    pub(crate) fn done(self) -> Result<(), Error> {
        match self.value {
            Value::Int(_) | Value::Okay => Ok(()),
            _ => Err(unexpected(self.request)),
        }
    }

    /// A number of something that cannot be negative.
    #[inline]
    pub(crate) fn count(self) -> Result<u64, Error> {
        match self.value {
            Value::Int(count) => u64::try_from(count).map_err(|_| unexpected(self.request)),
            _ => Err(unexpected(self.request)),
        }
    }

    /// True if something was added, removed or found.
    #[inline]
    pub(crate) fn flag(self) -> Result<bool, Error> {
        self.count().map(|count| count > 0)
    }

    /// A value, or none.
    #[inline]
    pub(crate) fn bytes(self) -> Result<Option<Vec<u8>>, Error> {
        bytes(self.value, self.request)
    }

    /// As many values as were asked for.
    pub(crate) fn values(self, expected: usize) -> Result<Values<'a>, Error> {
        match self.value {
            Value::Array(values) if values.len() == expected => {
                Ok(Values { values: values.into_iter(), request: self.request })
            }
            _ => Err(unexpected(self.request)),
        }
    }

    /// The names of fields.
    pub(crate) fn names(self) -> Result<Vec<Vec<u8>>, Error> {
        let (Value::Array(values) | Value::Set(values)) = self.value else { return Err(unexpected(self.request)) };
        values.into_iter().map(|name| some_bytes(name, self.request)).collect()
    }

    /// Fields and values: a map in RESP3, a flat array in RESP2.
    pub(crate) fn entries(self) -> Result<Vec<Entry>, Error> {
        let request = self.request;
        match self.value {
            Value::Map(entries) => entries
                .into_iter()
                .map(|(field, value)| Ok((some_bytes(field, request)?, some_bytes(value, request)?)))
                .collect(),
            Value::Array(values) if values.len() % 2 == 0 => {
                let mut entries = Vec::with_capacity(values.len() / 2);
                let mut values = values.into_iter();
                while let (Some(field), Some(value)) = (values.next(), values.next()) {
                    entries.push((some_bytes(field, request)?, some_bytes(value, request)?));
                }
                Ok(entries)
            }
            _ => Err(unexpected(request)),
        }
    }
}

/// The values of a record's fields, in the order in which they were asked for.
pub(crate) struct Values<'a> {
    values: std::vec::IntoIter<Value>,
    request: &'a Request,
}

impl Values<'_> {
    /// True if no field is stored.
    pub(crate) fn all_absent(&self) -> bool {
        self.values.as_slice().iter().all(|value| matches!(value, Value::Nil))
    }

    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let value = self.values.next().ok_or_else(|| unexpected(self.request))?;
        bytes(value, self.request)
    }

    /// The field at this position.
    pub(crate) fn place(&self, index: usize) -> Place {
        self.request.place_of(index)
    }
}

pub(crate) fn failed(error: RedisError, request: &Request) -> Error {
    Error::Redis { place: request.place(), operation: request.operation, source: RedisFault::new(error) }
}

#[cold]
pub(crate) fn unexpected(request: &Request) -> Error {
    Error::UnexpectedReply { place: request.place(), operation: request.operation }
}

#[inline]
fn bytes(value: Value, request: &Request) -> Result<Option<Vec<u8>>, Error> {
    match value {
        Value::BulkString(bytes) => Ok(Some(bytes)),
        Value::Nil => Ok(None),
        other => some_bytes(other, request).map(Some),
    }
}

fn some_bytes(value: Value, request: &Request) -> Result<Vec<u8>, Error> {
    match value {
        Value::BulkString(bytes) => Ok(bytes),
        Value::ServerError(error) => Err(failed(error.into(), request)),
        _ => Err(unexpected(request)),
    }
}
