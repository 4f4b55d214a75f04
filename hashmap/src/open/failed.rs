//! Why a call has failed, and whether any of it was carried out.

use std::io;

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::error::redis_fault::io_error;
use crate::open::options::Host;

/// Why a call has failed.
#[derive(Debug, Clone)]
pub(super) struct CallFailed {
    pub(super) error: RedisError,
    outcome: Outcome,
    /// The node of a cluster that it failed on.
    node: Option<Host>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// There was no connection.
    NotConnected,
    /// No command was sent whole.
    NotSent,
    InDoubt,
}

impl CallFailed {
    fn new(error: RedisError, outcome: Outcome) -> Self {
        Self { error, outcome, node: None }
    }

    pub(super) fn not_connected(error: RedisError) -> Self {
        Self::new(error, Outcome::NotConnected)
    }

    pub(super) fn not_sent(error: RedisError) -> Self {
        Self::new(error, Outcome::NotSent)
    }

    pub(super) fn in_doubt(error: RedisError) -> Self {
        Self::new(error, Outcome::InDoubt)
    }

    /// The same failure of a command of which other parts may have been carried out.
    pub(super) fn of_a_part(mut self) -> Self {
        self.outcome = Outcome::InDoubt;
        self
    }

    /// Says on which node of a cluster it failed.
    pub(super) fn on(mut self, node: &Host) -> Self {
        self.node = Some(node.clone());
        self
    }

    /// True if a command may have been carried out.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.outcome == Outcome::InDoubt
    }

    /// True if another attempt would not do: it may have been carried out, or it is refused.
    pub(super) fn is_final(&self) -> bool {
        let passes =
            |kind| matches!(kind, redis::ErrorKind::Server(ServerErrorKind::BusyLoading | ServerErrorKind::MasterDown));
        self.is_in_doubt() || !(self.error.is_io_error() || passes(self.error.kind()))
    }

    /// The error for the caller: one that says by its kind, `NotConnected`, where nothing was carried out.
    pub(super) fn into_error(self) -> RedisError {
        let Self { error, outcome, node } = self;
        // What a server answers says that by itself, and so does a refused connection. What is no reply does not.
        let says = !error.is_io_error() && (outcome == Outcome::InDoubt || error.kind() != ErrorKind::Parse);
        if says || (node.is_none() && (outcome == Outcome::InDoubt || error.is_connection_refusal())) {
            return error;
        }
        let cause = match std::error::Error::source(&error) {
            _ if error.is_timeout() => " in time".to_owned(),
            Some(cause) => format!(": {cause}"),
            None => ": the server sent what is not a reply".to_owned(),
        };
        let to_node = node.as_ref().map_or_else(String::new, |node| format!(" to the node {node}"));
        let (kind, problem) = match outcome {
            Outcome::NotConnected => {
                (io::ErrorKind::NotConnected, format!("no connection{to_node} could be opened{cause}"))
            }
            Outcome::NotSent => (io::ErrorKind::NotConnected, format!("the command could not be sent{to_node}{cause}")),
            Outcome::InDoubt => {
                let kind = if error.is_timeout() { io::ErrorKind::TimedOut } else { io::ErrorKind::ConnectionAborted };
                (kind, format!("nothing came back after the command was sent{to_node}{cause}"))
            }
        };
        io::Error::new(kind, problem).into()
    }

    /// The error of opening a connection, of the kind that it has by itself: nothing was sent, but not every reason passes.
    pub(super) fn into_error_of_opening(self) -> RedisError {
        let kind = io_error(&self.error).map(io::Error::kind);
        let error = self.into_error();
        match (kind, io_error(&error)) {
            (Some(kind), Some(cause)) => io::Error::new(kind, cause.to_string()).into(),
            _ => error,
        }
    }
}
