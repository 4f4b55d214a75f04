use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    #[redis_hash(rename = 7)]
    theme: String,
}

fn main() {}
