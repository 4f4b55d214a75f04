//! A number that was stored at one width is read at any other that holds it.

use std::num::NonZeroU64;

use redis_hashmap::{Error, Kind};

use crate::stored::{decode, encode};

/// Reads numbers of one type as all others: each fits, or the error says that it does not.
macro_rules! integers_read_as_each_other {
    ($($stored:ident)*) => {
        $({
            let limits = [0, 1, 127, 128, 250, 251, 255, <$stored>::MIN, <$stored>::MAX, <$stored>::MAX - 1, <$stored>::MAX / 2];
            for number in limits {
                let bytes = encode(&number);
                integers_read_as_each_other!(@read number, bytes, $stored: i8 i16 i32 i64 i128 u8 u16 u32 u64 u128);
            }
        })*
    };
    (@read $number:ident, $bytes:ident, $stored:ident: $($asked:ident)*) => {
        $(match <$asked>::try_from($number) {
            Ok(expected) => assert_eq!(decode::<$asked>(&$bytes).unwrap(), expected, stringify!($stored as $asked)),
            Err(_) => match decode::<$asked>(&$bytes).unwrap_err() {
                Error::OutOfRange { asked, stored, .. } => {
                    assert_eq!((asked, stored.name()), (stringify!($asked), stringify!($stored)));
                }
                other => panic!("{other}"),
            },
        })*
    };
}

#[test]
#[allow(overflowing_literals, clippy::unnecessary_fallible_conversions, clippy::useless_conversion)]
fn an_integer_is_read_at_any_width_that_holds_it() {
    integers_read_as_each_other! { i16 i32 i64 i128 u8 u16 u32 u64 u128 }
    assert_eq!(
        decode::<u64>(&encode(&-1_i8)).unwrap_err().to_string(),
        concat!(
            "field \"field\" of hash \"key\" holds a number of kind i8 that a `u64` cannot hold exactly: read it as a wider type, ",
            "such as the one it was written with"
        )
    );
    assert_eq!(decode::<i64>(&encode(&-1_i8)).unwrap(), -1);
}

#[test]
fn a_float_is_read_only_where_it_is_exact() {
    assert_eq!(decode::<f64>(&encode(&1.5_f32)).unwrap().to_bits(), 1.5_f64.to_bits());
    assert_eq!(decode::<f32>(&encode(&1.5_f64)).unwrap().to_bits(), 1.5_f32.to_bits());
    assert!(decode::<f32>(&encode(&f64::NAN)).unwrap().is_nan());
    assert_eq!(decode::<f32>(&encode(&f64::NEG_INFINITY)).unwrap().to_bits(), f32::NEG_INFINITY.to_bits());
    assert_eq!(decode::<f32>(&encode(&-0.0_f64)).unwrap().to_bits(), (-0.0_f32).to_bits());
    assert_eq!(decode::<f64>(&encode(&(1_u64 << 53))).unwrap().to_bits(), 9_007_199_254_740_992_f64.to_bits());
    assert_eq!(decode::<f64>(&encode(&i128::MIN)).unwrap().to_bits(), (-(2_f64.powi(127))).to_bits());
    assert_eq!(decode::<f32>(&encode(&-3_i8)).unwrap().to_bits(), (-3_f32).to_bits());
    for inexact in [encode(&((1_u64 << 53) + 1)), encode(&i128::MAX), encode(&u128::MAX), encode(&(i64::MIN + 1))] {
        assert!(matches!(decode::<f64>(&inexact), Err(Error::OutOfRange { asked: "f64", .. })));
    }
    for inexact in [encode(&0.1_f64), encode(&f64::MAX), encode(&((1_u32 << 24) + 1))] {
        assert!(matches!(decode::<f32>(&inexact), Err(Error::OutOfRange { asked: "f32", .. })));
    }
}

/// What serde does not take for a type, is not read.
#[test]
fn nothing_else_is_read_as_what_it_is_not() {
    fn refused<T: serde::Serialize + serde::de::DeserializeOwned + std::fmt::Debug + Send + 'static>(bytes: &[u8]) {
        let error = decode::<T>(bytes).unwrap_err();
        assert!(matches!(error, Error::WrongType { .. }), "{error}");
    }
    refused::<u8>(&encode(&true));
    refused::<bool>(&encode(&1_u8));
    refused::<u32>(&encode(&1.0_f64));
    refused::<u32>(&encode("1"));
    refused::<u32>(&encode(&'1'));
    refused::<String>(&encode(&1_u32));
    refused::<char>(&encode("1"));
    refused::<f64>(&encode("1"));
    refused::<f64>(&encode(&()));
    refused::<()>(&encode(&0_u8));
    refused::<NonZeroU64>(&encode(&0_u8));
    refused::<std::time::Duration>(&encode(&1_u64));
    refused::<Vec<u8>>(&encode(&1_u8));
    refused::<(u8,)>(&encode(&1_u8));
    assert_eq!(decode::<NonZeroU64>(&encode(&7_u8)).unwrap().get(), 7);
    assert_eq!(decode::<String>(&encode(&'大')).unwrap(), "大");
    assert_eq!(decode::<Option<u64>>(&encode(&7_u8)).unwrap(), Some(7));
}

/// The bytes of a scalar of another kind are checked as those of its own are.
#[test]
fn damaged_numbers_are_refused() {
    for bytes in [
        vec![Kind::U32.byte()],
        vec![Kind::U32.byte(), 251, 1, 0],       // not the shortest form
        vec![Kind::U16.byte(), 252, 0, 0, 1, 0], // more than a u16
        vec![Kind::U32.byte(), 1, 1],            // bytes behind it
        vec![Kind::U32.byte(), 255],
        vec![Kind::F32.byte(), 0, 0, 0],
        vec![Kind::I16.byte(), 253, 1, 2, 3],
        vec![Kind::Char.byte(), 0xff],
    ] {
        assert!(decode::<u64>(&bytes).is_err() && decode::<f64>(&bytes).is_err(), "{bytes:?}");
    }
}
