//! Connections to a server, beside redis-benchmark and other clients. All of it on one core, where a hop between threads is
//! not what is measured.

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use fred::interfaces::{ClientLike, HashesInterface};
use redis::ConnectionLike;
use redis_hashmap::{Batch, open, open_async};
use rustis::commands::HashCommands;

use crate::Done;
use crate::records::{Profile, profile};
use crate::rounds::{Measure, at_least, interleaved, shown};

const KEY: &str = "bench:profile";
/// Of redis-benchmark, which can only send text.
const TEXTS: &str = "bench:texts";
const PIPELINED: usize = 100;

fn url() -> Result<String, Box<dyn std::error::Error>> {
    Ok(std::env::var("REDIS_URL").map_err(|_| "REDIS_URL is not set: use benches/run")?)
}

pub(crate) fn run() -> Done {
    batches("server", || Ok(open(&url()?)?), [0.95, 0.95, 0.9, 0.8, 2.5])?;
    batches(
        "redis-rs's connection",
        || Ok(redis::Client::open(url()?)?.get_connection()?),
        [0.8, 0.8, 0.85, 0.0, 1.55],
    )?;
    tasks()
}

/// What redis-benchmark takes for a command, so many of which are pipelined on one connection.
fn redis_benchmark(command: Vec<String>) -> Measure<'static> {
    Box::new(move || {
        const COUNT: u32 = 50_000;
        let url = url()?;
        let port = url.trim_end_matches('/').rsplit(':').next().unwrap_or_default();
        let output = Command::new("redis-benchmark")
            .args(["-p", port, "-c", "1", "-P", &PIPELINED.to_string(), "-n", &COUNT.to_string(), "--csv"])
            .args(&command)
            .output()?;
        // "test","rps",… and then their values.
        let printed = String::from_utf8(output.stdout)?;
        let line = printed.lines().last().unwrap_or_default();
        let rate = line.split("\",\"").nth(1).ok_or("redis-benchmark prints no rate")?;
        Ok((COUNT, Duration::from_secs_f64(f64::from(COUNT) / rate.trim_matches('"').parse::<f64>()?)))
    })
}

/// A round of batches of as many commands.
fn batched<'a>(mut batch: impl FnMut() -> Result<(), redis_hashmap::Error> + 'a) -> Measure<'a> {
    Box::new(move || {
        const BATCHES: u32 = 100;
        let start = Instant::now();
        for _ in 0..BATCHES {
            batch()?;
        }
        Ok((BATCHES * u32::try_from(PIPELINED)?, start.elapsed()))
    })
}

fn command(name: &str, args: &[&[u8]]) -> Vec<String> {
    // The lengths are those of the stored values.
    let args = args
        .iter()
        .map(|arg| arg.iter().map(|byte| if byte.is_ascii_graphic() { *byte as char } else { 'x' }).collect());
    [name.to_owned(), TEXTS.to_owned()].into_iter().chain(args).collect()
}

/// Batches on connections of one kind. Goals: get, set, save, load, and load by hand. A goal of 0 is none.
fn batches<C: ConnectionLike>(
    who: &str,
    open: impl Fn() -> Result<C, Box<dyn std::error::Error>>,
    goals: [f64; 5],
) -> Done {
    let mut con = open()?;
    let (at, saved) = (Profile::at(KEY), profile(1));
    at.set_all(&saved).query(&mut con)?;
    let all: Vec<Vec<u8>> = redis::cmd("HGETALL").arg(KEY).query(&mut con)?;
    let all: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
    redis::cmd("HSET").arg(&command("HSET", &all)[1..]).exec(&mut con)?;
    let names: Vec<&[u8]> = all.iter().step_by(2).copied().collect();
    let mut cons = [open()?, open()?, open()?, open()?];
    let [for_get, for_set, for_save, for_load] = &mut cons;
    let mut by_hand = redis::Client::open(url()?)?.get_connection()?;
    let figures = interleaved([
        batched(|| {
            let gets = (0..PIPELINED).map(|_| at.theme().get()).collect::<Batch<_>>();
            gets.query(for_get).map(|themes| drop(black_box(themes)))
        }),
        redis_benchmark(command("HGET", &[b"theme"])),
        batched(|| (0..PIPELINED).map(|_| at.theme().set("dark")).collect::<Batch<_>>().query(for_set).map(drop)),
        redis_benchmark(command("HSET", &[b"theme", b"xdarkx"])),
        batched(|| (0..PIPELINED).map(|_| at.set_all(&saved)).collect::<Batch<_>>().query(for_save).map(drop)),
        redis_benchmark(command("HSET", &all)),
        batched(|| {
            let loads = (0..PIPELINED).map(|_| at.get_all()).collect::<Batch<_>>();
            loads.query(for_load).map(|profiles| drop(black_box(profiles)))
        }),
        redis_benchmark(command("HMGET", &names)),
        // A load by hand: HGETALL into a map of redis-rs's.
        batched(move || {
            let mut pipe = redis::pipe();
            for _ in 0..PIPELINED {
                pipe.cmd("HGETALL").arg(KEY);
            }
            let all: Vec<std::collections::HashMap<String, Vec<u8>>> = pipe.query(&mut by_hand).expect("Redis answers");
            drop(black_box(all));
            Ok(())
        }),
    ])?;
    let [get, get_there, set, set_there, save, save_there, load, load_there, load_by_hand] = &figures;
    let rows = [
        ("100 gets in a batch, times redis-benchmark's rate", get_there.ratio_to(get)),
        ("100 sets in a batch, times redis-benchmark's rate", set_there.ratio_to(set)),
        ("100 saves of 20 fields, times redis-benchmark's rate", save_there.ratio_to(save)),
        ("100 loads of 20 fields, times redis-benchmark's rate", load_there.ratio_to(load)),
        ("loads, times the rate of HGETALL into a map by hand", load_by_hand.ratio_to(load)),
    ];
    for ((row, figure), goal) in rows.into_iter().zip(goals) {
        let row = format!("{who}: {row}");
        if goal > 0.0 { at_least(&row, goal, figure, "x") } else { shown(&row, figure, "x") }
    }
    Ok(())
}

/// Gets by so many tasks on one connection, in all.
fn shared<'a, F: Future<Output = ()> + 'static>(
    runtime: &'a tokio::runtime::Runtime,
    tasks: u32,
    get: impl Fn() -> F + Copy + 'static,
) -> Measure<'a> {
    Box::new(move || {
        const GETS: u32 = 12_800;
        let local = tokio::task::LocalSet::new();
        let start = Instant::now();
        local.block_on(runtime, async {
            let tasks: Vec<_> = (0..tasks)
                .map(|_| {
                    tokio::task::spawn_local(async move {
                        for _ in 0..GETS / tasks {
                            get().await;
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.expect("no task panics");
            }
        });
        Ok((GETS, start.elapsed()))
    })
}

fn tasks() -> Done {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let url = url()?;
    // They live as long as the process: the closures are copied into tasks.
    let ours = &*Box::leak(Box::new(runtime.block_on(open_async(&url))?));
    let client = redis::Client::open(&*url)?;
    let redis_rs = &*Box::leak(Box::new(runtime.block_on(client.get_multiplexed_async_connection())?));
    let fred = &*Box::leak(Box::new(runtime.block_on(async {
        let client = fred::types::Builder::from_config(fred::types::config::Config::from_url(&url)?).build()?;
        client.init().await?;
        Ok::<_, fred::error::Error>(client)
    })?));
    let rustis = &*Box::leak(Box::new(runtime.block_on(rustis::client::Client::connect(&*url))?));
    let at = &*Box::leak(Box::new(Profile::at(KEY).on_async(ours.clone())));

    let over = &*Box::leak(Box::new(Profile::at(KEY).on_async(redis_rs.clone())));

    let get_over = move || async move { drop(black_box(over.theme().get().await.expect("Redis answers"))) };
    let get = move || async move { drop(black_box(at.theme().get().await.expect("Redis answers"))) };
    let by_redis_rs = move || async move {
        let mut con = redis_rs.clone();
        let value: Vec<u8> =
            redis::cmd("HGET").arg(KEY).arg("theme").query_async(&mut con).await.expect("Redis answers");
        drop(black_box(value));
    };
    let by_fred = move || async move {
        drop(black_box(fred.hget::<fred::bytes::Bytes, _, _>(KEY, "theme").await.expect("Redis answers")));
    };
    let by_rustis = move || async move {
        let value: rustis::resp::BulkString = rustis.hget(KEY, "theme").await.expect("Redis answers");
        drop(black_box(value));
    };
    for (tasks, goal) in [(64, 1.4), (1, 1.0)] {
        let figures = interleaved([
            shared(&runtime, tasks, get),
            shared(&runtime, tasks, by_redis_rs),
            shared(&runtime, tasks, by_fred),
            shared(&runtime, tasks, by_rustis),
            shared(&runtime, tasks, get_over),
        ])?;
        let [ours, redis_rs, fred, rustis, over] = &figures;
        let of = |who: &str| format!("{tasks} tasks on one connection: a get of {who}").replace("1 tasks", "1 task");
        shown(&of("ours"), ours.micros(), "us");
        shown(&of("redis-rs"), redis_rs.micros(), "us");
        shown(&of("ours over redis-rs"), over.micros(), "us");
        shown(&of("fred"), fred.micros(), "us");
        shown(&of("rustis"), rustis.micros(), "us");
        let better = if fred.micros() < rustis.micros() { fred } else { rustis };
        at_least(&of("ours, times the rate of the better of both"), goal, better.ratio_to(ours), "x");
        at_least(&of("ours over redis-rs, times the rate by hand"), 1.0, redis_rs.ratio_to(over), "x");
    }
    Ok(())
}
