use redis_hashmap::RedisHash;

#[derive(RedisHash)]
struct Settings {
    theme: std::rc::Rc<String>,
}

fn main() {}
