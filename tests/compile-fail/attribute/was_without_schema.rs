use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    #[redis_hash(was = String)]
    theme: u64,
}

fn main() {}
