use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(rename_all = "CamelCase")]
struct Settings {
    theme: String,
}

fn main() {}
