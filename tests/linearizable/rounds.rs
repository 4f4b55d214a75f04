//! Rounds of clients on one record, each of which is a history of its own that is checked.

use std::collections::HashSet;
use std::time::Duration;

use redis_hashmap_tests::AnyError;

use crate::checker::{Refuted, check};
use crate::clients::{Client, History, call};
use crate::model::{Event, State};

pub(crate) type Test = Result<(), AnyError>;

/// How long histories are made for each place: seconds in `tests/run`, minutes in `tests/run --long`.
pub(crate) fn duration() -> Duration {
    Duration::from_secs(if std::env::var_os("PROPTEST_CASES").is_some() { 240 } else { 4 })
}

/// What was done.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) histories: usize,
    pub(crate) returned: usize,
    pub(crate) failed: usize,
    pub(crate) lost: usize,
    pub(crate) faults: usize,
}

impl Counts {
    pub(crate) fn add(&mut self, history: &[Event]) {
        self.histories += 1;
        for event in history {
            match event {
                Event::Return(_, Some(_)) => self.returned += 1,
                Event::Return(_, None) => self.lost += 1,
                Event::Failed(_) => self.failed += 1,
                Event::Call(..) => {}
            }
        }
    }

    /// Fails if nothing was tried.
    pub(crate) fn expect_faults(&self) {
        assert!(self.histories > 0 && self.returned > 100 && self.lost > 0 && self.faults > 0, "{self:?}");
    }

    /// Prints what was done, for the closing figures: `tests/run --long -- --nocapture` shows it.
    pub(crate) fn print(&self, place: &str) {
        let Self { histories, returned, failed, lost, faults } = self;
        println!(
            "linearizable: {place}: {histories} histories, {returned} operations returned, {failed} not carried out, \
             {lost} without a result, {faults} faults"
        );
    }
}

/// Lets all clients call at once, and `during` do what it wants as long as it is told that they do. Returns their history.
pub(crate) fn round(
    clients: &mut [Box<dyn Client>],
    seed: u64,
    calls: usize,
    during: impl FnOnce(&dyn Fn() -> bool),
) -> Vec<Event> {
    let (history, barrier) = (History::default(), std::sync::Barrier::new(clients.len()));
    let start = &barrier;
    std::thread::scope(|scope| {
        let mut running = Vec::new();
        for (number, client) in clients.iter_mut().enumerate() {
            let (history, client) = (history.clone(), &mut **client);
            let seed = seed.wrapping_mul(1000).wrapping_add(number as u64);
            running.push(scope.spawn(move || {
                start.wait();
                call(client, number, seed, calls, |event| history.note(event));
            }));
        }
        during(&|| running.iter().any(|client| !client.is_finished()));
    });
    history.take()
}

/// Checks a history, which begins and ends with these states.
pub(crate) fn checked(history: &[Event], before: State, after: State) -> Result<(), String> {
    match check(history, &HashSet::from([before])) {
        Ok(states) if states.contains(&after) => Ok(()),
        Ok(states) => Err(format!("it ends with {after:?}, but can only end with {states:?}")),
        Err(refuted) => Err(shown(history, &refuted)),
    }
}

/// Panics if a history is not linearizable, and leaves all of it in a file.
pub(crate) fn expect(place: &str, seed: u64, history: &[Event], before: State, after: State) -> Test {
    let Err(problem) = checked(history, before, after) else { return Ok(()) };
    let lines: Vec<String> = history.iter().map(ToString::to_string).collect();
    let file = std::env::temp_dir().join(format!("redis-hashmap-history-{place}-{}.txt", std::process::id()));
    std::fs::write(&file, format!("begins with {before:?}\n{}\nends with {after:?}\n", lines.join("\n")))?;
    panic!("{place}, seed {seed}: not linearizable; all of it is in {}\n{problem}", file.display());
}

/// The part of a history that cannot be.
fn shown(history: &[Event], refuted: &Refuted) -> String {
    let begin = refuted.at.saturating_sub(20);
    let lines: Vec<String> =
        history[begin..=refuted.at].iter().enumerate().map(|(at, event)| format!("{:6} {event}", begin + at)).collect();
    format!(
        "{}\nthe last of these cannot be, whichever of the open calls took effect:\n  {:?}\nin whichever of these states:\n  {:?}",
        lines.join("\n"),
        refuted.open,
        refuted.before
    )
}
