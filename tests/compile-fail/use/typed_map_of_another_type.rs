use redis_hashmap::HashMap;

fn main() {
    let map = HashMap::<u64, String>::typed("key");
    let _ = map.set(&1, &2.5);
    let _ = map.get("one");
}

