//! What a service has to know of an error: whether to try again, whether it may have happened, whose fault it is.

use crate::error::Error;

impl Error {
    /// True if it is worth trying again, because the reason passes and nothing was carried out: the connection was refused,
    /// the server is loading, busy or a replica, the cluster is down, others changed what an `update` had read.
    ///
    /// Wait before trying again. A cluster connection of redis-rs repeats commands by
    /// itself: there, a refused connection does not show that nothing was carried out.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Redis { source, .. } | Self::Connect { source, .. } => source.is_transient(),
            Self::Conflict { .. } => true,
            Self::Fields { errors, .. } => errors.iter().all(Self::is_transient),
            _ => false,
        }
    }

    /// True if a command was sent and its answer did not come, or could not be read: the command may have been carried
    /// out, or may be carried out yet. A read can be tried again, a write only if it may be carried out twice.
    #[must_use]
    pub fn may_have_been_applied(&self) -> bool {
        match self {
            Self::Redis { source, .. } => source.is_in_doubt(),
            Self::UnexpectedReply { .. } => true,
            Self::Fields { errors, .. } => errors.iter().any(Self::may_have_been_applied),
            _ => false,
        }
    }

    /// True if what the caller has given is refused, and nothing was changed: an empty id or name, a value that is too large
    /// or cannot be stored, a patch whose parts do not fit, a time to live that nothing can have, a number that would take a counter out of its range.
    /// A service answers with a status of 400.
    #[must_use]
    pub fn is_rejected_input(&self) -> bool {
        matches!(
            self,
            Self::EmptyKey
                | Self::EmptyId { .. }
                | Self::EmptyField { .. }
                | Self::Refused { .. }
                | Self::Merge { .. }
                | Self::TooLarge { .. }
                | Self::Expiry { .. }
                | Self::Overflow { .. }
        )
    }
}
