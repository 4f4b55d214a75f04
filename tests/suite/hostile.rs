//! Servers that answer slowly, wrongly, too much or without end.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use redis::cmd;
use redis_hashmap::{Error, HashMap, Options, RedisFault, open, open_async};
use redis_hashmap_tests::cluster::wait_until;
use redis_hashmap_tests::fake::Fake;
use redis_hashmap_tests::{AnyError, given};

use crate::faults::takes_at_most;

type Test = Result<(), AnyError>;

/// A server that answers each connection in the same way: the login, then this.
fn hostile(answer: &'static [u8], endless: bool) -> Result<String, AnyError> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || -> std::io::Result<()> {
                let mut buffer = [0; 4096];
                let mut login = Vec::new();
                while !String::from_utf8_lossy(&login).contains("LIB-VER") {
                    let count = stream.read(&mut buffer)?;
                    login.extend_from_slice(&buffer[..count]);
                }
                stream.write_all(b"+PONG\r\n+OK\r\n+OK\r\n")?;
                while stream.read(&mut buffer)? > 0 {
                    stream.write_all(answer)?;
                    if endless {
                        loop {
                            stream.write_all(&[b'x'; 4096])?;
                        }
                    }
                }
                Ok(())
            });
        }
    });
    Ok(format!("redis://{address}?response_timeout=2s"))
}

#[tokio::test]
async fn a_hostile_server_misleads_nobody() -> Test {
    // A line, or a string, without an end.
    for answer in [&b"+"[..], b"$999999999999\r\n", b"-ERR "] {
        let url = hostile(answer, true)?;
        let error = HashMap::new("k").on(open(&url)?).size().expect_err("it is no reply");
        assert_eq!(error.redis().map(RedisFault::kind), Some(redis::ErrorKind::Parse), "{error}");
        let error = HashMap::new("k").on_async(open_async(&url).await?).size().await.expect_err("it is no reply");
        assert_eq!(error.redis().map(RedisFault::kind), Some(redis::ErrorKind::Parse), "{error}");
    }
    // A reply too many is not the reply to the next call, which gets a connection of its own.
    let url = hostile(b":1\r\n:2\r\n", false)?;
    let map = HashMap::new("k").on(open(&url)?);
    for _ in 0..10 {
        assert_eq!(map.size()?, 1);
    }
    let map = HashMap::new("k").on_async(open_async(&url).await?);
    for _ in 0..10 {
        assert_eq!(map.size().await?, 1);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // A scan that never ends.
    let url = hostile(b"*2\r\n$1\r\n7\r\n*0\r\n", false)?;
    let map = HashMap::<String, u8>::typed("k").on(open(&url)?);
    let entries: Vec<_> = map.iter().collect();
    assert!(matches!(entries[..], [Err(Error::UnexpectedReply { operation: "HSCAN", .. })]), "{entries:?}");
    Ok(())
}

/// A server that does not stop telling what nobody has asked for holds nobody up.
#[tokio::test]
async fn a_server_that_never_stops_telling_holds_nobody_up() -> Test {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("redis://{}?response_timeout=300ms&connect_timeout=300ms", listener.local_addr()?);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || -> std::io::Result<()> {
                let _ = stream.read(&mut [0; 4096])?;
                stream.write_all(b"+PONG\r\n+OK\r\n+OK\r\n")?;
                let telling = b">2\r\n+invalidate\r\n_\r\n".repeat(1000);
                loop {
                    stream.write_all(&telling)?;
                }
            });
        }
    });
    let limit = Duration::from_millis(600);
    let map = HashMap::new("k").on(open(&url)?);
    std::thread::sleep(Duration::from_millis(20)); // idle, so that it is looked at
    takes_at_most(limit, || map.size()).expect_err("nobody answers");
    let map = HashMap::new("k").on_async(open_async(&url).await?);
    let start = Instant::now();
    map.size().await.expect_err("nobody answers");
    assert!(start.elapsed() < limit * 3, "{:?}", start.elapsed());
    Ok(())
}

/// Connecting has its own time, which may be longer than that of an answer.
#[tokio::test]
async fn a_slow_login_does_not_cost_the_call_that_needs_it() -> Test {
    let asked = AtomicUsize::new(0);
    let slow = Fake::start(move |command| match command {
        "SELECT 3" => {
            std::thread::sleep(Duration::from_millis(400));
            Some("+OK\r\n".to_owned())
        }
        // Every second one finds the connection closed.
        _ => asked.fetch_add(1, Ordering::SeqCst).is_multiple_of(2).then(|| ":7\r\n".to_owned()),
    });
    let url = format!("redis://{}/3?response_timeout=200ms", slow.address());
    let map = HashMap::new("k").on(open(&url)?);
    for _ in 0..2 {
        assert_eq!(map.size()?, 7);
    }
    assert_eq!((slow.count("SELECT"), slow.count("HLEN")), (2, 3));
    let map = HashMap::new("k").on_async(open_async(&url).await?);
    map.size().await?;
    assert_eq!(map.size().await?, 7);
    Ok(())
}

/// What answers a login with no reply has carried nothing out.
#[tokio::test]
async fn a_login_without_a_reply_is_not_in_doubt() -> Test {
    let logins = std::sync::Arc::new(AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&logins);
    let odd = Fake::start(move |command| match command {
        "SELECT 3" if counted.fetch_add(1, Ordering::SeqCst) > 0 => Some("HTTP/1.1 400 Bad Request\r\n".to_owned()),
        "SELECT 3" => Some("+OK\r\n".to_owned()),
        _ => None,
    });
    let url = format!("redis://{}/3", odd.address());
    let errors = {
        let map = HashMap::new("k").on(open(&url)?);
        let blocking = map.size().expect_err("it is no login");
        logins.store(0, Ordering::SeqCst);
        let map = HashMap::new("k").on_async(open_async(&url).await?);
        [blocking, map.size().await.expect_err("it is no login")]
    };
    for error in errors {
        assert!(!error.may_have_been_applied() && error.is_transient(), "{error}");
        assert!(error.to_string().contains("no connection could be opened: the server sent what is not"), "{error}");
    }
    assert_eq!(odd.count("HLEN"), 2);
    Ok(())
}

/// Sentinels that are away cost a connection to a master that works next to nothing, and are heard once they are back.
#[test]
fn sentinels_that_are_away_cost_nothing() -> Test {
    let master = |size: &'static str| {
        Fake::start(move |command| {
            let role = || "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n".to_owned();
            Some(if command == "ROLE" { role() } else { size.to_owned() })
        })
    };
    let (first, second) = (master(":1\r\n"), master(":2\r\n"));
    // 0 and 1 name a master; 2 says nothing and ends the connection.
    let state = std::sync::Arc::new(AtomicUsize::new(0));
    let (told, ports) = (std::sync::Arc::clone(&state), [first.address().port(), second.address().port()]);
    let sentinel = Fake::start(move |command| match (command, told.load(Ordering::SeqCst)) {
        (_, 2) => None,
        (asks, master) if asks.starts_with("SENTINEL") => {
            let port = ports[master].to_string();
            Some(format!("*2\r\n$9\r\n127.0.0.1\r\n${}\r\n{port}\r\n", port.len()))
        }
        // It ends the watch with whoever is subscribed.
        ("WATCHED", _) => None,
        _ => Some("*3\r\n$9\r\nsubscribe\r\n$14\r\n+switch-master\r\n:1\r\n+later\r\n".to_owned()),
    });
    let url = format!("redis+sentinel://{}/mymaster", sentinel.address());
    let map = HashMap::new("k").on(open(&url)?);
    state.store(2, Ordering::SeqCst);
    let asked = sentinel.count("PING");
    let start = Instant::now();
    for _ in 0..200 {
        assert_eq!(map.size()?, 1);
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert!(sentinel.count("PING") - asked < 5, "they are asked for each call");
    state.store(1, Ordering::SeqCst);
    wait_until("the other master is heard of", || map.size().is_ok_and(|size| size == 2))
}

/// Over TLS a write that fails has sent more than it says: what may have arrived is not sent again.
#[tokio::test]
async fn what_tls_may_have_sent_is_not_sent_again() -> Test {
    // It takes strings of at most 1 MB, and closes the connection where it gets a longer one.
    let (address, certs) = (given("REDIS_TLS_SMALL_ADDRESS"), given("REDIS_TLS_CERTS"));
    let url = format!("rediss://{address}?ca={certs}/ca.crt&cert={certs}/client.crt&key={certs}/client.key");
    let con = Options::parse(&url)?.open_async().await?;
    let (large, mut increments) = ("x".repeat(8 << 20), 0_i64);
    for round in 0..20 {
        // All in one write, as callers that send at once have it.
        let mut calls = tokio::task::JoinSet::new();
        for call in 0..20 {
            let (mut con, large) = (con.clone(), large.clone());
            calls.spawn(async move {
                let mut pipe = redis::pipe();
                pipe.hincr("increments", "n", 1);
                if call == round {
                    pipe.hset("large", "n", large);
                }
                pipe.query_async::<Vec<redis::Value>>(&mut con).await
            });
        }
        while calls.join_next().await.is_some() {
            increments += 1;
        }
    }
    let mut con = Options::parse(&url)?.open_async().await?;
    let carried_out: i64 = cmd("HGET").arg("increments").arg("n").query_async(&mut con).await?;
    assert!(carried_out <= increments, "{carried_out} of {increments}");
    Ok(())
}
