use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    theme: String,
    nick: Option<String>,
}

fn main() {
    let _ = SettingsPatch::default().nick(None).theme(None);
}
