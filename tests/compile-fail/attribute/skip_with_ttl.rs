use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    theme: String,
    #[redis_hash(skip, counter, ttl = "5m")]
    cached: i64,
}

fn main() {}
