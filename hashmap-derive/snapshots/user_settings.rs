/// What a user has chosen.
#[derive(RedisHash)]
#[redis_hash(key = "user:{user_id}:settings", ttl = "30d")]
pub struct UserSettings {
    /// How everything looks.
    pub theme: Theme,
    #[redis_hash(default = "en".to_owned())]
    language: String,
    font_size: Option<u8>,
    #[redis_hash(counter, ttl = "1h")]
    logins: i64,
}
