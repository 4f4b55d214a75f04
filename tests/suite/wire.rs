//! The exact command that each operation sends, and how each form of a reply is read, over a mock without a server.

use redis::{Cmd, Value};
use redis_hashmap::{Error, HashMap, RedisHash, batch};
use redis_test::{IntoRedisValue, MockCmd, MockRedisConnection};

#[derive(RedisHash, Debug, PartialEq, Clone)]
pub(super) struct Settings {
    pub(super) theme: String,
    #[redis_hash(default = 14)]
    pub(super) width: u8,
    pub(super) nick: Option<String>,
}

pub(super) const KEY: &str = "user:1";
pub(super) const DARK: &[u8] = b"\x8f\x04dark";
const FOURTEEN: &[u8] = b"\x87\x0e";

pub(super) fn command(args: &[&[u8]]) -> Cmd {
    let mut cmd = Cmd::new();
    for arg in args {
        cmd.arg(*arg);
    }
    cmd
}

/// A connection that expects these commands, and nothing else.
pub(super) fn mock(exchanges: Vec<(Cmd, Value)>) -> MockRedisConnection {
    MockRedisConnection::new(exchanges.into_iter().map(|(cmd, reply)| MockCmd::new(cmd, Ok(reply))))
        .assert_all_commands_consumed()
}

pub(super) fn bulk(bytes: &[u8]) -> Value {
    Value::BulkString(bytes.to_vec())
}

/// Runs an operation against one exchange.
macro_rules! sends {
    ($accessor:expr, |$it:ident| $operation:expr, $args:expr => $reply:expr) => {{
        let mut con = mock(vec![(command($args), $reply.into_redis_value())]);
        #[allow(unused_mut)]
        let mut $it = $accessor.on(&mut con);
        $operation.unwrap()
    }};
}

#[test]
fn the_operations_of_a_map() {
    let map = HashMap::new(KEY);
    assert!(sends!(map, |m| m.set("theme", "dark"), &[b"HSET", b"user:1", b"theme", DARK] => 1_i64));
    assert!(!sends!(map, |m| m.set("theme", "dark"), &[b"HSET", b"user:1", b"theme", DARK] => 0_i64));
    let theme: Option<String> = sends!(map, |m| m.get("theme"), &[b"HGET", b"user:1", b"theme"] => bulk(DARK));
    assert_eq!(theme.as_deref(), Some("dark"));
    let theme: Option<String> = sends!(map, |m| m.get("theme"), &[b"HGET", b"user:1", b"theme"] => Value::Nil);
    assert_eq!(theme, None);
    assert!(sends!(map, |m| m.delete("theme"), &[b"HDEL", b"user:1", b"theme"] => 1_i64));
    assert!(!sends!(map, |m| m.exists("theme"), &[b"HEXISTS", b"user:1", b"theme"] => 0_i64));
    assert_eq!(sends!(map, |m| m.size(), &[b"HLEN", b"user:1"] => 3_i64), 3);
    assert!(sends!(map, |m| m.clear(), &[b"DEL", b"user:1"] => 1_i64));
    let names = Value::Array(vec![bulk(b"a"), bulk(b"b")]);
    assert_eq!(sends!(map, |m| m.get_fields(), &[b"HKEYS", b"user:1"] => names), ["a", "b"]);
}

#[test]
fn get_all_reads_the_shapes_of_both_protocols() {
    let map = HashMap::<u8, String>::typed(KEY);
    let flat = Value::Array(vec![bulk(b"1"), bulk(DARK)]);
    let pairs = Value::Map(vec![(bulk(b"1"), bulk(DARK))]);
    for reply in [flat, pairs] {
        let all = sends!(map, |m| m.get_all(), &[b"HGETALL", b"user:1"] => reply);
        assert_eq!(all, [(1, "dark".to_owned())].into());
    }
}

#[test]
fn the_operations_of_a_field() {
    let settings = Settings::at(KEY);
    assert!(sends!(settings, |s| s.theme().set("dark"), &[b"HSET", b"user:1", b"theme", DARK] => 1_i64));
    assert!(sends!(settings, |s| s.width().set(14), &[b"HSET", b"user:1", b"width", FOURTEEN] => 1_i64));
    assert_eq!(sends!(settings, |s| s.width().get(), &[b"HGET", b"user:1", b"width"] => Value::Nil), 14);
    assert_eq!(sends!(settings, |s| s.nick().get(), &[b"HGET", b"user:1", b"nick"] => Value::Nil), None);
    assert!(sends!(settings, |s| s.nick().delete(), &[b"HDEL", b"user:1", b"nick"] => 1_i64));
    assert!(sends!(settings, |s| s.nick().exists(), &[b"HEXISTS", b"user:1", b"nick"] => 1_i64));
}

#[test]
fn the_operations_of_a_record() {
    let settings = Settings::at(KEY);
    let hmget: &[&[u8]] = &[b"HMGET", b"user:1", b"theme", b"width", b"nick"];
    let reply = Value::Array(vec![bulk(DARK), Value::Nil, Value::Nil]);
    let record = sends!(settings, |s| s.get_all(), hmget => reply).unwrap();
    assert_eq!(record, Settings { theme: "dark".to_owned(), width: 14, nick: None });
    let nothing = Value::Array(vec![Value::Nil; 3]);
    assert_eq!(sends!(settings, |s| s.get_all(), hmget => nothing.clone()), None);
    assert_eq!(sends!(settings, |s| s.get_partial(), hmget => nothing).width, None);
    assert!(sends!(settings, |s| s.exists(), &[b"EXISTS", b"user:1"] => 1_i64));
    assert_eq!(sends!(settings, |s| s.size(), &[b"HLEN", b"user:1"] => 2_i64), 2);
    let names = Value::Set(vec![bulk(b"theme")]);
    assert_eq!(sends!(settings, |s| s.get_fields(), &[b"HKEYS", b"user:1"] => names), ["theme"]);
    assert!(!sends!(settings, |s| s.clear(), &[b"DEL", b"user:1"] => 0_i64));
}

#[test]
fn set_all_is_one_hset_where_no_field_is_none() {
    let record = Settings { theme: "dark".to_owned(), width: 14, nick: Some("dark".to_owned()) };
    let hset: &[&[u8]] = &[b"HSET", b"user:1", b"theme", DARK, b"width", FOURTEEN, b"nick", DARK];
    sends!(Settings::at(KEY), |s| s.set_all(&record), hset => 3_i64);
}

#[derive(RedisHash)]
struct AllOptional {
    a: Option<u8>,
    b: Option<u8>,
}

#[test]
fn set_all_is_one_hdel_where_every_field_is_none() {
    let record = AllOptional { a: None, b: None };
    sends!(AllOptional::at(KEY), |s| s.set_all(&record), &[b"HDEL", b"user:1", b"a", b"b"] => 2_i64);
}

/// A script is sent as EVALSHA, then as EVAL on NOSCRIPT; in a batch as EVAL at once.
#[test]
fn set_all_is_one_script_where_some_fields_are_none() {
    let record = Settings { theme: "dark".to_owned(), width: 14, nick: None };
    let eval = Settings::at(KEY).set_all(&record).into_cmd().unwrap();
    let source = eval.args_iter().nth(1);
    let Some(redis::Arg::Simple(source)) = source else { panic!("no source") };
    let script = redis::Script::new(std::str::from_utf8(source).unwrap());
    // No condition, no time to live, nothing to keep, no guards, nothing that expires; four arguments to set.
    let args: &[&[u8]] =
        &[b"1", b"user:1", b"", b"0", b"", b"0", b"0", b"4", b"theme", DARK, b"width", FOURTEEN, b"nick"];
    let evalsha = command(&[&[b"EVALSHA", script.get_hash().as_bytes()][..], args].concat());
    assert_eq!(eval.get_packed_command(), command(&[&[b"EVAL", source][..], args].concat()).get_packed_command());

    sends!(Settings::at(KEY), |s| s.set_all(&record), &[&[b"EVALSHA", script.get_hash().as_bytes()][..], args].concat() => 2_i64);

    let noscript = redis::parse_redis_value(b"-NOSCRIPT No matching script.\r\n").unwrap();
    let evalsha_again = evalsha.clone();
    let mut con = mock(vec![(evalsha, noscript), (eval.clone(), Value::Int(2))]);
    Settings::at(KEY).on(&mut con).set_all(&record).unwrap();

    // Anything else that the server refuses is not sent again.
    let refused = redis::parse_redis_value(b"-WRONGTYPE not a hash\r\n").unwrap();
    let mut con = mock(vec![(evalsha_again, refused)]);
    assert!(matches!(Settings::at(KEY).on(&mut con).set_all(&record), Err(Error::Redis { .. })));

    let mut con =
        MockRedisConnection::new([MockCmd::with_values(redis::pipe().add_command(eval), Ok(vec![Value::Int(2)]))]);
    batch((Settings::at(KEY).set_all(&record),)).query(&mut con).unwrap();
}

#[test]
fn a_batch_is_one_pipeline_and_an_atomic_one_a_transaction() {
    let map = HashMap::new(KEY);
    let commands = || (map.set("theme", "dark"), map.size(), map.get::<String>("theme"));
    let mut pipeline = redis::pipe();
    pipeline
        .add_command(command(&[b"HSET", b"user:1", b"theme", DARK]))
        .add_command(command(&[b"HLEN", b"user:1"]))
        .add_command(command(&[b"HGET", b"user:1", b"theme"]));
    let replies = vec![Value::Int(1), Value::Int(2), bulk(DARK)];

    let mut con = MockRedisConnection::new([MockCmd::with_values(&pipeline, Ok(replies.clone()))]);
    assert_eq!(batch(commands()).query(&mut con).unwrap(), (true, 2, Some("dark".to_owned())));

    // Each command needs an answer.
    let mut con = MockRedisConnection::new([MockCmd::with_values(&pipeline, Ok(replies[..2].to_vec()))]);
    let error = batch(commands()).query(&mut con).unwrap_err();
    assert!(matches!(error, Error::UnexpectedReply { .. }), "{error}");

    pipeline.atomic();
    let mut con = MockRedisConnection::new([MockCmd::with_values(&pipeline, Ok(vec![Value::Array(replies)]))]);
    assert_eq!(batch(commands()).atomic().query(&mut con).unwrap(), (true, 2, Some("dark".to_owned())));
}

/// The ids in a key are percent-encoded. A key is part of the stored format, too.
#[test]
fn golden_keys() {
    #[derive(RedisHash)]
    #[redis_hash(key = "user:{user_id}:settings")]
    struct One {
        _a: u8,
    }
    #[derive(RedisHash)]
    #[redis_hash(key = "{{tenant:{tenant}}}:user:{user}")]
    struct Two {
        _a: u8,
    }
    #[derive(RedisHash)]
    #[redis_hash(key = "app")]
    struct Constant {
        _a: u8,
    }
    for (id, key) in [
        ("42", "user:42:settings"),
        ("a:b", "user:a%3Ab:settings"),
        ("100%", "user:100%25:settings"),
        ("{x}", "user:%7Bx%7D:settings"),
        ("größe 大小", "user:größe 大小:settings"),
        ("%25", "user:%2525:settings"),
    ] {
        assert_eq!(One::of(id).key(), key);
    }
    assert_eq!(One::of(42_u64).key(), "user:42:settings");
    assert_eq!(Two::of("a", "b").key(), "{tenant:a}:user:b");
    assert_eq!(Two::of("a:user:b", "c").key(), "{tenant:a%3Auser%3Ab}:user:c");
    assert_eq!(Two::of("a}", "{b").key(), "{tenant:a%7D}:user:%7Bb");
    assert_eq!(Constant::of().key(), "app");
}

#[test]
fn an_empty_id_key_or_field_is_an_error_and_nothing_is_sent() {
    #[derive(RedisHash)]
    #[redis_hash(key = "user:{user_id}")]
    #[derive(Debug)]
    struct One {
        a: u8,
    }
    let mut con = mock(Vec::new());
    let error = One::of("").on(&mut con).a().get().unwrap_err();
    assert!(matches!(error, Error::EmptyId { template: "user:{user_id}", placeholder: "user_id", .. }), "{error}");
    let error = One::of("").on(&mut con).set_all(&One { a: 1 }).unwrap_err();
    assert!(error.to_string().starts_with("`{user_id}` in the key `user:{user_id}` is empty"), "{error}");
    let error = One::at("").on(&mut con).get_all().unwrap_err();
    assert!(matches!(error, Error::EmptyKey), "{error}");
    for error in
        [HashMap::new("").on(&mut con).size().unwrap_err(), HashMap::new("").on(&mut con).set("a", 1).unwrap_err()]
    {
        assert!(matches!(error, Error::EmptyKey), "{error}");
    }
    let map = HashMap::new("key").on(&mut con);
    for error in [
        map.set("", 1).unwrap_err(),
        map.get::<u8>("").unwrap_err(),
        map.delete("").unwrap_err(),
        map.exists("").unwrap_err(),
    ] {
        assert!(matches!(error, Error::EmptyField { .. }), "{error}");
        assert_eq!(error.to_string(), "the name of a field of hash \"key\" is empty: give it a name");
    }
}

#[test]
fn nothing_shows_a_value_or_a_connection() {
    let con = mock(Vec::new());
    let map = HashMap::new(KEY);
    let settings = Settings::at(KEY);
    let command = map.set("theme", "secret");
    assert_eq!(format!("{command:?}"), "Command(HSET on field \"theme\" of hash \"user:1\")");
    let shown = format!("{:?} {:?}", batch((command, map.size())), settings.theme());
    assert!(!shown.contains("secret"), "{shown}");
    assert_eq!(
        format!("{:?} {:?}", map.on(con.clone()), settings.on(con)),
        format!(
            "HashMap<alloc::string::String, {}>(\"user:1\", Blocking) Record<{}>(\"user:1\", Blocking)",
            std::any::type_name::<redis_hashmap::Any>(),
            std::any::type_name::<Settings>()
        )
    );
    let partial = SettingsPartial { theme: Some("secret".to_owned()), ..Default::default() };
    assert_eq!(format!("{partial:?}"), "SettingsPartial { theme: stored, width: absent, nick: absent }");
}

#[test]
fn conditions_and_several_fields() {
    let record = || Settings::at(KEY);
    let map = || HashMap::new(KEY);
    assert!(sends!(record(), |s| s.theme().set_if_absent("dark"), &[b"HSETNX", b"user:1", b"theme", DARK] => 1_i64));
    let found = sends!(record(), |s| s.get_many(|f| (f.width, f.nick, f.theme)), &[b"HMGET", b"user:1", b"width", b"nick", b"theme"] => Value::Array(vec![Value::Nil, Value::Nil, bulk(DARK)]));
    assert_eq!(found, (14, None, Some("dark".to_owned())));
    let patch = SettingsPatch::default().theme("dark".to_owned());
    sends!(record(), |s| s.patch(&patch), &[b"HSET", b"user:1", b"theme", DARK] => 0_i64);
    sends!(record(), |s| s.patch(&SettingsPatch::default().nick(None)), &[b"HDEL", b"user:1", b"nick"] => 0_i64);
    sends!(record(), |s| s.patch(&SettingsPatch::default()), &[b"EXISTS", b"user:1"] => 0_i64);
    assert_eq!(sends!(map(), |m| m.set_many([("theme", "dark")]), &[b"HSET", b"user:1", b"theme", DARK] => 1_i64), 1);
    let found: Vec<Option<String>> = sends!(map(), |m| m.get_many(["a", "b"]), &[b"HMGET", b"user:1", b"a", b"b"] => Value::Array(vec![bulk(DARK), Value::Nil]));
    assert_eq!(found, [Some("dark".to_owned()), None]);
    assert_eq!(sends!(map(), |m| m.delete_many(["a", "b"]), &[b"HDEL", b"user:1", b"a", b"b"] => 2_i64), 2);
    let counters = HashMap::<String, redis_hashmap::Counter>::typed(KEY);
    let increment: &[&[u8]] = &[b"HINCRBY", b"user:1", b"a", b"-5"];
    assert_eq!(
        counters.increment("a", -5).into_cmd().unwrap().get_packed_command(),
        command(increment).get_packed_command()
    );
    // Only Redis's own words for it make an error one of the counter.
    for (reply, expected) in [
        ("-ERR increment or decrement would overflow\r\n", "would leave the range of an i64"),
        ("-ERR hash value is not an integer\r\n", "is not a 64-bit integer in digits"),
        ("-CUSTOM increment or decrement would overflow\r\n", "HINCRBY on field \"a\" of hash \"user:1\" failed"),
        ("-CUSTOM hash value is not an integer\r\n", "HINCRBY on field \"a\" of hash \"user:1\" failed"),
    ] {
        let mut con = mock(vec![(command(increment), redis::parse_redis_value(reply.as_bytes()).unwrap())]);
        let error = counters.on(&mut con).increment("a", -5).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let page = Value::Array(vec![bulk(b"0"), Value::Array(vec![bulk(b"a"), bulk(DARK)])]);
    let mut con = mock(vec![(command(&[b"HSCAN", b"user:1", b"0", b"COUNT", b"256"]), page)]);
    let found: Vec<_> = map().on(&mut con).iter().collect::<Result<_, _>>().unwrap();
    assert_eq!(found, [("a".to_owned(), "dark".into())]);
}

#[test]
fn times_to_live() {
    use std::time::{Duration, UNIX_EPOCH};

    use redis_hashmap::Ttl;

    let record = || Settings::at(KEY);
    let map = || HashMap::<String, u8>::typed(KEY);
    let five = Duration::from_secs(5);
    // A part of a millisecond counts as one, so that a time to live never becomes zero.
    assert!(
        sends!(record(), |s| s.expire_in(five + Duration::from_nanos(1)), &[b"PEXPIRE", b"user:1", b"5001"] => 1_i64)
    );
    assert!(!sends!(record(), |s| s.expire_at(UNIX_EPOCH + five), &[b"PEXPIREAT", b"user:1", b"5000"] => 0_i64));
    assert!(sends!(map(), |m| m.persist(), &[b"PERSIST", b"user:1"] => 1_i64));
    assert_eq!(
        sends!(map(), |m| m.ttl(), &[b"PTTL", b"user:1"] => 1500_i64),
        Ttl::Remaining(Duration::from_millis(1500))
    );
    assert_eq!(sends!(record(), |s| s.ttl(), &[b"PTTL", b"user:1"] => -1_i64), Ttl::Persistent);
    assert_eq!(sends!(record(), |s| s.ttl(), &[b"PTTL", b"user:1"] => -2_i64), Ttl::Absent);
    let one = |answer| Value::Array(vec![Value::Int(answer)]);
    let hpttl: &[&[u8]] = &[b"HPTTL", b"user:1", b"FIELDS", b"1", b"a"];
    // Valkey and some versions of Redis have no list for a hash that is absent.
    for (answer, ttl) in [
        (one(-2), Ttl::Absent),
        (Value::Array(vec![]), Ttl::Absent),
        (Value::Nil, Ttl::Absent),
        (one(-1), Ttl::Persistent),
    ] {
        assert_eq!(sends!(map(), |m| m.entry("a").ttl(), hpttl => answer), ttl);
    }
    let hpexpire: &[&[u8]] = &[b"HPEXPIRE", b"user:1", b"5000", b"FIELDS", b"1", b"a"];
    for (answer, done) in [(-2, false), (0, false), (1, true), (2, true)] {
        assert_eq!(sends!(map(), |m| m.entry("a").expire_in(five), hpexpire => one(answer)), done);
    }
    let hpersist: &[&[u8]] = &[b"HPERSIST", b"user:1", b"FIELDS", b"1", b"a"];
    assert!(sends!(map(), |m| m.entry("a").persist(), hpersist => one(1)));
    for (ttl, problem) in [
        (Duration::ZERO, "a time to live of zero; to remove it, delete it"),
        (Duration::MAX, "a time to live longer than 2^45 ms (1,114 years)"),
    ] {
        let error = record().on(mock(Vec::new())).expire_in(ttl).unwrap_err();
        assert!(error.to_string().contains(problem), "{error}");
    }
    // Every reply of the server is checked.
    for answer in [Value::Okay, one(-7), Value::Array(vec![Value::Int(1), Value::Int(1)])] {
        let mut con = mock(vec![(command(hpttl), answer)]);
        let error = map().on(&mut con).entry("a").ttl();
        assert!(matches!(error, Err(Error::UnexpectedReply { .. })), "{error:?}");
    }
}

/// The name and the hash by which a script is sent first.
fn evalsha(eval: &Cmd) -> Vec<u8> {
    let Some(redis::Arg::Simple(source)) = eval.args_iter().nth(1) else { panic!("no source") };
    redis::Script::new(std::str::from_utf8(source).expect("a script in UTF-8")).get_hash().as_bytes().to_vec()
}

/// What is made meanwhile by somebody else is found by the script: nothing is read twice.
#[tokio::test]
async fn a_value_that_is_made_takes_two_round_trips() {
    let hash = evalsha(&Settings::at(KEY).theme().set_if_present("dark").into_cmd().unwrap());
    let hmget = command(&[b"HMGET", b"user:1", b"nick"]);
    let insert: &[&[u8]] =
        &[b"EVALSHA", &hash, b"1", b"user:1", b"", b"0", b"", b"1", b"nick", b"", b"0", b"2", b"nick", DARK];
    let exchanges = || vec![(hmget.clone(), Value::Array(vec![Value::Nil])), (command(insert), Value::Int(1))];
    let nick = Settings::at(KEY).on(mock(exchanges())).nick().get_or_insert_with(|| "dark".to_owned());
    assert_eq!(nick.unwrap(), "dark");

    let settings = Settings::at(KEY).on_async(mock(exchanges()));
    let make = async || {
        tokio::task::yield_now().await;
        Ok::<_, Error>("dark".to_owned())
    };
    assert_eq!(settings.nick().get_or_try_insert_with_async(make).await.unwrap(), "dark");
}

/// Only what has changed is written, and guarded by what was read.
#[test]
fn an_update_is_one_read_and_one_guarded_write() {
    let hash = evalsha(&Settings::at(KEY).theme().set_if_present("dark").into_cmd().unwrap());
    let hmget = command(&[b"HMGET", b"user:1", b"theme", b"width", b"nick"]);
    let stored = || Value::Array(vec![bulk(DARK), bulk(FOURTEEN), Value::Nil]);
    let update = |guards: &[&[u8]], writes: &[&[u8]]| {
        let head: &[&[u8]] = &[b"EVALSHA", &hash, b"1", b"user:1", b"", b"0", b""];
        command(&[head, guards, &[b"0"], writes].concat())
    };
    let one = update(&[b"1", b"width", b"=\x87\x0e"], &[b"2", b"width", b"\x87\x0f"]);
    let con = mock(vec![(hmget.clone(), stored()), (one, Value::Int(0))]);
    let updated = Settings::at(KEY).on(con).update(|settings| settings.width += 1).unwrap();
    assert_eq!(updated.map(|settings| settings.width), Some(15));

    // A field that was absent is guarded too; whether the record is there is known from another one.
    let head: &[&[u8]] = &[b"EVALSHA", &hash, b"1", b"user:1", b"present", b"0", b""];
    let tail: &[&[u8]] = &[b"1", b"nick", b"", b"0", b"2", b"nick", DARK];
    let con = mock(vec![(hmget.clone(), stored()), (command(&[head, tail].concat()), Value::Int(1))]);
    Settings::at(KEY).on(con).update(|settings| settings.nick = Some("dark".to_owned())).unwrap();

    // Nothing has changed: nothing is written.
    Settings::at(KEY).on(mock(vec![(hmget, stored())])).update(|settings| settings.width = 14).unwrap();
}

/// A text field is its text, and `None` where it is absent.
#[test]
fn a_text_field_is_plain_text() {
    #[derive(RedisHash)]
    struct Page {
        #[redis_hash(text)]
        title: String,
        #[redis_hash(text)]
        views: Option<u32>,
    }
    let page = || Page::at(KEY);
    assert_eq!(
        sends!(page(), |p| p.title().get(), &[b"HGET", b"user:1", b"title"] => bulk(b"x")).as_deref(),
        Some("x")
    );
    assert_eq!(sends!(page(), |p| p.title().get(), &[b"HGET", b"user:1", b"title"] => Value::Nil), None);
    assert_eq!(sends!(page(), |p| p.views().get(), &[b"HGET", b"user:1", b"views"] => bulk(b"7")), Some(7));
    assert_eq!(sends!(page(), |p| p.views().get(), &[b"HGET", b"user:1", b"views"] => Value::Nil), None);
}
