use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    #[redis_hash(text = true)]
    theme: String,
    #[redis_hash(skip(always))]
    cache: u8,
}

fn main() {}
