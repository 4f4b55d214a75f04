//! `Value`, the dynamic side.

use std::collections::BTreeMap;

use redis_hashmap::{Error, Kind, Value};
use serde::{Deserialize, Serialize};

use crate::stored::{decode, encode, try_encode};

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Point {
    x: i32,
    y: i32,
}

#[test]
fn a_stored_scalar_reads_as_what_it_is() {
    assert_eq!(decode::<Value>(&encode(&())).unwrap(), Value::Unit);
    assert_eq!(decode::<Value>(&encode(&true)).unwrap(), Value::Bool(true));
    assert_eq!(decode::<Value>(&encode(&-5_i64)).unwrap(), Value::I64(-5));
    assert_eq!(decode::<Value>(&encode(&300_u16)).unwrap(), Value::U16(300));
    assert_eq!(decode::<Value>(&encode(&u128::MAX)).unwrap(), Value::U128(u128::MAX));
    assert_eq!(decode::<Value>(&encode(&1.5_f32)).unwrap(), Value::F32(1.5));
    assert_eq!(decode::<Value>(&encode(&'大')).unwrap(), Value::Char('大'));
    assert_eq!(decode::<Value>(&encode("dark")).unwrap(), Value::Str("dark".to_owned()));
    assert_eq!(decode::<Value>(&encode(&uuid::Uuid::nil())).unwrap(), Value::Bytes(vec![0; 16]));
}

#[test]
fn a_scalar_value_is_read_as_its_scalar() {
    assert_eq!(decode::<String>(&encode(&Value::from("dark"))).unwrap(), "dark");
    assert_eq!(decode::<u8>(&encode(&Value::U8(7))).unwrap(), 7);
    assert_eq!(decode::<u8>(&encode(&Value::U16(7))).unwrap(), 7);
}

#[test]
fn a_composite_of_an_unknown_type_is_opaque_and_loses_nothing() {
    for stored in [
        encode(&Point { x: 1, y: 2 }),
        encode(&vec![1_u8, 2]),
        encode(&(1_u8, "two")),
        encode(&BTreeMap::from([(1, 2)])),
        encode(&None::<u8>),
        encode(&Ok::<u8, u8>(1)),
        encode(&vec!["x".repeat(100); 3]),
        encode(&vec![7_u64; 70_000]),
    ] {
        let value: Value = decode(&stored).unwrap();
        assert!(matches!(value, Value::Opaque(_)), "{value:?}");
        assert_eq!(value.kind().byte(), stored[0]);
        assert_eq!(encode(&value), stored);
    }
}

/// The framing of an opaque value has another length from 251 and from 65,536 bytes on.
#[test]
fn an_opaque_value_of_any_length_loses_nothing() {
    for len in (230..260).chain(65_520..65_545) {
        let stored = encode(&vec![7_u8; len]);
        let value: Value = decode(&stored).unwrap();
        assert_eq!(encode(&value), stored, "{len} bytes");
    }
}

#[test]
fn an_opaque_value_can_be_decoded_later() {
    let value: Value = decode(&encode(&Point { x: 1, y: 2 })).unwrap();
    let Value::Opaque(opaque) = &value else { panic!("{value:?}") };
    assert_eq!(opaque.kind(), Kind::Struct);
    assert_eq!(opaque.decode::<Point>().unwrap(), Point { x: 1, y: 2 });
    assert_eq!(value.decode::<Point>().unwrap(), Point { x: 1, y: 2 });
    let error = opaque.decode::<(i32, i32)>().unwrap_err();
    assert!(
        error.to_string().starts_with("the value holds a value of kind struct, which cannot be read as `(i32, i32)`"),
        "{error}"
    );
    assert_eq!(format!("{value:?}"), "Opaque(Opaque(struct, 7 bytes))");
    assert_eq!(Value::from("x").decode::<String>().unwrap(), "x");
    assert_eq!(Value::from_iter([1_u8]).decode::<Value>().unwrap(), Value::from_iter([1_u8]));
}

#[test]
fn a_tree_reads_as_that_tree_and_as_nothing_else() {
    let tree = Value::Map(vec![("sizes".into(), Value::from_iter([1_u8, 2])), ("none".into(), Value::Unit)]);
    assert_eq!(decode::<Value>(&encode(&tree)).unwrap(), tree);
    assert!(matches!(
        decode::<BTreeMap<String, Value>>(&encode(&tree)),
        Err(Error::WrongType { stored: Kind::Dynamic, .. })
    ));
    assert!(matches!(decode::<String>(&encode(&tree)), Err(Error::WrongType { .. })));
}

#[test]
fn a_tree_may_nest_128_levels() {
    let nest = |levels: usize| (0..levels).fold(Value::Unit, |inner, _| Value::Seq(vec![inner]));
    let deepest = (0..200).rev().find(|levels| try_encode(&nest(*levels)).is_ok()).unwrap();
    assert_eq!(deepest, 128);
    assert_eq!(decode::<Value>(&encode(&nest(deepest))).unwrap(), nest(deepest));
}

#[test]
fn any_json_document_is_a_value() {
    let json = r#"{"name":"Ann","age":42,"tags":["a",null,1.5,-7],"nested":{"on":true}}"#;
    let value: Value = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&value).unwrap(), json);
    assert_eq!(decode::<Value>(&encode(&value)).unwrap(), value);
    assert_eq!(value.get("age").and_then(Value::as_i64), Some(42));
    assert_eq!(value.get("nested").and_then(|nested| nested.get("on")?.as_bool()), Some(true));
    assert_eq!(value.get("tags"), Some(&Value::Seq(vec!["a".into(), Value::Unit, 1.5.into(), (-7_i64).into()])));
}

#[test]
fn values_say_what_they_are() {
    assert_eq!(Value::from("a").as_str(), Some("a"));
    assert_eq!(Value::from(3_u8).as_u64(), Some(3));
    assert_eq!(Value::from(-3_i8).as_u64(), None);
    assert_eq!(Value::from(u128::MAX).as_i64(), None);
    assert_eq!(Value::from(0.5_f32).as_f64(), Some(0.5));
    assert_eq!(Value::from(3_u8).as_str(), None);
    assert_eq!((Value::from(true).as_bool(), Value::from(false).as_bool()), (Some(true), Some(false)));
    assert_eq!((Value::from("true").as_bool(), Value::from(1_u8).as_bool()), (None, None));
    assert_eq!((Value::from(-0.25).as_f64(), Value::from(1_u8).as_f64()), (Some(-0.25), None));
    // Integers of any width.
    let integers = [
        Value::from(7_i8),
        7_i16.into(),
        7_i32.into(),
        7_i64.into(),
        7_i128.into(),
        7_u8.into(),
        7_u16.into(),
        7_u32.into(),
        7_u64.into(),
        7_u128.into(),
    ];
    assert!(integers.iter().all(|value| (value.as_i64(), value.as_u64()) == (Some(7), Some(7))));
    assert_eq!((Value::from(u64::MAX).as_i64(), Value::from(i128::MIN).as_i64()), (None, None));
    assert_eq!((Value::from(0.5).as_i64(), Value::from("7").as_u64()), (None, None));
    assert_eq!((Value::from("a").get("a"), Value::Map(Vec::new()).get("a")), (None, None));
    assert_eq!(Value::from(vec![1_u8]), Value::Bytes(vec![1]));
    assert_eq!(Value::default(), ().into());
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Inner {
    name: String,
    sizes: Vec<u16>,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Entry {
    expires_at: u64,
    value: Value,
}

/// A value of any type in a struct of your own.
#[test]
fn an_encoded_value_is_decoded_from_within_another_one() -> Result<(), Error> {
    let inner = Inner { name: "x".to_owned(), sizes: vec![1, 2] };
    for value in [Value::encode(&inner)?, Value::encode("text")?, Value::encode(&vec![1_u8])?, Value::encode(&7_u64)?] {
        let entry = Entry { expires_at: 1, value };
        assert_eq!(Value::encode(&entry)?.decode::<Entry>()?, entry);
    }
    let entry = Value::encode(&Entry { expires_at: 1, value: Value::encode(&inner)? })?.decode::<Entry>()?;
    assert_eq!(entry.value.decode::<Inner>()?, inner);
    assert_eq!(Value::encode("text")?, Value::Str("text".to_owned()));
    assert!(matches!(entry.value.decode::<u8>(), Err(Error::WrongType { .. })));
    Ok(())
}
