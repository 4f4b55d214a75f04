use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    theme: String,
    #[redis_hash(counter, default = 5)]
    logins: i64,
    #[redis_hash(counter, text)]
    visits: i64,
}

fn main() {}
