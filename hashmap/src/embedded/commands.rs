//! What the embedded store answers to Redis's commands, at the level of redis's `Value`.

use redis::{RedisError, Value};

use super::tables::{Fields, Hash, Keys, View, Writer};
use crate::script::Script;

/// The arguments of one command, its name first.
pub(super) type Args = Vec<Vec<u8>>;

/// Why a command was not carried out.
pub(crate) enum Failure {
    /// What Redis would answer, without the `-`.
    Reply(String),
    Storage(redb::Error),
}

impl From<redb::Error> for Failure {
    fn from(error: redb::Error) -> Self {
        Self::Storage(error)
    }
}

impl From<redb::StorageError> for Failure {
    fn from(error: redb::StorageError) -> Self {
        Self::Storage(error.into())
    }
}

type Answer = Result<Value, Failure>;

fn refuse<T>(reply: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Reply(reply.into()))
}

/// An error as a server sends it.
pub(super) fn error(reply: &str) -> Value {
    let line: String = reply.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap_or(Value::Nil)
}

/// A failure of the disk: the one thing that is no answer.
pub(super) fn storage_error(error: redb::Error) -> RedisError {
    let io = match error {
        redb::Error::Io(error) => error,
        error => std::io::Error::other(error.to_string()),
    };
    io.into()
}

struct Spec {
    name: &'static str,
    /// How many arguments it takes, its name not counted.
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
    "EVAL" 2..=MANY, writes;
    "EVALSHA" 2..=MANY, writes;
}

fn name_of(command: &Args) -> String {
    command.first().map(|name| String::from_utf8_lossy(name).to_ascii_uppercase()).unwrap_or_default()
}

/// The command, or what Redis says of one it does not know or that has the wrong number of arguments.
fn spec(command: &Args) -> Result<&'static Spec, Failure> {
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

/// As Redis quotes an argument: its first 128 bytes, up to a NUL.
fn quotable(arg: &[u8]) -> String {
    let end = arg.iter().position(|byte| *byte == 0).unwrap_or(arg.len()).min(128);
    String::from_utf8_lossy(&arg[..end]).into_owned()
}

fn wrong_number<T>(name: &str) -> Result<T, Failure> {
    refuse(format!("ERR wrong number of arguments for '{}' command", name.to_lowercase()))
}

/// True if one of the commands writes.
pub(super) fn writes(commands: &[Args]) -> bool {
    commands.iter().any(|command| spec(command).is_ok_and(|spec| spec.writes))
}

/// Answers commands one after the other, with MULTI and EXEC among them, by what runs a single one.
///
/// The error of one command is its answer; an error of the disk ends all.
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

fn bulk(bytes: &[u8]) -> Value {
    Value::BulkString(bytes.to_vec())
}

fn int(number: impl TryInto<i64>) -> Value {
    Value::Int(number.try_into().unwrap_or(i64::MAX))
}

fn number<T: std::str::FromStr>(arg: &[u8]) -> Result<T, Failure> {
    let parsed = std::str::from_utf8(arg).ok().and_then(|text| text.parse().ok());
    parsed.ok_or_else(|| Failure::Reply("ERR value is not an integer or out of range".to_owned()))
}

/// Commands that only read.
pub(super) fn read<K: Keys, F: Fields>(view: &View<'_, K, F>, resp3: bool, name: &str, args: &[Vec<u8>]) -> Answer {
    let hash = || view.hash(args.first().map_or(&[][..], Vec::as_slice));
    Ok(match name {
        "PING" => args.first().map_or_else(|| Value::SimpleString("PONG".to_owned()), |arg| bulk(arg)),
        "HGET" => match hash()? {
            Some(hash) => view.field(hash, &args[1])?.map_or(Value::Nil, Value::BulkString),
            None => Value::Nil,
        },
        "HMGET" => {
            let hash = hash()?;
            let field = |field: &Vec<u8>| match hash {
                Some(hash) => view.field(hash, field).map(|value| value.map_or(Value::Nil, Value::BulkString)),
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
        "HLEN" => int(hash()?.map_or(0, |hash| hash.len)),
        "EXISTS" => {
            let mut found = 0;
            for key in args {
                found += i64::from(view.hash(key)?.is_some());
            }
            Value::Int(found)
        }
        "TYPE" => Value::SimpleString(if hash()?.is_some() { "hash" } else { "none" }.to_owned()),
        "TTL" | "PTTL" => match hash()? {
            None => Value::Int(-2),
            Some(Hash { expires: 0, .. }) => Value::Int(-1),
            Some(Hash { expires, .. }) => {
                let left = expires - view.now;
                int(if name == "TTL" { left.saturating_add(500) / 1000 } else { left })
            }
        },
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

/// All commands.
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
                writer.set(&mut hash, &args[1], &args[2])?;
                writer.close(&args[0], hash)?;
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
        "EXPIRE" => expire(writer, name, args, 1000, true)?,
        "PEXPIRE" => expire(writer, name, args, 1, true)?,
        "EXPIREAT" => expire(writer, name, args, 1000, false)?,
        "PEXPIREAT" => expire(writer, name, args, 1, false)?,
        "PERSIST" => match writer.view().hash(&args[0])? {
            Some(hash) if hash.expires != 0 => {
                writer.expire(&args[0], hash, 0)?;
                int(1)
            }
            _ => int(0),
        },
        "EVAL" | "EVALSHA" => script(writer, name, args)?,
        _ => return read(&writer.view(), resp3, name, args),
    })
}

/// Runs one command, as a script does.
pub(crate) fn call(writer: &mut Writer<'_>, args: &[&[u8]]) -> Answer {
    let command: Args = args.iter().map(|arg| arg.to_vec()).collect();
    let spec = spec(&command)?;
    write(writer, false, spec.name, &command[1..])
}

/// Sets fields, given as names and values in turn; how many are new.
fn set_fields(writer: &mut Writer<'_>, key: &[u8], pairs: &[Vec<u8>]) -> Result<i64, redb::Error> {
    let mut hash = writer.open(key)?;
    let mut new = 0;
    for pair in pairs.chunks_exact(2) {
        new += i64::from(writer.set(&mut hash, &pair[0], &pair[1])?);
    }
    writer.close(key, hash)?;
    Ok(new)
}

/// Removes fields; how many were there.
fn remove_fields(writer: &mut Writer<'_>, key: &[u8], fields: &[Vec<u8>]) -> Result<i64, redb::Error> {
    let Some(mut hash) = writer.view().hash(key)? else { return Ok(0) };
    let mut removed = 0;
    for field in fields {
        removed += i64::from(writer.unset(&mut hash, field)?);
    }
    writer.close(key, hash)?;
    Ok(removed)
}

fn increment(writer: &mut Writer<'_>, key: &[u8], field: &[u8], by: &[u8]) -> Answer {
    let by: i64 = number(by)?;
    let mut hash = writer.open(key)?;
    let current = match writer.view().field(hash, field)? {
        Some(stored) => number(&stored).or_else(|_| refuse("ERR hash value is not an integer"))?,
        None => 0,
    };
    let Some(sum) = i64::checked_add(current, by) else {
        return refuse("ERR increment or decrement would overflow");
    };
    writer.set(&mut hash, field, sum.to_string().as_bytes())?;
    writer.close(key, hash)?;
    Ok(Value::Int(sum))
}

/// EXPIRE and its kin: `unit` milliseconds, from now on or since 1970.
fn expire(writer: &mut Writer<'_>, name: &str, args: &[Vec<u8>], unit: i64, from_now: bool) -> Answer {
    let (mut nx, mut xx, mut gt, mut lt) = (false, false, false, false);
    for option in &args[2..] {
        match option.to_ascii_uppercase().as_slice() {
            b"NX" => nx = true,
            b"XX" => xx = true,
            b"GT" => gt = true,
            b"LT" => lt = true,
            _ => return refuse(format!("ERR Unsupported option {}", String::from_utf8_lossy(option))),
        }
    }
    if nx && (xx || gt || lt) {
        return refuse("ERR NX and XX, GT or LT options at the same time are not compatible");
    }
    if gt && lt {
        return refuse("ERR GT and LT options at the same time are not compatible");
    }
    let invalid = || Failure::Reply(format!("ERR invalid expire time in '{}' command", name.to_lowercase()));
    let (key, time) = (&args[0], number::<i64>(&args[1])?);
    let now = i64::try_from(writer.now()).unwrap_or(i64::MAX);
    let at = time
        .checked_mul(unit)
        .and_then(|time| if from_now { time.checked_add(now) } else { Some(time) })
        .ok_or_else(invalid)?;
    let Some(hash) = writer.view().hash(key)? else { return Ok(int(0)) };
    // No expiry counts as an infinite one.
    let current = if hash.expires == 0 { i64::MAX } else { i64::try_from(hash.expires).unwrap_or(i64::MAX) };
    let is_set = hash.expires != 0;
    if (nx && is_set) || (xx && !is_set) || (gt && at <= current) || (lt && at >= current) {
        return Ok(int(0));
    }
    if at <= now {
        writer.remove(key)?;
    } else {
        writer.expire(key, hash, u64::try_from(at).unwrap_or(u64::MAX))?;
    }
    Ok(int(1))
}

/// The scripts that the library sends run as their native twins; there is no Lua here.
fn script(writer: &mut Writer<'_>, name: &str, args: &[Vec<u8>]) -> Answer {
    let script = if name == "EVAL" { Script::by_source(&args[0]) } else { Script::by_hash(&args[0]) };
    let Some(script) = script else {
        return refuse(if name == "EVALSHA" {
            "NOSCRIPT No matching script. Please use EVAL."
        } else {
            "ERR the embedded store runs the scripts of redis-hashmap only"
        });
    };
    let keys: usize = number(&args[1])?;
    match args.get(2..).and_then(|args| args.split_at_checked(keys)) {
        Some(([key], args)) => (script.twin)(writer, key, args),
        _ => refuse("ERR a script of redis-hashmap takes one key"),
    }
}

/// The arguments of HSCAN and SCAN.
struct Scan {
    cursor: u64,
    count: usize,
    pattern: Option<Vec<u8>>,
    no_values: bool,
    /// SCAN TYPE: false if it asks for something else than hashes.
    hashes: bool,
}

impl Scan {
    fn parse(cursor: &[u8], options: &[Vec<u8>]) -> Result<Self, Failure> {
        let cursor = number(cursor).or_else(|_| refuse("ERR invalid cursor"))?;
        let mut scan = Self { cursor, count: 10, pattern: None, no_values: false, hashes: true };
        let mut options = options.iter();
        while let Some(option) = options.next() {
            let mut value = || options.next().map_or_else(|| refuse("ERR syntax error"), Ok);
            match option.to_ascii_uppercase().as_slice() {
                b"COUNT" => {
                    scan.count = number(value()?)?;
                    if scan.count == 0 {
                        return refuse("ERR syntax error");
                    }
                }
                b"MATCH" => scan.pattern = Some(value()?.clone()),
                b"TYPE" => scan.hashes = value()?.eq_ignore_ascii_case(b"hash"),
                b"NOVALUES" => scan.no_values = true,
                _ => return refuse("ERR syntax error"),
            }
        }
        Ok(scan)
    }
}

/// One page of a scan. Its cursor is the position of the first name that is not in it any more; names that share a
/// position come in one page, so that none is left out.
struct Page<'a> {
    scan: &'a Scan,
    seen: usize,
    last: Option<u64>,
    next: u64,
    items: Vec<Value>,
}

impl<'a> Page<'a> {
    fn new(scan: &'a Scan) -> Self {
        Self { scan, seen: 0, last: None, next: 0, items: Vec::new() }
    }

    /// False when the page is full.
    fn take(&mut self, position: u64, name: &[u8], value: Option<&[u8]>) -> bool {
        if self.seen >= self.scan.count && self.last != Some(position) {
            self.next = position;
            return false;
        }
        self.seen += 1;
        self.last = Some(position);
        if self.scan.hashes && self.scan.pattern.as_ref().is_none_or(|pattern| matches(pattern, name)) {
            self.items.push(bulk(name));
            self.items.extend(value.map(bulk));
        }
        true
    }

    fn into_value(self) -> Value {
        Value::Array(vec![bulk(self.next.to_string().as_bytes()), Value::Array(self.items)])
    }
}

/// Redis's glob: `*`, `?`, `[a-z]`, `[^a]` and `\` before a literal character.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some((b'*', rest)) => (0..=name.len()).any(|skipped| matches(rest, &name[skipped..])),
        Some((first, rest)) => {
            let Some((byte, name)) = name.split_first() else { return false };
            match first {
                b'?' => matches(rest, name),
                b'[' => {
                    let end = rest.iter().position(|byte| *byte == b']').unwrap_or(rest.len());
                    let (class, rest) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());
                    let (negated, class) = class.strip_prefix(b"^").map_or((false, class), |class| (true, class));
                    (in_class(class, *byte) != negated) && matches(rest, name)
                }
                b'\\' if !rest.is_empty() => rest[0] == *byte && matches(&rest[1..], name),
                literal => literal == byte && matches(rest, name),
            }
        }
    }
}

fn in_class(class: &[u8], byte: u8) -> bool {
    match class {
        [] => false,
        [from, b'-', to, rest @ ..] => (*from.min(to)..=*from.max(to)).contains(&byte) || in_class(rest, byte),
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => *literal == byte || in_class(rest, byte),
    }
}
