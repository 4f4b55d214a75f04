use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    size: u8,
    get_all: String,
}

fn main() {}
