use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    #[redis_hash(alias = "colour")]
    theme: String,
    #[redis_hash(alias = "color", alias = "theme")]
    colour: String,
    #[redis_hash(alias = "color")]
    tint: String,
}

fn main() {}
