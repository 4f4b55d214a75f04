//! Blocking sockets, of which no call lasts longer than its deadline.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use crate::open::deadline::Deadline;
use crate::open::options::Host;

/// Where a server is.
#[derive(Clone)]
pub(super) enum Address {
    Tcp(Host),
    #[cfg(feature = "tls-rustls")]
    Tls(Host, Arc<rustls::ClientConfig>),
    Unix(PathBuf),
}

impl Address {
    /// The address of another server that is reached in the same way.
    pub(super) fn of(&self, host: &Host) -> Self {
        match self {
            #[cfg(feature = "tls-rustls")]
            Self::Tls(_, config) => Self::Tls(host.clone(), Arc::clone(config)),
            _ => Self::Tcp(host.clone()),
        }
    }
}

/// A connected socket.
pub(super) enum Socket {
    Tcp(Timed<TcpStream>),
    #[cfg(unix)]
    Unix(Timed<UnixStream>),
    #[cfg(feature = "tls-rustls")]
    Tls(Box<rustls::StreamOwned<rustls::ClientConnection, Timed<TcpStream>>>),
}

/// A socket whose time-outs are set by the deadline of the call.
pub(super) struct Timed<S> {
    stream: S,
    deadline: Option<Deadline>,
    /// The time-outs that the system has for it. Setting one is a system call, which most calls need not make.
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
}

/// By how much a call may outlast its deadline.
const TOLERANCE: Duration = Duration::from_millis(2);

impl Socket {
    pub(super) fn connect(address: &Address, deadline: Deadline) -> io::Result<Self> {
        match address {
            Address::Tcp(host) => Ok(Self::Tcp(Timed::new(tcp(host, deadline)?))),
            #[cfg(feature = "tls-rustls")]
            Address::Tls(host, config) => {
                let name = rustls::pki_types::ServerName::try_from(host.name.clone());
                let name = name.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
                let config = Arc::clone(config);
                let session = rustls::ClientConnection::new(config, name).map_err(io::Error::other)?;
                let mut stream = rustls::StreamOwned::new(session, Timed::new(tcp(host, deadline)?));
                stream.sock.deadline = Some(deadline);
                while stream.conn.is_handshaking() {
                    stream.conn.complete_io(&mut stream.sock)?;
                }
                Ok(Self::Tls(Box::new(stream)))
            }
            #[cfg(unix)]
            // One whose server takes no more connections keeps its caller waiting.
            Address::Unix(path) => {
                let path = path.clone();
                Ok(Self::Unix(Timed::new(within(deadline, move || UnixStream::connect(path))?)))
            }
            #[cfg(not(unix))]
            Address::Unix(_) => Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no Unix sockets")),
        }
    }

    /// Sets by when the reads and writes that follow have to end.
    pub(super) fn set_deadline(&mut self, deadline: Option<Deadline>) {
        match self {
            Self::Tcp(socket) => socket.deadline = deadline,
            #[cfg(unix)]
            Self::Unix(socket) => socket.deadline = deadline,
            #[cfg(feature = "tls-rustls")]
            Self::Tls(stream) => stream.sock.deadline = deadline,
        }
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.read(buffer),
            #[cfg(unix)]
            Self::Unix(socket) => socket.read(buffer),
            #[cfg(feature = "tls-rustls")]
            Self::Tls(stream) => stream.read(buffer),
        }
    }

    /// Reads what has come in already, without waiting. Returns `None` if nothing has.
    pub(super) fn read_now(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        self.set_nonblocking(true)?;
        self.set_deadline(None);
        let read = match self.read(buffer) {
            Ok(count) => Ok(Some(count)),
            // What `Timed` makes of `WouldBlock`.
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Ok(None),
            Err(error) => Err(error),
        };
        self.set_nonblocking(false)?;
        read
    }

    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.stream.set_nonblocking(nonblocking),
            #[cfg(unix)]
            Self::Unix(socket) => socket.stream.set_nonblocking(nonblocking),
            #[cfg(feature = "tls-rustls")]
            Self::Tls(stream) => stream.sock.stream.set_nonblocking(nonblocking),
        }
    }

    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.write_all(bytes),
            #[cfg(unix)]
            Self::Unix(socket) => socket.write_all(bytes),
            #[cfg(feature = "tls-rustls")]
            Self::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
        }
    }
}

/// Connects to one address of the host after the other, each for its share of the time.
fn tcp(host: &Host, deadline: Deadline) -> io::Result<TcpStream> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    let addresses = resolve(host, deadline)?;
    for (at, address) in addresses.iter().enumerate() {
        match TcpStream::connect_timeout(address, deadline.left()? / waiting(&addresses, at)) {
            Ok(stream) => {
                // Otherwise small commands wait for one another.
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// How many are left to be tried, from this one on.
pub(super) fn waiting<T>(all: &[T], at: usize) -> u32 {
    u32::try_from(all.len() - at).unwrap_or(u32::MAX)
}

/// Looks up the addresses of a host.
fn resolve(host: &Host, deadline: Deadline) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.name.trim_matches(['[', ']']).parse() {
        return Ok(vec![SocketAddr::new(address, host.port)]);
    }
    let host = host.clone();
    within(deadline, move || Ok((&*host.name, host.port).to_socket_addrs()?.collect()))
}

/// Does what the system has no time-out for, such as a look-up, on a thread of its own. Nobody awaits it any longer after the
/// deadline.
fn within<T: Send + 'static>(
    deadline: Deadline,
    run: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    // The threads that are alive share it. Where look-ups hang, their threads must not become ever more.
    static ALIVE: Mutex<Option<Arc<()>>> = Mutex::new(None);
    const MOST: usize = 64;
    let alive = Arc::clone(ALIVE.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default());
    if Arc::strong_count(&alive) > MOST + 1 {
        return Err(io::Error::new(io::ErrorKind::TimedOut, "64 earlier look-ups of hosts have not ended"));
    }
    let (sender, receiver) = mpsc::channel();
    std::thread::Builder::new().name("redis-hashmap opening".to_owned()).spawn(move || {
        // The caller may have stopped waiting.
        let _ = sender.send(run());
        drop(alive);
    })?;
    receiver.recv_timeout(deadline.left()?).unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

impl<S> Timed<S> {
    fn new(stream: S) -> Self {
        Self { stream, deadline: None, read_timeout: None, write_timeout: None }
    }
}

/// The time-out to set, if the one that is set lets a call last too long or not long enough.
fn timeout(deadline: Option<Deadline>, set: Option<Duration>) -> io::Result<Option<Duration>> {
    let Some(deadline) = deadline else { return Ok(None) };
    let left = deadline.left()?;
    let fits = set.is_some_and(|set| set >= left && set.saturating_sub(left) < TOLERANCE);
    // With some room, so that the next call, a microsecond faster or slower, can leave it as it is.
    Ok((!fits).then_some(left + TOLERANCE / 2))
}

/// A time-out as such: the system calls it `WouldBlock`.
fn named(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock { io::ErrorKind::TimedOut.into() } else { error }
}

macro_rules! timed {
    ($stream:ty) => {
        impl Read for Timed<$stream> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                loop {
                    if let Some(timeout) = timeout(self.deadline, self.read_timeout)? {
                        self.stream.set_read_timeout(Some(timeout))?;
                        self.read_timeout = Some(timeout);
                    }
                    match self.stream.read(buffer) {
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        read => return read.map_err(named),
                    }
                }
            }
        }

        impl Write for Timed<$stream> {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                if let Some(timeout) = timeout(self.deadline, self.write_timeout)? {
                    self.stream.set_write_timeout(Some(timeout))?;
                    self.write_timeout = Some(timeout);
                }
                self.stream.write(bytes).map_err(named)
            }

            fn flush(&mut self) -> io::Result<()> {
                self.stream.flush()
            }
        }
    };
}

timed!(TcpStream);
#[cfg(unix)]
timed!(UnixStream);

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Condvar, Mutex};
    use std::time::Duration;

    use super::within;
    use crate::open::deadline::Deadline;

    /// Look-ups that hang leave so many threads and no more, and none once they have ended.
    #[test]
    fn what_hangs_leaves_no_threads_without_end() {
        let has_ended = Arc::new((Mutex::new(false), Condvar::new()));
        let hang = || {
            let has_ended = Arc::clone(&has_ended);
            within(Deadline::after(Duration::from_millis(1)), move || {
                drop(has_ended.1.wait_while(has_ended.0.lock().expect("nothing panics"), |has_ended| !*has_ended));
                Ok(())
            })
        };
        let errors: Vec<_> = (0..70).map(|_| hang().expect_err("it hangs")).collect();
        assert!(errors.iter().all(|error| error.kind() == io::ErrorKind::TimedOut));
        let refused = errors.iter().filter(|error| error.to_string().contains("64 earlier look-ups")).count();
        assert!(refused >= 6, "{refused}");
        *has_ended.0.lock().expect("nothing panics") = true;
        has_ended.1.notify_all();
        while within(Deadline::after(Duration::from_secs(20)), || Ok(())).is_err() {
            std::thread::yield_now();
        }
    }
}
