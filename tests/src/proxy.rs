//! A proxy on loopback that breaks connections on command.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// What a proxy does with the bytes of its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Hands them on.
    Pass,
    /// Takes them and hands nothing on, in neither direction: a connection that has died without a word. It never goes on.
    Swallow,
    /// Takes nothing more, so that who writes has to wait.
    Stall,
    /// Hands requests on, and keeps the replies to itself, from then on.
    KeepReplies,
    /// Hands requests on, and closes the connection in place of the reply.
    CloseInsteadOfReply,
    /// Hands replies on byte by byte, with a pause after each.
    Drip,
    /// Closes each new connection at once.
    Refuse,
}

/// A proxy in front of a server. It ends when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    mode: Mutex<Mode>,
    changed: Condvar,
    connections: Mutex<Vec<(TcpStream, TcpStream)>>,
    accepted: AtomicUsize,
    open: AtomicUsize,
    has_ended: AtomicBool,
}

impl Proxy {
    /// Starts a proxy in front of the server at an address such as `127.0.0.1:6379`.
    ///
    /// # Panics
    ///
    /// Panics if there is no free port.
    #[must_use]
    pub fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            mode: Mutex::new(Mode::Pass),
            changed: Condvar::new(),
            connections: Mutex::default(),
            accepted: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            has_ended: AtomicBool::new(false),
        });
        let (server, accepting) = (server.to_owned(), Arc::clone(&shared));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if accepting.has_ended.load(Ordering::Relaxed) {
                    return;
                }
                accepting.accept(client, &server);
            }
        });
        Self { address, shared }
    }

    /// A Unix socket that leads to it.
    ///
    /// # Panics
    ///
    /// Panics if there can be none.
    #[cfg(unix)]
    #[must_use]
    pub fn unix(&self) -> std::path::PathBuf {
        use std::os::unix::net::UnixListener;
        let name = format!("redis-hashmap-proxy-{}-{}.sock", std::process::id(), self.address.port());
        let (path, address) = (std::env::temp_dir().join(name), self.address);
        // A process of the same number may have left it.
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).expect("a socket");
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(proxy) = TcpStream::connect(address) else { return };
                let (Ok(mut client_too), Ok(mut proxy_too)) = (client.try_clone(), proxy.try_clone()) else { return };
                let (mut client, mut proxy) = (client, proxy);
                std::thread::spawn(move || {
                    // It ends when one of both does, and ends the other.
                    let _ = (std::io::copy(&mut client, &mut proxy), proxy.shutdown(Shutdown::Both));
                });
                std::thread::spawn(move || {
                    let _ = (std::io::copy(&mut proxy_too, &mut client_too), client_too.shutdown(Shutdown::Both));
                });
            }
        });
        path
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets what it does from now on.
    pub fn set(&self, mode: Mode) {
        *lock(&self.shared.mode) = mode;
        self.shared.changed.notify_all();
    }

    /// Closes all connections that are open now.
    pub fn cut(&self) {
        for (client, server) in lock(&self.shared.connections).drain(..) {
            // It may be closed already.
            let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
        }
    }

    /// How many connections it has accepted.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::Relaxed)
    }

    /// How many connections are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.shared.open.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.has_ended.store(true, Ordering::Relaxed);
        self.set(Mode::Pass);
        self.cut();
        // The thread that accepts sees that it has ended.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn accept(self: &Arc<Self>, client: TcpStream, server: &str) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
        if *lock(&self.mode) == Mode::Refuse {
            return;
        }
        let Ok(server) = TcpStream::connect(server) else { return };
        let clones = (client.try_clone(), server.try_clone(), client.try_clone(), server.try_clone());
        let (Ok(client_too), Ok(server_too), Ok(kept), Ok(kept_too)) = clones else { return };
        // What is small must not wait.
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        lock(&self.connections).push((kept, kept_too));
        self.open.fetch_add(1, Ordering::Relaxed);
        let (requests, replies) = (Arc::clone(self), Arc::clone(self));
        std::thread::spawn(move || {
            requests.pump(client, server, true);
            requests.open.fetch_sub(1, Ordering::Relaxed);
        });
        std::thread::spawn(move || replies.pump(server_too, client_too, false));
    }

    fn pump(&self, mut from: TcpStream, mut to: TcpStream, are_requests: bool) {
        let mut buffer = vec![0; 64 << 10];
        // A connection never goes on behind bytes that were lost: those that follow would be taken for what they are not.
        let mut has_lost = false;
        loop {
            drop(self.changed.wait_while(lock(&self.mode), |mode| *mode == Mode::Stall));
            let Ok(count @ 1..) = from.read(&mut buffer) else { break };
            let mode = *lock(&self.mode);
            has_lost |= mode == Mode::Swallow || (mode == Mode::KeepReplies && !are_requests);
            let handed_on = match mode {
                _ if has_lost => Ok(()),
                Mode::CloseInsteadOfReply if !are_requests => break,
                Mode::Drip if !are_requests => buffer[..count].iter().try_for_each(|byte| {
                    std::thread::sleep(Duration::from_millis(20));
                    to.write_all(&[*byte])
                }),
                _ => to.write_all(&buffer[..count]),
            };
            if handed_on.is_err() {
                break;
            }
        }
        // It may be closed already.
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
