use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(schema)]
struct Settings {
    #[redis_hash(text, was_text = String)]
    theme: String,
    #[redis_hash(counter, was_counter)]
    visits: i64,
}

fn main() {}
