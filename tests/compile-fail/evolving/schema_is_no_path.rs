use redis_hashmap::Evolving;
use serde::{Deserialize, Serialize};

#[derive(Evolving, Serialize, Deserialize)]
#[evolving(schema)]
struct Cart {
    items: Vec<String>,
}

#[derive(Evolving, Serialize, Deserialize)]
#[evolving(schema = "/cart.schema")]
struct Basket {
    items: Vec<String>,
}

fn main() {}
