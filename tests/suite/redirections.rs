//! What a connection to a cluster makes of what nodes refuse, or tell wrongly. The nodes are fakes.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use redis::{Pipeline, RedisResult, Value, cmd};
use redis_hashmap::{AsyncConnection, Connection, Error, HashMap, Options};
use redis_hashmap_tests::AnyError;
use redis_hashmap_tests::fake::Fake;

type Test = Result<(), AnyError>;

const TIMEOUT: Duration = Duration::from_millis(500);
const BUSY: Duration = Duration::from_secs(1);

/// A blocking connection and an async one, that are called alike.
enum Either {
    Blocking(Box<Connection>),
    Async(tokio::runtime::Runtime, AsyncConnection),
}

impl Either {
    fn open(is_async: bool, nodes: &[&Fake]) -> Result<Self, AnyError> {
        let nodes: Vec<_> = nodes.iter().map(|node| node.address().to_string()).collect();
        let options = Options::parse(&format!("redis+cluster://{}", nodes.join(",")))?;
        let options = options.connect_timeout(TIMEOUT).response_timeout(TIMEOUT);
        if !is_async {
            return Ok(Self::Blocking(Box::new(options.open()?)));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let con = runtime.block_on(options.open_async())?;
        Ok(Self::Async(runtime, con))
    }

    fn set(&mut self) -> Result<bool, Error> {
        let set = HashMap::new("k").set("a", 1);
        match self {
            Self::Blocking(con) => set.query(con),
            Self::Async(runtime, con) => runtime.block_on(set.query_async(con)),
        }
    }

    fn query(&mut self, pipeline: &Pipeline) -> RedisResult<Vec<Value>> {
        match self {
            Self::Blocking(con) => pipeline.query(con),
            Self::Async(runtime, con) => runtime.block_on(pipeline.query_async(con)),
        }
    }
}

/// What a node says that takes this one for the only master.
fn all_slots_at(master: SocketAddr) -> String {
    format!("*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:{}\r\n", master.port())
}

#[track_caller]
fn in_time<T>(run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let output = run();
    assert!(start.elapsed() < TIMEOUT + BUSY, "it took {:?}", start.elapsed());
    output
}

/// A master that is cut off from the others goes on saying that it has all slots, and that the cluster is down.
#[test]
fn a_master_that_is_cut_off_is_not_believed() -> Test {
    for is_async in [false, true] {
        let cut_off = Fake::bound(|own| {
            move |command| {
                let down = "-CLUSTERDOWN The cluster is down\r\n".to_owned();
                Some(if command == "CLUSTER SLOTS" { all_slots_at(own) } else { down })
            }
        });
        let other = Fake::bound(|own| {
            move |command| Some(if command == "CLUSTER SLOTS" { all_slots_at(own) } else { ":1\r\n".to_owned() })
        });
        let mut con = Either::open(is_async, &[&cut_off, &other])?;
        assert!(in_time(|| con.set())?);
        assert_eq!((cut_off.count("HSET"), other.count("HSET")), (1, 1));
    }
    Ok(())
}

/// A transaction is discarded where its EXEC is refused, so that it is sent again, as a whole.
#[test]
fn a_transaction_whose_exec_is_refused_is_sent_again() -> Test {
    for is_async in [false, true] {
        for refusal in ["-TRYAGAIN Multiple keys request during rehashing of slot\r\n", "-MOVED 7629 \r\n"] {
            let execs = AtomicUsize::new(0);
            let node = Fake::bound(|own| {
                move |command| {
                    Some(match command {
                        "CLUSTER SLOTS" => all_slots_at(own),
                        "MULTI" => "+OK\r\n".to_owned(),
                        "EXEC" if execs.fetch_add(1, Ordering::SeqCst) == 0 => {
                            refusal.replace(" \r\n", &format!(" {own}\r\n"))
                        }
                        "EXEC" => "*1\r\n:1\r\n".to_owned(),
                        _ => "+QUEUED\r\n".to_owned(),
                    })
                }
            });
            let mut con = Either::open(is_async, &[&node])?;
            let mut pipeline = redis::pipe();
            pipeline.atomic().hset("k", "a", 1);
            assert_eq!(in_time(|| con.query(&pipeline))?, [Value::Int(1)]);
            assert_eq!((node.count("MULTI"), node.count("HSET"), node.count("EXEC")), (2, 2, 2));
        }
    }
    Ok(())
}

/// Two nodes that each say that the other has the slot: nothing was carried out, and later it may be.
#[test]
fn redirections_without_end_are_transient() -> Test {
    for is_async in [false, true] {
        let (first, second) = (AtomicUsize::new(0), std::sync::Arc::new(AtomicUsize::new(0)));
        let known = std::sync::Arc::clone(&second);
        let one = Fake::bound(|own| {
            first.store(own.port().into(), Ordering::SeqCst);
            move |command| {
                let moved = || format!("-MOVED 7629 127.0.0.1:{}\r\n", known.load(Ordering::SeqCst));
                Some(if command == "CLUSTER SLOTS" { all_slots_at(own) } else { moved() })
            }
        });
        let back = one.address();
        let other = Fake::bound(|own| {
            second.store(own.port().into(), Ordering::SeqCst);
            move |command| {
                let moved = || format!("-MOVED 7629 {back}\r\n");
                Some(if command == "CLUSTER SLOTS" { all_slots_at(own) } else { moved() })
            }
        });
        let mut con = Either::open(is_async, &[&one])?;
        let error = in_time(|| con.set()).expect_err("nobody has it");
        assert!(error.is_transient() && !error.may_have_been_applied(), "{error}");
        assert!(error.to_string().contains("says that another one has the hash slot"), "{error}");
        assert!(one.count("HSET") + other.count("HSET") < 20, "it waits before it follows another one");
    }
    Ok(())
}

/// A command over several nodes, of which one has carried out its part and one has gone away.
#[test]
fn half_a_command_is_in_doubt() -> Test {
    for is_async in [false, true] {
        let gone = Fake::start(|_| None);
        let address = gone.address();
        let node = Fake::bound(|own| {
            move |command| {
                let half = |first, last, at: SocketAddr| {
                    format!("*3\r\n:{first}\r\n:{last}\r\n*2\r\n$9\r\n127.0.0.1\r\n:{}\r\n", at.port())
                };
                let slots = || format!("*2\r\n{}{}", half(0, 8191, own), half(8192, 16383, address));
                Some(if command == "CLUSTER SLOTS" { slots() } else { ":1\r\n".to_owned() })
            }
        });
        let mut con = Either::open(is_async, &[&node])?;
        // The slots of "b" and "a" are 3300 and 15495.
        let mut pipeline = redis::pipe();
        pipeline.add_command(cmd("DEL").arg("a").arg("b").clone());
        let error = in_time(|| con.query(&pipeline)).expect_err("one has gone");
        assert!(error.is_io_error() && error.to_string().contains("nothing came back"), "{error}");
        assert_eq!(node.count("DEL b"), 1);
    }
    Ok(())
}

/// The name of a host stands in errors and logs.
#[test]
fn a_node_with_an_impossible_name_is_refused() {
    for name in ["a\nb", "a b", "\u{1b}[31m", &"x".repeat(300)] {
        let slots = format!("*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n${}\r\n{name}\r\n:1\r\n", name.len());
        let node = Fake::start(move |_| Some(slots.clone()));
        for is_async in [false, true] {
            let error = Either::open(is_async, &[&node]).err().expect("no host has this name").to_string();
            assert!(!error.contains(name), "{error}");
        }
    }
}

/// A master that was written to and is gone is not forgotten by `WAIT`, which the others would answer.
#[test]
fn a_master_that_is_gone_is_not_forgotten_by_wait() -> Test {
    for is_async in [false, true] {
        let new = Fake::bound(|own| {
            move |command| Some(if command == "CLUSTER SLOTS" { all_slots_at(own) } else { ":1\r\n".to_owned() })
        });
        let (written, successor) = (AtomicUsize::new(0), new.address());
        let old = Fake::bound(|own| {
            move |command| match command {
                "CLUSTER SLOTS" if written.load(Ordering::SeqCst) == 0 => Some(all_slots_at(own)),
                "CLUSTER SLOTS" => Some(all_slots_at(successor)),
                command if command.starts_with("HSET") && written.fetch_add(1, Ordering::SeqCst) == 0 => {
                    Some(":1\r\n".to_owned())
                }
                _ => Some(format!("-MOVED 7629 {successor}\r\n")),
            }
        });
        let mut con = Either::open(is_async, &[&old])?;
        con.set()?;
        let wait = |con: &mut Either| {
            let mut pipeline = redis::pipe();
            pipeline.add_command(cmd("WAIT").arg(1).arg(10).clone());
            con.query(&pipeline)
        };
        // It is moved to a node that is not known, so that the slots are asked for.
        let mut read = redis::pipe();
        read.hlen("k");
        con.query(&read)?;
        let error = wait(&mut con).expect_err("the master that has it is gone");
        assert!(error.to_string().contains("WAIT says nothing of it"), "{error}");
        con.set()?;
        assert_eq!(wait(&mut con)?, [Value::Int(1)]);
    }
    Ok(())
}
