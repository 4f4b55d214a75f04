//! Decodes arbitrary bytes and changed values as every type that could misbehave: no panic, no memory beyond a small
//! multiple of the bytes, and what decodes is the same once it has been written and read again.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Debug;

use proptest::collection::vec;
use proptest::prelude::*;
use redis_hashmap::Kind;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bincode_too::{bincode, is_decoded};
use crate::measured::read;
use crate::mutation::mutated;
use crate::run::{run, seed};
use crate::shapes::{Borrowed, Shapes, Variant, shapes, telling, variant};
use crate::stored::{decode, encode, try_encode_any, try_encode_typed};
use crate::wide::Wide;

/// Reads the bytes as a `T`. If they are one, it is the same after it has been written and read again.
pub(crate) fn round_trips<T>(bytes: &[u8]) -> Option<T>
where
    T: Serialize + DeserializeOwned + Send + PartialEq + Debug + 'static,
{
    let value = read::<T>(bytes).ok()?;
    let written = encode(&value);
    if written.first() == bytes.first() {
        assert_eq!(written.len(), bytes.len(), "{value:?}");
        assert_eq!(written.get(..5), bytes.get(..5), "{value:?}");
    } else {
        // A number of another width, or a char as text.
        let kind = bytes.first().and_then(|byte| Kind::from_byte(*byte)).expect("a kind");
        assert!(kind == Kind::Char || (Kind::I8..=Kind::F64).contains(&kind), "{kind} as {value:?}");
    }
    // In debug builds it is read back, and compared with what it was.
    try_encode_typed(&value).unwrap();
    let again = read::<T>(&written).unwrap();
    // A NaN is not equal to itself, and a hash map has no order.
    assert!(encode(&again) == written || again == value, "{again:?} != {value:?}");
    Some(value)
}

/// True if it is a value of one of the types.
pub(crate) fn check(bytes: &[u8]) -> bool {
    let mut is_valid = round_trips::<Wide>(bytes).is_some();
    macro_rules! as_each_of {
        ($($type:ty),* $(,)?) => { $(is_valid |= round_trips::<$type>(bytes).is_some();)* };
    }
    as_each_of!(
        (), bool, i8, i16, i32, i64, i128, u8, u16, u32, u64, u128, f32, f64, char, String, serde_bytes::ByteBuf,
        Option<Box<str>>, Variant, Vec<Variant>, Vec<()>, Vec<Vec<()>>, [u8; 3], (u128, char, bool),
        HashMap<String, Vec<u8>>, HashSet<u64>, BTreeMap<u8, Option<Variant>>, BTreeSet<String>,
        Result<std::time::Duration, std::net::IpAddr>, std::time::SystemTime, std::num::NonZeroI16,
    );
    let shapes = round_trips::<Shapes>(bytes).or_else(|| {
        // Only its digest is wrong, as it always is after a change: once more, with the right one.
        let payload = bytes.get(5..).filter(|_| is_decoded(&decode::<Shapes>(bytes)))?;
        let header = encode(&bincode::<Shapes>(payload)?)[..5].to_vec();
        round_trips::<Shapes>(&[&header, payload].concat())
    });
    if let Some(shapes) = &shapes {
        let borrowed = Borrowed::from(shapes);
        assert_eq!(encode(&borrowed), encode(shapes));
        assert_eq!(try_encode_any(shapes).unwrap(), encode(shapes));
    }
    is_valid || shapes.is_some()
}

#[test]
fn bytes_are_decoded_or_refused() {
    let payload = (0x80..=0x98_u8, vec(any::<u8>(), 0..40)).prop_map(|(kind, rest)| [&[kind][..], &rest].concat());
    let valid = prop_oneof![
        4 => shapes().prop_map(|value| encode(&value)),
        1 => variant().prop_map(|value| encode(&value)),
        2 => seed("decode"),
        1 => payload,
    ];
    run("decode", 1500, mutated(valid, telling()), check);
}
