use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(key = "")]
struct Settings {
    theme: String,
}

fn main() {}
