//! Random types, random changes of them, random values: what is read by names is what JSON would give, or an error.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use redis_hashmap_tests::random::Random;
use serde::de::DeserializeSeed;
use serde_json::{Value as Json, json};

use crate::format::resolve::read_with;
use crate::format::schema::{Id, Leaf, Node, Parts, Scalar, Schema, Variant};
use crate::format::verify::payload;
use crate::kind::Kind;
use crate::schema::parse::parse;
use crate::schema::sample::{Sample, encode, stored};
use crate::schema::simulated::{Case, Field, Holds, KINDS, Read, Type};
use crate::schema::text::write;

/// `tests/run --long` tries a hundred times as many.
fn cases() -> u64 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(256).max(256) * 40
}

fn one_of<'a, T>(random: &mut Random, all: &'a [T]) -> &'a T {
    &all[random.below(all.len())]
}

fn name(random: &mut Random) -> String {
    (*one_of(random, &["a", "b", "c", "d", "e", "f", "g", "h"])).to_owned()
}

fn any_type(random: &mut Random, depth: usize) -> Type {
    let one = |random: &mut Random| Box::new(any_type(random, depth - 1));
    match if depth == 0 { 0 } else { random.below(12) } {
        0..=3 => Type::Scalar(*one_of(random, &KINDS)),
        // JSON does not tell `Some(None)` from `None`.
        4 => match any_type(random, depth - 1) {
            some @ (Type::Option(_) | Type::Scalar(Kind::Unit)) => some,
            some => Type::Option(Box::new(some)),
        },
        5 => Type::Seq(one(random)),
        6 => Type::Map(one(random)),
        7 => Type::Tuple((0..=random.below(3)).map(|_| any_type(random, depth - 1)).collect()),
        8 | 9 => Type::Struct(fields(random, depth - 1)),
        _ => Type::Enum(any_cases(random, depth - 1)),
    }
}

fn fields(random: &mut Random, depth: usize) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    for _ in 0..random.below(4) {
        let name = name(random);
        if fields.iter().all(|field| field.name != name) {
            fields.push(Field {
                name,
                aliases: Vec::new(),
                default: random.below(4) == 0,
                of: any_type(random, depth),
            });
        }
    }
    fields
}

fn any_cases(random: &mut Random, depth: usize) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for _ in 0..=random.below(4) {
        let name = name(random);
        let holds = match random.below(3) {
            0 => Holds::Nothing,
            1 => Holds::Unnamed((0..=random.below(2)).map(|_| any_type(random, depth)).collect()),
            // `V` and `V {}` are stored alike, and JSON tells them apart.
            _ => match fields(random, depth) {
                fields if fields.is_empty() => Holds::Nothing,
                fields => Holds::Named(fields),
            },
        };
        if cases.iter().all(|case| case.name != name) {
            cases.push(Case { name, aliases: Vec::new(), holds });
        }
    }
    cases
}

/// Changes a type somewhere.
fn edit(random: &mut Random, of: &mut Type) {
    if random.below(4) == 0 {
        *of = match (random.below(4), of.clone()) {
            (0, other) if !matches!(other, Type::Option(_) | Type::Scalar(Kind::Unit)) => Type::Option(Box::new(other)),
            (1, Type::Option(some)) => *some,
            (2, Type::Scalar(_)) => Type::Scalar(*one_of(random, &KINDS)),
            (_, Type::Tuple(parts)) if !parts.is_empty() => Type::Seq(Box::new(parts[0].clone())),
            _ => any_type(random, 1),
        };
        return;
    }
    match of {
        Type::Scalar(kind) => *kind = *one_of(random, &KINDS),
        Type::Option(inner) | Type::Seq(inner) | Type::Map(inner) => edit(random, inner),
        Type::Tuple(parts) => {
            let index = random.below(parts.len());
            edit(random, &mut parts[index]);
        }
        Type::Struct(fields) => edit_fields(random, fields),
        Type::Enum(cases) => {
            let index = random.below(cases.len());
            match random.below(6) {
                0 => cases.reverse(),
                1 if cases.len() > 1 => drop(cases.remove(index)),
                2 => {
                    let old = std::mem::replace(&mut cases[index].name, "renamed".to_owned());
                    cases[index].aliases.push(old);
                }
                3 => cases.insert(index, Case { name: "new".to_owned(), aliases: Vec::new(), holds: Holds::Nothing }),
                _ => match &mut cases[index].holds {
                    holds @ Holds::Nothing => *holds = Holds::Unnamed(vec![any_type(random, 1)]),
                    Holds::Unnamed(parts) => {
                        let index = random.below(parts.len());
                        edit(random, &mut parts[index]);
                    }
                    holds @ Holds::Named(_) if random.below(3) == 0 => {
                        let Holds::Named(fields) = holds else { return };
                        *holds = Holds::Unnamed(vec![Type::Struct(fields.clone())]);
                    }
                    Holds::Named(fields) => edit_fields(random, fields),
                },
            }
        }
    }
}

fn edit_fields(random: &mut Random, fields: &mut Vec<Field>) {
    let new =
        Field { name: "new".to_owned(), aliases: Vec::new(), default: random.below(2) == 0, of: any_type(random, 1) };
    if fields.is_empty() {
        return fields.push(new);
    }
    let index = random.below(fields.len());
    match random.below(6) {
        0 => fields.reverse(),
        1 => drop(fields.remove(index)),
        2 => fields.insert(index, new),
        3 => {
            let old = std::mem::replace(&mut fields[index].name, "renamed".to_owned());
            fields[index].aliases.push(old);
        }
        4 => fields[index].default = true,
        _ => edit(random, &mut fields[index].of),
    }
}

/// What the tracer would find.
fn schema_of(of: &Type) -> Schema {
    let mut nodes = Vec::new();
    let root = push(of, &mut nodes);
    Schema { nodes: Arc::new(nodes), root }
}

fn push(of: &Type, nodes: &mut Vec<Node>) -> Id {
    let named = |fields: &[Field], nodes: &mut Vec<Node>| {
        fields.iter().map(|field| (field.name.clone(), push(&field.of, nodes))).collect::<Vec<_>>()
    };
    let node = match of {
        Type::Scalar(kind) => Node::Scalar(Leaf { kind: *kind, accepts: Vec::new() }),
        Type::Option(some) => Node::Option(push(some, nodes)),
        Type::Seq(element) => Node::Seq(push(element, nodes)),
        Type::Map(value) => {
            let key = push(&Type::Scalar(Kind::Str), nodes);
            Node::Map(key, push(value, nodes))
        }
        Type::Tuple(parts) => Node::Tuple(parts.iter().map(|part| push(part, nodes)).collect()),
        Type::Struct(fields) => Node::Struct { name: "Struct".to_owned(), fields: named(fields, nodes) },
        Type::Enum(cases) => {
            let mut variants = BTreeMap::new();
            for (index, case) in (0..).zip(cases) {
                let parts = match &case.holds {
                    Holds::Nothing => Parts::Unit,
                    Holds::Unnamed(parts) => Parts::Unnamed(parts.iter().map(|part| push(part, nodes)).collect()),
                    Holds::Named(fields) => Parts::Named(named(fields, nodes)),
                };
                variants.insert(index, Variant { name: case.name.clone(), parts });
            }
            Node::Enum { name: "Enum".to_owned(), variants }
        }
    };
    nodes.push(node);
    nodes.len() - 1
}

/// A value, and what JSON has for it.
fn value(random: &mut Random, of: &Type) -> (Sample, Json) {
    match of {
        Type::Scalar(kind) => scalar(random, *kind),
        Type::Option(some) => {
            if random.below(3) == 0 {
                return (Sample::Option(None), Json::Null);
            }
            let (sample, json) = value(random, some);
            (Sample::Option(Some(Box::new(sample))), json)
        }
        Type::Seq(element) => {
            let (samples, json) = (0..random.below(3)).map(|_| value(random, element)).unzip();
            (Sample::Elements(samples), Json::Array(json))
        }
        Type::Map(of) => {
            let mut entries = BTreeMap::new();
            for _ in 0..random.below(3) {
                entries.insert(name(random), value(random, of));
            }
            let samples =
                entries.iter().map(|(key, (sample, _))| (Sample::Scalar(Scalar::Str(key.clone())), sample.clone()));
            (
                Sample::Entries(samples.collect()),
                entries.iter().map(|(key, (_, json))| (key.clone(), json.clone())).collect(),
            )
        }
        Type::Tuple(parts) => {
            let (samples, json) = parts.iter().map(|part| value(random, part)).unzip();
            (Sample::Parts(samples), Json::Array(json))
        }
        Type::Struct(fields) => {
            let (samples, json) = values(random, fields);
            (Sample::Parts(samples), json)
        }
        Type::Enum(cases) => {
            let index = random.below(cases.len());
            let case = &cases[index];
            let (samples, json) = match &case.holds {
                Holds::Nothing => (Vec::new(), None),
                Holds::Unnamed(parts) => {
                    let (samples, mut json): (_, Vec<_>) = parts.iter().map(|part| value(random, part)).unzip();
                    (samples, Some(if parts.len() == 1 { json.remove(0) } else { Json::Array(json) }))
                }
                Holds::Named(fields) => {
                    let (samples, json) = values(random, fields);
                    (samples, Some(json))
                }
            };
            let json = json.map_or_else(|| json!(case.name), |json| json!({ &case.name: json }));
            (Sample::Variant(u32::try_from(index).unwrap(), samples), json)
        }
    }
}

fn values(random: &mut Random, fields: &[Field]) -> (Vec<Sample>, Json) {
    let (samples, json): (_, Vec<_>) = fields.iter().map(|field| value(random, &field.of)).unzip();
    (samples, fields.iter().zip(json).map(|(field, json)| (field.name.clone(), json)).collect())
}

fn scalar(random: &mut Random, kind: Kind) -> (Sample, Json) {
    let (scalar, json) = match kind {
        Kind::Bool => {
            let value = random.below(2) == 0;
            (Scalar::Bool(value), json!(value))
        }
        Kind::U8 | Kind::U32 | Kind::U64 => {
            let max = [u64::from(u8::MAX), u64::from(u32::MAX), u64::MAX]
                [[Kind::U8, Kind::U32, Kind::U64].iter().position(|of| *of == kind).unwrap()];
            let value = *one_of(random, &[0, 1, 200, max, max / 3]);
            (Scalar::Unsigned(value.into()), json!(value))
        }
        Kind::I8 | Kind::I64 => {
            let (min, max) = if kind == Kind::I8 { (i8::MIN.into(), i8::MAX.into()) } else { (i64::MIN, i64::MAX) };
            let value = *one_of(random, &[0, 1, -1, 100, min, max]);
            (Scalar::Signed(value.into()), json!(value))
        }
        Kind::F32 => {
            let value = *one_of(random, &[0.0_f32, 1.0, -1.5, 0.1, f32::MAX]);
            (Scalar::F32(value.to_bits()), json!(value))
        }
        Kind::F64 => {
            let value = *one_of(random, &[0.0_f64, 1.0, -1.5, 0.1, 1e300]);
            (Scalar::F64(value.to_bits()), json!(value))
        }
        Kind::Char => {
            let value = *one_of(random, &['a', '大']);
            (Scalar::Char(value), json!(value))
        }
        Kind::Unit => (Scalar::Unit, Json::Null),
        _ => {
            let value = *one_of(random, &["", "a", "b", "new", "大"]);
            (Scalar::Str(value.to_owned()), json!(value))
        }
    };
    (Sample::Scalar(scalar), json)
}

fn read(today: &Type, schema: &Schema, bytes: &[u8]) -> Option<Result<Read, String>> {
    read_with(today, schema, bytes, &RefCell::default()).map(|read| read.map_err(|fault| fault.to_string()))
}

#[test]
fn what_is_read_by_names_is_what_json_gives() {
    let (mut read_as_json, mut refused, mut refused_by_both) = (0, 0, 0);
    for seed in 0..cases() {
        let random = &mut Random(seed);
        let old = any_type(random, 3);
        let mut today = old.clone();
        for _ in 0..=random.below(2) {
            edit(random, &mut today);
        }
        let schema = schema_of(&old);
        let (sample, json) = value(random, &old);
        let bytes = encode(&schema, &sample).unwrap();
        let by_json = (&today).deserialize(&json);
        match (read(&today, &schema, &bytes).expect("its own schema"), by_json) {
            // A unit is `null` in JSON, and so `None` where it has become an `Option`. Here it is there.
            (Ok(ours), Ok(theirs)) if ours != theirs && format!("{old:?}").contains("Scalar(Unit)") => {}
            (Ok(ours), Ok(theirs)) => {
                assert_eq!(ours, theirs, "seed {seed}: {json} of {old:?} as {today:?}");
                read_as_json += 1;
            }
            // `V` and `V {}` are stored alike, and JSON has the second as an object.
            (Ok(_), Err(error)) if error.to_string() == "invalid type: unit variant, expected struct variant" => {}
            (Ok(ours), Err(error)) => {
                // An `Option` that is no longer one has to be `Some`; JSON does not show that it was one.
                panic!("seed {seed}: {json} of {old:?} as {today:?} gave {ours:?}; JSON: {error}")
            }
            (Err(_), Ok(_)) => refused += 1,
            (Err(_), Err(_)) => refused_by_both += 1,
        }
        // What has not changed is read as it is.
        assert_eq!(
            read(&old, &schema, &bytes),
            Some((&old).deserialize(&json).map_err(|error| error.to_string())),
            "seed {seed}"
        );
    }
    println!("{read_as_json} read as by JSON, {refused} refused that JSON reads, {refused_by_both} refused by both");
    assert!(read_as_json > cases() / 3 && refused < cases() / 20);
}

#[test]
fn a_wrong_schema_is_not_believed_or_gives_the_same() {
    let (mut believed, mut all) = (0_u64, 0_u64);
    for seed in 0..cases() {
        let random = &mut Random(seed ^ 0x5EED);
        let old = any_type(random, 3);
        let schema = schema_of(&old);
        let (sample, _) = value(random, &old);
        let bytes = encode(&schema, &sample).unwrap();
        for _ in 0..4 {
            let mut other = if random.below(4) == 0 { any_type(random, 3) } else { old.clone() };
            edit(random, &mut other);
            all += 1;
            if let Some(by_other) = read(&old, &schema_of(&other), &bytes) {
                believed += 1;
                assert_eq!(Some(by_other), read(&old, &schema, &bytes), "seed {seed}: {old:?} as {other:?}");
            }
        }
    }
    println!("{believed} of {all} were believed");
    assert!(believed > all / 50 && believed < all / 2);
}

#[test]
fn a_schema_survives_its_text() {
    for seed in 0..cases() {
        let random = &mut Random(seed ^ 0x7E47);
        let of = any_type(random, 4);
        let schema = schema_of(&of);
        let written = write(&schema);
        let parsed =
            parse(&written.expression, &written.types).unwrap_or_else(|problem| panic!("{problem}: {written:?}"));
        assert_eq!(write(&parsed), written);
        let (sample, _) = value(random, &of);
        let bytes = encode(&schema, &sample).unwrap();
        assert!(payload(&parsed, &bytes).is_some(), "seed {seed}: {written:?}");
    }
}

/// Values of a schema are ones that it has written, and there is one for each kind of value in it.
#[test]
fn samples_are_values_of_their_schema() {
    let mut most = 0;
    for seed in 0..cases() / 4 {
        let random = &mut Random(seed ^ 0x5A);
        let of = any_type(random, 3);
        let schema = schema_of(&of);
        let samples = stored(&schema);
        most = most.max(samples.len());
        assert!(!samples.is_empty());
        for bytes in &samples {
            assert!(matches!(read(&of, &schema, bytes), Some(Ok(_))), "seed {seed}: {of:?}: {bytes:?}");
        }
    }
    println!("at most {most} samples");
}
