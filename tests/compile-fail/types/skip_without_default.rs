use redis_hashmap::RedisHash;

struct Cache;

#[derive(RedisHash)]
struct Settings {
    theme: String,
    #[redis_hash(skip)]
    cache: Cache,
}

fn main() {}
