use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(schema)]
struct Settings {
    theme: String,
    #[redis_hash(skip, was = u8)]
    cached: u16,
}

fn main() {}
