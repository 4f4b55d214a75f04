use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(schema, removed = "theme", removed = "size")]
struct Settings {
    theme: String,
    #[redis_hash(alias = "size")]
    font_size: u8,
}

fn main() {}
