use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(schema)]
struct Settings {
    #[redis_hash(was = "OldTheme")]
    theme: String,
}

fn main() {}
