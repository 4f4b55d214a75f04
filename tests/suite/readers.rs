//! A reader in a tight loop never sees the record missing or mixed, whatever writes it.

use std::sync::atomic::{AtomicBool, Ordering};

use redis_hashmap::{Error, RedisHash, open};
use redis_hashmap_tests::{AnyError, given, key, newer_server, redis_url};

type Test = Result<(), AnyError>;

/// All its fields hold one number; `b` exists if it is even.
#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Pair {
    a: u32,
    b: Option<u32>,
    c: String,
}

fn pair(number: u32) -> Pair {
    Pair { a: number, b: number.is_multiple_of(2).then_some(number), c: number.to_string() }
}

fn patch(number: u32) -> PairPatch {
    let Pair { a, b, c } = pair(number);
    PairPatch::default().a(a).b(b).c(c)
}

fn readers_see_whole_records(url: &str) -> Test {
    const WRITES: u32 = 10_000;
    let key = key();
    let mut keeps_it = open(url)?;
    Pair::at(&*key).on(&mut keeps_it).set_all(&pair(0))?;
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let record = Pair::at(&*key).on(open(url)?);
                    let mut seen = std::collections::BTreeSet::new();
                    while !done.load(Ordering::Relaxed) {
                        let found = record.get_all()?.expect("the record is there all the time");
                        assert_eq!(found, pair(found.a), "on {url}");
                        seen.insert(found.a);
                        // A selection of fields is not mixed, either.
                        let (a, b) = record.get_many(|field| (field.a, field.b))?;
                        assert_eq!(Some(pair(a.unwrap()).b), Some(b));
                    }
                    Ok::<_, Error>(seen.len())
                })
            })
            .collect();
        let written = (|| {
            let record = Pair::at(&*key).on(open(url)?);
            for number in 1..=WRITES {
                match number % 4 {
                    0 => record.set_all(&pair(number))?,
                    1 => record.patch(&patch(number))?,
                    2 => assert!(record.replace(&pair(number))?),
                    _ => assert!(record.patch_if_present(&patch(number))?),
                }
            }
            Ok::<(), Error>(())
        })();
        done.store(true, Ordering::Relaxed);
        for reader in readers {
            let seen = reader.join().unwrap()?;
            assert!(seen > 10, "the reader has seen only {seen} of them");
        }
        written
    })?;
    assert_eq!(Pair::at(&*key).on(&mut keeps_it).get_all()?, Some(pair(WRITES)));
    Pair::at(&*key).on(&mut keeps_it).clear()?;
    Ok(())
}

#[test]
fn on_a_server() -> Test {
    readers_see_whole_records(&redis_url())
}

#[test]
fn on_newer_servers() -> Test {
    ["REDIS_8_URL", "VALKEY_9_URL"]
        .into_iter()
        .filter_map(newer_server)
        .try_for_each(|url| readers_see_whole_records(&url))
}

#[test]
fn on_a_cluster() -> Test {
    readers_see_whole_records(&format!("redis+cluster://{}/", given("REDIS_CLUSTER_NODES")))
}

#[test]
fn on_the_embedded_store() -> Test {
    readers_see_whole_records("memory:readers")
}
