//! Which nodes of a cluster get which of the commands of a call, and what is made of their replies.

use std::borrow::Cow;

use redis::{ErrorKind, RedisError, RedisResult, Value};

use crate::command::packed::{Args, Arguments, Packed, unpack};
use crate::command::slot::slot;
use crate::open::failed::CallFailed;
use crate::open::options::Host;
use crate::open::resp::Values;
use crate::open::slots::Slots;

/// What is sent to one node as a whole: a command, or a transaction.
pub(super) struct Unit<'a> {
    pub(super) packed: Cow<'a, [u8]>,
    /// How many replies it gets.
    pub(super) replies: usize,
    /// The slot that it is about. Any node will do where there is none.
    pub(super) slot: Option<u16>,
}

/// A command of the caller, whose reply is made of those of one unit or several.
struct Wanted {
    units: usize,
    combined: Combined,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Combined {
    /// The replies of one unit are the caller's.
    Alone,
    Sum,
    Least,
    Joined,
    /// They are alike.
    First,
    /// An array of flags, each true if it is everywhere.
    Everywhere,
}

/// What a call consists of.
pub(super) struct Route<'a> {
    pub(super) units: Vec<Unit<'a>>,
    wanted: Vec<Wanted>,
}

impl<'a> Route<'a> {
    /// Finds out where the commands go.
    ///
    /// `has_been_open` tells which masters there was a connection to: of the others, `WAIT` has nothing to say.
    pub(super) fn of(mut packed: &'a [u8], slots: &Slots, has_been_open: &dyn Fn(&Host) -> bool) -> RedisResult<Self> {
        let mut route = Self { units: Vec::new(), wanted: Vec::new() };
        let mut arguments = Arguments::new();
        while !packed.is_empty() {
            let begin = packed;
            take(&mut packed, &mut arguments)?;
            if is(&arguments, "MULTI") {
                route.transaction(begin, &mut packed)?;
            } else {
                route.command(&begin[..begin.len() - packed.len()], &arguments, slots, has_been_open)?;
            }
        }
        Ok(route)
    }

    fn one(&mut self, packed: Cow<'a, [u8]>, slot: Option<u16>) {
        self.units.push(Unit { packed, replies: 1, slot });
    }

    fn command(
        &mut self,
        packed: &'a [u8],
        arguments: &[&[u8]],
        slots: &Slots,
        has_been_open: &dyn Fn(&Host) -> bool,
    ) -> RedisResult<()> {
        let before = self.units.len();
        let combined = match spread(arguments) {
            Spread::Key(key) => {
                self.one(Cow::Borrowed(packed), Some(slot(key)));
                Combined::Alone
            }
            Spread::Anywhere => {
                self.one(Cow::Borrowed(packed), None);
                Combined::Alone
            }
            Spread::Masters(combined) => {
                let mut of_masters = slots.one_of_each();
                if combined == Combined::Least {
                    let written: Vec<u16> = of_masters
                        .iter()
                        .copied()
                        .filter(|slot| slots.owner(*slot).is_some_and(has_been_open))
                        .collect();
                    if !written.is_empty() {
                        of_masters = written;
                    }
                }
                for slot in of_masters {
                    self.one(Cow::Borrowed(packed), Some(slot));
                }
                combined
            }
            Spread::Keys { step, combined } => {
                let Some((name, keys)) = arguments.split_first() else { return Ok(()) };
                let mut slots = keys.iter().step_by(step).map(|key| slot(key));
                let first = slots.next();
                if slots.all(|slot| Some(slot) == first) {
                    self.one(Cow::Borrowed(packed), first);
                    Combined::Alone
                } else {
                    for key in keys.chunks(step) {
                        let mut packed = Vec::new();
                        let mut args = Packed::begin(&mut packed, 1 + step);
                        args.arg(name);
                        for arg in key {
                            args.arg(arg);
                        }
                        args.end();
                        self.one(Cow::Owned(packed), key.first().map(|key| slot(key)));
                    }
                    combined
                }
            }
            Spread::Nowhere(problem) => {
                return Err((ErrorKind::InvalidClientConfig, problem).into());
            }
        };
        self.wanted.push(Wanted { units: self.units.len() - before, combined });
        Ok(())
    }

    /// Takes a transaction up to its end. All of it goes to one node.
    fn transaction(&mut self, begin: &'a [u8], packed: &mut &'a [u8]) -> RedisResult<()> {
        let mut arguments = Arguments::new();
        let mut unit = Unit { packed: Cow::Borrowed(begin), replies: 1, slot: None };
        while !packed.is_empty() {
            take(packed, &mut arguments)?;
            unit.replies += 1;
            if is(&arguments, "EXEC") || is(&arguments, "DISCARD") {
                break;
            }
            let keys = match spread(&arguments) {
                Spread::Key(key) => vec![key],
                Spread::Keys { step, .. } => arguments.iter().skip(1).step_by(step).copied().collect(),
                _ => Vec::new(),
            };
            for slot in keys.into_iter().map(slot) {
                if *unit.slot.get_or_insert(slot) != slot {
                    return Err(cross_slot());
                }
            }
        }
        unit.packed = Cow::Borrowed(&begin[..begin.len() - packed.len()]);
        self.units.push(unit);
        self.wanted.push(Wanted { units: 1, combined: Combined::Alone });
        Ok(())
    }

    /// Makes the replies that the caller gets of those of the units.
    pub(super) fn replies(&self, units: Vec<Result<Values, CallFailed>>) -> Vec<Result<Value, CallFailed>> {
        let mut replies = Vec::with_capacity(self.wanted.len());
        let mut results = units.into_iter();
        let mut units = self.units.iter();
        for wanted in &self.wanted {
            if wanted.combined == Combined::Alone {
                let count = units.next().map_or(0, |unit| unit.replies);
                match results.next() {
                    Some(Ok(values)) => replies.extend(values.into_iter().map(Ok)),
                    Some(Err(error)) => replies.extend((0..count).map(|_| Err(error.clone()))),
                    None => {}
                }
            } else {
                let parts = results.by_ref().zip(units.by_ref()).take(wanted.units);
                let parts: Vec<_> = parts.map(|(result, _)| result).collect();
                let is_done =
                    |part: &Result<_, CallFailed>| part.as_ref().map_or_else(CallFailed::is_in_doubt, |_| true);
                let is_mixed = parts.iter().any(is_done);
                let parts: Result<Vec<_>, CallFailed> = parts.into_iter().collect();
                let parts = parts.map_err(|failed| if is_mixed { failed.of_a_part() } else { failed });
                replies.push(parts.map(|parts| wanted.combined.of(parts.into_iter().flatten().collect())));
            }
        }
        replies
    }
}

impl Combined {
    fn of(self, mut replies: Values) -> Value {
        if let Some(at) = replies.iter().position(|reply| matches!(reply, Value::ServerError(_))) {
            return replies.swap_remove(at);
        }
        match self {
            Self::Alone | Self::First => replies.into_iter().next().unwrap_or_default(),
            Self::Sum => Value::Int(ints(&replies).fold(0, i64::saturating_add)),
            Self::Least => Value::Int(ints(&replies).min().unwrap_or(0)),
            Self::Joined => {
                let all = replies.into_iter().flat_map(|reply| match reply {
                    Value::Array(values) | Value::Set(values) => values,
                    other => vec![other],
                });
                Value::Array(all.collect())
            }
            Self::Everywhere => {
                let everywhere = replies.into_iter().reduce(|all, reply| match (all, reply) {
                    (Value::Array(all), Value::Array(more)) => {
                        let both = |(a, b)| if a == Value::Int(0) { a } else { b };
                        Value::Array(all.into_iter().zip(more).map(both).collect())
                    }
                    (all, _) => all,
                });
                everywhere.unwrap_or_default()
            }
        }
    }
}

fn ints(replies: &[Value]) -> impl Iterator<Item = i64> {
    replies.iter().map(|reply| if let Value::Int(number) = reply { *number } else { 0 })
}

/// Over which nodes a command is spread.
enum Spread<'a> {
    Key(&'a [u8]),
    Anywhere,
    Masters(Combined),
    /// Every so many arguments there is a key, and what is said of it.
    Keys {
        step: usize,
        combined: Combined,
    },
    /// Why it is refused.
    Nowhere(&'static str),
}

fn spread<'a>(arguments: &[&'a [u8]]) -> Spread<'a> {
    let at = |index: usize| arguments.get(index).copied();
    let key = |index| at(index).map_or(Spread::Anywhere, Spread::Key);
    let counted = |count: usize| match at(count) {
        Some(b"0") | None => Spread::Anywhere,
        Some(_) => key(count + 1),
    };
    // Most are these, as this crate writes them.
    if let Some(b"HGET" | b"HSET" | b"HMGET" | b"HDEL" | b"HGETALL") = at(0) {
        return key(1);
    }
    match &*at(0).unwrap_or_default().to_ascii_uppercase() {
        b"EVAL" | b"EVALSHA" | b"EVAL_RO" | b"EVALSHA_RO" | b"FCALL" | b"FCALL_RO" | b"BLMPOP" | b"BZMPOP" => {
            counted(2)
        }
        b"LMPOP" | b"ZMPOP" | b"SINTERCARD" | b"ZDIFF" | b"ZINTER" | b"ZINTERCARD" | b"ZUNION" => counted(1),
        b"MGET" => Spread::Keys { step: 1, combined: Combined::Joined },
        b"MSET" => Spread::Keys { step: 2, combined: Combined::First },
        b"DEL" | b"UNLINK" | b"EXISTS" | b"TOUCH" => Spread::Keys { step: 1, combined: Combined::Sum },
        b"DBSIZE" => Spread::Masters(Combined::Sum),
        b"WAIT" => Spread::Masters(Combined::Least),
        b"KEYS" => Spread::Masters(Combined::Joined),
        b"FLUSHDB" | b"FLUSHALL" | b"PING" | b"UNWATCH" => Spread::Masters(Combined::First),
        b"SCRIPT" | b"FUNCTION" => match at(1).unwrap_or_default().to_ascii_uppercase().as_slice() {
            b"EXISTS" => Spread::Masters(Combined::Everywhere),
            b"LOAD" | b"FLUSH" | b"DELETE" | b"RESTORE" => Spread::Masters(Combined::First),
            _ => Spread::Anywhere,
        },
        b"OBJECT" | b"MEMORY" | b"XGROUP" | b"XINFO" | b"BITOP" => key(2),
        b"XREAD" | b"XREADGROUP" => {
            let streams = arguments.iter().position(|arg| arg.eq_ignore_ascii_case(b"STREAMS"));
            streams.map_or(Spread::Anywhere, |streams| key(streams + 1))
        }
        b"ACL" | b"AUTH" | b"BGSAVE" | b"CLIENT" | b"CLUSTER" | b"COMMAND" | b"CONFIG" | b"ECHO" | b"EXEC"
        | b"DISCARD" | b"HELLO" | b"INFO" | b"LASTSAVE" | b"LATENCY" | b"LOLWUT" | b"MODULE" | b"PUBLISH"
        | b"PUBSUB" | b"RANDOMKEY" | b"ROLE" | b"SAVE" | b"SELECT" | b"SLOWLOG" | b"TIME" => Spread::Anywhere,
        b"SCAN" | b"WAITAOF" => {
            Spread::Nowhere("a cluster has no answer to this command: ask one node after the other")
        }
        b"WATCH" => Spread::Nowhere("the transaction may go to another node than the one that watches: use `update`"),
        _ => key(1),
    }
}

fn take<'a>(packed: &mut &'a [u8], arguments: &mut Arguments<'a>) -> RedisResult<()> {
    unpack(packed, arguments).ok_or_else(|| (ErrorKind::Client, "this is not a packed command").into())
}

fn is(arguments: &[&[u8]], name: &str) -> bool {
    arguments.first().is_some_and(|first| first.eq_ignore_ascii_case(name.as_bytes()))
}

/// What redis-rs's clients say of a pipeline whose keys lie in several slots.
fn cross_slot() -> RedisError {
    (ErrorKind::Server(redis::ServerErrorKind::CrossSlot), "the keys of a transaction lie in several hash slots").into()
}
