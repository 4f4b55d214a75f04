//! The attempts of an operation while others change what it has read, and the pauses between them.

use std::time::{Duration, Instant};

use crate::error::Error;
use crate::error::place::Place;
use crate::run::mailbox::Mailbox;

/// The attempts of one operation.
pub(crate) struct Attempts {
    made: u32,
    limit: u32,
    /// When the last attempt began.
    began: Instant,
}

impl Attempts {
    pub(crate) fn new(limit: u32) -> Self {
        Self { made: 0, limit, began: Instant::now() }
    }

    /// Waits before the next attempt, or fails if there is none left.
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

/// Returns how long to wait after `failed` attempts, the last of which took `took`.
///
/// There is no pause after the first one. Later pauses grow, and are random, so that clients that failed at the same
/// time do not try again at the same time. Of the clients that try at once, one succeeds. The pauses grow until most
/// clients wait, with room for 64 at a time.
fn pause(failed: u32, took: Duration) -> Option<Duration> {
    use std::hash::{BuildHasher, RandomState};
    const SHORTEST: Duration = Duration::from_micros(250);
    const LONGEST: Duration = Duration::from_millis(250);
    let took = took.max(SHORTEST);
    let bound = took.saturating_mul(1 << failed.checked_sub(2)?.min(16)).min(LONGEST.max(took.saturating_mul(64)));
    // The seed of a hash map is random enough for a pause.
    let random = RandomState::new().hash_one(failed);
    let micros = u64::try_from(bound.as_micros()).unwrap_or(u64::MAX);
    Some(Duration::from_micros(random % micros.max(1)))
}
