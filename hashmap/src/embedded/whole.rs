//! The commands that give a whole hash another key, and those on all keys.

use redis::Value;

use crate::embedded::answer::{Answer, bulk, int, number, refuse};
use crate::embedded::pattern::matches;
use crate::embedded::storage::{self, Edit, Hash, Reader, Writer};

/// All of a hash.
struct Contents {
    expires: u64,
    /// The name, the value and the time of each field.
    fields: Vec<(Vec<u8>, Vec<u8>, u64)>,
}

fn contents(storage: &impl Reader, key: &[u8]) -> storage::Result<Option<Contents>> {
    let Some(hash) = storage.hash(key)? else { return Ok(None) };
    let mut fields = Vec::new();
    hash.each_field(0, |field| {
        fields.push((field.name.to_vec(), field.value.to_vec(), field.expires));
        true
    })?;
    Ok((!fields.is_empty()).then(|| Contents { expires: hash.expires(), fields }))
}

fn put(storage: &mut impl Writer, key: &[u8], contents: &Contents) -> storage::Result<()> {
    storage.remove(key)?;
    let mut hash = storage.edit(key)?;
    for (name, value, expires) in &contents.fields {
        hash.set(name, value, *expires)?;
    }
    hash.expire(contents.expires)?;
    hash.close()
}

/// True if there is a hash at a key.
pub(super) fn is_there(storage: &impl Reader, key: &[u8]) -> storage::Result<bool> {
    storage.hash(key)?.map_or(Ok(false), |hash| hash.has_fields())
}

/// RENAME and RENAMENX.
pub(super) fn rename(storage: &mut impl Writer, from: &[u8], to: &[u8], only_to_new: bool) -> Answer {
    let done = |is_done: bool| if only_to_new { int(i64::from(is_done)) } else { Value::Okay };
    let Some(contents) = contents(storage, from)? else { return refuse("ERR no such key") };
    if from == to || (only_to_new && is_there(storage, to)?) {
        return Ok(done(false));
    }
    storage.remove(from)?;
    put(storage, to, &contents)?;
    Ok(done(true))
}

/// COPY.
pub(super) fn copy(storage: &mut impl Writer, args: &[&[u8]]) -> Answer {
    let (from, to) = (args[0], args[1]);
    let (mut replaces, mut options) = (false, args[2..].iter());
    while let Some(option) = options.next() {
        if option.eq_ignore_ascii_case(b"REPLACE") {
            replaces = true;
        } else if option.eq_ignore_ascii_case(b"DB")
            && let Some(database) = options.next()
        {
            if number::<i32>(database)? != 0 {
                return refuse("ERR DB index is out of range");
            }
        } else {
            return refuse("ERR syntax error");
        }
    }
    if from == to {
        return refuse("ERR source and destination objects are the same");
    }
    let Some(contents) = contents(storage, from)? else { return Ok(int(0)) };
    if !replaces && is_there(storage, to)? {
        return Ok(int(0));
    }
    put(storage, to, &contents)?;
    Ok(int(1))
}

/// DBSIZE: counts the keys, without those that have expired.
pub(super) fn count(storage: &impl Reader) -> Answer {
    let mut count = 0_i64;
    storage.each_key(0, |_, _| {
        count += 1;
        true
    })?;
    Ok(Value::Int(count))
}

/// KEYS.
pub(super) fn keys(storage: &impl Reader, pattern: &[u8]) -> Answer {
    let mut keys = Vec::new();
    storage.each_key(0, |_, key| {
        if matches(pattern, key) {
            keys.push(bulk(key));
        }
        true
    })?;
    Ok(Value::Array(keys))
}

/// FLUSHDB.
pub(super) fn flush(storage: &mut impl Writer, args: &[&[u8]]) -> Answer {
    let is_known = match args {
        [] => true,
        [how] => how.eq_ignore_ascii_case(b"ASYNC") || how.eq_ignore_ascii_case(b"SYNC"),
        _ => false,
    };
    if !is_known {
        return refuse("ERR syntax error");
    }
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
