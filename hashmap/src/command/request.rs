//! Requests: a Redis command or a script, with its key and its fields as data. Each is packed only when it is sent.

use std::io::Write;
use std::sync::Arc;

use redis::{Cmd, RedisWrite};

use crate::command::changes::{Change, Changes, Guard, HashCondition, Name, Outcome};
use crate::command::named_field::FieldInfo;
use crate::command::script::Script;
use crate::command::target::Target;
use crate::command::ttl::{FieldTtl, Millis};
use crate::error::Error;
use crate::error::place::Place;

/// How many arguments a script hands on to a command at once. Lua's stack limits `unpack`.
const UNPACKED: usize = 4000;

/// A request: what a command sends.
#[derive(Debug, Clone)]
#[doc(hidden)]
pub struct Request {
    pub(crate) key: Arc<str>,
    verb: Verb,
    body: Body,
    /// The name of the Redis command, or of the operation that a script stands for.
    pub(crate) operation: &'static str,
    /// True if an error of the request is about one field, and not about the hash.
    about_field: bool,
    /// The time to live that the request gives the hash, in the same step.
    renews: Option<Millis>,
    /// True if the request needs a server that can expire fields.
    pub(crate) expires_fields: bool,
    /// True if the request adds to a counter.
    pub(crate) counts: bool,
}

#[derive(Debug, Clone, Copy)]
enum Verb {
    Command(&'static str),
    Script(Script),
}

/// The arguments after the key.
#[derive(Debug, Clone)]
enum Body {
    Args(Names, [Arg; 4]),
    Changes(Changes),
}

/// The names of fields.
#[derive(Debug, Clone)]
pub(crate) enum Names {
    None,
    One(Name),
    /// One that may not be text.
    Raw(Vec<u8>),
    Many(Vec<Name>),
    /// All fields of a record.
    Declared(&'static [FieldInfo]),
}

/// One argument, or the names of all fields.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Arg {
    Names,
    Text(&'static str),
    Int(i64),
    Uint(u64),
    /// The new time to live of the hash in milliseconds, or 0 to leave it alone.
    Renewal,
    /// No argument: not every command has four.
    None,
}

/// How a request names its script: by its hash, or by its source where the server may not know it.
#[derive(Debug, Clone, Copy)]
enum By {
    Hash,
    Source,
}

impl Names {
    fn get(&self, index: usize) -> Option<&str> {
        match self {
            Self::None | Self::Raw(_) => None,
            Self::One(name) => (index == 0).then_some(name),
            Self::Many(names) => names.get(index).map(|name| &**name),
            Self::Declared(fields) => fields.get(index).map(|field| field.name),
        }
    }

    /// True if one of them is empty. The derive has checked the names that it declares.
    #[inline]
    fn has_empty(&self) -> bool {
        match self {
            Self::None | Self::Declared(_) => false,
            Self::One(name) => name.is_empty(),
            Self::Raw(name) => name.is_empty(),
            Self::Many(names) => names.iter().any(|name| name.is_empty()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::One(_) | Self::Raw(_) => 1,
            Self::Many(names) => names.len(),
            Self::Declared(fields) => fields.len(),
        }
    }
}

impl Request {
    #[inline]
    fn new<const N: usize>(
        target: &Target,
        verb: Verb,
        operation: &'static str,
        names: Names,
        args: [Arg; N],
    ) -> Result<Self, Error> {
        let key = Arc::clone(target.key()?);
        if names.has_empty() {
            return Err(Error::EmptyField { place: Place::new(&key, None) });
        }
        let mut padded = [Arg::None; 4];
        padded[..N].copy_from_slice(&args);
        Ok(Self {
            key,
            verb,
            operation,
            about_field: matches!(names, Names::One(_) | Names::Raw(_)),
            body: Body::Args(names, padded),
            renews: None,
            expires_fields: false,
            counts: false,
        })
    }

    /// Makes a Redis command of its name, the key, and these arguments.
    #[inline]
    pub(crate) fn command<const N: usize>(
        target: &Target,
        name: &'static str,
        names: Names,
        args: [Arg; N],
    ) -> Result<Self, Error> {
        Self::new(target, Verb::Command(name), name, names, args)
    }

    /// Makes a script that stands for an operation on one field, with the key, and these arguments as ARGV.
    pub(crate) fn script<const N: usize>(
        target: &Target,
        script: Script,
        operation: &'static str,
        field: Name,
        args: [Arg; N],
    ) -> Result<Self, Error> {
        Self::new(target, Verb::Script(script), operation, Names::One(field), args)
    }

    /// Makes a command that sets or removes all fields of some changes, without a condition.
    #[inline]
    pub(crate) fn plain_changes(name: &'static str, changes: Changes) -> Self {
        Self {
            key: Arc::clone(&changes.key),
            verb: Verb::Command(name),
            operation: name,
            body: Body::Changes(changes),
            about_field: false,
            renews: None,
            expires_fields: false,
            counts: false,
        }
    }

    /// Makes a script that carries out changes of any kind.
    pub(crate) fn conditional_changes(operation: &'static str, changes: Changes) -> Self {
        let is_limited = |change: &Change| matches!(change.to, Outcome::Set(_, FieldTtl::Limited(_)));
        Self {
            expires_fields: changes.list.iter().any(is_limited),
            verb: Verb::Script(Script::Write),
            ..Self::plain_changes(operation, changes)
        }
    }

    /// Makes the request give the hash a time to live in the same step.
    #[inline]
    pub(crate) fn renewing(mut self, ttl: Option<Millis>) -> Self {
        self.renews = ttl;
        self
    }

    /// Marks the request as one that needs a server that can expire fields.
    #[inline]
    pub(crate) fn expiring_fields(mut self) -> Self {
        self.expires_fields = true;
        self
    }

    /// Marks the request as one that adds to a counter.
    #[inline]
    pub(crate) fn counting(mut self) -> Self {
        self.counts = true;
        self
    }

    /// Marks the request as one about the only field that it names.
    #[inline]
    pub(crate) fn about_field(mut self) -> Self {
        self.about_field = true;
        self
    }

    /// Returns how many fields the request names.
    pub(crate) fn names(&self) -> usize {
        match &self.body {
            Body::Args(names, _) => names.len(),
            Body::Changes(changes) => changes.list.len(),
        }
    }

    /// Names what an error of the request is about: the hash, or one field.
    pub(crate) fn place(&self) -> Place {
        if self.about_field { self.place_of(0) } else { Place::new(&self.key, None) }
    }

    /// Names one of the request's fields.
    pub(crate) fn place_of(&self, index: usize) -> Place {
        let name = match &self.body {
            Body::Args(Names::Raw(name), _) => return Place::of_bytes(&self.key, name),
            Body::Args(names, _) => names.get(index),
            Body::Changes(changes) => changes.list.get(index).map(|change| &*change.name),
        };
        Place::new(&self.key, name)
    }

    /// Packs what to send first: a script goes by its hash.
    pub(crate) fn cmd(&self) -> Cmd {
        self.pack(By::Hash)
    }

    /// Packs what works on every server, and in a batch: a script goes by its source.
    ///
    /// Inside MULTI, an EVALSHA of an unknown script would fail alone, and the commands around it would be carried out.
    pub(crate) fn standalone_cmd(&self) -> Cmd {
        self.pack(By::Source)
    }

    pub(crate) fn is_script(&self) -> bool {
        matches!(self.verb, Verb::Script(_)) || self.renews.is_some()
    }

    fn pack(&self, by: By) -> Cmd {
        // An estimate: names are short, and an exact sum would take another pass over them.
        let script = if self.is_script() { 14 } else { 2 };
        let (args, bytes) = match &self.body {
            Body::Args(names, _) => (names.len() + 3, names.len() * 12 + 20),
            Body::Changes(changes) => (changes.list.len() * 2, changes.list.len() * 12 + changes.buffer.len() + 10),
        };
        let mut cmd = Cmd::with_capacity(args + script, bytes + script * 8 + self.key.len());
        match (self.verb, self.renews) {
            (Verb::Command(name), None) => {
                cmd.arg(name).arg(&*self.key);
            }
            (Verb::Command(name), Some(ttl)) => {
                self.pack_script(Script::CallAndExpire, by, &mut cmd);
                cmd.arg(ttl.get()).arg(name);
            }
            (Verb::Script(script), _) => self.pack_script(script, by, &mut cmd),
        }
        match (&self.body, self.verb) {
            (Body::Args(names, args), _) => args.iter().for_each(|arg| self.pack_arg(*arg, names, &mut cmd)),
            (Body::Changes(changes), Verb::Command(_)) => {
                for change in &changes.list {
                    pack_change(changes, change, &mut cmd);
                }
            }
            (Body::Changes(changes), Verb::Script(_)) => self.pack_conditional(changes, &mut cmd),
        }
        cmd
    }

    fn pack_script(&self, script: Script, by: By, cmd: &mut Cmd) {
        match by {
            By::Hash => cmd.arg("EVALSHA").arg(script.hash()),
            By::Source => cmd.arg("EVAL").arg(script.source()),
        };
        cmd.arg(1).arg(&*self.key);
    }

    fn pack_arg(&self, arg: Arg, names: &Names, cmd: &mut Cmd) {
        match arg {
            Arg::Names => match names {
                Names::None => cmd,
                Names::One(name) => cmd.arg(&**name),
                Names::Raw(name) => cmd.arg(name.as_slice()),
                Names::Many(names) => names.iter().fold(cmd, |cmd, name| cmd.arg(&**name)),
                Names::Declared(fields) => fields.iter().fold(cmd, |cmd, field| cmd.arg(field.name)),
            },
            Arg::Text(text) => cmd.arg(text),
            Arg::Int(number) => cmd.arg(number),
            Arg::Uint(number) => cmd.arg(number),
            Arg::Renewal => cmd.arg(self.renewal()),
            Arg::None => cmd,
        };
    }

    fn renewal(&self) -> u64 {
        self.renews.map_or(0, Millis::get)
    }

    /// Packs the ARGV of [`Script::Write`].
    fn pack_conditional(&self, changes: &Changes, cmd: &mut Cmd) {
        let list = &changes.list;
        cmd.arg(match changes.condition {
            None => "",
            Some(HashCondition::Absent) => "absent",
            Some(HashCondition::Present) => "present",
        });
        let expires = |change: &&Change| matches!(&change.to, Outcome::Set(_, ttl) if *ttl != FieldTtl::Unlimited);
        let stays = |change: &&Change| matches!(&change.to, Outcome::Set(_, FieldTtl::Unlimited));
        let expiring = list.iter().filter(expires).count();
        let keep = changes.keeps_unchanged && expiring > 0;
        cmd.arg(self.renewal()).arg(if keep { "keep" } else { "" });
        cmd.arg(list.iter().filter(|change| change.guard.is_some()).count());
        for change in list {
            let Some(guard) = &change.guard else { continue };
            cmd.arg(&*change.name);
            let mut arg = cmd.writer_for_next_arg();
            // A buffer in memory never refuses a write.
            let _ = match guard {
                Guard::Absent => Ok(()),
                Guard::Present => arg.write_all(b"*"),
                Guard::Stored(bytes) => arg.write_all(b"=").and_then(|()| arg.write_all(bytes)),
            };
        }
        cmd.arg(expiring);
        for change in list.iter().filter(expires) {
            pack_change(changes, change, cmd);
            match change.to {
                Outcome::Set(_, FieldTtl::Limited(ttl)) => cmd.arg(ttl.get()),
                _ => cmd.arg("keep"),
            };
        }
        cmd.arg(list.iter().filter(stays).count() * 2);
        for change in list.iter().filter(stays) {
            pack_change(changes, change, cmd);
        }
        for change in list.iter().filter(|change| matches!(change.to, Outcome::Removed)) {
            pack_change(changes, change, cmd);
        }
    }
}

/// Packs the name of a field, and its value if it is set.
fn pack_change(changes: &Changes, change: &Change, cmd: &mut Cmd) {
    cmd.arg(&*change.name);
    if let Some(value) = changes.value(change) {
        cmd.arg(value);
    }
}

/// Returns true if a script can hand on this many arguments at once.
pub(crate) fn can_unpack(args: usize) -> bool {
    args <= UNPACKED
}
