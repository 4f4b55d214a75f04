//! The same payload through this crate's Deserializer and through bincode's: both take it or both refuse it, and what they
//! make of it is equal.

use proptest::prelude::*;
use redis_hashmap::Error;
use serde::de::DeserializeOwned;

use crate::mutation::mutated;
use crate::run::{run, seed};
use crate::shapes::{Shapes, shapes, telling};
use crate::stored::{decode, encode};

/// Decodes with bincode, all of it. The limit keeps it from aborting on a length that is a lie.
pub(crate) fn bincode<T: DeserializeOwned>(payload: &[u8]) -> Option<T> {
    let config = bincode::config::standard().with_limit::<{ 1 << 20 }>();
    let (value, len) = bincode::serde::decode_from_slice(payload, config).ok()?;
    (len == payload.len()).then_some(value)
}

/// True if it is a value, or its payload is and only what its header and its length promise is not: docs/format.md says
/// what a reader checks besides.
pub(crate) fn is_decoded<T>(result: &Result<T, Error>) -> bool {
    match result {
        Ok(_) => true,
        Err(Error::OtherShape { .. }) => says(result, "its digest differs") || says(result, "another length"),
        Err(_) => false,
    }
}

fn says<T>(result: &Result<T, Error>, text: &str) -> bool {
    result.as_ref().is_err_and(|error| error.to_string().contains(text))
}

pub(crate) fn check(payload: &[u8]) -> bool {
    // Nobody knows the digest before the value is known.
    let ours = decode::<Shapes>(&[&[0x94, 1, 2, 3, 4], payload].concat());
    if says(&ours, "deeper than 128") {
        return false; // bincode has no limit but the stack
    }
    let Some(theirs) = bincode::<Shapes>(payload) else {
        assert!(!is_decoded(&ours), "bincode refuses what is decoded: {:?}", ours.map(|_| ()));
        return false;
    };
    assert!(is_decoded(&ours), "bincode decodes what is refused: {:?}", ours.map(|_| ()));
    let written = encode(&theirs);
    let ours = decode::<Shapes>(&[&written[..5], payload].concat());
    if written.len() == payload.len() + 5 {
        assert_eq!(encode(&ours.unwrap()), written);
        true
    } else {
        // A number that is longer than need be, or an element that is there twice.
        assert!(says(&ours, "another length") || says(&ours, "its digest differs"), "{:?}", ours.map(|_| ()));
        false
    }
}

#[test]
fn payloads_are_what_bincode_makes_of_them() {
    let valid = prop_oneof![4 => shapes().prop_map(|value| encode(&value)[5..].to_vec()), 1 => seed("bincode")];
    run("bincode", 3000, mutated(valid, telling()), check);
}
