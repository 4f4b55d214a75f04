use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    theme: String,
    sizes: Vec<u8>,
    corners: [u8; 4],
    font_size: Option<u8>,
}

fn main() -> Result<(), redis_hashmap::Error> {
    let con = redis::Client::open("redis://127.0.0.1/").unwrap();
    let theme: String = Settings::at("key").on(con).theme().get()?;
    drop(theme);
    Ok(())
}
