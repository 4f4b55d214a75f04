use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    theme: String,
}

fn main() {
    let _ = Settings::at("key").update(|settings| settings.theme.clear());
    let _ = Settings::at("key").theme().compare_and_set("dark", "light");
}
