//! How often an operation tries where others change what it has read, and how long it waits in between.

use std::time::{Duration, Instant};

use crate::error::{Error, Place};
use crate::run::mailbox::Mailbox;

/// The attempts of one operation.
pub(crate) struct Attempts {
    made: u32,
    limit: u32,
    /// When the last one began.
    began: Instant,
}

impl Attempts {
    pub(crate) fn new(limit: u32) -> Self {
        Self { made: 0, limit, began: Instant::now() }
    }

    /// Waits before the next attempt, or fails if there is none.
    pub(crate) async fn after_conflict(
        &mut self,
        mailbox: &Mailbox,
        place: impl FnOnce() -> Place,
    ) -> Result<(), Error> {
        self.made += 1;
        if self.made >= self.limit {
            return Err(Error::Conflict { place: place(), attempts: self.made });
        }
        if let Some(pause) = pause(self.made, self.began.elapsed()) {
            mailbox.wait(pause).await;
        }
        self.began = Instant::now();
        Ok(())
    }
}

/// How long to wait after so many failed attempts, the last of which took so long: not at all at first, then longer and
/// longer, and not for as long as others who failed at the same time.
///
/// Of those who try at once one succeeds. The waits grow until most of them wait, with room for 64 at a time.
fn pause(failed: u32, took: Duration) -> Option<Duration> {
    use std::hash::{BuildHasher, RandomState};
    const SHORTEST: Duration = Duration::from_micros(250);
    const LONGEST: Duration = Duration::from_millis(250);
    let took = took.max(SHORTEST);
    let bound = took.saturating_mul(1 << failed.checked_sub(2)?.min(16)).min(LONGEST.max(took.saturating_mul(64)));
    // The seed of a hash map: as random as this needs.
    let random = RandomState::new().hash_one(failed);
    let micros = u64::try_from(bound.as_micros()).unwrap_or(u64::MAX);
    Some(Duration::from_micros(random % micros.max(1)))
}
