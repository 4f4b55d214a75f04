use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    #[redis_hash(text)]
    themes: Vec<String>,
}

fn main() {}
