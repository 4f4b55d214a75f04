use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(at = "the key")]
struct Settings {
    theme: String,
}

fn main() {}
