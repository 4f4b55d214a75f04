use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(key = "settings:{id}", at = "of")]
struct Settings {
    theme: String,
}

fn main() {}
