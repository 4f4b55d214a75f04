//! An async connection to one server, of ours: a task writes what many callers send, and hands each its replies.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_channel::oneshot;
use redis::{RedisError, RedisResult, Value};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};

use crate::open::failed::CallFailed;
use crate::open::login::Login;
use crate::open::resp::{Replies, Values};
use crate::open::socket::Address;
use crate::open::stream::{self, Stream};

type Answer = Result<Values, CallFailed>;

/// A handle to a connection. Its clones share it; the connection ends with the last of them.
#[derive(Clone)]
pub(super) struct AsyncNode {
    calls: mpsc::UnboundedSender<Call>,
}

/// What a caller sends, and where its replies go.
struct Call {
    packed: Vec<u8>,
    count: usize,
    deadline: Instant,
    respond: oneshot::Sender<Answer>,
}

/// A call of which replies are missing.
struct Awaited {
    replies: Values,
    count: usize,
    deadline: Instant,
    respond: oneshot::Sender<Answer>,
    /// Where its first command ends, at the latest, in all that was ever to be written. Before that, it was not sent whole.
    end: u64,
}

impl AsyncNode {
    /// Connects and logs in.
    pub(super) async fn connect(
        address: &Address,
        login: &Login,
        to_master: bool,
        deadline: Instant,
    ) -> RedisResult<Self> {
        let connecting = async {
            let stream = stream::connect(address, deadline).await?;
            let (calls, received) = mpsc::unbounded_channel();
            let mut driver = Driver::new(stream, received);
            tokio::spawn(async move { poll_fn(|context| driver.poll(context)).await });
            let node = Self { calls };
            let (packed, count) = login.packed(to_master);
            let answers = node.call(packed, count, deadline).await.map_err(|failed| failed.error)?;
            login.judge(answers, to_master)?;
            Ok(node)
        };
        match timeout_at(deadline, connecting).await {
            Ok(connected) => connected,
            Err(_) => Err(timed_out().into()),
        }
    }

    /// Sends packed commands and awaits this many replies. What is sent is sent, also if nobody awaits the replies any more.
    pub(super) fn call(
        &self,
        packed: Vec<u8>,
        count: usize,
        deadline: Instant,
    ) -> impl Future<Output = Answer> + Send + use<> {
        let (respond, answer) = oneshot::channel();
        let ended = || io::Error::new(io::ErrorKind::ConnectionAborted, "the connection has ended").into();
        let call = Call { packed, count, deadline, respond };
        if count == 0 {
            // What has no reply would take that of another call.
            let _ = call.respond.send(Ok(Values::new()));
        } else if let Err(unsent) = self.calls.send(call) {
            let _ = unsent.0.respond.send(Err(CallFailed::not_sent(ended())));
        }
        // The task that drives the connection answers, unless its runtime has ended: nobody knows then what it has sent.
        async move { answer.await.unwrap_or_else(|_| Err(CallFailed::in_doubt(ended()))) }
    }
}

impl AsyncNode {
    /// Ends when the connection does.
    pub(super) async fn ended(&self) {
        self.calls.closed().await;
    }
}

struct Driver {
    stream: Stream,
    calls: mpsc::UnboundedReceiver<Call>,
    /// What is to be written, from the byte `written` on.
    out: Vec<u8>,
    written: usize,
    needs_flush: bool,
    /// How many bytes were ever to be written, and how many of them are.
    total: u64,
    sent: u64,
    replies: Replies,
    awaited: VecDeque<Awaited>,
    sleep: Option<Pin<Box<Sleep>>>,
    /// True if it has let other tasks run, which may have something to send too.
    has_yielded: bool,
    has_handles: bool,
}

/// A larger buffer is given back once it is written.
const KEPT: usize = 1 << 20;

impl Driver {
    fn new(stream: Stream, calls: mpsc::UnboundedReceiver<Call>) -> Self {
        Self {
            stream,
            calls,
            out: Vec::new(),
            written: 0,
            needs_flush: false,
            total: 0,
            sent: 0,
            replies: Replies::default(),
            awaited: VecDeque::new(),
            sleep: None,
            has_yielded: false,
            has_handles: true,
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match self.work(context) {
            Ok(poll) => poll,
            Err(error) => {
                self.fail(&error);
                Poll::Ready(())
            }
        }
    }

    fn work(&mut self, context: &mut Context<'_>) -> RedisResult<Poll<()>> {
        if self.awaited.is_empty() && self.replies.has_begun_reply() {
            return Err(unasked().into()); // the rest of it would be taken for the reply to the next call
        }
        if self.awaited.is_empty() {
            self.read(context)?; // nothing is sent on a connection that the server has closed
        }
        let received = self.receive(context);
        if received && !self.has_yielded {
            // One write for all who are about to send: the others run first, once.
            self.has_yielded = true;
            context.waker().wake_by_ref();
            return Ok(Poll::Pending);
        }
        self.has_yielded = false;
        self.write(context)?;
        self.read(context)?;
        if !self.has_handles && self.awaited.is_empty() {
            return Ok(Poll::Ready(()));
        }
        self.wait(context)?;
        Ok(Poll::Pending)
    }

    /// Takes what callers send. Returns true if there was something.
    fn receive(&mut self, context: &mut Context<'_>) -> bool {
        let mut received = false;
        while self.has_handles {
            match self.calls.poll_recv(context) {
                Poll::Ready(Some(call)) => {
                    let end = self.total + if call.count == 1 { call.packed.len() as u64 } else { 1 };
                    self.total += call.packed.len() as u64;
                    // What is large is not copied, and what is small does not cost the buffer.
                    if self.out.is_empty() && call.packed.len() > self.out.capacity() {
                        self.out = call.packed;
                    } else {
                        self.out.extend_from_slice(&call.packed);
                    }
                    let Call { count, deadline, respond, .. } = call;
                    let replies = Values::with_capacity(count.min(1024));
                    self.awaited.push_back(Awaited { replies, count, deadline, respond, end });
                    received = true;
                }
                Poll::Ready(None) => self.has_handles = false,
                Poll::Pending => break,
            }
        }
        received
    }

    fn write(&mut self, context: &mut Context<'_>) -> RedisResult<()> {
        while self.written < self.out.len() {
            match Pin::new(&mut self.stream.io).poll_write(context, &self.out[self.written..]) {
                Poll::Ready(Ok(0)) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Poll::Ready(Ok(count)) => {
                    self.written += count;
                    self.sent += count as u64;
                    self.needs_flush = true;
                }
                Poll::Ready(Err(error)) => {
                    // TLS has sent more than it says, only not the last byte.
                    if self.stream.is_encrypted {
                        self.sent = self.total.saturating_sub(1);
                    }
                    return Err(error.into());
                }
                Poll::Pending => {
                    // Under load there is never a time at which all is written.
                    if self.written > KEPT.max(self.out.len() / 2) {
                        self.out.drain(..self.written);
                        self.written = 0;
                    }
                    return Ok(());
                }
            }
        }
        self.written = 0;
        if self.out.capacity() > KEPT {
            self.out = Vec::new();
        } else {
            self.out.clear();
        }
        if self.needs_flush
            && let Poll::Ready(flushed) = Pin::new(&mut self.stream.io).poll_flush(context)
        {
            flushed?;
            self.needs_flush = false;
        }
        Ok(())
    }

    fn read(&mut self, context: &mut Context<'_>) -> RedisResult<()> {
        loop {
            let mut space = ReadBuf::new(self.replies.space(false));
            match Pin::new(&mut self.stream.io).poll_read(context, &mut space) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Err(error)) => return Err(error.into()),
                Poll::Ready(Ok(())) => {
                    let count = space.filled().len();
                    if count == 0 {
                        let closed = "the server has closed the connection";
                        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, closed).into());
                    }
                    self.replies.filled(count);
                    self.answer()?;
                }
            }
        }
    }

    /// Hands out the replies that are there.
    fn answer(&mut self) -> RedisResult<()> {
        while let Some(reply) = self.replies.next()? {
            if let Value::Push { .. } = reply {
                continue; // what a server tells without being asked
            }
            let Some(first) = self.awaited.front_mut() else {
                return Err(unasked().into());
            };
            first.replies.push(reply);
            if first.replies.len() >= first.count
                && let Some(Awaited { replies, respond, .. }) = self.awaited.pop_front()
            {
                // The caller may have stopped waiting.
                let _ = respond.send(Ok(replies));
            }
        }
        Ok(())
    }

    /// Sees to it that it runs again when the time of the first call is over.
    fn wait(&mut self, context: &mut Context<'_>) -> RedisResult<()> {
        let Some(first) = self.awaited.front() else { return Ok(()) };
        // The timer does not fire while the server keeps the task busy.
        if first.deadline <= Instant::now() {
            return Err(timed_out().into());
        }
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(first.deadline)));
        // One that ends earlier only runs once for nothing: not every call has to set the timer.
        if sleep.deadline() > first.deadline || sleep.is_elapsed() {
            sleep.as_mut().reset(first.deadline);
        }
        while sleep.as_mut().poll(context).is_ready() {
            if first.deadline <= Instant::now() {
                return Err(timed_out().into());
            }
            sleep.as_mut().reset(first.deadline);
        }
        Ok(())
    }

    /// Ends all calls: their replies can no longer be told from those of others.
    fn fail(&mut self, error: &RedisError) {
        self.calls.close();
        for Awaited { respond, end, .. } in self.awaited.drain(..) {
            let failed = if self.sent < end { CallFailed::not_sent } else { CallFailed::in_doubt };
            let _ = respond.send(Err(failed(error.clone())));
        }
        while let Ok(call) = self.calls.try_recv() {
            let _ = call.respond.send(Err(CallFailed::not_sent(error.clone())));
        }
    }
}

fn unasked() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the server has sent a reply that nobody has asked for")
}

fn timed_out() -> io::Error {
    io::ErrorKind::TimedOut.into()
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;
    use std::time::Duration;

    use futures_channel::oneshot;
    use tokio::io::AsyncReadExt;
    use tokio::sync::mpsc;
    use tokio::time::Instant;

    use super::{Call, Driver, KEPT};
    use crate::open::stream::Stream;

    /// Under load there is never a time at which all is written; what is written is given back all the same.
    #[tokio::test]
    async fn what_is_written_is_given_back_under_load() {
        let (near, mut far) = tokio::io::duplex(1 << 16);
        let (calls, received) = mpsc::unbounded_channel();
        let mut driver = Driver::new(Stream::new(near, false), received);
        let mut read = vec![0; 100_000];
        let call = || {
            let (respond, _) = oneshot::channel();
            let deadline = Instant::now() + Duration::from_secs(60);
            let call = Call { packed: vec![b'x'; 100_000], count: 1, deadline, respond };
            calls.send(call).unwrap_or_else(|_| panic!("the driver is there"));
        };
        (0..20).for_each(|_| call());
        for _ in 0..200 {
            call();
            // As much is read as is written, but never all.
            let mut reading = std::pin::pin!(far.read_exact(&mut read));
            poll_fn(|context| {
                let ended = driver.poll(context).is_ready();
                assert!(!ended, "the connection has ended");
                if reading.as_mut().poll(context).is_ready() { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            assert!(driver.out.len() <= 6 * KEPT, "{}", driver.out.len());
        }
        assert_eq!(driver.sent + (driver.out.len() - driver.written) as u64, driver.total);
    }
}
