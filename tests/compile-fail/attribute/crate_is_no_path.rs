use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(crate = "my-crate")]
struct Settings {
    theme: String,
}

fn main() {}
