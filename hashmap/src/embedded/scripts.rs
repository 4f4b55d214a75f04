//! The native twins of the library's scripts: the embedded store has no Lua.

use redis::Value;

use crate::command::script::Script;
use crate::embedded::answer::{Answer, Args as Command, Failure, number, refuse};
use crate::embedded::commands::{self, spec};
use crate::embedded::tables::Writer;

/// Runs any command, including a script.
pub(super) fn run(writer: &mut Writer<'_>, resp3: bool, name: &str, args: &[Vec<u8>]) -> Answer {
    match name {
        "EVAL" | "EVALSHA" => script(writer, name, args),
        _ => commands::write(writer, resp3, name, args),
    }
}

/// Runs the native twin of a script that the library sends. Any other script is refused.
fn script(writer: &mut Writer<'_>, name: &str, args: &[Vec<u8>]) -> Answer {
    let script = if name == "EVAL" { Script::by_source(&args[0]) } else { Script::by_hash(&args[0]) };
    let Some(script) = script else {
        return refuse(if name == "EVALSHA" {
            "NOSCRIPT No matching script. Please use EVAL."
        } else {
            "ERR the embedded store runs only the scripts of redis-hashmap"
        });
    };
    let keys: usize = number(&args[1])?;
    match args.get(2..).and_then(|args| args.split_at_checked(keys)) {
        Some(([key], args)) => twin(script)(writer, key, args),
        _ => refuse("ERR a script of redis-hashmap takes one key"),
    }
}

/// Does what a script does to the hash at a key, given ARGV.
type Twin = fn(&mut Writer<'_>, &[u8], &[Vec<u8>]) -> Answer;

fn twin(script: Script) -> Twin {
    match script {
        Script::Write => write,
        Script::CallAndExpire => call_and_expire,
        Script::Take => take,
        Script::Increment => increment,
    }
}

/// Runs one command as `redis.call` in a script would: in RESP2's shapes.
fn call(writer: &mut Writer<'_>, args: &[&[u8]]) -> Answer {
    let command: Command = args.iter().map(|arg| arg.to_vec()).collect();
    match spec(&command)?.name {
        "EVAL" | "EVALSHA" => refuse("ERR This Redis command is not allowed from script"),
        name => commands::write(writer, false, name, &command[1..]),
    }
}

fn malformed() -> Failure {
    Failure::Reply("ERR these arguments are not those of a script of redis-hashmap".to_owned())
}

/// The arguments of a script, one after the other.
struct Args<'a>(&'a [Vec<u8>]);

impl<'a> Args<'a> {
    fn next(&mut self) -> Result<&'a [u8], Failure> {
        let (first, rest) = self.0.split_first().ok_or_else(malformed)?;
        self.0 = rest;
        Ok(first)
    }

    fn number<T: std::str::FromStr>(&mut self) -> Result<T, Failure> {
        std::str::from_utf8(self.next()?).ok().and_then(|text| text.parse().ok()).ok_or_else(malformed)
    }

    fn take(&mut self, count: usize) -> Result<&'a [Vec<u8>], Failure> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(malformed)?;
        self.0 = rest;
        Ok(taken)
    }
}

fn on<'a>(command: &'a [&'a [u8]], args: &'a [Vec<u8>]) -> Vec<&'a [u8]> {
    command.iter().copied().chain(args.iter().map(Vec::as_slice)).collect()
}

fn expire(writer: &mut Writer<'_>, key: &[u8], ttl: &[u8]) -> Result<(), Failure> {
    if ttl == b"0" { Ok(()) } else { call(writer, &[b"PEXPIRE", key, ttl]).map(drop) }
}

fn stored(writer: &mut Writer<'_>, key: &[u8], field: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
    match call(writer, &[b"HGET", key, field])? {
        Value::BulkString(bytes) => Ok(Some(bytes)),
        _ => Ok(None),
    }
}

fn has_time(writer: &mut Writer<'_>, key: &[u8], field: &[u8]) -> Result<bool, Failure> {
    let left = call(writer, &[b"HPTTL", key, b"FIELDS", b"1", field])?;
    Ok(matches!(left, Value::Array(left) if matches!(left.as_slice(), [Value::Int(0..)])))
}

fn write(writer: &mut Writer<'_>, key: &[u8], args: &[Vec<u8>]) -> Answer {
    let mut args = Args(args);
    let (must, ttl, keep) = (args.next()?, args.next()?, args.next()? == b"keep");
    if !must.is_empty() && (call(writer, &[b"EXISTS", key])? == Value::Int(1)) != (must == b"present") {
        return Ok(Value::Int(-1));
    }
    for _ in 0..args.number::<usize>()? {
        let (stored, expected) = (stored(writer, key, args.next()?)?, args.next()?);
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
        let stored = stored(writer, key, field)?;
        if millis == b"keep" {
            call(writer, &[b"HSETEX", key, b"KEEPTTL", b"FIELDS", b"1", field, value])?;
        } else if !(keep && stored.as_deref() == Some(value) && has_time(writer, key, field)?) {
            call(writer, &[b"HSETEX", key, b"PX", millis, b"FIELDS", b"1", field, value])?;
        }
        new += i64::from(stored.is_none());
    }
    let sets = args.number()?;
    let sets = args.take(sets)?;
    if !sets.is_empty()
        && let Value::Int(added) = call(writer, &on(&[b"HSET", key], sets))?
    {
        new += added;
    }
    if !args.0.is_empty() {
        call(writer, &on(&[b"HDEL", key], args.0))?;
    }
    expire(writer, key, ttl)?;
    Ok(Value::Int(new))
}

fn call_and_expire(writer: &mut Writer<'_>, key: &[u8], args: &[Vec<u8>]) -> Answer {
    let mut args = Args(args);
    let (ttl, command) = (args.next()?, args.next()?);
    let reply = call(writer, &on(&[command, key], args.0))?;
    expire(writer, key, ttl)?;
    Ok(reply)
}

fn take(writer: &mut Writer<'_>, key: &[u8], args: &[Vec<u8>]) -> Answer {
    let mut args = Args(args);
    let (field, ttl, kind) = (args.next()?, args.next()?, args.number::<u8>()?);
    let Some(stored) = stored(writer, key, field)? else { return Ok(Value::Nil) };
    if stored.first() == Some(&kind) {
        call(writer, &[b"HDEL", key, field])?;
        expire(writer, key, ttl)?;
    }
    Ok(Value::BulkString(stored))
}

fn increment(writer: &mut Writer<'_>, key: &[u8], args: &[Vec<u8>]) -> Answer {
    let mut args = Args(args);
    let (field, by, millis, ttl) = (args.next()?, args.next()?, args.next()?, args.next()?);
    let timeless = millis != b"0" && !has_time(writer, key, field)?;
    call(writer, &[b"HINCRBY", key, field, by])?;
    if timeless {
        call(writer, &[b"HPEXPIRE", key, millis, b"FIELDS", b"1", field])?;
    }
    expire(writer, key, ttl)?;
    call(writer, &[b"HGET", key, field])
}
