//! The time by which a call has to end.

use std::io;
use std::time::{Duration, Instant};

/// The time by which a call has to end, whatever a server does meanwhile.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Instant);

impl Deadline {
    pub(super) fn after(duration: Duration) -> Self {
        let now = Instant::now();
        // A century is as good as never.
        Self(now.checked_add(duration).unwrap_or_else(|| now + Duration::from_secs(3_155_760_000)))
    }

    /// The same time, or one that is soon: enough to take what has come in already.
    pub(super) fn or_soon(self) -> Self {
        Self(self.0.max(Instant::now() + Duration::from_millis(5)))
    }

    /// The time that is left, or the error that there is none.
    pub(super) fn left(self) -> io::Result<Duration> {
        let left = self.0.saturating_duration_since(Instant::now());
        // The system takes times below a microsecond for no time-out.
        if left < Duration::from_micros(1) { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}
