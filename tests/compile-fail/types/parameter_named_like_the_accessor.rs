use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings<SettingsHash> {
    theme: SettingsHash,
}

fn main() {}
