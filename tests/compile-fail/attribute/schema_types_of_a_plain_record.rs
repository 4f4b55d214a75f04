use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(schema(Settings))]
struct Settings {
    theme: String,
}

fn main() {}
