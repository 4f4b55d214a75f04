use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(at)]
struct Settings {
    theme: String,
}

fn main() {}
