use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(schema)]
struct Settings {
    #[redis_hash(sample)]
    theme: String,
    #[redis_hash(text, sample = 1)]
    width: u8,
}

fn main() {}
