use redis_hashmap::HashMap;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Profile {
    name: String,
}

fn main() {
    let profile = Profile { name: "Ann".to_owned() };
    let _ = HashMap::new("profiles").set("ann", profile);
}
