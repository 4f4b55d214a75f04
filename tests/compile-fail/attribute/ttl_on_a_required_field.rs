use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    theme: String,
    #[redis_hash(ttl = "5m")]
    code: u32,
}

fn main() {}
