use redis_hashmap::RedisHash;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
enum OldTheme {
    Dark,
}

#[derive(Serialize, Deserialize)]
struct Theme {
    dark: bool,
}

#[derive(RedisHash)]
#[redis_hash(schema)]
struct Settings {
    #[redis_hash(was = OldTheme)]
    theme: Theme,
}

fn main() {}
