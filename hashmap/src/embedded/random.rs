//! HRANDFIELD and RANDOMKEY.

use std::hash::{BuildHasher, RandomState};

use redis::Value;

use crate::embedded::answer::{Answer, bulk, number, refuse};
use crate::embedded::request::Dialect;
use crate::embedded::storage::{Hash, Reader};

/// The most fields that are drawn with repetition: an answer is made in memory.
const MOST_DRAWN: usize = 1 << 24;

/// A random number.
fn drawn() -> u64 {
    RandomState::new().hash_one(())
}

/// A random number below a bound.
fn below(bound: usize) -> usize {
    usize::try_from((u128::from(drawn()) * bound as u128) >> 64).unwrap_or_default()
}

/// HRANDFIELD. It reads the whole hash, so that each field is as likely as any other.
pub(super) fn field(storage: &impl Reader, dialect: Dialect, args: &[&[u8]]) -> Answer {
    let (count, with_values) = match &args[1..] {
        [] => (None, false),
        [count] => (Some(number::<i64>(count)?), false),
        [count, word] => {
            let count = number::<i64>(count)?;
            if !word.eq_ignore_ascii_case(b"WITHVALUES") {
                return refuse("ERR syntax error");
            }
            if count.unsigned_abs() > i64::MAX.unsigned_abs() / 2 {
                return refuse("ERR value is out of range");
            }
            (Some(count), true)
        }
        [count, ..] => {
            number::<i64>(count)?;
            return refuse("ERR syntax error");
        }
    };
    let mut fields = Vec::new();
    if let Some(hash) = storage.hash(args[0])? {
        hash.each_field(0, |field| {
            fields.push((bulk(field.name), if with_values { bulk(field.value) } else { Value::Nil }));
            true
        })?;
    }
    let Some(count) = count else {
        return Ok(if fields.is_empty() { Value::Nil } else { fields.swap_remove(below(fields.len())).0 });
    };
    let wanted = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    let mut chosen = Vec::new();
    if count >= 0 {
        while chosen.len() < wanted && !fields.is_empty() {
            chosen.push(fields.swap_remove(below(fields.len())));
        }
    } else if !fields.is_empty() {
        if wanted > MOST_DRAWN {
            return refuse("ERR value is out of range");
        }
        chosen.extend((0..wanted).map(|_| fields[below(fields.len())].clone()));
    }
    Ok(Value::Array(match (with_values, dialect.resp3) {
        (false, _) => chosen.into_iter().map(|(name, _)| name).collect(),
        (true, false) => chosen.into_iter().flat_map(|(name, value)| [name, value]).collect(),
        (true, true) => chosen.into_iter().map(|(name, value)| Value::Array(vec![name, value])).collect(),
    }))
}

/// RANDOMKEY: the key that follows a random position.
pub(super) fn key(storage: &impl Reader) -> Answer {
    let mut found = Value::Nil;
    for from in [drawn(), 0] {
        if found == Value::Nil {
            storage.each_key(from, |_, key| {
                found = bulk(key);
                false
            })?;
        }
    }
    Ok(found)
}
