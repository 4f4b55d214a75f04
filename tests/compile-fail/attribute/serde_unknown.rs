//! What is not understood could be what keeps a field from being set.

use redis_hashmap::RedisHash;
use serde::{Deserialize, Serialize};

#[derive(RedisHash, Serialize, Deserialize)]
struct User {
    #[serde(deserialize_never)]
    name: String,
}

fn main() {}
