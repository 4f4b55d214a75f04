//! A blocking connection to one server, of ours: no call outlasts its deadline, and a connection in doubt is never used again.

use std::io;
use std::time::{Duration, Instant};

use redis::{RedisResult, Value};

use crate::command::received::Received;
use crate::open::deadline::Deadline;
use crate::open::failed::CallFailed;
use crate::open::login::Login;
use crate::open::resp::{Replies, Values};
use crate::open::socket::{Address, Socket};

/// After this long without a call, a connection is looked at before it is used: the server may have closed it.
const IDLE: Duration = Duration::from_millis(10);

/// So much that nobody has asked for is read before a call, in pieces of at least 4 KiB.
const MOST_READS: usize = 64;

fn unasked() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the server has sent what nobody has asked for")
}

/// A connection to one server.
pub(super) struct Node {
    socket: Socket,
    replies: Replies,
    used: Instant,
    /// False once a call has failed: its reply may come later, and would be taken for that of another call.
    is_usable: bool,
}

impl Node {
    /// Connects and logs in.
    pub(super) fn connect(address: &Address, login: &Login, to_master: bool, timeout: Duration) -> RedisResult<Self> {
        let deadline = Deadline::after(timeout);
        let socket = Socket::connect(address, deadline)?;
        let mut node = Self { socket, replies: Replies::default(), used: Instant::now(), is_usable: true };
        let (packed, count) = login.packed(to_master);
        let answers = node.call(&packed, count, deadline).map_err(|failed| failed.error)?;
        login.judge(answers, to_master)?;
        Ok(node)
    }

    /// Sends packed commands and reads this many replies.
    pub(super) fn call(&mut self, packed: &[u8], count: usize, deadline: Deadline) -> Result<Values, CallFailed> {
        self.send(packed, count, deadline)?;
        self.receive(count, deadline).map(Received::into_values)
    }

    /// Sends packed commands. [`receive`](Self::receive) must follow, with as many replies.
    pub(super) fn send(&mut self, packed: &[u8], count: usize, deadline: Deadline) -> Result<(), CallFailed> {
        if !std::mem::replace(&mut self.is_usable, false) {
            let error = io::Error::new(io::ErrorKind::NotConnected, "the connection is in doubt since an earlier call");
            return Err(CallFailed::not_sent(error.into()));
        }
        let now = Instant::now();
        if now.duration_since(self.used) >= IDLE {
            self.look().map_err(CallFailed::not_sent)?;
        }
        self.socket.set_deadline(Some(deadline));
        // Where a write fails, whole commands may have gone out before. One command alone was not sent whole.
        let failed = if count == 1 { CallFailed::not_sent } else { CallFailed::in_doubt };
        self.socket.write_all(packed).map_err(|error| failed(error.into()))?;
        self.used = now;
        Ok(())
    }

    /// Reads the replies to what was sent.
    pub(super) fn receive(&mut self, count: usize, deadline: Deadline) -> Result<Received, CallFailed> {
        self.socket.set_deadline(Some(deadline));
        let received = self.replies(count).map_err(CallFailed::in_doubt)?;
        // A reply that nobody has asked for would be taken for the next one.
        self.is_usable = self.drop_pushes().is_ok() && !self.replies.has_begun_reply();
        Ok(received)
    }

    fn replies(&mut self, count: usize) -> RedisResult<Received> {
        let mut received = Received::with_capacity(count.min(1024));
        while received.len() < count {
            if self.replies.receive(&mut received, count == 1)? {
                continue;
            }
            match self.socket.read(self.replies.space(received.has_strings()))? {
                0 => {
                    let closed = "the server has closed the connection";
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, closed).into());
                }
                count => self.replies.filled(count),
            }
        }
        self.replies.hand_over(&mut received);
        Ok(received)
    }

    /// Sees whether the server has closed the connection, or has sent what nobody has asked for.
    fn look(&mut self) -> RedisResult<()> {
        // One that does not stop telling would hold the caller up.
        for _ in 0..MOST_READS {
            match self.socket.read_now(self.replies.space(false))? {
                None if self.replies.has_begun_reply() => return Err(unasked().into()),
                None => return Ok(()),
                Some(0) => {
                    return Err(
                        io::Error::new(io::ErrorKind::NotConnected, "the server has closed the connection").into()
                    );
                }
                Some(count) => {
                    self.replies.filled(count);
                    self.drop_pushes()?;
                }
            }
        }
        Err(unasked().into())
    }

    /// True unless the connection has ended, or something has come that nobody has asked for. Looks at most every 10 ms.
    pub(super) fn is_quiet(&mut self) -> bool {
        let now = Instant::now();
        if now.duration_since(self.used) < IDLE {
            return self.is_usable;
        }
        self.used = now;
        self.is_usable = self.is_usable && self.look().is_ok();
        self.is_usable
    }

    fn drop_pushes(&mut self) -> RedisResult<()> {
        loop {
            match self.replies.next()? {
                Some(Value::Push { .. }) => {}
                Some(_) => return Err(unasked().into()),
                None => return Ok(()),
            }
        }
    }
}
