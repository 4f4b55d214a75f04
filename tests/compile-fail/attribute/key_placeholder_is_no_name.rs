use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(key = "user:{user id}")]
struct Settings {
    theme: String,
}

fn main() {}
