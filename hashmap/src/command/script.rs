//! The scripts that the library sends where Redis has no command for an operation. Their sources lie in `scripts/`.
//!
//! Each script is one step for every other client. Redis does not roll back a script that fails in the middle. So each
//! calls what an older server may lack before it writes anything, and first asks whether the user may call what it
//! needs, where the server can tell (since Redis 7.0). The embedded store has a native twin of each in
//! `embedded/scripts.rs`.

use std::sync::OnceLock;

/// A server-side script on one hash. It is sent as EVALSHA, and as EVAL where the server does not know it yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    /// Writes several fields, if its conditions hold. ARGV:
    ///
    /// - the condition on the hash: `""` for none, `absent`, or `present`;
    /// - the new time to live of the hash in milliseconds, or 0 to leave it alone;
    /// - `keep` to leave a field alone that has a time to live and whose bytes do not change, else `""`;
    /// - the number of names to look up, and for each the name and what is asked of it: `""` that it is absent, `*` that
    ///   it is present, `=` and bytes that it holds these, `?` nothing. For a field with aliases, each of its names but the
    ///   last has `>` here if the field is set, or else `|`. What is asked of the last name is asked of the first that is
    ///   stored;
    /// - the number of fields that expire, and for each its name, its value, and its time to live in milliseconds, or
    ///   `keep` for the one that it has;
    /// - the number of arguments that are other fields and their values, and those arguments;
    /// - the fields and the aliases to remove.
    ///
    /// A field that is set and was stored under an alias is not new, and takes over the time to live that it keeps.
    ///
    /// It returns how many fields are new, -1 where the condition on the hash does not hold, or -2 where a guard does
    /// not.
    ///
    /// Fields that expire are set first: where a server cannot expire fields, nothing has been written. Fields are
    /// removed last, so that the hash exists all the time.
    Write,
    /// Calls a command and makes the hash expire. ARGV: the milliseconds, the command, its arguments after the key.
    CallAndExpire,
    /// Reads a field and removes it. ARGV: the field, the new time to live of the hash in milliseconds (0 to leave it
    /// alone), the first byte of what may be removed, and the field's aliases. Anything else is only read, since the caller
    /// cannot decode it.
    Take,
    /// Adds to a counter that has aliases, or where the counter or its hash expires. ARGV: the field, what to add, the time
    /// to live in milliseconds of a counter that has none yet (0 for none), the new one of the hash (0 to leave it alone),
    /// and the field's aliases. A counter that has a time to live keeps it: it counts what happens within that time.
    ///
    /// A counter that lies under an alias is counted there first, so that one which cannot be counted stays where it is, and
    /// then moved to its field with its time to live.
    ///
    /// It returns the sum as text, since Lua's numbers hold 53 bits.
    Increment,
}

/// A source, preceded by the function `may`, which asks whether the user may call a command.
macro_rules! source {
    ($file:literal) => {
        concat!(include_str!("scripts/may.lua"), include_str!($file))
    };
}

impl Script {
    #[cfg(feature = "embedded")]
    const ALL: [Self; 4] = [Self::Write, Self::CallAndExpire, Self::Take, Self::Increment];

    /// The source, as EVAL sends it.
    pub(crate) fn source(self) -> &'static str {
        match self {
            Self::Write => source!("scripts/write.lua"),
            Self::CallAndExpire => source!("scripts/call_and_expire.lua"),
            Self::Take => source!("scripts/take.lua"),
            Self::Increment => source!("scripts/increment.lua"),
        }
        .trim_end()
    }

    /// The SHA-1 of the source, by which EVALSHA names the script.
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

    /// A new source would have to be sent anew to every server that knows the old one.
    #[test]
    fn sources_are_what_they_were() {
        for (script, hash) in [
            (Script::Write, "51767c8c9a34e6b2139cfa5763ac767cdb2e9d85"),
            (Script::CallAndExpire, "cc8ff7df4c0d6caa14306bc72456d3f00aedbb33"),
            (Script::Take, "e1daac2e9a7988bcd1be0e2f0107469cea9c13ab"),
            (Script::Increment, "f0edfbcbafff6dfc6d8a3313d9f526ea706f8793"),
        ] {
            assert_eq!(script.hash(), hash, "{script:?}");
        }
    }
}
