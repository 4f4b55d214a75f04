use redis_hashmap::RedisHash;

struct Theme;

#[derive(RedisHash)]
struct Settings {
    theme: Theme,
}

fn main() {}
