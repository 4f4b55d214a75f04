//! WATCH, and redis-rs's `transaction`.

use redis::{ConnectionLike, Value, pipe};
use redis_hashmap::{Embedded, open};
use redis_hashmap_tests::{AnyError, key, newer_server, redis_url};

type Test = Result<(), AnyError>;

fn words(con: &mut impl ConnectionLike, words: &str) -> Value {
    let mut words = words.split(' ');
    let mut cmd = redis::cmd(words.next().unwrap_or_default());
    cmd.arg(words.collect::<Vec<_>>());
    con.req_command(&cmd).unwrap()
}

/// What lies there, what another connection does after the WATCH, and whether the transaction then fails.
const CASES: [(&str, &str, bool); 12] = [
    ("DEL {key}", "HGET {key} a", false),
    ("HSET {key} a 1", "PING", false),
    ("HSET {key} a 1", "HGET {key} a", false),
    ("HSET {key} a 1", "HSET {key} a 2", true),
    ("HSET {key} a 1", "HSET {key} b 2", true),
    ("HSET {key} a 1", "HDEL {key} a", true),
    ("HSET {key} a 1", "DEL {key}", true),
    ("HSET {key} a 1", "PEXPIRE {key} 100000", true),
    ("HSET {key} a 1", "HEXPIRE {key} 1000 FIELDS 1 a", true),
    ("HSET {key} a 1", "RENAME {key} {key}/other", true),
    ("HSET {key} a 1", "HSET {key}/other a 1", false),
    ("DEL {key}", "HSET {key} a 1", true),
];

fn fails_where_another_has_written(mut con: impl ConnectionLike, mut other: impl ConnectionLike) -> Test {
    let key = key();
    for (before, meanwhile, fails) in CASES {
        let [before, meanwhile] = [before, meanwhile].map(|text| text.replace("{key}", &key));
        words(&mut other, &before);
        words(&mut con, &format!("WATCH {key}"));
        words(&mut other, &meanwhile);
        let transaction = pipe().atomic().cmd("HGET").arg(&*key).arg("a").ignore().clone();
        let carried_out: Option<()> = transaction.query(&mut con)?;
        assert_eq!(carried_out.is_none(), fails, "{before}; {meanwhile}");
        let again: Option<()> = transaction.query(&mut con)?;
        assert!(again.is_some(), "EXEC ends the watch");
        words(&mut other, &format!("DEL {key} {key}/other"));
    }
    Ok(())
}

#[test]
fn a_transaction_fails_where_another_has_written() -> Test {
    let store = Embedded::in_memory("")?;
    fails_where_another_has_written(store.clone(), store)
}

#[test]
fn it_fails_on_redis_too() -> Test {
    let Some(url) = newer_server("REDIS_8_URL") else { return Ok(()) };
    let client = redis::Client::open(url)?;
    fails_where_another_has_written(client.get_connection()?, client.get_connection()?)
}

#[test]
fn unwatch_and_discard_end_the_watch() -> Test {
    let (mut con, mut other) = {
        let con = Embedded::in_memory("")?;
        (con.clone(), con)
    };
    for end in ["UNWATCH", "MULTI|DISCARD"] {
        words(&mut con, "WATCH k");
        words(&mut other, "HINCRBY k f 1");
        let mut packed = Vec::new();
        end.split('|').for_each(|command| packed.extend(redis::cmd(command).get_packed_command()));
        con.req_packed_commands(&packed, 0, 2)?;
        let carried_out: Option<(u8,)> = pipe().atomic().cmd("HGET").arg("k").arg("f").query(&mut con)?;
        assert!(carried_out.is_some(), "{end}");
    }
    Ok(())
}

/// redis-rs's own optimistic transactions count what threads add at the same time.
#[test]
fn transactions_of_threads_lose_nothing() -> Test {
    let store = Embedded::in_memory("")?;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let mut con = store.clone();
            scope.spawn(move || {
                for _ in 0..200 {
                    redis::transaction(&mut con, &["k"], |con, pipe| {
                        let count: Option<u32> = redis::cmd("HGET").arg("k").arg("f").query(con)?;
                        pipe.cmd("HSET").arg("k").arg("f").arg(count.unwrap_or(0) + 1).ignore().query::<Option<()>>(con)
                    })
                    .unwrap();
                }
            });
        }
    });
    let mut con = store;
    assert_eq!(redis::cmd("HGET").arg("k").arg("f").query::<u32>(&mut con)?, 800);
    Ok(())
}

/// An EXEC with arguments is refused, and ends the transaction and the watch.
#[test]
fn an_exec_with_arguments_ends_the_transaction() -> Test {
    for mut con in [open("memory:")?, open(&redis_url())?] {
        let key = key();
        words(&mut con, &format!("WATCH {}", &*key));
        words(&mut con, &format!("HSET {} a 1", &*key));
        let mut packed = Vec::new();
        for command in [&["MULTI"][..], &["HLEN", &key], &["EXEC", "x"], &["MULTI"], &["HLEN", &key], &["EXEC"]] {
            redis::Cmd::new().arg(command).write_packed_command(&mut packed);
        }
        let replies = con.req_packed_commands(&packed, 0, 6)?;
        let Value::ServerError(refused) = &replies[2] else { panic!("{replies:?}") };
        assert_eq!(
            (refused.code(), refused.details()),
            ("EXECABORT", Some("Transaction discarded because of: wrong number of arguments for 'exec' command"))
        );
        assert_eq!(replies[5], Value::Array(vec![Value::Int(1)]), "the watch has ended too");
    }
    Ok(())
}
