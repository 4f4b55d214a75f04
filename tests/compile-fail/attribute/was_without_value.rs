use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(schema)]
struct Settings {
    #[redis_hash(was)]
    theme: String,
    #[redis_hash(was_text)]
    font: String,
}

fn main() {}
