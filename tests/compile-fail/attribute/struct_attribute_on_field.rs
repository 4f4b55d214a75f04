use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    #[redis_hash(key = "user:{id}")]
    theme: String,
}

fn main() {}
