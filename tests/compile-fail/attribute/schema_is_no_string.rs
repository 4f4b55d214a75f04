use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(schema = 1)]
struct Settings {
    theme: String,
}

fn main() {}
