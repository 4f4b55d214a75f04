use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    #[redis_hash(rename = "a", rename = "b")]
    theme: String,
    #[redis_hash(text)]
    #[redis_hash(text)]
    language: String,
}

fn main() {}
