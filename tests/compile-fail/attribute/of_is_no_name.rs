use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(key = "settings:{id}", of = 3)]
struct Settings {
    theme: String,
}

fn main() {}
