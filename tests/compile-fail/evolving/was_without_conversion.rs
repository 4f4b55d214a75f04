use redis_hashmap::Evolving;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct OldCart {
    items: u32,
}

#[derive(Evolving, Serialize, Deserialize)]
#[evolving(was = OldCart)]
struct Cart {
    items: Vec<String>,
}

fn main() {}
