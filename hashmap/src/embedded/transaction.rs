//! Answers the commands of a request one after the other, transactions among them.

use std::hash::{BuildHasher, Hash as _, Hasher, RandomState};
use std::sync::{LazyLock, Mutex, PoisonError};

use redis::{RedisResult, Value};

use crate::embedded::answer::{Answer, answered, error, not_a_read};
use crate::embedded::names::{Command, Control, Spec, spec};
use crate::embedded::request::{Commands, Dialect};
use crate::embedded::storage::{self, Hash, Reader, Writer};
use crate::embedded::{reads, scripts};

/// The keys that a connection watches, each with the digest of what lay there.
#[derive(Debug, Default)]
pub(super) struct Watched(Mutex<Vec<(Vec<u8>, u64)>>);

impl Watched {
    fn take(&self) -> Vec<(Vec<u8>, u64)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, key: &[u8], digest: u64) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !keys.iter().any(|(watched, _)| watched == key) {
            keys.push((key.to_vec(), digest));
        }
    }
}

/// A digest of all that lies at a key, times included.
fn digest(storage: &impl Reader, key: &[u8]) -> storage::Result<u64> {
    static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    let mut digest = SEED.build_hasher();
    if let Some(hash) = storage.hash(key)? {
        hash.each_field(0, |field| {
            (field.name, field.value, field.expires).hash(&mut digest);
            true
        })?;
        hash.expires().hash(&mut digest);
    }
    Ok(digest.finish())
}

/// What carries out commands: a storage that can be written, or one that can only be read.
pub(super) trait Carrier {
    fn dialect(&self) -> Dialect;

    fn run(&mut self, command: Command, args: &[&[u8]]) -> Answer;

    fn digest(&self, key: &[u8]) -> storage::Result<u64>;
}

pub(super) struct Writing<'a, W> {
    pub(super) storage: &'a mut W,
    pub(super) dialect: Dialect,
}

impl<W: Writer> Carrier for Writing<'_, W> {
    fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn run(&mut self, command: Command, args: &[&[u8]]) -> Answer {
        if matches!(command, Command::Write(_)) {
            self.storage.reclaim()?;
        }
        scripts::run(self.storage, self.dialect, command, args)
    }

    fn digest(&self, key: &[u8]) -> storage::Result<u64> {
        digest(self.storage, key)
    }
}

pub(super) struct Reading<'a, R> {
    pub(super) storage: &'a R,
    pub(super) dialect: Dialect,
}

impl<R: Reader> Carrier for Reading<'_, R> {
    fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn run(&mut self, command: Command, args: &[&[u8]]) -> Answer {
        match command {
            Command::Read(command) => reads::run(self.storage, self.dialect, command, args),
            _ => not_a_read(),
        }
    }

    fn digest(&self, key: &[u8]) -> storage::Result<u64> {
        digest(self.storage, key)
    }
}

/// What stands between MULTI and EXEC.
#[derive(Default)]
struct Queue<'a> {
    args: Vec<&'a [u8]>,
    /// Each command, and where its arguments end.
    commands: Vec<(Command, usize)>,
    /// An error while it was queued: EXEC carries nothing out.
    is_refused: bool,
}

/// Hands the answer to each command to `take`.
///
/// The error of one command is its answer. An error of the disk ends them all.
pub(super) fn answer(
    commands: Commands<'_>,
    mut carrier: impl Carrier,
    watched: &Watched,
    mut take: impl FnMut(Value),
) -> RedisResult<()> {
    let mut queue: Option<Queue<'_>> = None;
    commands.each(|args| {
        let value = match (spec(args, carrier.dialect().server).map(|spec| spec.command), &mut queue) {
            (Ok(Command::Control(Control::Unwatch)), Some(queue)) => {
                queued(queue, Command::Control(Control::Unwatch), &[])
            }
            (Ok(Command::Control(control)), _) => controlled(control, &args[1..], &mut queue, &mut carrier, watched)?,
            (Ok(command), None) => answered(carrier.run(command, &args[1..]))?,
            (Ok(command), Some(queue)) => queued(queue, command, &args[1..]),
            // An EXEC with arguments ends the transaction all the same.
            (Err(_), _) if args.first().is_some_and(|name| name.eq_ignore_ascii_case(b"EXEC")) => {
                queue = None;
                watched.take();
                error("EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command")
            }
            (Err(failure), queue) => {
                if let Some(queue) = queue {
                    queue.is_refused = true;
                }
                answered(Err(failure))?
            }
        };
        take(value);
        Ok(())
    })
}

fn queued<'a>(queue: &mut Queue<'a>, command: Command, args: &[&'a [u8]]) -> Value {
    queue.args.extend_from_slice(args);
    queue.commands.push((command, queue.args.len()));
    Value::SimpleString("QUEUED".to_owned())
}

fn controlled(
    control: Control,
    args: &[&[u8]],
    queue: &mut Option<Queue<'_>>,
    carrier: &mut impl Carrier,
    watched: &Watched,
) -> RedisResult<Value> {
    Ok(match (control, queue.take()) {
        (Control::Multi, None) => {
            *queue = Some(Queue::default());
            Value::Okay
        }
        (Control::Multi, some) => {
            *queue = some;
            error("ERR MULTI calls can not be nested")
        }
        (Control::Watch, some @ Some(_)) => {
            *queue = some;
            error("ERR WATCH inside MULTI is not allowed")
        }
        (Control::Watch, None) => {
            for key in args {
                watched.add(key, carrier.digest(key)?);
            }
            Value::Okay
        }
        (Control::Exec, Some(queue)) => {
            let watched = watched.take();
            if queue.is_refused {
                return Ok(error("EXECABORT Transaction discarded because of previous errors."));
            }
            for (key, before) in watched {
                if carrier.digest(&key)? != before {
                    return Ok(Value::Nil);
                }
            }
            let mut answers = Vec::with_capacity(queue.commands.len());
            let mut from = 0;
            for (command, to) in queue.commands {
                answers.push(match command {
                    // UNWATCH, which comes too late.
                    Command::Control(_) => Value::Okay,
                    command => answered(carrier.run(command, &queue.args[from..to]))?,
                });
                from = to;
            }
            Value::Array(answers)
        }
        (Control::Exec, None) => error("ERR EXEC without MULTI"),
        (Control::Unwatch, _) | (Control::Discard, Some(_)) => {
            watched.take();
            Value::Okay
        }
        (Control::Discard, None) => error("ERR DISCARD without MULTI"),
    })
}

/// True if one of the commands writes.
pub(super) fn writes(commands: Commands<'_>, dialect: Dialect) -> RedisResult<bool> {
    let mut writes = false;
    commands.each(|args| {
        writes |= matches!(spec(args, dialect.server), Ok(Spec { command: Command::Write(_), .. }));
        Ok(())
    })?;
    Ok(writes)
}
