//! A blocking connection that is opened anew where the one before was lost, to a server or to the master that Sentinels name.

use std::io;
use std::time::Duration;

use redis::{ErrorKind, RedisError, RedisResult, Value};

use crate::open::clients::ends_with;
use crate::open::deadline::Deadline;
#[cfg(all(feature = "sentinel", feature = "tokio-comp"))]
use crate::open::driver::AsyncNode;
use crate::open::login::Login;
use crate::open::node::{CallFailed, Node};
#[cfg(feature = "sentinel")]
use crate::open::options::Host;
use crate::open::options::Options;
use crate::open::socket::Address;

/// Drops its connection after any failure that leaves it in doubt. The next call opens a new one.
///
/// What was sent whole is not sent again, because it may have been carried out; what only reads is, once, if the connection
/// was closed.
pub(super) struct Reconnecting {
    source: Source,
    login: Login,
    database: i64,
    connect_timeout: Duration,
    response_timeout: Duration,
    node: Option<Node>,
}

/// Where the server is.
pub(super) enum Source {
    Server(Address),
    /// Asked again for each connection: the master may have changed.
    #[cfg(feature = "sentinel")]
    Sentinel(Sentinels),
}

impl Reconnecting {
    pub(super) fn open(source: Source, options: &Options) -> RedisResult<Self> {
        let mut this = Self {
            source,
            login: Login::new(options),
            database: options.database,
            connect_timeout: options.connect_timeout,
            response_timeout: options.response_timeout,
            node: None,
        };
        this.node = Some(this.connect()?);
        Ok(this)
    }

    pub(super) fn database(&self) -> i64 {
        self.database
    }

    fn connect(&mut self) -> RedisResult<Node> {
        match &mut self.source {
            Source::Server(address) => Node::connect(address, &self.login, false, self.connect_timeout),
            #[cfg(feature = "sentinel")]
            Source::Sentinel(sentinels) => sentinels.connect(&self.login, self.connect_timeout),
        }
    }

    /// Sends one packed command.
    pub(super) fn call_one(&mut self, packed: &[u8]) -> RedisResult<Value> {
        let reply = self.call(packed, 0, 1)?.pop();
        reply.ok_or_else(|| RedisError::from((ErrorKind::UnexpectedReturnType, "there is no reply")))
    }

    /// Sends packed commands, and returns `count` replies after the first `offset`. An error among those fails them all.
    pub(super) fn call(&mut self, packed: &[u8], offset: usize, count: usize) -> RedisResult<Vec<Value>> {
        let deadline = Deadline::after(self.response_timeout);
        let mut replies = self.send(packed, offset + count, deadline)?;
        if replies.iter().any(ends_with) {
            self.node = None;
        }
        for reply in replies.drain(..offset) {
            reply.extract_error()?;
        }
        Ok(replies)
    }

    fn send(&mut self, packed: &[u8], count: usize, deadline: Deadline) -> RedisResult<Vec<Value>> {
        let mut was_open = self.node.is_some();
        loop {
            let mut node = match self.node.take() {
                Some(node) => node,
                None => self.connect().map_err(not_connected)?,
            };
            let CallFailed { error, unsent: is_unsent } = match node.call(packed, count, deadline) {
                Ok(replies) => {
                    self.node = Some(node);
                    return Ok(replies);
                }
                Err(failed) => failed,
            };
            if was_open && !error.is_timeout() && (is_unsent || (error.is_io_error() && only_reads(packed))) {
                was_open = false;
            } else {
                return Err(if is_unsent { not_sent(error) } else { error });
            }
        }
    }
}

/// Marks the failure to connect as one after which nothing was carried out.
pub(super) fn not_connected(error: RedisError) -> RedisError {
    // A refused connection says that by itself.
    if error.is_connection_refusal() { error } else { not_carried_out(error, "no connection could be opened") }
}

/// Marks the failure of a command that was not sent whole as one after which nothing was carried out.
pub(super) fn not_sent(error: RedisError) -> RedisError {
    not_carried_out(error, "the command could not be sent")
}

fn not_carried_out(error: RedisError, what: &str) -> RedisError {
    // What a server answers says that by itself.
    if !error.is_io_error() {
        return error;
    }
    let problem = if error.is_timeout() {
        format!("{what} in time")
    } else {
        let cause = std::error::Error::source(&error).map_or_else(|| "I/O error".to_owned(), ToString::to_string);
        format!("{what}: {cause}")
    };
    io::Error::new(io::ErrorKind::NotConnected, problem).into()
}

#[cfg(feature = "tokio-comp")]
pub(super) fn timed_out() -> RedisError {
    io::Error::from(io::ErrorKind::TimedOut).into()
}

/// True if each of some packed commands only reads.
pub(super) fn only_reads(mut packed: &[u8]) -> bool {
    const READS: [&[u8]; 16] = [
        b"HGET", b"HMGET", b"HGETALL", b"HKEYS", b"HVALS", b"HLEN", b"HEXISTS", b"HSTRLEN", b"HSCAN", b"HTTL",
        b"HPTTL", b"EXISTS", b"TYPE", b"TTL", b"PTTL", b"SCAN",
    ];
    while !packed.is_empty() {
        let Some((name, rest)) = command(packed) else { return false };
        if !READS.iter().any(|read| read.eq_ignore_ascii_case(name)) {
            return false;
        }
        packed = rest;
    }
    true
}

/// The name of the first packed command, and what follows the command.
fn command(packed: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = |bytes: &'_ [u8], mark: u8| {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let number = bytes[..end].strip_prefix(&[mark])?.strip_suffix(b"\r")?;
        Some((std::str::from_utf8(number).ok()?.parse::<usize>().ok()?, end + 1))
    };
    let (count, mut at) = line(packed, b'*')?;
    let mut name = None;
    for _ in 0..count {
        let (len, header) = line(packed.get(at..)?, b'$')?;
        at += header;
        let argument = packed.get(at..at.checked_add(len)?)?;
        name.get_or_insert(argument);
        at += len + 2;
    }
    Some((name?, packed.get(at..)?))
}

/// Sentinels, and the name of the master to ask them for.
#[cfg(feature = "sentinel")]
pub(super) struct Sentinels {
    addresses: Vec<Address>,
    login: Login,
    master: String,
}

#[cfg(feature = "sentinel")]
impl Sentinels {
    pub(super) fn new(options: &Options, addresses: Vec<Address>, master: &str) -> Self {
        Self { addresses, login: Login::of_sentinel(options), master: master.to_owned() }
    }

    /// Connects to the master. One Sentinel after the other is asked, each for its share of the time. Who says of itself
    /// that it is a replica is not the master, whatever a Sentinel says.
    fn connect(&mut self, login: &Login, timeout: Duration) -> RedisResult<Node> {
        let deadline = Deadline::after(timeout);
        let mut failed = None;
        for at in 0..self.addresses.len() {
            let waiting = u32::try_from(self.addresses.len() - at).unwrap_or(u32::MAX);
            let share = deadline.left()? / waiting;
            let connected = self
                .ask(&self.addresses[at], share / 2)
                .and_then(|master| Node::connect(&master, login, true, Ord::min(share, deadline.left()?)));
            match connected {
                Ok(node) => {
                    // The Sentinel that has answered is asked first the next time.
                    self.addresses.swap(0, at);
                    return Ok(node);
                }
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or_else(|| (ErrorKind::InvalidClientConfig, "there are no Sentinels").into()))
    }

    fn ask(&self, sentinel: &Address, timeout: Duration) -> RedisResult<Address> {
        let deadline = Deadline::after(timeout);
        let mut node = Node::connect(sentinel, &self.login, false, timeout)?;
        let answers = node.call(&self.question(), 1, deadline).map_err(|failed| failed.error)?;
        Self::master(sentinel, answers)
    }

    /// Does what [`connect`](Self::connect) does.
    #[cfg(feature = "tokio-comp")]
    pub(super) async fn connect_async(
        &mut self,
        login: &Login,
        timeout: Duration,
        response_timeout: Duration,
    ) -> RedisResult<AsyncNode> {
        let deadline = Deadline::after(timeout);
        let mut failed = None;
        for at in 0..self.addresses.len() {
            let waiting = u32::try_from(self.addresses.len() - at).unwrap_or(u32::MAX);
            let share = deadline.left()? / waiting;
            let connecting = async {
                let sentinel = &self.addresses[at];
                let node = AsyncNode::connect(sentinel, &self.login, false, share / 2, share / 2).await?;
                let answers = node.call(self.question(), 1).await.map_err(|failed| failed.error)?;
                let master = Self::master(sentinel, answers)?;
                AsyncNode::connect(&master, login, true, Ord::min(share, deadline.left()?), response_timeout).await
            };
            match connecting.await {
                Ok(node) => {
                    self.addresses.swap(0, at);
                    return Ok(node);
                }
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or_else(|| (ErrorKind::InvalidClientConfig, "there are no Sentinels").into()))
    }

    fn question(&self) -> Vec<u8> {
        let mut question = redis::cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(&self.master);
        question.get_packed_command()
    }

    fn master(sentinel: &Address, mut answers: Vec<Value>) -> RedisResult<Address> {
        let answer = answers.pop().unwrap_or_default().extract_error()?;
        let Some((name, port)) = redis::from_redis_value::<Option<(String, u16)>>(answer)? else {
            return Err((ErrorKind::MasterNameNotFoundBySentinel, "no Sentinel knows a master of this name").into());
        };
        let host = Host { name, port };
        Ok(match sentinel {
            #[cfg(feature = "tls-rustls")]
            Address::Tls(_, config) => Address::Tls(host, std::sync::Arc::clone(config)),
            _ => Address::Tcp(host),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::only_reads;

    #[test]
    fn what_only_reads_is_known_by_its_name() {
        let packed = |commands: &[&[&str]]| {
            let mut packed = Vec::new();
            for command in commands {
                let mut cmd = redis::Cmd::new();
                cmd.arg(*command).write_packed_command(&mut packed);
            }
            packed
        };
        assert!(only_reads(&packed(&[&["HGET", "k", "f"], &["hlen", "k"], &["HMGET", "k", "HSET\r\n$4\r\nHSET"]])));
        assert!(!only_reads(&packed(&[&["HGET", "k", "f"], &["HSET", "k", "f", "v"]])));
        assert!(!only_reads(&packed(&[&["EVALSHA", "x", "1", "k"]])) && !only_reads(b"*1\r\n") && !only_reads(b"x"));
    }
}
