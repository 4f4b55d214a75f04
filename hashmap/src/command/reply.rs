//! Replies of a server: the only file that looks into redis's `Value`. Whatever a server sends is checked.

use redis::{ErrorKind, RedisError, ServerErrorKind, Value};

use crate::command::request::Request;
use crate::error::redis_fault::RedisFault;
use crate::error::{Error, Place};

/// A field's name and its value.
pub(crate) type Entry = (Vec<u8>, Vec<u8>);

/// A reply, and the request it answers.
pub struct Reply<'a> {
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

    /// Something was written: a count of it.
    pub(crate) fn done(self) -> Result<(), Error> {
        self.count().map(drop)
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

    /// A number; from a script it comes in digits.
    pub(crate) fn number(self) -> Result<i64, Error> {
        let number = match &self.value {
            Value::Int(number) => Some(*number),
            Value::BulkString(digits) => std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()),
            _ => None,
        };
        number.ok_or_else(|| unexpected(self.request))
    }

    /// What a conditional write did: true if it was carried out.
    pub(crate) fn applied(self) -> Result<bool, Error> {
        match self.value {
            Value::Int(-2 | -1) => Ok(false),
            Value::Int(0..) => Ok(true),
            _ => Err(unexpected(self.request)),
        }
    }

    /// What a command on several fields says of the one that it was about: -2 where the hash is not there.
    pub(crate) fn of_field(self) -> Result<i64, Error> {
        match self.value {
            Value::Array(values) => match values.as_slice() {
                [] => Ok(-2),
                [Value::Int(number)] => Ok(*number),
                _ => Err(unexpected(self.request)),
            },
            Value::Nil => Ok(-2),
            _ => Err(unexpected(self.request)),
        }
    }

    /// A page of HSCAN: the cursor of the next one, and its entries.
    pub(crate) fn page(self) -> Result<(u64, Vec<Entry>), Error> {
        let request = self.request;
        let Value::Array(parts) = self.value else { return Err(unexpected(request)) };
        let Ok([cursor, entries]) = <[Value; 2]>::try_from(parts) else { return Err(unexpected(request)) };
        let cursor = some_bytes(cursor, request)?;
        let cursor = std::str::from_utf8(&cursor).ok().and_then(|cursor| cursor.parse().ok());
        Ok((cursor.ok_or_else(|| unexpected(request))?, Reply { value: entries, request }.entries()?))
    }

    /// The same reply once more.
    pub(crate) fn again(&self) -> Self {
        Self { value: self.value.clone(), request: self.request }
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

    /// As many values as the command has asked for.
    pub(crate) fn all_values(self) -> Result<Vec<Option<Vec<u8>>>, Error> {
        let expected = self.request.fields_named();
        self.values_of(expected)
    }

    /// The same, all at once.
    pub(crate) fn values_of(self, expected: usize) -> Result<Vec<Option<Vec<u8>>>, Error> {
        let mut values = self.values(expected)?;
        (0..expected).map(|_| values.next()).collect()
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
    // These are known by their texts only. Inside a script more text stands around them.
    let says = |text: &str| error.detail().is_some_and(|detail| detail.contains(text));
    if error.kind() == ErrorKind::Server(ServerErrorKind::ResponseError) || error.code() == Some("ERR") {
        let counts = matches!(request.operation, "HINCRBY" | "increment");
        if counts && says("hash value is not an integer") {
            return Error::NotACounter { place: request.place() };
        }
        if counts && says("would overflow") {
            return Error::Overflow { place: request.place() };
        }
        // (A server without scripts is another matter; and `acl_check_cmd` has its own words for an unknown command.)
        let unknown = ["unknown command 'H", "Unknown command", "Unknown Redis command", "Invalid command passed"];
        if request.expires_fields && unknown.into_iter().any(says) {
            return Error::Unsupported {
                place: request.place(),
                operation: request.operation,
                needs: "a server on which fields expire, Redis 8.0, Valkey 9.1 or newer",
            };
        }
    }
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
