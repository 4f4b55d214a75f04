//! The commands that only read.

use redis::Value;

use crate::embedded::answer::{Answer, bulk, int, number, refuse, value_of, wrong_number};
use crate::embedded::expiry;
use crate::embedded::names::Read;
use crate::embedded::random;
use crate::embedded::request::Dialect;
use crate::embedded::scan::{self, Page, Scan};
use crate::embedded::storage::{self, Entry, Hash, Reader};
use crate::embedded::whole::{self, is_there};

/// Carries out a command that only reads.
pub(super) fn run(storage: &impl Reader, dialect: Dialect, command: Read, args: &[&[u8]]) -> Answer {
    let key = args.first().copied().unwrap_or_default();
    // Commands on the whole key ask whether it has fields: all may have expired.
    let hash = || storage.hash(key);
    Ok(match command {
        Read::Ping => match args {
            [] => Value::SimpleString("PONG".to_owned()),
            [arg] => bulk(arg),
            // Queued in a transaction, as on a server, whose table lets it pass.
            _ => return wrong_number(command.name()),
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
        Read::HGetAll if dialect.resp3 => Value::Map(all(storage, key, |field| (bulk(field.name), bulk(field.value)))?),
        Read::HGetAll => {
            let pairs = all(storage, key, |field| [bulk(field.name), bulk(field.value)])?;
            Value::Array(pairs.into_iter().flatten().collect())
        }
        Read::HKeys => Value::Array(all(storage, key, |field| bulk(field.name))?),
        Read::HVals => Value::Array(all(storage, key, |field| bulk(field.value))?),
        Read::HStrLen => match hash()? {
            Some(hash) => int(hash.field(args[1])?.map_or(0, |field| field.value.len())),
            None => int(0),
        },
        Read::HRandField => random::field(storage, dialect, args)?,
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
        Read::ExpireTime => expiry::key_time(storage, key, 1000)?,
        Read::PExpireTime => expiry::key_time(storage, key, 1)?,
        Read::HTtl => expiry::left(storage, args, storage.now(), 1000)?,
        Read::HPTtl => expiry::left(storage, args, storage.now(), 1)?,
        Read::HExpireTime => expiry::left(storage, args, 0, 1000)?,
        Read::HPExpireTime => expiry::left(storage, args, 0, 1)?,
        Read::HScan => {
            let cursor = scan::cursor(args[1])?;
            let Some(hash) = hash()?.filter(|hash| hash.has_fields().unwrap_or(true)) else {
                // Redis does not look at the options then.
                return Ok(scan::nothing());
            };
            let scan = Scan::of_fields(&args[2..], dialect.server)?;
            let mut page = Page::new(&scan);
            hash.each_field(cursor, |field| {
                page.take(field.position, field.name, (!scan.no_values).then_some(field.value))
            })?;
            page.into_value()
        }
        Read::Scan => {
            let cursor = scan::cursor(args[0])?;
            let scan = Scan::of_keys(&args[1..], dialect.server)?;
            let mut page = Page::new(&scan);
            storage.each_key(cursor, |position, key| page.take(position, key, None))?;
            page.into_value()
        }
        Read::DbSize => whole::count(storage)?,
        Read::Keys => whole::keys(storage, key)?,
        Read::RandomKey => random::key(storage)?,
        Read::Wait => {
            number::<i64>(args[0])?;
            match number::<i64>(args[1]) {
                Ok(0..) => Value::Int(0),
                Ok(_) => return refuse("ERR timeout is negative"),
                Err(_) => return refuse("ERR timeout is not an integer or out of range"),
            }
        }
    })
}

/// What is taken of each field of a hash.
fn all<T>(storage: &impl Reader, key: &[u8], take: impl Fn(Entry<'_>) -> T) -> storage::Result<Vec<T>> {
    let mut all = Vec::new();
    if let Some(hash) = storage.hash(key)? {
        hash.each_field(0, |field| {
            all.push(take(field));
            true
        })?;
    }
    Ok(all)
}
