//! The JSON of this record is a string, and a patch is a map.

use redis_hashmap::RedisHash;
use serde::{Deserialize, Serialize};

#[derive(RedisHash, Serialize, Deserialize)]
#[serde(transparent)]
struct Name {
    name: String,
}

fn main() {}
