use std::time::Duration;

use redis_hashmap::RedisHash;

fn from_the_environment() -> Duration {
    Duration::from_secs(60)
}

#[derive(RedisHash)]
#[redis_hash(ttl = 60 * 30)]
struct Number {
    theme: String,
}

#[derive(RedisHash)]
#[redis_hash(ttl = from_the_environment())]
struct AtRunTime {
    theme: String,
}

fn main() {}
