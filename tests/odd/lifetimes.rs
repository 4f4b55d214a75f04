//! Lifetimes in bounds and in the types of skipped fields, with the names that generated code could have.

#![allow(single_use_lifetimes, reason = "odd bounds")]

use std::marker::PhantomData;
use std::ops::Add;

use redis_hashmap::{RedisHash, open};
use serde::de::Deserialize;

use crate::Test;

fn five<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    u8::deserialize(deserializer).map(|value| value.min(5))
}

/// A struct with each lifetime in its bounds and types.
macro_rules! lifetimes {
    ($($test:ident $lifetime:lifetime)*) => {$(
        #[test]
        fn $test() -> Test {
            #[derive(RedisHash)]
            struct Odd<T: 'static>
            where
                for<$lifetime> &$lifetime T: Add<&$lifetime T, Output = T>,
                T: for<$lifetime> Deserialize<$lifetime> + Copy,
                for<$lifetime> fn(&$lifetime T): Copy,
            {
                value: T,
                #[redis_hash(skip)]
                of_static: PhantomData<&'static T>,
                #[redis_hash(skip, default = |text| text)]
                pointer: for<$lifetime> fn(&$lifetime str) -> &$lifetime str,
                #[redis_hash(skip, default = Box::new(|_, text| text))]
                dynamic: Box<dyn for<$lifetime> Fn(T, &$lifetime str) -> &$lifetime str + Send + Sync>,
                #[redis_hash(default)]
                marker: PhantomData<dyn for<$lifetime> Fn(&$lifetime str) + Send + Sync>,
            }
            #[derive(RedisHash, serde::Serialize)]
            struct Converted<T: 'static>
            where
                for<$lifetime> &$lifetime T: Add<&$lifetime T, Output = T>,
            {
                value: T,
                #[serde(deserialize_with = "five")]
                small: u8,
            }
            let mut con = open("memory:")?;
            let record = Odd::<u8>::at("odd").on(&mut con);
            record.value().set(&2)?;
            let read = record.get_all()?.ok_or("stored")?;
            assert_eq!(((read.pointer)("a"), (read.dynamic)(1, "b"), &read.value + &1), ("a", "b", 3));
            assert_eq!(read.of_static, PhantomData);
            assert_eq!(read.marker, PhantomData);
            let record = Converted::<u8>::at("converted").on(&mut con);
            record.patch(&serde_json::from_str(r#"{"value": 3, "small": 8}"#)?)?;
            let read = record.get_all()?.ok_or("stored")?;
            assert_eq!((read.value, read.small), (3, 5));
            Ok(())
        }
    )*};
}

mod shown {
    use std::fmt::{Debug, Display};
    use std::str::FromStr;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Debug>,
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer)?.parse().map_err(|error| D::Error::custom(format!("{error:?}")))
    }
}

/// What serde's `bound` says holds for patches and partial records too.
#[derive(RedisHash, serde::Serialize, serde::Deserialize, Debug, PartialEq)]
#[serde(bound(deserialize = "T: std::str::FromStr + Deserialize<'de>, T::Err: std::fmt::Debug"))]
struct Bounded<T, U> {
    #[serde(with = "shown", bound(serialize = "T: std::fmt::Display"))]
    value: T,
    #[serde(
        with = "shown",
        bound(serialize = "U: std::fmt::Display", deserialize = "U: std::str::FromStr<Err: std::fmt::Debug>")
    )]
    other: U,
    plain: u8,
}

#[test]
fn bounds_of_serde_are_repeated() -> Test {
    let partial: BoundedPartial<u8, u16> = serde_json::from_str(r#"{"value": "7", "plain": 1}"#)?;
    assert_eq!((partial.value, partial.other, partial.plain), (Some(7), None, Some(1)));
    assert_eq!(serde_json::to_string(&partial)?, r#"{"value":"7","plain":1}"#);
    Ok(())
}

lifetimes! { a 'a de 'de under_de '__de under_any '__any under_value '__de_value }
