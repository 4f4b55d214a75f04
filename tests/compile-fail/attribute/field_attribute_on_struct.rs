use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(rename = "settings")]
struct Settings {
    theme: String,
}

fn main() {}
