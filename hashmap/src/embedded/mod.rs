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
mod memory;
mod migrate;
mod names;
mod ordered;
mod reads;
mod request;
mod row;
mod scan;
mod scripts;
mod shared;
mod storage;
mod tables;
mod transaction;
mod writes;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;

use redis::{Cmd, ConnectionLike, RedisResult, Value};

use crate::embedded::file::File;
use crate::embedded::request::{Commands, Dialect, Request, stopped};
use crate::embedded::shared::Shared;
use crate::error::Error;

pub use file::Durability;

/// A connection to a store inside this process: in memory, or in one file.
///
/// It answers as a Redis server does to the commands that this library sends, and to related ones: `HSET` `HGET`
/// `HMGET` `HDEL` `HEXISTS` `HGETALL` `HKEYS` `HLEN` `HSETNX` `HINCRBY` `HSCAN`, `HEXPIRE` `HPEXPIRE` `HEXPIREAT`
/// `HPEXPIREAT` `HTTL` `HPTTL` `HPERSIST` `HSETEX` `HGETEX` `HGETDEL`, `DEL` `UNLINK` `EXISTS` `TYPE` `SCAN` `PING`,
/// `EXPIRE` `PEXPIRE` `EXPIREAT` `PEXPIREAT` `TTL` `PTTL` `PERSIST`, `MULTI` `EXEC` `DISCARD` in a pipeline, and `EVAL`
/// `EVALSHA` of this library's own scripts. Any other command gets Redis's unknown-command error.
///
/// Expired data is gone at once. Unlike a server, the store does not count expired fields in `HLEN`, and a hash whose
/// fields have all expired does not exist.
///
/// Threads and tasks share a store by cloning the connection, or by opening the same place again. A file belongs to one
/// process. A write that has returned is on disk, unless the store was opened with [`Durability::Eventual`]. A pipeline
/// is carried out as one transaction. The connection implements both of redis-rs's connection traits; the async one
/// needs no runtime, and never blocks a runtime's thread on the disk.
#[derive(Clone)]
pub struct Embedded {
    store: Store,
    dialect: Dialect,
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
    /// None today. Reserved for stores that cannot be had.
    pub fn in_memory(name: &str) -> Result<Self, Error> {
        Ok(Self { store: Store::Memory(Shared::open(name)), dialect: Dialect::default() })
    }

    /// Opens the store in a file, which is created if it does not exist. Opening checks the file by reading all of it.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Store`] if the file is not a store, is damaged, is of a newer version or belongs to another
    /// process. The file is left as it is.
    pub fn in_file(path: impl AsRef<Path>, durability: Durability) -> Result<Self, Error> {
        Ok(Self { store: Store::File(File::open(path.as_ref(), durability)?), dialect: Dialect::default() })
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
            Store::Memory(memory) => return memory.request(commands, self.dialect),
            Store::File(file) => file,
        };
        if let Some(answers) = file.at_once(commands, self.dialect) {
            return answers;
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        let respond = Box::new(move |answers| {
            // The caller may have stopped waiting.
            let _ = sender.send(answers);
        });
        file.send(Request { packed: commands.packed(), dialect: self.dialect, respond });
        receiver.recv().unwrap_or_else(|_| Err(stopped()))
    }

    fn request_one(&self, cmd: &Cmd) -> RedisResult<Value> {
        match &self.store {
            Store::Memory(memory) => memory.request_one(cmd, self.dialect),
            Store::File(_) => self.request(Commands::One(cmd))?.pop().ok_or_else(stopped),
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
        self.request_one(cmd)
    }

    fn req_packed_command(&mut self, cmd: &[u8]) -> RedisResult<Value> {
        self.request(Commands::Packed(cmd))?.pop().ok_or_else(stopped)
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
    use futures_channel::oneshot;
    use redis::{Cmd, Pipeline, RedisFuture, RedisResult, Value};

    use super::{Commands, Dialect, Embedded, File, Request, Store, answers_of, stopped};

    async fn request(file: &File, commands: Commands<'_>, dialect: Dialect) -> RedisResult<Vec<Value>> {
        if let Some(answers) = file.at_once(commands, dialect) {
            return answers;
        }
        let (sender, receiver) = oneshot::channel();
        let respond = Box::new(move |answers| {
            // The caller may have stopped waiting.
            let _ = sender.send(answers);
        });
        file.send(Request { packed: commands.packed(), dialect, respond });
        receiver.await.unwrap_or_else(|_| Err(stopped()))
    }

    impl redis::aio::ConnectionLike for Embedded {
        fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
            match &self.store {
                Store::Memory(memory) => {
                    let dialect = self.dialect;
                    Box::pin(async move { memory.request_one(cmd, dialect) })
                }
                Store::File(file) => {
                    let answers = request(file, Commands::One(cmd), self.dialect);
                    Box::pin(async move { answers.await?.pop().ok_or_else(stopped) })
                }
            }
        }

        fn req_packed_commands<'a>(
            &'a mut self,
            pipeline: &'a Pipeline,
            offset: usize,
            count: usize,
        ) -> RedisFuture<'a, Vec<Value>> {
            let commands = Commands::Pipeline(pipeline);
            let answers = move |answers: RedisResult<Vec<Value>>| answers_of(answers?, offset, count);
            match &self.store {
                Store::Memory(memory) => {
                    let dialect = self.dialect;
                    Box::pin(async move { answers(memory.request(commands, dialect)) })
                }
                Store::File(file) => {
                    let answered = request(file, commands, self.dialect);
                    Box::pin(async move { answers(answered.await) })
                }
            }
        }

        fn get_db(&self) -> i64 {
            0
        }
    }
}
