use redis_hashmap::{HashMap, RedisHash};

#[derive(RedisHash)]
struct Settings {
    logins: i64,
}

fn main() {
    let _ = Settings::at("key").logins().increment(1);
    let _ = HashMap::<String, i64>::typed("key").entry("a").increment(1);
}
