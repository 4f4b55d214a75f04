//! Processes that are killed while they write.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use redis_hashmap::{Durability, Embedded, HashMap};

use crate::folder::{Folder, Test, child, is_long, store};

#[test]
#[ignore = "run by the test below, in a process that is killed"]
fn writer() {
    let con = Embedded::in_file(store(), Durability::Immediate).unwrap();
    let map = HashMap::new("h").on(con.clone());
    let start: u64 = map.get("acknowledged").unwrap().unwrap_or(0);
    for i in start + 1.. {
        // One batch, so that the pair is always equal.
        let (a, b) = (HashMap::new("a"), HashMap::new("b"));
        redis_hashmap::batch((a.set("i", i), b.set("i", i))).atomic().query(&mut con.clone()).unwrap();
        map.set("acknowledged", i).unwrap();
        println!("{i}");
    }
}

/// Killed with SIGKILL at random moments: every acknowledged write is there, and no half of a batch.
#[test]
fn killed_at_random_moments_it_loses_nothing() -> Test {
    let rounds = if is_long() { 1000 } else { 50 };
    let folder = Folder::new("killed");
    let mut last = 0_u64;
    for round in 0..rounds {
        let mut writer = child("kills::writer", &folder).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        // The moment depends on how far it has come, and on how the machine schedules it.
        let mut acknowledged = last;
        for line in lines.by_ref().take(3 + round % 23) {
            acknowledged = line?.trim().parse().unwrap_or(acknowledged);
        }
        writer.kill()?;
        // What it acknowledged before it died.
        for line in lines.map_while(Result::ok) {
            acknowledged = line.trim().parse().unwrap_or(acknowledged);
        }
        writer.wait()?;
        let con = Embedded::in_file(folder.file(), Durability::Immediate)?;
        let read = |key: &str, field: &str| HashMap::new(key).on(con.clone()).get::<u64>(field);
        let (a, b, counted) = (read("a", "i")?, read("b", "i")?, read("h", "acknowledged")?.unwrap_or(0));
        assert_eq!(a, b, "half of a batch");
        assert!(counted >= acknowledged, "{acknowledged} was acknowledged, {counted} is there");
        assert!(counted >= last, "it went back");
        last = counted;
    }
    assert!(last > 0, "nothing was written");
    Ok(())
}

/// How many writes share a hash, in which none of them may be missing.
const BLOCK: u64 = 1000;

#[test]
#[ignore = "run by the test below, in a process that is killed"]
fn steady_writer() {
    let con = Embedded::in_file(store(), Durability::Eventual).unwrap();
    let last = HashMap::new("last").on(con.clone());
    let start: u64 = last.get("i").unwrap().unwrap_or(0);
    for i in start + 1.. {
        let block = HashMap::new(format!("block:{}", i / BLOCK));
        redis_hashmap::batch((block.set(&i.to_string(), i), HashMap::new("last").set("i", i)))
            .atomic()
            .query(&mut con.clone())
            .unwrap();
        if i % 100 == 0 {
            println!("{i}");
        }
        if i - start == 3000 {
            con.sync().unwrap();
            println!("synced {i}");
        }
        // A steady load that a debug build on a busy machine can write down as fast as it comes.
        std::thread::sleep(Duration::from_micros(100));
    }
}

/// Killed with SIGKILL under steady load, an eventual store has every write up to some moment and none after it. Syncs
/// go on under load, so that moment is not long ago, and nothing is lost that a sync had brought to the disk.
#[test]
fn killed_under_steady_load_an_eventual_store_has_a_prefix() -> Test {
    // What a sync may take on a busy machine, besides the half second that it may wait.
    const BUSY: Duration = Duration::from_secs(3);
    let rounds = if is_long() { 100 } else { 2 };
    let folder = Folder::new("eventual");
    let mut before = 0;
    for round in 0..rounds {
        let mut writer = child("kills::steady_writer", &folder).stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        let (mut seen, mut synced, mut since): (Vec<(Instant, u64)>, u64, Option<Instant>) = (Vec::new(), 0, None);
        for line in lines {
            let line = line?;
            if let Some(number) = line.strip_prefix("synced ") {
                synced = number.parse()?;
                since = Some(Instant::now());
            } else if let Ok(number) = line.trim().parse() {
                seen.push((Instant::now(), number));
            }
            // Some time after a sync that it asked for, so that others have to have come.
            if since.is_some_and(|since| since.elapsed() > BUSY + Duration::from_millis(500 + 37 * (round % 23))) {
                break;
            }
        }
        let killed = Instant::now();
        writer.kill()?;
        writer.wait()?;

        let con = Embedded::in_file(folder.file(), Durability::Immediate)?;
        let last: u64 = HashMap::new("last").on(con.clone()).get("i")?.unwrap_or(0);
        let long_ago = seen.iter().rev().find(|(at, _)| killed.duration_since(*at) > BUSY).map_or(0, |(_, i)| *i);
        assert!(synced > 0 && long_ago > 0);
        assert!(last >= synced, "{synced} was on the disk, {last} is there");
        assert!(last >= long_ago, "{long_ago} was written long before, {last} is there");
        assert!(last >= before, "it went back");
        for block in 0..=last / BLOCK + 1 {
            let there = HashMap::<u64, u64>::typed(format!("block:{block}")).on(con.clone()).get_all()?;
            let expected: BTreeSet<u64> =
                (block * BLOCK..(block + 1) * BLOCK).filter(|i| (1..=last).contains(i)).collect();
            assert_eq!(there.into_keys().collect::<BTreeSet<_>>(), expected, "block {block} of {last}");
        }
        before = last;
    }
    Ok(())
}

#[test]
#[ignore = "run by the test below, in a process that is killed"]
fn creator() {
    println!("starting");
    drop(Embedded::in_file(store(), Durability::Immediate).unwrap());
    println!("created");
}

/// Whenever it is killed while it creates a file, the next one finds nothing in its way, and leaves nothing behind.
#[test]
fn killed_while_it_creates_a_file_it_leaves_nothing() -> Test {
    let rounds = if is_long() { 1000 } else { 40 };
    let folder = Folder::new("created");
    for round in 0..rounds {
        let mut creator = child("kills::creator", &folder).stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(creator.stdout.take().unwrap()).lines();
        lines.map_while(Result::ok).find(|line| line.contains("starting"));
        for _ in 0..round * 200 {
            std::hint::spin_loop();
        }
        creator.kill()?;
        creator.wait()?;
        HashMap::new("h").on(Embedded::in_file(folder.file(), Durability::Immediate)?).set("a", 1)?;
        assert_eq!(std::fs::read_dir(&folder.0)?.count(), 1, "something is left beside it");
        std::fs::remove_file(folder.file())?;
    }
    Ok(())
}
