//! The places and the kinds of connections, and what each has run.

use std::time::Duration;

use futures::executor::block_on;
use redis_hashmap::{AsyncConnection, Connection, open, open_async};
use redis_hashmap_tests::{AnyError, given, key, newer_server, redis_url};

use crate::{asynchronous, blocking, exclusive};

type Test = Result<(), AnyError>;

/// How many keys each scenario is run on: on a cluster, they lie in several slots.
const KEYS: usize = 4;

/// What ran, for the table.
struct Table {
    rows: Vec<(String, String, usize)>,
}

impl Table {
    fn new() -> Self {
        Self { rows: Vec::new() }
    }

    fn row(&mut self, place: &str, kind: &str, runs: usize) {
        self.rows.push((place.to_owned(), kind.to_owned(), runs));
    }

    fn print(&self) {
        for (place, kind, runs) in &self.rows {
            println!("conformance: {place:28} {kind:28} {:3} scenarios on {KEYS} keys each", runs / KEYS);
        }
    }
}

/// Runs all scenarios, each on some keys. Says which has failed.
macro_rules! run_all {
    ($way:ident, $place:expr, $con:expr, $prefix:expr, $expires_fields:expr, $($wait:tt)*) => {{
        let mut runs = 0;
        for scenario in $way::SCENARIOS.iter().copied() {
            for number in 0..KEYS {
                let key = format!("{}{}:{number}", $prefix, key().replace('/', "-"));
                let ran = run_all!(@ $way::run(scenario, $con, &key, $expires_fields), $($wait)*);
                ran.map_err(|error| format!("{}, {}, {scenario}: {error:?}", $place, stringify!($way)))?;
                runs += 1;
            }
        }
        runs
    }};
    (@ $ran:expr, block_on) => { block_on($ran) };
    (@ $ran:expr, await) => { $ran.await };
}

/// Where a scenario runs.
struct Place {
    name: &'static str,
    url: String,
    prefix: &'static str,
    expires_fields: bool,
}

fn places() -> Vec<Place> {
    let certs = given("REDIS_TLS_CERTS");
    let tls = format!("ca={certs}/ca.crt&cert={certs}/client.crt&key={certs}/client.key");
    let files = ["immediate", "eventual"].map(|name| {
        let file = std::env::temp_dir().join(format!("{}-{name}.redb", key().replace('/', "-")));
        format!("file://{}?durability={name}", file.display())
    });
    let [immediate, eventual] = files;
    let nodes = given("REDIS_CLUSTER_NODES");
    let place = |name, url: String, expires_fields| Place { name, url, prefix: "conformance:", expires_fields };
    let plain = redis_url().trim_end_matches('/').to_owned();
    let mut places = vec![
        place("memory", "memory:conformance".to_owned(), true),
        place("memory as Redis 7.0", "memory:conformance-7?as=redis-7.0".to_owned(), false),
        place("file, immediate", immediate, true),
        place("file, eventual", eventual, true),
        place("Redis 7.0", plain.clone(), false),
        place("Redis 7.0, RESP3", format!("{plain}/?protocol=resp3"), false),
        place("Redis 7.0, Unix socket", format!("redis+unix://{}", given("REDIS_SOCKET")), false),
        place("Redis 7.0, TLS", format!("rediss://{}/?{tls}", given("REDIS_TLS_ADDRESS")), false),
        place("Redis 7.0, TLS, RESP3", format!("rediss://{}/?{tls}&protocol=resp3", given("REDIS_TLS_ADDRESS")), false),
        place("cluster", format!("redis+cluster://{nodes}"), false),
        place("cluster, RESP3", format!("redis+cluster://{nodes}/?protocol=resp3"), false),
        place("Sentinel", format!("redis+sentinel://{}/mymaster", given("REDIS_SENTINEL")), false),
        Place {
            name: "an ACL user of one prefix",
            url: format!("redis://prefixed:secret-of-prefixed@{}", given("REDIS_ACL_ADDRESS")),
            prefix: "prefixed:",
            expires_fields: false,
        },
    ];
    for (name, resp3, variable) in [
        ("Redis 8.0", "Redis 8.0, RESP3", "REDIS_8_URL"),
        ("Valkey 8.1", "Valkey 8.1, RESP3", "VALKEY_8_URL"),
        ("Valkey 9.1", "Valkey 9.1, RESP3", "VALKEY_9_URL"),
    ] {
        // Left out by tests/run, which says so.
        let Some(url) = newer_server(variable) else { continue };
        let expires_fields = variable != "VALKEY_8_URL";
        places.push(place(name, url.clone(), expires_fields));
        places.push(place(resp3, format!("{}/?protocol=resp3", url.trim_end_matches('/')), expires_fields));
    }
    places
}

/// Every place that a URL names, blocking, async and exclusive.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_of_ours() -> Test {
    let mut table = Table::new();
    for Place { name, url, prefix, expires_fields } in places() {
        let mut con: Connection = open(&url)?;
        let runs = run_all!(blocking, name, &mut con, prefix, expires_fields, block_on);
        table.row(name, "blocking", runs);
        drop(con);
        let mut con: AsyncConnection = open_async(&url).await?;
        let runs = run_all!(asynchronous, name, &mut con, prefix, expires_fields, await);
        table.row(name, "async", runs);
        let runs = run_all!(exclusive, name, &mut con, prefix, expires_fields, await);
        table.row(name, "exclusive", runs);
        drop(con);
        if let Some(file) = url.strip_prefix("file://").and_then(|rest| rest.split('?').next()) {
            std::fs::remove_file(file)?;
        }
    }
    table.print();
    Ok(())
}

/// What redis-rs hands out, and guards of pools.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_of_redis_rs_and_of_pools() -> Test {
    const PATIENCE: Duration = Duration::from_secs(20);
    let (mut table, place, prefix, expires) = (Table::new(), "Redis 7.0", "conformance:", false);
    let client = redis::Client::open(redis_url())?;
    let patient = || redis::AsyncConnectionConfig::new().set_response_timeout(Some(PATIENCE));

    let mut con = client.get_connection()?;
    table.row(place, "redis::Connection", run_all!(blocking, place, &mut con, prefix, expires, block_on));
    let pool = r2d2::Pool::builder().max_size(1).build(client.clone())?;
    table.row(place, "r2d2", run_all!(blocking, place, &mut pool.get()?, prefix, expires, block_on));

    let mut con = client.get_multiplexed_async_connection_with_config(&patient()).await?;
    table.row(place, "MultiplexedConnection", run_all!(asynchronous, place, &mut con, prefix, expires, await));
    table.row(place, "MultiplexedConnection, alone", run_all!(exclusive, place, &mut con, prefix, expires, await));
    let config = redis::aio::ConnectionManagerConfig::new().set_response_timeout(Some(PATIENCE));
    let mut con = redis::aio::ConnectionManager::new_with_config(client.clone(), config).await?;
    table.row(place, "ConnectionManager", run_all!(asynchronous, place, &mut con, prefix, expires, await));
    let pool = bb8::Pool::builder().max_size(1).build(bb8_redis::RedisConnectionManager::new(redis_url())?).await?;
    table.row(place, "bb8", run_all!(exclusive, place, &mut *pool.get().await?, prefix, expires, await));
    let pool = deadpool_redis::Config::from_url(redis_url()).create_pool(Some(deadpool_redis::Runtime::Tokio1))?;
    table.row(place, "deadpool", run_all!(exclusive, place, &mut pool.get().await?, prefix, expires, await));

    let nodes: Vec<String> = given("REDIS_CLUSTER_NODES").split(',').map(|node| format!("redis://{node}")).collect();
    let client = redis::cluster::ClusterClientBuilder::new(nodes).response_timeout(PATIENCE).build()?;
    let mut con = client.get_connection()?;
    table.row("cluster", "ClusterConnection", run_all!(blocking, "cluster", &mut con, prefix, expires, block_on));
    let mut con = client.get_async_connection().await?;
    table.row(
        "cluster",
        "ClusterConnection, async",
        run_all!(asynchronous, "cluster", &mut con, prefix, expires, await),
    );
    table.print();
    Ok(())
}
