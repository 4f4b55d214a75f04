//! Maps of one type of key and one type of value, and what only maps do.

use std::fmt;
use std::str::FromStr;

use redis_hashmap::{Error, HashMap, Value};
use redis_hashmap_tests::{AnyError, key, server};

type Test = Result<(), AnyError>;

/// A key of your own: any type with `Display` and `FromStr`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct UserId(u32);

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "user-{}", self.0)
    }
}

impl FromStr for UserId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        text.strip_prefix("user-").and_then(|id| id.parse().ok()).map(Self).ok_or(())
    }
}

#[test]
fn keys_of_ones_own_type() -> Test {
    let (key, mut con) = (key(), server()?);
    let map = HashMap::<UserId, Vec<u8>>::typed(&*key).on(&mut con);
    map.set(&UserId(7), &[1, 2][..])?;
    assert_eq!(map.get(&UserId(7))?, Some(vec![1, 2]));
    assert_eq!(map.get_fields()?, [UserId(7)]);
    assert_eq!(map.get_all()?, [(UserId(7), vec![1, 2])].into());
    assert!(map.exists(&UserId(7))? && map.delete(&UserId(7))?);
    assert_eq!(map.key(), &*key);
    Ok(())
}

#[test]
fn values_of_one_type_are_checked() -> Test {
    let (key, mut con) = (key(), server()?);
    HashMap::new(&*key).on(&mut con).set("user-1", "a text")?;
    let map = HashMap::<UserId, u64>::typed(&*key).on(&mut con);
    for error in [map.get(&UserId(1)).unwrap_err(), map.get_all().unwrap_err()] {
        assert!(matches!(error, Error::WrongType { .. }), "{error}");
        assert_eq!(error.place().and_then(|place| place.field()), Some("user-1"));
    }
    Ok(())
}

/// `get` would not find a name that the key type does not write: the error names it, and no entry is dropped silently.
#[test]
fn names_that_are_no_key_are_errors() -> Test {
    let (key, mut con) = (key(), server()?);
    let names = HashMap::new(&*key).on(&mut con);
    names.set("7", 1_u8)?;
    names.set("007", 2_u8)?;
    let map = HashMap::<u64, u8>::typed(&*key).on(&mut con);
    for error in [map.get_all().unwrap_err(), map.get_fields().unwrap_err()] {
        assert!(matches!(error, Error::FieldName { asked: "u64", .. }), "{error}");
        assert_eq!(error.place().and_then(|place| place.field()), Some("007"));
    }
    Ok(())
}

/// A key whose Display fails has no name: that is an error, never a panic.
#[test]
fn a_key_that_cannot_be_written_is_an_error() -> Test {
    struct Failing;
    impl fmt::Display for Failing {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            Err(fmt::Error)
        }
    }
    let mut con = server()?;
    let map = HashMap::<Failing, u8>::typed("never sent").on(&mut con);
    for error in [map.set(&Failing, 1).unwrap_err(), map.get(&Failing).map(drop).unwrap_err()] {
        assert!(matches!(error, Error::EmptyField { .. }), "{error}");
    }
    Ok(())
}

/// Values of any kind under keys of one type.
#[test]
fn any_values_under_typed_keys() -> Test {
    let (key, mut con) = (key(), server()?);
    let map = HashMap::<UserId, redis_hashmap::Any>::typed(&*key).on(&mut con);
    map.set(&UserId(1), "a text")?;
    map.set(&UserId(2), 2.5)?;
    assert_eq!(map.get::<f64>(&UserId(2))?, Some(2.5));
    assert_eq!(map.get_all()?[&UserId(1)], Value::from("a text"));
    Ok(())
}

/// On a connection inside the user's own MULTI, a reply is QUEUED, which is not a value.
#[test]
fn a_queued_reply_is_no_value() -> Test {
    let (key, mut con) = (key(), server()?);
    redis::cmd("MULTI").exec(&mut con)?;
    let error = HashMap::<String, String>::typed(&*key).on(&mut con).get("a").unwrap_err();
    assert!(matches!(error, Error::UnexpectedReply { .. }), "{error}");
    Ok(())
}
