//! The scripts that the library sends, each with its native twin for the embedded store beside it.

use std::sync::OnceLock;

#[cfg(feature = "embedded")]
use crate::embedded::{Failure, Writer};

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
const ALL: [&Script; 1] = [&SET_AND_REMOVE];

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

/// Sets some fields and removes others. ARGV: the number of arguments that are fields and values to set, those, then
/// the fields to remove. In chunks, as `unpack` is limited by Lua's stack.
pub(crate) static SET_AND_REMOVE: Script = Script {
    operation: "set_all",
    source: "local sets, chunk = tonumber(ARGV[1]) + 1, 4000
for i = 2, sets, chunk do
    redis.call('HSET', KEYS[1], unpack(ARGV, i, math.min(i + chunk - 1, sets)))
end
for i = sets + 1, #ARGV, chunk do
    redis.call('HDEL', KEYS[1], unpack(ARGV, i, math.min(i + chunk - 1, #ARGV)))
end
return redis.status_reply('OK')",
    #[cfg(feature = "embedded")]
    twin: |writer, key, args| {
        let sets = args.first().and_then(|sets| std::str::from_utf8(sets).ok()?.parse::<usize>().ok());
        let Some((pairs, removed)) = sets.and_then(|sets| args[1..].split_at_checked(sets)) else {
            return Err(Failure::Reply("ERR the arguments of set_all are not what it takes".to_owned()));
        };
        crate::embedded::set_fields(writer, key, pairs)?;
        crate::embedded::remove_fields(writer, key, removed)?;
        Ok(redis::Value::Okay)
    },
    hash: OnceLock::new(),
};
