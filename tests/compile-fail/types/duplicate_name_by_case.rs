use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(rename_all = "camelCase")]
struct Settings {
    a_b: String,
    aB: String,
}

fn main() {}
