use redis_hashmap::RedisHash;
use serde::{Deserialize, Deserializer};

mod halved {
    use super::{Deserialize, Deserializer};

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
        u8::deserialize(deserializer).map(|number| number / 2)
    }
}

#[derive(RedisHash, Deserialize)]
struct Settings {
    #[serde(with = "halved")]
    font_size: u8,
}

fn main() {}
