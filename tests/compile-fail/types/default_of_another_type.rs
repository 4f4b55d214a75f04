use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    #[redis_hash(default = "en")]
    language: String,
}

fn main() {}
