use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    #[redis_hash(rename = "t", alias = "t")]
    theme: String,
}

fn main() {}
