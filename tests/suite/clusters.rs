//! What cluster connections do after faults, failovers and migrations: nothing is applied twice, the next call works.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use redis::cmd;
use redis_hashmap::{AsyncConnection, Batch, Connection, HashMap, Options, open};
use redis_hashmap_tests::cluster::{Cluster, wait_until};
use redis_hashmap_tests::proxy::{Mode, Proxy};
use redis_hashmap_tests::{AnyError, given};

type Test = Result<(), AnyError>;

const TIMEOUT: Duration = Duration::from_millis(400);
const BUSY: Duration = Duration::from_secs(1);

/// A blocking connection and an async one, that are called alike.
enum Either {
    Blocking(Box<Connection>),
    Async(tokio::runtime::Runtime, AsyncConnection),
}

impl Either {
    fn both(url: &str, timeout: Duration) -> Result<[Self; 2], AnyError> {
        let options = Options::parse(url)?.connect_timeout(timeout).response_timeout(timeout);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let con = runtime.block_on(options.open_async())?;
        Ok([Self::Blocking(Box::new(options.open()?)), Self::Async(runtime, con)])
    }

    fn increment(&mut self, key: &str) -> Result<i64, redis_hashmap::Error> {
        let counters = HashMap::<String, redis_hashmap::Counter>::typed(key);
        match self {
            Self::Blocking(con) => counters.on(con).increment("n", 1),
            Self::Async(runtime, con) => runtime.block_on(counters.on_async(con.clone()).increment("n", 1)),
        }
    }

    fn set(&mut self, key: &str, value: &str) -> Result<bool, redis_hashmap::Error> {
        let map = HashMap::new(key);
        match self {
            Self::Blocking(con) => map.on(con).set("a", value),
            Self::Async(runtime, con) => runtime.block_on(map.on_async(con.clone()).set("a", value)),
        }
    }

    fn get(&mut self, key: &str) -> Result<Option<String>, redis_hashmap::Error> {
        let map = HashMap::new(key);
        match self {
            Self::Blocking(con) => map.on(con).get("a"),
            Self::Async(runtime, con) => runtime.block_on(map.on_async(con.clone()).get("a")),
        }
    }

    /// How each of some increments of one counter a key has ended.
    fn increment_each(&mut self, keys: &[String]) -> Result<Vec<Result<i64, redis_hashmap::Error>>, AnyError> {
        let increment = |key: &String| HashMap::<String, redis_hashmap::Counter>::typed(&**key).increment("n", 1);
        let batch: Batch<_> = keys.iter().map(increment).collect();
        Ok(match self {
            Self::Blocking(con) => batch.query_each(con)?,
            Self::Async(runtime, con) => runtime.block_on(batch.query_each_async(con))?,
        })
    }
}

/// A key that the node serves.
fn key_on(cluster: &Cluster, node: usize, name: &str) -> Result<String, AnyError> {
    for tag in 0..1000 {
        let key = format!("{name}:{tag}");
        if cluster.nodes[node].serves(&key)?.1 {
            return Ok(key);
        }
    }
    Err("no key is served".into())
}

fn count_at(cluster: &Cluster, node: usize, key: &str) -> Result<i64, AnyError> {
    let count: Option<i64> = cmd("HGET").arg(key).arg("n").query(&mut cluster.nodes[node].connect()?)?;
    Ok(count.unwrap_or(0))
}

/// Cuts what is open, and lets the connections be idle for so long that they are looked at.
fn cut(proxy: &Proxy) {
    proxy.cut();
    while proxy.open() > 0 {
        std::thread::yield_now();
    }
    std::thread::sleep(Duration::from_millis(15)); // idle, which is what is tested
}

/// Each row of faults of one node: an increment is carried out once or not at all, an error says which, a time-out bounds
/// the call, and the same connection goes on.
#[test]
fn a_node_that_does_not_answer_gets_nothing_twice() -> Test {
    a_node_does_not_answer(&Cluster::start(0, true)?)
}

#[test]
fn a_node_that_does_not_answer_gets_nothing_twice_over_tls() -> Test {
    a_node_does_not_answer(&Cluster::start_tls(given("REDIS_TLS_CERTS"))?)
}

fn a_node_does_not_answer(cluster: &Cluster) -> Test {
    let key = key_on(cluster, 1, "faults")?;
    let proxy = cluster.nodes[1].proxy.as_ref().expect("a proxy");
    for mut con in Either::both(&cluster.url(), TIMEOUT)? {
        for mode in [Mode::KeepReplies, Mode::CloseInsteadOfReply, Mode::Drip, Mode::Swallow, Mode::Refuse] {
            con.increment(&key)?;
            let before = count_at(cluster, 1, &key)?;
            proxy.set(mode);
            if mode == Mode::Refuse {
                cut(proxy);
            }
            let start = Instant::now();
            let result = con.increment(&key);
            assert!(start.elapsed() < TIMEOUT + BUSY, "{mode:?} took {:?}", start.elapsed());
            proxy.set(Mode::Pass);
            con.increment(&key)?;
            let carried_out = count_at(cluster, 1, &key)? - before - 1;
            match result {
                Ok(_) => assert_eq!((mode, carried_out), (Mode::Drip, 1)),
                Err(error) if mode == Mode::Refuse => {
                    assert!(error.is_transient() && !error.may_have_been_applied(), "{error}");
                    assert_eq!(carried_out, 0);
                    assert!(error.to_string().contains(&format!("the node {}", proxy.address())), "{error}");
                }
                Err(error) => {
                    assert!(error.may_have_been_applied() && !error.is_transient(), "{mode:?}: {error}");
                    assert!(carried_out == i64::from(mode != Mode::Swallow), "{mode:?}: {carried_out}");
                }
            }
        }
    }
    Ok(())
}

/// A value whose write was cut is not taken up again by what is written after it.
#[test]
fn a_write_to_a_node_that_was_cut_leaves_nothing_behind() -> Test {
    a_write_to_a_node_was_cut(&Cluster::start(0, true)?)
}

#[test]
fn a_write_to_a_node_that_was_cut_leaves_nothing_behind_over_tls() -> Test {
    a_write_to_a_node_was_cut(&Cluster::start_tls(given("REDIS_TLS_CERTS"))?)
}

fn a_write_to_a_node_was_cut(cluster: &Cluster) -> Test {
    let key = key_on(cluster, 2, "cut")?;
    let proxy = cluster.nodes[2].proxy.as_ref().expect("a proxy");
    let large = "x".repeat(20 << 20);
    for mut con in Either::both(&cluster.url(), TIMEOUT)? {
        con.set(&key, "1")?;
        proxy.set(Mode::Stall);
        let error = con.set(&key, &large).expect_err("nobody takes it");
        assert!(!error.may_have_been_applied(), "{error}");
        proxy.set(Mode::Pass);
        for round in 0..10 {
            con.set(&key, &round.to_string())?;
            assert_eq!(con.get(&key)?, Some(round.to_string()));
        }
    }
    Ok(())
}

/// Where one node of three does not answer, the commands to the others have their results all the same.
#[test]
fn each_command_of_a_batch_has_its_own_outcome() -> Test {
    let cluster = Cluster::start(0, true)?;
    let keys: Vec<String> = (0..60).map(|number| format!("batch:{number}")).collect();
    let on_dead: Vec<bool> =
        keys.iter().map(|key| Ok(cluster.nodes[1].serves(key)?.1)).collect::<Result<_, AnyError>>()?;
    let proxy = cluster.nodes[1].proxy.as_ref().expect("a proxy");
    for mut con in Either::both(&cluster.url(), TIMEOUT)? {
        for mode in [Mode::Pass, Mode::KeepReplies, Mode::Refuse] {
            proxy.set(mode);
            if mode == Mode::Refuse {
                cut(proxy);
            }
            let outcomes = con.increment_each(&keys)?;
            for ((key, outcome), on_dead) in keys.iter().zip(outcomes).zip(&on_dead) {
                match outcome {
                    Ok(_) => assert!(mode == Mode::Pass || !on_dead, "{key}"),
                    Err(error) => {
                        assert!(*on_dead && mode != Mode::Pass, "{key}: {error}");
                        assert_eq!(error.may_have_been_applied(), mode == Mode::KeepReplies, "{error}");
                        assert!(error.to_string().contains(key.as_str()), "{error}");
                    }
                }
            }
        }
        proxy.set(Mode::Pass);
        con.increment_each(&keys)?.into_iter().collect::<Result<Vec<_>, _>>()?;
    }
    let past: Vec<i64> =
        keys.iter().map(|key| (0..3).map(|node| count_at(&cluster, node, key).unwrap_or(0)).sum()).collect();
    for (count, on_dead) in past.iter().zip(&on_dead) {
        // Two connections, four batches each; those to the node that refuses are not carried out.
        assert_eq!(*count, if *on_dead { 6 } else { 8 });
    }
    Ok(())
}

/// What writers have seen.
#[derive(Default)]
struct Seen {
    acknowledged: AtomicI64,
    in_doubt: AtomicI64,
    unsent: AtomicI64,
    has_ended: AtomicBool,
}

impl Seen {
    fn note(&self, result: Result<i64, redis_hashmap::Error>) {
        let counted = match result {
            Ok(_) => &self.acknowledged,
            Err(error) if error.may_have_been_applied() => &self.in_doubt,
            Err(error) => {
                assert!(error.is_transient(), "{error}");
                &self.unsent
            }
        };
        counted.fetch_add(1, Ordering::Relaxed);
    }

    fn counts(&self) -> [i64; 3] {
        [&self.acknowledged, &self.in_doubt, &self.unsent].map(|count| count.load(Ordering::Relaxed))
    }
}

const KEYS: usize = 40;

/// Increments counters from three threads and three tasks until `during` has ended. Returns what the writers have seen, and
/// the sum at the servers.
fn under_load(cluster: &Cluster, name: &str, during: impl FnOnce(&Seen) -> Test) -> Result<([i64; 3], i64), AnyError> {
    let seen = Seen::default();
    let keys: Vec<String> = (0..KEYS).map(|number| format!("{name}:{number}")).collect();
    let [Either::Blocking(_), Either::Async(runtime, con)] = Either::both(&cluster.url(), Duration::from_secs(8))?
    else {
        return Err("in this order".into());
    };
    std::thread::scope(|scope| -> Test {
        for writer in 0..6 {
            let (seen, keys, handle, con) = (&seen, &keys, runtime.handle(), con.clone());
            let options = Options::parse(&cluster.url())?.response_timeout(Duration::from_secs(8));
            scope.spawn(move || {
                let mut blocking = (writer % 2 == 0).then(|| options.open().expect("the cluster runs"));
                for key in keys.iter().cycle().skip(writer * 7) {
                    if seen.has_ended.load(Ordering::Relaxed) {
                        break;
                    }
                    let counters = HashMap::<String, redis_hashmap::Counter>::typed(&**key);
                    seen.note(match &mut blocking {
                        Some(con) => counters.on(con).increment("n", 1),
                        None => handle.block_on(counters.on_async(con.clone()).increment("n", 1)),
                    });
                }
            });
        }
        let result = wait_until("they write", || seen.counts()[0] > 1000).and_then(|()| during(&seen));
        seen.has_ended.store(true, Ordering::Relaxed);
        result
    })?;
    let mut con = open(&cluster.url())?;
    let mut sum = 0;
    for key in &keys {
        sum += cmd("HGET").arg(key).arg("n").query::<Option<i64>>(&mut con)?.unwrap_or(0);
    }
    Ok((seen.counts(), sum))
}

/// Slots move while they are written to: every increment is carried out once, and none fails.
#[test]
fn migrations_lose_nothing_and_repeat_nothing() -> Test {
    let cluster = Cluster::start(0, false)?;
    let slots = (0..KEYS).map(|number| cluster.nodes[0].serves(&format!("moved:{number}")));
    let slots: Vec<(u16, bool)> = slots.collect::<Result<_, _>>()?;
    let (counts, sum) = under_load(&cluster, "moved", |_| {
        let [first, second, _] = &cluster.nodes[..] else { return Err("three nodes".into()) };
        for (from, to) in [(first, second), (second, first), (first, second)] {
            for (slot, _) in slots.iter().filter(|(_, on_first)| *on_first) {
                cluster.migrate(*slot, from, to)?;
            }
        }
        Ok(())
    })?;
    let [acknowledged, in_doubt, unsent] = counts;
    println!(
        "slots moved under load: {acknowledged} acknowledged, {in_doubt} in doubt, {unsent} unsent, {sum} counted"
    );
    assert_eq!((in_doubt, unsent), (0, 0));
    assert_eq!(sum, acknowledged);
    Ok(())
}

/// A master is killed while it is written to, and its replica takes over: nothing is applied twice. What it acknowledged and
/// had not yet handed to its replica is lost, as with every client, and counted here.
#[test]
fn a_failover_repeats_nothing() -> Test {
    let mut cluster = Cluster::start(1, false)?;
    let mut killed = std::mem::take(&mut cluster.nodes);
    let mut victim = killed.remove(0);
    cluster.nodes = killed;
    let at_kill = AtomicI64::new(0);
    let (counts, sum) = under_load(&cluster, "failover", |seen| {
        victim.kill();
        at_kill.store(seen.counts()[0], Ordering::Relaxed);
        // Until the replica is the master: then all slots are served, and writers go on.
        wait_until("the replica takes over", || {
            let state =
                cluster.nodes[0].connect().and_then(|mut con| cmd("CLUSTER").arg("INFO").query::<String>(&mut con));
            state.is_ok_and(|state| state.contains("cluster_state:ok"))
                && cluster.nodes[0].connect().is_ok_and(|mut con| {
                    let slots = cmd("CLUSTER").arg("SLOTS").query::<redis::Value>(&mut con);
                    slots.is_ok_and(|slots| !format!("{slots:?}").contains(&format!("int({})", victim.port())))
                })
        })?;
        let after = seen.counts()[0];
        wait_until("they write again", || seen.counts()[0] > after + 2000)
    })?;
    let [acknowledged, in_doubt, unsent] = counts;
    let lost = (acknowledged - sum).max(0);
    println!(
        "a master killed under load: {acknowledged} acknowledged ({} before), {in_doubt} in doubt, {unsent} unsent, {sum} \
         counted, {lost} lost by replication",
        at_kill.load(Ordering::Relaxed)
    );
    assert!(sum <= acknowledged + in_doubt, "{sum} counted, {acknowledged} acknowledged, {in_doubt} in doubt");
    // What was on its way to the replica, however much that is on a busy machine; and nothing of what the replica acknowledged.
    assert!(lost <= at_kill.load(Ordering::Relaxed), "{lost} lost");
    Ok(())
}

/// What redis-rs's callers send besides hashes: to all masters, or to those of several keys.
#[test]
fn commands_over_several_nodes_have_one_reply() -> Test {
    let cluster = Cluster::start(0, false)?;
    for mut con in Either::both(&cluster.url(), Duration::from_secs(5))? {
        let mut query = |command: &[&str]| -> Result<redis::Value, AnyError> {
            let mut cmd = redis::Cmd::new();
            cmd.arg(command);
            Ok(match &mut con {
                Either::Blocking(con) => cmd.query(con)?,
                Either::Async(runtime, con) => runtime.block_on(cmd.query_async(con))?,
            })
        };
        let int = |number| redis::Value::Int(number);
        query(&["FLUSHALL"])?;
        for number in 0..30 {
            let (key, value) = (format!("k:{number}"), number.to_string());
            query(&["SET", &key, &value])?;
        }
        assert_eq!(query(&["DBSIZE"])?, int(30));
        assert_eq!(query(&["EXISTS", "k:0", "k:1", "k:2", "k:3", "none"])?, int(4));
        let redis::Value::Array(values) = query(&["MGET", "k:3", "none", "k:1", "k:2"])? else { panic!("an array") };
        let text = |text: &str| redis::Value::BulkString(text.into());
        assert_eq!(values, [text("3"), redis::Value::Nil, text("1"), text("2")]);
        let redis::Value::Array(keys) = query(&["KEYS", "k:*"])? else { panic!("an array") };
        assert_eq!(keys.len(), 30);
        assert_eq!(query(&["MSET", "k:1", "one", "k:2", "two", "k:3", "three"])?, redis::Value::Okay);
        assert_eq!(query(&["GET", "k:3"])?, text("three"));
        assert_eq!(query(&["DEL", "k:0", "k:1", "k:2", "k:3", "k:4"])?, int(5));
        assert_eq!(query(&["DBSIZE"])?, int(25));
        let redis::Value::BulkString(hash) = query(&["SCRIPT", "LOAD", "return 1"])? else { panic!("a hash") };
        let hash = String::from_utf8(hash)?;
        assert_eq!(query(&["EVALSHA", &hash, "1", "k:5"])?, int(1));
        assert_eq!(query(&["SCRIPT", "EXISTS", &hash, "0"])?, redis::Value::Array(vec![int(1), int(0)]));
        assert!(query(&["SCAN", "0"]).expect_err("of which node?").to_string().contains("one node after the other"));
        assert!(query(&["WATCH", "k:1"]).expect_err("on which node?").to_string().contains("use `update`"));
        assert_eq!(query(&["PING"])?, redis::Value::SimpleString("PONG".to_owned()));
    }
    // A transaction over one slot is carried out as a whole, also on a blocking connection; one over several is refused.
    let mut con = open(&cluster.url())?;
    let pipe = |keys: [&str; 2]| redis::pipe().atomic().hset(keys[0], "a", 1).hlen(keys[1]).clone();
    let (_, len): (i64, i64) = pipe(["{t}:1", "{t}:1"]).query(&mut con)?;
    assert_eq!(len, 1);
    let counters = |key| HashMap::<String, redis_hashmap::Counter>::typed(key).increment("n", 1);
    let both = redis_hashmap::batch((counters("{t}:1"), counters("{t}:2"))).atomic();
    assert_eq!(both.query(&mut con)?, (1, 1));
    let apart = redis_hashmap::batch((counters("t:1"), counters("t:2"))).atomic();
    assert!(matches!(apart.query(&mut con), Err(redis_hashmap::Error::NotAtomic { .. })));
    let error = pipe(["t:1", "t:2"]).query::<(i64, i64)>(&mut con).expect_err("in several slots");
    assert_eq!(error.kind(), redis::ErrorKind::Server(redis::ServerErrorKind::CrossSlot), "{error}");
    Ok(())
}

/// A node that takes connections and says nothing costs a batch its own part, and nobody else's.
#[test]
fn a_silent_node_costs_others_nothing() -> Test {
    let cluster = Cluster::start(0, true)?;
    let keys = [1, 0, 2].map(|node| key_on(&cluster, node, "silent"));
    let keys = keys.into_iter().collect::<Result<Vec<_>, _>>()?;
    let proxy = cluster.nodes[1].proxy.as_ref().expect("a proxy");
    for mut con in Either::both(&cluster.url(), TIMEOUT)? {
        con.increment_each(&keys)?.into_iter().collect::<Result<Vec<_>, _>>()?;
        // It has to be connected first.
        proxy.set(Mode::Swallow);
        cut(proxy);
        let start = Instant::now();
        let each = con.increment_each(&keys)?;
        assert!(start.elapsed() < TIMEOUT + BUSY, "it took {:?}", start.elapsed());
        assert!(matches!(each[..], [Err(_), Ok(_), Ok(_)]), "{each:?}");
        proxy.set(Mode::Pass);
        eprintln!("passed");
        con.increment_each(&keys)?.into_iter().collect::<Result<Vec<_>, _>>().expect("last");
    }
    Ok(())
}

/// A node that is busy with a script says so, and works again once the script is ended.
#[test]
fn a_busy_node_says_so() -> Test {
    let cluster = Cluster::start(0, false)?;
    let key = key_on(&cluster, 0, "busy")?;
    let node = &cluster.nodes[0];
    cmd("CONFIG").arg("SET").arg("busy-reply-threshold").arg(50).exec(&mut node.connect()?)?;
    for mut con in Either::both(&cluster.url(), Duration::from_secs(5))? {
        con.set(&key, "1")?;
        let mut runs_script = node.connect()?;
        let error = std::thread::scope(|scope| -> Result<redis_hashmap::Error, AnyError> {
            scope.spawn(move || {
                cmd("EVAL").arg("while true do end").arg(0).exec(&mut runs_script).expect_err("it is ended");
            });
            let mut error = None;
            // Until the script has run for so long.
            let waited = wait_until("the node is busy", || {
                error = con.set(&key, "2").err();
                error.is_some()
            });
            cmd("SCRIPT").arg("KILL").exec(&mut node.connect()?)?;
            waited?;
            error.ok_or_else(|| "it is busy".into())
        })?;
        assert!(
            error.to_string().contains("the server is busy with a script that does not end: SCRIPT KILL"),
            "{error}"
        );
        assert!(error.is_transient() && !error.may_have_been_applied(), "{error}");
        con.set(&key, "3")?;
        assert_eq!(con.get(&key)?.as_deref(), Some("3"));
    }
    Ok(())
}
