use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(prefix = "user")]
struct Settings {
    theme: String,
}

fn main() {}
