use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    theme: &'static str,
}

fn main() {}
