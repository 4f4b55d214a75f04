//! Proves that the types of a record read all that its older versions have stored: the test that `schema` generates.

use std::any::type_name;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{fs, io};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::fault::Fault;
use crate::format;
use crate::format::decode_fault::DecodeFault;
use crate::format::resolve;
use crate::format::schema::Schema;
use crate::schema::history::History;
use crate::schema::lock::{COUNTER, Lock, TEXT};
use crate::schema::parse::parse;
use crate::schema::sample;
use crate::schema::text::{self, Written, hash_of};
use crate::schema::trace::trace_with;

/// The environment variable with which a changed schema is recorded.
const VARIABLE: &str = "REDIS_HASH_SCHEMA";

/// What a record declares about its schema.
#[derive(Debug)]
pub struct RecordSchema<'a> {
    /// The name of the struct.
    pub record: &'a str,
    /// The folder of its package.
    pub package: &'a str,
    /// The file, in that folder.
    pub path: &'a str,
    /// What the file was when the program was built.
    pub history: &'a History,
    /// The names of fields that are gone, and those of structs in fields, as `Address.note`.
    pub removed: &'a [&'a str],
    /// What each field declares.
    pub fields: &'a [FieldSchema],
}

/// What a field declares about its schema.
pub struct FieldSchema {
    name: &'static str,
    aliases: &'static [&'static str],
    holds: Holds,
}

enum Holds {
    Text,
    Counter,
    Encoded { asked: fn() -> &'static str, trace: fn() -> Result<Schema, String>, read: fn(&Schema, &[u8]) -> Reading },
}

/// How a value of an older schema was read.
struct Reading {
    fault: Option<DecodeFault>,
    /// The fields of structs that were stored and not read.
    ignored: Vec<String>,
}

impl FieldSchema {
    /// A field that is stored as plain text.
    #[must_use]
    pub const fn text(name: &'static str, aliases: &'static [&'static str]) -> Self {
        Self { name, aliases, holds: Holds::Text }
    }

    /// A counter.
    #[must_use]
    pub const fn counter(name: &'static str, aliases: &'static [&'static str]) -> Self {
        Self { name, aliases, holds: Holds::Counter }
    }

    /// A field that is stored with its kind and shape, and how its schema is found.
    #[must_use]
    pub const fn encoded<T: Serialize + DeserializeOwned>(
        name: &'static str,
        aliases: &'static [&'static str],
        trace: fn() -> Result<Schema, String>,
    ) -> Self {
        Self { name, aliases, holds: Holds::Encoded { asked: type_name::<T>, trace, read: read::<T> } }
    }

    /// Adds what the field holds today to a lock, unless it is known.
    fn add_to(&self, lock: &mut Lock) -> Result<(), String> {
        const CURE: &str = "give a value with `#[redis_hash(sample = …)]`, or give the record no `schema`";
        let written = match self.holds {
            Holds::Text => Written::of_word(TEXT),
            Holds::Counter => Written::of_word(COUNTER),
            Holds::Encoded { trace, .. } => text::write(&trace().map_err(|problem| format!("{problem}: {CURE}"))?),
        };
        if lock.knows(self.name, &written.expression) {
            return Ok(());
        }
        let mut refused = BTreeSet::new();
        if let Holds::Encoded { read, asked, .. } = self.holds {
            // Rules for several values at once are not in the schema. The samples are those of the schema as it will be read
            // from the file.
            let schema = parse(&written.expression, &written.types)?;
            let samples = sample::stored(&schema);
            let is_refused = |stored: &&Vec<u8>| read(&schema, stored).fault.is_some();
            refused = samples.iter().filter(is_refused).map(|stored| hash_of(stored)).collect();
            if samples.iter().all(|stored| refused.contains(&hash_of(stored))) {
                let asked = without_paths(asked());
                return Err(format!("`{asked}` refuses each value that was made up of its schema: {CURE}"));
            }
        }
        lock.add(self.name, written, &refused);
        Ok(())
    }
}

impl fmt::Debug for FieldSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FieldSchema").field("name", &self.name).field("aliases", &self.aliases).finish_non_exhaustive()
    }
}

/// The schema of a type, found by samples of it, and by those that are given.
///
/// # Errors
///
/// Why it has none.
pub fn trace<T: Serialize + DeserializeOwned>(samples: Vec<T>) -> Result<Schema, String> {
    trace_with(samples).map_err(|problem| problem.to_string())
}

/// Reads a value as a `T`, as the accessors do. A type that panics refuses it.
fn read<T: Serialize + DeserializeOwned>(schema: &Schema, stored: &[u8]) -> Reading {
    let read = || match format::decode::<T>(stored) {
        Ok(_) => Reading { fault: None, ignored: Vec::new() },
        // The accessors look at older schemas only then.
        Err(Fault::OtherShape { .. } | Fault::WrongType { .. }) => {
            let ignored = RefCell::default();
            let fault = match resolve::read_and_tell::<T>(schema, stored, &ignored) {
                Some(read) => read.err(),
                None => Some(DecodeFault::Custom),
            };
            Reading { fault, ignored: ignored.into_inner() }
        }
        Err(Fault::OutOfRange { asked, .. }) => {
            Reading { fault: Some(DecodeFault::OutOfRange(asked)), ignored: Vec::new() }
        }
        Err(_) => Reading { fault: Some(DecodeFault::Custom), ignored: Vec::new() },
    };
    let refused = || Reading { fault: Some(DecodeFault::Custom), ignored: Vec::new() };
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| refused())
}

/// What is wrong with the schema of a record, and what to do about it: the error of `check_schema`, which
/// `#[redis_hash(schema)]` generates.
#[derive(Clone, PartialEq, Eq)]
pub struct SchemaProblem(String);

impl fmt::Display for SchemaProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A test that returns an error shows it by `Debug`.
impl fmt::Debug for SchemaProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SchemaProblem {}

/// Compares what the record holds today with its schema file, and proves that it reads what the file says was stored.
///
/// # Errors
///
/// What cannot be read, or how a schema that has changed is recorded.
pub fn check(schema: &RecordSchema<'_>) -> Result<(), SchemaProblem> {
    let records = std::env::var_os(VARIABLE).is_some_and(|value| value == "record");
    check_and(schema, records).map_err(SchemaProblem)
}

pub(super) fn check_and(schema: &RecordSchema<'_>, records: bool) -> Result<(), String> {
    let RecordSchema { record, path, .. } = schema;
    let file = Path::new(schema.package).join(path);
    let on_disk = match fs::read_to_string(&file) {
        Ok(text) => Some(text),
        // A test that runs elsewhere than where it was built.
        Err(error) if error.kind() == io::ErrorKind::NotFound => schema.history.file().map(str::to_owned),
        Err(error) => return Err(format!("the schema file {path} of `{record}` cannot be read: {error}")),
    };
    let lock = Lock::read(on_disk.as_deref())
        .map_err(|problem| format!("the schema file {path} of `{record}` cannot be used: {problem}"))?;

    let mut recorded = lock.clone();
    let mut problems = Vec::new();
    for field in schema.fields {
        if let Err(problem) = field.add_to(&mut recorded) {
            problems.push(format!("field `{}`: {problem}", field.name));
        }
        for problem in unread(schema, field, &lock) {
            problems.push(format!("field `{}`: {problem}", field.name));
        }
    }
    problems.extend(gone(schema, &lock));
    for removed in schema.removed.iter().filter(|removed| !lock.has(removed)) {
        problems.push(format!("`removed = \"{removed}\"` names nothing that was stored: remove it"));
    }
    if !problems.is_empty() {
        let list = problems.iter().fold(String::new(), |mut list, problem| {
            let _ = write!(list, "\n  - {problem}");
            list
        });
        let what =
            if on_disk.is_some() { "cannot read what its older versions stored" } else { "cannot have a schema yet" };
        return Err(format!("`{record}` {what}:{list}"));
    }
    if recorded == lock {
        return if on_disk.as_deref().is_some_and(|text| differs(schema.history, text, &lock)) {
            Err(format!(
                "`{record}` was built before its schema file {path} was changed: build it again (touch its source)"
            ))
        } else {
            Ok(())
        };
    }
    if records {
        write(&file, &recorded.write(record))
            .map_err(|error| format!("the schema file {path} of `{record}` cannot be written: {error}"))?;
        eprintln!("recorded the schema of `{record}` in {path}: commit it");
        return Ok(());
    }
    let what = if on_disk.is_some() { "has changed, and reads all that was stored" } else { "is not recorded yet" };
    Err(format!("the schema of `{record}` {what}: run `{VARIABLE}=record cargo test`, and commit {path}"))
}

/// True if the program does not know all that the file says.
fn differs(history: &History, on_disk: &str, lock: &Lock) -> bool {
    match history.file() {
        Some(built) => built != on_disk && Lock::read(Some(built)).as_ref() != Ok(lock),
        // What there is only one schema of needs none to be read.
        None => lock.fields.values().any(|expressions| expressions.len() > 1),
    }
}

/// What this field once held and cannot be read as what it holds now.
fn unread(record: &RecordSchema<'_>, field: &FieldSchema, lock: &Lock) -> Vec<String> {
    let names = || std::iter::once(&field.name).chain(field.aliases).copied();
    let held: BTreeSet<&str> = names().filter_map(|name| lock.fields.get(name)).flatten().map(String::as_str).collect();
    let word = match field.holds {
        Holds::Text => TEXT,
        Holds::Counter => COUNTER,
        Holds::Encoded { asked, read, .. } => {
            let words = held.iter().filter(|held| [TEXT, COUNTER].contains(held));
            let words = words.map(|word| format!("it was stored as {word}, and is encoded now: give it a new name"));
            let schemas = lock.schemas(names());
            let problems = schemas.into_iter().flat_map(|(expression, schema, refused)| {
                let problems = problems_of(&schema, &refused, read, record.removed);
                problems.into_iter().map(move |problem| {
                    let meaning = meaning(lock, expression);
                    format!("what was stored as {meaning} is not read as `{}`: {problem}", without_paths(asked()))
                })
            });
            return words.chain(problems).collect();
        }
    };
    let others = held.into_iter().filter(|held| *held != word);
    others
        .map(|held| {
            format!("it was stored as {}, and is declared as a {word} now: give it a new name", meaning(lock, held))
        })
        .collect()
}

/// The name of a type without the paths of modules, as `Vec<Address>`.
fn without_paths(type_name: &str) -> String {
    let mut short = String::new();
    for part in type_name.split_inclusive(|char: char| !(char.is_alphanumeric() || char == '_' || char == ':')) {
        short.push_str(part.rsplit("::").next().unwrap_or(part));
    }
    short
}

/// An expression, and what its names stand for.
fn meaning(lock: &Lock, expression: &str) -> String {
    match lock.definition(expression.trim_matches(['[', ']', '?'])) {
        Some(definition) => format!("{expression} = {definition}"),
        None => expression.to_owned(),
    }
}

/// Tries values of a schema. Each problem is said once.
fn problems_of(
    schema: &Schema,
    refused: &BTreeSet<&str>,
    read: fn(&Schema, &[u8]) -> Reading,
    removed: &[&str],
) -> BTreeSet<String> {
    let mut problems = BTreeSet::new();
    let samples = sample::stored(schema).into_iter();
    for stored in samples.filter(|stored| refused.is_empty() || !refused.contains(hash_of(stored).as_str())) {
        let Reading { fault, ignored } = read(schema, &stored);
        if let Some(fault) = fault {
            problems.insert(format!("{fault}; {}", cure(fault.innermost())));
        }
        for place in ignored.iter().filter(|place| !removed.contains(&place.as_str())) {
            let Some((_, name)) = place.split_once('.') else {
                problems.insert(format!("{place} would be lost; keep the map"));
                continue;
            };
            problems.insert(format!(
                "`{place}` would be lost; if it was renamed, say `#[serde(alias = \"{name}\")]` on the field that it has become, \
                 and if it is to be lost, `#[redis_hash(removed = \"{place}\")]` on the record"
            ));
        }
    }
    problems
}

/// The change that mends a fault.
fn cure(fault: &DecodeFault) -> String {
    match fault {
        DecodeFault::MissingField(field) => format!(
            "say `#[serde(default)]` on `{field}` or make it an `Option`, or, if it had another name, `#[serde(alias = \"…\")]`"
        ),
        DecodeFault::DuplicateField(field) => {
            format!("keep one of them under a name of its own, not as an `alias` of `{field}`")
        }
        DecodeFault::UnknownField => {
            "keep the field, name it as an `alias`, or remove `deny_unknown_fields`".to_owned()
        }
        DecodeFault::UnknownVariant(_) => {
            "keep it, or say `#[serde(alias = \"…\")]` on the variant that it has become".to_owned()
        }
        DecodeFault::OutOfRange(_) => "keep the wider type".to_owned(),
        _ => "keep the type, or store the new one in a field of another name".to_owned(),
    }
}

/// Fields that were stored and that the record no longer has.
fn gone<'a>(schema: &'a RecordSchema<'a>, lock: &'a Lock) -> impl Iterator<Item = String> + 'a {
    let is_known = |name: &str| {
        schema.removed.contains(&name)
            || schema.fields.iter().any(|field| field.name == name || field.aliases.contains(&name))
    };
    lock.fields.keys().filter(move |name| !is_known(name)).map(|name| {
        format!(
            "field `{name}` was stored, and the record no longer has it; if it was renamed, say `#[redis_hash(alias = \
             \"{name}\")]` on the field that it has become, and if it is gone, `#[redis_hash(removed = \"{name}\")]` on the record; if another \
             record of this name uses the file, give one of them `schema = \"path\"`"
        )
    })
}

/// Writes a file as a whole or not at all.
fn write(file: &Path, text: &str) -> io::Result<()> {
    // Two tests can write one file.
    static WRITTEN: AtomicU32 = AtomicU32::new(0);
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let part = file.with_extension(format!("part-{}-{number}", std::process::id()));
    fs::write(&part, text)?;
    fs::rename(&part, file)
}
