use redis_hashmap::RedisHash;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct User;

#[derive(RedisHash)]
#[redis_hash(schema(Cached<T>, Other<User>, User))]
struct Cached<T> {
    content: T,
}

fn main() {}
