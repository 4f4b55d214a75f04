use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    theme: String,
    #[redis_hash(accessor = "theme")]
    color: String,
}

fn main() {}
