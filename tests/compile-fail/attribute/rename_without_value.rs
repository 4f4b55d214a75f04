use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    #[redis_hash(rename)]
    theme: String,
}

fn main() {}
