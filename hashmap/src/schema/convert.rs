//! The proof that what a field was is converted.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::format::decode_fault::DecodeFault;
use crate::format::past::Past;
use crate::format::schema::{Leaf, Node, Scalar, Schema};
use crate::kind::Kind;
use crate::schema::bounds::bounds;
use crate::schema::field::{FieldSchema, Reading, WasType};
use crate::schema::lock::{COUNTER, Held, Lock, Mark, TEXT};
use crate::schema::overlap::{Overlap, overlap};
use crate::schema::sample;
use crate::schema::text::{Written, hash_of, write};
use crate::schema::trace::menu::menu;

/// The counters that are tried.
const COUNTERS: [i64; 5] = [0, 1, -1, i64::MIN, i64::MAX];

/// True if the type reads all values of what was held.
pub(super) fn reads(field: &FieldSchema, was: &WasType, held: &Held, lock: &Lock) -> bool {
    samples(lock, held).iter().all(|(schema, stored)| {
        let reading = field.convert(was, schema.as_ref(), stored);
        reading.is_some_and(|Reading { value, .. }| matches!(value, Ok(_) | Err(DecodeFault::Conversion)))
    })
}

/// True if today's type reads all values of what was held by their names.
pub(super) fn is_read_today(field: &FieldSchema, held: &Held, lock: &Lock) -> bool {
    let read =
        |(schema, stored): &Sample| schema.as_ref().is_some_and(|schema| field.read(schema, stored).value.is_ok());
    samples(lock, held).iter().all(read)
}

/// True if the conversion gives what is read by names, of all values of what was held.
pub(super) fn changes_nothing(field: &FieldSchema, was: &WasType, held: &Held, lock: &Lock) -> bool {
    samples(lock, held).iter().all(|(schema, stored)| {
        let named = schema.as_ref().and_then(|schema| field.read(schema, stored).value.ok());
        let converted = field.convert(was, schema.as_ref(), stored).and_then(|reading| reading.value.ok());
        named == converted
    })
}

/// True if two types give the same, of all values of what was held.
pub(super) fn convert_alike(field: &FieldSchema, (one, other): (&WasType, &WasType), held: &Held, lock: &Lock) -> bool {
    samples(lock, held).iter().all(|(schema, stored)| {
        let converted = |was| field.convert(was, schema.as_ref(), stored).and_then(|reading| reading.value.ok());
        converted(one) == converted(other)
    })
}

/// Adds a type that a field was, unless it is known.
pub(super) fn add(
    field: &FieldSchema,
    was: &WasType,
    written: Result<Written, String>,
    lock: &mut Lock,
) -> Result<(), String> {
    let known = lock.held(&field.names()).into_iter().filter(|held| was.owns(held)).collect::<Vec<_>>();
    let written = match written {
        Ok(written) if known.iter().any(|held| held.is(&written.expression)) => return Ok(()),
        // Its schema stands in the file.
        Err(_) if !known.is_empty() => return Ok(()),
        written => written.map_err(|problem| format!("{problem}: it has to be recorded before `was` names it"))?,
    };
    let mut held =
        Held { mark: Mark::Was(was.name.to_owned()), expression: written.expression.clone(), refused: BTreeSet::new() };
    // The samples are those of the schema as it will be read from the file.
    let mut with = lock.clone();
    with.add(field.name, held.clone(), written.types.clone());
    for (schema, stored) in samples(&with, &held) {
        let reading = field.convert(was, schema.as_ref(), &stored);
        // A conversion that panics is a fault of it, not of the sample.
        let is_its =
            |reading: Reading| matches!(reading.value, Ok(_) | Err(DecodeFault::Conversion | DecodeFault::Panicked));
        if !reading.is_some_and(is_its) && schema.is_some() {
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

/// What is wrong with the conversion of what was held, where `today` is the schema of today if it has one. What may be wrong is
/// told. Fields that are not read are given to `lost`.
pub(super) fn problems_of(
    field: &FieldSchema,
    (was, held): (&WasType, &Held),
    today: Option<&Schema>,
    is_new: bool,
    lock: &Lock,
    told: &mut Vec<String>,
    lost: impl Fn(&str) -> Option<String>,
) -> BTreeSet<String> {
    const CURE: &str = "store the new meaning in a field of another name";
    let asked = field.asked();
    let mut problems = BTreeSet::new();
    let past: Vec<Past> = field.names().into_iter().flat_map(|name| lock.past(name)).collect();
    let past: Vec<&Past> = past.iter().collect();
    let (mut tried, mut converted) = (0, 0);
    for (schema, stored) in samples(lock, held) {
        let Some(Reading { value, ignored }) = field.convert(was, schema.as_ref(), &stored) else { continue };
        tried += 1;
        problems.extend(ignored.iter().filter_map(|place| lost(place)));
        let value = match value {
            Ok(Some(value)) => Some(value),
            Ok(None) => {
                problems.insert(format!(
                    "the conversion makes a value that is not read back as `{asked}`: let it refuse what cannot be one"
                ));
                continue;
            }
            Err(DecodeFault::Conversion) => None,
            Err(fault) => {
                problems.insert(format!("{fault}; {}", fault.innermost().cure()));
                continue;
            }
        };
        converted += usize::from(value.is_some());
        // An accessor asks these first.
        let direct = field.get(&past, &stored).value.ok();
        if let Some(direct) = &direct
            && *direct != value
        {
            problems.insert(format!(
                "such values are also read as `{asked}` without the conversion from `{}`, and as others than it gives: {CURE}",
                was.name
            ));
        } else if direct.is_none()
            && let Some((other, taken)) = field.take(&past, &stored)
            && !std::ptr::eq(other, was)
            && taken.value.ok().flatten() != value
        {
            problems.insert(format!(
                "such values are also converted from `{}`, to others than from `{}`: {CURE}",
                other.name, was.name
            ));
        }
    }
    if is_new && problems.is_empty() {
        told.extend(looks_like(field, (was, held), today, lock, &past));
        if converted == 0 {
            let what =
                if tried == 0 { "no value could be made up for" } else { "each value that was made up is refused by" };
            told.push(format!("{what} the conversion from `{}`: test it with one that is stored", was.name));
        }
    }
    problems
}

/// Says which values of what was held are read as others, if there are more than can be tried.
fn looks_like(
    field: &FieldSchema,
    (was, held): (&WasType, &Held),
    today: Option<&Schema>,
    lock: &Lock,
    past: &[&Past],
) -> Vec<String> {
    let meaning = lock.meaning(held);
    let Some(schema) = lock.schema(held) else {
        let both_are_text = field.word().is_some();
        let told = format!(
            "{meaning} can look like today's, and is then read as such, without the conversion from `{}`",
            was.name
        );
        return both_are_text.then_some(told).into_iter().collect();
    };
    let asked = field.asked();
    let mut told = Vec::new();
    if today.is_some_and(|today| overlap(&schema, today) == Overlap::Many) {
        told.push(format!(
            "some values of {meaning} can look like values of `{asked}`, and are then read as such, without the conversion from `{}`: \
             it has to give these unchanged",
            was.name
        ));
    }
    for other in past.iter().filter(|other| other.was.as_deref() != Some(was.name)) {
        let is_today = today.is_some_and(|today| write(today).expression == write(&other.schema).expression);
        if !is_today && overlap(&schema, &other.schema) == Overlap::Many {
            let other_type = other.was.as_deref().unwrap_or(&asked);
            told.push(format!(
                "some values of {meaning} can look like ones of {}, which is a `{other_type}`: both have to become the same of these",
                other.words
            ));
        }
    }
    told
}
