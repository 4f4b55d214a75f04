use redis_hashmap::Evolving;
use serde::{Deserialize, Serialize};

#[derive(Evolving, Serialize, Deserialize)]
struct Page<T> {
    items: Vec<T>,
}

fn main() {}
