#![deny(unused_must_use)]

use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    theme: String,
    sizes: Vec<u8>,
    corners: [u8; 4],
    font_size: Option<u8>,
}

fn main() {
    let settings = Settings::at("key");
    settings.theme().set("dark");
    settings.theme();
}
