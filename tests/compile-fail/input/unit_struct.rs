use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Nothing;

fn main() {}
