//! A patch from JSON would lose what stands beside the record's own keys.

use redis_hashmap::RedisHash;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Address {
    city: String,
}

#[derive(RedisHash, Serialize, Deserialize)]
struct User {
    name: String,
    #[serde(flatten)]
    address: Address,
}

fn main() {}
