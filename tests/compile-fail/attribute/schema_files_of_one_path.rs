use redis_hashmap::RedisHash;

mod other {
    #[derive(serde::Serialize, serde::Deserialize)]
    pub struct User;
}

#[derive(serde::Serialize, serde::Deserialize)]
struct User;

#[derive(RedisHash)]
#[redis_hash(schema(Cached<User>, Cached<other::User>, Cached<u8> = "one.schema", Cached<u16> = "one.schema"))]
struct Cached<T> {
    content: T,
}

fn main() {}
