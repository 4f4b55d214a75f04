use redis_hashmap::RedisHash;

#[derive(serde::Serialize, serde::Deserialize)]
enum Theme {
    Light,
}

#[derive(RedisHash)]
struct Settings {
    #[redis_hash(default)]
    theme: Theme,
}

fn main() {}
