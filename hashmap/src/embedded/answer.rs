//! What the embedded store's commands answer.

use std::io;

use redis::{RedisError, Value};

use crate::embedded::storage::Field;

/// Why a command was not carried out.
pub(super) enum Failure {
    /// What Redis would answer, without the `-`.
    Reply(String),
    /// The disk failed. Every other failure is an answer.
    Storage(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Storage(error)
    }
}

pub(super) type Answer = Result<Value, Failure>;

pub(super) fn refuse<T>(reply: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Reply(reply.into()))
}

/// An error as a server sends it.
pub(super) fn error(reply: &str) -> Value {
    let line: String = reply.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap_or(Value::Nil)
}

/// The answer to one command. Its failure is an answer too, unless it is one of the disk.
pub(super) fn answered(answer: Answer) -> Result<Value, RedisError> {
    match answer {
        Ok(value) => Ok(value),
        Err(Failure::Reply(reply)) => Ok(error(&reply)),
        Err(Failure::Storage(error)) => Err(error.into()),
    }
}

pub(super) fn wrong_number<T>(name: &str) -> Result<T, Failure> {
    refuse(format!("ERR wrong number of arguments for '{}' command", name.to_lowercase()))
}

/// Where only commands that read can have come.
pub(super) fn not_a_read() -> Answer {
    refuse("ERR this is not a command that reads")
}

pub(super) fn bulk(bytes: &[u8]) -> Value {
    Value::BulkString(bytes.to_vec())
}

pub(super) fn int(number: impl TryInto<i64>) -> Value {
    Value::Int(number.try_into().unwrap_or(i64::MAX))
}

/// Parses a number as strictly as Redis: `7`, but not `+7` or `07`.
pub(super) fn number<T: std::str::FromStr + ToString>(arg: &[u8]) -> Result<T, Failure> {
    let parsed = std::str::from_utf8(arg).ok().and_then(|text| text.parse::<T>().ok());
    let parsed = parsed.filter(|number| number.to_string().as_bytes() == arg);
    parsed.ok_or_else(|| Failure::Reply("ERR value is not an integer or out of range".to_owned()))
}

pub(super) fn value_of(field: Option<Field<'_>>) -> Value {
    field.map_or(Value::Nil, |field| Value::BulkString(field.value.into_owned()))
}
