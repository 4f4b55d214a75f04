use redis_hashmap::RedisHash;

#[derive(RedisHash)]
union Bits {
    float: f32,
    int: u32,
}

fn main() {}
