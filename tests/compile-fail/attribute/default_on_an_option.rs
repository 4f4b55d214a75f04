use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    #[redis_hash(default = Some(14))]
    font_size: Option<u8>,
}

fn main() {}
