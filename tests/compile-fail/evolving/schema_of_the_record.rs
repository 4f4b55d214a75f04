use redis_hashmap::{Evolving, RedisHash};
use serde::{Deserialize, Serialize};

#[derive(RedisHash, Evolving, Serialize, Deserialize)]
#[redis_hash(schema)]
struct Cart {
    items: Vec<String>,
}

#[derive(RedisHash, Evolving, Serialize, Deserialize)]
#[redis_hash(schema = "schemas/basket.schema")]
#[evolving(schema = "schemas/basket.schema")]
struct Basket {
    items: Vec<String>,
}

fn main() {}
