//! What a service learns from an error: whether to try again, whether it may have happened, whose fault it is.

use std::io;
use std::time::Duration;

use redis::{ConnectionLike, RedisResult, Value};
use redis_hashmap::{Counter, Error, HashMap, RedisHash, open};
use redis_hashmap_tests::{AnyError, connection, given, key};

type Test = Result<(), AnyError>;

#[derive(RedisHash, Debug, Clone, PartialEq)]
#[redis_hash(key = "verdicts:{id}")]
struct Settings {
    theme: String,
}

/// `(is_transient, may_have_been_applied, is_rejected_input)`
type Verdict = (bool, bool, bool);

const TRY_AGAIN: Verdict = (true, false, false);
const IN_DOUBT: Verdict = (false, true, false);
const INPUT: Verdict = (false, false, true);
const NEITHER: Verdict = (false, false, false);

#[track_caller]
fn judge<T: std::fmt::Debug>(result: Result<T, Error>, expected: Verdict) {
    let error = result.expect_err("it fails");
    let verdict = (error.is_transient(), error.may_have_been_applied(), error.is_rejected_input());
    assert_eq!(verdict, expected, "{error}");
}

/// A connection on which every command ends like this.
struct Ends(fn() -> RedisResult<Value>);

impl ConnectionLike for Ends {
    fn req_packed_command(&mut self, _: &[u8]) -> RedisResult<Value> {
        (self.0)()
    }

    fn req_packed_commands(&mut self, _: &[u8], _: usize, count: usize) -> RedisResult<Vec<Value>> {
        (0..count).map(|_| (self.0)()).collect()
    }

    fn get_db(&self) -> i64 {
        0
    }

    fn check_connection(&mut self) -> bool {
        true
    }

    fn is_open(&self) -> bool {
        true
    }
}

fn set(ends: fn() -> RedisResult<Value>) -> Result<bool, Error> {
    Settings::at("key").on(Ends(ends)).theme().set("dark")
}

#[test]
fn what_a_server_refuses_before_it_carries_it_out_can_be_tried_again() {
    macro_rules! answers {
        ($($line:literal => $verdict:expr;)*) => {
            $(judge(set(|| redis::parse_redis_value(concat!($line, "\r\n").as_bytes())), $verdict);)*
        };
    }
    answers! {
        "-LOADING Redis is loading the dataset in memory" => TRY_AGAIN;
        "-BUSY Redis is busy running a script" => TRY_AGAIN;
        "-CLUSTERDOWN The cluster is down" => TRY_AGAIN;
        "-READONLY You can't write against a read only replica." => TRY_AGAIN;
        "-TRYAGAIN Multiple keys request during rehashing of slot" => TRY_AGAIN;
        "-MASTERDOWN Link with MASTER is down" => TRY_AGAIN;
        "-NOREPLICAS Not enough good replicas to write." => TRY_AGAIN;
        "-WRONGTYPE Operation against a key holding the wrong kind of value" => NEITHER;
        "-NOPERM this user has no permissions" => NEITHER;
        "-OOM command not allowed when used memory > 'maxmemory'." => NEITHER;
        "-ERR unknown command" => NEITHER;
        "-CUSTOM of a module" => NEITHER;
        "+what is this" => IN_DOUBT;
    }
}

#[test]
fn what_was_sent_and_not_answered_is_in_doubt() {
    macro_rules! ends {
        ($($kind:ident => $verdict:expr;)*) => {
            $(judge(set(|| Err(io::Error::from(io::ErrorKind::$kind).into())), $verdict);)*
        };
    }
    ends! {
        ConnectionRefused => TRY_AGAIN;
        TimedOut => IN_DOUBT;
        WouldBlock => IN_DOUBT;
        UnexpectedEof => IN_DOUBT;
        ConnectionReset => IN_DOUBT;
        BrokenPipe => IN_DOUBT;
        ConnectionAborted => IN_DOUBT;
        Other => IN_DOUBT;
    }
    judge(set(|| redis::parse_redis_value(b"!!!\r\n")), IN_DOUBT);
    judge(set(|| Err((redis::ErrorKind::Client, "refused by the client").into())), NEITHER);
}

#[test]
fn connecting_carries_nothing_out() {
    judge(open("redis://127.0.0.1:1"), TRY_AGAIN);
    judge(open("redis+unix:///nowhere/redis.sock"), TRY_AGAIN);
    judge(open(&format!("redis://nobody:wrong@{}", given("REDIS_ACL_ADDRESS"))), NEITHER);
    judge(open("redis://"), NEITHER);
    judge(open("file:/nowhere/at/all/settings.redb"), NEITHER);
}

#[test]
fn a_replica_asks_for_another_try() -> Test {
    let con = open(&given("REDIS_REPLICA_URL"))?;
    judge(Settings::at("key").on(con).theme().set("dark"), TRY_AGAIN);
    Ok(())
}

#[test]
fn a_conflict_asks_for_another_try() -> Test {
    let key = key();
    let mut settings = Settings::at(&*key).on(connection()?);
    settings.set_attempt_limit(1);
    let other = Settings::at(&*key).on(connection()?);
    settings.theme().set("dark")?;
    let updated = settings.try_update(|changed| {
        other.theme().set("light")?;
        changed.theme.push('!');
        Ok::<_, Error>(())
    });
    judge(updated, TRY_AGAIN);
    Ok(())
}

#[test]
fn what_the_caller_gave_is_the_callers() -> Test {
    let key = key();
    let mut map = HashMap::new(&*key).on(connection()?);
    map.set_value_limit(10);
    judge(Settings::of("").on(connection()?).get_all(), INPUT);
    judge(HashMap::new("").on(connection()?).size(), INPUT);
    judge(map.set("", 1), INPUT);
    judge(map.set("theme", "longer than that"), INPUT);
    judge(map.set("theme", vec![(); 70_000]), INPUT);
    judge(map.expire_in(Duration::ZERO), INPUT);
    judge(map.set_with_ttl("theme", 1, Duration::MAX), INPUT);
    let counters = HashMap::<String, Counter>::typed(&*key).on(connection()?);
    counters.increment("visits", i64::MAX)?;
    judge(counters.increment("visits", 1), INPUT);
    assert_eq!(counters.get("visits")?, Some(i64::MAX));
    // What is stored is not the caller's.
    judge(map.get::<u8>("visits"), NEITHER);
    Ok(())
}
