use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(key = "{id}:{id}")]
struct Settings {
    theme: String,
}

fn main() {}
