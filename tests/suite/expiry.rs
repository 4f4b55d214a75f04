//! How long data lives: each write against each time to live, on every server on which fields expire, and the errors on
//! the one on which they do not.

use std::time::{Duration, SystemTime};

use redis_hashmap::{Connection, Counter, Error, HashMap, RedisHash, Ttl, batch, open};
use redis_hashmap_tests::{AnyError, key, newer_server, redis_url};

type Test = Result<(), AnyError>;

const DECLARED: u64 = 300;
const RECORD: u64 = 1800;

#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Plain {
    user: String,
    #[redis_hash(ttl = "5m")]
    code: Option<String>,
    #[redis_hash(counter, ttl = "5m")]
    tries: i64,
}

#[derive(RedisHash, Debug, Clone, PartialEq)]
#[redis_hash(ttl = "30m")]
struct Declared {
    user: String,
    #[redis_hash(ttl = "5m")]
    code: Option<String>,
    #[redis_hash(counter, ttl = "5m")]
    tries: i64,
}

#[derive(RedisHash, Debug, Clone, PartialEq)]
#[redis_hash(ttl = "30m", sliding)]
struct Sliding {
    user: String,
    #[redis_hash(default = 14)]
    width: u8,
    nick: Option<String>,
    #[redis_hash(counter)]
    logins: i64,
}

/// A record with one field that expires.
#[derive(RedisHash)]
struct Small {
    user: String,
    #[redis_hash(ttl = "5m")]
    code: Option<String>,
}

/// A time to live, as the tables state it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Absent,
    Forever,
    /// About this many seconds.
    Secs(u64),
}

impl From<Ttl> for Life {
    fn from(ttl: Ttl) -> Self {
        match ttl {
            Ttl::Absent => Self::Absent,
            Ttl::Persistent => Self::Forever,
            // The times in the tables lie far apart, and no test takes this many seconds.
            Ttl::Remaining(left) => Self::Secs(left.as_secs().div_ceil(50) * 50),
        }
    }
}

use Life::{Absent, Forever, Secs};

/// The stores in which fields expire.
fn stores() -> Vec<String> {
    let newer = ["REDIS_8_URL", "VALKEY_9_URL"].into_iter().filter_map(newer_server);
    newer.chain(["memory:".to_owned()]).collect()
}

/// Checks what each row's write does to the two times to live, where the record had 1000 seconds or no limit, and the
/// field 2000 seconds or no limit.
macro_rules! table {
    ($record:ident, $declared:expr; $($name:literal: |$r:ident| $op:expr => $whole:expr, $field:expr;)*) => {
        for store in stores() {
            let mut con = open(&store)?;
            for (whole, field) in [(Some(1000), Some(2000)), (Some(1000), None), (None, Some(2000)), (None, None)] {
                $({
                    let key = key();
                    let $r = $record::at(&*key).on(&mut con);
                    $r.set_all(&$record { user: "Ann".to_owned(), code: Some("1234".to_owned()), tries: 1 })?;
                    match field {
                        Some(secs) => assert!($r.code().expire_in(Duration::from_secs(secs))?),
                        None => assert!($r.code().persist()?),
                    }
                    match whole {
                        Some(secs) => assert!($r.expire_in(Duration::from_secs(secs))?),
                        None => { $r.persist()?; }
                    }
                    $op;
                    let found = (Life::from($r.ttl()?), Life::from($r.code().ttl()?));
                    let kept = |secs: Option<u64>| secs.map_or(Forever, Secs);
                    let (kept_whole, kept_field) = (kept(whole), kept(field));
                    #[allow(clippy::redundant_closure_call, reason = "each row says what becomes of the two")]
                    let expected = (($whole)(kept_whole), ($field)(kept_field));
                    assert_eq!(found, expected, "{} on {store}, record {whole:?}, field {field:?}", $name);
                    $r.clear()?;
                })*
            }
        }
    };
}

fn kept(before: Life) -> Life {
    before
}

/// A field that has a time to live keeps it; one that has none is given the declared one.
fn kept_or_declared(before: Life) -> Life {
    if before == Forever { Secs(DECLARED) } else { before }
}

fn gone(_: Life) -> Life {
    Absent
}

fn renewed(_: Life) -> Life {
    Secs(DECLARED)
}

fn half_an_hour(_: Life) -> Life {
    Secs(RECORD)
}

fn fifty(_: Life) -> Life {
    Secs(50)
}

macro_rules! rows {
    ($record:ident, $patch:ident, $written:expr) => {
        table! { $record, $written;
            "set of another field": |r| r.user().set("Bob")? => $written, kept;
            "set": |r| assert!(!r.code().set("5678")?) => $written, renewed;
            "set of the same value": |r| assert!(!r.code().set("1234")?) => $written, renewed;
            "set_with_ttl": |r| assert!(!r.code().set_with_ttl("5678", Duration::from_secs(50))?) => $written, fifty;
            "set_if_absent": |r| assert!(!r.code().set_if_absent("5678")?) => kept, kept;
            "set_if_absent of an absent one": |r| {
                r.code().delete()?;
                assert!(r.code().set_if_absent("5678")?)
            } => $written, renewed;
            "set_if_present": |r| assert!(r.code().set_if_present("5678")?) => $written, renewed;
            "compare_and_set": |r| assert!(r.code().compare_and_set("1234", "5678")?) => $written, renewed;
            "compare_and_set of another value": |r| assert!(!r.code().compare_and_set("", "5678")?) => kept, kept;
            "update of the field": |r| r.code().update(|code| code.push('5'))? => $written, renewed;
            "update of the field to the same": |r| r.code().update(|_| ())? => kept, kept;
            "get_or_insert_with": |r| r.code().get_or_insert_with(|| unreachable!())? => kept, kept;
            "delete": |r| assert!(r.code().delete()?) => $written, gone;
            "take": |r| assert!(r.code().take()?.is_some()) => $written, gone;
            "delete of another field": |r| assert!(r.user().delete()?) => $written, kept;
            "increment of another field": |r| assert_eq!(r.tries().increment(1)?, 2) => $written, kept;
            "set_all of the same": |r| {
                r.set_all(&$record { user: "Bob".to_owned(), code: Some("1234".to_owned()), tries: 7 })?
            } => $written, kept_or_declared;
            "set_all of another value": |r| {
                r.set_all(&$record { user: "Ann".to_owned(), code: Some("5678".to_owned()), tries: 1 })?
            } => $written, renewed;
            "set_all without it": |r| {
                r.set_all(&$record { user: "Ann".to_owned(), code: None, tries: 1 })?
            } => $written, gone;
            "create": |r| {
                assert!(!r.create(&$record { user: "Ann".to_owned(), code: Some("5678".to_owned()), tries: 1 })?)
            } => kept, kept;
            "replace of the same": |r| {
                assert!(r.replace(&$record { user: "Bob".to_owned(), code: Some("1234".to_owned()), tries: 1 })?)
            } => $written, kept_or_declared;
            "replace of another value": |r| {
                assert!(r.replace(&$record { user: "Ann".to_owned(), code: Some("5678".to_owned()), tries: 1 })?)
            } => $written, renewed;
            "patch of another field": |r| r.patch(&$patch::default().user("Bob".to_owned()))? => $written, kept;
            "patch": |r| r.patch(&$patch::default().code("1234".to_owned()))? => $written, renewed;
            "patch that clears": |r| r.patch(&$patch::default().code(None))? => $written, gone;
            "patch_if_present": |r| {
                assert!(r.patch_if_present(&$patch::default().user("Bob".to_owned()).code("5".to_owned()))?)
            } => $written, renewed;
            "an empty patch": |r| r.patch(&$patch::default())? => kept, kept;
            "update of another field": |r| r.update(|record| record.user.push('!'))? => $written, kept;
            "update": |r| r.update(|record| record.code = Some("5678".to_owned()))? => $written, renewed;
            "update that clears": |r| r.update(|record| record.code = None)? => $written, gone;
            "update that changes nothing": |r| r.update(|_| ())? => kept, kept;
            "reads": |r| {
                r.get_all()?;
                r.get_many(|field| (field.user, field.code))?;
                (r.code().get()?, r.size()?, r.exists()?)
            } => kept, kept;
            "clear": |r| assert!(r.clear()?) => gone, gone;
        }
    };
}

#[test]
fn writes_keep_what_is_not_declared_and_renew_what_is() -> Test {
    rows!(Plain, PlainPatch, kept);
    Ok(())
}

#[test]
fn every_write_renews_a_declared_time_of_the_record() -> Test {
    rows!(Declared, DeclaredPatch, half_an_hour);
    Ok(())
}

/// This works on a server without expiry of fields, too.
#[test]
fn a_sliding_record_is_renewed_by_reads_of_its_values() -> Test {
    for store in stores().into_iter().chain([redis_url()]) {
        let mut con = open(&store)?;
        let key = key();
        let record = Sliding::at(&*key).on(&mut con);
        let ann = Sliding { user: "Ann".to_owned(), width: 7, nick: None, logins: 2 };
        record.set_all(&ann)?;
        macro_rules! renews {
            ($op:expr, $life:expr) => {
                record.expire_in(Duration::from_secs(1000))?;
                assert_eq!($op, $op, "on {store}");
                assert_eq!(Life::from(record.ttl()?), $life, "{} on {store}", stringify!($op));
            };
        }
        renews!(record.get_all()?, Secs(RECORD));
        renews!(record.user().get()?.as_deref(), Secs(RECORD));
        renews!(record.nick().get()?, Secs(RECORD));
        renews!(record.get_many(|field| (field.user, field.nick, field.width))?.2, Secs(RECORD));
        renews!(record.get_partial()?.width, Secs(RECORD));
        renews!(record.exists()?, Secs(1000));
        renews!(record.size()?, Secs(1000));
        renews!(record.get_fields()?.len(), Secs(1000));
        renews!(record.user().exists()?, Secs(1000));
        renews!(record.update(|_| ())?, Secs(RECORD));
        renews!(record.user().set("Ann")?, Secs(RECORD));
        record.persist()?;
        assert!(record.clear()?);
        // A read creates nothing.
        assert_eq!((record.get_all()?, record.exists()?, record.ttl()?), (None, false, Ttl::Absent));
    }
    Ok(())
}

#[test]
fn a_record_expires_when_it_is_told() -> Test {
    for store in stores().into_iter().chain([redis_url()]) {
        let mut con = open(&store)?;
        let key = key();
        let record = Sliding::at(&*key).on(&mut con);
        assert!(!record.expire_in(Duration::from_secs(1))? && !record.persist()?);
        record.user().set("Ann")?;
        assert!(record.expire_at(SystemTime::now() + Duration::from_secs(1000))?);
        assert_eq!(Life::from(record.ttl()?), Secs(1000));
        assert!(record.persist()? && !record.persist()?);
        assert_eq!(record.ttl()?, Ttl::Persistent);
        // A time that has passed removes the record.
        assert!(record.expire_at(SystemTime::now() - Duration::from_secs(1))?);
        assert!(!record.exists()?);
    }
    Ok(())
}

#[test]
fn fields_expire() -> Test {
    for store in stores() {
        let mut con = open(&store)?;
        let key = key();
        let record = Plain::at(&*key).on(&mut con);
        record.set_all(&Plain { user: "Ann".to_owned(), code: Some("1".to_owned()), tries: 0 })?;
        assert!(record.code().expire_in(Duration::from_millis(1))?);
        eventually(|| Ok(record.code().get()?.is_none()))?;
        assert_eq!(record.get_all()?.map(|record| record.code), Some(None));
        assert_eq!((record.code().ttl()?, record.code().persist()?), (Ttl::Absent, false));
        assert!(!record.code().expire_in(Duration::from_secs(5))?);
        // The counter's window is fixed: an increment does not lengthen it.
        record.tries().delete()?;
        record.tries().increment(1)?;
        assert_eq!(Life::from(record.tries().ttl()?), Secs(DECLARED));
        record.tries().expire_in(Duration::from_secs(1000))?;
        assert_eq!(record.tries().increment(1)?, 2);
        assert_eq!(Life::from(record.tries().ttl()?), Secs(1000));
        // A counter that has lost its window, or never had one, is given one.
        assert!(record.tries().persist()?);
        assert_eq!(record.tries().increment(1)?, 3);
        assert_eq!(Life::from(record.tries().ttl()?), Secs(DECLARED));
        assert!(record.tries().expire_at(SystemTime::now() - Duration::from_secs(1))?);
        assert_eq!(record.tries().get()?, 0);
        record.clear()?;

        let map = HashMap::<u8, String>::typed(&*key).on(&mut con);
        assert!(map.set_with_ttl(&1, "one", Duration::from_secs(1000))?);
        assert_eq!(Life::from(map.entry(&1).ttl()?), Secs(1000));
        assert_eq!(map.ttl()?, Ttl::Persistent);
        // `update` keeps the time to live of an entry; `set` ends it.
        map.update(&1, |one| one.push('!'))?;
        assert_eq!(Life::from(map.entry(&1).ttl()?), Secs(1000), "{store}");
        assert!(map.compare_and_set(&1, "one!", "one!")?);
        assert_eq!(Life::from(map.entry(&1).ttl()?), Secs(1000), "{store}");
        map.entry(&1).with_ttl(Duration::from_secs(50)).update(|one| one.push('!'))?;
        assert_eq!(Life::from(map.entry(&1).ttl()?), Secs(50), "{store}");
        assert_eq!(map.get(&1)?.as_deref(), Some("one!!"));
        assert_eq!(map.entry(&2).with_ttl(Duration::from_secs(50)).get_or_insert_with(|| "two".to_owned())?, "two");
        assert_eq!(Life::from(map.entry(&2).ttl()?), Secs(50));
        map.set(&2, "two")?;
        assert_eq!(map.entry(&2).ttl()?, Ttl::Persistent);
        map.clear()?;
    }
    Ok(())
}

fn eventually(mut done: impl FnMut() -> Result<bool, Error>) -> Test {
    let start = std::time::Instant::now();
    while !done()? {
        assert!(start.elapsed() < Duration::from_secs(20), "it does not happen");
        std::thread::yield_now();
    }
    Ok(())
}

/// Redis 7.0 has no expiry of fields: nothing is written, and the error says which servers have it.
#[test]
fn a_server_without_expiry_of_fields_says_so() -> Test {
    let mut con = open(&redis_url())?;
    let key = key();
    let full = Plain { user: "Ann".to_owned(), code: Some("1".to_owned()), tries: 1 };
    let refused = |con: &mut Connection, name: &str, result: Result<(), Error>| {
        let Err(Error::Unsupported { .. }) = &result else { panic!("{name}: {result:?}") };
        let message = result.unwrap_err().to_string();
        assert!(message.contains("Redis 8.0") && message.contains(&*key), "{message}");
        assert!(!Plain::at(&*key).on(con).exists().unwrap(), "{name} has written something");
    };
    macro_rules! refuses {
        ($($name:literal: |$r:ident| $op:expr;)*) => {
            $(
                let $r = Plain::at(&*key).on(&mut con);
                let result = $op.map(drop);
                refused(&mut con, $name, result);
            )*
        };
    }
    refuses! {
        "set": |r| r.code().set("1");
        "set_with_ttl": |r| r.code().set_with_ttl("1", Duration::from_secs(5));
        "set_if_absent": |r| r.code().set_if_absent("1");
        "get_or_insert_with": |r| r.code().get_or_insert_with(|| "1".to_owned());
        "increment": |r| r.tries().increment(1);
        "ttl": |r| r.code().ttl();
        "expire_in": |r| r.code().expire_in(Duration::from_secs(5));
        "persist": |r| r.code().persist();
        "set_all": |r| r.set_all(&full);
        "create": |r| r.create(&full);
        "patch": |r| r.patch(&PlainPatch::default().user("Ann".to_owned()).code("1".to_owned()));
    }
    // It fails even where nothing would change, since the field could not expire.
    HashMap::new(&*key).on(&mut con).set("code", "1")?;
    let small = Small { user: "Ann".to_owned(), code: Some("1".to_owned()) };
    let result = Small::at(&*key).on(&mut con).set_all(&small);
    assert!(matches!(result, Err(Error::Unsupported { .. })), "{result:?}");
    assert_eq!(HashMap::new(&*key).on(&mut con).get_fields()?, ["code"]);
    HashMap::new(&*key).on(&mut con).clear()?;
    let plain = Plain::at(&*key);
    for atomic in [false, true] {
        let commands = batch((plain.code().set("1"), plain.code().ttl()));
        let result = if atomic { commands.atomic().query(&mut con) } else { commands.query(&mut con) };
        refused(&mut con, "a batch", result.map(drop));
    }
    let map = HashMap::<u8, u8>::typed(&*key).on(&mut con);
    let result = map.set_with_ttl(&1, 1, Duration::from_secs(5)).map(drop);
    refused(&mut con, "an entry", result);

    // Operations that do not touch fields that expire work.
    let plain = Plain::at(&*key).on(&mut con);
    plain.user().set("Ann")?;
    plain.patch(&PlainPatch::default().user("Bob".to_owned()))?;
    assert!(matches!(plain.replace(&full), Err(Error::Unsupported { .. })));
    assert_eq!(plain.get_all()?, Some(Plain { user: "Bob".to_owned(), code: None, tries: 0 }));
    assert_eq!(plain.update(|record| record.user.clear())?.map(|record| record.user), Some(String::new()));
    Ok(())
}

#[test]
fn times_that_nothing_can_be_given() -> Test {
    for store in stores() {
        let mut con = open(&store)?;
        let key = key();
        let record = Plain::at(&*key).on(&mut con);
        record.user().set("Ann")?;
        for ttl in [Duration::ZERO, Duration::MAX, Duration::from_millis((1 << 45) + 1)] {
            assert!(matches!(record.expire_in(ttl), Err(Error::Expiry { .. })));
            assert!(matches!(record.code().expire_in(ttl), Err(Error::Expiry { .. })));
            assert!(matches!(record.code().set_with_ttl("1", ttl), Err(Error::Expiry { .. })));
            let made = record.code().with_ttl(ttl).get_or_insert_with(|| unreachable!());
            assert!(matches!(made, Err(Error::Expiry { .. })));
        }
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert!(matches!(record.expire_at(before), Err(Error::Expiry { .. })));
        // Fields and records accept the longest and the shortest.
        for ttl in [Duration::from_millis(1 << 45), Duration::from_nanos(1)] {
            assert!(record.code().set_with_ttl("1", ttl)?, "{ttl:?} on {store}");
            record.code().delete()?;
            record.user().set("Ann")?;
            assert!(record.expire_in(ttl)?, "{ttl:?} on {store}");
        }
        eventually(|| Ok(!record.exists()?))?;
    }
    Ok(())
}

/// Lua counts in 53 bits, so the sums of counters must not pass through the numbers of a script.
#[test]
fn a_counter_that_expires_counts_in_64_bits() -> Test {
    for store in stores() {
        let mut con = open(&store)?;
        let key = key();
        let record = Declared::at(&*key).on(&mut con);
        for (start, by, sum) in [(i64::MAX - 1, 1, i64::MAX), (0, i64::MAX, i64::MAX), (i64::MIN + 7, -7, i64::MIN)] {
            record.tries().set(start)?;
            assert_eq!(record.tries().increment(by)?, sum, "on {store}");
            let error = record.tries().increment(by.signum());
            assert!(matches!(error, Err(Error::Overflow { .. })), "{error:?} on {store}");
            assert_eq!(record.tries().get()?, sum);
        }
        HashMap::new(&*key).on(&mut con).set("tries", "many")?;
        let error = Declared::at(&*key).on(&mut con).tries().increment(1);
        assert!(matches!(error, Err(Error::NotACounter { .. })), "{error:?} on {store}");
    }
    Ok(())
}

/// A map of counters declares no time to live; each of its entries can be given one.
#[test]
fn counters_of_a_map() -> Test {
    for store in stores() {
        let mut con = open(&store)?;
        let key = key();
        let visits = HashMap::<String, Counter>::typed(&*key).on(&mut con);
        assert_eq!((visits.increment("a", 2)?, visits.increment("a", -5)?), (2, -3));
        assert!(visits.entry("a").expire_in(Duration::from_secs(1000))?);
        assert_eq!(visits.increment("a", 3)?, 0);
        assert_eq!(Life::from(visits.entry("a").ttl()?), Secs(1000));
        assert_eq!((visits.get("a")?, visits.get("b")?), (Some(0), None));
        visits.set("b", 7)?;
        let all = visits.get_all()?;
        assert_eq!((all["a"], all["b"]), (0, 7));
        visits.clear()?;
    }
    Ok(())
}
