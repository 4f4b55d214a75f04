use std::time::Duration;

use redis_hashmap::HashMap;

async fn stalls_all_others(con: redis_hashmap::AsyncConnection) {
    let _ = HashMap::new("settings").on_async(con).wait(1, Duration::from_secs(1));
}

fn main() {
    let _ = HashMap::new("settings").wait(1, Duration::from_secs(1));
    let _ = stalls_all_others;
}
