//! The commands that this library does not send, but that users of redis-rs call: answered as by servers.

use std::collections::BTreeSet;

use proptest::prelude::*;
use redis::{Cmd, ConnectionLike, Value, cmd};
use redis_hashmap::{Durability, Embedded, open};
use redis_hashmap_tests::{AnyError, key, newer_server, redis_url};

use crate::differential::Arg;

type Test = Result<(), AnyError>;

/// Further commands that every server has.
pub(crate) fn further() -> impl Strategy<Value = (String, Vec<Arg>)> {
    const KEYS: &[&str] = &["k0", "k1", "k2"];
    const FIELDS: &[&str] = &["f0", "f1", "f2"];
    const NUMBERS: &[&str] = &["0.5", "-1.25", "3", "1e2", "x", "", "nan", " 1", "-0"];
    // Where 64 bits are as good as 80.
    const SMALL: &[&str] = &["n0", "n1"];
    const OPTIONS: &[&str] = &["REPLACE", "replace", "DB", "0", "nonsense", "-1", "x"];
    const SCANNED: &[&str] = &["MATCH", "f*", "COUNT", "1000", "0", "-1", "x", "TYPE", "hash", "7"];
    const REFUSED: &[&[&str]] = &[&["COUNT", "0"], &["COUNT"], &["MATCH"], &["y"]];
    let key = || prop::sample::select(KEYS).prop_map(|key| Arg::Key(key.to_owned()));
    let literal = |of: &'static [&'static str]| prop::sample::select(of).prop_map(|text| Arg::Literal(text.to_owned()));
    let field = move || literal(FIELDS);
    let keyed = move |name: &'static str, most: usize| {
        (key(), proptest::collection::vec(field(), 0..=most))
            .prop_map(move |(key, fields)| (name.to_owned(), [vec![key], fields].concat()))
    };
    let two_keys = move |name: &'static str, options: &'static [&'static str]| {
        (key(), key(), proptest::collection::vec(literal(options), 0..3))
            .prop_map(move |(from, to, options)| (name.to_owned(), [vec![from, to], options].concat()))
    };
    let float = (key(), literal(SMALL), literal(NUMBERS))
        .prop_map(|(key, field, by)| ("HINCRBYFLOAT".to_owned(), vec![key, field, by]));
    let set_float = (key(), literal(SMALL), literal(NUMBERS))
        .prop_map(|(key, field, value)| ("HMSET".to_owned(), vec![key, field, value]));
    let scan = (key(), literal(&["0", "0", "x"]), proptest::collection::vec(literal(SCANNED), 0..5)).prop_map(
        |(key, cursor, options)| {
            // Pages of small hashes are whole, and end in one place.
            (
                "HSCAN".to_owned(),
                [
                    vec![key, cursor],
                    options,
                    vec!["COUNT", "1000"].into_iter().map(|arg| Arg::Literal(arg.to_owned())).collect(),
                ]
                .concat(),
            )
        },
    );
    prop_oneof![
        keyed("HMSET", 4),
        keyed("HVALS", 1),
        keyed("HSTRLEN", 2),
        set_float,
        float,
        keyed("EXPIRETIME", 0),
        keyed("PEXPIRETIME", 0),
        proptest::collection::vec(key(), 0..3).prop_map(|keys| ("TOUCH".to_owned(), keys)),
        two_keys("RENAME", &["x"]).prop_map(|(name, args)| (name, args.into_iter().take(2).collect())),
        two_keys("RENAMENX", &["x"]).prop_map(|(name, args)| (name, args.into_iter().take(2).collect())),
        two_keys("COPY", OPTIONS),
        proptest::collection::vec(field(), 0..3).prop_map(|args| ("PING".to_owned(), args)),
        scan,
        // What a scan of all keys is refused for.
        (literal(&["x", "0"]), prop::sample::select(REFUSED)).prop_map(|(cursor, options)| {
            let options = options.iter().map(|option| Arg::Literal((*option).to_owned()));
            ("SCAN".to_owned(), std::iter::once(cursor).chain(options).collect())
        }),
        prop::sample::select(&["x", "0", "9223372036854775808", "-9223372036854775808"][..]).prop_map(|count| {
            (
                "HRANDFIELD".to_owned(),
                vec![Arg::Key("k3".to_owned()), Arg::Literal(count.to_owned()), Arg::Literal("withvalues".to_owned())],
            )
        }),
    ]
}

/// Further commands that only servers on which fields expire have.
pub(crate) fn further_newer() -> impl Strategy<Value = (String, Vec<Arg>)> {
    let literal = |text: &str| Arg::Literal(text.to_owned());
    let fields = proptest::collection::vec(prop::sample::select(&["f0", "f1", "1"][..]), 1..3);
    let expires = (prop::sample::select(&["HEXPIRETIME", "HPEXPIRETIME"][..]), 0..3_u8, fields).prop_map(
        move |(name, key, fields)| {
            let head = [Arg::Key(format!("k{key}")), literal("FIELDS"), literal(&fields.len().to_string())];
            (name.to_owned(), head.into_iter().chain(fields.into_iter().map(literal)).collect())
        },
    );
    // It came later than MATCH and COUNT, and for HSCAN only.
    let scan = Just(("SCAN".to_owned(), ["0", "NOVALUES"].map(literal).to_vec()));
    let hscan =
        Just(("HSCAN".to_owned(), vec![Arg::Key("k0".to_owned()), literal("0"), literal("novalues"), literal("x")]));
    prop_oneof![4 => expires, 1 => scan, 1 => hscan]
}

fn sorted(value: Value) -> BTreeSet<String> {
    let Value::Array(values) = value else { panic!("{value:?}") };
    values.into_iter().map(|value| format!("{value:?}")).collect()
}

proptest! {
    /// Patterns match what they match in Redis.
    #[test]
    fn patterns_match_as_in_redis(
        pattern in "[ab*?\\[\\]^\\\\-]{0,9}",
        names in proptest::collection::btree_set("[ab*?\\[\\]^\\\\-]{0,6}", 1..20),
    ) {
        let key = key();
        let mut server = open(&redis_url()).unwrap();
        let mut embedded = Embedded::in_memory("").unwrap();
        let mut scanned = Vec::new();
        for con in [&mut server as &mut dyn ConnectionLike, &mut embedded] {
            for name in &names {
                con.req_command(cmd("HSET").arg(&*key).arg(name).arg("")).unwrap();
            }
            let page = con.req_command(cmd("HSCAN").arg(&*key).arg(0).arg("COUNT").arg(1000).arg("MATCH").arg(&pattern));
            let Value::Array(mut page) = page.unwrap() else { panic!("no page") };
            scanned.push(sorted(page.pop().unwrap()));
        }
        prop_assert_eq!(&scanned[1], &scanned[0], "{}", pattern);
    }
}

/// What is about a whole database is compared on one that no other test uses.
#[test]
fn commands_on_all_keys_are_answered_as_by_redis() -> Test {
    let folder = std::env::temp_dir().join(format!("redis-hashmap-further-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let file = Embedded::in_file(folder.join("store.redb"), Durability::Immediate)?;
    let Some(url) = newer_server("REDIS_8_URL") else { return Ok(()) };
    let mut server = open(&format!("{url}9"))?;
    cmd("FLUSHDB").exec(&mut server)?;
    for mut embedded in [Embedded::in_memory("")?, file] {
        let mut both = |command: &mut Cmd| {
            let (ours, theirs) = (embedded.req_command(command), server.req_command(command));
            (ours.expect("an answer"), theirs.expect("an answer"))
        };
        for key in ["a", "b", "ab", "b\\c"] {
            both(cmd("HSET").arg(key).arg("f").arg(1));
        }
        let same = |(ours, theirs): (Value, Value)| assert_eq!(ours, theirs);
        same(both(&mut cmd("DBSIZE")));
        for pattern in ["*", "a*", "?", "[ab]", "b\\\\c", "x"] {
            let (ours, theirs) = both(cmd("KEYS").arg(pattern));
            assert_eq!(sorted(ours), sorted(theirs), "{pattern}");
        }
        for _ in 0..20 {
            let (ours, _) = both(&mut cmd("RANDOMKEY"));
            assert!(
                matches!(&ours, Value::BulkString(key) if key.starts_with(b"a") || key.starts_with(b"b")),
                "{ours:?}"
            );
        }
        same(both(cmd("FLUSHDB").arg("now")));
        same(both(cmd("FLUSHDB").arg("ASYNC")));
        same(both(&mut cmd("DBSIZE")));
        same(both(&mut cmd("RANDOMKEY")));
        same(both(cmd("KEYS").arg("*")));
    }
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

#[test]
fn random_fields_are_fields() -> Test {
    let mut con = Embedded::in_memory("")?;
    let mut random = |args: &[&str]| -> Result<Vec<String>, AnyError> {
        Ok(cmd("HRANDFIELD").arg("k").arg(args).query::<Vec<String>>(&mut con)?)
    };
    assert_eq!(random(&["3"])?, [""; 0]);
    let mut con = Embedded::in_memory("")?;
    cmd("HSET").arg("k").arg(&["a", "1", "b", "2", "c", "3"]).exec(&mut con)?;
    let mut seen = BTreeSet::new();
    for _ in 0..200 {
        seen.insert(cmd("HRANDFIELD").arg("k").query::<String>(&mut con)?);
        let two: BTreeSet<String> = cmd("HRANDFIELD").arg("k").arg(2).query(&mut con)?;
        assert_eq!(two.len(), 2);
        assert_eq!(cmd("HRANDFIELD").arg("k").arg(-5).query::<Vec<String>>(&mut con)?.len(), 5);
        let pairs: Vec<(String, u8)> = cmd("HRANDFIELD").arg("k").arg(9).arg("WITHVALUES").query(&mut con)?;
        assert_eq!(
            pairs.into_iter().collect::<BTreeSet<_>>(),
            [("a".into(), 1), ("b".into(), 2), ("c".into(), 3)].into()
        );
    }
    assert_eq!(seen.len(), 3);
    Ok(())
}

/// redis-rs's `transaction`: what another connection has changed meanwhile is seen, and tried again.
#[test]
fn transactions_of_redis_rs_see_what_others_change() -> Test {
    let folder = std::env::temp_dir().join(format!("redis-hashmap-watch-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("store.redb");
    for con in [Embedded::in_memory("")?, Embedded::in_file(&file, Durability::Immediate)?] {
        let add = |con: &Embedded| {
            let mut con = con.clone();
            redis::transaction(&mut con, &["k"], |con, pipe| {
                let count: u64 = cmd("HGET").arg("k").arg("n").query::<Option<u64>>(con)?.unwrap_or(0);
                pipe.cmd("HSET").arg("k").arg("n").arg(count + 1).query(con)
            })
            .map(|_: (u64,)| ())
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| (0..50).try_for_each(|_| add(&con)))).collect();
            threads.into_iter().try_for_each(|thread| thread.join().expect("no panic"))
        })?;
        let mut con = con;
        assert_eq!(cmd("HGET").arg("k").arg("n").query::<u64>(&mut con)?, 200);

        let mut other = con.clone();
        let transaction = || redis::pipe().atomic().cmd("HSET").arg("k").arg("m").arg(1).clone();
        for (change, is_seen) in [
            (cmd("HSET").arg("k").arg("x").arg(1).clone(), true),
            (cmd("DEL").arg("y").arg("k").clone(), true),
            (cmd("RENAME").arg("k").arg("z").clone(), true),
            (cmd("FLUSHDB").clone(), true),
            (cmd("HSET").arg("another").arg("x").arg(1).clone(), false),
            (cmd("HGET").arg("k").arg("x").clone(), false),
        ] {
            cmd("HSET").arg("k").arg("x").arg(0).exec(&mut con)?;
            cmd("WATCH").arg("k").exec(&mut con)?;
            change.exec(&mut other)?;
            let done: Option<(u64,)> = transaction().query(&mut con)?;
            assert_eq!(done.is_none(), is_seen, "{:?}", change.args_iter().next());
            // It watches nothing any more.
            cmd("HSET").arg("k").arg("x").arg(2).exec(&mut other)?;
            assert!(transaction().query::<Option<(u64,)>>(&mut con)?.is_some());
        }
        cmd("WATCH").arg("k").exec(&mut con)?;
        cmd("HSET").arg("k").arg("x").arg(3).exec(&mut other)?;
        cmd("UNWATCH").exec(&mut con)?;
        assert!(transaction().query::<Option<(u64,)>>(&mut con)?.is_some());
    }
    std::fs::remove_dir_all(folder)?;
    Ok(())
}
