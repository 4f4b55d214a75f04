use redis_hashmap::RedisHash;
use serde::{Deserialize, Serialize};

#[derive(RedisHash)]
struct Settings {
    #[redis_hash(merge)]
    editor: Editor,
}

#[derive(Serialize, Deserialize)]
struct Editor {
    tabs: u8,
}

fn main() {
    let _ = Settings::at("key").merge(&SettingsPatch::default());
}
