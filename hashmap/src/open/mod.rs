//! One line that decides where the data lies.

#[cfg(feature = "tokio-comp")]
mod aio;
mod blocking;
mod url;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

pub use blocking::Connection;

#[cfg(feature = "tokio-comp")]
pub use aio::AsyncConnection;

use self::url::Host;
use crate::error::Error;
use crate::error::redis_fault::RedisFault;

/// Opens the place that a URL names, for blocking use.
///
/// | URL | where the data lies |
/// |---|---|
/// | `memory:`, `memory:name` | in this process, until it ends |
/// | `file:settings.redb`, `file:///var/lib/app/settings.redb` | in one file, which is made if it is not there |
/// | `redis://[user:password@]host[:port][/database]` | on a Redis or Valkey server |
/// | `rediss://…` | the same over TLS |
/// | `redis+unix:///run/redis.sock` | on a server on this machine |
/// | `redis+cluster://host:port,host:port` | in a cluster; `rediss+cluster://` over TLS |
/// | `redis+sentinel://host:port,host:port/mastername[/database]` | on the master that Sentinels name; `rediss+sentinel://` |
///
/// Parameters follow a `?`, with `&` between them: `protocol=resp3`; `durability=eventual` for files; `connect_timeout`
/// and `response_timeout` for servers, as in `500ms` or `5s`; `ca`, `cert` and `key`, paths of PEM files, over TLS.
/// [`Options`] sets the same in code.
///
/// What it returns implements redis-rs's `ConnectionLike`, so that every accessor and every redis-rs call works on it. A
/// connection that failed is dropped, and made anew by the next call; a command that failed is never sent again.
///
/// ```
/// use redis_hashmap::HashMap;
///
/// let mut con = redis_hashmap::open("memory:")?;
/// HashMap::new("settings").on(&mut con).set("theme", "dark")?;
/// assert_eq!(redis::cmd("HLEN").arg("settings").query::<u64>(&mut con)?, 1);
/// # Ok::<(), redis_hashmap_tests::AnyError>(())
/// ```
///
/// # Errors
///
/// [`Error::Url`] if it is no such URL; [`Error::Store`] if the file cannot be opened; [`Error::Connect`] if the server
/// cannot be reached, or refuses the user.
pub fn open(url: &str) -> Result<Connection, Error> {
    Options::parse(url)?.open()
}

/// Opens the place that a URL names, for async use: see [`open`].
///
/// What it returns can be cloned, and shared by tasks. It implements redis-rs's `aio::ConnectionLike`.
///
/// # Errors
///
/// As [`open`].
#[cfg(feature = "tokio-comp")]
pub async fn open_async(url: &str) -> Result<AsyncConnection, Error> {
    Options::parse(url)?.open_async().await
}

/// Where the data lies, and how it is reached: what [`open`] reads from a URL, to be changed in code.
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
    target: Target,
    tls: bool,
    username: Option<String>,
    password: Option<String>,
    sentinel_username: Option<String>,
    sentinel_password: Option<String>,
    database: i64,
    resp3: bool,
    eventual: bool,
    connect_timeout: Duration,
    response_timeout: Duration,
    ca: Option<PathBuf>,
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
}

#[derive(Clone)]
enum Target {
    Memory(String),
    File(PathBuf),
    Server(Host),
    Unix(PathBuf),
    Cluster(Vec<Host>),
    Sentinel { sentinels: Vec<Host>, master: String },
}

/// Time enough for a slow network, and little enough for who waits behind it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);

impl Options {
    fn new(target: Target) -> Self {
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
            connect_timeout: CONNECT_TIMEOUT,
            response_timeout: RESPONSE_TIMEOUT,
            ca: None,
            cert: None,
            key: None,
        }
    }

    /// Reads a URL: see [`open`]. No I/O.
    ///
    /// # Errors
    ///
    /// [`Error::Url`], which says what part of it is wrong, without a password.
    pub fn parse(url: &str) -> Result<Self, Error> {
        url::parse(url)
    }

    /// How long connecting may take; 3 s if nothing is said.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long an answer may take; 5 s if nothing is said.
    #[must_use]
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }

    /// The user and the password.
    #[must_use]
    pub fn credentials(mut self, username: Option<&str>, password: &str) -> Self {
        self.username = username.map(str::to_owned);
        self.password = Some(password.to_owned());
        self
    }

    /// The certificate authority to trust instead of the system's: the path of a PEM file.
    #[must_use]
    pub fn certificate_authority(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca = Some(path.into());
        self
    }

    /// The client's certificate and key: the paths of PEM files.
    #[must_use]
    pub fn client_certificate(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.cert = Some(certificate.into());
        self.key = Some(key.into());
        self
    }

    /// Opens it for blocking use.
    ///
    /// # Errors
    ///
    /// As [`open`].
    pub fn open(&self) -> Result<Connection, Error> {
        Connection::open(self)
    }

    /// Opens it for async use.
    ///
    /// # Errors
    ///
    /// As [`open`].
    #[cfg(feature = "tokio-comp")]
    pub async fn open_async(&self) -> Result<AsyncConnection, Error> {
        AsyncConnection::open(self).await
    }

    /// Where it leads, for people: without user and password.
    fn place(&self) -> String {
        let tls = if self.tls { "s" } else { "" };
        let list = |hosts: &[Host]| {
            hosts.iter().map(|host| format!("{}:{}", host.name, host.port)).collect::<Vec<_>>().join(",")
        };
        match &self.target {
            Target::Memory(name) => format!("memory:{name}"),
            Target::File(path) => format!("file:{}", path.display()),
            Target::Server(host) => format!("redis{tls}://{}:{}", host.name, host.port),
            Target::Unix(path) => format!("redis+unix://{}", path.display()),
            Target::Cluster(nodes) => format!("redis{tls}+cluster://{}", list(nodes)),
            Target::Sentinel { sentinels, master } => format!("redis{tls}+sentinel://{}/{master}", list(sentinels)),
        }
    }

    fn failed(&self) -> impl Fn(redis::RedisError) -> Error + '_ {
        |error| Error::Connect { place: self.place(), source: RedisFault::new(error) }
    }

    #[cfg_attr(
        all(feature = "embedded", feature = "cluster", feature = "sentinel", feature = "tls-rustls"),
        expect(dead_code, reason = "every feature is there")
    )]
    fn needs(&self, feature: &'static str) -> Error {
        Error::Feature { place: self.place(), feature }
    }

    #[cfg(feature = "embedded")]
    fn embedded(&self) -> Result<crate::Embedded, Error> {
        use crate::embedded::{Durability, Embedded};
        let durability = if self.eventual { Durability::Eventual } else { Durability::Immediate };
        let con = match &self.target {
            Target::File(path) => Embedded::in_file(path, durability)?,
            Target::Memory(name) => Embedded::in_memory(name)?,
            _ => Embedded::in_memory("")?,
        };
        Ok(con.with_resp3(self.resp3))
    }

    fn tcp_settings() -> redis::io::tcp::TcpSettings {
        // Off by default in redis-rs 1.x; without it small commands wait for one another.
        redis::io::tcp::TcpSettings::default().set_nodelay(true)
    }

    fn protocol(&self) -> redis::ProtocolVersion {
        if self.resp3 { redis::ProtocolVersion::RESP3 } else { redis::ProtocolVersion::RESP2 }
    }

    fn address(&self, host: &Host) -> redis::ConnectionAddr {
        let (host, port) = (host.name.clone(), host.port);
        if self.tls {
            redis::ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
        } else {
            redis::ConnectionAddr::Tcp(host, port)
        }
    }

    fn info(&self, address: redis::ConnectionAddr) -> Result<redis::ConnectionInfo, redis::RedisError> {
        let info = redis::IntoConnectionInfo::into_connection_info(address)?;
        let mut redis = info.redis_settings().clone().set_db(self.database).set_protocol(self.protocol());
        if let Some(username) = &self.username {
            redis = redis.set_username(username);
        }
        if let Some(password) = &self.password {
            redis = redis.set_password(password);
        }
        Ok(info.set_redis_settings(redis).set_tcp_settings(Self::tcp_settings()))
    }

    /// The client of one server.
    fn client(&self, address: redis::ConnectionAddr) -> Result<redis::Client, Error> {
        let info = self.info(address).map_err(self.failed())?;
        #[cfg(feature = "tls-rustls")]
        if self.tls {
            return redis::Client::build_with_tls(info, self.certificates()?).map_err(self.failed());
        }
        #[cfg(not(feature = "tls-rustls"))]
        if self.tls {
            return Err(self.needs("tls-rustls"));
        }
        redis::Client::open(info).map_err(self.failed())
    }

    #[cfg(feature = "tls-rustls")]
    fn certificates(&self) -> Result<redis::TlsCertificates, Error> {
        // redis-rs takes the process's provider, and panics where there is none and it cannot tell which.
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Whoever was faster has installed one.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let read = |path: &PathBuf, part| {
            std::fs::read(path).map_err(|error| Error::Url {
                part,
                problem: format!("names {}, which cannot be read: {error}", path.display()),
            })
        };
        let client_tls = match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => Some(redis::ClientTlsConfig {
                client_cert: read(cert, "parameter `cert`")?,
                client_key: read(key, "parameter `key`")?,
            }),
            (None, None) => None,
            _ => {
                let problem = "name only one of `cert` and `key`; a client's certificate takes both".to_owned();
                return Err(Error::Url { part: "parameters", problem });
            }
        };
        let root_cert = self.ca.as_ref().map(|ca| read(ca, "parameter `ca`")).transpose()?;
        Ok(redis::TlsCertificates { client_tls, root_cert })
    }

    #[cfg(feature = "cluster")]
    fn cluster(&self, nodes: &[Host]) -> Result<redis::cluster::ClusterClient, Error> {
        let infos = nodes.iter().map(|node| self.info(self.address(node))).collect::<Result<Vec<_>, _>>();
        let mut builder = redis::cluster::ClusterClient::builder(infos.map_err(self.failed())?)
            .connection_timeout(self.connect_timeout)
            .response_timeout(self.response_timeout)
            .tcp_settings(Self::tcp_settings())
            .use_protocol(self.protocol());
        if let Some(username) = &self.username {
            builder = builder.username(username);
        }
        if let Some(password) = &self.password {
            builder = builder.password(password);
        }
        #[cfg(feature = "tls-rustls")]
        if self.tls {
            builder = builder.tls(redis::TlsMode::Secure).certs(self.certificates()?);
        }
        #[cfg(not(feature = "tls-rustls"))]
        if self.tls {
            return Err(self.needs("tls-rustls"));
        }
        builder.build().map_err(self.failed())
    }

    #[cfg(feature = "sentinel")]
    fn sentinel(&self, sentinels: &[Host], master: &str) -> Result<redis::sentinel::SentinelClient, Error> {
        use redis::sentinel::{SentinelClientBuilder, SentinelServerType};
        let addresses = sentinels.iter().map(|sentinel| self.address(sentinel));
        let mut builder = SentinelClientBuilder::new(addresses, master, SentinelServerType::Master)
            .map_err(self.failed())?
            .set_client_to_redis_db(self.database)
            .set_client_to_redis_protocol(self.protocol())
            .set_client_to_redis_tcp_settings(Self::tcp_settings())
            .set_client_to_sentinel_tcp_settings(Self::tcp_settings());
        if let Some(username) = &self.username {
            builder = builder.set_client_to_redis_username(username);
        }
        if let Some(password) = &self.password {
            builder = builder.set_client_to_redis_password(password);
        }
        if let Some(username) = &self.sentinel_username {
            builder = builder.set_client_to_sentinel_username(username);
        }
        if let Some(password) = &self.sentinel_password {
            builder = builder.set_client_to_sentinel_password(password);
        }
        #[cfg(feature = "tls-rustls")]
        if self.tls {
            let certificates = self.certificates()?;
            builder = builder
                .set_client_to_redis_tls_mode(redis::TlsMode::Secure)
                .set_client_to_redis_certificates(certificates.clone())
                .set_client_to_sentinel_tls_mode(redis::TlsMode::Secure)
                .set_client_to_sentinel_certificates(certificates);
        }
        #[cfg(not(feature = "tls-rustls"))]
        if self.tls {
            return Err(self.needs("tls-rustls"));
        }
        builder.build().map_err(self.failed())
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Options({})", self.place())
    }
}

/// True if a connection is of no use after this: its next reply could be a late one, or it is on the wrong server.
fn ends_connection(error: &redis::RedisError) -> bool {
    error.is_timeout()
        || error.is_io_error()
        || error.is_unrecoverable_error()
        || error.kind() == redis::ErrorKind::Parse
        || error.kind() == redis::ErrorKind::Server(redis::ServerErrorKind::ReadOnly)
}

/// The same for an answer: a server that has become a replica says so in it.
fn ends_with(reply: &redis::Value) -> bool {
    match reply {
        redis::Value::ServerError(error) => error.kind() == Some(redis::ServerErrorKind::ReadOnly),
        redis::Value::Array(replies) => replies.iter().any(ends_with),
        _ => false,
    }
}
