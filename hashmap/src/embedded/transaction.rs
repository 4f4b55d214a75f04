//! Answers the commands of a request one after the other, transactions among them.

use std::sync::Arc;

use redis::{RedisResult, Value};

use crate::embedded::answer::{Answer, answered, error};
use crate::embedded::names::{Command, Control, Spec, spec};
use crate::embedded::request::{Commands, Dialect};
use crate::embedded::watch::{Watched, Watches};

/// Whose commands are answered, and how.
#[derive(Clone, Copy)]
pub(super) struct Session<'a> {
    pub(super) dialect: Dialect,
    pub(super) watched: &'a Arc<Watched>,
    pub(super) watches: &'a Watches,
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

/// Hands the answer to each command to `take`. `run` carries out a single command, given its arguments without its name.
///
/// The error of one command is its answer. An error of the disk ends them all.
pub(super) fn answer(
    commands: Commands<'_>,
    session: Session<'_>,
    mut run: impl FnMut(Command, &[&[u8]]) -> Answer,
    mut take: impl FnMut(Value),
) -> RedisResult<()> {
    let mut queue: Option<Queue<'_>> = None;
    let mut run = |command, args: &[&[u8]]| {
        session.watches.note(command, args);
        run(command, args)
    };
    commands.each(|args| {
        let value = match (spec(args, session.dialect.server).map(|spec| spec.command), &mut queue) {
            (Ok(Command::Control(control)), _) => controlled(control, &args[1..], session, &mut queue, &mut run)?,
            (Ok(command), None) => answered(run(command, &args[1..]))?,
            (Ok(command), Some(queue)) => {
                queue.args.extend_from_slice(&args[1..]);
                queue.commands.push((command, queue.args.len()));
                Value::SimpleString("QUEUED".to_owned())
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

fn controlled(
    control: Control,
    args: &[&[u8]],
    session: Session<'_>,
    queue: &mut Option<Queue<'_>>,
    run: &mut impl FnMut(Command, &[&[u8]]) -> Answer,
) -> RedisResult<Value> {
    Ok(match (control, queue.take()) {
        (Control::Multi, None) => {
            *queue = Some(Queue::default());
            Value::Okay
        }
        (Control::Multi | Control::Watch, Some(open)) => {
            *queue = Some(Queue { is_refused: true, ..open });
            error(if control == Control::Multi {
                "ERR MULTI calls can not be nested"
            } else {
                "ERR WATCH inside MULTI is not allowed"
            })
        }
        (Control::Unwatch, Some(open)) => {
            *queue = Some(open);
            Value::SimpleString("QUEUED".to_owned())
        }
        (Control::Watch, None) => {
            session.watches.watch(session.watched, args);
            Value::Okay
        }
        (Control::Exec, Some(queue)) if queue.is_refused => {
            session.watches.unwatch(session.watched);
            error("EXECABORT Transaction discarded because of previous errors.")
        }
        (Control::Exec, Some(_)) if !session.watches.unwatch(session.watched) => Value::Nil,
        (Control::Exec, Some(queue)) => {
            let mut answers = Vec::with_capacity(queue.commands.len());
            let mut from = 0;
            for (command, to) in queue.commands {
                answers.push(answered(run(command, &queue.args[from..to]))?);
                from = to;
            }
            Value::Array(answers)
        }
        (Control::Exec, None) => error("ERR EXEC without MULTI"),
        (Control::Unwatch, None) | (Control::Discard, Some(_)) => {
            session.watches.unwatch(session.watched);
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

/// Tells those who watch what commands may have changed, once others can see it.
pub(super) fn note(commands: Commands<'_>, dialect: Dialect, watches: &Watches) {
    if watches.is_any() {
        // They have been read before.
        let _ = commands.each(|args| {
            if let Ok(spec) = spec(args, dialect.server) {
                watches.note(spec.command, &args[1..]);
            }
            Ok(())
        });
    }
}
