//! A server that answers as a test says, for what real servers do too seldom or never.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// A server on loopback. It lasts as long as the process.
#[derive(Clone)]
pub struct Fake {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// Starts a server that logs everybody in and answers each other command as `answer` says: with these bytes, or `None` to
    /// close the connection. It gets the arguments of the command, with spaces between them.
    ///
    /// # Panics
    ///
    /// Panics if there is no free port.
    #[must_use]
    pub fn start(answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self::bound(|_| answer)
    }

    /// Starts a server whose answers name its own address.
    ///
    /// # Panics
    ///
    /// Panics if there is no free port.
    #[must_use]
    pub fn bound<A: Fn(&str) -> Option<String> + Send + Sync + 'static>(make: impl FnOnce(SocketAddr) -> A) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (answer, asked) = (Arc::new(make(address)), Arc::new(Mutex::new(Vec::new())));
        let this = Self { address, asked: Arc::clone(&asked) };
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (answer, asked) = (Arc::clone(&answer), Arc::clone(&asked));
                // It ends with an error where the client goes away.
                std::thread::spawn(move || serve(&connection, &*answer, &asked));
            }
        });
        this
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How often it was sent a command that begins with this.
    #[must_use]
    pub fn count(&self, command: &str) -> usize {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().filter(|asked| asked.starts_with(command)).count()
    }
}

fn serve(
    connection: &TcpStream,
    answer: &dyn Fn(&str) -> Option<String>,
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let (mut reader, mut writer) = (BufReader::new(connection), connection);
    loop {
        let command = (0..number(&mut reader)?)
            .map(|_| {
                let mut arg = vec![0; number(&mut reader)? + 2];
                reader.read_exact(&mut arg)?;
                Ok(String::from_utf8_lossy(&arg[..arg.len() - 2]).into_owned())
            })
            .collect::<std::io::Result<Vec<_>>>()?
            .join(" ");
        asked.lock().unwrap_or_else(PoisonError::into_inner).push(command.clone());
        let answer = match &*command {
            "PING" => Some("+PONG\r\n".to_owned()),
            info if info.starts_with("CLIENT SETINFO") => Some("+OK\r\n".to_owned()),
            other => answer(other),
        };
        let Some(answer) = answer else { return connection.shutdown(std::net::Shutdown::Both) };
        writer.write_all(answer.as_bytes())?;
    }
}

/// Reads a line such as `*3` or `$5`.
fn number(reader: &mut impl BufRead) -> std::io::Result<usize> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    line.get(1..).and_then(|number| number.trim().parse().ok()).ok_or_else(|| std::io::ErrorKind::InvalidData.into())
}
