//! The library's operations on the embedded store, blocking and async, and what a server cannot be compared with.

use std::collections::{BTreeSet, HashMap as StdHashMap};
use std::time::{Duration, Instant};

use redis::{ConnectionLike, Value};
use redis_hashmap::{Embedded, HashMap, RedisHash, batch};
use redis_hashmap_tests::AnyError;

type Test = Result<(), AnyError>;

#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Settings {
    theme: String,
    #[redis_hash(default = 14)]
    width: u8,
    nick: Option<String>,
}

fn settings() -> Settings {
    Settings { theme: "dark".to_owned(), width: 7, nick: None }
}

#[test]
fn blocking() -> Test {
    let con = Embedded::in_memory("")?;
    let mut accessor = Settings::at("user:1").on(con.clone());
    assert!(accessor.theme().set("dark")?);
    assert_eq!(accessor.get_all()?.map(|settings| settings.width), Some(14));
    accessor.set_all(&settings())?;
    assert_eq!((accessor.get_all()?, accessor.size()?), (Some(settings()), 2));
    let mut map = HashMap::new("user:1").on(con);
    assert_eq!(map.get_all()?.len(), 2);
    assert!(map.clear()?);
    assert!(!accessor.exists()?);
    Ok(())
}

#[tokio::test]
async fn on_tokio() -> Test {
    let mut con = Embedded::in_memory("")?;
    let mut accessor = Settings::at("user:1").on_async(con.clone());
    let (theme, width) = tokio::join!(accessor.theme().set("dark"), accessor.width().set(&7));
    assert!(theme? && width?);
    assert_eq!(accessor.get_all().await?, Some(settings()));
    let mut deferred = Settings::at("user:2");
    let ((), size) = batch((deferred.set_all(&settings()), deferred.size())).atomic().query_async(&mut con).await?;
    assert_eq!(size, 2);
    let mut map = HashMap::<u32, u32>::typed("map").on_async(con);
    let tasks: Vec<_> = (0..64).map(|i| tokio::spawn(map.set(&i, &i))).collect();
    for task in tasks {
        assert!(task.await??);
    }
    assert_eq!(map.size().await?, 64);
    Ok(())
}

/// The async side needs no runtime: any executor polls it.
#[test]
fn without_a_runtime() -> Test {
    let con = Embedded::in_memory("")?;
    let mut accessor = Settings::at("user:1").on_async(con);
    futures::executor::block_on(async {
        accessor.set_all(&settings()).await?;
        assert_eq!(accessor.get_all().await?, Some(settings()));
        Ok(())
    })
}

#[test]
fn stores_of_one_name_are_one() -> Test {
    let name = "stores_of_one_name_are_one";
    Settings::at("a").on(Embedded::in_memory(name)?).exists()?;
    let keeper = Embedded::in_memory(name)?;
    Settings::at("a").on(Embedded::in_memory(name)?).theme().set("dark")?;
    assert!(Settings::at("a").on(keeper).exists()?);
    // Its last connection is gone.
    assert!(!Settings::at("a").on(Embedded::in_memory(name)?).exists()?);
    Ok(())
}

#[test]
fn threads_share_a_store() -> Test {
    let con = Embedded::in_memory("")?;
    let increment = |con: &mut Embedded| redis::cmd("HINCRBY").arg("h").arg("n").arg(1).query::<i64>(con);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let mut con = con.clone();
            scope.spawn(move || (0..200).for_each(|_| assert!(increment(&mut con).is_ok())));
        }
    });
    assert_eq!(redis::cmd("HGET").arg("h").arg("n").query::<i64>(&mut con.clone())?, 1600);
    Ok(())
}

fn wait_until(what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < Duration::from_secs(10), "it does not happen");
        std::thread::yield_now();
    }
}

#[test]
fn what_has_expired_is_invisible_at_once() -> Test {
    let con = Embedded::in_memory("")?;
    let mut map = HashMap::new("h").on(con.clone());
    map.set("a", &1)?;
    redis::cmd("PEXPIRE").arg("h").arg(30).exec(&mut con.clone())?;
    let left = |con: &Embedded| redis::cmd("PTTL").arg("h").query::<i64>(&mut con.clone()).unwrap();
    assert!((1..=30).contains(&left(&con)));
    wait_until(|| left(&con) == -2);
    assert_eq!((map.get::<i32>("a")?, map.size()?, map.get_all()?.len()), (None, 0, 0));
    assert_eq!(redis::cmd("SCAN").arg(0).query::<(u64, Vec<String>)>(&mut con.clone())?.1, Vec::<String>::new());
    // A new hash at the key has none of the old fields, and no expiry.
    map.set("b", &2)?;
    assert_eq!((map.get_fields()?, left(&con)), (vec!["b".to_owned()], -1));
    Ok(())
}

/// Every name that is there all the time comes, whatever the page size, and whatever comes and goes meanwhile.
#[test]
fn scans_are_complete() -> Test {
    let mut con = Embedded::in_memory("")?;
    let mut map = HashMap::<u32, u32>::typed("h").on(con.clone());
    for i in 0..500 {
        map.set(&i, &i)?;
        redis::cmd("HSET").arg(format!("key:{i}")).arg("f").arg("v").exec(&mut con)?;
    }
    for count in [1, 7, 100, 10_000] {
        let (mut cursor, mut fields, mut pages) = (0_u64, BTreeSet::new(), 0);
        loop {
            let page: (u64, Vec<Vec<u8>>) =
                redis::cmd("HSCAN").arg("h").arg(cursor).arg("COUNT").arg(count).query(&mut con)?;
            assert!(page.1.len() <= count * 2 + 2);
            let name = |name: &[u8]| std::str::from_utf8(name).unwrap().parse::<u32>().unwrap();
            fields.extend(page.1.chunks(2).map(|pair| name(&pair[0])));
            map.delete(&(1000 + pages))?;
            map.set(&(1000 + pages), &0)?;
            (cursor, pages) = (page.0, pages + 1);
            if cursor == 0 {
                break;
            }
        }
        assert!((0..500).all(|i| fields.contains(&i)), "{count}");

        let (mut cursor, mut keys) = (0_u64, BTreeSet::new());
        loop {
            let page: (u64, Vec<String>) = redis::cmd("SCAN")
                .arg(cursor)
                .arg("MATCH")
                .arg("key:[0-9]*")
                .arg("COUNT")
                .arg(count)
                .query(&mut con)?;
            keys.extend(page.1);
            cursor = page.0;
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(keys.len(), 500, "{count}");
    }
    let names: (u64, Vec<String>) =
        redis::cmd("HSCAN").arg("h").arg(0).arg("COUNT").arg(9999).arg("NOVALUES").query(&mut con)?;
    assert_eq!(names.1.len() as u64, map.size()?);
    let mut matched: (u64, StdHashMap<String, Vec<u8>>) =
        redis::cmd("HSCAN").arg("h").arg(0).arg("MATCH").arg("1?").arg("COUNT").arg(9999).query(&mut con)?;
    assert_eq!(matched.1.drain().count(), 10);
    Ok(())
}

#[test]
fn a_packed_command_that_is_none_is_an_error() -> Test {
    let mut con = Embedded::in_memory("")?;
    for packed in
        ["*1\r\n$4\r\nPIN", "*1\r\n", "PING\r\n", "*-1\r\n", "*1\r\n$-1\r\n", "*99999999\r\n$1\r\na\r\n", "\r\n"]
    {
        assert!(con.req_packed_command(packed.as_bytes()).is_err(), "{packed:?}");
    }
    assert_eq!(con.req_packed_command(b"*1\r\n$4\r\nPING\r\n")?, Value::SimpleString("PONG".to_owned()));
    assert!(con.check_connection() && con.is_open());
    assert_eq!(format!("{con:?}"), "Embedded");
    Ok(())
}
