use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(ttl = "soon")]
struct Settings {
    theme: String,
    #[redis_hash(ttl = "5 minutes")]
    code: Option<u32>,
    #[redis_hash(ttl = "1h30m")]
    token: Option<u32>,
}

fn main() {}
