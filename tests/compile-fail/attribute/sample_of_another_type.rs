use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(schema)]
struct Settings {
    #[redis_hash(sample = 1)]
    theme: String,
}

fn main() {}
