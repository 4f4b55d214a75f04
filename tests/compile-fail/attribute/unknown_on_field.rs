use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    #[redis_hash(renamed = "x")]
    theme: String,
}

fn main() {}
