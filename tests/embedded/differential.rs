//! The same random commands to the embedded store and to a Redis server: the same answers, byte for byte.

use proptest::prelude::*;
use redis::{Cmd, ConnectionLike, Value};
use redis_hashmap::{Embedded, RedisHash};
use redis_hashmap_tests::{client, key};

/// One of a few, so that commands meet.
fn name(kind: &'static str) -> impl Strategy<Value = String> {
    (0..4_u8).prop_map(move |number| format!("{kind}{number}"))
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        (-20..20_i64).prop_map(|number| number.to_string()),
        Just(i64::MAX.to_string()),
        Just(String::new()),
        "[a-z]{0,6}",
        Just("ünïcode \r\n\0".to_owned()),
    ]
}

/// A command: its name, then `k` for a key, and literal arguments.
fn command() -> impl Strategy<Value = (String, Vec<Arg>)> {
    let field = || name("f").prop_map(Arg::Literal);
    let any = || value().prop_map(Arg::Literal);
    let key = || name("k").prop_map(Arg::Key);
    let command =
        |name: &'static str, args: BoxedStrategy<Vec<Arg>>| args.prop_map(move |args| (name.to_owned(), args));
    let seconds = || prop_oneof![-5..0_i64, 1000..2000_i64].prop_map(|time| Arg::Literal(time.to_string()));
    let at = |unit: i64| {
        prop_oneof![Just(-1), Just(1), 4_000_000_000..4_000_001_000_i64]
            .prop_map(move |time| Arg::Literal((time * unit).to_string()))
    };
    let option = || {
        const OPTIONS: &[&str] = &["NX", "xx", "GT", "LT", "nonsense"];
        proptest::collection::vec(prop::sample::select(OPTIONS).prop_map(|o| Arg::Literal(o.to_owned())), 0..3)
    };
    macro_rules! args {
        ($($arg:expr),*) => { ($($arg,)*).prop_map(|args| args!(@list args $($arg),*)).boxed() };
        (@list $args:ident $a:expr) => { vec![$args.0] };
        (@list $args:ident $a:expr, $b:expr) => { vec![$args.0, $args.1] };
        (@list $args:ident $a:expr, $b:expr, $c:expr) => { vec![$args.0, $args.1, $args.2] };
        (@list $args:ident $a:expr, $b:expr, $c:expr, $d:expr) => { vec![$args.0, $args.1, $args.2, $args.3] };
        (@list $args:ident $a:expr, $b:expr, $c:expr, $d:expr, $e:expr) => {
            vec![$args.0, $args.1, $args.2, $args.3, $args.4]
        };
    }
    let expiring = |name: &'static str, time: BoxedStrategy<Arg>| {
        command(
            name,
            (key(), time, option()).prop_map(|(key, time, options)| [vec![key, time], options].concat()).boxed(),
        )
    };
    prop_oneof![
        command("HSET", args!(key(), field(), any())),
        command("hset", args!(key(), field(), any(), field(), any())),
        command("HSET", args!(key(), field(), any(), field())),
        command("HGET", args!(key(), field())),
        command("HMGET", args!(key(), field(), field())),
        command("HDEL", args!(key(), field())),
        command("HDEL", args!(key(), field(), field(), field())),
        command("HEXISTS", args!(key(), field())),
        command("HGETALL", args!(key())),
        command("HKEYS", args!(key())),
        command("HLEN", args!(key())),
        command("HSETNX", args!(key(), field(), any())),
        command("HINCRBY", args!(key(), field(), any())),
        command("DEL", args!(key())),
        command("UNLINK", args!(key(), key())),
        command("EXISTS", args!(key(), key(), key())),
        command("TYPE", args!(key())),
        command("TTL", args!(key())),
        command("PERSIST", args!(key())),
        expiring("EXPIRE", seconds().boxed()),
        expiring("PEXPIRE", seconds().prop_map(Arg::thousands).boxed()),
        expiring("EXPIREAT", at(1).boxed()),
        expiring("PEXPIREAT", at(1000).boxed()),
        expiring("EXPIRE", any().boxed()),
        command("PING", args!(any())),
        command("HGET", args!(key())),
        command("HLEN", args!(key(), field())),
        command("NONSENSE", args!(any(), any())),
    ]
}

#[derive(Debug, Clone)]
enum Arg {
    Key(String),
    Literal(String),
}

impl Arg {
    fn thousands(self) -> Self {
        match self {
            Self::Literal(number) => Self::Literal(format!("{number}000")),
            key @ Self::Key(_) => key,
        }
    }
}

fn cmd(prefix: &str, (name, args): &(String, Vec<Arg>)) -> Cmd {
    let mut cmd = redis::cmd(name);
    for arg in args {
        match arg {
            Arg::Key(key) => cmd.arg(format!("{prefix}/{key}")),
            Arg::Literal(text) => cmd.arg(text),
        };
    }
    cmd
}

/// Hashes have no order, and time passes between two servers.
fn normal(cmd: &Cmd, value: Value) -> Value {
    let name = cmd.args_iter().next().map(|arg| format!("{arg:?}")).unwrap_or_default();
    let is = |bytes: &str| name == format!("{:?}", redis::Arg::Simple(bytes.as_bytes()));
    match value {
        Value::Array(mut values) if is("HKEYS") => {
            values.sort_by_key(|value| format!("{value:?}"));
            Value::Array(values)
        }
        Value::Array(values) if is("HGETALL") => {
            let mut pairs: Vec<Value> = values.chunks(2).map(|pair| Value::Array(pair.to_vec())).collect();
            pairs.sort_by_key(|pair| format!("{pair:?}"));
            Value::Array(pairs)
        }
        Value::Map(mut pairs) => {
            pairs.sort_by_key(|pair| format!("{pair:?}"));
            Value::Map(pairs)
        }
        Value::Int(left) if is("TTL") && left > 0 => Value::Int((left + 50) / 100),
        other => other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.div_ceil(4), ..Default::default() })]

    #[test]
    fn every_command_is_answered_as_by_redis(commands in proptest::collection::vec(command(), 1..60), resp3 in any::<bool>()) {
        let key = key();
        let url = format!("{}{}", redis_hashmap_tests::redis_url(), if resp3 { "?protocol=resp3" } else { "" });
        let mut server = redis::Client::open(url).unwrap().get_connection().unwrap();
        let mut embedded = Embedded::in_memory("").unwrap().with_resp3(resp3);
        for command in &commands {
            let cmd = cmd(&key, command);
            let expected = normal(&cmd, server.req_command(&cmd).unwrap());
            let answered = normal(&cmd, embedded.req_command(&cmd).unwrap());
            prop_assert_eq!(answered, expected, "{:?}", command);
        }
        for name in ["k0", "k1", "k2", "k3"] {
            redis::cmd("DEL").arg(format!("{}/{name}", &*key)).exec(&mut server).unwrap();
        }
    }

    #[test]
    fn every_pipeline_and_transaction_is_answered_as_by_redis(
        commands in proptest::collection::vec(command(), 1..12), atomic in any::<bool>()
    ) {
        let key = key();
        let mut server = client().get_connection().unwrap();
        let mut embedded = Embedded::in_memory("").unwrap();
        let mut pipeline = redis::pipe();
        for command in &commands {
            pipeline.add_command(cmd(&key, command));
        }
        pipeline.ignore_errors();
        if atomic {
            pipeline.atomic();
        }
        let expected = pipeline.query::<Vec<Value>>(&mut server);
        let answered = pipeline.query::<Vec<Value>>(&mut embedded);
        match (expected, answered) {
            (Ok(expected), Ok(answered)) => {
                let cmds: Vec<Cmd> = commands.iter().map(|command| cmd(&key, command)).collect();
                let normal = |values: Vec<Value>| -> Vec<Value> {
                    cmds.iter().zip(values).map(|(cmd, value)| normal(cmd, value)).collect()
                };
                prop_assert_eq!(normal(answered), normal(expected));
            }
            (Err(_), Err(_)) => {}
            (expected, answered) => prop_assert!(false, "{:?} against {:?}", answered, expected),
        }
        for name in ["k0", "k1", "k2", "k3"] {
            redis::cmd("DEL").arg(format!("{}/{name}", &*key)).exec(&mut server).unwrap();
        }
    }
}

#[derive(RedisHash, Debug, PartialEq, Clone)]
struct Record {
    a: u8,
    b: Option<String>,
    c: Option<Vec<u8>>,
}

/// The native twin of each script does what the script does.
#[test]
fn set_all_does_the_same_on_both() {
    let key = key();
    let records = [
        Record { a: 1, b: None, c: None },
        Record { a: 2, b: Some("x".to_owned()), c: None },
        Record { a: 3, b: None, c: Some(vec![1]) },
        Record { a: 4, b: Some("y".to_owned()), c: Some(vec![]) },
    ];
    let mut server = client().get_connection().unwrap();
    let mut embedded = Embedded::in_memory("").unwrap();
    for first in &records {
        for second in &records {
            let (mut on_server, mut on_embedded) =
                (Record::at(&*key).on(&mut server), Record::at(&*key).on(&mut embedded));
            for record in [first, second] {
                on_server.set_all(record).unwrap();
                on_embedded.set_all(record).unwrap();
                assert_eq!(on_embedded.get_all().unwrap().as_ref(), Some(record));
                assert_eq!(on_embedded.get_all().unwrap(), on_server.get_all().unwrap());
                assert_eq!(on_embedded.size().unwrap(), on_server.size().unwrap());
            }
        }
    }
    let source = Record::at("k").set_all(&records[0]).into_cmd().unwrap();
    let Some(redis::Arg::Simple(source)) = source.args_iter().nth(1) else { panic!("no source") };
    let hash = redis::Script::new(std::str::from_utf8(source).unwrap()).get_hash().to_owned();
    let known =
        redis::cmd("EVALSHA").arg(hash).arg(&["1", "k", "", "0", "", "0", "0", "0", "a"]).query::<Value>(&mut embedded);
    assert_eq!(known.unwrap(), Value::Int(0));
    let unknown = redis::cmd("EVALSHA").arg("0".repeat(40)).arg(1).arg("k").query::<Value>(&mut embedded);
    assert_eq!(unknown.unwrap_err().code(), Some("NOSCRIPT"));
}
