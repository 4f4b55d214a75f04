use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(schema)]
struct Settings<T: serde::Serialize + serde::de::DeserializeOwned> {
    theme: T,
}

fn main() {}
