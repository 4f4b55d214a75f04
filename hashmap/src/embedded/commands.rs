//! What the embedded store answers to Redis's commands, at the level of redis's `Value`.

use redis::Value;

use crate::embedded::answer::{Answer, Args, Failure, bulk, error, int, number, refuse, value_of, wrong_number};
use crate::embedded::expiry::{self, Clock};
use crate::embedded::scan::{Page, Scan};
use crate::embedded::tables::{FieldExpiries, Fields, Hash, Keys, View, Writer};

pub(super) struct Spec {
    pub(super) name: &'static str,
    /// How many arguments it takes, not counting its name.
    args: std::ops::RangeInclusive<usize>,
    writes: bool,
}

const MANY: usize = usize::MAX;

macro_rules! specs {
    ($($name:literal $args:expr, $access:ident;)*) => {
        const SPECS: &[Spec] = &[$(Spec { name: $name, args: $args, writes: specs!($access) }),*];
    };
    (reads) => { false };
    (writes) => { true };
}

specs! {
    "PING" 0..=1, reads;
    "HGET" 2..=2, reads;
    "HMGET" 2..=MANY, reads;
    "HEXISTS" 2..=2, reads;
    "HGETALL" 1..=1, reads;
    "HKEYS" 1..=1, reads;
    "HLEN" 1..=1, reads;
    "HSCAN" 2..=MANY, reads;
    "EXISTS" 1..=MANY, reads;
    "TYPE" 1..=1, reads;
    "TTL" 1..=1, reads;
    "PTTL" 1..=1, reads;
    "SCAN" 1..=MANY, reads;
    "HTTL" 4..=MANY, reads;
    "HPTTL" 4..=MANY, reads;
    "HSET" 3..=MANY, writes;
    "HSETNX" 3..=3, writes;
    "HDEL" 2..=MANY, writes;
    "HINCRBY" 3..=3, writes;
    "DEL" 1..=MANY, writes;
    "UNLINK" 1..=MANY, writes;
    "EXPIRE" 2..=MANY, writes;
    "PEXPIRE" 2..=MANY, writes;
    "EXPIREAT" 2..=MANY, writes;
    "PEXPIREAT" 2..=MANY, writes;
    "PERSIST" 1..=1, writes;
    "HEXPIRE" 5..=MANY, writes;
    "HPEXPIRE" 5..=MANY, writes;
    "HEXPIREAT" 5..=MANY, writes;
    "HPEXPIREAT" 5..=MANY, writes;
    "HPERSIST" 4..=MANY, writes;
    "HSETEX" 5..=MANY, writes;
    "HGETEX" 4..=MANY, writes;
    "HGETDEL" 4..=MANY, writes;
    "EVAL" 2..=MANY, writes;
    "EVALSHA" 2..=MANY, writes;
}

fn name_of(command: &Args) -> String {
    command.first().map(|name| String::from_utf8_lossy(name).to_ascii_uppercase()).unwrap_or_default()
}

/// Finds a command. An unknown one, and a wrong number of arguments, get Redis's own error.
pub(super) fn spec(command: &Args) -> Result<&'static Spec, Failure> {
    let name = name_of(command);
    let Some(spec) = SPECS.iter().find(|spec| spec.name == name) else {
        let name = command.first().map_or_else(String::new, |name| quotable(name));
        let mut reply = format!("ERR unknown command '{name}', with args beginning with: ");
        for arg in command.iter().skip(1).take(8) {
            reply.extend(["'", quotable(arg).as_str(), "' "]);
        }
        return refuse(reply);
    };
    if spec.args.contains(&(command.len() - 1)) { Ok(spec) } else { wrong_number(spec.name) }
}

/// An argument as Redis quotes it: its first 128 bytes, up to a NUL.
fn quotable(arg: &[u8]) -> String {
    let end = arg.iter().position(|byte| *byte == 0).unwrap_or(arg.len()).min(128);
    String::from_utf8_lossy(&arg[..end]).into_owned()
}

/// True if one of the commands writes.
pub(super) fn writes(commands: &[Args]) -> bool {
    commands.iter().any(|command| spec(command).is_ok_and(|spec| spec.writes))
}

/// Answers commands one after the other, MULTI and EXEC among them. `run` carries out a single command.
///
/// The error of one command is its answer. An error of the disk ends them all.
pub(super) fn answer_all(
    commands: &[Args],
    mut run: impl FnMut(&str, &[Vec<u8>]) -> Answer,
) -> Result<Vec<Value>, redb::Error> {
    let mut answer = |command: &Args| match spec(command).and_then(|spec| run(spec.name, &command[1..])) {
        Ok(value) => Ok(value),
        Err(Failure::Reply(reply)) => Ok(error(&reply)),
        Err(Failure::Storage(error)) => Err(error),
    };
    let mut answers = Vec::with_capacity(commands.len());
    let mut queued: Option<Vec<&Args>> = None;
    let mut refused = false;
    for command in commands {
        let name = name_of(command);
        let value = match (name.as_str(), queued.take()) {
            ("MULTI", None) => {
                (queued, refused) = (Some(Vec::new()), false);
                Value::Okay
            }
            ("MULTI", some) => {
                queued = some;
                error("ERR MULTI calls can not be nested")
            }
            ("EXEC", Some(_)) if refused => error("EXECABORT Transaction discarded because of previous errors."),
            ("EXEC", Some(transaction)) => {
                Value::Array(transaction.into_iter().map(&mut answer).collect::<Result<_, _>>()?)
            }
            ("EXEC", None) => error("ERR EXEC without MULTI"),
            ("DISCARD", Some(_)) => Value::Okay,
            ("DISCARD", None) => error("ERR DISCARD without MULTI"),
            (_, Some(mut transaction)) => {
                let value = match spec(command) {
                    Ok(_) => Value::SimpleString("QUEUED".to_owned()),
                    Err(Failure::Reply(reply)) => {
                        refused = true;
                        error(&reply)
                    }
                    Err(Failure::Storage(error)) => return Err(error),
                };
                transaction.push(command);
                queued = Some(transaction);
                value
            }
            (_, None) => answer(command)?,
        };
        answers.push(value);
    }
    Ok(answers)
}

/// Carries out a command that only reads.
pub(super) fn read<K: Keys, F: Fields, E: FieldExpiries>(
    view: &View<'_, K, F, E>,
    resp3: bool,
    name: &str,
    args: &[Vec<u8>],
) -> Answer {
    let key = args.first().map_or(&[][..], Vec::as_slice);
    // Enough for single fields. Commands on the whole key use `living`, since all its fields may have expired.
    let hash = || view.hash(key);
    Ok(match name {
        "PING" => args.first().map_or_else(|| Value::SimpleString("PONG".to_owned()), |arg| bulk(arg)),
        "HGET" => match hash()? {
            Some(hash) => value_of(view.field(hash, &args[1])?),
            None => Value::Nil,
        },
        "HMGET" => {
            let hash = hash()?;
            let field = |field: &Vec<u8>| match hash {
                Some(hash) => view.field(hash, field).map(value_of),
                None => Ok(Value::Nil),
            };
            Value::Array(args[1..].iter().map(field).collect::<Result<_, _>>()?)
        }
        "HEXISTS" => match hash()? {
            Some(hash) => int(i64::from(view.field(hash, &args[1])?.is_some())),
            None => int(0),
        },
        "HGETALL" => {
            let mut entries = Vec::new();
            if let Some(hash) = hash()? {
                view.each_field(hash, 0, |_, field, value| {
                    entries.push((bulk(field), bulk(value)));
                    true
                })?;
            }
            if resp3 {
                Value::Map(entries)
            } else {
                Value::Array(entries.into_iter().flat_map(|(field, value)| [field, value]).collect())
            }
        }
        "HKEYS" => {
            let mut fields = Vec::new();
            if let Some(hash) = hash()? {
                view.each_field(hash, 0, |_, field, _| {
                    fields.push(bulk(field));
                    true
                })?;
            }
            Value::Array(fields)
        }
        "HLEN" => match hash()? {
            Some(hash) => int(view.len(hash)?),
            None => int(0),
        },
        "EXISTS" => {
            let mut found = 0;
            for key in args {
                found += i64::from(view.living(key)?.is_some());
            }
            Value::Int(found)
        }
        "TYPE" => Value::SimpleString(if view.living(key)?.is_some() { "hash" } else { "none" }.to_owned()),
        "TTL" | "PTTL" => match view.living(key)? {
            None => Value::Int(-2),
            Some(Hash { expires: 0, .. }) => Value::Int(-1),
            Some(Hash { expires, .. }) => {
                let left = expires - view.now;
                int(if name == "TTL" { left.saturating_add(500) / 1000 } else { left })
            }
        },
        "HTTL" => expiry::left(view, args, 1000)?,
        "HPTTL" => expiry::left(view, args, 1)?,
        "HSCAN" => {
            let scan = Scan::parse(&args[1], &args[2..])?;
            let mut page = Page::new(&scan);
            if let Some(hash) = hash()? {
                view.each_field(hash, scan.cursor, |position, field, value| {
                    page.take(position, field, (!scan.no_values).then_some(value))
                })?;
            }
            page.into_value()
        }
        "SCAN" => {
            let scan = Scan::parse(&args[0], &args[1..])?;
            let mut page = Page::new(&scan);
            view.each_key(scan.cursor, |position, key| page.take(position, key, None))?;
            page.into_value()
        }
        _ => return refuse(format!("ERR '{name}' is not a command that reads")),
    })
}

/// Carries out any command except a script.
pub(super) fn write(writer: &mut Writer<'_>, resp3: bool, name: &str, args: &[Vec<u8>]) -> Answer {
    Ok(match name {
        "HSET" => {
            if args.len().is_multiple_of(2) {
                return wrong_number(name);
            }
            int(set_fields(writer, &args[0], &args[1..])?)
        }
        "HSETNX" => {
            let mut hash = writer.open(&args[0])?;
            let is_new = writer.view().field(hash, &args[1])?.is_none();
            if is_new {
                writer.set(&mut hash, &args[1], &args[2], 0)?;
                writer.close(hash)?;
            }
            int(i64::from(is_new))
        }
        "HDEL" => int(remove_fields(writer, &args[0], &args[1..])?),
        "HINCRBY" => increment(writer, &args[0], &args[1], &args[2])?,
        "DEL" | "UNLINK" => {
            let mut removed = 0;
            for key in args {
                removed += i64::from(writer.remove(key)?);
            }
            Value::Int(removed)
        }
        "EXPIRE" => expiry::expire(writer, name, args, &Clock::EX)?,
        "PEXPIRE" => expiry::expire(writer, name, args, &Clock::PX)?,
        "EXPIREAT" => expiry::expire(writer, name, args, &Clock::EXAT)?,
        "PEXPIREAT" => expiry::expire(writer, name, args, &Clock::PXAT)?,
        "PERSIST" => match writer.find(&args[0])? {
            Some(hash) if hash.expires != 0 => {
                writer.expire(hash, 0)?;
                int(1)
            }
            _ => int(0),
        },
        "HEXPIRE" => expiry::expire_fields(writer, name, args, &Clock::EX)?,
        "HPEXPIRE" => expiry::expire_fields(writer, name, args, &Clock::PX)?,
        "HEXPIREAT" => expiry::expire_fields(writer, name, args, &Clock::EXAT)?,
        "HPEXPIREAT" => expiry::expire_fields(writer, name, args, &Clock::PXAT)?,
        "HPERSIST" => expiry::persist_fields(writer, args)?,
        "HSETEX" => expiry::set_fields(writer, name, args)?,
        "HGETEX" => expiry::get_fields(writer, name, args)?,
        "HGETDEL" => expiry::take_fields(writer, args)?,
        _ => return read(&writer.view(), resp3, name, args),
    })
}

/// Sets fields, given as names and values in turn. Returns how many are new.
fn set_fields(writer: &mut Writer<'_>, key: &[u8], pairs: &[Vec<u8>]) -> Result<i64, redb::Error> {
    let mut hash = writer.open(key)?;
    let mut new = 0;
    for pair in pairs.chunks_exact(2) {
        new += i64::from(writer.set(&mut hash, &pair[0], &pair[1], 0)?);
    }
    writer.close(hash)?;
    Ok(new)
}

/// Removes fields. Returns how many were there.
fn remove_fields(writer: &mut Writer<'_>, key: &[u8], fields: &[Vec<u8>]) -> Result<i64, redb::Error> {
    let Some(mut hash) = writer.find(key)? else { return Ok(0) };
    let mut removed = 0;
    for field in fields {
        removed += i64::from(writer.unset(&mut hash, field)?);
    }
    writer.close(hash)?;
    Ok(removed)
}

fn increment(writer: &mut Writer<'_>, key: &[u8], field: &[u8], by: &[u8]) -> Answer {
    let by: i64 = number(by)?;
    let mut hash = writer.open(key)?;
    let (current, expires) = match writer.view().field(hash, field)? {
        Some(field) => (number(&field.value).or_else(|_| refuse("ERR hash value is not an integer"))?, field.expires),
        None => (0, 0),
    };
    let Some(sum) = i64::checked_add(current, by) else {
        return refuse("ERR increment or decrement would overflow");
    };
    writer.set(&mut hash, field, sum.to_string().as_bytes(), expires)?;
    writer.close(hash)?;
    Ok(Value::Int(sum))
}
