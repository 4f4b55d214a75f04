//! A blocking connection that is opened anew where the one before was lost, to a server or to the master that Sentinels name.

use std::io;
use std::time::Duration;

use redis::{ErrorKind, RedisError, RedisResult};

use crate::command::packed::{Arguments, unpack};
use crate::command::received::Received;
use crate::open::clients::ends_with;
use crate::open::deadline::Deadline;
use crate::open::failed::CallFailed;
use crate::open::login::Login;
use crate::open::node::Node;
use crate::open::options::Options;
use crate::open::resp::Values;
use crate::open::sentinels::Sentinels;
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
    /// `None` for a node of a cluster, where each call brings its own, in which it also has to be connected.
    response_timeout: Option<Duration>,
    node: Option<Node>,
    watch: Watch,
}

/// Whether `WATCH` was sent, since that is lost with its connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Watch {
    None,
    Watching,
    Lost,
}

/// Where the server is.
pub(super) enum Source {
    Server(Address),
    /// Asked again for each connection: the master may have changed.
    Sentinel(Box<Sentinels>),
}

impl Reconnecting {
    pub(super) fn open(source: Source, options: &Options) -> RedisResult<Self> {
        let mut this = Self {
            source,
            login: Login::new(options),
            database: options.database,
            connect_timeout: options.connect_timeout,
            response_timeout: Some(options.response_timeout),
            node: None,
            watch: Watch::None,
        };
        this.node = Some(this.connect(this.connect_timeout)?);
        Ok(this)
    }

    /// A connection to a node of a cluster, which is opened by the first call.
    pub(super) fn to_node(address: Address, login: &Login, connect_timeout: Duration) -> Self {
        let (source, login) = (Source::Server(address), login.clone());
        let (node, watch) = (None, Watch::None);
        Self { source, login, database: 0, connect_timeout, response_timeout: None, node, watch }
    }

    pub(super) fn is_open(&self) -> bool {
        self.node.is_some()
    }

    pub(super) fn database(&self) -> i64 {
        self.database
    }

    fn connect(&mut self, timeout: Duration) -> RedisResult<Node> {
        match &mut self.source {
            Source::Server(address) => Node::connect(address, &self.login, false, timeout),
            Source::Sentinel(sentinels) => sentinels.connect(&self.login, timeout),
        }
    }

    /// Sends packed commands, and returns `count` replies after the first `offset`. An error among those fails them all.
    pub(super) fn call(&mut self, packed: &[u8], offset: usize, count: usize) -> RedisResult<Values> {
        wanted(self.call_all(packed, offset + count)?.into_values(), offset, count)
    }

    /// Sends packed commands, and returns what is received.
    pub(super) fn call_all(&mut self, packed: &[u8], count: usize) -> RedisResult<Received> {
        let deadline = Deadline::after(self.response_timeout.unwrap_or(self.connect_timeout));
        let sent = self.send(packed, count, deadline).map_err(CallFailed::into_error)?;
        self.receive(sent, packed, count, deadline).map_err(CallFailed::into_error)
    }

    /// Sends packed commands. [`receive`](Self::receive) must follow, with as many replies.
    pub(super) fn send(&mut self, packed: &[u8], count: usize, deadline: Deadline) -> Result<Sent, CallFailed> {
        if let Source::Sentinel(sentinels) = &mut self.source
            && sentinels.have_switched(self.connect_timeout)
        {
            self.node = None;
        }
        self.needs_watch(packed)?;
        let was_sent = match &mut self.node {
            None => None,
            Some(node) => match node.send(packed, count, deadline) {
                Ok(()) => Some(Sent { was_open: true, deadline }),
                Err(failed) => {
                    self.give_up(failed, |failed| !failed.is_in_doubt())?;
                    None
                }
            },
        };
        let sent = match was_sent {
            Some(sent) => sent,
            None => self.open_and_send(packed, count, deadline)?,
        };
        if self.watch == Watch::None && begins_with(packed, b"$5\r\nWATCH\r\n") {
            self.watch = Watch::Watching;
        } else if [&b"$5\r\nMULTI\r\n"[..], b"$7\r\nUNWATCH\r\n", b"$7\r\nDISCARD\r\n"]
            .iter()
            .any(|name| begins_with(packed, name))
        {
            self.watch = Watch::None;
        }
        Ok(sent)
    }

    /// Refuses a transaction after the connection that watched for it was lost: another client may have written meanwhile.
    fn needs_watch(&mut self, packed: &[u8]) -> Result<(), CallFailed> {
        if self.watch != Watch::Lost || !begins_with(packed, b"$5\r\nMULTI\r\n") {
            return Ok(());
        }
        self.watch = Watch::None;
        let problem = "the connection that has watched keys was lost: nothing was carried out, begin with WATCH again";
        Err(CallFailed::not_sent(io::Error::new(io::ErrorKind::NotConnected, problem).into()))
    }

    /// Reads the replies to what was sent.
    pub(super) fn receive(
        &mut self,
        sent: Sent,
        packed: &[u8],
        count: usize,
        deadline: Deadline,
    ) -> Result<Received, CallFailed> {
        let received = match self.read(count, self.until(sent, deadline)) {
            Ok(received) => received,
            Err(failed) => {
                let can_repeat =
                    |failed: &CallFailed| sent.was_open && failed.error.is_io_error() && only_reads(packed);
                self.give_up(failed, can_repeat)?;
                let sent = self.open_and_send(packed, count, deadline)?;
                self.read(count, self.until(sent, deadline)).inspect_err(|_| self.node = None)?
            }
        };
        if received.values().any(ends_with) {
            self.node = None;
        }
        Ok(received)
    }

    /// Drops the connection. Returns the failure, unless the call may be tried on a new one.
    fn give_up(&mut self, failed: CallFailed, can_repeat: impl Fn(&CallFailed) -> bool) -> Result<(), CallFailed> {
        self.node = None;
        if !failed.error.is_timeout() && can_repeat(&failed) {
            return Ok(());
        }
        // The caller hears of it.
        self.watch = Watch::None;
        Err(failed)
    }

    fn open_and_send(&mut self, packed: &[u8], count: usize, deadline: Deadline) -> Result<Sent, CallFailed> {
        needs_no_past(packed)?;
        if self.watch == Watch::Watching {
            self.watch = Watch::Lost;
        }
        self.needs_watch(packed)?;
        let timeout = match self.response_timeout {
            Some(_) => Ok(self.connect_timeout),
            None => deadline.left().map(|left| left.min(self.connect_timeout)),
        };
        let node = timeout.map_err(RedisError::from).and_then(|timeout| self.connect(timeout));
        let node = node.map_err(CallFailed::not_connected)?;
        // Connecting has its own time.
        let deadline = self.response_timeout.map_or(deadline, Deadline::after);
        self.node.insert(node).send(packed, count, deadline).inspect_err(|_| self.node = None)?;
        Ok(Sent { was_open: false, deadline })
    }

    /// By when the replies have to be there: what was only just opened has its time from then on, unless the caller keeps it.
    fn until(&self, sent: Sent, deadline: Deadline) -> Deadline {
        if self.response_timeout.is_some() { sent.deadline } else { deadline }
    }

    fn read(&mut self, count: usize, deadline: Deadline) -> Result<Received, CallFailed> {
        let ended = || CallFailed::in_doubt(io::Error::from(io::ErrorKind::ConnectionAborted).into());
        self.node.as_mut().ok_or_else(ended)?.receive(count, deadline)
    }
}

/// Takes the replies after the first `offset`, as a caller wants them.
pub(super) fn wanted(mut replies: Values, offset: usize, count: usize) -> RedisResult<Values> {
    if replies.len() != offset + count {
        return Err((ErrorKind::Client, "the commands have another number of replies").into());
    }
    for reply in replies.drain(..offset) {
        reply.extract_error()?;
    }
    Ok(replies)
}

/// Shows that commands were sent.
#[derive(Clone, Copy)]
pub(super) struct Sent {
    /// True if the connection was open before: the server may have closed it meanwhile.
    was_open: bool,
    /// By when the replies have to be there.
    deadline: Deadline,
}

#[cfg(feature = "tokio-comp")]
pub(super) fn timed_out() -> RedisError {
    io::Error::from(io::ErrorKind::TimedOut).into()
}

/// Refuses a `WAIT` on a new connection: Redis answers it for what was written on the same one.
pub(super) fn needs_no_past(packed: &[u8]) -> Result<(), CallFailed> {
    if !packed.starts_with(b"*3\r\n$4\r\nWAIT\r\n") {
        return Ok(());
    }
    let problem = "the connection that has written was lost, and WAIT says nothing of it on another one";
    // In doubt, so that nobody takes it for worth trying again.
    Err(CallFailed::in_doubt(io::Error::new(io::ErrorKind::ConnectionAborted, problem).into()))
}

/// True if the first of some packed commands has this name, which is packed too.
fn begins_with(packed: &[u8], name: &[u8]) -> bool {
    let at = packed.iter().take(16).position(|byte| *byte == b'$');
    at.and_then(|at| packed.get(at..at + name.len())).is_some_and(|first| first.eq_ignore_ascii_case(name))
}

/// True if each of some packed commands only reads.
pub(super) fn only_reads(mut packed: &[u8]) -> bool {
    const READS: [&[u8]; 16] = [
        b"HGET", b"HMGET", b"HGETALL", b"HKEYS", b"HVALS", b"HLEN", b"HEXISTS", b"HSTRLEN", b"HSCAN", b"HTTL",
        b"HPTTL", b"EXISTS", b"TYPE", b"TTL", b"PTTL", b"SCAN",
    ];
    let mut arguments = Arguments::new();
    while !packed.is_empty() {
        let Some(()) = unpack(&mut packed, &mut arguments) else { return false };
        let Some(name) = arguments.first() else { return false };
        // It goes before a read that another node has redirected.
        if !READS.iter().any(|read| read.eq_ignore_ascii_case(name)) && !name.eq_ignore_ascii_case(b"ASKING") {
            return false;
        }
    }
    true
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
