//! Sends random commands to the embedded store and to a Redis server, which must give equal answers, byte for byte.
//!
//! No time in them is near, so that the answers do not depend on how fast the stores are.

use std::time::{SystemTime, UNIX_EPOCH};

use proptest::prelude::*;
use redis::{Cmd, ConnectionLike, Value};
use redis_hashmap::Embedded;
use redis_hashmap_tests::{key, newer_server, redis_url};

use crate::folder::either;

/// One of a few values, so that commands often meet.
fn name(kind: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![2 => Just(0), 1 => 0..4_u8].prop_map(move |number| format!("{kind}{number}"))
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

/// A command: its name, then `k` for a key, then literal arguments.
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

/// FIELDS, a number and the fields, mostly as they should be.
fn fields_clause(each: BoxedStrategy<Vec<Arg>>) -> BoxedStrategy<Vec<Arg>> {
    const COUNTS: &[&str] =
        &["0", "-1", "1", "2", "7", "x", "", "+1", "01", "9223372036854775807", "9223372036854775808"];
    const WORDS: &[&str] = &["fields", "FIELD", "NX"];
    let count = || prop::option::weighted(0.05, prop::sample::select(COUNTS));
    let word = prop::option::weighted(0.05, prop::sample::select(WORDS));
    let has = || prop::bool::weighted(0.97);
    (proptest::collection::vec(each, 1..4), word, has(), count(), has())
        .prop_map(|(each, word, has_word, count, has_count)| {
            let word = Arg::Literal(word.unwrap_or("FIELDS").to_owned());
            let count = Arg::Literal(count.map_or_else(|| each.len().to_string(), ToOwned::to_owned));
            let head = [(word, has_word), (count, has_count)].into_iter().filter_map(|(arg, has)| has.then_some(arg));
            head.chain(each.into_iter().flatten()).collect()
        })
        .boxed()
}

/// Commands on the expiry of fields, which only the newer servers know.
fn field_expiry() -> impl Strategy<Value = (String, Vec<Arg>)> {
    // Invalid times, in any unit and from any start.
    const WRONG: &[&str] = &["-1", "x", "", "1.5", "+5", "05", "-9223372036854775808", "9223372036854775807", "1e3"];
    let key = || name("k").prop_map(Arg::Key);
    let field = || name("f").prop_map(|field| vec![Arg::Literal(field)]).boxed();
    let pair = || {
        prop_oneof![
            30 => (name("f"), value()).prop_map(|(field, value)| vec![Arg::Literal(field), Arg::Literal(value)]),
            1 => name("f").prop_map(|field| vec![Arg::Literal(field)]),
        ]
        .boxed()
    };
    let one_of = |words: &'static [&'static str]| prop::sample::select(words).prop_map(|word| vec![word.to_owned()]);
    // The past, the future, and the ends of 46 bits.
    let time = |unit: i64, from_now: bool| {
        let right = if from_now {
            prop_oneof![1 => Just(0), 5 => 1000 * unit..1040 * unit].boxed()
        } else {
            let last = (1_i64 << 46) / 1000 * unit + if unit == 1000 { 663 } else { 0 };
            // Only a few, so that some are equal.
            let future = (1..4_i64).prop_map(move |time| (4_000_000_000 + time * 100) * unit);
            prop_oneof![2 => 0..2_i64, 10 => future, 1 => last..last + 2].boxed()
        };
        prop_oneof![10 => right.prop_map(|time| time.to_string()), 1 => prop::sample::select(WRONG).prop_map(str::to_owned)]
    };
    let timed = move |option: &'static str, unit, from_now| {
        prop_oneof![
            30 => time(unit, from_now).prop_map(move |time| vec![option.to_owned(), time]),
            1 => Just(vec![option.to_owned()]),
        ]
        .boxed()
    };
    let any_time = move || {
        prop_oneof![timed("EX", 1, true), timed("px", 1000, true), timed("EXAT", 1, false), timed("PXAT", 1000, false)]
    };
    let literals = |texts: Vec<Vec<String>>| texts.into_iter().flatten().map(Arg::Literal).collect::<Vec<Arg>>();
    let expire = move |name: &'static str, unit, from_now| {
        // Whether two relative times are equal depends on the clock, so these are not compared.
        let conditions: &'static [&'static str] =
            if from_now { &["NX", "xx", "what"] } else { &["NX", "XX", "gt", "GT", "LT", "what"] };
        let options = proptest::collection::vec(one_of(conditions), 0..2).prop_map(literals);
        (key(), time(unit, from_now), options, fields_clause(field())).prop_map(move |(key, time, options, fields)| {
            (name.to_owned(), [vec![key, Arg::Literal(time)], options, fields].concat())
        })
    };
    let plain = move |name: &'static str, options: BoxedStrategy<Vec<Arg>>, fields: BoxedStrategy<Vec<Arg>>| {
        (key(), options, fields)
            .prop_map(move |(key, options, fields)| (name.to_owned(), [vec![key], options, fields].concat()))
    };
    let setting = prop_oneof![
        3 => any_time(),
        1 => one_of(&["FNX", "fxx"]),
        1 => one_of(&["KEEPTTL"]),
        1 => one_of(&["PERSIST", "b\u{e4}d"]),
    ];
    let getting = prop_oneof![4 => any_time(), 1 => one_of(&["persist"]), 1 => one_of(&["KEEPTTL"])];
    let none = || Just(Vec::new()).boxed();
    prop_oneof![
        expire("HEXPIRE", 1, true),
        expire("HPEXPIRE", 1000, true),
        expire("HEXPIREAT", 1, false),
        expire("hpexpireat", 1000, false),
        plain("HTTL", none(), fields_clause(field())),
        plain("HPTTL", none(), fields_clause(field())),
        plain("HPERSIST", none(), fields_clause(field())),
        plain("HGETDEL", none(), fields_clause(field())),
        plain("HGETEX", proptest::collection::vec(getting, 0..2).prop_map(literals).boxed(), fields_clause(field())),
        plain("HSETEX", proptest::collection::vec(setting, 0..3).prop_map(literals).boxed(), fields_clause(pair())),
        (key(), prop::sample::select(&[0_usize, 1, 2, 3, 4][..]), time(1, true)).prop_map(|(key, len, time)| {
            ("HEXPIRE".to_owned(), [key, Arg::Literal(time)].into_iter().cycle().take(len).collect())
        }),
        key().prop_map(|key| {
            (
                "HSCAN".to_owned(),
                [key].into_iter().chain(["0", "COUNT", "1000"].map(|arg| Arg::Literal(arg.to_owned()))).collect(),
            )
        }),
    ]
}

pub(crate) fn any_command() -> impl Strategy<Value = (String, Vec<Arg>)> {
    prop_oneof![1 => command(), 2 => field_expiry()]
}

#[derive(Clone)]
pub(crate) enum Arg {
    Key(String),
    Literal(String),
}

impl std::fmt::Debug for Arg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Key(text) | Self::Literal(text)) = self;
        write!(f, "{text:?}")
    }
}

impl Arg {
    fn thousands(self) -> Self {
        match self {
            Self::Literal(number) => Self::Literal(format!("{number}000")),
            key @ Self::Key(_) => key,
        }
    }
}

pub(crate) fn cmd(prefix: &str, (name, args): &(String, Vec<Arg>)) -> Cmd {
    let mut cmd = redis::cmd(name);
    for arg in args {
        match arg {
            Arg::Key(key) => cmd.arg(format!("{prefix}/{key}")),
            Arg::Literal(text) => cmd.arg(text),
        };
    }
    cmd
}

/// Makes answers comparable. Hashes have no order, so they are sorted; time passes between the two servers, so times
/// are rounded until a minute does not matter.
pub(crate) fn normal(cmd: &Cmd, value: Value) -> Value {
    let name = cmd.args_iter().next().map(|arg| format!("{arg:?}")).unwrap_or_default();
    let is = |bytes: &str| name == format!("{:?}", redis::Arg::Simple(bytes.as_bytes()));
    match value {
        Value::Array(mut values) if is("HKEYS") || is("HVALS") || is("KEYS") => {
            values.sort_by_key(|value| format!("{value:?}"));
            Value::Array(values)
        }
        Value::Array(values) if is("HGETALL") => {
            let mut pairs: Vec<Value> = values.chunks(2).map(|pair| Value::Array(pair.to_vec())).collect();
            pairs.sort_by_key(|pair| format!("{pair:?}"));
            Value::Array(pairs)
        }
        Value::Array(mut page) if is("HSCAN") => {
            if let Some(Value::Array(values)) = page.pop() {
                let has =
                    |word: &[u8]| cmd.args_iter().any(|arg| matches!(arg, redis::Arg::Simple(arg) if arg == word));
                let len = if has(b"NOVALUES") { 1 } else { 2 };
                let mut pairs: Vec<Value> = values.chunks(len).map(|pair| Value::Array(pair.to_vec())).collect();
                pairs.sort_by_key(|pair| format!("{pair:?}"));
                page.extend(pairs);
            }
            Value::Array(page)
        }
        Value::Array(left) if is("HTTL") => Value::Array(left.into_iter().map(|left| rounded(left, 1)).collect()),
        Value::Array(left) if is("HPTTL") => Value::Array(left.into_iter().map(|left| rounded(left, 1000)).collect()),
        Value::Map(mut pairs) => {
            pairs.sort_by_key(|pair| format!("{pair:?}"));
            Value::Map(pairs)
        }
        left if is("TTL") => rounded(left, 1),
        other => other,
    }
}

/// Rounds a relative time to hundreds of seconds, and turns what is left of an absolute one back into a point in time.
fn rounded(left: Value, unit: i64) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed();
    match left {
        Value::Int(left) if left > 0 && left < 10_000 * unit => Value::Int((left / unit + 50) / 100),
        Value::Int(left) if left > 0 => Value::Int((left / unit + now + 500) / 1000),
        other => other,
    }
}

pub(crate) type Outcome = Result<(), TestCaseError>;

pub(crate) fn single_commands_are_answered_as_by(
    url: &str,
    embedded: &Embedded,
    commands: &[(String, Vec<Arg>)],
    resp3: bool,
) -> Outcome {
    let key = key();
    let url = format!("{url}{}", if resp3 { "?protocol=resp3" } else { "" });
    let mut server = redis::Client::open(url).unwrap().get_connection().unwrap();
    let mut embedded = embedded.clone().with_resp3(resp3);
    for command in commands {
        let cmd = cmd(&key, command);
        let expected = normal(&cmd, server.req_command(&cmd).unwrap());
        let answered = normal(&cmd, embedded.req_command(&cmd).unwrap());
        prop_assert_eq!(answered, expected, "{:?}", command);
    }
    clean(&mut server, &key);
    Ok(())
}

pub(crate) fn a_pipeline_is_answered_as_by(
    url: &str,
    embedded: &Embedded,
    commands: &[(String, Vec<Arg>)],
    atomic: bool,
) -> Outcome {
    let key = key();
    let mut server = redis::Client::open(url).unwrap().get_connection().unwrap();
    let mut embedded = embedded.clone();
    let mut pipeline = redis::pipe();
    for command in commands {
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
    clean(&mut server, &key);
    Ok(())
}

/// A store in memory.
fn memory() -> Embedded {
    Embedded::in_memory("").unwrap()
}

pub(crate) fn clean(server: &mut impl ConnectionLike, prefix: &str) {
    for name in ["k0", "k1", "k2", "k3"] {
        redis::cmd("DEL").arg(format!("{prefix}/{name}")).exec(server).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.div_ceil(4), ..Default::default() })]

    #[test]
    fn every_command_is_answered_as_by_redis(
        commands in proptest::collection::vec(command(), 1..60), resp3 in any::<bool>()
    ) {
        single_commands_are_answered_as_by(&redis_url(), &memory(), &commands, resp3)?;
    }

    #[test]
    fn every_pipeline_and_transaction_is_answered_as_by_redis(
        commands in proptest::collection::vec(command(), 1..12), atomic in any::<bool>()
    ) {
        a_pipeline_is_answered_as_by(&redis_url(), &memory(), &commands, atomic)?;
    }

    #[test]
    fn expiry_of_fields_is_answered_as_by_redis(
        commands in proptest::collection::vec(any_command(), 1..60),
        resp3 in any::<bool>(),
        in_file in prop::bool::weighted(0.2)
    ) {
        if let Some(url) = newer_server("REDIS_8_URL") {
            single_commands_are_answered_as_by(&url, &either(in_file), &commands, resp3)?;
        }
    }

    #[test]
    fn expiry_of_fields_in_pipelines_and_transactions_is_answered_as_by_redis(
        commands in proptest::collection::vec(any_command(), 1..12),
        atomic in any::<bool>(),
        in_file in prop::bool::weighted(0.2)
    ) {
        if let Some(url) = newer_server("REDIS_8_URL") {
            a_pipeline_is_answered_as_by(&url, &either(in_file), &commands, atomic)?;
        }
    }
}
