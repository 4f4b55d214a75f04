use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Nothing {
    #[redis_hash(skip)]
    cache: u8,
}

fn main() {}
