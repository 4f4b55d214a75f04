//! One operation at a time on `memory:`.

use std::hint::black_box;

use redis_hashmap::open;

use crate::Done;
use crate::records::{Profile, profile};
use crate::rounds::{at_least, at_most, interleaved, times};

/// What a set took when `memory:` was a database behind a thread, on two cores of the machine of docs/decisions.md.
const SET_BEFORE: f64 = 142.0;

pub(crate) fn run() -> Done {
    let con = open("memory:")?;
    let at = Profile::at("profile:1").on(con);
    let saved = [profile(1), profile(2)];
    at.set_all(&saved[0])?;
    let [get, set, load, save, update] = interleaved([
        times(100_000, |_| at.theme().get().map(|theme| drop(black_box(theme)))),
        times(100_000, |i| at.theme().set(if i % 2 == 0 { "dark" } else { "light" }).map(drop)),
        times(20_000, |_| at.get_all().map(|all| drop(black_box(all)))),
        times(20_000, |i| at.set_all(&saved[usize::from(i % 2 == 0)])),
        times(10_000, |_| at.update(|profile| profile.logins += 1).map(drop)),
    ])?;
    at_most("memory: get of one field", 0.3, get.micros(), "us");
    at_most("memory: set of one field", 0.3, set.micros(), "us");
    at_least("memory: set, times as fast as before (142 us)", 300.0, SET_BEFORE / set.micros(), "x");
    at_most("memory: load of a record of 20 fields", 2.5, load.micros(), "us");
    at_most("memory: save of a record of 20 fields", 2.0, save.micros(), "us");
    at_most("memory: update of a record of 20 fields", 6.0, update.micros(), "us");
    Ok(())
}
