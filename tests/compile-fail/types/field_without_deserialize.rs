use redis_hashmap::RedisHash;

#[derive(serde::Serialize)]
struct Theme;

#[derive(RedisHash)]
struct Settings {
    theme: Theme,
}

fn main() {}
