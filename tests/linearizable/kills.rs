//! A file with immediate durability, in a process that is killed under the clients.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use redis_hashmap::{Durability, Embedded};
use redis_hashmap_tests::key;
use redis_hashmap_tests::random::Random;

use crate::clients::{AsyncClient, BlockingClient, Client, call};
use crate::model::Event;
use crate::places::state;
use crate::rounds::{Counts, Test, duration, expect};

/// Six clients, who print what they call and what is returned before they go on.
#[test]
#[ignore = "run by the test below, in a process that is killed"]
fn clients() {
    let file = std::env::var_os("STORE").expect("run by another test");
    let seed: u64 = std::env::var("SEED").expect("run by another test").parse().expect("a number");
    let con = Embedded::in_file(file, Durability::Immediate).expect("it can be opened");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = Arc::new(runtime.expect("a runtime"));
    std::thread::scope(|scope| {
        for number in 0..6 {
            let mut client: Box<dyn Client> = if number % 2 == 0 {
                Box::new(BlockingClient::new("k", con.clone()))
            } else {
                Box::new(AsyncClient::new("k", con.clone(), &runtime, seed + number as u64))
            };
            scope.spawn(move || {
                let seed = seed.wrapping_mul(1000).wrapping_add(number as u64);
                call(&mut *client, number, seed, 10_000, |event| {
                    // Locked line by line: the order of the lines is that of the events.
                    let line = format!("event {event}\n");
                    std::io::stdout().lock().write_all(line.as_bytes()).expect("somebody reads it");
                });
            });
        }
    });
}

#[test]
fn a_file_under_kills() -> Test {
    let file = std::env::temp_dir().join(format!("{}.redb", key().replace('/', "-")));
    let (mut counts, mut seed, begin) = (Counts::default(), 1_u64, Instant::now());
    let open = || Embedded::in_file(&file, Durability::Immediate);
    while begin.elapsed() < duration() {
        seed += 1;
        let before = state("k", open()?);
        let mut process = Command::new(std::env::current_exe()?)
            .args(["--ignored", "--exact", "kills::clients", "--nocapture"])
            .env("STORE", &file)
            .env("SEED", seed.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut lines = BufReader::new(process.stdout.take().ok_or("it has an output")?).lines();
        let mut random = Random(seed);
        let mut history: Vec<Event> = Vec::new();
        let mut read = |line: std::io::Result<String>| {
            // The last line may be cut, and the harness prints too.
            let line = line.unwrap_or_default();
            history.extend(line.split_once("event ").and_then(|(_, event)| event.parse::<Event>().ok()));
        };
        lines.by_ref().take(20 + random.below(600)).for_each(&mut read);
        std::thread::sleep(Duration::from_micros(random.number() % 3_000));
        assert!(process.try_wait()?.is_none(), "seed {seed}: it has ended by itself");
        process.kill()?;
        process.wait()?;
        lines.for_each(&mut read);
        expect("file", seed, &history, before, state("k", open()?))?;
        counts.add(&history);
        counts.faults += 1;
    }
    counts.expect_faults();
    counts.print("file under kills");
    std::fs::remove_file(&file)?;
    Ok(())
}
