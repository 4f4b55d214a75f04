use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    #[redis_hash(sample = "dark".to_owned())]
    theme: String,
}

fn main() {}
