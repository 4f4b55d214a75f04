//! Which of the schemas that a field has had are those of the types that it was, and the proof that they are converted.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::format::decode_fault::DecodeFault;
use crate::format::past::Past;
use crate::format::schema::{Leaf, Node, Scalar, Schema};
use crate::kind::Kind;
use crate::schema::bounds::bounds;
use crate::schema::field::{FieldSchema, Reading, WasType};
use crate::schema::lock::{COUNTER, Held, Lock, TEXT};
use crate::schema::sample;
use crate::schema::text::{Written, hash_of};
use crate::schema::trace::menu::menu;

/// The counters that are tried.
const COUNTERS: [i64; 5] = [0, 1, -1, i64::MIN, i64::MAX];

/// Marks what is converted through the types that a field was, and adds these types. What was marked newly is told.
pub(super) fn mark(
    field: &FieldSchema,
    today: &Written,
    lock: &mut Lock,
    told: &mut Vec<String>,
) -> Result<(), String> {
    let names = field.names();
    let types: Vec<(&WasType, Result<Written, String>)> = field.was.iter().map(|was| (was, was.written())).collect();
    distinct(&types, today)?;

    let before: Vec<Held> = lock.held(&names).into_iter().cloned().collect();
    let is_new = |was: &WasType| !before.iter().any(|held| was.owns(held));
    for held in &before {
        if held.is(&today.expression) {
            if let Some(was) = &held.was {
                let meaning = lock.meaning(held);
                return Err(format!(
                    "its type today is {meaning}, and values of that are converted from `{was}`: store it in a field of another name"
                ));
            }
            continue;
        }
        if field.was.iter().any(|was| was.owns(held)) {
            continue;
        }
        let is_same = |written: &Result<Written, String>| written.as_ref().is_ok_and(|of| held.is(&of.expression));
        let mut owners: Vec<&str> =
            types.iter().filter(|(_, written)| is_same(written)).map(|(was, _)| was.name.as_str()).collect();
        if owners.is_empty() {
            let samples = samples(lock, held);
            // What a type that is declared newly reads was written before today's type was there.
            let is_of_today = !held.is_word()
                && samples.iter().all(|(schema, stored)| {
                    schema.as_ref().is_some_and(|schema| field.read(schema, stored).value.is_ok())
                });
            let reads = |was: &WasType| {
                let read = |(schema, stored): &Sample| {
                    let reading = field.convert(was, schema.as_ref(), stored);
                    reading.is_some_and(|Reading { value, .. }| matches!(value, Ok(_) | Err(DecodeFault::Conversion)))
                };
                (is_new(was) || !is_of_today) && samples.iter().all(read)
            };
            owners = field.was.iter().filter(|was| reads(was)).map(|was| was.name.as_str()).collect();
        }
        let meaning = lock.meaning(held);
        match (owners.as_slice(), &held.was) {
            ([], None) => {}
            ([], Some(was)) => {
                return Err(format!(
                    "what was stored as {meaning} is converted from `{was}`: keep `#[redis_hash(was = {was})]`"
                ));
            }
            ([owner], _) => {
                told.push(format!("field `{}`: what was stored as {meaning} is converted from `{owner}`", field.name));
                lock.convert(&names, &held.expression, owner);
            }
            ([one, other, ..], _) => {
                return Err(format!(
                    "what was stored as {meaning} is read both as `{one}` and as `{other}`: say which in the file, as in `{}: was \
                     {one} {}`",
                    field.name, held.expression
                ));
            }
        }
    }
    for (was, written) in types {
        add(field, was, written, lock)?;
    }
    Ok(())
}

/// Checks that types can be told apart.
fn distinct(types: &[(&WasType, Result<Written, String>)], today: &Written) -> Result<(), String> {
    const CURE: &str = "store the new meaning in a field of another name";
    for (index, (was, written)) in types.iter().enumerate() {
        if types
            .iter()
            .skip(index + 1)
            .any(|(other, _)| was.is_encoded() && other.is_encoded() && was.name == other.name)
        {
            return Err(format!(
                "two of the types that it was are called `{}`, and the file knows them by their names: rename one of them",
                was.name
            ));
        }
        let Ok(written) = written else { continue };
        let held = held(written, None);
        if held.is(&today.expression) {
            return Err(format!(
                "`was = {}` is stored as it is today, as {}, so the two cannot be told apart: {CURE}",
                was.name, written.expression
            ));
        }
        let is_same = |other: &Result<Written, String>| other.as_ref().is_ok_and(|of| held.is(&of.expression));
        if let Some((other, _)) = types.iter().skip(index + 1).find(|(_, other)| is_same(other)) {
            return Err(format!(
                "`was = {}` and `was = {}` are both stored as {}, so they cannot be told apart: remove one, or {CURE}",
                was.name, other.name, written.expression
            ));
        }
    }
    Ok(())
}

fn held(written: &Written, was: Option<&str>) -> Held {
    Held { was: was.map(str::to_owned), expression: written.expression.clone(), refused: BTreeSet::new() }
}

/// Adds a type that a field was, unless it is known.
fn add(field: &FieldSchema, was: &WasType, written: Result<Written, String>, lock: &mut Lock) -> Result<(), String> {
    let known = lock.held(&field.names()).into_iter().filter(|held| was.owns(held)).collect::<Vec<_>>();
    let written = match written {
        Ok(written) if known.iter().any(|held| held.is(&written.expression)) => return Ok(()),
        // Its schema stands in the file.
        Err(_) if !known.is_empty() => return Ok(()),
        written => written.map_err(|problem| format!("{problem}: it has to be recorded before `was` names it"))?,
    };
    let mut held = held(&written, Some(&was.name));
    // The samples are those of the schema as it will be read from the file.
    let mut with = lock.clone();
    with.add(field.name, held.clone(), written.types.clone());
    for (schema, stored) in samples(&with, &held) {
        let reading = field.convert(was, schema.as_ref(), &stored);
        let is_its = reading.is_some_and(|reading| matches!(reading.value, Ok(_) | Err(DecodeFault::Conversion)));
        if !is_its && schema.is_some() {
            held.refused.insert(hash_of(&stored));
        }
    }
    lock.add(field.name, held, written.types);
    Ok(())
}

/// A stored value, and its schema if it has one.
type Sample = (Option<Schema>, Vec<u8>);

/// Stored values of what was held.
fn samples(lock: &Lock, held: &Held) -> Vec<Sample> {
    match held.expression.as_str() {
        TEXT => texts().map(|text| (None, text.into_bytes())).collect(),
        COUNTER => COUNTERS.iter().map(|count| (None, count.to_string().into_bytes())).collect(),
        _ => {
            let Some(schema) = lock.schema(held) else { return Vec::new() };
            let samples = sample::stored(&with_texts(&schema)).into_iter();
            let samples = samples.filter(|stored| !held.refused.contains(&hash_of(stored)));
            samples.map(|stored| (Some(schema.clone()), stored)).collect()
        }
    }
}

/// Texts that types parse. A conversion can have rules for texts that their old type had not.
fn texts() -> impl Iterator<Item = String> {
    menu(Kind::Str).into_iter().filter_map(|text| if let Scalar::Str(text) = text { Some(text) } else { None })
}

/// The schema, where texts are tried that types parse.
fn with_texts(schema: &Schema) -> Schema {
    let mut nodes = (*schema.nodes).clone();
    for node in &mut nodes {
        if let Node::Scalar(Leaf { kind: Kind::Str, accepts }) = node
            && accepts.is_empty()
        {
            accepts.extend(bounds(Kind::Str).into_iter().chain(menu(Kind::Str)));
        }
    }
    Schema { nodes: Arc::new(nodes), root: schema.root }
}

/// What is wrong with the conversion of what was held. What may be wrong is told. Fields that are not read are given to `lost`.
pub(super) fn problems_of(
    field: &FieldSchema,
    was: &WasType,
    held: &Held,
    lock: &Lock,
    told: &mut Vec<String>,
    lost: impl Fn(&str) -> Option<String>,
) -> BTreeSet<String> {
    let mut problems = BTreeSet::new();
    let past: Vec<Past> = field.names().into_iter().flat_map(|name| lock.past(name)).collect();
    let past: Vec<&Past> = past.iter().collect();
    let (mut tried, mut converted) = (0, 0);
    for (schema, stored) in samples(lock, held) {
        let Some(Reading { value, ignored }) = field.convert(was, schema.as_ref(), &stored) else { continue };
        tried += 1;
        problems.extend(ignored.iter().filter_map(|place| lost(place)));
        let value = match value {
            Ok(value) => Some(value),
            Err(DecodeFault::Conversion) => None,
            Err(fault) => {
                problems.insert(format!("{fault}; {}", fault.innermost().cure()));
                continue;
            }
        };
        converted += usize::from(value.is_some());
        if field.get(&past, &stored).value.ok() != value {
            problems.insert(format!(
                "such values are also read as `{}` without the conversion from `{}`, and as others than it gives: store the new \
                 meaning in a field of another name",
                field.asked(),
                was.name
            ));
        }
    }
    if tried > 0 && converted == 0 && problems.is_empty() {
        told.push(format!(
            "field `{}`: the conversion from `{}` refuses each value that was made up: test it with one that is stored",
            field.name, was.name
        ));
    }
    problems
}
