//! Makes the redis-rs client, or the embedded store, that the options describe.

#[cfg(feature = "tls-rustls")]
use std::path::PathBuf;

use crate::error::Error;
#[cfg(feature = "embedded")]
use crate::open::options::Target;
use crate::open::options::{Host, Options};

impl Options {
    #[cfg(feature = "embedded")]
    pub(super) fn embedded(&self) -> Result<crate::embedded::Embedded, Error> {
        use crate::embedded::{Durability, Embedded};
        let durability = if self.eventual { Durability::Eventual } else { Durability::Immediate };
        let con = match &self.target {
            Target::File(path) => Embedded::in_file(path, durability)?,
            Target::Memory(name) => Embedded::in_memory(name)?,
            _ => Embedded::in_memory("")?,
        };
        Ok(con.with_resp3(self.resp3))
    }

    pub(super) fn tcp_settings() -> redis::io::tcp::TcpSettings {
        // redis-rs 1.x leaves it off by default, and then small commands wait for one another.
        redis::io::tcp::TcpSettings::default().set_nodelay(true)
    }

    pub(super) fn protocol(&self) -> redis::ProtocolVersion {
        if self.resp3 { redis::ProtocolVersion::RESP3 } else { redis::ProtocolVersion::RESP2 }
    }

    pub(super) fn address(&self, host: &Host) -> redis::ConnectionAddr {
        let (host, port) = (host.name.clone(), host.port);
        if self.tls {
            redis::ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
        } else {
            redis::ConnectionAddr::Tcp(host, port)
        }
    }

    pub(super) fn info(&self, address: redis::ConnectionAddr) -> Result<redis::ConnectionInfo, redis::RedisError> {
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

    /// A client for one server.
    pub(super) fn client(&self, address: redis::ConnectionAddr) -> Result<redis::Client, Error> {
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
    pub(super) fn certificates(&self) -> Result<redis::TlsCertificates, Error> {
        // redis-rs uses the process's provider, and panics if there is none and it cannot tell which one to take.
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // It only fails if another thread has just installed one.
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
                let problem = "name only one of `cert` and `key`; a client's certificate needs both".to_owned();
                return Err(Error::Url { part: "parameters", problem });
            }
        };
        let root_cert = self.ca.as_ref().map(|ca| read(ca, "parameter `ca`")).transpose()?;
        Ok(redis::TlsCertificates { client_tls, root_cert })
    }

    #[cfg(feature = "cluster")]
    pub(super) fn cluster(&self, nodes: &[Host]) -> Result<redis::cluster::ClusterClient, Error> {
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
    pub(super) fn sentinel(&self, sentinels: &[Host], master: &str) -> Result<redis::sentinel::SentinelClient, Error> {
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

/// The error of a cluster connection. redis-rs repeats commands there: a node that refuses the connection may be the second
/// one that a command went to, so a refusal does not show that nothing was carried out.
#[cfg(feature = "cluster")]
pub(super) fn repeated(error: redis::RedisError) -> redis::RedisError {
    if error.is_connection_refusal() {
        std::io::Error::new(std::io::ErrorKind::ConnectionAborted, "a node of the cluster refused the connection")
            .into()
    } else {
        error
    }
}

/// True if a connection cannot be used after this error: its next reply could be a late one, or it leads to the wrong
/// server.
pub(super) fn ends_connection(error: &redis::RedisError) -> bool {
    error.is_timeout()
        || error.is_io_error()
        || error.is_unrecoverable_error()
        || error.kind() == redis::ErrorKind::Parse
        || error.kind() == redis::ErrorKind::Server(redis::ServerErrorKind::ReadOnly)
}

/// True if a connection cannot be used after this reply: a server that has become a replica says so in its replies.
pub(super) fn ends_with(reply: &redis::Value) -> bool {
    match reply {
        redis::Value::ServerError(error) => error.kind() == Some(redis::ServerErrorKind::ReadOnly),
        redis::Value::Array(replies) => replies.iter().any(ends_with),
        _ => false,
    }
}
