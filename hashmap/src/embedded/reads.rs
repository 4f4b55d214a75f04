//! The commands that only read.

use redis::Value;

use crate::embedded::answer::{Answer, bulk, int, value_of};
use crate::embedded::expiry;
use crate::embedded::names::Read;
use crate::embedded::request::Dialect;
use crate::embedded::scan::{Page, Scan};
use crate::embedded::storage::{self, Hash, Reader};

/// Carries out a command that only reads.
pub(super) fn run(storage: &impl Reader, dialect: Dialect, command: Read, args: &[&[u8]]) -> Answer {
    let key = args.first().copied().unwrap_or_default();
    // Commands on the whole key ask whether it has fields: all may have expired.
    let hash = || storage.hash(key);
    Ok(match command {
        Read::Ping => args.first().map_or_else(|| Value::SimpleString("PONG".to_owned()), |arg| bulk(arg)),
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
        Read::HGetAll => {
            let mut all = Vec::new();
            if let Some(hash) = hash()? {
                hash.each_field(0, |field| {
                    all.push((bulk(field.name), bulk(field.value)));
                    true
                })?;
            }
            if dialect.resp3 {
                Value::Map(all)
            } else {
                Value::Array(all.into_iter().flat_map(|(name, value)| [name, value]).collect())
            }
        }
        Read::HKeys => {
            let mut names = Vec::new();
            if let Some(hash) = hash()? {
                hash.each_field(0, |field| {
                    names.push(bulk(field.name));
                    true
                })?;
            }
            Value::Array(names)
        }
        Read::HLen => match hash()? {
            Some(hash) => int(hash.len()?),
            None => int(0),
        },
        Read::Exists => {
            let mut found = 0;
            for key in args {
                found += i64::from(is_there(storage, key)?);
            }
            Value::Int(found)
        }
        Read::Type => Value::SimpleString(if is_there(storage, key)? { "hash" } else { "none" }.to_owned()),
        Read::Ttl => expiry::key_left(storage, key, 1000)?,
        Read::PTtl => expiry::key_left(storage, key, 1)?,
        Read::HTtl => expiry::left(storage, args, 1000)?,
        Read::HPTtl => expiry::left(storage, args, 1)?,
        Read::HScan => {
            let scan = Scan::parse(args[1], &args[2..])?;
            let mut page = Page::new(&scan);
            if let Some(hash) = hash()? {
                hash.each_field(scan.cursor, |field| {
                    page.take(field.position, field.name, (!scan.no_values).then_some(field.value))
                })?;
            }
            page.into_value()
        }
        Read::Scan => {
            let scan = Scan::parse(args[0], &args[1..])?;
            let mut page = Page::new(&scan);
            storage.each_key(scan.cursor, |position, key| page.take(position, key, None))?;
            page.into_value()
        }
    })
}

/// True if there is a hash at a key.
pub(super) fn is_there(storage: &impl Reader, key: &[u8]) -> storage::Result<bool> {
    storage.hash(key)?.map_or(Ok(false), |hash| hash.has_fields())
}
