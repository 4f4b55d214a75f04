use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(sliding)]
struct Settings {
    theme: String,
}

fn main() {}
