//! How deep a value nests.

use std::collections::BTreeMap;

use redis_hashmap::Error;
use serde::{Deserialize, Serialize};

use crate::stored::{decode, encode, try_encode};

/// Only what nests is deep, and not what comes one after the other.
#[test]
fn many_siblings_are_not_deep() {
    #[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
    enum Each {
        Unit,
        One(u8),
        Two(u8, u8),
        Named { a: u8 },
        Value(redis_hashmap::Value),
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
    struct All {
        some: Option<u8>,
        tuple: (u8, u8),
        map: BTreeMap<u8, u8>,
        seq: Vec<u8>,
        value: redis_hashmap::Value,
        each: Vec<Each>,
    }
    let value = redis_hashmap::Value::from("text");
    let each = vec![Each::Unit, Each::One(1), Each::Two(1, 2), Each::Named { a: 1 }, Each::Value(value.clone())];
    let all = All { some: Some(1), tuple: (1, 2), map: BTreeMap::from([(1, 2)]), seq: vec![1], value, each };
    let many = vec![all; 300];
    assert_eq!(decode::<Vec<All>>(&encode(&many)).unwrap(), many);
    // Each of them alone, since a mistake in one could make up for one in another.
    let (some, unit, one) = (vec![Some(1_u8); 300], vec![Each::Unit; 300], vec![Each::One(1); 300]);
    assert_eq!(decode::<Vec<Option<u8>>>(&encode(&some)).unwrap(), some);
    assert_eq!(decode::<Vec<Each>>(&encode(&unit)).unwrap(), unit);
    assert_eq!(decode::<Vec<Each>>(&encode(&one)).unwrap(), one);
    let values = vec![redis_hashmap::Value::U8(1); 300];
    assert_eq!(decode::<Vec<redis_hashmap::Value>>(&encode(&values)).unwrap(), values);
    let maps = vec![BTreeMap::from([(1_u8, vec![1_u8])]); 300];
    assert_eq!(decode::<Vec<BTreeMap<u8, Vec<u8>>>>(&encode(&maps)).unwrap(), maps);
}

/// The framing of a `Value` is not a level, and does not make room for more of them.
#[test]
fn values_do_not_make_room_for_deeper_ones() {
    #[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
    struct Nest(Vec<Nest>);
    let nest = |levels| (1..levels).fold(Nest(Vec::new()), |inner, _| Nest(vec![inner]));
    let with_values = |levels| (vec![redis_hashmap::Value::U8(1); 300], nest(levels));
    // The tuple is a level, too.
    assert_eq!(decode::<(Vec<redis_hashmap::Value>, Nest)>(&encode(&with_values(127))).unwrap(), with_values(127));
    assert!(matches!(try_encode(&with_values(128)), Err(Error::Refused { .. })));
}
