use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    #[redis_hash(alias = "")]
    theme: String,
}

fn main() {}
