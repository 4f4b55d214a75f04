use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    ttl: u8,
    clone: String,
}

fn main() {}
