//! Values whose type is known at run time only: any bytes are one or are refused, and what is one reads back as itself.

use std::collections::BTreeMap;

use proptest::prelude::*;
use redis_hashmap::Value;

use crate::decode::round_trips;
use crate::mutation::mutated;
use crate::run::{run, seed};
use crate::shapes::{Shapes, Variant, shapes, telling, variant};
use crate::stored::{decode, encode, try_encode_any};
use crate::wide::value;

pub(crate) fn check(bytes: &[u8]) -> bool {
    let _ = round_trips::<Vec<Value>>(bytes);
    let _ = round_trips::<BTreeMap<String, Value>>(bytes);
    let _ = round_trips::<(Value, Option<Value>)>(bytes);
    let value = round_trips::<Value>(bytes);
    if let Some(value) = &value {
        // It loses nothing: unlike a map of Rust's, it keeps the order of its entries.
        assert_eq!(encode(value), bytes);
        assert_eq!(try_encode_any(value).unwrap(), bytes);
        assert_eq!(encode(&Value::encode(value).unwrap()), bytes);
        // It is read as another type exactly where the stored bytes are.
        let (of_value, of_bytes) = (value.decode::<Shapes>(), decode::<Shapes>(bytes));
        assert_eq!(of_value.is_ok(), of_bytes.is_ok(), "{:?} {:?}", of_value.err(), of_bytes.err());
        assert_eq!(value.decode::<Variant>().ok(), decode::<Variant>(bytes).ok());
        assert_eq!(value.decode::<String>().ok(), decode::<String>(bytes).ok());
        assert_eq!(value.decode::<u64>().ok(), decode::<u64>(bytes).ok());
    }
    is_json(bytes);
    value.is_some()
}

/// Any JSON document is a value, which is stored and is that document again.
fn is_json(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return };
    // JSON can nest a little deeper than what is stored.
    let Ok(value) = Value::encode(&value) else { return };
    let text = serde_json::to_string(&value).unwrap();
    let again: Value = serde_json::from_str(&text).unwrap();
    // serde_json does not read every last bit of a float.
    assert_eq!(encode(&again).len(), encode(&value).len(), "{text}");
    assert_eq!(again.kind(), value.kind(), "{text}");
}

fn json() -> impl Strategy<Value = Vec<u8>> {
    let scalar = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        "[a-zß大\"\\\\]{0,5}".prop_map(Into::into),
    ];
    let document = scalar.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::Array),
            proptest::collection::vec(("[a-c]{0,2}", inner), 0..4)
                .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
        ]
    });
    document.prop_map(|document| document.to_string().into_bytes())
}

#[test]
fn values_of_any_kind_read_back() {
    let valid = prop_oneof![
        4 => value().prop_map(|value| encode(&value)),
        1 => shapes().prop_map(|value| encode(&value)),
        1 => variant().prop_map(|value| encode(&Value::Seq(vec![Value::encode(&value).unwrap(), Value::Unit]))),
        2 => seed("value"),
        2 => json(),
    ];
    run("value", 2000, mutated(valid, telling()), check);
}
