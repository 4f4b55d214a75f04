//! Requests: a Redis command or a script, with its key and its fields as data. Each is packed only when it is sent.

use std::ops::Range;
use std::sync::Arc;

use redis::Cmd;

use crate::command::changes::{Change, Changes, Guard, HashCondition, Outcome};
use crate::command::name::Name;
use crate::command::names::Names;
use crate::command::packed::{Args, Packed};
use crate::command::script::Script;
use crate::command::target::Target;
use crate::command::ttl::{FieldTtl, Millis};
use crate::error::Error;
use crate::error::place::Place;
use crate::format::storage::Format;

/// How many arguments a script hands on to a command at once. Lua's stack limits `unpack`.
const UNPACKED: usize = 4000;

/// A request: what a command sends.
///
/// Where a field has aliases, they stand behind all other arguments, so that what names no alias is sent as if there were
/// none. A reply of one value for each name has theirs at its end, too.
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
    /// How many aliases its fields have.
    aliases: usize,
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

/// One argument, or the names of all fields but their aliases.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Arg {
    Names,
    /// How many names there are with all aliases.
    Count,
    Text(&'static str),
    Int(i64),
    Uint(u64),
    /// The new time to live of the hash in milliseconds, or 0 to leave it alone.
    Renewal,
    /// No argument: not every command has four.
    None,
}

/// How a request names its script.
#[derive(Debug, Clone, Copy)]
pub(crate) enum By {
    /// What to send first.
    Hash,
    /// What works on every server, and in a batch: inside MULTI, an EVALSHA of an unknown script would fail alone, and the
    /// commands around it would be carried out.
    Source,
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
            aliases: names.aliases_before(names.len()),
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
            about_field: false,
            aliases: changes.list.iter().map(|change| change.name.aliases().len()).sum(),
            body: Body::Changes(changes),
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

    /// Returns how many names the request has, with those of aliases.
    pub(crate) fn names(&self) -> usize {
        let fields = match &self.body {
            Body::Args(names, _) => names.len(),
            Body::Changes(changes) => changes.list.len(),
        };
        fields + self.aliases
    }

    #[inline]
    pub(crate) fn has_aliases(&self) -> bool {
        self.aliases > 0
    }

    /// Returns where the aliases of a field stand among all names that it has asked for.
    pub(crate) fn aliases(&self, index: usize) -> Range<usize> {
        let Body::Args(names, _) = &self.body else { return 0..0 };
        let start = names.len() + names.aliases_before(index);
        start..start + names.aliases(index).len()
    }

    /// Names what an error of the request is about: the hash, or one field.
    pub(crate) fn place(&self) -> Place {
        if self.about_field { self.place_of(0) } else { Place::new(&self.key, None) }
    }

    /// Decodes what is stored in the only field of the request.
    #[inline]
    pub(crate) fn decode<T, F: Format<T>>(&self, stored: &[u8]) -> Result<T, Error> {
        let decoded = match &self.body {
            Body::Args(Names::One(name), _) => name.decode::<T, F>(stored),
            _ => F::decode(stored),
        };
        decoded.map_err(|fault| Error::at(fault, self.place()))
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

    /// About how many bytes it takes when it is packed.
    pub(crate) fn estimated_size(&self) -> usize {
        self.estimated_bytes() + self.estimated_args() * 6
    }

    /// Packs it at the end of a buffer.
    pub(crate) fn pack(&self, by: By, buffer: &mut Vec<u8>) {
        let mut packed = Packed::begin(buffer, self.estimated_args());
        self.write(by, &mut packed);
        packed.end();
    }

    /// Makes it a command of redis-rs.
    pub(crate) fn cmd(&self, by: By) -> Cmd {
        let mut cmd = Cmd::with_capacity(self.estimated_args(), self.estimated_bytes());
        self.write(by, &mut cmd);
        cmd
    }

    pub(crate) fn is_script(&self) -> bool {
        matches!(self.verb, Verb::Script(_)) || self.renews.is_some()
    }

    /// About how many arguments it has. An exact sum would take another pass over them.
    fn estimated_args(&self) -> usize {
        let script = if self.is_script() { 14 } else { 2 };
        script
            + self.aliases
            + match &self.body {
                Body::Args(names, args) => {
                    names.len() + args.iter().filter(|arg| !matches!(arg, Arg::Names | Arg::None)).count()
                }
                Body::Changes(changes) => changes.list.len() * 2,
            }
    }

    /// About how many bytes its arguments have: names are short.
    fn estimated_bytes(&self) -> usize {
        let values = if let Body::Changes(changes) = &self.body { changes.buffer.len() } else { 0 };
        self.estimated_args() * 8 + values + self.key.len() + 20
    }

    fn write(&self, by: By, to: &mut impl Args) {
        match (self.verb, self.renews) {
            (Verb::Command(name), None) => {
                to.arg(name.as_bytes());
                to.arg(self.key.as_bytes());
            }
            (Verb::Command(name), Some(ttl)) => {
                self.write_script(Script::CallAndExpire, by, to);
                to.uint(ttl.get());
                to.arg(name.as_bytes());
            }
            (Verb::Script(script), _) => self.write_script(script, by, to),
        }
        match (&self.body, self.verb) {
            (Body::Args(names, args), _) => args.iter().for_each(|arg| self.write_arg(*arg, names, to)),
            (Body::Changes(changes), Verb::Command(_)) => {
                for change in &changes.list {
                    write_change(changes, change, to);
                }
            }
            (Body::Changes(changes), Verb::Script(_)) => self.write_conditional(changes, to),
        }
        if self.has_aliases() {
            self.write_aliases(to);
        }
    }

    fn write_aliases(&self, to: &mut impl Args) {
        let mut write = |aliases: &[&str]| aliases.iter().for_each(|alias| to.arg(alias.as_bytes()));
        match &self.body {
            Body::Args(names, _) => (0..names.len()).for_each(|index| write(names.aliases(index))),
            Body::Changes(changes) => changes.list.iter().for_each(|change| write(change.name.aliases())),
        }
    }

    fn write_script(&self, script: Script, by: By, to: &mut impl Args) {
        let (command, script) = match by {
            By::Hash => ("EVALSHA", script.hash()),
            By::Source => ("EVAL", script.source()),
        };
        for arg in [command, script, "1", &*self.key] {
            to.arg(arg.as_bytes());
        }
    }

    fn write_arg(&self, arg: Arg, names: &Names, to: &mut impl Args) {
        match arg {
            Arg::Names => match names {
                Names::None => {}
                Names::One(name) => to.arg(name.as_bytes()),
                Names::Raw(name) => to.arg(name),
                Names::Many(names) => names.iter().for_each(|name| to.arg(name.as_bytes())),
                Names::Declared(fields) => fields.iter().for_each(|field| to.arg(field.name.as_bytes())),
            },
            Arg::Count => to.uint(self.names() as u64),
            Arg::Text(text) => to.arg(text.as_bytes()),
            Arg::Int(number) => to.int(number),
            Arg::Uint(number) => to.uint(number),
            Arg::Renewal => to.uint(self.renewal()),
            Arg::None => {}
        }
    }

    fn renewal(&self) -> u64 {
        self.renews.map_or(0, Millis::get)
    }

    /// Writes the ARGV of [`Script::Write`].
    fn write_conditional(&self, changes: &Changes, to: &mut impl Args) {
        let list = &changes.list;
        to.arg(match changes.condition {
            None => b"",
            Some(HashCondition::Absent) => b"absent",
            Some(HashCondition::Present) => b"present",
        });
        let expires = |change: &&Change| matches!(&change.to, Outcome::Set(_, ttl) if *ttl != FieldTtl::Unlimited);
        let stays = |change: &&Change| matches!(&change.to, Outcome::Set(_, FieldTtl::Unlimited));
        let expiring = list.iter().filter(expires).count();
        let keep = changes.keeps_unchanged && expiring > 0;
        to.uint(self.renewal());
        to.arg(if keep { b"keep" } else { b"" });
        let is_looked_up = |change: &&Change| change.guard.is_some() || change.moves();
        let names = |change: &Change| 1 + change.name.aliases().len();
        to.uint(list.iter().filter(is_looked_up).map(names).sum::<usize>() as u64);
        for change in list.iter().filter(is_looked_up) {
            to.arg(change.name.as_bytes());
            for alias in change.name.aliases() {
                to.arg(if change.moves() { b">" } else { b"|" });
                to.arg(alias.as_bytes());
            }
            match &change.guard {
                None => to.arg(b"?"),
                Some(Guard::Absent) => to.arg(b""),
                Some(Guard::Present) => to.arg(b"*"),
                Some(Guard::Stored(bytes)) => to.joined("=", bytes),
            }
        }
        to.uint(expiring as u64);
        for change in list.iter().filter(expires) {
            write_change(changes, change, to);
            match change.to {
                Outcome::Set(_, FieldTtl::Limited(ttl)) => to.uint(ttl.get()),
                _ => to.arg(b"keep"),
            }
        }
        to.uint(list.iter().filter(stays).count() as u64 * 2);
        for change in list.iter().filter(stays) {
            write_change(changes, change, to);
        }
        for change in list.iter().filter(|change| matches!(change.to, Outcome::Removed)) {
            write_change(changes, change, to);
        }
    }
}

/// Writes the name of a field, and its value if it is set.
fn write_change(changes: &Changes, change: &Change, to: &mut impl Args) {
    to.arg(change.name.as_bytes());
    if let Some(value) = changes.value(change) {
        to.arg(value);
    }
}

/// Returns true if a script can hand on this many arguments at once.
pub(crate) fn can_unpack(args: usize) -> bool {
    args <= UNPACKED
}
