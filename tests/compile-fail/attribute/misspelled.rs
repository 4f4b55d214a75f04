use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    #[redis_hash(alais = "colour")]
    theme: String,
}

fn main() {}
