use std::time::Duration;

use redis_hashmap::RedisHash;

const NEVER: Duration = Duration::ZERO;

#[derive(RedisHash)]
#[redis_hash(ttl = NEVER)]
struct Zero {
    theme: String,
}

#[derive(RedisHash)]
struct Field {
    #[redis_hash(ttl = Duration::from_secs(u64::MAX))]
    code: Option<u32>,
}

fn main() {
    let _ = Zero::at("key").size();
}
