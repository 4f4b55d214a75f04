//! MATCH and KEYS read patterns as Redis does, in a time that has a bound.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use redis::ConnectionLike;
use redis_hashmap::Embedded;
use redis_hashmap_tests::{key, newer_server};

/// Few characters, so that patterns and names meet, and all that mean something.
fn text(chars: &'static [u8], most: usize) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(prop::sample::select(chars), 0..most)
}

fn matching(con: &mut impl ConnectionLike, key: &str, pattern: &[u8]) -> BTreeSet<Vec<u8>> {
    let mut scan = redis::cmd("HSCAN");
    scan.arg(key).arg(0).arg("COUNT").arg(1000).arg("MATCH").arg(pattern).arg("NOVALUES");
    let (cursor, names): (u64, Vec<Vec<u8>>) = scan.query(con).unwrap();
    assert_eq!(cursor, 0);
    names.into_iter().collect()
}

proptest! {
    #[test]
    fn patterns_match_what_they_match_on_redis(
        names in proptest::collection::hash_set(text(b"abc-]^[\\*", 6), 1..20),
        patterns in proptest::collection::vec(text(b"aabbc--]]^[[[\\\\**?", 9), 20)
    ) {
        let Some(url) = newer_server("REDIS_8_URL") else { return Ok(()) };
        let key = key();
        let mut server = redis::Client::open(url).unwrap().get_connection().unwrap();
        let mut embedded = Embedded::in_memory("").unwrap();
        let mut set = redis::cmd("HSET");
        set.arg(&*key);
        for name in &names {
            set.arg(name).arg("");
        }
        set.exec(&mut server).unwrap();
        set.exec(&mut embedded).unwrap();
        for pattern in &patterns {
            let expected = matching(&mut server, &key, pattern);
            let shown = String::from_utf8_lossy(pattern);
            prop_assert_eq!(matching(&mut embedded, &key, pattern), expected, "{}", shown);
        }
        redis::cmd("DEL").arg(&*key).exec(&mut server).unwrap();
    }
}

#[test]
fn a_pattern_takes_no_longer_than_it_is_long() {
    let mut con = Embedded::in_memory("").unwrap();
    redis::cmd("HSET").arg("k").arg("a".repeat(50)).arg("").exec(&mut con).unwrap();
    redis::cmd("HSET").arg("k").arg("x".repeat(50_000)).arg("").exec(&mut con).unwrap();
    let start = Instant::now();
    assert_eq!(matching(&mut con, "k", format!("{}b", "a*".repeat(8)).as_bytes()).len(), 0);
    assert_eq!(matching(&mut con, "k", "*?".repeat(50_000).as_bytes()).len(), 1);
    assert_eq!(matching(&mut con, "k", "*?".repeat(50_001).as_bytes()).len(), 0);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}
