//! A failure of Redis or of the way to it, described without any text of a server.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::sync::Arc;

/// A failure of Redis, of the connection or of its client.
///
/// It shows what failed, the server's error code, and the I/O error where there is one, but no text of a server or
/// client: such texts can quote values. [`redis_error`](Self::redis_error) has the rest.
#[derive(Clone)]
pub struct RedisFault {
    error: redis::RedisError,
    /// True if it failed before any command was sent.
    connecting: bool,
}

impl RedisFault {
    /// A failure of a command.
    pub(crate) fn new(error: redis::RedisError) -> Self {
        Self { error, connecting: false }
    }

    /// A failure to connect.
    pub(crate) fn of_connecting(error: redis::RedisError) -> Self {
        Self { error, connecting: true }
    }

    /// True if nothing was carried out, and the reason is one that passes.
    pub(crate) fn is_transient(&self) -> bool {
        // What a server answers before it carries out a command.
        const PASSING: [&str; 8] =
            ["LOADING", "BUSY", "CLUSTERDOWN", "READONLY", "TRYAGAIN", "MASTERDOWN", "NOREPLICAS", "NOMASTERLINK"];
        match self.code() {
            Some(code) => PASSING.contains(&code),
            None if self.connecting => {
                // Not a refused password, and not a wrong configuration.
                let kind = self.kind();
                // Nor a certificate that is not trusted.
                let passes = |error: &io::Error| {
                    !matches!(
                        error.kind(),
                        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
                    )
                };
                self.io_error().is_some_and(passes) || kind == redis::ErrorKind::MasterNameNotFoundBySentinel
            }
            None => self.error.is_connection_refusal() || self.is_unsent(),
        }
    }

    /// True if a command was sent, and what became of it is not known.
    pub(crate) fn is_in_doubt(&self) -> bool {
        let lost = self.error.is_io_error() || matches!(self.kind(), redis::ErrorKind::Parse | redis::ErrorKind::Io);
        lost && !self.connecting && !self.error.is_connection_refusal() && !self.is_unsent()
    }

    /// True if there was no connection to send the command on. Connections of ours, and the system, call it so.
    fn is_unsent(&self) -> bool {
        self.io_error().is_some_and(|error| error.kind() == io::ErrorKind::NotConnected)
    }

    /// The kind of the failure, in redis-rs's terms.
    #[must_use]
    pub fn kind(&self) -> redis::ErrorKind {
        self.error.kind()
    }

    /// The server's error code (`WRONGTYPE`, `NOPERM`, `OOM`, …), if a server answered.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.error.code()
    }

    /// True if the answer did not come in time. The command may have been carried out.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.error.is_timeout()
    }

    /// True if the connection was refused, closed or cut. The command may have been carried out.
    #[must_use]
    pub fn is_connection_dropped(&self) -> bool {
        self.error.is_connection_dropped()
    }

    /// The error of redis-rs. Its text can quote stored values.
    #[must_use]
    pub fn redis_error(&self) -> &redis::RedisError {
        &self.error
    }

    fn io_error(&self) -> Option<&io::Error> {
        io_error(&self.error)
    }

    fn describe(&self) -> Cow<'_, str> {
        if let Some(error) = self.io_error() {
            // The system calls a timeout "Resource temporarily unavailable".
            return if self.is_timeout() && self.connecting {
                format!("no answer came in time ({error})").into()
            } else if self.is_timeout() {
                format!("no answer came in time, and the command may have been carried out ({error})").into()
            } else {
                error.to_string().into()
            };
        }
        let Some(code) = self.code() else { return self.error.category().into() };
        let meaning = match code {
            "WRONGTYPE" => "the key holds another Redis type than a hash",
            "NOAUTH" => "the server wants a password",
            "WRONGPASS" => "the server does not accept this user and password",
            "NOPERM" => "the server does not allow this user to use the command or the key",
            "READONLY" => "the server is a read-only replica",
            "LOADING" => "the server is still loading its data",
            "BUSY" => "the server is busy with a script that does not end: SCRIPT KILL ends it, if it has not written",
            "TRYAGAIN" => "the keys are being moved between nodes of the cluster: try again",
            "MASTERDOWN" => "the server is a replica that has lost its master",
            "OOM" => "the server is out of memory",
            "CROSSSLOT" => "the keys lie in several hash slots of the cluster",
            "MOVED" | "ASK" => "the key lies on another node: connect with a cluster client",
            "CLUSTERDOWN" => "the cluster is down",
            "NOREPLICAS" => "the server has too few replicas to accept writes",
            "MISCONF" => "the server cannot save its data to disk, and refuses writes",
            "NOSCRIPT" => "the server does not know the script",
            "EXECABORT" => "the transaction was discarded, and nothing in it was carried out",
            _ if self.error.detail().is_some_and(|text| text.starts_with("unknown command")) => {
                "the server does not know the command"
            }
            "ERR" => "the server refused the command",
            // The first word of an error that is not one of Redis's own can be anything, even a stored value.
            _ => return "the server refused the command, with an error that is not one of Redis's own".into(),
        };
        format!("{meaning} ({code})").into()
    }
}

/// The cause of an error, if it is an I/O error: its text is the system's, so it can be shown. redis-rs keeps causes behind
/// an `Arc`.
pub(crate) fn io_error(error: &redis::RedisError) -> Option<&io::Error> {
    let cause = std::error::Error::source(error)?;
    let shared = cause.downcast_ref::<Arc<dyn std::error::Error + Send + Sync>>()?;
    shared.downcast_ref()
}

impl fmt::Display for RedisFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

impl fmt::Debug for RedisFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisFault({:?}: {})", self.kind(), self.describe())
    }
}

impl std::error::Error for RedisFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.io_error().map(|error| error as _)
    }
}
