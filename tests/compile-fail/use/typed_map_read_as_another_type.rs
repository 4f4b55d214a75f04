use redis_hashmap::HashMap;

fn main() {
    let mut con = redis_hashmap::open("memory:").unwrap();
    let map = HashMap::<u64, String>::typed("key").on(&mut con);
    let number: Option<u32> = map.get(&1).unwrap();
    println!("{number:?}");
}
