//! Async streams to a server: TCP, TLS or a Unix socket.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

use crate::open::options::Host;
use crate::open::socket::{Address, waiting};

pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

pub(super) struct Stream {
    pub(super) io: Box<dyn Duplex>,
    /// True if a write that fails can have sent more than it says: tokio-rustls writes record after record, and its error
    /// does not tell how many.
    pub(super) is_encrypted: bool,
}

impl Stream {
    pub(super) fn new(io: impl Duplex + 'static, is_encrypted: bool) -> Self {
        Self { io: Box::new(io), is_encrypted }
    }
}

/// Connects. The caller limits the time.
pub(super) async fn connect(address: &Address, deadline: Instant) -> io::Result<Stream> {
    match address {
        Address::Tcp(host) => Ok(Stream::new(tcp(host, deadline).await?, false)),
        #[cfg(all(feature = "tls-rustls", feature = "tokio-rustls-comp"))]
        Address::Tls(host, config) => {
            let name = rustls::pki_types::ServerName::try_from(host.name.clone());
            let name = name.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
            let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::clone(config));
            Ok(Stream::new(connector.connect(name, tcp(host, deadline).await?).await?, true))
        }
        #[cfg(all(feature = "tls-rustls", not(feature = "tokio-rustls-comp")))]
        Address::Tls(..) => Err(io::Error::new(io::ErrorKind::Unsupported, "needs the feature `tokio-rustls-comp`")),
        #[cfg(unix)]
        Address::Unix(path) => Ok(Stream::new(tokio::net::UnixStream::connect(path).await?, false)),
        #[cfg(not(unix))]
        Address::Unix(_) => Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no Unix sockets")),
    }
}

/// Connects to one address of the host after the other, each for its share of the time.
async fn tcp(host: &Host, deadline: Instant) -> io::Result<TcpStream> {
    let addresses: Vec<_> = lookup_host((host.name.trim_matches(['[', ']']), host.port)).await?.collect();
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for (at, address) in addresses.iter().enumerate() {
        let now = Instant::now();
        let share = now + deadline.saturating_duration_since(now) / waiting(&addresses, at);
        match timeout_at(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Otherwise small commands wait for one another.
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Err(error)) => failed = error,
            Err(_) => failed = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(failed)
}
