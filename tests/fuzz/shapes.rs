//! A type that holds every shape that can be stored, its borrowed form, and any value of it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use redis_hashmap::Value;
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteBuf, Bytes};

/// Its maps and sets have an order, so that equal values are equal bytes; NaN is not equal to itself.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[expect(clippy::option_option, reason = "it has to work")]
pub(crate) struct Shapes {
    signed: Signed,
    unsigned: (u8, u16, u32, u64, u128, usize),
    floats: [f64; 2],
    single: f32,
    flag: bool,
    letter: char,
    unit: ((), Unit),
    text: Newtype,
    bytes: ByteBuf,
    option: Option<Option<u8>>,
    array: [u16; 3],
    list: Vec<Variant>,
    map: BTreeMap<String, Vec<Option<Variant>>>,
    by_tuple: BTreeMap<(u8, i8), char>,
    set: BTreeSet<i32>,
    dynamic: Value,
    inner: Option<Box<Shapes>>,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Signed(i8, i16, i32, i64, i128, isize);

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Unit;

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Newtype(String);

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
pub(crate) enum Variant {
    Unit,
    Newtype(u64),
    Nested(Box<Variant>),
    Tuple(i8, String),
    Struct { a: Option<char>, b: Box<[Variant]> },
}

/// [`Shapes`], borrowed where it can be. It is stored as the same bytes.
#[derive(Serialize)]
#[expect(clippy::option_option, reason = "it has to work")]
pub(crate) struct Borrowed<'a> {
    signed: &'a Signed,
    unsigned: &'a (u8, u16, u32, u64, u128, usize),
    floats: &'a [f64; 2],
    single: f32,
    flag: bool,
    letter: char,
    unit: &'a ((), Unit),
    text: Cow<'a, str>,
    bytes: &'a Bytes,
    option: &'a Option<Option<u8>>,
    array: &'a [u16; 3],
    list: &'a [Variant],
    map: BTreeMap<&'a str, &'a [Option<Variant>]>,
    by_tuple: &'a BTreeMap<(u8, i8), char>,
    set: BTreeSet<&'a i32>,
    dynamic: &'a Value,
    inner: Option<&'a Shapes>,
}

impl<'a> From<&'a Shapes> for Borrowed<'a> {
    fn from(shapes: &'a Shapes) -> Self {
        Self {
            signed: &shapes.signed,
            unsigned: &shapes.unsigned,
            floats: &shapes.floats,
            single: shapes.single,
            flag: shapes.flag,
            letter: shapes.letter,
            unit: &shapes.unit,
            text: Cow::Borrowed(&shapes.text.0),
            bytes: Bytes::new(&shapes.bytes),
            option: &shapes.option,
            array: &shapes.array,
            list: &shapes.list,
            map: shapes.map.iter().map(|(key, list)| (&**key, &**list)).collect(),
            by_tuple: &shapes.by_tuple,
            set: shapes.set.iter().collect(),
            dynamic: &shapes.dynamic,
            inner: shapes.inner.as_deref(),
        }
    }
}

/// Bytes that the format reads as lengths, numbers and kinds.
pub(crate) fn telling() -> impl Strategy<Value = Vec<u8>> {
    let number = |mark: u8, len: usize| {
        vec(prop_oneof![Just(0), Just(255), any::<u8>()], len).prop_map(move |rest| [&[mark][..], &rest].concat())
    };
    prop_oneof![
        3 => vec(prop_oneof![0..4_u8, 0xf9..=0xff_u8, 0x80..=0x98_u8], 1..4),
        1 => number(0xfb, 2),
        1 => number(0xfc, 4),
        1 => number(0xfd, 8),
        1 => number(0xfe, 16),
        1 => (1..200_usize, 0..3_u8).prop_map(|(count, byte)| vec![byte; count]),
        1 => (1..100_usize).prop_map(|count| [0x91, 1].repeat(count)),
    ]
}

pub(crate) fn variant() -> impl Strategy<Value = Variant> {
    let leaf = prop_oneof![
        Just(Variant::Unit),
        any::<u64>().prop_map(Variant::Newtype),
        (any::<i8>(), "[a-zß大]{0,4}").prop_map(|(number, text)| Variant::Tuple(number, text)),
    ];
    leaf.prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Variant::Nested(Box::new(inner))),
            (option::of(any::<char>()), vec(inner, 0..3))
                .prop_map(|(a, b)| Variant::Struct { a, b: b.into_boxed_slice() }),
        ]
    })
}

/// Numbers of all lengths.
fn wide<T: TryFrom<i128> + std::fmt::Debug + Default + Clone + 'static>() -> impl Strategy<Value = T> {
    (any::<i128>(), 0..128_u32).prop_map(|(number, shift)| T::try_from(number >> shift).unwrap_or_default())
}

fn flat() -> impl Strategy<Value = Shapes> {
    let signed = (wide(), wide(), wide(), wide(), wide(), wide());
    let unsigned = (wide(), wide(), wide(), wide(), any::<u128>(), wide());
    let floats = (any::<[f64; 2]>(), any::<f32>());
    let texts = ("[a-zß大]{0,6}", vec(any::<u8>(), 0..6), any::<char>(), any::<bool>());
    let options = (option::of(option::of(any::<u8>())), any::<[u16; 3]>());
    let map = btree_map("[a-c]{0,2}", vec(option::of(variant()), 0..3), 0..3);
    let maps = (map, btree_map(any::<(u8, i8)>(), any::<char>(), 0..3), btree_set(any::<i32>(), 0..4));
    (signed, unsigned, floats, texts, options, vec(variant(), 0..4), maps, crate::wide::value()).prop_map(
        |(signed, unsigned, floats, texts, options, list, maps, dynamic)| Shapes {
            signed: Signed(signed.0, signed.1, signed.2, signed.3, signed.4, signed.5),
            unsigned,
            floats: floats.0,
            single: floats.1,
            flag: texts.3,
            letter: texts.2,
            unit: ((), Unit),
            text: Newtype(texts.0),
            bytes: ByteBuf::from(texts.1),
            option: options.0,
            array: options.1,
            list,
            map: maps.0,
            by_tuple: maps.1,
            set: maps.2,
            dynamic,
            inner: None,
        },
    )
}

pub(crate) fn shapes() -> impl Strategy<Value = Shapes> {
    (flat(), option::weighted(0.2, flat())).prop_map(|(mut shapes, inner)| {
        shapes.inner = inner.map(Box::new);
        shapes
    })
}
