use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(removed = "nick")]
struct Settings {
    theme: String,
}

fn main() {}
