use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    theme: String,
    #[redis_hash(skip, rename = "c", text)]
    cache: u8,
}

fn main() {}
