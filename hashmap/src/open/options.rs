//! The options of a connection: where the data lies, and how it is reached.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::Error;
use crate::error::redis_fault::RedisFault;

/// Where the data lies, and how it is reached. [`open`](crate::open) reads it from a URL; here it can be changed in code.
///
/// ```
/// use std::time::Duration;
///
/// let con = redis_hashmap::Options::parse("memory:")?.response_timeout(Duration::from_secs(1)).open()?;
/// # drop(con);
/// # Ok::<(), redis_hashmap::Error>(())
/// ```
#[derive(Clone)]
pub struct Options {
    pub(super) target: Target,
    pub(super) tls: bool,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
    pub(super) sentinel_username: Option<String>,
    pub(super) sentinel_password: Option<String>,
    pub(super) database: i64,
    pub(super) resp3: bool,
    pub(super) eventual: bool,
    #[cfg(feature = "embedded")]
    pub(super) stand_in_for: Option<crate::embedded::Server>,
    pub(super) connect_timeout: Duration,
    pub(super) response_timeout: Duration,
    pub(super) ca: Option<PathBuf>,
    pub(super) cert: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
}

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) port: u16,
}

impl Host {
    /// The host that a server has told, if it can be one. It stands in errors, and must not forge a line of a log.
    pub(super) fn told(name: &str, port: u16) -> Option<Self> {
        // No name in the DNS is longer.
        let can_be =
            !name.is_empty() && name.len() <= 253 && !name.chars().any(|c| c.is_control() || c.is_whitespace());
        can_be.then(|| Self { name: name.to_owned(), port })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.port)
    }
}

#[derive(Clone)]
pub(super) enum Target {
    Memory(String),
    File(PathBuf),
    Server(Host),
    Unix(PathBuf),
    Cluster(Vec<Host>),
    Sentinel { sentinels: Vec<Host>, master: String },
}

/// Long enough for a slow network, and short enough for a user who waits.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);

impl Options {
    pub(super) fn new(target: Target) -> Self {
        Self {
            target,
            tls: false,
            username: None,
            password: None,
            sentinel_username: None,
            sentinel_password: None,
            database: 0,
            resp3: false,
            eventual: false,
            #[cfg(feature = "embedded")]
            stand_in_for: None,
            connect_timeout: CONNECT_TIMEOUT,
            response_timeout: RESPONSE_TIMEOUT,
            ca: None,
            cert: None,
            key: None,
        }
    }

    /// Sets how long connecting may take. The default is 3 s.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how long an answer may take. The default is 5 s.
    #[must_use]
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }

    /// Makes the store in memory or in a file stand in for a server: see [`Embedded::stand_in_for`].
    ///
    /// [`Embedded::stand_in_for`]: crate::Embedded::stand_in_for
    #[cfg(feature = "embedded")]
    #[must_use]
    pub fn stand_in_for(mut self, server: crate::embedded::Server) -> Self {
        self.stand_in_for = Some(server);
        self
    }

    /// Sets the user and the password. No user is the user `default`; no user and an empty password is nobody.
    #[must_use]
    pub fn credentials(mut self, username: Option<&str>, password: &str) -> Self {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        self.username = username.and_then(some);
        self.password = some(password);
        self.with_passwords_of_users()
    }

    /// Gives a user without a password an empty one: redis-rs sends AUTH only if a password is set, and a user alone would
    /// connect as `default` without a word.
    pub(super) fn with_passwords_of_users(mut self) -> Self {
        let empty = |username: &Option<String>| username.as_ref().map(|_| String::new());
        self.password = self.password.or_else(|| empty(&self.username));
        self.sentinel_password = self.sentinel_password.or_else(|| empty(&self.sentinel_username));
        self
    }

    /// Sets the certificate authority to trust instead of the system's: the path of a PEM file.
    #[must_use]
    pub fn certificate_authority(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca = Some(path.into());
        self
    }

    /// Sets the client's certificate and key: the paths of PEM files.
    #[must_use]
    pub fn client_certificate(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.cert = Some(certificate.into());
        self.key = Some(key.into());
        self
    }

    /// The place as it is shown to people, without a user and a password.
    pub(super) fn place(&self) -> String {
        let tls = if self.tls { "s" } else { "" };
        let list = |hosts: &[Host]| hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        match &self.target {
            Target::Memory(name) => format!("memory:{name}"),
            Target::File(path) => format!("file:{}", path.display()),
            Target::Server(host) => format!("redis{tls}://{host}"),
            Target::Unix(path) => format!("redis+unix://{}", path.display()),
            Target::Cluster(nodes) => format!("redis{tls}+cluster://{}", list(nodes)),
            Target::Sentinel { sentinels, master } => format!("redis{tls}+sentinel://{}/{master}", list(sentinels)),
        }
    }

    pub(super) fn failed(&self) -> impl Fn(redis::RedisError) -> Error + '_ {
        |error| Error::Connect { place: self.place(), source: RedisFault::of_connecting(error) }
    }

    #[cfg_attr(all(feature = "embedded", feature = "tls-rustls"), expect(dead_code, reason = "every feature is there"))]
    pub(super) fn needs(&self, feature: &'static str) -> Error {
        Error::Feature { place: self.place(), feature }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Options({})", self.place())
    }
}
