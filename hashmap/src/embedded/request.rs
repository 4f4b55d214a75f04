//! What a connection asks the embedded store: commands as redis-rs has them, read without copying them.

use redis::{Arg, Cmd, ErrorKind, RedisError, RedisResult};

use crate::command::packed::{Arguments, unpack};
use crate::embedded::server::Server;

/// What is true of all commands of a connection.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Dialect {
    /// Whether it gets the shapes of RESP3.
    pub(super) resp3: bool,
    /// The server that the store stands in for.
    pub(super) server: Option<Server>,
}

impl Dialect {
    /// What Lua gets, whatever the connection gets.
    pub(super) fn of_scripts(mut self) -> Self {
        self.resp3 = false;
        self
    }
}

/// Commands that are carried out with nothing in between.
#[derive(Clone, Copy)]
pub(super) enum Commands<'a> {
    One(&'a Cmd),
    /// As a client sends them: arrays of bulk strings, one after the other.
    Packed(&'a [u8]),
    #[cfg(feature = "tokio-comp")]
    Pipeline(&'a redis::Pipeline),
}

impl<'a> Commands<'a> {
    /// Visits one command after the other, until one fails.
    pub(super) fn each(self, mut visit: impl FnMut(&[&'a [u8]]) -> RedisResult<()>) -> RedisResult<()> {
        let mut buffer = Arguments::new();
        match self {
            Self::One(cmd) => {
                fill(&mut buffer, cmd);
                visit(&buffer)
            }
            Self::Packed(mut packed) => {
                while !packed.is_empty() {
                    unpack(&mut packed, &mut buffer).ok_or_else(malformed)?;
                    visit(&buffer)?;
                }
                Ok(())
            }
            #[cfg(feature = "tokio-comp")]
            Self::Pipeline(pipeline) => {
                if pipeline.is_transaction() {
                    visit(&[b"MULTI"])?;
                }
                for cmd in pipeline.cmd_iter() {
                    fill(&mut buffer, cmd);
                    visit(&buffer)?;
                }
                if pipeline.is_transaction() {
                    visit(&[b"EXEC"])?;
                }
                Ok(())
            }
        }
    }

    /// The commands as they would be sent, for whoever keeps them.
    pub(super) fn packed(self) -> Vec<u8> {
        match self {
            Self::One(cmd) => cmd.get_packed_command(),
            Self::Packed(packed) => packed.to_vec(),
            #[cfg(feature = "tokio-comp")]
            Self::Pipeline(pipeline) => pipeline.get_packed_pipeline(),
        }
    }

    /// About how many there are.
    pub(super) fn count(self) -> usize {
        match self {
            Self::One(_) => 1,
            // The shortest command takes as many bytes.
            Self::Packed(packed) => (packed.len() / 64).clamp(1, 1024),
            #[cfg(feature = "tokio-comp")]
            Self::Pipeline(pipeline) => pipeline.len() + 2,
        }
    }
}

fn fill<'a>(buffer: &mut Arguments<'a>, cmd: &'a Cmd) {
    buffer.clear();
    buffer.extend(cmd.args_iter().map(|arg| match arg {
        Arg::Simple(bytes) => bytes,
        _ => b"0",
    }));
}

#[cold]
fn malformed() -> RedisError {
    RedisError::from((ErrorKind::Client, "this is not a packed command"))
}
