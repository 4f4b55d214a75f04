//! The scripts that the library sends, each with its native twin for the embedded store beside it.
//!
//! Each is one step for every other client, and calls what an older server may lack before it writes anything.

use std::sync::OnceLock;

#[cfg(feature = "embedded")]
use crate::embedded::{Failure, Writer, call};

#[cfg(feature = "embedded")]
type Twin = fn(&mut Writer<'_>, &[u8], &[Vec<u8>]) -> Result<redis::Value, Failure>;

/// A server-side script on one hash. It runs as EVALSHA, and as EVAL where the server does not know it yet.
pub(crate) struct Script {
    /// The operation that it stands for.
    pub(crate) operation: &'static str,
    pub(crate) source: &'static str,
    /// What it does, where there is no Lua: the key, and ARGV.
    #[cfg(feature = "embedded")]
    pub(crate) twin: Twin,
    hash: OnceLock<redis::Script>,
}

#[cfg(feature = "embedded")]
const ALL: [&Script; 4] = [&WRITE, &CALL_AND_EXPIRE, &TAKE, &INCREMENT];

impl Script {
    /// The SHA-1 of its source, by which EVALSHA names it.
    pub(crate) fn hash(&self) -> &str {
        self.hash.get_or_init(|| redis::Script::new(self.source)).get_hash()
    }

    #[cfg(feature = "embedded")]
    pub(crate) fn by_hash(hash: &[u8]) -> Option<&'static Self> {
        ALL.into_iter().find(|script| script.hash().as_bytes().eq_ignore_ascii_case(hash))
    }

    #[cfg(feature = "embedded")]
    pub(crate) fn by_source(source: &[u8]) -> Option<&'static Self> {
        ALL.into_iter().find(|script| script.source.as_bytes() == source)
    }
}

/// A script that fails in the middle has written half: whether the user may call what comes later is asked first, where the
/// server can say (since Redis 7.0).
macro_rules! may {
    () => {
        "local denied = redis.error_reply('NOPERM this user has no permissions to run what the script calls')
local function may(...) return not redis.acl_check_cmd or redis.acl_check_cmd(...) end
"
    };
}

/// Writes several fields, if its conditions hold. ARGV:
///
/// - what the hash must be: `""` whatever, `absent`, `present`;
/// - the milliseconds in which the hash expires from now on, 0: as it was;
/// - `keep`: a field that has a time is left as it is where its bytes are the same;
/// - the number of guards, and each: a field, and what it must be: `""` absent, `*` present, `=` and its bytes;
/// - the number of fields that expire, and each: its name, value and milliseconds, or `keep` for the time it has;
/// - the number of arguments that are other fields and their values, and those;
/// - the fields to remove.
///
/// It answers how many fields are new, -1 where the hash is not what it must be, -2 where a field is not.
///
/// What expires goes first: where a server cannot do that, nothing has been written. Fields are removed last, so that
/// the hash is there all the time.
pub(crate) static WRITE: Script = Script {
    operation: "EVALSHA",
    source: concat!(
        may!(),
        "local key, must, ttl, keep, new, i = KEYS[1], ARGV[1], ARGV[2], ARGV[3] == 'keep', 0, 5
if must ~= '' and (redis.call('EXISTS', key) == 1) ~= (must == 'present') then return -1 end
for _ = 1, tonumber(ARGV[4]) do
    local stored, expected = redis.call('HGET', key, ARGV[i]), ARGV[i + 1]
    if expected == '*' then
        if not stored then return -2 end
    elseif (stored and '=' .. stored or '') ~= expected then
        return -2
    end
    i = i + 2
end
local expiring = tonumber(ARGV[i])
local last = i + 1 + expiring * 3 + tonumber(ARGV[i + 1 + expiring * 3])
i = i + 1
if expiring > 0 and ARGV[i + 2] ~= 'keep' then
    redis.call('HPTTL', key, 'FIELDS', 1, ARGV[i])
    if not may('HSETEX', key, 'PX', 1, 'FIELDS', 1, 'f', 'v') then return denied end
end
if (last > i + expiring * 3 or expiring > 0) and not may('HSET', key, 'f', 'v') then return denied end
if #ARGV > last and not may('HDEL', key, 'f') then return denied end
if ttl ~= '0' and not may('PEXPIRE', key, 1) then return denied end
for _ = 1, expiring do
    local field, value, millis = ARGV[i], ARGV[i + 1], ARGV[i + 2]
    local stored = redis.call('HGET', key, field)
    if millis == 'keep' then
        local left = redis.pcall('HPTTL', key, 'FIELDS', 1, field)
        if left[1] and left[1] > 0 then
            redis.call('HSETEX', key, 'KEEPTTL', 'FIELDS', 1, field, value)
        else
            redis.call('HSET', key, field, value)
        end
    elseif not (keep and stored == value and redis.call('HPTTL', key, 'FIELDS', 1, field)[1] > 0) then
        redis.call('HSETEX', key, 'PX', millis, 'FIELDS', 1, field, value)
    end
    if not stored then new = new + 1 end
    i = i + 3
end
for from = i + 1, last, 4000 do
    new = new + redis.call('HSET', key, unpack(ARGV, from, math.min(from + 3999, last)))
end
for from = last + 1, #ARGV, 4000 do
    redis.call('HDEL', key, unpack(ARGV, from, math.min(from + 3999, #ARGV)))
end
if ttl ~= '0' then redis.call('PEXPIRE', key, ttl) end
return new"
    ),
    #[cfg(feature = "embedded")]
    twin: twins::write,
    hash: OnceLock::new(),
};

/// Calls a command, and has the hash expire. ARGV: the milliseconds, the command, its arguments behind the key.
pub(crate) static CALL_AND_EXPIRE: Script = Script {
    operation: "EVALSHA",
    source: concat!(
        may!(),
        "if not may('PEXPIRE', KEYS[1], 1) then return denied end
local reply
if #ARGV <= 4002 then
    reply = redis.call(ARGV[2], KEYS[1], unpack(ARGV, 3))
else
    reply = {}
    for from = 3, #ARGV, 4000 do
        local part = redis.call(ARGV[2], KEYS[1], unpack(ARGV, from, math.min(from + 3999, #ARGV)))
        for i = 1, #part do reply[#reply + 1] = part[i] end
    end
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return reply"
    ),
    #[cfg(feature = "embedded")]
    twin: twins::call_and_expire,
    hash: OnceLock::new(),
};

/// Reads a field and removes it. ARGV: the field, the milliseconds in which the hash expires from now on (0: as it was),
/// and the first byte of what is removed; anything else is only read, since who asked cannot make sense of it.
pub(crate) static TAKE: Script = Script {
    operation: "take",
    source: concat!(
        may!(),
        "local key, field, ttl = KEYS[1], ARGV[1], ARGV[2]
local stored = redis.call('HGET', key, field)
if stored and string.byte(stored) == tonumber(ARGV[3]) then
    if ttl ~= '0' and not may('PEXPIRE', key, 1) then return denied end
    redis.call('HDEL', key, field)
    if ttl ~= '0' then redis.call('PEXPIRE', key, ttl) end
end
return stored"
    ),
    #[cfg(feature = "embedded")]
    twin: twins::take,
    hash: OnceLock::new(),
};

/// Adds to a counter where something expires. ARGV: the field, what to add, the milliseconds in which it expires if it has
/// no time yet (0: it does not), and those of the hash (0: as it was). A counter that has a time keeps it: it counts what
/// happens within it.
///
/// The sum is read as text: Lua's numbers hold 53 bits.
pub(crate) static INCREMENT: Script = Script {
    operation: "increment",
    source: concat!(
        may!(),
        "local key, field, millis, ttl = KEYS[1], ARGV[1], ARGV[3], ARGV[4]
local timeless = millis ~= '0' and redis.call('HPTTL', key, 'FIELDS', 1, field)[1] < 0
if timeless and not may('HPEXPIRE', key, 1, 'FIELDS', 1, field) then return denied end
if ttl ~= '0' and not may('PEXPIRE', key, 1) then return denied end
redis.call('HINCRBY', key, field, ARGV[2])
if timeless then redis.call('HPEXPIRE', key, millis, 'FIELDS', 1, field) end
if ttl ~= '0' then redis.call('PEXPIRE', key, ttl) end
return redis.call('HGET', key, field)"
    ),
    #[cfg(feature = "embedded")]
    twin: twins::increment,
    hash: OnceLock::new(),
};

/// The same without Lua.
#[cfg(feature = "embedded")]
mod twins {
    use redis::Value;

    use super::{Failure, Writer, call};

    type Answer = Result<Value, Failure>;

    fn malformed() -> Failure {
        Failure::Reply("ERR the arguments are not what a script of redis-hashmap takes".to_owned())
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

    pub(super) fn write(writer: &mut Writer<'_>, key: &[u8], args: &[Vec<u8>]) -> Answer {
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

    pub(super) fn call_and_expire(writer: &mut Writer<'_>, key: &[u8], args: &[Vec<u8>]) -> Answer {
        let mut args = Args(args);
        let (ttl, command) = (args.next()?, args.next()?);
        let reply = call(writer, &on(&[command, key], args.0))?;
        expire(writer, key, ttl)?;
        Ok(reply)
    }

    pub(super) fn take(writer: &mut Writer<'_>, key: &[u8], args: &[Vec<u8>]) -> Answer {
        let mut args = Args(args);
        let (field, ttl, kind) = (args.next()?, args.next()?, args.number::<u8>()?);
        let Some(stored) = stored(writer, key, field)? else { return Ok(Value::Nil) };
        if stored.first() == Some(&kind) {
            call(writer, &[b"HDEL", key, field])?;
            expire(writer, key, ttl)?;
        }
        Ok(Value::BulkString(stored))
    }

    pub(super) fn increment(writer: &mut Writer<'_>, key: &[u8], args: &[Vec<u8>]) -> Answer {
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
}
