use redis_hashmap::{Evolving, HashMap};
use serde::{Deserialize, Serialize};

#[derive(Evolving, Serialize, Deserialize)]
#[evolving(shema = "redis-hash/cart.schema", alias = "Basket", was)]
struct Cart {
    items: Vec<String>,
}

fn main() {
    let carts = HashMap::<u64, Evolving<Cart>>::typed("carts");
    let _ = carts.get(&1);
}
