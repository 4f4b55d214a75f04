//! The scripts that the library sends, where Redis has no command for an operation. Their sources lie in `scripts/`.
//!
//! Each is one step for every other client, and calls what an older server may lack before it writes anything. A script
//! that fails in the middle has written half: what the user may not call is asked for first, where the server can say
//! (since Redis 7.0). The embedded store has a native twin of each in `embedded/scripts.rs`.

use std::sync::OnceLock;

/// A server-side script on one hash. It runs as EVALSHA, and as EVAL where the server does not know it yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    /// Writes several fields, if its conditions hold. ARGV:
    ///
    /// - what the hash must be: `""` whatever, `absent`, `present`;
    /// - the milliseconds in which the hash expires from now on, 0: unchanged;
    /// - `keep`: a field that has a time is left alone where its bytes do not change;
    /// - the number of guards, and each: a field, and what it must be: `""` absent, `*` present, `=` and its bytes;
    /// - the number of fields that expire, and each: its name, value and milliseconds, or `keep` for the time it has;
    /// - the number of arguments that are other fields and their values, and those;
    /// - the fields to remove.
    ///
    /// It answers how many fields are new, -1 where the hash is not what it must be, -2 where a field is not.
    ///
    /// What expires goes first: where a server cannot do that, nothing has been written. Fields are removed last, so
    /// that the hash is there all the time.
    Write,
    /// Calls a command, and has the hash expire. ARGV: the milliseconds, the command, its arguments behind the key.
    CallAndExpire,
    /// Reads a field and removes it. ARGV: the field, the milliseconds in which the hash expires from now on (0:
    /// unchanged), and the first byte of what is removed; anything else is only read, since the caller cannot make
    /// sense of it.
    Take,
    /// Adds to a counter where something expires. ARGV: the field, what to add, the milliseconds in which it expires if
    /// it has no time yet (0: it does not), and those of the hash (0: unchanged). A counter that has a time keeps it: it
    /// counts what happens within it.
    ///
    /// The sum is read as text: Lua's numbers hold 53 bits.
    Increment,
}

/// A source with the function `may` before it, which asks whether the user may call a command.
macro_rules! source {
    ($file:literal) => {
        concat!(include_str!("scripts/may.lua"), include_str!($file))
    };
}

impl Script {
    #[cfg(feature = "embedded")]
    const ALL: [Self; 4] = [Self::Write, Self::CallAndExpire, Self::Take, Self::Increment];

    /// What EVAL sends.
    pub(crate) fn source(self) -> &'static str {
        match self {
            Self::Write => source!("scripts/write.lua"),
            Self::CallAndExpire => source!("scripts/call_and_expire.lua"),
            Self::Take => source!("scripts/take.lua"),
            Self::Increment => source!("scripts/increment.lua"),
        }
        .trim_end()
    }

    /// The SHA-1 of its source, by which EVALSHA names it.
    pub(crate) fn hash(self) -> &'static str {
        static HASHES: [OnceLock<redis::Script>; 4] = [const { OnceLock::new() }; 4];
        HASHES[self as usize].get_or_init(|| redis::Script::new(self.source())).get_hash()
    }

    #[cfg(feature = "embedded")]
    pub(crate) fn by_hash(hash: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|script| script.hash().as_bytes().eq_ignore_ascii_case(hash))
    }

    #[cfg(feature = "embedded")]
    pub(crate) fn by_source(source: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|script| script.source().as_bytes() == source)
    }
}

#[cfg(test)]
mod tests {
    use super::Script;

    /// A server that has learnt a script goes on knowing it.
    #[test]
    fn sources_are_what_they_were() {
        for (script, hash) in [
            (Script::Write, "0007c787e0c69f34d423549390230db7477328b4"),
            (Script::CallAndExpire, "cc8ff7df4c0d6caa14306bc72456d3f00aedbb33"),
            (Script::Take, "6148be8168caaabb746bfb84d70c9ea02bec7258"),
            (Script::Increment, "e0845fcaf659fb08817be3afab9c1da109d13d7c"),
        ] {
            assert_eq!(script.hash(), hash, "{script:?}");
        }
    }
}
