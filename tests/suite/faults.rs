//! What connections do after faults: the next call works, nothing is applied twice, a time-out bounds a call.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use redis::cmd;
use redis_hashmap::{
    Async, AsyncConnection, Batch, Blocking, Connection, Error, HashMap, Options, RedisFault, open, open_async,
};
use redis_hashmap_tests::proxy::{Mode, Proxy};
use redis_hashmap_tests::{AnyError, given, key, redis_url};

type Test = Result<(), AnyError>;

pub(crate) const TIMEOUT: Duration = Duration::from_millis(300);
/// How much longer a call may take on a busy machine.
const BUSY: Duration = Duration::from_millis(1500);

/// The address in the URL of the server of most tests.
pub(crate) fn server() -> String {
    redis_url().trim_start_matches("redis://").trim_end_matches('/').to_owned()
}

fn options(address: impl std::fmt::Display) -> Options {
    let options = Options::parse(&format!("redis://{address}")).expect("a URL");
    options.connect_timeout(TIMEOUT).response_timeout(TIMEOUT)
}

#[track_caller]
pub(crate) fn takes_at_most<T>(limit: Duration, run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let output = run();
    assert!(start.elapsed() < limit + BUSY, "it took {:?}", start.elapsed());
    output
}

/// A map through a proxy, on a blocking connection or an async one, whose operations are called alike.
enum Map {
    Blocking(HashMap<String, redis_hashmap::Any, Blocking<Connection>>),
    Async(tokio::runtime::Runtime, HashMap<String, redis_hashmap::Any, Async<AsyncConnection>>),
}

impl Map {
    /// A map of each kind, plain, over TLS and over a Unix socket, each through a proxy of its own.
    fn on_each(key: &str) -> Result<Vec<(Proxy, Self)>, AnyError> {
        let certs = given("REDIS_TLS_CERTS");
        let tls = format!("?ca={certs}/ca.crt&cert={certs}/client.crt&key={certs}/client.key");
        let plain = |proxy: &Proxy| format!("redis://{}", proxy.address());
        let encrypted = |proxy: &Proxy| format!("rediss://{}/{tls}", proxy.address());
        let local = |proxy: &Proxy| format!("redis+unix://{}", proxy.unix().display());
        let url_of: [&dyn Fn(&Proxy) -> String; 3] = [&plain, &encrypted, &local];
        let servers = [server(), given("REDIS_TLS_ADDRESS"), server()];
        let mut maps = Vec::new();
        for (server, url) in servers.into_iter().zip(url_of) {
            let options = |proxy: &Proxy| {
                let options = Options::parse(&url(proxy));
                options.map(|options| options.connect_timeout(TIMEOUT).response_timeout(TIMEOUT))
            };
            let proxy = Proxy::before(&server);
            let con = options(&proxy)?.open()?;
            maps.push((proxy, Self::Blocking(HashMap::new(key).on(con))));
            let proxy = Proxy::before(&server);
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
            let con = runtime.block_on(options(&proxy)?.open_async())?;
            maps.push((proxy, Self::Async(runtime, HashMap::new(key).on_async(con))));
        }
        Ok(maps)
    }

    fn set(&self, field: &str, value: &str) -> Result<bool, Error> {
        match self {
            Self::Blocking(map) => map.set(field, value),
            Self::Async(runtime, map) => runtime.block_on(map.set(field, value)),
        }
    }

    fn get(&self, field: &str) -> Result<Option<String>, Error> {
        match self {
            Self::Blocking(map) => map.get(field),
            Self::Async(runtime, map) => runtime.block_on(map.get(field)),
        }
    }
}

/// Counters at the server, past the proxy.
fn increments(key: &str) -> Result<i64, AnyError> {
    let mut con = open(&redis_url())?;
    Ok(cmd("HGET").arg(key).arg("n").query::<Option<i64>>(&mut con)?.unwrap_or(0))
}

#[test]
fn a_connection_that_dies_without_a_word_costs_one_call() -> Test {
    let key = key();
    for (proxy, map) in Map::on_each(&key)? {
        for mode in [Mode::Swallow, Mode::KeepReplies] {
            map.set("a", "1")?;
            proxy.set(mode);
            let error = takes_at_most(TIMEOUT, || map.get("a")).expect_err("nobody answers");
            assert!(error.redis().is_some_and(RedisFault::is_timeout) && error.may_have_been_applied(), "{error}");
            proxy.set(Mode::Pass);
            // The old connection still swallows nothing, but is in doubt: the next call has one of its own.
            assert_eq!(map.get("a")?.as_deref(), Some("1"));
        }
    }
    Ok(())
}

#[test]
fn what_was_closed_while_idle_is_noticed_before_anything_is_sent() -> Test {
    let key = key();
    for (proxy, map) in Map::on_each(&key)? {
        for round in 0..10 {
            map.set("a", &round.to_string())?;
            proxy.cut();
            while proxy.open() > 0 {
                std::thread::yield_now();
            }
            std::thread::sleep(Duration::from_millis(15)); // idle, which is what is tested
            map.set("a", "b")?;
        }
    }
    Ok(())
}

#[test]
fn what_only_reads_is_tried_once_more() -> Test {
    let key = key();
    for (proxy, map) in Map::on_each(&key)? {
        map.set("a", "1")?;
        proxy.set(Mode::CloseInsteadOfReply);
        let accepted = proxy.accepted();
        let error = map.set("a", "2").expect_err("the connection is closed");
        assert!(error.may_have_been_applied(), "{error}");
        assert_eq!(proxy.accepted(), accepted, "a write is not sent again");
        // The login of a new connection is not answered either.
        let error = map.get("a").expect_err("the connection is closed");
        assert!(!error.may_have_been_applied(), "{error}");
        assert_eq!(proxy.accepted(), accepted + 1);
        proxy.set(Mode::Pass);
        assert_eq!(map.get("a")?.as_deref(), Some("2"));
        // Closed on the way: what reads does not notice.
        proxy.cut();
        assert_eq!(map.get("a")?.as_deref(), Some("2"));
    }
    Ok(())
}

/// Each increment is carried out once or not at all, whatever becomes of its reply.
#[test]
fn nothing_is_applied_twice() -> Test {
    let (proxy, key) = (Proxy::before(&server()), key());
    let mut con = options(proxy.address()).open()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let con_async = runtime.block_on(options(proxy.address()).open_async())?;
    let increment = || cmd("HINCRBY").arg(&*key).arg("n").arg(1).clone();
    let mut sent = 0;
    for mode in [Mode::KeepReplies, Mode::CloseInsteadOfReply, Mode::Drip, Mode::Swallow] {
        for _ in 0..3 {
            proxy.set(mode);
            let before = increments(&key)?;
            let blocking = increment().query::<i64>(&mut con);
            proxy.set(Mode::Pass);
            increment().exec(&mut con)?;
            sent += 1;
            let after = increments(&key)?;
            let counted = after - before - 1;
            assert!(counted == 1 || (counted == 0 && blocking.is_err()), "{mode:?}: {counted}");

            proxy.set(mode);
            let reply = runtime.block_on(increment().query_async::<i64>(&mut con_async.clone()));
            proxy.set(Mode::Pass);
            runtime.block_on(increment().exec_async(&mut con_async.clone()))?;
            let counted = increments(&key)? - after - 1;
            assert!(counted == 1 || (counted == 0 && reply.is_err()), "{mode:?}: {counted}");
        }
    }
    assert_eq!(sent, 12);
    Ok(())
}

#[test]
fn a_timeout_bounds_the_whole_call() -> Test {
    let (proxy, key) = (Proxy::before(&server()), key());
    let mut con = options(proxy.address()).open()?;
    let commands = || (0..40).map(|i| HashMap::new(&*key).set(format!("f{i}").as_str(), i)).collect::<Batch<_>>();
    commands().query(&mut con)?;
    for mode in [Mode::Swallow, Mode::Drip, Mode::KeepReplies] {
        proxy.set(mode);
        let error = takes_at_most(TIMEOUT, || commands().query(&mut con)).expect_err("it takes too long");
        assert!(error.redis().is_some_and(RedisFault::is_timeout), "{error}");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        proxy.set(Mode::Pass);
        runtime.block_on(async {
            let mut con = options(proxy.address()).open_async().await?;
            proxy.set(mode);
            let start = Instant::now();
            let error = commands().query_async(&mut con).await.expect_err("it takes too long");
            assert!(error.redis().is_some_and(RedisFault::is_timeout), "{error}");
            assert!(start.elapsed() < TIMEOUT + BUSY, "it took {:?}", start.elapsed());
            Ok::<_, AnyError>(())
        })?;
        // A server that takes connections and says nothing.
        let error = takes_at_most(TIMEOUT, || {
            let options = options(proxy.address());
            proxy.set(if mode == Mode::Drip { Mode::Drip } else { Mode::Swallow });
            options.open()
        });
        let error = error.expect_err("its login is not answered");
        assert!(error.is_transient(), "{error}");
        proxy.set(Mode::Pass);
        commands().query(&mut con)?;
    }
    Ok(())
}

/// A server that takes connections and does not answer the handshake of TLS.
#[test]
fn a_timeout_bounds_a_handshake() -> Test {
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("rediss://{}", silent.local_addr()?);
    let options = Options::parse(&url)?.connect_timeout(TIMEOUT);
    let error = takes_at_most(TIMEOUT, || options.open()).expect_err("nobody answers");
    assert!(error.is_transient() && error.to_string().contains("no answer came in time"), "{error}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let error = takes_at_most(TIMEOUT, || runtime.block_on(options.open_async())).expect_err("nobody answers");
    assert!(error.is_transient() && error.to_string().contains("no answer came in time"), "{error}");
    Ok(())
}

/// What was under way when the runtime of a connection ended is in doubt; later calls connect anew in their own.
#[test]
fn a_connection_outlives_its_runtime() -> Test {
    let (proxy, key) = (Proxy::before(&server()), key());
    let first = tokio::runtime::Runtime::new()?;
    let con = first.block_on(Options::parse(&format!("redis://{}", proxy.address()))?.open_async())?;
    let map = HashMap::<String, u8>::typed(&*key).on_async(con);
    proxy.set(Mode::KeepReplies);
    let second = tokio::runtime::Runtime::new()?;
    let pending = second.spawn(map.set("a", 1));
    let past = HashMap::<String, u8>::typed(&*key).on(open(&redis_url())?);
    let start = Instant::now();
    while past.get("a")?.is_none() {
        assert!(start.elapsed() < Duration::from_secs(20), "it does not arrive");
    }
    first.shutdown_background();
    let error = second.block_on(pending)?.expect_err("its connection has ended");
    assert!(error.may_have_been_applied() && !error.is_transient(), "{error}");
    proxy.set(Mode::Pass);
    second.block_on(map.set("a", 2))?;
    assert_eq!(past.get("a")?, Some(2));
    Ok(())
}

/// A value whose write was cut is not taken up again by what is written after it.
#[test]
fn a_write_that_was_cut_leaves_nothing_behind() -> Test {
    let key = key();
    let large = "x".repeat(20 << 20);
    for (proxy, map) in Map::on_each(&key)? {
        map.set("a", "1")?;
        proxy.set(Mode::Stall);
        // Twenty megabytes are also encoded, and encrypted, by a debug build.
        let error = takes_at_most(TIMEOUT * 10, || map.set("large", &large)).expect_err("nobody takes it");
        assert!(!error.may_have_been_applied() && error.to_string().contains("could not be sent in time"), "{error}");
        proxy.set(Mode::Pass);
        for round in 0..10 {
            map.set("a", &round.to_string())?;
            assert_eq!(map.get("a")?, Some(round.to_string()));
        }
        assert_eq!(map.get("large")?, None);
    }
    Ok(())
}

/// Calls fail while nobody listens, each with an error of its own time, and work as soon as somebody does.
#[test]
fn a_server_that_comes_back_is_used_at_once() -> Test {
    let key = key();
    for (proxy, map) in Map::on_each(&key)? {
        map.set("a", "1")?;
        proxy.set(Mode::Refuse);
        proxy.cut();
        for _ in 0..5 {
            let error = takes_at_most(TIMEOUT, || map.set("a", "2")).expect_err("nobody is there");
            assert!(error.redis().is_some(), "{error}");
        }
        let error = map.set("a", "2").expect_err("nobody is there");
        assert!(error.is_transient() && !error.may_have_been_applied(), "{error}");
        proxy.set(Mode::Pass);
        map.set("a", "3")?;
        assert_eq!(map.get("a")?.as_deref(), Some("3"));
    }
    Ok(())
}

/// What is dropped in the middle leaves the replies of all others where they belong.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_cancelled_calls_mix_up_nothing() -> Test {
    let (proxy, key) = (Proxy::before(&server()), key());
    let con = Options::parse(&format!("redis://{}", proxy.address()))?.open_async().await?;
    let map = HashMap::<u32, u32>::typed(&*key).on_async(con);
    map.set_many(&(0..100).map(|i| (i, i * 7)).collect::<std::collections::BTreeMap<_, _>>()).await?;
    let mut seed = 1_u32;
    let mut random = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed >> 8
    };
    let mut cancelled = 0;
    for _ in 0..10_000 {
        let field = random() % 100;
        let limit = Duration::from_micros(u64::from(random() % 60));
        match tokio::time::timeout(limit, map.get(&field)).await {
            Ok(value) => assert_eq!(value?, Some(field * 7)),
            Err(_) => cancelled += 1,
        }
    }
    for field in 0..100 {
        assert_eq!(map.get(&field).await?, Some(field * 7));
    }
    assert!(cancelled > 0);
    // The connection ends with its last accessor.
    drop(map);
    while proxy.open() > 0 {
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// A password that is changed and changed back: each call says what is true when it is made.
#[test]
fn a_password_that_is_rotated_costs_only_the_calls_meanwhile() -> Test {
    let (address, user) = (given("REDIS_ACL_ADDRESS"), format!("rotated-{}", std::process::id()));
    let mut admin = open(&format!("redis://default:secret-of-default@{address}"))?;
    let mut acl = |rule: &str| {
        let mut cmd = cmd("ACL");
        cmd.arg("SETUSER").arg(&user).arg("on").arg("~*").arg("+@all").arg("resetpass").arg(rule).exec(&mut admin)
    };
    acl(">old")?;
    let key = key();
    let url = format!("redis://{user}:old@{address}");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let con = runtime.block_on(open_async(&url))?;
    let maps =
        [Map::Blocking(HashMap::new(&*key).on(open(&url)?)), Map::Async(runtime, HashMap::new(&*key).on_async(con))];
    let mut past = open(&format!("redis://default:secret-of-default@{address}"))?;
    for map in &maps {
        map.set("a", "1")?;
        acl(">new")?;
        cmd("CLIENT").arg("KILL").arg("USER").arg(&user).exec(&mut past)?;
        std::thread::sleep(Duration::from_millis(15)); // idle, so that it is looked at
        for _ in 0..5 {
            let error = map.set("a", "2").expect_err("the password is another");
            assert!(error.to_string().contains("does not accept this user and password"), "{error}");
            assert!(!error.may_have_been_applied() && !error.is_transient(), "{error}");
        }
        acl(">old")?;
        map.set("a", "3")?;
    }
    cmd("ACL").arg("DELUSER").arg(&user).exec(&mut past)?;
    Ok(())
}
