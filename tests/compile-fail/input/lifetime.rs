use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings<'a> {
    theme: &'a str,
}

fn main() {}
