//! The native twins of the library's scripts: the embedded store has no Lua.

use redis::Value;
use smallvec::{SmallVec, smallvec};

use crate::command::script::Script;
use crate::embedded::answer::{Answer, Failure, number, refuse};
use crate::embedded::names::{Command, Spec, Write};
use crate::embedded::request::Dialect;
use crate::embedded::storage::Writer;
use crate::embedded::{reads, writes};

/// Runs any command of one key or several, including a script.
pub(super) fn run(storage: &mut impl Writer, dialect: Dialect, command: Command, args: &[&[u8]]) -> Answer {
    match command {
        Command::Read(command) => reads::run(storage, dialect, command, args),
        Command::Write(Write::Eval) => script(storage, dialect, Script::by_source(args[0]), false, args),
        Command::Write(Write::EvalSha) => script(storage, dialect, Script::by_hash(args[0]), true, args),
        Command::Write(command) => writes::run(storage, command, args),
        Command::Control(_) => not_allowed(),
    }
}

/// Runs the native twin of a script that the library sends. Any other script is refused.
fn script(
    storage: &mut impl Writer,
    dialect: Dialect,
    script: Option<Script>,
    is_hash: bool,
    args: &[&[u8]],
) -> Answer {
    let Some(script) = script else {
        return refuse(if is_hash {
            "NOSCRIPT No matching script. Please use EVAL."
        } else {
            "ERR the embedded store runs only the scripts of redis-hashmap"
        });
    };
    let keys: usize = number(args[1])?;
    let Some(([key], args)) = args.get(2..).and_then(|args| args.split_at_checked(keys)) else {
        return refuse("ERR a script of redis-hashmap takes one key");
    };
    let mut twin = Twin { storage, dialect: dialect.of_scripts(), key };
    match script {
        Script::Write => twin.write(Args(args)),
        Script::CallAndExpire => twin.call_and_expire(Args(args)),
        Script::Take => twin.take(Args(args)),
        Script::Increment => twin.increment(Args(args)),
    }
}

fn not_allowed() -> Answer {
    refuse("ERR This Redis command is not allowed from script")
}

fn malformed() -> Failure {
    Failure::Reply("ERR these arguments are not those of a script of redis-hashmap".to_owned())
}

/// The arguments of a script, one after the other.
struct Args<'a>(&'a [&'a [u8]]);

impl<'a> Args<'a> {
    fn next(&mut self) -> Result<&'a [u8], Failure> {
        let (first, rest) = self.0.split_first().ok_or_else(malformed)?;
        self.0 = rest;
        Ok(first)
    }

    fn number<T: std::str::FromStr>(&mut self) -> Result<T, Failure> {
        std::str::from_utf8(self.next()?).ok().and_then(|text| text.parse().ok()).ok_or_else(malformed)
    }

    fn take(&mut self, count: usize) -> Result<&'a [&'a [u8]], Failure> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(malformed)?;
        self.0 = rest;
        Ok(taken)
    }
}

/// What the scripts do to the hash at their key.
struct Twin<'a, W> {
    storage: &'a mut W,
    dialect: Dialect,
    key: &'a [u8],
}

impl<W: Writer> Twin<'_, W> {
    /// Runs one command on the key as `redis.call` in a script would.
    fn call(&mut self, name: &[u8], args: &[&[&[u8]]]) -> Answer {
        let mut command: SmallVec<[&[u8]; 16]> = smallvec![name, self.key];
        for args in args {
            command.extend_from_slice(args);
        }
        // A script gets other texts than a client.
        let Some(spec) = Spec::find(name, self.dialect.server) else {
            return refuse("ERR Unknown Redis command called from script");
        };
        if !spec.takes(command.len() - 1) {
            return refuse("ERR Wrong number of args calling Redis command from script");
        }
        match spec.command {
            Command::Write(Write::Eval | Write::EvalSha) => not_allowed(),
            found => run(self.storage, self.dialect, found, &command[1..]),
        }
    }

    fn expire(&mut self, ttl: &[u8]) -> Result<(), Failure> {
        if ttl == b"0" { Ok(()) } else { self.call(b"PEXPIRE", &[&[ttl]]).map(drop) }
    }

    fn stored(&mut self, field: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        match self.call(b"HGET", &[&[field]])? {
            Value::BulkString(bytes) => Ok(Some(bytes)),
            _ => Ok(None),
        }
    }

    fn has_time(&mut self, field: &[u8]) -> Result<bool, Failure> {
        let left = self.call(b"HPTTL", &[&[b"FIELDS", b"1", field]])?;
        Ok(matches!(left, Value::Array(left) if matches!(left.as_slice(), [Value::Int(0..)])))
    }

    fn write(&mut self, mut args: Args<'_>) -> Answer {
        let (must, ttl, keep) = (args.next()?, args.next()?, args.next()? == b"keep");
        if !must.is_empty() && (self.call(b"EXISTS", &[])? == Value::Int(1)) != (must == b"present") {
            return Ok(Value::Int(-1));
        }
        for _ in 0..args.number::<usize>()? {
            let (stored, expected) = (self.stored(args.next()?)?, args.next()?);
            let holds = match (expected, &stored) {
                (b"", stored) => stored.is_none(),
                (b"*", stored) => stored.is_some(),
                (expected, Some(stored)) => expected.strip_prefix(b"=") == Some(stored),
                (_, None) => false,
            };
            if !holds {
                return Ok(Value::Int(-2));
            }
        }
        let mut new = 0;
        for _ in 0..args.number::<usize>()? {
            let (field, value, millis) = (args.next()?, args.next()?, args.next()?);
            let stored = self.stored(field)?;
            let pair: &[&[u8]] = &[b"FIELDS", b"1", field, value];
            if millis == b"keep" && self.has_time(field).unwrap_or_default() {
                self.call(b"HSETEX", &[&[b"KEEPTTL"], pair])?;
            } else if millis == b"keep" {
                // There is no time to keep, as everywhere where fields cannot expire.
                self.call(b"HSET", &[&[field, value]])?;
            } else if !(keep && stored.as_deref() == Some(value) && self.has_time(field)?) {
                self.call(b"HSETEX", &[&[b"PX", millis], pair])?;
            }
            new += i64::from(stored.is_none());
        }
        let sets = args.number()?;
        let sets = args.take(sets)?;
        if !sets.is_empty()
            && let Value::Int(added) = self.call(b"HSET", &[sets])?
        {
            new += added;
        }
        if !args.0.is_empty() {
            self.call(b"HDEL", &[args.0])?;
        }
        self.expire(ttl)?;
        Ok(Value::Int(new))
    }

    fn call_and_expire(&mut self, mut args: Args<'_>) -> Answer {
        let (ttl, command) = (args.next()?, args.next()?);
        let reply = self.call(command, &[args.0])?;
        self.expire(ttl)?;
        Ok(reply)
    }

    fn take(&mut self, mut args: Args<'_>) -> Answer {
        let (field, ttl, kind) = (args.next()?, args.next()?, args.number::<u8>()?);
        let Some(stored) = self.stored(field)? else { return Ok(Value::Nil) };
        if stored.first() == Some(&kind) {
            self.call(b"HDEL", &[&[field]])?;
            self.expire(ttl)?;
        }
        Ok(Value::BulkString(stored))
    }

    fn increment(&mut self, mut args: Args<'_>) -> Answer {
        let (field, by, millis, ttl) = (args.next()?, args.next()?, args.next()?, args.next()?);
        let timeless = millis != b"0" && !self.has_time(field)?;
        self.call(b"HINCRBY", &[&[field, by]])?;
        if timeless {
            self.call(b"HPEXPIRE", &[&[millis, b"FIELDS", b"1", field]])?;
        }
        self.expire(ttl)?;
        self.call(b"HGET", &[&[field]])
    }
}
