//! The template of a map's key is checked when it is compiled.

use redis_hashmap::key;

fn main() {
    let _ = key!("a:{}:{}", 1);
}
