//! Arguments and answers of the embedded store's commands.

use redis::{RedisError, Value};

use crate::embedded::tables::Field;

/// The arguments of one command, its name first.
pub(super) type Args = Vec<Vec<u8>>;

/// Why a command was not carried out.
pub(super) enum Failure {
    /// What Redis would answer, without the `-`.
    Reply(String),
    Storage(redb::Error),
}

impl From<redb::Error> for Failure {
    fn from(error: redb::Error) -> Self {
        Self::Storage(error)
    }
}

impl From<redb::StorageError> for Failure {
    fn from(error: redb::StorageError) -> Self {
        Self::Storage(error.into())
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

/// A failure of the disk, as redis-rs's error. Every other failure is an answer.
pub(super) fn storage_error(error: redb::Error) -> RedisError {
    let io = match error {
        redb::Error::Io(error) => error,
        error => std::io::Error::other(error.to_string()),
    };
    io.into()
}

pub(super) fn wrong_number<T>(name: &str) -> Result<T, Failure> {
    refuse(format!("ERR wrong number of arguments for '{}' command", name.to_lowercase()))
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

pub(super) fn value_of(field: Option<Field>) -> Value {
    field.map_or(Value::Nil, |field| Value::BulkString(field.value))
}
