//! The embedded store, which is behind `memory:` and `file:`.

mod answer;
mod commands;
mod expiry;
mod scan;
mod scripts;
mod store;
mod tables;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;

use redis::{Arg, Cmd, ConnectionLike, RedisError, RedisResult, Value};

use crate::embedded::answer::Args;
use crate::embedded::store::{Request, Store, stopped};

pub use store::Durability;

use crate::error::Error;

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
    store: Arc<Store>,
    resp3: bool,
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
    /// Returns [`Error::Store`] if the store's thread cannot be started.
    pub fn in_memory(name: &str) -> Result<Self, Error> {
        Ok(Self { store: Store::in_memory(name)?, resp3: false })
    }

    /// Opens the store in a file, which is created if it does not exist. Opening checks the file by reading all of it.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Store`] if the file is not a store, is damaged, is of a newer version or belongs to another
    /// process. The file is left as it is.
    pub fn in_file(path: impl AsRef<Path>, durability: Durability) -> Result<Self, Error> {
        Ok(Self { store: Store::in_file(path.as_ref(), durability)?, resp3: false })
    }

    /// Sets whether it answers in the shapes of RESP3. By default it answers in those of RESP2.
    #[must_use]
    pub fn with_resp3(mut self, resp3: bool) -> Self {
        self.resp3 = resp3;
        self
    }

    fn request(&self, commands: Vec<Args>) -> RedisResult<Vec<Value>> {
        if !commands::writes(&commands) {
            return self.store.read(&commands, self.resp3);
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        let respond = Box::new(move |answers| {
            // The caller may have stopped waiting.
            let _ = sender.send(answers);
        });
        self.store.send(Request { commands, resp3: self.resp3, respond });
        receiver.recv().unwrap_or_else(|_| Err(stopped()))
    }
}

fn args(cmd: &Cmd) -> Args {
    let bytes = |arg: Arg<&[u8]>| match arg {
        Arg::Simple(bytes) => bytes.to_vec(),
        _ => b"0".to_vec(),
    };
    cmd.args_iter().map(bytes).collect()
}

/// Unpacks commands as a client sends them: arrays of bulk strings, one after the other.
fn unpack(mut packed: &[u8]) -> RedisResult<Vec<Args>> {
    let malformed = || RedisError::from((redis::ErrorKind::Client, "this is not a packed command"));
    let line = |packed: &mut &[u8], mark: u8| -> Option<usize> {
        let end = packed.windows(2).position(|bytes| bytes == b"\r\n")?;
        let (line, rest) = packed.split_at(end);
        *packed = &rest[2..];
        std::str::from_utf8(line.strip_prefix(&[mark])?).ok()?.parse().ok()
    };
    let mut commands = Vec::new();
    while !packed.is_empty() {
        let len = line(&mut packed, b'*').ok_or_else(malformed)?;
        let mut command = Vec::new();
        for _ in 0..len {
            let len = line(&mut packed, b'$').ok_or_else(malformed)?;
            let (arg, rest) = packed.split_at_checked(len).ok_or_else(malformed)?;
            packed = rest.strip_prefix(b"\r\n").ok_or_else(malformed)?;
            command.push(arg.to_vec());
        }
        commands.push(command);
    }
    Ok(commands)
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
        self.request(vec![args(cmd)])?.pop().ok_or_else(stopped)
    }

    fn req_packed_command(&mut self, cmd: &[u8]) -> RedisResult<Value> {
        self.request(unpack(cmd)?)?.pop().ok_or_else(stopped)
    }

    fn req_packed_commands(&mut self, cmd: &[u8], offset: usize, count: usize) -> RedisResult<Vec<Value>> {
        answers_of(self.request(unpack(cmd)?)?, offset, count)
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

    use super::{Args, Embedded, Request, answers_of, args, stopped};

    impl Embedded {
        async fn request_async(&self, commands: Vec<Args>) -> RedisResult<Vec<Value>> {
            let (sender, receiver) = oneshot::channel();
            let respond = Box::new(move |answers| {
                // The caller may have stopped waiting.
                let _ = sender.send(answers);
            });
            self.store.send(Request { commands, resp3: self.resp3, respond });
            receiver.await.unwrap_or_else(|_| Err(stopped()))
        }
    }

    impl redis::aio::ConnectionLike for Embedded {
        fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
            Box::pin(async move { self.request_async(vec![args(cmd)]).await?.pop().ok_or_else(stopped) })
        }

        fn req_packed_commands<'a>(
            &'a mut self,
            pipeline: &'a Pipeline,
            offset: usize,
            count: usize,
        ) -> RedisFuture<'a, Vec<Value>> {
            Box::pin(async move {
                let mut commands: Vec<Args> = pipeline.cmd_iter().map(args).collect();
                if pipeline.is_transaction() {
                    commands.insert(0, vec![b"MULTI".to_vec()]);
                    commands.push(vec![b"EXEC".to_vec()]);
                }
                answers_of(self.request_async(commands).await?, offset, count)
            })
        }

        fn get_db(&self) -> i64 {
            0
        }
    }
}
