//! `memory:` beside Redis over loopback.

use std::collections::HashMap as StdHashMap;
use std::hint::black_box;
use std::time::Instant;

use redis_hashmap::{Batch, Connection, HashMap, open};

use crate::Done;
use crate::records::{Order, order};
use crate::rounds::{Measure, at_least, at_most, interleaved, shown};

const RECORDS: u32 = 1000;
const FIELDS: u32 = 1_000_000;

fn open_server() -> Result<Connection, Box<dyn std::error::Error>> {
    Ok(open(&std::env::var("REDIS_URL").map_err(|_| "REDIS_URL is not set: use benches/run")?)?)
}

pub(crate) fn run() -> Done {
    batches()?;
    a_map()
}

/// Saves records in one batch: those of the same keys again, or of keys that are removed before.
fn saves(mut con: Connection, is_new: bool) -> Measure<'static> {
    let orders: Vec<Order> = (0..RECORDS).map(|number| order(number.into())).collect();
    let keys: Vec<String> = (0..RECORDS).map(|number| format!("order:{number}")).collect();
    Box::new(move || {
        if is_new {
            keys.iter().map(|key| Order::at(&**key).clear()).collect::<Batch<_>>().query(&mut con)?;
        }
        let start = Instant::now();
        let saved = orders.iter().zip(&keys).map(|(order, key)| Order::at(&**key).set_all(order));
        saved.collect::<Batch<_>>().query(&mut con)?;
        Ok((RECORDS, start.elapsed()))
    })
}

fn batches() -> Done {
    let [existing, on_server, new, new_on_server] = interleaved([
        saves(open("memory:")?, false),
        saves(open_server()?, false),
        saves(open("memory:")?, true),
        saves(open_server()?, true),
    ])?;
    shown("memory: a save of 10 fields in a batch of 1,000", existing.micros(), "us");
    shown("Redis: a save of 10 fields in a batch of 1,000", on_server.micros(), "us");
    at_least("memory: saves of existing keys in a batch, times Redis's rate", 2.5, on_server.ratio_to(&existing), "x");
    at_least("memory: saves of new keys in a batch, times Redis's rate", 1.3, new_on_server.ratio_to(&new), "x");
    Ok(())
}

/// Measures one step of a map of a million fields. The map is filled anew in each round.
fn steps<'a>(map: &'a Map, entries: &'a StdHashMap<String, u32>) -> [Measure<'a>; 3] {
    [
        Box::new(move || {
            map.clear()?;
            let start = Instant::now();
            map.set_many(entries)?;
            Ok((FIELDS, start.elapsed()))
        }),
        Box::new(move || {
            let start = Instant::now();
            let all = map.get_all()?;
            let took = start.elapsed();
            assert_eq!(all.len(), entries.len());
            Ok((FIELDS, took))
        }),
        Box::new(move || {
            let start = Instant::now();
            let mut count = 0;
            for entry in map {
                black_box(entry?);
                count += 1;
            }
            assert_eq!(count, entries.len());
            Ok((FIELDS, start.elapsed()))
        }),
    ]
}

type Map = HashMap<String, u32, redis_hashmap::Blocking<Connection>>;

fn a_map() -> Done {
    let entries: StdHashMap<String, u32> = (0..FIELDS).map(|number| (format!("user:{number}"), number)).collect();
    let map = HashMap::<String, u32>::typed("map").on(open("memory:")?);
    let on_server = HashMap::<String, u32>::typed("map").on(open_server()?);
    let ([set, get, iter], [set_there, get_there, iter_there]) = (steps(&map, &entries), steps(&on_server, &entries));
    let figures = interleaved([set, set_there, get, get_there, iter, iter_there])?;
    on_server.clear()?;
    let [set, set_there, get, get_there, iter, iter_there] = &figures;
    at_most("memory: set_many of 1,000,000 fields, times Redis's time", 2.0, set.ratio_to(set_there), "x");
    at_most("memory: get_all of 1,000,000 fields, times Redis's time", 1.0, get.ratio_to(get_there), "x");
    at_most("memory: iter over 1,000,000 fields, times Redis's time", 0.5, iter.ratio_to(iter_there), "x");
    Ok(())
}
