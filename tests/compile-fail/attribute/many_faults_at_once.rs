use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(rename_all = "camel", key = "user:{", typo)]
struct Settings {
    #[redis_hash(default, rename = "name")]
    theme: Option<String>,
    #[redis_hash(rename = "name")]
    language: String,
    #[redis_hash(txt)]
    size: u8,
    #[redis_hash(skip, accessor = "cached")]
    cache: u8,
}

// The accessor exists all the same, so there is no error below.
fn main() {
    let settings = Settings::at("key");
    let _ = settings.language().set("en");
    let _ = settings.get_all();
}
