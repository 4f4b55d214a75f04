//! The commands that may write, except scripts.

use redis::Value;

use crate::embedded::answer::{Answer, Failure, int, number, refuse, wrong_number};
use crate::embedded::expiry::{self, Clock};
use crate::embedded::names::Write;
use crate::embedded::reads::is_there;
use crate::embedded::storage::{Edit, Hash, Writer};

/// Carries out a command that may write.
pub(super) fn run(storage: &mut impl Writer, command: Write, args: &[&[u8]]) -> Answer {
    let (key, name) = (args.first().copied().unwrap_or_default(), command.name());
    Ok(match command {
        Write::HSet | Write::HMSet => {
            if args.len().is_multiple_of(2) {
                return wrong_number(name);
            }
            let new = set_fields(storage, key, &args[1..])?;
            if command == Write::HSet { int(new) } else { Value::Okay }
        }
        Write::HSetNx => {
            let mut hash = storage.edit(key)?;
            let is_new = hash.field_expires(args[1])?.is_none();
            if is_new {
                hash.set(args[1], args[2], 0)?;
            }
            hash.close()?;
            int(i64::from(is_new))
        }
        Write::HDel => {
            let mut hash = storage.edit(key)?;
            let mut removed = 0;
            for field in &args[1..] {
                removed += i64::from(hash.unset(field)?);
            }
            hash.close()?;
            int(removed)
        }
        Write::HIncrBy => increment(storage, key, args[1], args[2])?,
        Write::HIncrByFloat => increment_float(storage, key, args[1], args[2])?,
        Write::Rename => match rename(storage, key, args[1], true)? {
            None => return refuse("ERR no such key"),
            Some(_) => Value::Okay,
        },
        Write::RenameNx => match rename(storage, key, args[1], false)? {
            None => return refuse("ERR no such key"),
            Some(is_done) => int(i64::from(is_done)),
        },
        Write::Copy => copy(storage, key, args[1], &args[2..])?,
        Write::FlushDb => match args {
            [] => flush(storage)?,
            [option] if [b"ASYNC".as_slice(), b"SYNC"].iter().any(|word| word.eq_ignore_ascii_case(option)) => {
                flush(storage)?
            }
            _ => return refuse("ERR syntax error"),
        },
        Write::Del | Write::Unlink => {
            let mut removed = 0;
            for key in args {
                removed += i64::from(storage.remove(key)?);
            }
            Value::Int(removed)
        }
        Write::Expire => expiry::expire(storage, name, args, &Clock::EX)?,
        Write::PExpire => expiry::expire(storage, name, args, &Clock::PX)?,
        Write::ExpireAt => expiry::expire(storage, name, args, &Clock::EXAT)?,
        Write::PExpireAt => expiry::expire(storage, name, args, &Clock::PXAT)?,
        Write::Persist => {
            let mut hash = storage.edit(key)?;
            let had_time = hash.expires() != 0;
            if had_time {
                hash.expire(0)?;
            }
            hash.close()?;
            int(i64::from(had_time))
        }
        Write::HExpire => expiry::expire_fields(storage, name, args, &Clock::EX)?,
        Write::HPExpire => expiry::expire_fields(storage, name, args, &Clock::PX)?,
        Write::HExpireAt => expiry::expire_fields(storage, name, args, &Clock::EXAT)?,
        Write::HPExpireAt => expiry::expire_fields(storage, name, args, &Clock::PXAT)?,
        Write::HPersist => expiry::persist_fields(storage, args)?,
        Write::HSetEx => expiry::set_fields(storage, name, args)?,
        Write::HGetEx => expiry::get_fields(storage, name, args)?,
        Write::HGetDel => expiry::take_fields(storage, args)?,
        // The twins of the scripts stand above, and carry out the commands here.
        Write::Eval | Write::EvalSha => return refuse("ERR This Redis command is not allowed from script"),
    })
}

/// Sets fields, given as names and values in turn. Returns how many are new.
fn set_fields(storage: &mut impl Writer, key: &[u8], pairs: &[&[u8]]) -> Result<i64, Failure> {
    let mut hash = storage.edit(key)?;
    let mut new = 0;
    for pair in pairs.chunks_exact(2) {
        new += i64::from(hash.set(pair[0], pair[1], 0)?);
    }
    hash.close()?;
    Ok(new)
}

fn increment(storage: &mut impl Writer, key: &[u8], field: &[u8], by: &[u8]) -> Answer {
    let by: i64 = number(by)?;
    let mut hash = storage.edit(key)?;
    let (current, expires) = match hash.field(field)? {
        Some(field) => (number(&field.value).or_else(|_| refuse("ERR hash value is not an integer"))?, field.expires),
        None => (0, 0),
    };
    let Some(sum) = i64::checked_add(current, by) else {
        return refuse("ERR increment or decrement would overflow");
    };
    hash.set(field, sum.to_string().as_bytes(), expires)?;
    hash.close()?;
    Ok(Value::Int(sum))
}

/// HINCRBYFLOAT. It computes with 64 bits, where a server has the 80 of its processor: the last digits can differ.
fn increment_float(storage: &mut impl Writer, key: &[u8], field: &[u8], by: &[u8]) -> Answer {
    let Some(by) = float(by) else { return refuse("ERR value is not a valid float") };
    let mut hash = storage.edit(key)?;
    let (current, expires) = match hash.field(field)? {
        Some(field) => match float(&field.value) {
            Some(current) => (current, field.expires),
            None => return refuse("ERR hash value is not a float"),
        },
        None => (0.0, 0),
    };
    let sum = current + by;
    if !sum.is_finite() {
        return refuse("ERR increment would produce NaN or Infinity");
    }
    let digits = format!("{sum:.17}");
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    let digits = if digits == "-0" { "0" } else { digits };
    hash.set(field, digits.as_bytes(), expires)?;
    hash.close()?;
    Ok(Value::BulkString(digits.into()))
}

fn float(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    text.parse().ok().filter(|number: &f64| !number.is_nan())
}

/// The fields of a hash with the times at which they expire, and when it expires itself.
struct Taken {
    fields: Vec<(Vec<u8>, Vec<u8>, u64)>,
    expires: u64,
}

fn taken(storage: &impl Writer, key: &[u8]) -> Result<Option<Taken>, Failure> {
    let Some(hash) = storage.hash(key)? else { return Ok(None) };
    let mut fields = Vec::new();
    hash.each_field(0, |field| {
        fields.push((field.name.to_vec(), field.value.to_vec(), field.expires));
        true
    })?;
    Ok((!fields.is_empty()).then(|| Taken { fields, expires: hash.expires() }))
}

fn put(storage: &mut impl Writer, key: &[u8], taken: &Taken) -> Result<(), Failure> {
    storage.remove(key)?;
    let mut hash = storage.edit(key)?;
    for (name, value, expires) in &taken.fields {
        hash.set(name, value, *expires)?;
    }
    if taken.expires != 0 {
        hash.expire(taken.expires)?;
    }
    Ok(hash.close()?)
}

/// Returns whether it was renamed, or `None` if there is no such key.
fn rename(storage: &mut impl Writer, from: &[u8], to: &[u8], replace: bool) -> Result<Option<bool>, Failure> {
    let Some(taken) = taken(storage, from)? else { return Ok(None) };
    if from == to {
        return Ok(Some(replace));
    }
    if !replace && is_there(storage, to)? {
        return Ok(Some(false));
    }
    storage.remove(from)?;
    put(storage, to, &taken)?;
    Ok(Some(true))
}

fn copy(storage: &mut impl Writer, from: &[u8], to: &[u8], options: &[&[u8]]) -> Answer {
    let mut replace = false;
    let mut options = options.iter();
    while let Some(option) = options.next() {
        if option.eq_ignore_ascii_case(b"REPLACE") {
            replace = true;
        } else if option.eq_ignore_ascii_case(b"DB")
            && let Some(database) = options.next()
        {
            match number::<i64>(database) {
                Ok(0) => {}
                Ok(_) => return refuse("ERR DB index is out of range"),
                Err(failure) => return Err(failure),
            }
        } else {
            return refuse("ERR syntax error");
        }
    }
    if from == to {
        return refuse("ERR source and destination objects are the same");
    }
    let Some(taken) = taken(storage, from)? else { return Ok(int(0)) };
    if !replace && is_there(storage, to)? {
        return Ok(int(0));
    }
    put(storage, to, &taken)?;
    Ok(int(1))
}

fn flush(storage: &mut impl Writer) -> Answer {
    let mut keys = Vec::new();
    storage.each_key(0, |_, key| {
        keys.push(key.to_vec());
        true
    })?;
    for key in keys {
        storage.remove(&key)?;
    }
    Ok(Value::Okay)
}
