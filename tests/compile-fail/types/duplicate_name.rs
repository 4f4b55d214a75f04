use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    theme: String,
    #[redis_hash(rename = "theme")]
    color: String,
}

fn main() {}
