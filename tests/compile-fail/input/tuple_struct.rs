use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Point(u32, u32);

fn main() {}
