use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    theme: String,
}

fn main() {
    let _ = Settings::at("key").get_many(|field| field.theme);
    let _ = Settings::at("key").get_many(|field| (field.font, field.theme));
}
