//! Every place that acknowledges only what stays, under faults of the connection and of the server.
//!
//! A failover of a cluster or of Sentinels, and a file with eventual durability, lose acknowledged writes by design. There, the
//! tests of the suite (`clusters`, `open`) and of the embedded store (`kills`) show that nothing is applied twice, and count the
//! loss.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::ConnectionLike;
use redis_hashmap::{Embedded, Options};
use redis_hashmap_tests::cluster::{Cluster, Node, wait_until};
use redis_hashmap_tests::proxy::{Mode, Proxy};
use redis_hashmap_tests::random::Random;
use redis_hashmap_tests::server::{Sentinel, Server, wait_until_alone};
use redis_hashmap_tests::{AnyError, given};

use crate::clients::{AsyncClient, BlockingClient, Client, Numbers};
use crate::model::State;
use crate::rounds::{Counts, Test, duration, expect, round};

const CALLS: usize = 60;

/// What is stored.
pub(crate) fn state(key: &str, con: impl ConnectionLike) -> State {
    let all = Numbers::at(key).on(con).get_partial().expect("it can be read");
    [all.first, all.second, all.count]
}

fn seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_nanos() & 0xffff_ffff).unwrap_or(0)
}

/// Rounds of clients without a fault but calls that are cancelled.
#[test]
fn memory() -> Test {
    let (con, runtime, mut counts) = (Embedded::in_memory("")?, runtime()?, Counts::default());
    let mut clients: Vec<Box<dyn Client>> = Vec::new();
    for number in 0..4 {
        clients.push(Box::new(BlockingClient::new("k", con.clone())));
        clients.push(Box::new(AsyncClient::new("k", con.clone(), &runtime, number)));
    }
    let (begin, mut seed) = (Instant::now(), seed());
    while begin.elapsed() < duration() / 4 {
        seed += 1;
        let before = state("k", con.clone());
        let history = round(&mut clients, seed, CALLS, |_| {});
        // A cancelled call is carried out in its turn, or not at all: after one that was called later.
        let after = state("k", con.clone());
        expect("memory", seed, &history, before, after)?;
        counts.add(&history);
    }
    counts.print("memory");
    Ok(())
}

fn runtime() -> Result<Arc<tokio::runtime::Runtime>, AnyError> {
    Ok(Arc::new(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?))
}

/// Three clients with a blocking connection each, and three that share an async one.
fn clients(url: &str, key: &str) -> Result<Vec<Box<dyn Client>>, AnyError> {
    let options = Options::parse(url)?;
    let options = options.connect_timeout(Duration::from_millis(300)).response_timeout(Duration::from_millis(100));
    let runtime = runtime()?;
    let shared = runtime.block_on(options.open_async())?;
    let mut clients: Vec<Box<dyn Client>> = Vec::new();
    for number in 0..3 {
        clients.push(Box::new(BlockingClient::new(key, options.open()?)));
        clients.push(Box::new(AsyncClient::new(key, shared.clone(), &runtime, number)));
    }
    Ok(clients)
}

/// Breaks connections at random while the clients call.
fn break_connections(proxies: &[&Proxy], random: &mut Random, is_running: &dyn Fn() -> bool) -> usize {
    let mut faults = 0;
    // Not at once, so that something is under way.
    std::thread::sleep(Duration::from_micros(random.number() % 10_000));
    while is_running() {
        let proxy = proxies[random.below(proxies.len())];
        let mode = match random.below(8) {
            0 | 1 => None,
            2 => Some(Mode::Swallow),
            3 => Some(Mode::KeepReplies),
            4 => Some(Mode::CloseInsteadOfReply),
            5 => Some(Mode::Stall),
            6 => Some(Mode::Drip),
            _ => Some(Mode::Refuse),
        };
        faults += 1;
        if let Some(mode) = mode {
            proxy.set(mode);
            let until = Instant::now() + Duration::from_millis(random.number() % 150);
            while is_running() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        if matches!(mode, None | Some(Mode::Refuse)) {
            proxy.cut();
        }
        proxy.set(Mode::Pass);
        std::thread::sleep(Duration::from_micros(random.number() % 20_000));
    }
    faults
}

/// Closes all connections, and waits until what was sent on them has been carried out.
fn settle(proxies: &[&Proxy], cons: &mut [redis::Connection]) -> Test {
    for proxy in proxies {
        proxy.set(Mode::Pass);
        // A Sentinel that looks at its master comes again.
        wait_until("connections are closed", || {
            proxy.cut();
            proxy.open() == 0
        })?;
    }
    cons.iter_mut().try_for_each(wait_until_alone)
}

/// Rounds on a server behind a proxy, with faults of the connections.
fn under_cuts(place: &str, server: &Server, behind: &str, url: impl Fn(&Proxy) -> String) -> Test {
    let (proxy, mut counts, mut seed) = (Proxy::before(behind), Counts::default(), seed());
    let mut clients = clients(&url(&proxy), "k")?;
    let mut direct = [server.connect()?];
    let begin = Instant::now();
    while begin.elapsed() < duration() {
        seed += 1;
        settle(&[&proxy], &mut direct)?;
        let before = state("k", &mut direct[0]);
        let mut random = Random(seed);
        let history = round(&mut clients, seed, CALLS, |is_running| {
            counts.faults += break_connections(&[&proxy], &mut random, is_running);
        });
        settle(&[&proxy], &mut direct)?;
        expect(place, seed, &history, before, state("k", &mut direct[0]))?;
        counts.add(&history);
    }
    counts.expect_faults();
    counts.print(place);
    Ok(())
}

#[test]
fn a_server_under_cuts() -> Test {
    let server = Server::start(&["--appendfsync", "no"])?;
    under_cuts("server", &server, &server.address(), |proxy| format!("redis://{}", proxy.address()))
}

#[test]
fn a_server_under_cuts_with_resp3() -> Test {
    let server = Server::start(&["--appendfsync", "no"])?;
    under_cuts("resp3", &server, &server.address(), |proxy| format!("redis://{}/?protocol=resp3", proxy.address()))
}

#[test]
fn a_unix_socket_under_cuts() -> Test {
    let server = Server::start(&["--appendfsync", "no"])?;
    under_cuts("unix", &server, &server.address(), |proxy| format!("redis+unix://{}", proxy.unix().display()))
}

/// The Sentinel names a proxy, behind which the master is.
#[test]
fn the_master_of_sentinels_under_cuts() -> Test {
    let server = Server::start(&["--appendfsync", "no"])?;
    // It lives as long as the proxy that it names.
    let sentinel = std::cell::OnceCell::new();
    under_cuts("sentinel", &server, &server.address(), |proxy| {
        let sentinel = sentinel.get_or_init(|| Sentinel::start(proxy.address()).expect("it starts"));
        format!("redis+sentinel://{}/mymaster", sentinel.address())
    })
}

#[test]
fn tls_under_cuts() -> Test {
    let certs = given("REDIS_TLS_CERTS");
    let tls_port = redis_hashmap_tests::cluster::port().to_string();
    let files = ["server.crt", "server.key", "ca.crt"].map(|file| format!("{certs}/{file}"));
    let [cert, key, ca] = &files;
    let tls = ["--tls-port", &tls_port, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", ca];
    let server = Server::start(&[&tls[..], &["--appendfsync", "no"]].concat())?;
    let parameters = format!("ca={certs}/ca.crt&cert={certs}/client.crt&key={certs}/client.key");
    let behind = format!("127.0.0.1:{tls_port}");
    under_cuts("tls", &server, &behind, |proxy| format!("rediss://{}/?{parameters}", proxy.address()))
}

#[test]
fn a_cluster_under_cuts() -> Test {
    let (cluster, mut counts, mut seed) = (Cluster::start(0, true)?, Counts::default(), seed());
    let mut clients = clients(&cluster.url(), "k")?;
    let proxies: Vec<&Proxy> = cluster.nodes.iter().filter_map(|node| node.proxy.as_ref()).collect();
    let mut direct = cluster.nodes.iter().map(Node::connect).collect::<Result<Vec<_>, _>>()?;
    let owner = cluster.nodes.iter().position(|node| node.serves("k").is_ok_and(|(_, serves)| serves));
    let owner = owner.ok_or("nobody serves the key")?;
    let begin = Instant::now();
    while begin.elapsed() < duration() {
        seed += 1;
        settle(&proxies, &mut direct)?;
        let before = state("k", &mut direct[owner]);
        let mut random = Random(seed);
        let history = round(&mut clients, seed, CALLS, |is_running| {
            counts.faults += break_connections(&proxies, &mut random, is_running);
        });
        settle(&proxies, &mut direct)?;
        let after = state("k", &mut direct[owner]);
        expect("cluster", seed, &history, before, after)?;
        counts.add(&history);
    }
    counts.expect_faults();
    counts.print("cluster");
    Ok(())
}

/// A server that keeps what it acknowledges, and is killed and started again.
#[test]
fn a_server_under_kills() -> Test {
    let (mut server, mut counts, mut seed) = (Server::start(&[])?, Counts::default(), seed());
    let proxy = Proxy::before(&server.address());
    let mut clients = clients(&format!("redis://{}", proxy.address()), "k")?;
    let begin = Instant::now();
    while begin.elapsed() < duration() {
        seed += 1;
        settle(&[&proxy], &mut [server.connect()?])?;
        let before = state("k", server.connect()?);
        let (mut random, mut killed) = (Random(seed), Ok(()));
        let history = round(&mut clients, seed, CALLS, |is_running| {
            std::thread::sleep(Duration::from_micros(random.number() % 20_000));
            while is_running() && killed.is_ok() {
                killed = server.kill_and_restart();
                counts.faults += 1;
                std::thread::sleep(Duration::from_micros(random.number() % 50_000));
            }
        });
        killed?;
        settle(&[&proxy], &mut [server.connect()?])?;
        let after = state("k", server.connect()?);
        expect("kills", seed, &history, before, after)?;
        counts.add(&history);
    }
    counts.expect_faults();
    counts.print("server under kills");
    Ok(())
}
