//! The one table of the embedded store's commands: their names, and how many arguments each takes.

use crate::embedded::answer::{Failure, refuse, wrong_number};
use crate::embedded::server::Server;

/// A command, by what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    Read(Read),
    Write(Write),
    /// It belongs to the connection.
    Control(Control),
}

pub(super) struct Spec {
    pub(super) command: Command,
    /// How many arguments it takes, not counting its name.
    args: (usize, usize),
    /// True if it came with the expiry of fields.
    is_newer: bool,
}

const MANY: usize = usize::MAX;

/// The most bytes of a name: they are looked up as one number.
const LONGEST: usize = 16;

/// A name as a number, whatever its case. No name is 0.
#[inline]
const fn number(name: &[u8]) -> u128 {
    let mut number = 0;
    if name.len() <= LONGEST {
        let mut at = 0;
        while at < name.len() {
            number = number << 8 | name[at].to_ascii_uppercase() as u128;
            at += 1;
        }
    }
    number
}

macro_rules! commands {
    ($($(#[$doc:meta])* $Kind:ident { $($variant:ident $name:literal $least:literal $most:tt $($newer:ident)?;)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq)]
            pub(super) enum $Kind { $($variant),* }

            impl $Kind {
                pub(super) fn name(self) -> &'static str {
                    match self { $(Self::$variant => $name),* }
                }
            }
        )*

        impl Command {
            fn name(self) -> &'static str {
                match self { $(Self::$Kind(command) => command.name()),* }
            }
        }

        #[cfg(test)]
        const NAMES: &[&str] = &[$($($name),*),*];

        #[expect(non_upper_case_globals, reason = "a constant is named as its variant")]
        fn find(name: &[u8]) -> Option<&'static Spec> {
            $($(const $variant: u128 = number($name.as_bytes());)*)*
            // A name that stands in the table twice is an unreachable pattern.
            match number(name) {
                $($($variant => {
                    const SPEC: &Spec = &Spec {
                        command: Command::$Kind($Kind::$variant),
                        args: ($least, $most),
                        is_newer: false $(|| commands!($newer))?,
                    };
                    Some(SPEC)
                })*)*
                _ => None,
            }
        }
    };
    (newer) => { true };
}

commands! {
    /// What changes nothing.
    Read {
        Ping "PING" 0 MANY;
        HGet "HGET" 2 2;
        HMGet "HMGET" 2 MANY;
        HExists "HEXISTS" 2 2;
        HGetAll "HGETALL" 1 1;
        HKeys "HKEYS" 1 1;
        HLen "HLEN" 1 1;
        HScan "HSCAN" 2 MANY;
        Exists "EXISTS" 1 MANY;
        Type "TYPE" 1 1;
        Ttl "TTL" 1 1;
        PTtl "PTTL" 1 1;
        Scan "SCAN" 1 MANY;
        HTtl "HTTL" 4 MANY newer;
        HPTtl "HPTTL" 4 MANY newer;
        HExpireTime "HEXPIRETIME" 4 MANY newer;
        HPExpireTime "HPEXPIRETIME" 4 MANY newer;
        HVals "HVALS" 1 1;
        HStrLen "HSTRLEN" 2 2;
        HRandField "HRANDFIELD" 1 MANY;
        ExpireTime "EXPIRETIME" 1 1;
        PExpireTime "PEXPIRETIME" 1 1;
        Touch "TOUCH" 1 MANY;
        DbSize "DBSIZE" 0 0;
        Keys "KEYS" 1 1;
        RandomKey "RANDOMKEY" 0 0;
        Wait "WAIT" 2 2;
    }
    /// What may change something.
    Write {
        HSet "HSET" 3 MANY;
        HMSet "HMSET" 3 MANY;
        HSetNx "HSETNX" 3 3;
        HDel "HDEL" 2 MANY;
        HIncrBy "HINCRBY" 3 3;
        HIncrByFloat "HINCRBYFLOAT" 3 3;
        Rename "RENAME" 2 2;
        RenameNx "RENAMENX" 2 2;
        Copy "COPY" 2 MANY;
        FlushDb "FLUSHDB" 0 MANY;
        Del "DEL" 1 MANY;
        Unlink "UNLINK" 1 MANY;
        Expire "EXPIRE" 2 MANY;
        PExpire "PEXPIRE" 2 MANY;
        ExpireAt "EXPIREAT" 2 MANY;
        PExpireAt "PEXPIREAT" 2 MANY;
        Persist "PERSIST" 1 1;
        HExpire "HEXPIRE" 5 MANY newer;
        HPExpire "HPEXPIRE" 5 MANY newer;
        HExpireAt "HEXPIREAT" 5 MANY newer;
        HPExpireAt "HPEXPIREAT" 5 MANY newer;
        HPersist "HPERSIST" 4 MANY newer;
        HSetEx "HSETEX" 5 MANY newer;
        HGetEx "HGETEX" 4 MANY newer;
        HGetDel "HGETDEL" 4 MANY newer;
        Eval "EVAL" 2 MANY;
        EvalSha "EVALSHA" 2 MANY;
    }
    /// What is about the connection.
    Control {
        Multi "MULTI" 0 0;
        Exec "EXEC" 0 0;
        Discard "DISCARD" 0 0;
        Watch "WATCH" 1 MANY;
        Unwatch "UNWATCH" 0 0;
    }
}

impl Spec {
    /// Finds a command that a server knows. All are known where the store stands in for none.
    pub(super) fn find(name: &[u8], server: Option<Server>) -> Option<&'static Self> {
        find(name).filter(|spec| !spec.is_newer || server.is_none_or(Server::expires_fields))
    }

    pub(super) fn takes(&self, args: usize) -> bool {
        self.args.0 <= args && args <= self.args.1
    }
}

/// Finds a command. An unknown one, and a wrong number of arguments, get Redis's own error.
pub(super) fn spec(args: &[&[u8]], server: Option<Server>) -> Result<&'static Spec, Failure> {
    let Some((name, args)) = args.split_first() else { return refuse("ERR unknown command ''") };
    match Spec::find(name, server) {
        Some(spec) if spec.takes(args.len()) => Ok(spec),
        Some(spec) => wrong_number(spec.command.name()),
        None => unknown(name, args),
    }
}

/// Redis quotes the name and the first arguments, in 128 bytes each.
#[cold]
fn unknown<T>(name: &[u8], args: &[&[u8]]) -> Result<T, Failure> {
    const LONGEST: usize = 128;
    let mut quoted = String::new();
    for arg in args {
        if quoted.len() >= LONGEST {
            break;
        }
        quoted.extend(["'", quotable(arg, LONGEST - quoted.len()).as_str(), "' "]);
    }
    refuse(format!("ERR unknown command '{}', with args beginning with: {quoted}", quotable(name, LONGEST)))
}

/// An argument as C prints it: up to a NUL.
fn quotable(arg: &[u8], longest: usize) -> String {
    let end = arg.iter().position(|byte| *byte == 0).unwrap_or(arg.len()).min(longest);
    String::from_utf8_lossy(&arg[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, NAMES};

    #[test]
    fn the_docs_list_every_command() {
        let page = include_str!("../../../docs/embedded.md");
        let table = page.split("## ").next().unwrap_or_default().split("|---|---|").last().unwrap_or_default();
        let mut listed: Vec<&str> = table.split('`').skip(1).step_by(2).collect();
        let mut names = NAMES.to_vec();
        listed.sort_unstable();
        names.sort_unstable();
        assert_eq!(listed, names);
    }

    #[test]
    fn every_name_can_be_found() {
        for name in NAMES {
            assert!(name.len() <= LONGEST && super::find(name.to_lowercase().as_bytes()).is_some(), "{name}");
        }
    }
}
