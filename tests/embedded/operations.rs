//! The library's operations on the embedded store, blocking and async, and behaviour that no server shares.

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
    let accessor = Settings::at("user:1").on(con.clone());
    assert!(accessor.theme().set("dark")?);
    assert_eq!(accessor.get_all()?.map(|settings| settings.width), Some(14));
    accessor.set_all(&settings())?;
    assert_eq!((accessor.get_all()?, accessor.size()?), (Some(settings()), 2));
    let map = HashMap::new("user:1").on(con);
    assert_eq!(map.get_all()?.len(), 2);
    assert!(map.clear()?);
    assert!(!accessor.exists()?);
    Ok(())
}

#[tokio::test]
async fn on_tokio() -> Test {
    let mut con = Embedded::in_memory("")?;
    let accessor = Settings::at("user:1").on_async(con.clone());
    let (theme, width) = tokio::join!(accessor.theme().set("dark"), accessor.width().set(7));
    assert!(theme? && width?);
    assert_eq!(accessor.get_all().await?, Some(settings()));
    let deferred = Settings::at("user:2");
    let ((), size) = batch((deferred.set_all(&settings()), deferred.size())).atomic().query_async(&mut con).await?;
    assert_eq!(size, 2);
    let map = HashMap::<u32, u32>::typed("map").on_async(con);
    let tasks: Vec<_> = (0..64).map(|i| tokio::spawn(map.set(&i, i))).collect();
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
    let accessor = Settings::at("user:1").on_async(con);
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
    // The store ended with its last connection.
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
    let map = HashMap::new("h").on(con.clone());
    map.set("a", 1)?;
    redis::cmd("PEXPIRE").arg("h").arg(30).exec(&mut con.clone())?;
    let left = |con: &Embedded| redis::cmd("PTTL").arg("h").query::<i64>(&mut con.clone()).unwrap();
    assert!((1..=30).contains(&left(&con)));
    wait_until(|| left(&con) == -2);
    assert_eq!((map.get::<i32>("a")?, map.size()?, map.get_all()?.len()), (None, 0, 0));
    assert_eq!(redis::cmd("SCAN").arg(0).query::<(u64, Vec<String>)>(&mut con.clone())?.1, Vec::<String>::new());
    // A new hash at the key has none of the old fields and no expiry.
    map.set("b", 2)?;
    assert_eq!((map.get_fields()?, left(&con)), (vec!["b".to_owned()], -1));
    Ok(())
}

fn query<T: redis::FromRedisValue>(con: &Embedded, command: &str) -> T {
    let mut words = command.split(' ');
    let mut cmd = redis::cmd(words.next().unwrap_or_default());
    cmd.arg(words.collect::<Vec<_>>());
    cmd.query(&mut con.clone()).unwrap()
}

/// Waits until a field is gone, using commands that do not clear anything away.
fn wait_for_expiry(con: &Embedded, field: &str) {
    wait_until(|| query::<Vec<i64>>(con, &format!("HPTTL h FIELDS 1 {field}")) == [-2]);
}

/// A server counts expired fields until it has collected them. Here no command sees them, even before a write.
#[test]
fn fields_that_have_expired_are_invisible_at_once() -> Test {
    let con = Embedded::in_memory("")?;
    query::<i64>(&con, "HSET h gone 1 kept 2 later 3");
    assert_eq!(query::<Vec<i64>>(&con, "HEXPIRE h 1000 FIELDS 1 later"), [1]);
    assert_eq!(query::<Vec<i64>>(&con, "HPEXPIRE h 30 FIELDS 1 gone"), [1]);
    wait_for_expiry(&con, "gone");
    assert_eq!(query::<i64>(&con, "HLEN h"), 2);
    assert_eq!(query::<Option<i64>>(&con, "HGET h gone"), None);
    assert_eq!(query::<Vec<Option<i64>>>(&con, "HMGET h gone kept"), [None, Some(2)]);
    assert!(!query::<bool>(&con, "HEXISTS h gone"));
    let names = BTreeSet::from(["kept".to_owned(), "later".to_owned()]);
    assert_eq!(query::<BTreeSet<String>>(&con, "HKEYS h"), names);
    assert_eq!(query::<StdHashMap<String, i64>>(&con, "HGETALL h").into_keys().collect::<BTreeSet<_>>(), names);
    assert_eq!(query::<(u64, Vec<String>)>(&con, "HSCAN h 0").1.len(), 4);
    assert_eq!(query::<Vec<i64>>(&con, "HPERSIST h FIELDS 1 gone"), [-2]);
    assert_eq!(query::<i64>(&con, "HLEN h"), 2);
    Ok(())
}

#[test]
fn what_sets_a_field_ends_its_expiry_and_what_changes_it_does_not() -> Test {
    let con = Embedded::in_memory("")?;
    let cases = [
        ("HSET h a 1", false),
        ("HSETEX h FIELDS 1 a 1", false),
        ("HGETEX h PERSIST FIELDS 1 a", false),
        ("HPERSIST h FIELDS 1 a", false),
        ("HSETEX h KEEPTTL FIELDS 1 a 1", true),
        ("HSETNX h a 1", true),
        ("HINCRBY h a 1", true),
        ("HGETEX h FIELDS 1 a", true),
    ];
    for (command, keeps) in cases {
        query::<i64>(&con, "HSETEX h EX 1000 FIELDS 1 a 1");
        query::<Value>(&con, command);
        assert_eq!(query::<Vec<i64>>(&con, "HTTL h FIELDS 1 a")[0] > 0, keeps, "{command}");
    }
    Ok(())
}

/// For GT and LT, a field without an expiry counts as one that expires later than any other, as on a server.
#[test]
fn a_later_or_earlier_time_is_not_the_same_time() -> Test {
    let con = Embedded::in_memory("")?;
    query::<i64>(&con, "HSET h a 1");
    for (condition, answer) in [("GT", 0), ("XX", 0), ("LT", 1), ("LT", 0), ("GT", 0), ("NX", 0), ("XX", 1)] {
        let command = format!("HEXPIREAT h 4000000000 {condition} FIELDS 1 a");
        assert_eq!(query::<Vec<i64>>(&con, &command), [answer], "{condition}");
    }
    assert_eq!(query::<Vec<i64>>(&con, "HEXPIREAT h 4000000001 GT FIELDS 1 a"), [1]);
    Ok(())
}

/// In whole seconds, a part of a second counts as one: a field that exists never has zero seconds left.
#[test]
fn the_seconds_left_are_rounded_up() -> Test {
    let con = Embedded::in_memory("")?;
    query::<i64>(&con, "HSETEX h EX 1000 FIELDS 1 a 1");
    let left = |command: &str| query::<Vec<i64>>(&con, &format!("{command} h FIELDS 1 a"))[0];
    let (before, seconds, after) = (left("HPTTL"), left("HTTL"), left("HPTTL"));
    assert!((after..=before).any(|left| left.unsigned_abs().div_ceil(1000) == seconds.unsigned_abs()), "{seconds}");
    Ok(())
}

#[test]
fn a_hash_whose_every_field_has_expired_is_none() -> Test {
    let con = Embedded::in_memory("")?;
    for renew in ["HSET h new 1", "HSETNX h new 1", "HINCRBY h new 1", "HSETEX h KEEPTTL FIELDS 1 new 1"] {
        query::<i64>(&con, "HSET h a 1 b 2");
        query::<i64>(&con, "EXPIRE h 1000");
        query::<Vec<i64>>(&con, "HPEXPIRE h 20 FIELDS 1 a");
        query::<Vec<i64>>(&con, "HPEXPIRE h 30 FIELDS 1 b");
        wait_for_expiry(&con, "b");
        assert_eq!((query::<i64>(&con, "EXISTS h"), query::<i64>(&con, "TTL h")), (0, -2));
        assert_eq!((query::<String>(&con, "TYPE h").as_str(), query::<i64>(&con, "HLEN h")), ("none", 0));
        assert_eq!(query::<(u64, Vec<String>)>(&con, "SCAN 0").1, Vec::<String>::new());
        // A new hash at the key has nothing of the old one.
        assert_eq!(query::<i64>(&con, renew), 1, "{renew}");
        assert_eq!((query::<i64>(&con, "HLEN h"), query::<i64>(&con, "TTL h")), (1, -1), "{renew}");
        query::<Vec<i64>>(&con, "HPEXPIRE h 20 FIELDS 1 new");
        wait_for_expiry(&con, "new");
        assert_eq!(query::<i64>(&con, "DEL h"), 0);
    }
    Ok(())
}

/// A write after a field has expired finds neither its value nor its expiry.
#[test]
fn a_field_that_has_expired_is_new_when_it_is_set() -> Test {
    let con = Embedded::in_memory("")?;
    query::<i64>(&con, "HSET h other 1");
    for renew in ["HSET h a 5", "HSETNX h a 5", "HINCRBY h a 5", "HSETEX h FNX KEEPTTL FIELDS 1 a 5"] {
        query::<i64>(&con, "HSET h a 1");
        query::<Vec<i64>>(&con, "HPEXPIRE h 20 FIELDS 1 a");
        wait_for_expiry(&con, "a");
        assert!(query::<i64>(&con, renew) > 0, "{renew}");
        assert_eq!(query::<i64>(&con, "HGET h a"), 5, "{renew}");
        assert_eq!(query::<Vec<i64>>(&con, "HTTL h FIELDS 1 a"), [-1], "{renew}");
    }
    Ok(())
}

/// A scan returns every name that exists all the time, whatever the page size, and whatever comes and goes meanwhile.
#[test]
fn scans_are_complete() -> Test {
    let mut con = Embedded::in_memory("")?;
    let map = HashMap::<u32, u32>::typed("h").on(con.clone());
    for i in 0..500 {
        map.set(&i, i)?;
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
            map.set(&(1000 + pages), 0)?;
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
