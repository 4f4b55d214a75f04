use redis_hashmap::RedisHash;

#[derive(RedisHash)]
#[redis_hash(schema = "")]
struct Settings {
    theme: String,
}

#[derive(RedisHash)]
#[redis_hash(schema = "/etc/profile.schema")]
struct Profile {
    nick: String,
}

fn main() {}
