use redis_hashmap::RedisHash;
use serde::{Deserialize, Serialize};

#[derive(RedisHash, Serialize, Deserialize)]
struct Settings {
    #[redis_hash(text, merge)]
    theme: String,
    #[redis_hash(counter, merge)]
    visits: i64,
    #[redis_hash(merge, skip_deserializing, default)]
    hidden: Vec<u8>,
    #[redis_hash(merge)]
    #[serde(deserialize_with = "Deserialize::deserialize")]
    sizes: Vec<u8>,
}

fn main() {}
