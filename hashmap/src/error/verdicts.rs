//! What a service has to know of an error: where it happened, whether to try again, whether it may have happened, whose fault it is.

use crate::error::Error;
use crate::error::place::Place;
use crate::error::redis_fault::RedisFault;

impl Error {
    /// Where it happened, if it concerns one key.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::WrongType { place, .. }
            | Self::OutOfRange { place, .. }
            | Self::OtherShape { place, .. }
            | Self::Foreign { place }
            | Self::UnknownKind { place, .. }
            | Self::Damaged { place, .. }
            | Self::NotText { place, .. }
            | Self::MissingField { place }
            | Self::Fields { place, .. }
            | Self::Refused { place, .. }
            | Self::TooLarge { place, .. }
            | Self::Unreadable { place, .. }
            | Self::Merge { place, .. }
            | Self::NoJson { place, .. }
            | Self::EmptyField { place }
            | Self::Unsupported { place, .. }
            | Self::Conflict { place, .. }
            | Self::Expiry { place, .. }
            | Self::NotACounter { place }
            | Self::Conversion { place, .. }
            | Self::Overflow { place }
            | Self::FieldName { place, .. }
            | Self::Redis { place, .. }
            | Self::UnexpectedReply { place, .. } => Some(place),
            Self::EmptyKey
            | Self::EmptyId { .. }
            | Self::WatchedKeyChanged
            | Self::NotAtomic { .. }
            | Self::Store { .. }
            | Self::Url { .. }
            | Self::Requirement { .. }
            | Self::Feature { .. }
            | Self::Connect { .. } => None,
        }
    }

    /// The failure of Redis or of the way to it, if that is the cause.
    #[must_use]
    pub fn redis(&self) -> Option<&RedisFault> {
        if let Self::Redis { source, .. } | Self::Connect { source, .. } = self { Some(source) } else { None }
    }

    /// True if it is worth trying again, because the reason passes and nothing was carried out: the connection was refused,
    /// the server is loading, busy or a replica, the cluster is down, others changed what an `update` had read, or a key
    /// that is watched.
    ///
    /// Wait before trying again. A cluster connection of redis-rs repeats commands by
    /// itself: there, a refused connection does not show that nothing was carried out.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Redis { source, .. } | Self::Connect { source, .. } => source.is_transient(),
            Self::Conflict { .. } | Self::WatchedKeyChanged => true,
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
