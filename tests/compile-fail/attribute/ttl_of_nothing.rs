use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(ttl = "0s")]
struct Settings {
    theme: String,
    #[redis_hash(ttl = "999999999999d")]
    code: Option<u32>,
    #[redis_hash(ttl = 30)]
    token: Option<u32>,
}

fn main() {}
