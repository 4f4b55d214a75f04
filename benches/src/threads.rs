//! Threads that write to one store in memory.

use std::time::Instant;

use redis_hashmap::{Embedded, open};

use crate::Done;
use crate::records::{Profile, profile};
use crate::rounds::{Measure, at_most, interleaved, shown};

const WRITES: u32 = 400_000;

/// The writes, shared out among threads with a connection each.
fn writes(threads: u32, store: &Embedded) -> Measure<'_> {
    Box::new(move || {
        let start = Instant::now();
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let con = store.clone();
                scope.spawn(move || {
                    let at = Profile::at(format!("profile:{thread}")).on(con);
                    for i in 0..WRITES / threads {
                        at.theme().set(if i % 2 == 0 { "dark" } else { "light" }).expect("memory never fails");
                    }
                });
            }
        });
        Ok((WRITES, start.elapsed()))
    })
}

pub(crate) fn run() -> Done {
    let store = Embedded::in_memory("")?;
    for thread in 0..8 {
        Profile::at(format!("profile:{thread}")).on(store.clone()).set_all(&profile(thread))?;
    }
    drop(open("memory:")?);
    let [one, eight] = interleaved([writes(1, &store), writes(8, &store)])?;
    shown("memory: set by one thread", one.micros(), "us");
    at_most("memory: set by 8 threads, times the time of one", 1.0, eight.ratio_to(&one), "x");
    Ok(())
}
