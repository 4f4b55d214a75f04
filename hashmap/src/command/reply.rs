//! Reads the replies to commands. Whatever a server sends is checked.

use std::borrow::Cow;

use redis::{ErrorKind, RedisError, ServerErrorKind, Value};

use crate::command::request::Request;
use crate::command::strings::Strings;
use crate::command::ttl::Ttl;
use crate::error::Error;
use crate::error::place::Place;
use crate::error::redis_fault::RedisFault;

/// The name of a field, and its stored value.
pub(crate) type Entry = (Vec<u8>, Vec<u8>);

/// A reply, with the request that it answers.
pub(crate) struct Reply<'a> {
    data: Data<'a>,
    request: &'a Request,
}

enum Data<'a> {
    Value(Value),
    String(&'a [u8]),
    Strings(Strings<'a>),
}

impl<'a> Reply<'a> {
    #[inline]
    pub(crate) fn new(reply: Result<Value, RedisError>, request: &'a Request) -> Result<Self, Error> {
        let error = match reply {
            Ok(Value::ServerError(error)) => error.into(),
            Ok(Value::Attribute { data, .. }) => return Self::new(Ok(*data), request),
            Ok(value) => return Ok(Self { data: Data::Value(value), request }),
            Err(error) => error,
        };
        Err(failed(error, request))
    }

    pub(crate) fn of_string(string: &'a [u8], request: &'a Request) -> Self {
        Self { data: Data::String(string), request }
    }

    pub(crate) fn of_strings(strings: Strings<'a>, request: &'a Request) -> Self {
        Self { data: Data::Strings(strings), request }
    }

    pub(crate) fn request(&self) -> &'a Request {
        self.request
    }

    fn into_value(self) -> Value {
        match self.data {
            Data::Value(value) => value,
            Data::String(bytes) => Value::BulkString(bytes.to_vec()),
            Data::Strings(strings) => strings.to_value(),
        }
    }

    /// Reads a number that cannot be negative.
    #[inline]
    fn count(self) -> Result<u64, Error> {
        match self.data {
            Data::Value(Value::Int(count)) => u64::try_from(count).map_err(|_| unexpected(self.request)),
            _ => Err(unexpected(self.request)),
        }
    }

    /// Reads a number. From a script it comes in digits.
    fn number(self) -> Result<i64, Error> {
        let request = self.request;
        let number = match self.into_value() {
            Value::Int(number) => Some(number),
            Value::BulkString(digits) => std::str::from_utf8(&digits).ok().and_then(|digits| digits.parse().ok()),
            _ => None,
        };
        number.ok_or_else(|| unexpected(request))
    }

    /// Reads the reply of a command on several names that has those of one field: the answer for the first of them that is
    /// stored, or -2 where none is.
    fn of_field(self) -> Result<i64, Error> {
        let request = self.request;
        let answers = match self.into_value() {
            Value::Array(answers) if answers.is_empty() || answers.len() == request.names() => answers,
            // The hash is absent.
            Value::Nil => Vec::new(),
            _ => return Err(unexpected(request)),
        };
        let numbers = answers.iter().map(|answer| if let Value::Int(number) = answer { Some(*number) } else { None });
        let numbers = numbers.collect::<Option<Vec<_>>>().ok_or_else(|| unexpected(request))?;
        Ok(numbers.into_iter().find(|number| *number != -2).unwrap_or(-2))
    }

    /// Reads a value that may be absent.
    #[inline]
    pub(crate) fn bytes(self) -> Result<Option<Cow<'a, [u8]>>, Error> {
        match self.data {
            Data::String(bytes) => Ok(Some(Cow::Borrowed(bytes))),
            Data::Value(value) => Ok(bytes(value, self.request)?.map(Cow::Owned)),
            Data::Strings(_) => Err(unexpected(self.request)),
        }
    }

    /// Reads what is stored in the only field of the request.
    #[inline]
    pub(crate) fn field(self) -> Result<Option<Cow<'a, [u8]>>, Error> {
        if self.request.has_aliases() { Ok(self.values()?.take(0)?.map(Cow::Owned)) } else { self.bytes() }
    }

    /// Reads the values of the requested fields, each of which may be absent.
    pub(crate) fn values(self) -> Result<Values<'a>, Error> {
        let stored = match self.data {
            Data::Strings(strings) => Stored::Strings(strings),
            Data::Value(Value::Array(values)) => Stored::Values(values),
            _ => return Err(unexpected(self.request)),
        };
        let values = Values { stored, request: self.request };
        if values.len() == self.request.names() { Ok(values) } else { Err(unexpected(self.request)) }
    }

    /// Reads the names of fields.
    pub(crate) fn names(self) -> Result<Vec<Vec<u8>>, Error> {
        let request = self.request;
        let (Value::Array(values) | Value::Set(values)) = self.into_value() else { return Err(unexpected(request)) };
        values.into_iter().map(|name| some_bytes(name, request)).collect()
    }

    /// Reads fields and values: a map in RESP3, a flat array in RESP2.
    pub(crate) fn entries(self) -> Result<Vec<Entry>, Error> {
        let request = self.request;
        match self.into_value() {
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

    /// Reads a page of `HSCAN`: the cursor of the next one, and the entries of this one.
    pub(crate) fn page(self) -> Result<(u64, Vec<Entry>), Error> {
        let request = self.request;
        let Value::Array(parts) = self.into_value() else { return Err(unexpected(request)) };
        let Ok([cursor, entries]) = <[Value; 2]>::try_from(parts) else { return Err(unexpected(request)) };
        let cursor = some_bytes(cursor, request)?;
        let cursor = std::str::from_utf8(&cursor).ok().and_then(|cursor| cursor.parse().ok());
        Ok((cursor.ok_or_else(|| unexpected(request))?, Reply { data: Data::Value(entries), request }.entries()?))
    }
}

// The readers of single commands. They are functions, since a method's lifetime of the impl would not fit `Read`.

/// Checks that the reply counts what was written.
pub(crate) fn done(reply: Reply<'_>) -> Result<(), Error> {
    reply.count().map(drop)
}

/// Reads a count.
pub(crate) fn count(reply: Reply<'_>) -> Result<u64, Error> {
    reply.count()
}

/// Reads whether something was added, removed or found.
#[inline]
pub(crate) fn flag(reply: Reply<'_>) -> Result<bool, Error> {
    reply.count().map(|count| count > 0)
}

/// Reads whether a field is stored.
pub(crate) fn exists(reply: Reply<'_>) -> Result<bool, Error> {
    if reply.request.has_aliases() { reply.values().map(|values| !values.all_absent()) } else { flag(reply) }
}

/// Reads the names of fields, which may not be text.
pub(crate) fn raw_names(reply: Reply<'_>) -> Result<Vec<Vec<u8>>, Error> {
    reply.names()
}

/// Reads the sum of a counter.
pub(crate) fn number(reply: Reply<'_>) -> Result<i64, Error> {
    reply.number()
}

/// The condition that kept a write from being carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The one on the hash.
    Hash,
    /// The one on a field.
    Guard,
}

/// Reads why a conditional write was not carried out, or `None` if it was.
pub(crate) fn refusal(reply: Reply<'_>) -> Result<Option<Refusal>, Error> {
    let request = reply.request;
    match reply.into_value() {
        Value::Int(-1) => Ok(Some(Refusal::Hash)),
        Value::Int(-2) => Ok(Some(Refusal::Guard)),
        Value::Int(0..) => Ok(None),
        _ => Err(unexpected(request)),
    }
}

/// Reads whether a conditional write was carried out.
pub(crate) fn applied(reply: Reply<'_>) -> Result<bool, Error> {
    refusal(reply).map(|refusal| refusal.is_none())
}

/// Reads the time to live of the hash.
pub(crate) fn ttl(reply: Reply<'_>) -> Result<Ttl, Error> {
    let request = reply.request;
    Ttl::from_reply(reply.number()?).ok_or_else(|| unexpected(request))
}

/// Reads the time to live of a field.
pub(crate) fn field_ttl(reply: Reply<'_>) -> Result<Ttl, Error> {
    let request = reply.request;
    Ttl::from_reply(reply.of_field()?).ok_or_else(|| unexpected(request))
}

/// Reads whether the time to live of a field was changed.
pub(crate) fn field_flag(reply: Reply<'_>) -> Result<bool, Error> {
    reply.of_field().map(|answer| answer > 0)
}

/// The values of the fields that a request names, in its order. Behind them come those that lie under aliases.
pub(crate) struct Values<'a> {
    stored: Stored<'a>,
    request: &'a Request,
}

enum Stored<'a> {
    Values(Vec<Value>),
    Strings(Strings<'a>),
}

impl Values<'_> {
    pub(crate) fn len(&self) -> usize {
        match &self.stored {
            Stored::Values(values) => values.len(),
            Stored::Strings(strings) => strings.len(),
        }
    }

    /// True if no field is stored.
    pub(crate) fn all_absent(&self) -> bool {
        match &self.stored {
            Stored::Values(values) => values.iter().all(|value| matches!(value, Value::Nil)),
            Stored::Strings(strings) => strings.all_nil(),
        }
    }

    /// Returns where the value of a field lies: under its name, or else under the first alias that has one.
    #[inline]
    fn position(&self, index: usize) -> usize {
        if self.request.has_aliases() && self.is_absent(index) { self.position_of_alias(index) } else { index }
    }

    fn position_of_alias(&self, index: usize) -> usize {
        self.request.aliases(index).find(|alias| !self.is_absent(*alias)).unwrap_or(index)
    }

    fn is_absent(&self, at: usize) -> bool {
        match &self.stored {
            Stored::Strings(strings) => strings.get(at).is_none(),
            Stored::Values(values) => matches!(values.get(at), Some(Value::Nil)),
        }
    }

    /// Returns what is stored in the field at this position.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Result<Option<&[u8]>, Error> {
        let index = self.position(index);
        let values = match &self.stored {
            Stored::Strings(strings) => return Ok(strings.get(index)),
            Stored::Values(values) => values,
        };
        match values.get(index) {
            Some(Value::BulkString(bytes)) => Ok(Some(bytes)),
            Some(Value::Nil) => Ok(None),
            Some(Value::ServerError(error)) => Err(failed(error.clone().into(), self.request)),
            _ => Err(unexpected(self.request)),
        }
    }

    /// Moves out what is stored in the field at this position.
    pub(crate) fn take(&mut self, index: usize) -> Result<Option<Vec<u8>>, Error> {
        let index = self.position(index);
        let values = match &mut self.stored {
            Stored::Strings(strings) => return Ok(strings.get(index).map(<[u8]>::to_vec)),
            Stored::Values(values) => values,
        };
        bytes(values.get_mut(index).map_or(Value::Nil, std::mem::take), self.request)
    }

    /// Names the hash.
    pub(crate) fn hash(&self) -> Place {
        Place::new(&self.request.key, None)
    }

    /// Names the field at this position.
    pub(crate) fn place(&self, index: usize) -> Place {
        self.request.place_of(index)
    }
}

/// True if the request is to be sent again, by its source: the server does not know the script.
pub(crate) fn is_unknown_script(request: &Request, reply: &Result<Value, RedisError>) -> bool {
    let noscript = ErrorKind::Server(ServerErrorKind::NoScript);
    let is_unknown = match reply {
        Ok(Value::ServerError(error)) => error.kind() == Some(ServerErrorKind::NoScript),
        Ok(_) => false,
        Err(error) => error.kind() == noscript,
    };
    is_unknown && request.is_script()
}

pub(crate) fn failed(error: RedisError, request: &Request) -> Error {
    // Only their texts tell these errors apart. A script puts more text around them.
    let says = |text: &str| error.detail().is_some_and(|detail| detail.contains(text));
    if error.kind() == ErrorKind::Server(ServerErrorKind::ResponseError) || error.code() == Some("ERR") {
        if request.counts && says("hash value is not an integer") {
            return Error::NotACounter { place: request.place() };
        }
        if request.counts && says("would overflow") {
            return Error::Overflow { place: request.place() };
        }
        // `'H` leaves out a server without scripts, which does not know EVAL. The next two texts come from inside a
        // script, the last one from `acl_check_cmd`.
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
