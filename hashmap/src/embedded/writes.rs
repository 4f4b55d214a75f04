//! The commands that may write, except scripts.

use redis::Value;

use crate::embedded::answer::{Answer, Failure, int, number, refuse, wrong_number};
use crate::embedded::expiry::{self, Clock};
use crate::embedded::long_double::{LongDouble, NoNumber};
use crate::embedded::names::Write;
use crate::embedded::storage::{Edit, Hash, Writer};
use crate::embedded::whole;

/// Carries out a command that may write.
pub(super) fn run(storage: &mut impl Writer, command: Write, args: &[&[u8]]) -> Answer {
    let (key, name) = (args.first().copied().unwrap_or_default(), command.name());
    Ok(match command {
        Write::HSet | Write::HMSet if args.len().is_multiple_of(2) => return wrong_number(name),
        Write::HSet => int(set_fields(storage, key, &args[1..])?),
        Write::HMSet => {
            set_fields(storage, key, &args[1..])?;
            Value::Okay
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
        Write::Rename => whole::rename(storage, key, args[1], false)?,
        Write::RenameNx => whole::rename(storage, key, args[1], true)?,
        Write::Copy => whole::copy(storage, args)?,
        Write::FlushDb => whole::flush(storage, args)?,
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

fn increment_float(storage: &mut impl Writer, key: &[u8], field: &[u8], by: &[u8]) -> Answer {
    let by = LongDouble::parse(by).or_else(|what| {
        refuse(match what {
            NoNumber::Infinite => "ERR value is NaN or Infinity",
            NoNumber::Malformed => "ERR value is not a valid float",
        })
    })?;
    let mut hash = storage.edit(key)?;
    let (sum, expires) = match hash.field(field)? {
        Some(field) => match LongDouble::parse(&field.value) {
            Ok(current) => (current.plus(by), field.expires),
            Err(NoNumber::Infinite) => (None, 0),
            Err(NoNumber::Malformed) => return refuse("ERR hash value is not a float"),
        },
        None => (Some(by), 0),
    };
    let Some(sum) = sum else { return refuse("ERR increment would produce NaN or Infinity") };
    let sum = sum.to_string();
    hash.set(field, sum.as_bytes(), expires)?;
    hash.close()?;
    Ok(Value::BulkString(sum.into_bytes()))
}
