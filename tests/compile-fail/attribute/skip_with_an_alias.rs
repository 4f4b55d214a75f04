use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    theme: String,
    #[redis_hash(skip, alias = "c")]
    cache: u8,
}

fn main() {}
