//! The embedded store, which is behind `memory:` and `file:`.

mod answer;
mod base;
mod bytes;
mod committed;
mod disk;
mod editing;
mod eventual;
mod expiry;
mod file;
mod layout;
mod log;
mod long_double;
mod memory;
mod migrate;
mod names;
mod ordered;
mod pattern;
mod random;
mod reads;
mod request;
mod row;
mod scan;
mod scripts;
mod sent;
mod server;
mod shared;
mod storage;
mod tables;
mod transaction;
mod whole;
mod writes;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;

use redis::{Cmd, ConnectionLike, RedisResult, Value};

use crate::embedded::file::File;
use crate::embedded::request::{Commands, Dialect};
use crate::embedded::sent::{Request, stopped};
use crate::embedded::shared::Shared;
use crate::embedded::transaction::Watched;
use crate::error::Error;

pub use file::Durability;
pub use server::Server;

/// A connection to a store inside this process: in memory, or in one file.
///
/// It answers as Redis 8.0 does to the commands that this library sends, and to the others on hashes and keys, also in
/// pipelines and transactions, `WATCH` among them. `docs/embedded.md` lists them, and where it differs. Of scripts it
/// runs this library's own. Any other command gets Redis's unknown-command error.
///
/// Expired data is gone at once. Unlike a server, the store does not count expired fields in `HLEN`, and a hash whose
/// fields have all expired does not exist.
///
/// A store in memory works on the thread of whoever calls, and an async operation is done at its first poll.
///
/// Threads and tasks share a store by cloning the connection, or by opening the same place again. A file belongs to one
/// process. A write that has returned is on disk, unless the store was opened with [`Durability::Eventual`]. A pipeline
/// is carried out as one transaction. The connection implements both of redis-rs's connection traits; the async one
/// needs no runtime, and no write of it blocks a runtime's thread on the disk.
pub struct Embedded {
    store: Store,
    dialect: Dialect,
    watched: Arc<Watched>,
}

/// A clone is another connection to the store: it watches nothing.
impl Clone for Embedded {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), dialect: self.dialect, watched: Arc::default() }
    }
}

#[derive(Clone)]
enum Store {
    Memory(Arc<Shared>),
    File(Arc<File>),
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Embedded")
    }
}

impl Embedded {
    /// Opens a store in memory, which ends with its last connection. Connections of one name share a store; an empty
    /// name makes a new one.
    ///
    /// # Errors
    ///
    /// It has none.
    pub fn in_memory(name: &str) -> Result<Self, Error> {
        Ok(Self { store: Store::Memory(Shared::open(name)), dialect: Dialect::default(), watched: Arc::default() })
    }

    /// Opens the store in a file, which is created if it does not exist. Opening checks the file by reading all of it, and
    /// migrates one that an earlier version wrote.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Store`] if the file is not a store, is damaged, is of a newer version, belongs to another process,
    /// or is open in this one with another durability. The file is left as it is.
    pub fn in_file(path: impl AsRef<Path>, durability: Durability) -> Result<Self, Error> {
        Ok(Self {
            store: Store::File(File::open(path.as_ref(), durability)?),
            dialect: Dialect::default(),
            watched: Arc::default(),
        })
    }

    /// Makes it stand in for a server: it then has the commands and options of that server, and no others. What expires
    /// already still does.
    ///
    /// ```
    /// use redis_hashmap::{Embedded, Error, RedisHash, Server, require};
    ///
    /// #[derive(RedisHash)]
    /// struct Login {
    ///     #[redis_hash(ttl = "5m")]
    ///     code: Option<u32>,
    /// }
    ///
    /// let mut con = Embedded::in_memory("")?.stand_in_for(Server::Redis70);
    /// assert!(matches!(require::<Login>(&mut con), Err(Error::Requirement { .. })));
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn stand_in_for(mut self, server: Server) -> Self {
        self.dialect.server = Some(server);
        self
    }

    /// Waits until everything that was written is on the disk, which matters with [`Durability::Eventual`] only. Dropping
    /// the last connection does so too, but can only print an error.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Store`] if the disk refuses it. What was written stays readable, and is tried again.
    pub fn sync(&self) -> Result<(), Error> {
        match &self.store {
            Store::Memory(_) => Ok(()),
            Store::File(file) => file.sync(),
        }
    }

    /// Sets whether it answers in the shapes of RESP3. By default it answers in those of RESP2.
    #[must_use]
    pub fn with_resp3(mut self, resp3: bool) -> Self {
        self.dialect.resp3 = resp3;
        self
    }

    fn request(&self, commands: Commands<'_>) -> RedisResult<Vec<Value>> {
        let file = match &self.store {
            Store::Memory(memory) => return memory.request(commands, self.dialect, &self.watched),
            Store::File(file) => file,
        };
        if let Some(answers) = file.at_once(commands, self.dialect, &self.watched) {
            return answers;
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        let respond = Box::new(move |answers| {
            // The caller may have stopped waiting.
            let _ = sender.send(answers);
        });
        let (packed, watched) = (commands.packed(), Arc::clone(&self.watched));
        file.send(Request { packed, dialect: self.dialect, watched, respond });
        receiver.recv().unwrap_or_else(|_| Err(stopped()))
    }

    fn request_one(&self, one: Commands<'_>) -> RedisResult<Value> {
        match &self.store {
            Store::Memory(memory) => memory.request_one(one, self.dialect, &self.watched),
            Store::File(_) => self.request(one)?.pop().ok_or_else(stopped),
        }
    }
}

/// The answers that a pipeline asked for. An error before them fails the whole pipeline, as it does on a server.
fn answers_of(answers: Vec<Value>, offset: usize, count: usize) -> RedisResult<Vec<Value>> {
    let mut answers = answers.into_iter();
    for answer in answers.by_ref().take(offset) {
        answer.extract_error()?;
    }
    Ok(answers.take(count).collect())
}

impl ConnectionLike for Embedded {
    fn req_command(&mut self, cmd: &Cmd) -> RedisResult<Value> {
        self.request_one(Commands::One(cmd))
    }

    fn req_packed_command(&mut self, cmd: &[u8]) -> RedisResult<Value> {
        self.request_one(Commands::Packed(cmd))
    }

    fn req_packed_commands(&mut self, cmd: &[u8], offset: usize, count: usize) -> RedisResult<Vec<Value>> {
        answers_of(self.request(Commands::Packed(cmd))?, offset, count)
    }

    fn get_db(&self) -> i64 {
        0
    }

    fn check_connection(&mut self) -> bool {
        self.req_command(&redis::cmd("PING")).is_ok()
    }

    fn is_open(&self) -> bool {
        true
    }
}

#[cfg(feature = "tokio-comp")]
mod aio {
    use std::sync::Arc;

    use futures_channel::oneshot;
    use redis::{Cmd, Pipeline, RedisFuture, RedisResult, Value};

    use super::{Commands, Embedded, Request, Store, answers_of, stopped};

    impl Embedded {
        async fn request_async(&self, commands: Commands<'_>) -> RedisResult<Vec<Value>> {
            let file = match &self.store {
                Store::Memory(memory) => return memory.request(commands, self.dialect, &self.watched),
                Store::File(file) => file,
            };
            if let Some(answers) = file.at_once(commands, self.dialect, &self.watched) {
                return answers;
            }
            let (sender, receiver) = oneshot::channel();
            let respond = Box::new(move |answers| {
                // The caller may have stopped waiting.
                let _ = sender.send(answers);
            });
            let (packed, watched) = (commands.packed(), Arc::clone(&self.watched));
            file.send(Request { packed, dialect: self.dialect, watched, respond });
            receiver.await.unwrap_or_else(|_| Err(stopped()))
        }
    }

    impl redis::aio::ConnectionLike for Embedded {
        fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
            Box::pin(async move {
                match &self.store {
                    Store::Memory(_) => self.request_one(Commands::One(cmd)),
                    Store::File(_) => self.request_async(Commands::One(cmd)).await?.pop().ok_or_else(stopped),
                }
            })
        }

        fn req_packed_commands<'a>(
            &'a mut self,
            pipeline: &'a Pipeline,
            offset: usize,
            count: usize,
        ) -> RedisFuture<'a, Vec<Value>> {
            Box::pin(async move { answers_of(self.request_async(Commands::Pipeline(pipeline)).await?, offset, count) })
        }

        fn get_db(&self) -> i64 {
            0
        }
    }
}
