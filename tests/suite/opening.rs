//! What happens while connections are opened: refusals, silent Sentinels, many clients at once.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use redis::cmd;
use redis_hashmap::{Error, HashMap, Options, RedisFault, open, open_async};
use redis_hashmap_tests::proxy::Proxy;
use redis_hashmap_tests::{AnyError, given, key, redis_url};

use crate::faults::{TIMEOUT, server, takes_at_most};

type Test = Result<(), AnyError>;

/// Each refusal says what it is and what to do.
#[test]
fn refusals_say_what_to_do() -> Test {
    let certs = given("REDIS_TLS_CERTS");
    let alone = redis_url().trim_start_matches("redis://").trim_end_matches('/').to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let nodes = given("REDIS_CLUSTER_NODES");
    for (url, expected, is_transient) in [
        (format!("redis+cluster://{alone}"), "the server is not a node of a cluster: write redis:// instead", false),
        (
            format!("redis+cluster://ann:wrong@{nodes}"),
            "the server does not accept this user and password (WRONGPASS)",
            false,
        ),
        (format!("redis+cluster://{}", given("REDIS_ACL_ADDRESS")), "the server wants a password (NOAUTH)", false),
        (format!("redis://{alone}/99"), "the server has no database 99", false),
        (format!("redis://{}", given("REDIS_ACL_ADDRESS")), "the server wants a password (NOAUTH)", false),
        (
            "redis+cluster://127.0.0.1:1".to_owned(),
            "no connection to the node 127.0.0.1:1 could be opened: Connection refused",
            true,
        ),
        (
            "redis+cluster://nowhere.invalid:7000".to_owned(),
            "no connection to the node nowhere.invalid:7000 could be opened",
            true,
        ),
        (format!("rediss+cluster://{}", given("REDIS_TLS_ADDRESS")), "invalid peer certificate: UnknownIssuer", false),
        (
            format!("rediss+cluster://{nodes}/?ca={certs}/ca.key"),
            "the parameter `ca` of the URL names a file that holds no certificate",
            false,
        ),
        (
            format!(
                "rediss+cluster://{}/?ca={certs}/ca.crt&cert={certs}/client.crt&key={certs}/client.key",
                given("REDIS_TLS_ADDRESS")
            ),
            "the server is not a node of a cluster",
            false,
        ),
    ] {
        for error in [open(&url).expect_err(&url), runtime.block_on(redis_hashmap::open_async(&url)).expect_err(&url)] {
            assert!(error.to_string().contains(expected), "{url}: {error}");
            assert_eq!(error.is_transient(), is_transient, "{url}: {error}");
            assert!(error.redis().is_none_or(|fault| !RedisFault::is_timeout(fault)), "{error}");
        }
    }
    Ok(())
}

/// Two hundred clients, blocking and async, leave no socket, no thread and no task behind.
#[test]
fn two_hundred_clients_leave_nothing_behind() -> Test {
    let (proxy, key) = (Proxy::before(&server()), key());
    let url = format!("redis://{}?connect_timeout=20s&response_timeout=20s", proxy.address());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    std::thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| {
                let map = HashMap::new(&*key).on(open(&url).expect("a connection"));
                for number in 0..20 {
                    map.set("a", number).expect("it is stored");
                }
            });
        }
        runtime.block_on(async {
            let clients: Vec<_> = (0..100)
                .map(|_| {
                    let (url, key) = (url.clone(), key.to_string());
                    tokio::spawn(async move {
                        let map = HashMap::new(&*key).on_async(open_async(&url).await?);
                        for number in 0..20 {
                            map.set("a", number).await?;
                        }
                        Ok::<_, Error>(())
                    })
                })
                .collect();
            for client in clients {
                client.await??;
            }
            Ok::<_, AnyError>(())
        })
    })?;
    assert_eq!(proxy.accepted(), 200);
    let start = Instant::now();
    while proxy.open() > 0 || runtime.metrics().num_alive_tasks() > 0 {
        assert!(start.elapsed() < Duration::from_secs(20), "{} are open", proxy.open());
        std::thread::yield_now();
    }
    // Ours name their threads; those of other tests come and go.
    let names = std::fs::read_dir("/proc/self/task")?.flatten();
    let names = names.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    let ours: Vec<String> = names.filter(|name| name.contains("look-up")).collect();
    assert!(ours.is_empty(), "{ours:?}");
    Ok(())
}

/// Sentinels that take connections and say nothing share the time of connecting, and the one that answers is found.
#[test]
fn silent_sentinels_cost_a_part_of_the_time() -> Test {
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let limit = Duration::from_secs(2);
    let url = format!("redis+sentinel://{},{}/mymaster", silent.local_addr()?, given("REDIS_SENTINEL"));
    let options = Options::parse(&url)?.connect_timeout(limit);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut con = takes_at_most(limit, || options.open())?;
    assert!(cmd("PING").query::<String>(&mut con)? == "PONG");
    takes_at_most(limit, || runtime.block_on(options.open_async()))?;
    let alone = format!("redis+sentinel://{}/mymaster", silent.local_addr()?);
    let options = Options::parse(&alone)?.connect_timeout(TIMEOUT);
    let error = takes_at_most(TIMEOUT, || options.open()).expect_err("nobody answers");
    assert!(error.is_transient(), "{error}");
    let error = takes_at_most(TIMEOUT, || runtime.block_on(options.open_async())).expect_err("nobody answers");
    assert!(error.is_transient(), "{error}");
    Ok(())
}
