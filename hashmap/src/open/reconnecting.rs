//! A blocking connection that is opened anew where the one before was lost, to a server or to the master that Sentinels name.

use std::io;
use std::time::Duration;

use redis::{ErrorKind, RedisResult};

use crate::command::received::Received;
use crate::open::clients::ends_with;
use crate::open::deadline::Deadline;
use crate::open::failed::CallFailed;
use crate::open::login::Login;
use crate::open::node::Node;
use crate::open::options::Options;
use crate::open::past::{Past, all_need_no_state, only_reads};
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
    past: Past,
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
            past: Past::default(),
        };
        this.node = Some(this.connect(this.connect_timeout)?);
        this.past.opens();
        Ok(this)
    }

    /// A connection to a node of a cluster, which is opened by the first call.
    pub(super) fn to_node(address: Address, login: &Login, connect_timeout: Duration) -> Self {
        let (source, login) = (Source::Server(address), login.clone());
        let (node, past) = (None, Past::default());
        Self { source, login, database: 0, connect_timeout, response_timeout: None, node, past }
    }

    pub(super) fn is_open(&self) -> bool {
        self.node.is_some()
    }

    /// True if there is a connection, which the server has not closed. Looks at most every 10 ms.
    pub(super) fn is_ready(&mut self) -> bool {
        self.node.as_mut().is_some_and(Node::is_quiet)
    }

    /// True if a connection was ever opened.
    pub(super) fn has_been_open(&self) -> bool {
        self.past.has_been_open()
    }

    /// Notes in another past what is lost with this one.
    pub(super) fn leave_to(&self, past: &mut Past) {
        past.inherit(&self.past);
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
        all_need_no_state(packed, offset + count)?;
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
            && sentinels.have_switched(deadline)
        {
            self.node = None;
        }
        let told = self.past.allows(packed)?;
        let was_sent = match &mut self.node {
            None => None,
            Some(node) => match node.send(packed, count, deadline) {
                Ok(()) => {
                    self.past.note(told);
                    Some(Sent { was_open: true, deadline })
                }
                Err(failed) => {
                    self.give_up(failed, |failed| !failed.is_in_doubt())?;
                    None
                }
            },
        };
        match was_sent {
            Some(sent) => Ok(sent),
            None => self.open_and_send(packed, count, deadline),
        }
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
        self.past.is_told();
        Err(failed)
    }

    fn open_and_send(&mut self, packed: &[u8], count: usize, deadline: Deadline) -> Result<Sent, CallFailed> {
        // Connecting has its own time, unless the caller keeps it; what was spent before counts.
        let left = deadline.left().map_err(|error| CallFailed::not_connected(error.into()))?;
        let keeps_time = self.response_timeout.is_none();
        let node = self.connect(if keeps_time { left.min(self.connect_timeout) } else { self.connect_timeout });
        let node = node.map_err(CallFailed::not_connected)?;
        let node = self.node.insert(node);
        self.past.opens();
        let told = self.past.allows(packed)?;
        let deadline = if keeps_time { deadline } else { Deadline::after(left) };
        node.send(packed, count, deadline).inspect_err(|_| self.node = None)?;
        self.past.note(told);
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
