//! Sentinels: who is the master, and when it is another one.

use std::time::{Duration, Instant};

use redis::{ErrorKind, RedisResult};

use crate::open::deadline::Deadline;
#[cfg(feature = "tokio-comp")]
use crate::open::driver::AsyncNode;
use crate::open::login::Login;
use crate::open::node::Node;
use crate::open::options::{Host, Options};
use crate::open::resp::Values;
use crate::open::socket::{Address, waiting};

/// Sentinels, and the name of the master to ask them for.
pub(super) struct Sentinels {
    addresses: Vec<Address>,
    login: Login,
    master: String,
    /// The master that was named last.
    named: Option<Host>,
    /// A connection to the Sentinel that has named it, which ends as soon as any master is another one: it is subscribed, and
    /// what it hears is a reply that nobody has asked for.
    watch: Option<Node>,
    /// When they were asked last whether there is another master.
    asked: Option<Instant>,
}

impl Sentinels {
    pub(super) fn new(options: &Options, addresses: Vec<Address>, master: &str) -> Self {
        let login = Login::of_sentinel(options);
        Self { addresses, login, master: master.to_owned(), named: None, watch: None, asked: None }
    }

    /// Connects to the master. One Sentinel after the other is asked, each for its share of the time. Who says of itself
    /// that it is a replica is not the master, whatever a Sentinel says.
    pub(super) fn connect(&mut self, login: &Login, timeout: Duration) -> RedisResult<Node> {
        let deadline = Deadline::after(timeout);
        let mut failed = None;
        for at in 0..self.addresses.len() {
            let share = deadline.left()? / waiting(&self.addresses, at);
            let connected = self.ask(at, share / 2).and_then(|master| {
                let address = self.addresses[at].of(&master);
                Node::connect(&address, login, true, Ord::min(share, deadline.left()?))
            });
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

    /// True if the Sentinels name another master than they did. They are asked only if there is a sign of it, and who does
    /// not answer is no reason to leave a master that works.
    pub(super) fn have_switched(&mut self, deadline: Deadline) -> bool {
        // If all were away, they are asked again, but not for each call.
        let has_asked = |asked: Instant| asked.elapsed() < Duration::from_secs(1);
        if self.watch.as_mut().map_or_else(|| self.asked.is_some_and(has_asked), Node::is_quiet) {
            return false;
        }
        (self.watch, self.asked) = (None, Some(Instant::now()));
        // A call of the user waits meanwhile, and needs most of its time itself.
        let Ok(left) = deadline.left() else { return false };
        let (before, deadline) = (self.named.clone(), Deadline::after(Ord::min(left / 4, Duration::from_millis(200))));
        for at in 0..self.addresses.len() {
            let Ok(left) = deadline.left() else { return false };
            if let Ok(named) = self.ask(at, left / waiting(&self.addresses, at)) {
                return before != Some(named);
            }
        }
        false
    }

    fn ask(&mut self, at: usize, timeout: Duration) -> RedisResult<Host> {
        let (sentinel, deadline) = (&self.addresses[at], Deadline::after(timeout));
        let mut node = Node::connect(sentinel, &self.login, false, timeout)?;
        let answers = node.call(&self.question(), 2, deadline).map_err(|failed| failed.error)?;
        let master = named(answers)?;
        (self.named, self.watch) = (Some(master.clone()), Some(node));
        Ok(master)
    }

    /// Does what [`connect`](Self::connect) does. Returns the connection to the Sentinel too, which ends when any master is
    /// another one.
    #[cfg(feature = "tokio-comp")]
    pub(super) async fn connect_async(
        &mut self,
        login: &Login,
        deadline: tokio::time::Instant,
    ) -> RedisResult<(AsyncNode, AsyncNode)> {
        let mut failed = None;
        for at in 0..self.addresses.len() {
            let now = tokio::time::Instant::now();
            let share = deadline.saturating_duration_since(now) / waiting(&self.addresses, at);
            let connecting = async {
                let (master, sentinel) = self.ask_async(at, now + share / 2).await?;
                let address = self.addresses[at].of(&master);
                Ok((AsyncNode::connect(&address, login, true, now + share).await?, sentinel))
            };
            match connecting.await {
                Ok(nodes) => {
                    self.addresses.swap(0, at);
                    return Ok(nodes);
                }
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or_else(|| (ErrorKind::InvalidClientConfig, "there are no Sentinels").into()))
    }

    /// The same Sentinels, to be asked while others connect.
    #[cfg(feature = "tokio-comp")]
    pub(super) fn to_ask(&self) -> Self {
        let (addresses, login, master) = (self.addresses.clone(), self.login.clone(), self.master.clone());
        Self { addresses, login, master, named: self.named.clone(), watch: None, asked: None }
    }

    /// Asks who is the master, after a sign that it may be another one. Returns `None` if it is, else the connection to the
    /// Sentinel that says so.
    #[cfg(feature = "tokio-comp")]
    pub(super) async fn still_named_async(&mut self, timeout: Duration) -> RedisResult<Option<AsyncNode>> {
        let before = self.named.clone();
        let mut failed = None;
        for at in 0..self.addresses.len() {
            let deadline = tokio::time::Instant::now() + timeout / waiting(&self.addresses, at);
            match self.ask_async(at, deadline).await {
                Ok((named, sentinel)) => return Ok((before == Some(named)).then_some(sentinel)),
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or_else(|| (ErrorKind::InvalidClientConfig, "there are no Sentinels").into()))
    }

    #[cfg(feature = "tokio-comp")]
    async fn ask_async(&mut self, at: usize, deadline: tokio::time::Instant) -> RedisResult<(Host, AsyncNode)> {
        let node = AsyncNode::connect(&self.addresses[at], &self.login, false, deadline).await?;
        let answers = node.call(self.question(), 2, deadline).await.map_err(|failed| failed.error)?;
        let master = named(answers)?;
        self.named = Some(master.clone());
        Ok((master, node))
    }

    /// Asks for the master, and to be told when there is another one.
    fn question(&self) -> Vec<u8> {
        let mut question = redis::cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(&self.master);
        let mut packed = question.get_packed_command();
        redis::cmd("SUBSCRIBE").arg("+switch-master").write_packed_command(&mut packed);
        packed
    }
}

/// Reads the answer to the question. A user without the right to subscribe is told nothing.
fn named(answers: Values) -> RedisResult<Host> {
    let answer = answers.into_iter().next().unwrap_or_default().extract_error()?;
    let Some((name, port)) = redis::from_redis_value::<Option<(String, u16)>>(answer)? else {
        return Err((ErrorKind::MasterNameNotFoundBySentinel, "no Sentinel knows a master of this name").into());
    };
    Host::told(&name, port).ok_or_else(|| (ErrorKind::Parse, "a Sentinel has named a master without a host").into())
}
