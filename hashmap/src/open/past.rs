//! What is lost with a connection, and must not be missed in silence: keys that it watched, and what it has written.

use std::io;

use redis::{ErrorKind, RedisResult};

use crate::command::packed::{Arguments, unpack};
use crate::open::failed::CallFailed;

/// What the connections of one caller were told, of which the newest is in use.
#[derive(Default)]
pub(super) struct Past {
    has_been_open: bool,
    watch: Watch,
    writes: Writes,
}

/// Whether `WATCH` was sent.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Watch {
    #[default]
    None,
    Watching,
    Lost,
}

/// What was written since the last `WAIT`, which answers for one connection.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Writes {
    #[default]
    None,
    Written,
    /// The connection that has written was lost, and nobody was told.
    Lost,
    /// The caller was told so, and has written nothing since.
    Told,
}

impl Past {
    pub(super) fn has_been_open(&self) -> bool {
        self.has_been_open
    }

    /// Notes that a connection is opened: what was told to the one before is lost.
    pub(super) fn opens(&mut self) {
        self.has_been_open = true;
        self.is_lost();
    }

    fn is_lost(&mut self) {
        if self.writes == Writes::Written {
            self.writes = Writes::Lost;
        }
        if self.watch == Watch::Watching {
            self.watch = Watch::Lost;
        }
    }

    /// Notes that the connections of another one are gone for good.
    pub(super) fn inherit(&mut self, other: &Self) {
        if matches!(other.writes, Writes::Written | Writes::Lost) {
            self.writes = Writes::Lost;
        }
    }

    /// The caller has heard that a connection was lost.
    pub(super) fn is_told(&mut self) {
        self.watch = Watch::None;
    }

    /// Refuses what means nothing without what was lost. Returns what is to be [noted](Self::note) once it is sent.
    pub(super) fn allows(&mut self, packed: &[u8]) -> Result<Told, CallFailed> {
        let has = |name: &str| names(packed).any(|(other, _)| other.eq_ignore_ascii_case(name.as_bytes()));
        // Redis answers WAIT for what was written on the same connection.
        if matches!(self.writes, Writes::Lost | Writes::Told) && (has("WAIT") || has("WAITAOF")) {
            self.writes = Writes::Told;
            let problem = "the connection that has written was lost, and WAIT says nothing of it on another one";
            // In doubt, so that nobody takes it for worth trying again.
            return Err(CallFailed::in_doubt(io::Error::new(io::ErrorKind::ConnectionAborted, problem).into()));
        }
        // Another client may have written meanwhile.
        if self.watch == Watch::Lost && has("MULTI") {
            self.watch = Watch::None;
            let problem =
                "the connection that has watched keys was lost: nothing was carried out, begin with WATCH again";
            return Err(CallFailed::not_sent(io::Error::new(io::ErrorKind::NotConnected, problem).into()));
        }
        let name = first_name(packed).unwrap_or_default();
        let is = |other: &str| name.len() == other.len() && name.eq_ignore_ascii_case(other.as_bytes());
        let watch = match self.watch {
            Watch::None if is("WATCH") => Some(Watch::Watching),
            Watch::Watching | Watch::Lost if is("MULTI") || is("UNWATCH") || is("DISCARD") => Some(Watch::None),
            _ => None,
        };
        let writes = match self.writes {
            Writes::Written if is("WAIT") => Some(Writes::None),
            Writes::None | Writes::Told if !writes_nothing(packed) => Some(Writes::Written),
            _ => None,
        };
        Ok(Told { watch, writes })
    }

    /// Notes what was sent.
    pub(super) fn note(&mut self, told: Told) {
        self.watch = told.watch.unwrap_or(self.watch);
        self.writes = told.writes.unwrap_or(self.writes);
    }

    /// Notes what was sent on a connection that is not the newest any more.
    #[cfg(feature = "tokio-comp")]
    pub(super) fn note_lost(&mut self, told: Told) {
        self.note(told);
        self.is_lost();
    }
}

/// What a connection was told.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    watch: Option<Watch>,
    writes: Option<Writes>,
}

/// Refuses what changes a connection for the calls that come after: it would be lost with the connection, or meet the calls
/// of others who share it. Each command is its name and its first argument.
///
/// # Errors
///
/// Says what to do instead.
pub(super) fn needs_no_state<'a>(commands: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> RedisResult<()> {
    const REFUSED: [(&str, &str); 14] = [
        ("SELECT", "SELECT would be lost with the connection: put the database into the URL, as in redis://host/3"),
        ("AUTH", LOGIN),
        ("HELLO", LOGIN),
        ("RESET", "RESET would undo the login of the connection: drop the connection instead"),
        ("QUIT", "QUIT is not needed: the connection ends when it is dropped"),
        ("MONITOR", TELLS),
        ("SUBSCRIBE", TELLS),
        ("PSUBSCRIBE", TELLS),
        ("SSUBSCRIBE", TELLS),
        ("UNSUBSCRIBE", TELLS),
        ("PUNSUBSCRIBE", TELLS),
        ("SUNSUBSCRIBE", TELLS),
        ("SYNC", TELLS),
        ("PSYNC", TELLS),
    ];
    const LOGIN: &str = "the login would be lost with the connection: put user, password and protocol into the URL";
    const TELLS: &str = "replies would be mixed with what the server tells: use a connection of redis-rs for this";
    let refused = |problem| Err((ErrorKind::InvalidClientConfig, problem).into());
    let (mut in_transaction, mut count, mut watches) = (false, 0, false);
    for (name, argument) in commands {
        count += 1;
        let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
        // Nearly all others begin with another letter.
        match name.first().map(u8::to_ascii_uppercase) {
            Some(b'M') if is("MULTI") => in_transaction = true,
            Some(b'E') if is("EXEC") => in_transaction = false,
            Some(b'D') if is("DISCARD") => in_transaction = false,
            Some(b'W') if is("WATCH") => watches = true,
            Some(b'C') if is("CLIENT") && argument.eq_ignore_ascii_case(b"REPLY") => {
                return refused("replies that do not come would be taken from other calls");
            }
            Some(b'A' | b'H' | b'M' | b'P' | b'Q' | b'R' | b'S' | b'U') => {
                if let Some((_, problem)) = REFUSED.iter().find(|(refused, _)| is(refused)) {
                    return refused(*problem);
                }
            }
            _ => {}
        }
    }
    if watches && count > 1 {
        return refused("WATCH has to be sent by itself");
    }
    if in_transaction {
        return refused("MULTI needs its EXEC in the same call, as `redis::pipe().atomic()` sends it");
    }
    Ok(())
}

/// Does what [`needs_no_state`] does with so many packed commands.
pub(super) fn all_need_no_state(packed: &[u8], count: usize) -> RedisResult<()> {
    if count == 1 { needs_no_state(first(packed)) } else { needs_no_state(names(packed)) }
}

/// The name of the first of some packed commands.
fn first_name(packed: &[u8]) -> Option<&[u8]> {
    // *<number of arguments>\r\n$<length of the name>\r\n<name>\r\n
    let at = packed.iter().take(16).position(|byte| *byte == b'$')?;
    let mut len = 0;
    for (index, byte) in packed[at + 1..].iter().take(4).enumerate() {
        match byte {
            b'0'..=b'9' => len = len * 10 + usize::from(byte - b'0'),
            _ => return packed.get(at + index + 3..)?.get(..len),
        }
    }
    None
}

/// One packed command, as [`needs_no_state`] takes it.
fn first(packed: &[u8]) -> Option<(&[u8], &[u8])> {
    let name = first_name(packed)?;
    // Most need not be taken apart.
    if name.first().is_some_and(|letter| letter.eq_ignore_ascii_case(&b'C')) {
        names(packed).next()
    } else {
        Some((name, b""))
    }
}

/// The names of some packed commands, each with its first argument.
fn names(mut packed: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        let mut arguments = Arguments::new();
        unpack(&mut packed, &mut arguments)?;
        Some((arguments.first().copied()?, arguments.get(1).copied().unwrap_or_default()))
    })
}

/// Commands that only read.
const READS: [&[u8]; 16] = [
    b"HGET", b"HMGET", b"HGETALL", b"HKEYS", b"HVALS", b"HLEN", b"HEXISTS", b"HSTRLEN", b"HSCAN", b"HTTL", b"HPTTL",
    b"EXISTS", b"TYPE", b"TTL", b"PTTL", b"SCAN",
];

/// True if this is one command that certainly writes nothing. Of several it is not found out.
fn writes_nothing(mut packed: &[u8]) -> bool {
    const OTHERS: [&[u8]; 12] = [
        b"PING", b"ECHO", b"INFO", b"TIME", b"ROLE", b"CLIENT", b"CONFIG", b"WAIT", b"WATCH", b"UNWATCH", b"HGETEX",
        b"DBSIZE",
    ];
    let mut arguments = Arguments::new();
    let is_one = unpack(&mut packed, &mut arguments).is_some() && packed.is_empty();
    let is = |other: &&[u8]| arguments.first().is_some_and(|name| other.eq_ignore_ascii_case(name));
    is_one && (READS.iter().any(is) || OTHERS.iter().any(is))
}

/// True if each of some packed commands only reads.
pub(super) fn only_reads(mut packed: &[u8]) -> bool {
    let mut arguments = Arguments::new();
    while !packed.is_empty() {
        let Some(()) = unpack(&mut packed, &mut arguments) else { return false };
        let Some(name) = arguments.first() else { return false };
        // It goes before a read that another node has redirected.
        if !READS.iter().any(|read| read.eq_ignore_ascii_case(name)) && !name.eq_ignore_ascii_case(b"ASKING") {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::only_reads;

    #[test]
    fn what_only_reads_is_known_by_its_name() {
        let packed = |commands: &[&[&str]]| {
            let mut packed = Vec::new();
            for command in commands {
                let mut cmd = redis::Cmd::new();
                cmd.arg(*command).write_packed_command(&mut packed);
            }
            packed
        };
        assert!(only_reads(&packed(&[&["HGET", "k", "f"], &["hlen", "k"], &["HMGET", "k", "HSET\r\n$4\r\nHSET"]])));
        assert!(!only_reads(&packed(&[&["HGET", "k", "f"], &["HSET", "k", "f", "v"]])));
        assert!(!only_reads(&packed(&[&["EVALSHA", "x", "1", "k"]])) && !only_reads(b"*1\r\n") && !only_reads(b"x"));
    }
}
