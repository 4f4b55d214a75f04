//! The commands that only read.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use redis::Value;

use crate::embedded::answer::{Answer, bulk, int, number, refuse, value_of, wrong_number};
use crate::embedded::expiry;
use crate::embedded::glob::matches;
use crate::embedded::names::Read;
use crate::embedded::request::Dialect;
use crate::embedded::scan::{Page, Scan};
use crate::embedded::storage::{self, Hash, Reader};

/// Carries out a command that only reads.
#[expect(clippy::too_many_lines, reason = "an arm for each command")]
pub(super) fn run(storage: &impl Reader, dialect: Dialect, command: Read, args: &[&[u8]]) -> Answer {
    let key = args.first().copied().unwrap_or_default();
    // Commands on the whole key ask whether it has fields: all may have expired.
    let hash = || storage.hash(key);
    Ok(match command {
        Read::Ping => match args {
            [] => Value::SimpleString("PONG".to_owned()),
            [echoed] => bulk(echoed),
            _ => return wrong_number("PING"),
        },
        Read::HGet => match hash()? {
            Some(hash) => value_of(hash.field(args[1])?),
            None => Value::Nil,
        },
        Read::HMGet => {
            let mut values = Vec::with_capacity(args.len() - 1);
            match hash()? {
                Some(hash) => {
                    for field in &args[1..] {
                        values.push(value_of(hash.field(field)?));
                    }
                }
                None => values.resize(args.len() - 1, Value::Nil),
            }
            Value::Array(values)
        }
        Read::HExists => match hash()? {
            Some(hash) => int(i64::from(hash.field_expires(args[1])?.is_some())),
            None => int(0),
        },
        Read::HStrLen => match hash()? {
            Some(hash) => hash.field(args[1])?.map_or_else(|| int(0), |field| int(field.value.len())),
            None => int(0),
        },
        Read::HGetAll => {
            let mut all = Vec::new();
            each(storage, key, |name, value| all.push((bulk(name), bulk(value))))?;
            if dialect.resp3 { Value::Map(all) } else { flat(all) }
        }
        Read::HKeys => {
            let mut names = Vec::new();
            each(storage, key, |name, _| names.push(bulk(name)))?;
            Value::Array(names)
        }
        Read::HVals => {
            let mut values = Vec::new();
            each(storage, key, |_, value| values.push(bulk(value)))?;
            Value::Array(values)
        }
        Read::HRandField => random_fields(storage, dialect, key, &args[1..])?,
        Read::HLen => match hash()? {
            Some(hash) => int(hash.len()?),
            None => int(0),
        },
        Read::Exists | Read::Touch => {
            let mut found = 0;
            for key in args {
                found += i64::from(is_there(storage, key)?);
            }
            Value::Int(found)
        }
        Read::Type => Value::SimpleString(if is_there(storage, key)? { "hash" } else { "none" }.to_owned()),
        Read::Ttl => expiry::key_left(storage, key, 1000)?,
        Read::PTtl => expiry::key_left(storage, key, 1)?,
        Read::ExpireTime => expiry::key_expires(storage, key, 1000)?,
        Read::PExpireTime => expiry::key_expires(storage, key, 1)?,
        Read::HExpireTime => expiry::expires(storage, args, 1000)?,
        Read::HPExpireTime => expiry::expires(storage, args, 1)?,
        Read::HTtl => expiry::left(storage, args, 1000)?,
        Read::HPTtl => expiry::left(storage, args, 1)?,
        Read::HScan => {
            let cursor = Scan::cursor(args[1])?;
            let Some(hash) = hash()? else { return Ok(Page::empty()) };
            let scan = Scan::of_fields(cursor, &args[2..], dialect)?;
            let mut page = Page::new(&scan);
            hash.each_field(scan.cursor, |field| {
                page.take(field.position, field.name, (!scan.no_values).then_some(field.value))
            })?;
            page.into_value()
        }
        Read::Scan => {
            let scan = Scan::of_keys(Scan::cursor(args[0])?, &args[1..], dialect)?;
            let mut page = Page::new(&scan);
            storage.each_key(scan.cursor, |position, key| page.take(position, key, None))?;
            page.into_value()
        }
        Read::Keys => {
            let mut keys = Vec::new();
            storage.each_key(0, |_, name| {
                keys.extend(matches(key, name).then(|| bulk(name)));
                true
            })?;
            Value::Array(keys)
        }
        Read::DbSize => {
            let mut count = 0;
            storage.each_key(0, |_, _| {
                count += 1;
                true
            })?;
            Value::Int(count)
        }
        Read::RandomKey => {
            let mut found = Value::Nil;
            // The first one from a random place on, or else the very first.
            for from in [random(), 0] {
                storage.each_key(from, |_, name| {
                    found = bulk(name);
                    false
                })?;
                if found != Value::Nil {
                    break;
                }
            }
            found
        }
    })
}

fn each(storage: &impl Reader, key: &[u8], mut visit: impl FnMut(&[u8], &[u8])) -> storage::Result<()> {
    let Some(hash) = storage.hash(key)? else { return Ok(()) };
    hash.each_field(0, |field| {
        visit(field.name, field.value);
        true
    })
}

fn flat(entries: Vec<(Value, Value)>) -> Value {
    Value::Array(entries.into_iter().flat_map(|(name, value)| [name, value]).collect())
}

/// A random number. std seeds its hashers at random.
fn random() -> u64 {
    RandomState::new().hash_one(0)
}

/// HRANDFIELD: one field, several different ones, or so many independent ones where the number is negative.
fn random_fields(storage: &impl Reader, dialect: Dialect, key: &[u8], args: &[&[u8]]) -> Answer {
    let index = |among: usize| usize::try_from(random() >> 1).unwrap_or(usize::MAX) % among.max(1);
    let all = || {
        let mut entries = Vec::new();
        each(storage, key, |name, value| entries.push((bulk(name), bulk(value)))).map(|()| entries)
    };
    let [count, options @ ..] = args else {
        let mut entries = all()?;
        let at = index(entries.len());
        return Ok(if entries.is_empty() { Value::Nil } else { entries.swap_remove(at).0 });
    };
    let count: i64 = number(count)?;
    if count == i64::MIN {
        let (least, most) = (-i64::MAX, i64::MAX);
        return refuse(format!("ERR value is out of range, value must between {least} and {most}"));
    }
    let with_values = match options {
        [] => false,
        [option] if option.eq_ignore_ascii_case(b"WITHVALUES") => true,
        _ => return refuse("ERR syntax error"),
    };
    // Redis has half the range where it answers with two values for each field.
    if with_values && !(-i64::MAX / 2..=i64::MAX / 2).contains(&count) {
        return refuse("ERR value is out of range");
    }
    let mut entries = all()?;
    let wanted = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if count < 0 && !entries.is_empty() {
        entries = (0..wanted).map(|_| entries[index(entries.len())].clone()).collect();
    } else if wanted < entries.len() {
        for at in 0..wanted {
            let other = at + index(entries.len() - at);
            entries.swap(at, other);
        }
        entries.truncate(wanted);
    }
    Ok(match (with_values, dialect.resp3) {
        (false, _) => Value::Array(entries.into_iter().map(|(name, _)| name).collect()),
        (true, false) => flat(entries),
        (true, true) => {
            Value::Array(entries.into_iter().map(|(name, value)| Value::Array(vec![name, value])).collect())
        }
    })
}

/// True if there is a hash at a key.
pub(super) fn is_there(storage: &impl Reader, key: &[u8]) -> storage::Result<bool> {
    storage.hash(key)?.map_or(Ok(false), |hash| hash.has_fields())
}
