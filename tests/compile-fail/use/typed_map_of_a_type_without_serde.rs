use redis_hashmap::HashMap;

struct Profile;

fn main() {
    let map = HashMap::<u64, Profile>::typed("key");
    let _ = map.get(&1);
}

