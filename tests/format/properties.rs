//! Properties of the format. `tests/run --long` runs them with many more cases.

use proptest::prelude::*;
use redis_hashmap::Value;

use crate::stored::{decode, encode, try_encode_typed};
use crate::wide::{Node, Wide, value, wide};

/// The payload alone, as bincode writes it.
fn bincode_of<T: serde::Serialize>(value: &T) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, bincode::config::standard()).unwrap()
}

proptest! {
    #[test]
    fn any_value_round_trips(value in wide()) {
        let stored = try_encode_typed(&value).unwrap();
        prop_assert_eq!(&decode::<Wide>(&stored).unwrap(), &value);
    }

    /// What bincode writes follows the header, and our Deserializer reads what bincode reads.
    #[test]
    fn the_payload_is_bincode(value in wide()) {
        let stored = encode(&value);
        prop_assert_eq!(&stored[5..], &bincode_of(&value));
        let (read, len) =
            bincode::serde::decode_from_slice::<Wide, _>(&stored[5..], bincode::config::standard()).unwrap();
        prop_assert_eq!(len, stored.len() - 5);
        prop_assert_eq!(read, decode::<Wide>(&stored).unwrap());
    }

    #[test]
    fn any_dynamic_value_round_trips(value in value()) {
        let stored = encode(&value);
        prop_assert_eq!(&decode::<Value>(&stored).unwrap(), &value);
    }

    /// A map whose entries come in another order has its bytes in another order, and an equal digest.
    #[test]
    fn the_digest_does_not_depend_on_the_order_of_a_map(
        entries in proptest::collection::vec((any::<u32>(), proptest::option::of(any::<u16>())), 0..20)
    ) {
        let as_map = |entries: &[(u32, Option<u16>)]| Value::Map(
            entries.iter().map(|(key, value)| ((*key).into(), value.map_or(Value::Unit, Value::U16))).collect(),
        );
        let mut reversed = entries.clone();
        reversed.reverse();
        let forth: std::collections::HashMap<_, _> = entries.iter().copied().collect();
        let back: std::collections::BTreeMap<_, _> = reversed.iter().rev().copied().collect();
        prop_assert_eq!(&encode(&forth)[..5], &encode(&back)[..5]);
        prop_assert_eq!(encode(&as_map(&entries)).len(), encode(&as_map(&reversed)).len());
    }

    #[test]
    fn every_scalar_round_trips(a in any::<i128>(), b in any::<u128>(), c in any::<i64>(), d in any::<u64>(),
                                e in any::<char>(), f in any::<String>()) {
        prop_assert_eq!(decode::<i128>(&encode(&a)).unwrap(), a);
        prop_assert_eq!(decode::<u128>(&encode(&b)).unwrap(), b);
        prop_assert_eq!(decode::<i64>(&encode(&c)).unwrap(), c);
        prop_assert_eq!(decode::<u64>(&encode(&d)).unwrap(), d);
        prop_assert_eq!(decode::<char>(&encode(&e)).unwrap(), e);
        prop_assert_eq!(decode::<String>(&encode(&f)).unwrap(), f);
    }

    /// A truncated, extended or bit-flipped value is an error or a value of the same shape, never a panic.
    #[test]
    fn a_damaged_value_never_reads_as_another_shape(value in wide(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let stored = encode(&value);
        prop_assert!(decode::<Wide>(&stored[..at.index(stored.len())]).is_err());
        let mut extended = stored.clone();
        extended.push(bit);
        prop_assert!(decode::<Wide>(&extended).is_err());
        let mut flipped = stored;
        flipped[at.index(extended.len() - 1)] ^= 1 << bit;
        if let Ok(read) = decode::<Wide>(&flipped) {
            prop_assert_eq!(encode(&read).len(), flipped.len());
            prop_assert_eq!(&encode(&read)[..5], &flipped[..5]);
        }
        let _ = decode::<Value>(&flipped);
        let _ = decode::<Node>(&flipped);
    }
}
