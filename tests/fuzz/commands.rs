//! Sends arbitrary bytes, and commands with odd arguments, to the store in memory: it answers each, soon, and works as
//! before afterwards.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use redis::{Cmd, ConnectionLike, Value, cmd, pipe};
use redis_hashmap::open;

use crate::mutation::mutated;
use crate::run::{run, seed};

/// The ways in which a store can answer.
const URLS: &[&str] = &["memory:fuzz", "memory:fuzz?protocol=resp3", "memory:fuzz?as=redis-7.0"];

pub(crate) fn check(bytes: &[u8]) -> bool {
    let start = Instant::now();
    // It ends with its last connection, so each input finds it empty.
    let mut connections: Vec<_> = URLS.iter().map(|url| open(url).unwrap()).collect();
    let mut is_valid = false;
    for con in &mut connections {
        is_valid |= con.req_packed_commands(bytes, 0, usize::MAX).is_ok();
        drop(con.req_packed_commands(bytes, 3, 2));
        drop(con.req_packed_command(bytes));
    }
    for con in &mut connections {
        still_works(con);
    }
    assert!(start.elapsed() < Duration::from_secs(60), "it took {:?}", start.elapsed());
    is_valid
}

type Strings = Vec<Vec<u8>>;
type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

fn still_works(con: &mut redis_hashmap::Connection) {
    assert!(con.check_connection());
    cmd("UNWATCH").exec(con).unwrap();
    // At one time, since keys could expire.
    let mut all = pipe();
    all.atomic().cmd("DBSIZE").cmd("KEYS").arg("*").cmd("SCAN").arg(0).arg("COUNT").arg(1_000_000);
    let (size, keys, (cursor, scanned)): (usize, Strings, (u64, Strings)) = all.query(con).unwrap();
    let distinct: BTreeSet<_> = keys.iter().collect();
    assert_eq!((size, distinct.len(), cursor), (keys.len(), size, 0), "{keys:?}");
    assert_eq!(distinct, scanned.iter().collect(), "{scanned:?}");
    for key in &keys {
        let mut all = pipe();
        all.atomic().cmd("HLEN").arg(key).cmd("HKEYS").arg(key).cmd("HVALS").arg(key);
        all.cmd("HSCAN").arg(key).arg(0).arg("COUNT").arg(1_000_000);
        let (len, names, values, (_, pairs)): (usize, Strings, Strings, (u64, Pairs)) = all.query(con).unwrap();
        assert_eq!((len, values.len()), (names.len(), len), "{key:?}");
        let together: BTreeSet<_> = names.into_iter().zip(values).collect();
        assert_eq!(together, pairs.into_iter().collect(), "{key:?}");
    }
    cmd("HSET").arg("still").arg("field").arg("value").exec(con).unwrap();
    let value: String = cmd("HGET").arg("still").arg("field").query(con).unwrap();
    assert_eq!(value, "value");
    cmd("DEL").arg("still").exec(con).unwrap();
}

const NAMES: &[&str] = &[
    "PING",
    "HGET",
    "HMGET",
    "HEXISTS",
    "HGETALL",
    "HKEYS",
    "HLEN",
    "HSCAN",
    "EXISTS",
    "TYPE",
    "TTL",
    "PTTL",
    "SCAN",
    "HTTL",
    "HPTTL",
    "HEXPIRETIME",
    "HPEXPIRETIME",
    "HVALS",
    "HSTRLEN",
    "HRANDFIELD",
    "EXPIRETIME",
    "PEXPIRETIME",
    "TOUCH",
    "DBSIZE",
    "KEYS",
    "RANDOMKEY",
    "WAIT",
    "HSET",
    "HMSET",
    "HSETNX",
    "HDEL",
    "HINCRBY",
    "HINCRBYFLOAT",
    "RENAME",
    "RENAMENX",
    "COPY",
    "FLUSHDB",
    "DEL",
    "UNLINK",
    "EXPIRE",
    "PEXPIRE",
    "EXPIREAT",
    "PEXPIREAT",
    "PERSIST",
    "HEXPIRE",
    "HPEXPIRE",
    "HEXPIREAT",
    "HPEXPIREAT",
    "HPERSIST",
    "HSETEX",
    "HGETEX",
    "HGETDEL",
    "EVAL",
    "EVALSHA",
    "MULTI",
    "EXEC",
    "DISCARD",
    "WATCH",
    "UNWATCH",
    "hset",
    "Nonsense",
    "",
];

const WORDS: &[&str] = &[
    "FIELDS",
    "NX",
    "XX",
    "GT",
    "LT",
    "FNX",
    "FXX",
    "EX",
    "PX",
    "EXAT",
    "PXAT",
    "KEEPTTL",
    "PERSIST",
    "MATCH",
    "COUNT",
    "TYPE",
    "hash",
    "NOVALUES",
    "WITHVALUES",
    "REPLACE",
    "DB",
    "ASYNC",
    "keep",
    "absent",
    "present",
    "*",
    "=1",
];

/// Not among them: so many fields that drawing them takes seconds, which HRANDFIELD allows.
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "-1",
    "-0",
    "+1",
    "01",
    " 1",
    "1.5",
    "-1e400",
    "1e4931",
    "3e-4950",
    "0.1e1",
    ".",
    "inf",
    "-nan",
    "0x1p3",
    "100",
    "-100",
    "99999",
    "4000000000",
    "4000000000000",
    "70368744177663",
    "70368744177664",
    "2147483648",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
];

const PATTERNS: &[&str] = &["*", "k?", "[a-z]*", "[^k]", "[z-a", "\\", "[\\", "k[", "**********k", "[]", "k\\0"];

/// The hash of each of the library's scripts.
fn scripts() -> Vec<String> {
    macro_rules! script {
        ($($file:literal),*) => {
            [$(concat!(
                include_str!("../../hashmap/src/command/scripts/may.lua"),
                include_str!(concat!("../../hashmap/src/command/scripts/", $file)),
            )),*]
        };
    }
    let sources = script!("write.lua", "call_and_expire.lua", "take.lua", "increment.lua");
    sources.iter().map(|source| redis::Script::new(source.trim_end()).get_hash().to_owned()).collect()
}

fn argument() -> impl Strategy<Value = Vec<u8>> + Clone {
    let text = |texts: &'static [&'static str]| select(texts).prop_map(|text| text.as_bytes().to_vec());
    prop_oneof![
        6 => (0..3_u8).prop_map(|number| format!("k{number}").into_bytes()),
        6 => (0..3_u8).prop_map(|number| format!("f{number}").into_bytes()),
        4 => text(NUMBERS),
        4 => text(WORDS),
        1 => text(PATTERNS),
        1 => text(NAMES),
        1 => vec(any::<u8>(), 0..5),
        1 => (0..600_usize).prop_map(|len| vec![b'x'; len]),
    ]
}

fn packed(name: impl redis::ToRedisArgs, args: &[Vec<u8>]) -> Vec<u8> {
    let mut cmd = Cmd::new();
    cmd.arg(name).arg(args);
    cmd.get_packed_command()
}

/// Commands on fields, up to the word FIELDS.
const BY_FIELDS: &[&[&str]] = &[
    &["HTTL"],
    &["HPEXPIRETIME"],
    &["HEXPIRE", "4000000"],
    &["HPEXPIREAT", "1", "LT"],
    &["HPEXPIREAT", "70368744177663"],
    &["HGETEX", "EX", "100"],
    &["HGETEX", "PERSIST"],
    &["HPERSIST"],
    &["HGETDEL"],
    &["HSETEX", "PXAT", "70368744177663"],
    &["HSETEX", "FNX"],
];

/// One command, mostly with a key and as many arguments as it takes.
fn command() -> impl Strategy<Value = Vec<u8>> {
    let any = (select(NAMES), vec(argument(), 0..7)).prop_map(|(name, args)| packed(name, &args));
    let write = vec((0..3_u8, argument()), 1..4).prop_map(|pairs| {
        let pairs = pairs.into_iter().flat_map(|(field, value)| [format!("f{field}").into_bytes(), value]);
        packed("HSET", &[vec![b"k0".to_vec()], pairs.collect()].concat())
    });
    let by_fields = (select(BY_FIELDS), vec(argument(), 1..5)).prop_map(|(words, fields)| {
        let word = |word: &str| word.as_bytes().to_vec();
        let mut args = vec![word("k0")];
        args.extend(words[1..].iter().map(|option| word(option)));
        let count = fields.len() / if words[0] == "HSETEX" { 2 } else { 1 };
        args.extend([word("FIELDS"), word(&count.to_string())]);
        args.extend(fields);
        packed(words[0], &args)
    });
    let script = (select(scripts()), vec(argument(), 0..9)).prop_map(|(hash, args)| {
        let head = [hash.into_bytes(), b"1".to_vec(), b"k0".to_vec()];
        packed("EVALSHA", &[head.to_vec(), args].concat())
    });
    prop_oneof![5 => any, 2 => write, 2 => by_fields, 1 => script]
}

#[test]
fn the_store_answers_whatever_it_is_sent() {
    let commands = || vec(command(), 1..12).prop_map(|commands| commands.concat());
    let telling = prop_oneof![
        2 => vec(select(&b"*$\r\n0123456789-+ \0"[..]), 1..4),
        1 => command(),
        1 => Just(b"*1\r\n$5\r\nMULTI\r\n".to_vec()),
        1 => Just(b"*1\r\n$4\r\nEXEC\r\n".to_vec()),
        1 => argument().prop_map(|arg| [format!("${}\r\n", arg.len()).as_bytes(), &arg, b"\r\n"].concat()),
    ];
    let inputs = prop_oneof![
        3 => commands(),
        3 => mutated(prop_oneof![3 => commands(), 1 => seed("commands")], telling),
        1 => vec(any::<u8>(), 0..60),
    ];
    run("commands", 1000, inputs, check);
}

/// What a store answers to a transaction is counted as one answer; the target would show little if it never came that far.
#[test]
fn the_inputs_are_commands() {
    let mut con = open("memory:").unwrap();
    let answers = con.req_packed_commands(&packed("HSET", &["k", "f", "v"].map(Into::into)), 0, 1).unwrap();
    assert_eq!(answers, [Value::Int(1)]);
}
