use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    #[redis_hash(accessor = "the theme")]
    theme: String,
}

fn main() {}
