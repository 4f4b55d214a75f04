use redis_hashmap::RedisHash;

struct OldTheme;

impl From<OldTheme> for u8 {
    fn from(_: OldTheme) -> Self {
        1
    }
}

#[derive(RedisHash)]
#[redis_hash(schema)]
struct Settings {
    #[redis_hash(was = OldTheme)]
    theme: u8,
}

fn main() {}
