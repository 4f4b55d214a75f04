use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    #[redis_hash(alias = "colour")]
    #[redis_hash(alias = "colour")]
    theme: String,
}

fn main() {}
