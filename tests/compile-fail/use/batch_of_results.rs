use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    theme: String,
    sizes: Vec<u8>,
    corners: [u8; 4],
    font_size: Option<u8>,
}

fn main() {
    let con = redis::Client::open("redis://127.0.0.1/").unwrap();
    let settings = Settings::at("key").on(con);
    let _ = redis_hashmap::batch((settings.theme().get(), settings.size()));
}
