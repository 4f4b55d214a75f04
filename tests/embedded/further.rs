//! The commands that the library itself does not send, and that callers of redis-rs will: random ones to the embedded
//! store and to Redis 8.0, which must give equal answers.
//!
//! Times are points in time, so that the answers do not depend on when they are asked for.

use proptest::prelude::*;
use redis::{ConnectionLike, Value};
use redis_hashmap::Embedded;
use redis_hashmap_tests::{AnyError, key, newer_server};

use crate::differential::{Arg, a_pipeline_is_answered_as_by, single_commands_are_answered_as_by};
use crate::folder::either;

fn one_of(words: &'static [&'static str]) -> BoxedStrategy<Arg> {
    prop::sample::select(words).prop_map(|word| Arg::Literal(word.to_owned())).boxed()
}

/// A command from its words: `k` is a key, `f` a field, `v` a value, `n` a float, `t` a time; any other word is itself.
fn spoken(text: &'static str) -> BoxedStrategy<(String, Vec<Arg>)> {
    let mut words = text.split(' ');
    let name = words.next().unwrap_or_default();
    let args: Vec<BoxedStrategy<Arg>> = words
        .map(|word| match word {
            "k" => (0..3_u8).prop_map(|k| Arg::Key(format!("k{k}"))).boxed(),
            "f" => one_of(&["f0", "f1", "f2", ""]),
            "v" => prop_oneof![
                one_of(&[
                    "",
                    "a",
                    "17",
                    "-3",
                    "0.1",
                    "10.5",
                    "1e3",
                    "ünïcode \r\n\0",
                    "9223372036854775807",
                    " 1",
                    "1 "
                ]),
                (-1_000_000..1_000_000_i64).prop_map(|n| Arg::Literal(format!("{}.{}", n / 1000, n.abs() % 1000))),
            ]
            .boxed(),
            "n" => prop_oneof![
                one_of(&[
                    "0.1",
                    "0.2",
                    "-0.3",
                    "+5",
                    "05",
                    ".5",
                    "5.",
                    "1e2",
                    "1E-3",
                    "x",
                    "",
                    "inf",
                    "-Infinity",
                    "nan"
                ]),
                one_of(&["1e30", "-1e300", "3.0e-5", "1e-18", "1e4932", "1e5000", "1e", "e1", ".", "1.2.3", "--1"]),
                any::<f64>().prop_map(|n| Arg::Literal(n.to_string())),
                (-1_000_000..1_000_000_i32, 0..8_usize).prop_map(|(n, digits)| Arg::Literal(format!(
                    "{:.*}",
                    digits,
                    f64::from(n) / 997.0
                ))),
            ]
            .boxed(),
            "t" => one_of(&["4000000000", "4000000100", "4000000200"]),
            "c" => one_of(&["0", "-1", "x", "99999", "9223372036854775808"]),
            word => Just(Arg::Literal(word.to_owned())).boxed(),
        })
        .collect();
    args.prop_map(move |args| (name.to_owned(), args)).boxed()
}

fn further() -> impl Strategy<Value = (String, Vec<Arg>)> {
    const COMMANDS: &[&str] = &[
        "HSET k f v",
        "HMSET k f v",
        "hmset k f v f v",
        "HMSET k f v f",
        "HGETALL k",
        "HDEL k f",
        "DEL k",
        "EXPIREAT k t",
        "HEXPIREAT k t FIELDS 2 f f",
        "HVALS k",
        "HVALS k f",
        "HSTRLEN k f",
        "HINCRBYFLOAT k f n",
        "HINCRBYFLOAT k f n",
        "HINCRBYFLOAT k f v",
        "HINCRBY k f v",
        "HRANDFIELD k c x",
        "HRANDFIELD k 0",
        "HRANDFIELD k x",
        "HRANDFIELD k 1 WITHVALUES x",
        "HEXPIRETIME k FIELDS 2 f f",
        "HPEXPIRETIME k FIELDS 1 f",
        "HEXPIRETIME k FIELDS 2 f",
        "HPEXPIRETIME k FIELDS x f",
        "EXPIRETIME k",
        "PEXPIRETIME k",
        "TOUCH k k k",
        "RENAME k k",
        "RENAMENX k k",
        "COPY k k",
        "COPY k k REPLACE",
        "copy k k replace DB 0",
        "COPY k k DB x",
        "COPY k k DB",
        "COPY k k DB -1",
        "COPY k k DB 99",
        "COPY k k NONSENSE",
        "RENAME k",
        "DBSIZE x",
        "KEYS",
        "RANDOMKEY x",
        "FLUSHDB NONSENSE",
        "FLUSHDB ASYNC SYNC",
        "PING",
        "PING a",
        "PING a b",
        "WATCH",
        "WATCH k",
        "UNWATCH",
        "UNWATCH x",
        "DISCARD",
        "EXEC",
        "HSCAN k 0 TYPE hash",
        "HSCAN k 0 NOVALUES COUNT 1000",
        "HSCAN k 0 COUNT c MATCH nothing",
        "HSCAN k 0 COUNT",
        "HSCAN k x",
        "SCAN 0 NOVALUES",
        "SCAN 0 COUNT -1",
        "SCAN 0 COUNT x",
        "SCAN 0 COUNT 0",
        "SCAN x",
        "SCAN 0 MATCH",
    ];
    prop::sample::select(COMMANDS).prop_flat_map(spoken)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.div_ceil(2), ..Default::default() })]

    #[test]
    fn further_commands_are_answered_as_by_redis(
        commands in proptest::collection::vec(further(), 1..80), resp3 in any::<bool>(),
        in_file in prop::bool::weighted(0.1)
    ) {
        if let Some(url) = newer_server("REDIS_8_URL") {
            single_commands_are_answered_as_by(&url, &either(in_file), &commands, resp3)?;
        }
    }

    #[test]
    fn further_commands_in_pipelines_and_transactions_are_answered_as_by_redis(
        commands in proptest::collection::vec(further(), 1..12), atomic in any::<bool>(),
        in_file in prop::bool::weighted(0.1)
    ) {
        if let Some(url) = newer_server("REDIS_8_URL") {
            a_pipeline_is_answered_as_by(&url, &either(in_file), &commands, atomic)?;
        }
    }
}

fn words(con: &mut impl ConnectionLike, words: &str) -> Value {
    let mut words = words.split(' ');
    let mut cmd = redis::cmd(words.next().unwrap_or_default());
    cmd.arg(words.collect::<Vec<_>>());
    con.req_command(&cmd).unwrap()
}

fn texts(value: Value) -> Vec<String> {
    redis::from_redis_value(value).unwrap()
}

/// What is random is the same in its shape, on both servers.
#[test]
fn random_fields_are_fields() -> Result<(), AnyError> {
    let key = key();
    let Some(url) = newer_server("REDIS_8_URL") else { return Ok(()) };
    for protocol in ["", "?protocol=resp3"] {
        let mut server = redis::Client::open(format!("{url}{protocol}"))?.get_connection()?;
        let mut embedded = Embedded::in_memory("")?.with_resp3(!protocol.is_empty());
        let cons: [&mut dyn ConnectionLike; 2] = [&mut server, &mut embedded];
        for con in cons {
            let mut ask = |command: &str, rest: &str| -> Value {
                let mut cmd = redis::cmd(command);
                cmd.arg(&*key).arg(rest.split_whitespace().collect::<Vec<_>>());
                con.req_command(&cmd).unwrap()
            };
            assert_eq!(ask("HRANDFIELD", ""), Value::Nil);
            assert_eq!(ask("HRANDFIELD", "5"), Value::Array(vec![]));
            assert_eq!(ask("HRANDFIELD", "-5 WITHVALUES"), Value::Array(vec![]));
            ask("HSET", "a 1 b 2 c 3");
            let fields = |mut fields: Vec<String>| {
                fields.sort();
                fields
            };
            for _ in 0..50 {
                assert!(["a", "b", "c"].contains(&&*redis::from_redis_value::<String>(ask("HRANDFIELD", ""))?));
                let two = fields(texts(ask("HRANDFIELD", "2")));
                assert!(two.len() == 2 && two[0] < two[1], "{two:?}");
                assert_eq!(fields(texts(ask("HRANDFIELD", "7"))), ["a", "b", "c"]);
                let drawn = texts(ask("HRANDFIELD", "-7"));
                assert!(drawn.len() == 7 && drawn.iter().all(|field| "abc".contains(field.as_str())), "{drawn:?}");
            }
            let mut all = std::collections::BTreeSet::new();
            for _ in 0..200 {
                all.extend(texts(ask("HRANDFIELD", "1")));
            }
            assert_eq!(all.len(), 3);
            let pairs = match (ask("HRANDFIELD", "3 withvalues"), protocol) {
                (Value::Array(flat), "") => flat.chunks(2).map(|pair| Value::Array(pair.to_vec())).collect(),
                (Value::Array(pairs), _) => pairs,
                (other, _) => panic!("{other:?}"),
            };
            let mut pairs: Vec<(String, u8)> = redis::from_redis_value(Value::Array(pairs))?;
            pairs.sort();
            assert_eq!(pairs, [("a".to_owned(), 1), ("b".to_owned(), 2), ("c".to_owned(), 3)]);
            ask("DEL", "");
        }
    }
    Ok(())
}

#[test]
fn all_keys_of_a_store() {
    let mut con = Embedded::in_memory("").unwrap();
    assert_eq!((words(&mut con, "DBSIZE"), words(&mut con, "RANDOMKEY")), (Value::Int(0), Value::Nil));
    for key in ["user:1", "user:2", "other"] {
        words(&mut con, &format!("HSET {key} f v"));
    }
    words(&mut con, "HSET gone f v");
    words(&mut con, "PEXPIREAT gone 1");
    assert_eq!(words(&mut con, "DBSIZE"), Value::Int(3));
    let mut users = texts(words(&mut con, "KEYS user:*"));
    users.sort();
    assert_eq!(users, ["user:1", "user:2"]);
    assert_eq!(texts(words(&mut con, "KEYS *")).len(), 3);
    let drawn: std::collections::BTreeSet<String> =
        (0..200).map(|_| redis::from_redis_value(words(&mut con, "RANDOMKEY")).unwrap()).collect();
    assert_eq!(drawn.len(), 3);
    assert_eq!(words(&mut con, "FLUSHDB"), Value::Okay);
    assert_eq!((words(&mut con, "DBSIZE"), words(&mut con, "HLEN other")), (Value::Int(0), Value::Int(0)));
}

/// An answer of so many fields could not be made.
#[test]
fn more_random_fields_than_memory_holds_are_refused() {
    let mut con = Embedded::in_memory("").unwrap();
    words(&mut con, "HSET k f v");
    for count in ["-4611686018427387903", "-9223372036854775808", "-100000000"] {
        let Value::ServerError(error) = words(&mut con, &format!("HRANDFIELD k {count}")) else { panic!("{count}") };
        assert_eq!(error.details(), Some("value is out of range"));
    }
}
