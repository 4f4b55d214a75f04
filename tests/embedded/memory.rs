//! What is true of `memory:` alone.

use std::pin::pin;
use std::task::{Context, Waker};

use redis::{ConnectionLike, Value};
use redis_hashmap::{Embedded, HashMap};
use redis_hashmap_tests::AnyError;

type Test = Result<(), AnyError>;

/// There is no thread to wait for.
#[test]
fn an_async_operation_is_done_at_its_first_poll() -> Test {
    let con = Embedded::in_memory("")?;
    let map = HashMap::<String, u32>::typed("k").on_async(con.clone());
    let mut context = Context::from_waker(Waker::noop());
    let mut set = pin!(map.set("a", 1));
    assert!(set.as_mut().poll(&mut context).is_ready());
    let mut get = pin!(map.get("a"));
    assert!(matches!(get.as_mut().poll(&mut context), std::task::Poll::Ready(Ok(Some(1)))));
    let mut con = con;
    let pipeline = redis::pipe().atomic().cmd("HLEN").arg("k").clone();
    let mut lengths = pin!(redis::aio::ConnectionLike::req_packed_commands(&mut con, &pipeline, 0, 1));
    assert!(lengths.as_mut().poll(&mut context).is_ready());
    Ok(())
}

fn ask(con: &mut Embedded, command: &str, args: &[&str]) -> Value {
    con.req_command(redis::cmd(command).arg(args)).unwrap()
}

/// The bytes that many writes leave behind, given how long what they write lives. Nothing is freed on another thread, of
/// which the counter would not know.
fn left_by(write: &impl Fn(&mut Embedded, usize, &str), millis: &str) -> i64 {
    let mut con = Embedded::in_memory("").unwrap();
    let writes = allocation_counter::measure(|| (0..50_000).for_each(|i| write(&mut con, i, millis)));
    writes.bytes_current
}

/// Steady writes of what expires at once: whatever of it has expired is freed by later writes.
fn flat(write: impl Fn(&mut Embedded, usize, &str)) {
    let (all, rest) = (left_by(&write, "1000000"), left_by(&write, "1"));
    assert!(rest < all / 5, "{rest} bytes are left of {all}");
}

#[test]
fn memory_stays_flat_where_keys_expire() {
    flat(|con, i, millis| {
        let key = format!("session:{i}");
        ask(con, "HSET", &[&key, "user", "a name of more than twenty-two bytes"]);
        ask(con, "PEXPIRE", &[&key, millis]);
    });
}

#[test]
fn memory_stays_flat_where_fields_of_many_hashes_expire() {
    flat(|con, i, millis| {
        ask(con, "HSETEX", &[&format!("session:{i}"), "PX", millis, "FIELDS", "1", "code", "1234"]);
    });
}

#[test]
fn memory_stays_flat_where_fields_of_one_hash_expire() {
    flat(|con, i, millis| {
        ask(con, "HSETEX", &["codes", "PX", millis, "FIELDS", "1", &format!("user:{i}"), "1234"]);
    });
}

#[test]
fn memory_stays_flat_where_fields_expire_before_their_key() {
    flat(|con, i, millis| {
        let key = format!("hash:{i}");
        let fields = ["a", "x", "b", "x", "c", "x", "d", "x", "e", "x"];
        ask(con, "HSETEX", &[&[&*key, "PX", millis, "FIELDS", "5"], &fields[..]].concat());
        ask(con, "HSET", &[&key, "stays", "x"]);
        ask(con, "PEXPIRE", &[&key, millis]);
    });
}

/// Times that are far, and that count no longer.
#[test]
fn memory_stays_flat_where_times_are_renewed_and_removed() {
    let mut con = Embedded::in_memory("").unwrap();
    let mut run = |range: std::ops::Range<usize>| {
        let writes = allocation_counter::measure(|| {
            for i in range {
                let key = format!("session:{}", i % 100);
                ask(&mut con, "HSETEX", &[&key, "EX", "100000", "FIELDS", "1", &format!("f{}", i % 10), "x"]);
                ask(&mut con, "EXPIRE", &[&key, &format!("{}", 1000 + i)]);
                if i % 7 == 0 {
                    ask(&mut con, "DEL", &[&key]);
                } else if i % 11 == 0 {
                    ask(&mut con, "PERSIST", &[&key]);
                }
            }
        });
        writes.bytes_current
    };
    let first = run(0..7_700);
    let later = run(7_700..77_000);
    assert!(later.abs() < first / 2, "{first} bytes are there after the first writes, {later} more after others");
}
