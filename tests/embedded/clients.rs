//! Fifty clients of one store for a while, a minute with `tests/run --long`: its memory and its file do not grow.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use redis::{ConnectionLike, cmd};
use redis_hashmap::{Durability, Embedded};

use crate::folder::{Folder, Test, child, is_long, store};

const CLIENTS: u64 = 50;

/// Writes, reads and lets expire what lies at a few hundred keys, until the time is over.
fn work(con: &mut Embedded, client: u64, until: Instant) {
    let mut random = client * 7919 + 1;
    let mut next = |end: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % end
    };
    while Instant::now() < until {
        let (key, field) = (format!("key:{}", next(300)), format!("field:{}", next(40)));
        let value = "v".repeat(usize::try_from(next(200)).unwrap());
        let command = match next(10) {
            0..4 => cmd("HSET").arg(key).arg(field).arg(value).clone(),
            4 => cmd("HSETEX").arg(key).arg("PX").arg(1 + next(500)).arg("FIELDS").arg(1).arg(field).arg(value).clone(),
            5 => cmd("HDEL").arg(key).arg(field).clone(),
            6 => cmd("PEXPIRE").arg(key).arg(1 + next(2000)).clone(),
            7 => cmd("DEL").arg(key).clone(),
            8 => cmd("HGETALL").arg(key).clone(),
            _ => cmd("HGET").arg(key).arg(field).clone(),
        };
        con.req_command(&command).expect("an answer").extract_error().expect("no error");
    }
}

/// The memory that the process has, in KiB.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").trim().parse().unwrap_or(0)
}

#[test]
#[ignore = "run by the test below, in a process of its own"]
fn fifty_clients() {
    let con = match std::env::var("ENGINE").as_deref() {
        Ok("immediate") => Embedded::in_file(store(), Durability::Immediate),
        Ok("eventual") => Embedded::in_file(store(), Durability::Eventual),
        _ => Embedded::in_memory(""),
    };
    let con = con.unwrap();
    let seconds: u64 = std::env::var("SECONDS").unwrap().parse().unwrap();
    for _ in 0..3 {
        let until = Instant::now() + Duration::from_secs(seconds) / 3;
        std::thread::scope(|scope| {
            for client in 0..CLIENTS {
                let mut con = con.clone();
                scope.spawn(move || work(&mut con, client, until));
            }
        });
        con.sync().unwrap();
        println!("size {} {}", resident(), fs::metadata(store()).map_or(0, |metadata| metadata.len() / 1024));
    }
}

#[test]
fn fifty_clients_leave_memory_and_file_flat() -> Test {
    let seconds = if is_long() { 60 } else { 3 };
    for engine in ["memory", "immediate", "eventual"] {
        let folder = Folder::new(&format!("clients-{engine}"));
        let output = child("clients::fifty_clients", &folder)
            .env("ENGINE", engine)
            .env("SECONDS", seconds.to_string())
            .stderr(Stdio::inherit())
            .output()?;
        assert!(output.status.success(), "{engine}: {}", String::from_utf8_lossy(&output.stdout));
        let printed = String::from_utf8(output.stdout)?;
        let sizes: Vec<(u64, u64)> = printed
            .lines()
            .filter_map(|line| line.strip_prefix("size "))
            .filter_map(|sizes| sizes.split_once(' '))
            .map(|(memory, file)| Ok::<_, std::num::ParseIntError>((memory.parse()?, file.parse()?)))
            .collect::<Result<_, _>>()?;
        let [(first, file), .., (last, last_file)] = sizes[..] else { panic!("{engine}: {printed}") };
        // What is there is about 3 MiB. An allocator keeps some more, redb a cache of what it has read, and an eventual store
        // holds up to 16 MiB that are on their way to the disk, and as much that comes meanwhile.
        let slack = if engine == "eventual" { 64 << 10 } else { 16 << 10 };
        assert!(last < first + first / 4 + slack, "{engine}: memory grows from {first} to {last} KiB");
        assert!(last_file <= file * 2 + 4096, "{engine}: the file grows from {file} to {last_file} KiB");
        println!("{engine}: memory {sizes:?} KiB");
    }
    Ok(())
}
