//! `file:`, beside a table of redb that a program keeps for itself.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use redb::{Database, ReadableDatabase, TableDefinition};
use redis_hashmap::{Batch, Durability, Embedded};

use crate::Done;
use crate::records::{Order, Profile, order, profile};
use crate::rounds::{Measure, at_least, at_most, interleaved, shown, times};

/// A row for each field: key and name, and the value.
const BARE: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("fields");

const RECORDS: u32 = 1000;

/// The fields of an order, for bare redb.
const FIELDS: [&str; 10] =
    ["customer", "product", "amount", "price", "currency", "street", "city", "ordered", "is_paid", "note"];

pub(crate) fn run() -> Done {
    in_folder(|folder| {
        let con = Embedded::in_file(folder.join("durable.redb"), Durability::Immediate)?;
        let bare = Database::create(folder.join("bare.redb"))?;
        one_at_a_time(&con, &bare)?;
        batches(&con, &bare)?;
        eventual(&folder.join("eventual.redb"))
    })
}

/// Many threads, which are what is measured.
pub(crate) fn threads() -> Done {
    in_folder(|folder| {
        let con = Embedded::in_file(folder.join("threads.redb"), Durability::Immediate)?;
        let [one, eight] = interleaved([writes(1, &con), writes(8, &con)])?;
        shown("file: durable set by one thread", one.micros(), "us");
        at_least("file: durable sets by 8 threads, times the rate of one", 4.5, one.ratio_to(&eight), "x");
        Ok(())
    })
}

fn in_folder(measure: impl FnOnce(&Path) -> Done) -> Done {
    let folder = std::env::temp_dir().join(format!("redis-hashmap-benches-file-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let measured = measure(&folder);
    fs::remove_dir_all(&folder)?;
    measured
}

/// A transaction of bare redb that writes a row.
fn commit(bare: &Database, key: &str, value: &str) -> Result<(), redb::Error> {
    let transaction = bare.begin_write()?;
    transaction.open_table(BARE)?.insert((key, "theme"), value.as_bytes())?;
    transaction.commit()?;
    Ok(())
}

fn one_at_a_time(con: &Embedded, bare: &Database) -> Done {
    let at = Profile::at("profile:1").on(con.clone());
    at.set_all(&profile(1))?;
    commit(bare, "profile:1", "dark")?;
    let kept = bare.begin_read()?.open_table(BARE)?;
    let theme = |i: u32| if i.is_multiple_of(2) { "dark" } else { "light" };
    let [get, bare_get, kept_get, set, bare_set] = interleaved([
        times(50_000, |_| at.theme().get().map(|theme| drop(black_box(theme)))),
        times(50_000, |_| {
            let table = bare.begin_read()?.open_table(BARE)?;
            black_box(table.get(("profile:1", "theme"))?.map(|row| row.value().to_vec()));
            Ok::<_, redb::Error>(())
        }),
        times(50_000, |_| {
            kept.get(("profile:1", "theme")).map(|row| drop(black_box(row.map(|row| row.value().to_vec()))))
        }),
        times(200, |i| at.theme().set(theme(i)).map(drop)),
        times(200, |i| commit(bare, "profile:1", theme(i))),
    ])?;
    at_most("file: get of one field", 1.0, get.micros(), "us");
    at_least("file: get, times the rate of bare redb", 0.75, bare_get.ratio_to(&get), "x");
    shown("bare redb: get of one row, of a table that is kept open", kept_get.micros(), "us");
    shown("file: durable set of one field", set.micros(), "us");
    at_most("file: durable set, times bare redb's commit of one row", 1.1, set.ratio_to(&bare_set), "x");
    Ok(())
}

/// Saves of ten fields that change, in one transaction.
fn batches(con: &Embedded, bare: &Database) -> Done {
    let keys: Vec<String> = (0..RECORDS).map(|number| format!("order:{number}")).collect();
    let (mut round, mut bare_round) = (0, 0);
    let (ours, keys) = (con.clone(), &keys);
    let [saves, bare_saves] = interleaved([
        Box::new(move || {
            round += 1;
            let orders: Vec<Order> = (0..RECORDS).map(|number| order(u64::from(number) + round)).collect();
            let start = Instant::now();
            let saved = orders.iter().zip(keys).map(|(order, key)| Order::at(&**key).set_all(order));
            saved.collect::<Batch<_>>().query(&mut ours.clone())?;
            Ok((RECORDS, start.elapsed()))
        }),
        Box::new(move || {
            bare_round += 1;
            let value = format!("about as long as most: {bare_round}");
            let start = Instant::now();
            let transaction = bare.begin_write()?;
            {
                let mut table = transaction.open_table(BARE)?;
                for key in keys {
                    for field in FIELDS {
                        table.insert((&**key, field), value.as_bytes())?;
                    }
                }
            }
            transaction.commit()?;
            Ok((RECORDS, start.elapsed()))
        }) as Measure<'_>,
    ])?;
    shown("file: a save of 10 fields in a batch of 1,000", saves.micros(), "us");
    at_most("file: saves in a batch, times bare redb with a row per field", 0.6, saves.ratio_to(&bare_saves), "x");
    Ok(())
}

/// Sets that are synced meanwhile.
fn eventual(file: &Path) -> Done {
    const SETS: u32 = 300_000;
    let con = Embedded::in_file(file, Durability::Eventual)?;
    let profiles: Vec<_> = (0..1000).map(|number| Profile::at(format!("profile:{number}")).on(con.clone())).collect();
    let mut longest = Duration::ZERO;
    let [set] = interleaved([times(SETS, |i| {
        let start = Instant::now();
        profiles[i as usize % profiles.len()].theme().set(if i % 2 == 0 { "dark" } else { "light" })?;
        longest = longest.max(start.elapsed());
        Ok::<_, redis_hashmap::Error>(())
    })])?;
    con.sync()?;
    at_most("file: eventual set of one field", 1.5, set.micros(), "us");
    at_most("file: eventual set, the longest that one took", 20.0, longest.as_secs_f64() * 1e3, "ms");
    Ok(())
}

/// Durable writes, shared out among threads with a connection each.
fn writes(threads: u32, con: &Embedded) -> Measure<'_> {
    const WRITES: u32 = 1600;
    Box::new(move || {
        let start = Instant::now();
        std::thread::scope(|scope| {
            let write = |thread: u32| {
                let at = Profile::at(format!("profile:{thread}")).on(con.clone());
                for i in 0..WRITES / threads {
                    at.theme().set(if i % 2 == 0 { "dark" } else { "light" })?;
                }
                Ok::<_, redis_hashmap::Error>(())
            };
            let all: Vec<_> = (0..threads).map(|thread| scope.spawn(move || write(thread))).collect();
            all.into_iter().try_for_each(|thread| thread.join().expect("it does not panic"))
        })?;
        Ok((WRITES, start.elapsed()))
    })
}
