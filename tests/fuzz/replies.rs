//! A server that answers with arbitrary bytes and with changed replies: no panic, no call beyond its time-out, no error that
//! shows what was sent, and no other value than redis-rs's parser reads.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::StreamExt;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use redis::{ConnectionLike, RedisResult, Value, cmd};
use redis_hashmap::{Error, HashMap, Options, Place, RedisHash};
use tokio::runtime::Runtime;

use crate::mutation::mutated;
use crate::run::{run, seed};
use crate::stored::encode;

/// What strings of replies hold. No error may show four bytes of it.
const SECRET: &str = "zqxjkv9w";

/// How the server behaves. The first byte of an input says it, so that it stands in files as a letter.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Way {
    /// The connection stays open after the reply, however much of it is missing.
    stays_open: bool,
    /// It answers so to the login.
    at_login: bool,
    resp3: bool,
    /// It sends so many bytes at once, if not all.
    at_once: usize,
}

impl Way {
    fn of(byte: u8) -> Self {
        // What keeps a client waiting is seldom.
        let is = |bits: u8| byte & (bits | 0x80) == bits;
        let at_once = if is(0x10) { 1 + usize::from(byte >> 5) } else { usize::MAX };
        Self { stays_open: is(0b1001), at_login: is(0b1010), resp3: byte & 4 != 0, at_once }
    }
}

/// The way and the reply, which the server has for every command on every connection.
type Case = (Way, Arc<[u8]>);

struct Server {
    address: SocketAddr,
    case: Arc<Mutex<Case>>,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let case = Arc::new(Mutex::new((Way::of(0), Arc::default())));
    let server = Server { address, case: Arc::clone(&case) };
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let case = case.lock().unwrap_or_else(PoisonError::into_inner).clone();
            // It ends with an error where the client goes away.
            std::thread::spawn(move || answer(stream, &case));
        }
    });
    server
});

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap());

fn answer(mut stream: TcpStream, (way, reply): &Case) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = [0; 4096];
    let mut login = Vec::new();
    while !String::from_utf8_lossy(&login).contains("LIB-VER") {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        login.extend_from_slice(&buffer[..count]);
    }
    if !way.at_login {
        stream.write_all(b"+PONG\r\n+OK\r\n+OK\r\n")?;
        if stream.read(&mut buffer)? == 0 {
            return Ok(());
        }
    }
    for part in reply.chunks(way.at_once) {
        stream.write_all(part)?;
    }
    if !way.stays_open {
        return stream.shutdown(Shutdown::Both);
    }
    while stream.read(&mut buffer)? > 0 {}
    Ok(())
}

#[derive(RedisHash, Debug, Clone, PartialEq, Default)]
struct Record {
    #[redis_hash(default)]
    text: String,
    count: Option<u8>,
    #[redis_hash(counter)]
    counter: i64,
    #[redis_hash(ttl = "1h")]
    code: Option<(u8, char)>,
}

/// Longer than both time-outs, twice: what only reads is sent again on a new connection. And some room, for a machine that
/// is busy.
const LIMIT: Duration = Duration::from_millis(2500);

/// A call has ended in time, and its error shows nothing of the reply.
fn judge<T>(start: Instant, result: Result<T, Error>) {
    let took = start.elapsed();
    assert!(took < LIMIT, "a call took {took:?}");
    let Err(error) = result else { return };
    // Of several fields, each is judged by itself.
    if let Error::Fields { errors, .. } = error {
        return errors.into_iter().for_each(|error| judge::<()>(Instant::now(), Err(error)));
    }
    let mut shown = format!("{error} {error:?} {error:#?}");
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        shown = format!("{shown} {cause} {cause:?}");
        source = cause.source();
    }
    // The name of a field that a server has sent is shown, since nobody could find it otherwise. Its value is not.
    let has_secret = |text: &str| (0..=SECRET.len() - 4).any(|at| text.contains(&SECRET[at..at + 4]));
    let is_secret = |name: &[u8]| has_secret(&String::from_utf8_lossy(name));
    if error.place().and_then(Place::field_bytes).is_some_and(is_secret) {
        return;
    }
    assert!(!has_secret(&shown), "an error shows what was sent: {shown}");
}

/// The operations, on a blocking connection or an async one.
macro_rules! operations {
    ($on:ident, $con:expr $(, $await:tt)?) => {{
        let now = Instant::now;
        let (map, typed, record) = (HashMap::new("k"), HashMap::<String, u8>::typed("k"), Record::at("k"));
        judge(now(), map.$on($con).get::<String>("f") $(.$await)?);
        judge(now(), map.$on($con).get_many::<u8, _>(["a", "b"]) $(.$await)?);
        judge(now(), typed.$on($con).get_all() $(.$await)?);
        judge(now(), typed.$on($con).get_fields() $(.$await)?);
        judge(now(), map.$on($con).ttl() $(.$await)?);
        judge(now(), record.$on($con).counter().increment(1) $(.$await)?);
        judge(now(), record.$on($con).get_all() $(.$await)?);
        judge(now(), record.$on($con).get_each() $(.$await)?);
        judge(now(), record.$on($con).code().set((1, 'a')) $(.$await)?);
        judge(now(), record.$on($con).code().take() $(.$await)?);
        judge(now(), record.$on($con).update(|record| record.text.push('a')) $(.$await)?);
    }};
}

/// What a connection makes of the reply, if it could be opened.
fn read_blocking(options: &Options, way: Way) -> Option<RedisResult<Value>> {
    let start = Instant::now();
    let mut con = options.open().map_err(|error| judge::<()>(start, Err(error))).ok()?;
    let result = con.req_packed_command(&cmd("HGETALL").arg("k").get_packed_command());
    judge(start, HashMap::new("k").on(&mut con).size());
    if !way.stays_open && !way.at_login {
        operations!(on, &mut con);
        let map = HashMap::<String, u8>::typed("k").on(&mut con);
        // A server that never says that it is at the end must not be asked for ever.
        map.iter().take(50).for_each(|entry| judge(Instant::now(), entry));
    }
    Some(result)
}

async fn read_async(options: &Options, way: Way) -> Option<RedisResult<Value>> {
    let start = Instant::now();
    let mut con = options.open_async().await.map_err(|error| judge::<()>(start, Err(error))).ok()?;
    let result = redis::aio::ConnectionLike::req_packed_command(&mut con, cmd("HGETALL").arg("k")).await;
    judge(start, HashMap::new("k").on_async(con.clone()).size().await);
    if !way.stays_open && !way.at_login {
        operations!(on_async, con.clone(), await);
        let map = HashMap::<String, u8>::typed("k").on_async(con.clone());
        let mut entries = std::pin::pin!(map.stream().take(50));
        while let Some(entry) = entries.next().await {
            judge(Instant::now(), entry);
        }
    }
    Some(result)
}

/// The first reply as redis-rs's parser reads it, without what a server tells without being asked. `None` if a length in it is
/// so large that redis-rs would reserve the memory for it.
fn theirs(mut reply: &[u8]) -> Option<RedisResult<Value>> {
    if reply.windows(6).any(|window| window.iter().all(u8::is_ascii_digit)) {
        return None;
    }
    let mut parser = redis::Parser::new();
    loop {
        match parser.parse_value(&mut reply) {
            Ok(Value::Push { .. }) => {}
            other => return Some(other),
        }
    }
}

/// Writes a value as a server does, if there is one way only.
fn write(value: &Value, out: &mut Vec<u8>) -> Option<()> {
    let mut all = |mark: char, len: usize, values: Vec<&Value>| {
        out.extend(format!("{mark}{len}\r\n").bytes());
        values.into_iter().try_for_each(|value| write(value, out))
    };
    match value {
        Value::Array(values) => return all('*', values.len(), values.iter().collect()),
        Value::Set(values) => return all('~', values.len(), values.iter().collect()),
        Value::Map(pairs) => {
            return all('%', pairs.len(), pairs.iter().flat_map(|(key, value)| [key, value]).collect());
        }
        Value::Nil => out.extend(b"_\r\n"),
        Value::Okay => out.extend(b"+OK\r\n"),
        Value::Int(number) => out.extend(format!(":{number}\r\n").bytes()),
        Value::SimpleString(text) if !text.contains('\n') => out.extend(format!("+{text}\r\n").bytes()),
        Value::BulkString(bytes) => {
            out.extend(format!("${}\r\n", bytes.len()).bytes());
            out.extend(bytes);
            out.extend(b"\r\n");
        }
        Value::Boolean(flag) => out.extend(if *flag { b"#t\r\n" } else { b"#f\r\n" }),
        _ => return None,
    }
    Some(())
}

/// What was read is what redis-rs's parser reads. Where it is stricter, the reply was not as a server writes it.
fn compare(reply: &[u8], ours: &RedisResult<Value>) -> bool {
    let theirs = theirs(reply);
    match (ours, theirs) {
        // An error keeps to one line, and is text.
        (Ok(Value::ServerError(_)), _) | (_, None) => true,
        (Ok(ours), Some(theirs)) => {
            let (ours, theirs) = (format!("{ours:?}"), theirs.map(|theirs| format!("{theirs:?}")));
            let has_error = reply.iter().any(|byte| b"-!".contains(byte));
            assert!(has_error || theirs.as_ref() == Ok(&ours), "{ours} is for redis-rs {theirs:?}");
            true
        }
        (Err(error), Some(Ok(theirs))) if error.kind() == redis::ErrorKind::Parse => {
            let mut written = Vec::new();
            let is_proper = write(&theirs, &mut written).is_some() && reply.starts_with(&written);
            assert!(!is_proper, "refused, and for redis-rs it is {theirs:?}");
            false
        }
        (Err(_), _) => false,
    }
}

pub(crate) fn check(bytes: &[u8]) -> bool {
    let Some((first, reply)) = bytes.split_first() else { return false };
    let way = Way::of(*first);
    *SERVER.case.lock().unwrap_or_else(PoisonError::into_inner) = (way, reply.into());
    let protocol = if way.resp3 { 3 } else { 2 };
    let url = format!("redis://{}?protocol={protocol}&connect_timeout=200ms&response_timeout=50ms", SERVER.address);
    let options = Options::parse(&url).unwrap();
    let results = [read_blocking(&options, way), RUNTIME.block_on(read_async(&options, way))];
    let mut is_valid = false;
    for result in results.into_iter().flatten() {
        is_valid |= way.at_login || compare(reply, &result);
    }
    is_valid
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => Just(SECRET.as_bytes().to_vec()),
        2 => Just(encode(SECRET)),
        1 => any::<u8>().prop_map(|number| encode(&number)),
        1 => (any::<u8>(), any::<char>()).prop_map(|pair| encode(&pair)),
        1 => select(&["f", "a", "text", "count", "0", "17", "-3", "message", "ERR", "WRONGTYPE", ""][..])
            .prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..5),
    ]
}

/// A whole reply, as servers write it.
fn reply() -> impl Strategy<Value = Vec<u8>> {
    let string = |mark: &'static str| {
        text().prop_map(move |text| [format!("{mark}{}\r\n", text.len()).as_bytes(), &text, b"\r\n"].concat())
    };
    let errors = &["-WRONGTYPE ", "-ERR ", "-NOPERM ", "-MOVED 7 ", "-LOADING ", "-OOM ", "-", "-ERR unknown command "];
    let whole = &[
        "$-1\r\n",
        "*-1\r\n",
        "_\r\n",
        "#t\r\n",
        "+OK\r\n",
        "+QUEUED\r\n",
        "+PONG\r\n",
        ",1.5\r\n",
        ",nan\r\n",
        "*0\r\n",
    ];
    let leaf = prop_oneof![
        6 => string("$"),
        1 => string("!"),
        1 => text().prop_map(|text| [format!("={}\r\ntxt:", text.len() + 4).as_bytes(), &text, b"\r\n"].concat()),
        2 => any::<i16>().prop_map(|number| format!(":{number}\r\n").into_bytes()),
        1 => (0..10_000_u16).prop_map(|number| format!("({number}\r\n").into_bytes()),
        1 => select(&errors[..]).prop_map(|error| format!("{error}{SECRET}\r\n").into_bytes()),
        1 => Just(format!("+{SECRET}\r\n").into_bytes()),
        2 => select(&whole[..]).prop_map(|text| text.as_bytes().to_vec()),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let list = vec(inner.clone(), 0..5);
        prop_oneof![
            4 => list.clone().prop_map(|all| [format!("*{}\r\n", all.len()).into_bytes(), all.concat()].concat()),
            1 => list.clone().prop_map(|all| [format!("~{}\r\n", all.len()).into_bytes(), all.concat()].concat()),
            2 => vec((inner.clone(), inner.clone()), 0..4).prop_map(|all| {
                let pairs = all.iter().flat_map(|(key, value)| [&key[..], value].concat());
                format!("%{}\r\n", all.len()).into_bytes().into_iter().chain(pairs).collect()
            }),
            // A page of a scan, what is pushed, and attributes.
            1 => list.prop_map(|all| [format!("*2\r\n$1\r\n7\r\n*{}\r\n", all.len()).into_bytes(), all.concat()].concat()),
            1 => inner.clone().prop_map(|value| [&b">2\r\n+invalidate\r\n_\r\n"[..], &value].concat()),
            1 => inner.prop_map(|value| [&b"|1\r\n+ttl\r\n:3600\r\n"[..], &value].concat()),
        ]
    })
}

#[test]
fn no_reply_misleads_a_client() {
    let telling = prop_oneof![
        2 => vec(select(&b"\r\n*$+-:_#,(!=%~|>0123456789 tf"[..]), 1..4),
        1 => Just(b"\r\n".to_vec()),
        1 => reply(),
        1 => select(&["$536870913\r\n", "*2147483647\r\n", "%9223372036854775807\r\n", "=-1\r\n", ">0\r\n"][..])
            .prop_map(|text| text.as_bytes().to_vec()),
        1 => (1..130_usize).prop_map(|depth| b"*1\r\n".repeat(depth)),
    ];
    let (way, valid) = (any::<u8>(), prop_oneof![6 => reply(), 1 => vec(any::<u8>(), 0..30)]);
    let made = (way, mutated(valid, telling.clone())).prop_map(|(way, reply)| [&[way][..], &reply].concat());
    run("replies", 200, prop_oneof![6 => made, 1 => mutated(seed("replies"), telling)], check);
}
