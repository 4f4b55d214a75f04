//! The native twins of the scripts: random operations on a record and a map give the same results as on Redis 8.0.

use std::time::Duration;

use proptest::prelude::*;
use redis::{ConnectionLike, Value};
use redis_hashmap::{Embedded, Error, HashMap, RedisHash, Ttl};
use redis_hashmap_tests::{client, key, newer_server};

#[derive(RedisHash, Debug, Clone, PartialEq)]
#[redis_hash(ttl = "1h", sliding)]
struct Record {
    #[redis_hash(alias = "name_2", alias = "name_1")]
    name: String,
    #[redis_hash(alias = "nick_1")]
    nick: Option<String>,
    #[redis_hash(ttl = "30m", alias = "code_2", alias = "code_1")]
    code: Option<u8>,
    #[redis_hash(counter, ttl = "15m", alias = "tries_2", alias = "tries_1")]
    tries: i64,
}

/// The record as an older program has it.
#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Old {
    #[redis_hash(rename = "name_1")]
    name: Option<String>,
    #[redis_hash(rename = "nick_1")]
    nick: Option<String>,
    #[redis_hash(ttl = "45m", rename = "code_1")]
    code: Option<u8>,
    #[redis_hash(counter, ttl = "45m", rename = "tries_1")]
    tries: i64,
}

/// Some fields of the record, in a record whose times to live are never declared.
#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Timeless {
    #[redis_hash(alias = "name_1")]
    name: Option<String>,
    #[redis_hash(alias = "code_1")]
    code: Option<u8>,
    #[redis_hash(counter, alias = "tries_1")]
    tries: i64,
}

/// Two of these fields, in a record without a declared time to live.
#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Plain {
    name: String,
    nick: Option<String>,
}

#[derive(Debug, Clone)]
enum Operation {
    SetAll(Record),
    Create(Record),
    Replace(Record),
    Patch(RecordPatch, bool),
    PlainSetAll(Plain),
    OldSetAll(Old),
    OldPatch(OldPatch),
    OldExpireCode(u64),
    TimelessSetAll(Timeless),
    TimelessIncrement(i64),
    TimelessSetName(String),
    SetNameIfPresent(String),
    CodeExists,
    PlainPatch(PlainPatch),
    Update(String, Option<u8>),
    SetName(String),
    SetCode(u8),
    SetCodeIfAbsent(u8),
    SetCodeIfPresent(u8),
    CompareAndSet(u8, u8),
    TakeCode,
    TakeName,
    TakeWrongly,
    DeleteCode,
    Increment(i64),
    ExpireIn(u64),
    ExpireCode(u64),
    PersistCode,
    Persist,
    SetWithTtl(u8, u64),
    GetOrInsert(u8),
    SetNumber(i32),
    UpdateEntry(u8),
    DeleteIf(u8),
    Clear,
}

fn text() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "a", "b"]).prop_map(str::to_owned)
}

fn record() -> impl Strategy<Value = Record> {
    (text(), proptest::option::of(text()), proptest::option::of(0..3_u8), -1..2_i64)
        .prop_map(|(name, nick, code, tries)| Record { name, nick, code, tries })
}

fn old() -> impl Strategy<Value = Old> {
    (proptest::option::of(text()), proptest::option::of(text()), proptest::option::of(0..3_u8), -1..2_i64)
        .prop_map(|(name, nick, code, tries)| Old { name, nick, code, tries })
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation::*;
    let code = || 0..3_u8;
    let seconds = || prop::sample::select(vec![10_000_u64, 20_000]);
    prop_oneof![
        record().prop_map(SetAll),
        record().prop_map(Create),
        record().prop_map(Replace),
        (proptest::option::of(text()), proptest::option::of(proptest::option::of(code())), any::<bool>())
            .prop_map(|(name, code, only_if)| Patch(RecordPatch { name, code, ..Default::default() }, only_if)),
        (text(), proptest::option::of(text())).prop_map(|(name, nick)| PlainSetAll(Plain { name, nick })),
        proptest::option::of(proptest::option::of(text()))
            .prop_map(|nick| PlainPatch(super::twins::PlainPatch { nick, ..Default::default() })),
        (text(), proptest::option::of(code())).prop_map(|(name, code)| Update(name, code)),
        text().prop_map(SetName),
        old().prop_map(OldSetAll),
        (text(), code(), -1..2_i64).prop_map(|(name, code, tries)| OldPatch(
            super::twins::OldPatch::default().name(name).code(code).tries(tries)
        )),
        seconds().prop_map(OldExpireCode),
        old().prop_map(|Old { name, code, tries, .. }| TimelessSetAll(Timeless { name, code, tries })),
        prop_oneof![Just(1), Just(i64::MAX)].prop_map(TimelessIncrement),
        text().prop_map(TimelessSetName),
        text().prop_map(SetNameIfPresent),
        Just(CodeExists),
        code().prop_map(SetCode),
        code().prop_map(SetCodeIfAbsent),
        code().prop_map(SetCodeIfPresent),
        (code(), code()).prop_map(|(old, new)| CompareAndSet(old, new)),
        Just(TakeCode),
        Just(TakeName),
        Just(TakeWrongly),
        Just(DeleteCode),
        prop_oneof![Just(1), Just(-2), Just(i64::MAX)].prop_map(Increment),
        seconds().prop_map(ExpireIn),
        seconds().prop_map(ExpireCode),
        Just(PersistCode),
        Just(Persist),
        (code(), seconds()).prop_map(|(code, ttl)| SetWithTtl(code, ttl)),
        code().prop_map(GetOrInsert),
        any::<i32>().prop_map(SetNumber),
        code().prop_map(UpdateEntry),
        code().prop_map(DeleteIf),
        Just(Clear),
    ]
}

fn shown<T: std::fmt::Debug>(result: &Result<T, Error>) -> String {
    format!("{result:?}")
}

/// What an operation returns, and what is stored afterwards.
fn run<C: ConnectionLike>(key: &str, con: &mut C, operation: &Operation) -> String {
    let secs = |secs: &u64| Duration::from_secs(*secs);
    let plain = Plain::at(key).on(&mut *con);
    let result = match operation {
        Operation::PlainSetAll(record) => Some(shown(&plain.set_all(record))),
        Operation::PlainPatch(patch) => Some(shown(&plain.patch(patch))),
        _ => None,
    };
    let old = Old::at(key).on(&mut *con);
    let result = result.or_else(|| match operation {
        Operation::OldSetAll(record) => Some(shown(&old.set_all(record))),
        Operation::OldPatch(patch) => Some(shown(&old.patch(patch))),
        Operation::OldExpireCode(ttl) => Some(shown(&old.code().expire_in(secs(ttl)))),
        _ => None,
    });
    let timeless = Timeless::at(key).on(&mut *con);
    let result = result.or_else(|| match operation {
        Operation::TimelessSetAll(record) => Some(shown(&timeless.set_all(record))),
        Operation::TimelessIncrement(by) => Some(shown(&timeless.tries().increment(*by))),
        Operation::TimelessSetName(name) => Some(shown(&timeless.name().set(name))),
        _ => None,
    });
    let map = HashMap::new(key).on(&mut *con);
    let result = result.or_else(|| match operation {
        Operation::SetNumber(number) => Some(shown(&map.set_if_present("nick", number))),
        Operation::UpdateEntry(code) => Some(shown(&map.update("code", |found: &mut u8| *found = *code))),
        Operation::DeleteIf(code) => Some(shown(&map.delete_if("code", |found: &u8| found == code))),
        Operation::TakeWrongly => Some(shown(&map.take::<u64>("name"))),
        _ => None,
    });
    let record = Record::at(key).on(&mut *con);
    let result = result.unwrap_or_else(|| match operation {
        Operation::SetAll(new) => shown(&record.set_all(new)),
        Operation::Create(new) => shown(&record.create(new)),
        Operation::Replace(new) => shown(&record.replace(new)),
        Operation::Patch(patch, true) => shown(&record.patch_if_present(patch)),
        Operation::Patch(patch, false) => shown(&record.patch(patch)),
        Operation::Update(name, code) => shown(&record.update(|record| {
            record.name.clone_from(name);
            record.code = *code;
        })),
        Operation::SetName(name) => shown(&record.name().set(name)),
        Operation::SetCode(code) => shown(&record.code().set(code)),
        Operation::SetCodeIfAbsent(code) => shown(&record.code().set_if_absent(code)),
        Operation::SetCodeIfPresent(code) => shown(&record.code().set_if_present(code)),
        Operation::CompareAndSet(old, new) => shown(&record.code().compare_and_set(old, new)),
        Operation::SetNameIfPresent(name) => shown(&record.name().set_if_present(name)),
        Operation::CodeExists => shown(&record.code().exists()),
        Operation::TakeCode => shown(&record.code().take()),
        Operation::TakeName => shown(&record.name().take()),
        Operation::DeleteCode => shown(&record.code().delete()),
        Operation::Increment(by) => shown(&record.tries().increment(*by)),
        Operation::ExpireIn(ttl) => shown(&record.expire_in(secs(ttl))),
        Operation::ExpireCode(ttl) => shown(&record.code().expire_in(secs(ttl))),
        Operation::PersistCode => shown(&record.code().persist()),
        Operation::Persist => shown(&record.persist()),
        Operation::SetWithTtl(code, ttl) => shown(&record.code().set_with_ttl(code, secs(ttl))),
        Operation::GetOrInsert(code) => shown(&record.code().get_or_insert_with(|| *code)),
        Operation::Clear => shown(&record.clear()),
        _ => unreachable!(),
    });
    // Asked before the reads, which renew the record's time to live, and rounded: time passes between the servers.
    let about = |ttl: Result<Ttl, Error>| match ttl.unwrap() {
        Ttl::Remaining(left) => left.as_secs().div_ceil(100),
        Ttl::Absent => 1_000_000,
        Ttl::Persistent => 2_000_000,
    };
    let times = [about(record.ttl()), about(record.code().ttl()), about(record.tries().ttl())];
    let all = shown(&record.get_all());
    let mut fields: Vec<_> =
        HashMap::new(key).on(con).get_all().map_or_else(|_| vec![], |all| all.into_iter().collect());
    fields.sort_by(|(a, _), (b, _)| a.cmp(b));
    format!("{operation:?}: {result}; {times:?}; {all}; {fields:?}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.div_ceil(4), ..Default::default() })]

    #[test]
    fn every_operation_does_the_same_on_both(operations in proptest::collection::vec(operation(), 1..40)) {
        let Some(url) = newer_server("REDIS_8_URL") else { return Ok(()) };
        let key = key();
        let mut server = redis::Client::open(url).unwrap().get_connection().unwrap();
        let mut embedded = Embedded::in_memory("").unwrap();
        for operation in &operations {
            let expected = run(&key, &mut server, operation);
            prop_assert_eq!(run(&key, &mut embedded, operation), expected);
        }
        HashMap::new(&*key).on(&mut server).clear().unwrap();
    }
}

#[derive(RedisHash, Debug, PartialEq, Clone)]
struct Written {
    a: u8,
    b: Option<String>,
    c: Option<Vec<u8>>,
}

/// The native twin of each script does the same as the script.
#[test]
fn set_all_does_the_same_on_both() {
    let key = key();
    let records = [
        Written { a: 1, b: None, c: None },
        Written { a: 2, b: Some("x".to_owned()), c: None },
        Written { a: 3, b: None, c: Some(vec![1]) },
        Written { a: 4, b: Some("y".to_owned()), c: Some(vec![]) },
    ];
    let mut server = client().get_connection().unwrap();
    let mut embedded = Embedded::in_memory("").unwrap();
    for first in &records {
        for second in &records {
            let (on_server, on_embedded) = (Written::at(&*key).on(&mut server), Written::at(&*key).on(&mut embedded));
            for record in [first, second] {
                on_server.set_all(record).unwrap();
                on_embedded.set_all(record).unwrap();
                assert_eq!(on_embedded.get_all().unwrap().as_ref(), Some(record));
                assert_eq!(on_embedded.get_all().unwrap(), on_server.get_all().unwrap());
                assert_eq!(on_embedded.size().unwrap(), on_server.size().unwrap());
            }
        }
    }
    let source = Written::at("k").set_all(&records[0]).into_cmd().unwrap();
    let Some(redis::Arg::Simple(source)) = source.args_iter().nth(1) else { panic!("no source") };
    let hash = redis::Script::new(std::str::from_utf8(source).unwrap()).get_hash().to_owned();
    let known =
        redis::cmd("EVALSHA").arg(hash).arg(&["1", "k", "", "0", "", "0", "0", "0", "a"]).query::<Value>(&mut embedded);
    assert_eq!(known.unwrap(), Value::Int(0));
    let unknown = redis::cmd("EVALSHA").arg("0".repeat(40)).arg(1).arg("k").query::<Value>(&mut embedded);
    assert_eq!(unknown.unwrap_err().code(), Some("NOSCRIPT"));
}
