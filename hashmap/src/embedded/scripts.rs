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

/// Fields that lie under an alias, each with that alias.
type Held<'a> = Vec<(&'a [u8], &'a [u8])>;

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

    /// The remaining time to live of a field in milliseconds, if it has one.
    fn time_left(&mut self, field: &[u8]) -> Result<Option<i64>, Failure> {
        let Value::Array(left) = self.call(b"HPTTL", &[&[b"FIELDS", b"1", field]])? else { return Ok(None) };
        Ok(if let [Value::Int(left @ 0..)] = left.as_slice() { Some(*left) } else { None })
    }

    /// Sets a field that has this time left. At its very end it has a millisecond.
    fn set_with_time(&mut self, field: &[u8], value: &[u8], left: i64) -> Result<(), Failure> {
        let left = left.max(1).to_string();
        self.call(b"HSETEX", &[&[b"PX", left.as_bytes(), b"FIELDS", b"1", field, value]]).map(drop)
    }

    /// Looks up the fields of a write under all their names. Returns those that are set and lie under an alias, or
    /// `None` if a condition does not hold.
    fn looked_up<'n>(&mut self, args: &mut Args<'n>) -> Result<Option<Held<'n>>, Failure> {
        let mut held = Held::new();
        let mut names = args.number::<usize>()?;
        while names > 0 {
            let (field, mut expected) = (args.next()?, args.next()?);
            let is_set = expected == b">";
            let mut stored = self.stored(field)?;
            names -= 1;
            while matches!(expected, b">" | b"|") {
                names = names.checked_sub(1).ok_or_else(malformed)?;
                let alias = args.next()?;
                expected = args.next()?;
                if stored.is_none() {
                    stored = self.stored(alias)?;
                    if stored.is_some() && is_set {
                        held.push((field, alias));
                    }
                }
            }
            let holds = match (expected, &stored) {
                (b"?", _) => true,
                (b"", stored) => stored.is_none(),
                (b"*", stored) => stored.is_some(),
                (expected, Some(stored)) => expected.strip_prefix(b"=") == Some(stored),
                (_, None) => false,
            };
            if !holds {
                return Ok(None);
            }
        }
        Ok(Some(held))
    }

    fn write(&mut self, mut args: Args<'_>) -> Answer {
        let (must, ttl, keep) = (args.next()?, args.next()?, args.next()? == b"keep");
        if !must.is_empty() && (self.call(b"EXISTS", &[])? == Value::Int(1)) != (must == b"present") {
            return Ok(Value::Int(-1));
        }
        let Some(held) = self.looked_up(&mut args)? else { return Ok(Value::Int(-2)) };
        let mut new = -i64::try_from(held.len()).unwrap_or_default();
        for _ in 0..args.number::<usize>()? {
            let (field, value, millis) = (args.next()?, args.next()?, args.next()?);
            let alias = held.iter().find(|(name, _)| *name == field).map(|(_, alias)| *alias);
            let stored = self.stored(alias.unwrap_or(field))?;
            let pair: &[&[u8]] = &[b"FIELDS", b"1", field, value];
            if millis == b"keep" && self.time_left(field).unwrap_or_default().is_some() {
                self.call(b"HSETEX", &[&[b"KEEPTTL"], pair])?;
            } else if millis == b"keep" {
                // There is no time to keep, as everywhere where fields cannot expire.
                self.call(b"HSET", &[&[field, value]])?;
            } else {
                let is_kept = keep && stored.as_deref() == Some(value);
                match if is_kept { self.time_left(alias.unwrap_or(field))? } else { None } {
                    None => drop(self.call(b"HSETEX", &[&[b"PX", millis], pair])?),
                    Some(left) if alias.is_some() => self.set_with_time(field, value, left)?,
                    Some(_) => {}
                }
            }
            new += i64::from(stored.is_none() || alias.is_some());
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
        let mut stored = self.stored(field)?;
        for alias in args.0 {
            if stored.is_none() {
                stored = self.stored(alias)?;
            }
        }
        let Some(stored) = stored else { return Ok(Value::Nil) };
        if stored.first() == Some(&kind) {
            self.call(b"HDEL", &[&[field], args.0])?;
            self.expire(ttl)?;
        }
        Ok(Value::BulkString(stored))
    }

    fn increment(&mut self, mut args: Args<'_>) -> Answer {
        let (field, by, millis, ttl) = (args.next()?, args.next()?, args.next()?, args.next()?);
        let aliases = args.0;
        let mut from = field;
        for name in [field].into_iter().chain(aliases.iter().copied()) {
            if self.stored(name)?.is_some() {
                from = name;
                break;
            }
        }
        // A server that cannot expire fields has no time left for any.
        let left = if from == field { None } else { self.time_left(from).unwrap_or_default() };
        let timeless = millis != b"0" && self.time_left(from)?.is_none();
        self.call(b"HINCRBY", &[&[from, by]])?;
        match (self.stored(from)?, left) {
            (Some(sum), Some(left)) => self.set_with_time(field, &sum, left)?,
            (Some(sum), None) if from != field => drop(self.call(b"HSET", &[&[field, &sum]])?),
            _ => {}
        }
        if !aliases.is_empty() {
            self.call(b"HDEL", &[aliases])?;
        }
        if timeless {
            self.call(b"HPEXPIRE", &[&[millis, b"FIELDS", b"1", field]])?;
        }
        self.expire(ttl)?;
        self.call(b"HGET", &[&[field]])
    }
}
