//! A type that holds everything in serde's data model, and a strategy for any value of it.

use std::collections::{BTreeMap, HashMap};

use proptest::collection::{btree_map, hash_map, vec};
use proptest::option;
use proptest::prelude::*;
use redis_hashmap::Value;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
pub(crate) struct Wide {
    pub(crate) scalars: Scalars,
    pub(crate) texts: (String, char, Newtype),
    pub(crate) list: Vec<Node>,
    pub(crate) map: HashMap<String, Option<Node>>,
    pub(crate) ordered: BTreeMap<i32, Vec<Option<u16>>>,
    pub(crate) units: Vec<()>,
    pub(crate) dynamic: Value,
    pub(crate) boxed: Option<Box<Wide>>,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
pub(crate) struct Scalars(bool, i8, i16, i32, i64, i128, u8, u16, u32, u64, u128, [u8; 3]);

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[expect(clippy::option_option, reason = "it has to work")]
pub(crate) struct Newtype(Option<Option<f64>>);

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Leaf,
    Bytes(#[serde(with = "serde_bytes")] Vec<u8>),
    Pair(u64, String),
    Branch { left: Option<Box<Node>>, right: Vec<Node> },
}

pub(crate) fn node() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        Just(Node::Leaf),
        vec(any::<u8>(), 0..300).prop_map(Node::Bytes),
        (any::<u64>(), any::<String>()).prop_map(|(number, text)| Node::Pair(number, text)),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        (option::of(inner.clone()), vec(inner, 0..4))
            .prop_map(|(left, right)| Node::Branch { left: left.map(Box::new), right })
    })
}

pub(crate) fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Unit),
        any::<bool>().prop_map(Value::Bool),
        any::<i16>().prop_map(Value::I16),
        any::<i128>().prop_map(Value::I128),
        any::<u8>().prop_map(Value::U8),
        any::<u64>().prop_map(Value::U64),
        proptest::num::f32::NORMAL.prop_map(Value::F32),
        proptest::num::f64::NORMAL.prop_map(Value::F64),
        any::<char>().prop_map(Value::Char),
        any::<String>().prop_map(Value::Str),
        vec(any::<u8>(), 0..300).prop_map(Value::Bytes),
    ];
    scalar.prop_recursive(5, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::Seq),
            vec((inner.clone(), inner), 0..6).prop_map(Value::Map),
        ]
    })
}

fn scalars() -> impl Strategy<Value = Scalars> {
    let signed = (any::<bool>(), any::<i8>(), any::<i16>(), any::<i32>(), any::<i64>(), any::<i128>());
    let unsigned = (any::<u8>(), any::<u16>(), any::<u32>(), any::<u64>(), any::<u128>(), any::<[u8; 3]>());
    (signed, unsigned).prop_map(|((a, b, c, d, e, f), (g, h, i, j, k, l))| Scalars(a, b, c, d, e, f, g, h, i, j, k, l))
}

fn flat() -> impl Strategy<Value = Wide> {
    let float = option::of(option::of(proptest::num::f64::NORMAL)).prop_map(Newtype);
    (
        scalars(),
        (any::<String>(), any::<char>(), float),
        vec(node(), 0..4),
        hash_map(any::<String>(), option::of(node()), 0..6),
        btree_map(any::<i32>(), vec(option::of(any::<u16>()), 0..5), 0..5),
        vec(Just(()), 0..5),
        value(),
    )
        .prop_map(|(scalars, texts, list, map, ordered, units, dynamic)| Wide {
            scalars,
            texts,
            list,
            map,
            ordered,
            units,
            dynamic,
            boxed: None,
        })
}

pub(crate) fn wide() -> impl Strategy<Value = Wide> {
    (flat(), option::of(flat())).prop_map(|(mut wide, inner)| {
        wide.boxed = inner.map(Box::new);
        wide
    })
}
