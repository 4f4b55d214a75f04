//! Proves that the types of a record read all that its older versions have stored: the test that `schema` generates.

use std::any::type_name;
use std::collections::BTreeSet;
use std::fmt;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{fs, io};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::format::schema::Schema;
use crate::schema::convert;
use crate::schema::field::{FieldSchema, Reading, without_paths};
use crate::schema::history::History;
use crate::schema::lock::{Held, Lock, Mark};
use crate::schema::loss;
use crate::schema::mark::mark;
use crate::schema::parse::parse;
use crate::schema::sample;
use crate::schema::text::{hash_of, word};
use crate::schema::trace::trace_with;

/// The environment variable with which a changed schema is recorded.
const VARIABLE: &str = "REDIS_HASH_SCHEMA";

/// What a record declares about its schema.
#[derive(Debug)]
pub(crate) struct RecordSchema<'a> {
    /// The name of its type.
    pub(super) record: &'a str,
    /// The folder of its package.
    pub(super) package: &'a str,
    /// The file, in that folder.
    pub(super) path: &'a str,
    /// What the file was when the program was built.
    pub(super) history: &'a History,
    /// The names of fields that are gone, and those of structs in fields, as `Address.note`.
    pub(super) removed: &'a [&'a str],
    /// What each field declares.
    pub(super) fields: &'a [FieldSchema],
}

/// The schema of a type, found by samples of it, and by those that are given.
///
/// # Errors
///
/// Why it has none.
pub fn trace<T: Serialize + DeserializeOwned>(samples: Vec<T>) -> Result<Schema, String> {
    trace_with(samples).map_err(|problem| problem.to_string())
}

/// What is wrong with the schema of a record, and what to do about it: the error of `check_schema`, which
/// `#[redis_hash(schema)]` generates.
#[derive(Clone, PartialEq, Eq)]
pub struct SchemaProblem(String);

impl SchemaProblem {
    pub(super) fn new(problem: String) -> Self {
        Self(problem)
    }
}

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

/// Compares what the record `R` holds today with its schema file, and proves that it reads what the file says was stored.
///
/// `file` is the path of its file in the folder of its package, and what the file was when the program was built. `removed` are
/// the names of fields that are gone, and those of structs in fields, as `Address.note`.
///
/// # Errors
///
/// What cannot be read, or how a schema that has changed is recorded.
pub fn check<R>(
    file: Option<(&str, &History)>,
    package: &str,
    removed: &[&str],
    fields: &[FieldSchema],
) -> Result<(), SchemaProblem> {
    let record = &without_paths(type_name::<R>());
    let Some((path, history)) = file else {
        return Err(SchemaProblem(format!(
            "`{record}` has no schema file: name it on the record, as in `#[redis_hash(schema({record}))]`"
        )));
    };
    let records = std::env::var_os(VARIABLE).is_some_and(|value| value == "record");
    let schema = RecordSchema { record, package, path, history, removed, fields };
    let told = check_and(&schema, records).map_err(SchemaProblem)?;
    // Not by `eprintln`, of which nothing is seen where the test succeeds.
    let mut stderr = io::stderr();
    for told in told {
        let _ = writeln!(stderr, "{told}");
    }
    Ok(())
}

/// Returns what is to be told of what was recorded.
pub(super) fn check_and(schema: &RecordSchema<'_>, records: bool) -> Result<Vec<String>, String> {
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

    let (mut recorded, mut told) = (lock.clone(), Vec::new());
    let mut problems = Vec::new();
    for field in schema.fields {
        let mut told_of_it = Vec::new();
        let found = match record_field(field, &mut recorded, &mut told_of_it) {
            Ok(today) => unread(schema, field, (&lock, &recorded), &today, &mut told_of_it),
            Err(problems) => problems,
        };
        told.extend(told_of_it.into_iter().map(|told| format!("field `{}`: {told}", field.name)));
        problems.extend(found.into_iter().map(|problem| format!("field `{}`: {problem}", field.name)));
    }
    problems.extend(gone(schema, &lock));
    for removed in schema.removed.iter().filter(|removed| !lock.has(removed)) {
        problems.push(format!("`removed = \"{removed}\"` names nothing that was stored: remove it"));
    }
    if !problems.is_empty() {
        let what =
            if on_disk.is_some() { "cannot read what its older versions stored" } else { "cannot have a schema yet" };
        return Err(format!("`{record}` {what}:{}", listed(&problems)));
    }
    if recorded == lock {
        return if on_disk.as_deref().is_some_and(|text| differs(schema.history, text, &lock)) {
            Err(format!(
                "`{record}` was built before its schema file {path} was changed: build it again (touch its source)"
            ))
        } else {
            Ok(Vec::new())
        };
    }
    if records {
        write(&file, &recorded.write(record))
            .map_err(|error| format!("the schema file {path} of `{record}` cannot be written: {error}"))?;
        told.push(format!("recorded the schema of `{record}` in {path}: commit it"));
        return Ok(told);
    }
    let what = if on_disk.is_some() { "has changed, and reads all that was stored" } else { "is not recorded yet" };
    let told = listed(&told);
    Err(format!("the schema of `{record}` {what}: run `{VARIABLE}=record cargo test`, and commit {path}{told}"))
}

/// A line for each.
fn listed(lines: &[String]) -> String {
    lines.iter().fold(String::new(), |list, line| list + "\n  - " + line)
}

/// True if the program does not know all that the file says.
fn differs(history: &History, on_disk: &str, lock: &Lock) -> bool {
    match history.file() {
        Some(built) => built != on_disk && Lock::read(Some(built)).as_ref() != Ok(lock),
        // What there is only one schema of needs none to be read.
        None => lock.fields.values().any(|expressions| expressions.len() > 1),
    }
}

/// What a field holds today.
struct Today {
    /// None of a field that is stored as text.
    schema: Option<Schema>,
    /// True if it is not recorded yet.
    is_new: bool,
}

/// Adds what a field holds today, and the types that it was, unless they are known.
fn record_field(field: &FieldSchema, lock: &mut Lock, told: &mut Vec<String>) -> Result<Today, Vec<String>> {
    const CURE: &str = "give a value with `#[redis_hash(sample = …)]`, or give the record no `schema`";
    let written = field.written().map_err(|problem| vec![format!("{problem}: {CURE}")])?;
    mark(field, &written, lock, told)?;
    // The schema as it will be read from the file.
    let schema = if field.word().is_none() {
        Some(parse(&written.expression, &written.types).map_err(|problem| vec![problem])?)
    } else {
        None
    };
    let held = lock.held(&[field.name]);
    if held.iter().any(|held| held.was().is_none() && held.is(&written.expression)) {
        return Ok(Today { schema, is_new: false });
    }
    let mut refused = BTreeSet::new();
    if let Some(schema) = &schema {
        // Rules for several values at once are not in the schema.
        let samples = sample::stored(schema);
        let is_refused = |stored: &&Vec<u8>| field.read(schema, stored).value.is_err();
        refused = samples.iter().filter(is_refused).map(|stored| hash_of(stored)).collect();
        if samples.iter().all(|stored| refused.contains(&hash_of(stored))) {
            let problem = format!("`{}` refuses each value that was made up of its schema: {CURE}", field.asked());
            return Err(vec![problem]);
        }
    }
    let mark = if field.was.is_empty() { Mark::None } else { Mark::Is };
    lock.add(field.name, Held { mark, expression: written.expression, refused }, written.types);
    Ok(Today { schema, is_new: true })
}

/// What this field once held, by a lock, and cannot be read as what it holds now, by what will be recorded.
fn unread(
    record: &RecordSchema<'_>,
    field: &FieldSchema,
    (lock, recorded): (&Lock, &Lock),
    today: &Today,
    told: &mut Vec<String>,
) -> Vec<String> {
    let names = field.names();
    let known = lock.held(&names);
    let mut problems = Vec::new();
    for held in recorded.held(&names) {
        let meaning = recorded.meaning(held);
        if held.was().is_some() {
            // Without the type, `mark` has said so.
            let Some(was) = field.was.iter().find(|was| was.owns(held)) else { continue };
            let found = convert::problems_of(
                field,
                (was, held),
                today.schema.as_ref(),
                !known.contains(held),
                recorded,
                told,
                |place| lost(record, place),
            );
            let found = found.into_iter();
            problems.extend(
                found.map(|problem| {
                    format!("what was stored as {meaning} does not become `{}`: {problem}", field.asked())
                }),
            );
        } else if !known.iter().any(|known| known.is(&held.expression)) || field.word() == Some(&held.expression) {
        } else if let Some(word) = field.word() {
            problems.push(format!(
                "it was stored as {meaning}, and is declared as a {word} now: give it a new name, or say what it was: \
                 `#[redis_hash({})]`",
                held.attribute()
            ));
        } else if let Some(schema) = recorded.schema(held) {
            let (found, losses) = problems_of(record, field, &schema, &held.refused, today);
            let asked = field.asked();
            for was in field.was.iter().filter(|was| !found.is_empty() && convert::reads(field, was, held, recorded)) {
                let marked = Held { mark: Mark::Was(was.name.to_owned()), ..held.clone() };
                let name = word(field.name);
                problems.push(format!(
                    "what was stored as {meaning} is not marked as a `{}`; if it was one, say so in the file, as `{name}: {marked}`",
                    was.name
                ));
            }
            problems.extend(
                found
                    .into_iter()
                    .map(|problem| format!("what was stored as {meaning} is not read as `{asked}`: {problem}")),
            );
            told.extend(
                losses
                    .into_iter()
                    .map(|loss| format!("where what was stored as {meaning} is read as `{asked}`, {loss}")),
            );
        } else {
            problems.push(format!(
                "it was stored as {meaning}, and is encoded now: give it a new name, or say what it was: `#[redis_hash({})]`",
                held.attribute()
            ));
        }
    }
    problems
}

/// Tries values of a schema. Each problem is said once, and so is what is lost where the type of today is new.
fn problems_of(
    record: &RecordSchema<'_>,
    field: &FieldSchema,
    schema: &Schema,
    refused: &BTreeSet<String>,
    today: &Today,
) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut problems = BTreeSet::new();
    let new = today.schema.as_ref().filter(|_| today.is_new);
    let mut losses = new.map_or_else(BTreeSet::new, |new| loss::by_position(schema, new));
    let samples = sample::stored(schema).into_iter();
    for stored in samples.filter(|stored| refused.is_empty() || !refused.contains(&hash_of(stored))) {
        let Reading { value, ignored } = field.read(schema, &stored);
        match (value, new) {
            (Err(fault), _) => drop(problems.insert(format!("{fault}; {}", fault.innermost().cure()))),
            (Ok(Some(value)), Some(new))
                if ignored.is_empty() && loss::elements(schema, &stored) > loss::elements(new, &value) =>
            {
                losses.insert("elements can be lost, as where equal ones become one".to_owned());
            }
            _ => {}
        }
        problems.extend(ignored.iter().filter_map(|place| lost(record, place)));
    }
    (problems, losses)
}

/// What is said of a field in a value that is stored and not read, unless it is meant to be lost.
fn lost(record: &RecordSchema<'_>, place: &str) -> Option<String> {
    if record.removed.contains(&place) {
        return None;
    }
    Some(match place.split_once('.') {
        None => format!("{place} would be lost; keep the map"),
        Some((_, name)) => format!(
            "`{place}` would be lost; if it was renamed, say `#[serde(alias = \"{name}\")]` on the field that it has become, \
             and if it is to be lost, `#[redis_hash(removed = \"{place}\")]` on the record"
        ),
    })
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
