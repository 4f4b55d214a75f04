use redis_hashmap::RedisHash;

#[derive(RedisHash)]
enum Theme {
    Light,
    Dark,
}

fn main() {}
