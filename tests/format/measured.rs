//! Reads bytes under a counting allocator: what is announced must not cost more than what is there.

use redis_hashmap::{Error, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::stored::decode;

/// The most bytes that may be allocated at once for each byte of a value. The largest element that one byte can stand
/// for here is an entry of a `Value`'s map, 64 bytes, and a `Vec` that grows has its old and its new buffer at once.
const PER_BYTE: u64 = 3 * size_of::<(Value, Value)>() as u64;
/// The bytes that may be allocated besides: the error and its texts, and the first allocation of each collection.
const FIXED: u64 = 8 * 1024;

/// Reads the bytes as a `T` and checks how much that allocated.
#[track_caller]
pub(crate) fn read<T: Serialize + DeserializeOwned + Send + 'static>(bytes: &[u8]) -> Result<T, Error> {
    let mut result = None;
    let info = allocation_counter::measure(|| result = Some(decode::<T>(bytes)));
    let limit = bytes.len() as u64 * PER_BYTE + FIXED;
    assert!(info.bytes_max <= limit, "{} bytes allocated for {} bytes", info.bytes_max, bytes.len());
    if let Some(Err(error)) = &result {
        assert!(error.to_string().contains("field \"field\" of hash \"key\" "), "{error}");
    }
    result.unwrap()
}
