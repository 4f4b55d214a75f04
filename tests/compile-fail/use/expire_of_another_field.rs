use std::time::Duration;

use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    theme: String,
}

fn main() {
    let settings = Settings::at("key");
    let _ = settings.theme().expire_in(Duration::from_secs(5));
    let _ = settings.theme().set_with_ttl("dark", Duration::from_secs(5));
}
