use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(key = "user:{tenant}-{id}")]
struct Settings {
    theme: String,
}

fn main() {}
