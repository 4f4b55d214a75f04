use redis_hashmap::Evolving;
use serde::{Deserialize, Serialize};

#[derive(Evolving, Serialize, Deserialize)]
enum State {
    #[evolving(removed = "Paid.on")]
    Open,
    Paid {
        #[evolving(was = u32)]
        by: String,
    },
}

fn main() {}
