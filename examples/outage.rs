//! A server is killed and restarted under a running service, three times, and the service's users are asked what they saw.
//!
//! `cargo run --example outage`; it needs `redis-server`. Four threads and four tasks count visits without a pause. A visit
//! that was not sent is counted anew, one that is in doubt is not: so no visit is counted twice.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use redis_hashmap::{Counter, Error, HashMap, Options};

type AnyError = Box<dyn std::error::Error + Send + Sync>;

#[derive(Default)]
struct Seen {
    counted: AtomicI64,
    in_doubt: AtomicI64,
    not_sent: AtomicI64,
    has_ended: AtomicBool,
}

impl Seen {
    /// Takes the outcome of a visit. Returns how long to wait before the next one.
    fn note(&self, visit: &Result<i64, Error>) -> Duration {
        let (count, pause) = match visit {
            Ok(_) => (&self.counted, 0),
            Err(error) if error.may_have_been_applied() => (&self.in_doubt, 10),
            Err(error) if error.is_transient() => (&self.not_sent, 10),
            Err(error) => panic!("{error}"),
        };
        count.fetch_add(1, Ordering::Relaxed);
        Duration::from_millis(pause)
    }

    fn counts(&self) -> [i64; 3] {
        [&self.counted, &self.in_doubt, &self.not_sent].map(|count| count.load(Ordering::Relaxed))
    }
}

fn visits() -> HashMap<String, Counter> {
    HashMap::typed("visits")
}

/// A server that has on its disk what it acknowledges.
fn start(port: u16, dir: &std::path::Path) -> std::io::Result<Child> {
    Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""])
        .args(["--appendonly", "yes", "--appendfsync", "always"])
        .current_dir(dir)
        .stdout(Stdio::null())
        .spawn()
}

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let dir = std::env::temp_dir().join(format!("redis-hashmap-outage-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let options = Options::parse(&format!("redis://127.0.0.1:{port}"))?.response_timeout(Duration::from_secs(1));
    let mut server = start(port, &dir)?;
    let con = loop {
        match options.open_async().await {
            Ok(con) => break con,
            Err(error) if error.is_transient() => tokio::time::sleep(Duration::from_millis(10)).await,
            Err(error) => return Err(error.into()),
        }
    };

    let seen: &'static Seen = Box::leak(Box::default());
    for _ in 0..4 {
        let at = visits().on(options.open()?);
        std::thread::spawn(move || {
            while !seen.has_ended.load(Ordering::Relaxed) {
                std::thread::sleep(seen.note(&at.increment("home", 1)));
            }
        });
        let at = visits().on_async(con.clone());
        tokio::spawn(async move {
            while !seen.has_ended.load(Ordering::Relaxed) {
                tokio::time::sleep(seen.note(&at.increment("home", 1).await)).await;
            }
        });
    }

    println!("outage    counted before    in doubt    not sent    down for    back after");
    for outage in 1..=3 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let before = seen.counts();
        server.kill()?; // SIGKILL
        server.wait()?;
        let killed = Instant::now();
        tokio::time::sleep(Duration::from_millis(300)).await;
        server = start(port, &dir)?;
        let client = redis::Client::open(format!("redis://127.0.0.1:{port}"))?;
        while client.get_connection().and_then(|mut con| redis::cmd("HLEN").arg("visits").exec(&mut con)).is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let (down, up) = (killed.elapsed(), Instant::now());
        let counted = seen.counts()[0];
        while seen.counts()[0] == counted {
            tokio::time::sleep(Duration::from_micros(100)).await;
        }
        let back = up.elapsed();
        let [_, in_doubt, not_sent] = seen.counts();
        let (in_doubt, not_sent) = (in_doubt - before[1], not_sent - before[2]);
        println!("{outage:>6}    {:>14}    {in_doubt:>8}    {not_sent:>8}    {down:>8.0?}    {back:>10.1?}", before[0]);
    }

    tokio::time::sleep(Duration::from_millis(200)).await;
    seen.has_ended.store(true, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let stored = visits().on(options.open()?).get("home")?.unwrap_or(0);
    let [counted, in_doubt, _] = seen.counts();
    println!("\n{stored} visits are stored; {counted} were acknowledged, and {in_doubt} are in doubt.");
    if stored < counted || stored > counted + in_doubt {
        return Err("a visit was lost, or counted twice".into());
    }
    println!("No visit was lost, and none was counted twice.");
    server.kill()?;
    server.wait()?;
    std::fs::remove_dir_all(dir)?;
    Ok(())
}
