//! Stored bytes without a server: what a command would send, and a connection that answers with given bytes.

use redis::{Arg, Cmd, ConnectionLike, RedisResult, Value};
use redis_hashmap::{Error, HashMap, ReadsBack};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The stored form of a value: the last argument of its HSET. As a [`Value`](redis_hashmap::Value) it may be of a type that
/// does not read back.
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    try_encode(value).unwrap()
}

pub(crate) fn try_encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    last_argument(HashMap::new("key").set("field", &redis_hashmap::Value::encode(value)?).into_cmd()?)
}

/// [`encode`] for a map of values of any kind, which have to read back as what they are.
pub(crate) fn try_encode_any<T: Serialize + ReadsBack + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    last_argument(HashMap::new("key").set("field", value).into_cmd()?)
}

/// [`encode`] for a map of one type of value: debug builds prove that it reads back.
pub(crate) fn try_encode_typed<T: Serialize + DeserializeOwned + Send + 'static>(value: &T) -> Result<Vec<u8>, Error> {
    last_argument(HashMap::<String, T>::typed("key").set("field", value).into_cmd()?)
}

#[expect(clippy::needless_pass_by_value, clippy::unnecessary_wraps, reason = "reads well behind into_cmd()?")]
fn last_argument(cmd: Cmd) -> Result<Vec<u8>, Error> {
    match cmd.args_iter().last() {
        Some(Arg::Simple(bytes)) => Ok(bytes.to_vec()),
        _ => panic!("a command has arguments"),
    }
}

/// Reads a `T` from these bytes.
pub(crate) fn decode<T: Serialize + DeserializeOwned + Send + 'static>(stored: &[u8]) -> Result<T, Error> {
    let value = HashMap::new("key").get::<T>("field").query(&mut Canned(stored.to_vec()))?;
    Ok(value.expect("the canned answer is not nil"))
}

/// A connection that answers each command with the same bulk string.
struct Canned(Vec<u8>);

impl ConnectionLike for Canned {
    fn req_packed_command(&mut self, _: &[u8]) -> RedisResult<Value> {
        Ok(Value::BulkString(self.0.clone()))
    }

    fn req_packed_commands(&mut self, _: &[u8], _: usize, count: usize) -> RedisResult<Vec<Value>> {
        Ok(vec![Value::BulkString(self.0.clone()); count])
    }

    fn get_db(&self) -> i64 {
        0
    }

    fn check_connection(&mut self) -> bool {
        true
    }

    fn is_open(&self) -> bool {
        true
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
