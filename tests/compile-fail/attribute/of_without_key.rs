use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(of = "of_id")]
struct Settings {
    theme: String,
}

fn main() {}
