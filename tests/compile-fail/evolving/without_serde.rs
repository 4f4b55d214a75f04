use redis_hashmap::Evolving;

#[derive(Evolving)]
struct Cart {
    items: Vec<String>,
}

fn main() {}
