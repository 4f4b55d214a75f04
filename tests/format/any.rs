//! What a map of values of any kind takes: only what reads back.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use redis_hashmap::{Error, ReadsBack, Value};
use serde::{Deserialize, Serialize};

use crate::stored::{decode, try_encode_any, try_encode_typed};

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
enum Plain {
    Unit,
    Newtype(u8),
    Tuple(u8, String),
    Struct { nested: Option<Box<Plain>> },
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum Untagged {
    Number(u64),
    Text(String),
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(tag = "type")]
enum Tagged {
    Point { x: u8 },
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(tag = "type", content = "of")]
enum Adjacent {
    Point(u8),
}

/// The type of any value lies deep in it, and this value of it holds none.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Holds<T> {
    before: u8,
    list: Vec<Option<T>>,
    last: Variants<T>,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
enum Variants<T> {
    Without(u8),
    With { value: T },
}

/// A tree that holds itself in several places.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Tree {
    left: Option<Box<Tree>>,
    right: Option<Box<Tree>>,
    leaves: BTreeMap<String, Vec<Tree>>,
    kind: Plain,
}

#[track_caller]
fn is_refused<T: Serialize + ReadsBack + ?Sized>(value: &T) {
    match try_encode_any(value) {
        Err(error @ Error::Unreadable { .. }) => {
            let text = error.to_string();
            assert!(text.starts_with("field \"field\" of hash \"key\" cannot hold"), "{text}");
            assert!(text.contains("`redis_hashmap::Value`") && text.contains("`#[redis_hash(text)]`"), "{text}");
        }
        other => panic!("{} is not refused: {other:?}", std::any::type_name::<T>()),
    }
}

#[track_caller]
fn reads_back<T>(value: &T)
where
    T: Serialize + serde::de::DeserializeOwned + std::fmt::Debug + PartialEq + Send + 'static,
{
    let stored = try_encode_any(value).unwrap();
    assert_eq!(&decode::<T>(&stored).unwrap(), value);
}

#[test]
fn a_type_that_asks_for_any_value_is_refused_in_every_build_whatever_it_holds() {
    is_refused(&serde_json::json!({"theme": "dark", "size": 14}));
    is_refused(&serde_json::json!("dark"));
    is_refused(&serde_json::Value::Null);
    is_refused(&Untagged::Number(1));
    is_refused(&Untagged::Text("dark".to_owned()));
    is_refused(&Tagged::Point { x: 1 });
    is_refused(&Adjacent::Point(1));
    is_refused(&Vec::<serde_json::Value>::new());
    is_refused(&[Untagged::Number(1)][..]);
    is_refused(&None::<Untagged>);
    is_refused(&HashMap::<String, serde_json::Value>::new());
    is_refused(&Holds::<Untagged> { before: 1, list: Vec::new(), last: Variants::Without(1) });
    is_refused(&(1_u8, "x".to_owned(), None::<Box<Tagged>>));
    // A field and a typed map whose type is one themselves, too.
    let typed = try_encode_typed(&serde_json::json!(1));
    assert!(matches!(typed, Err(Error::Unreadable { .. })), "{typed:?}");
    let typed = try_encode_typed(&Untagged::Number(1));
    assert!(matches!(typed, Err(Error::Unreadable { .. })), "{typed:?}");
}

#[test]
fn what_reads_back_is_taken() {
    reads_back(&Plain::Unit);
    reads_back(&vec![Plain::Newtype(1), Plain::Tuple(2, "two".to_owned()), Plain::Struct { nested: None }]);
    reads_back(&vec![None, Some(1_u8)]);
    reads_back(&Some(Some(Plain::Unit)));
    reads_back(&Holds::<Plain> { before: 1, list: vec![None], last: Variants::With { value: Plain::Unit } });
    let leaf = Tree { left: None, right: None, leaves: BTreeMap::new(), kind: Plain::Unit };
    reads_back(&Tree {
        left: Some(Box::new(leaf.clone())),
        leaves: [("a".to_owned(), vec![leaf.clone()])].into(),
        ..leaf
    });
    reads_back(&BTreeMap::from([(1_u8, "one".to_owned())]));
    reads_back(&std::num::NonZeroU8::MIN);
    reads_back(&(chrono::NaiveDate::MIN, uuid::Uuid::nil()));
    reads_back(&());
    reads_back(&[1_u8; 4]);
    reads_back(&Value::from_iter([Value::from(1_u8), Value::from("two")]));
    reads_back(&vec![Value::Unit, Value::from("two")]);
    reads_back(&Holds::<Value> {
        before: 1,
        list: vec![Some(Value::Unit)],
        last: Variants::With { value: 1_u8.into() },
    });
}

#[test]
fn borrowed_forms_read_back_as_their_owned_ones() {
    assert_eq!(decode::<String>(&try_encode_any("dark").unwrap()).unwrap(), "dark");
    assert_eq!(decode::<Vec<u8>>(&try_encode_any(&[1_u8, 2][..]).unwrap()).unwrap(), [1, 2]);
    let path = Path::new("/tmp");
    assert_eq!(decode::<std::path::PathBuf>(&try_encode_any(path).unwrap()).unwrap(), path);
}

/// Debug builds read each value back, so that what only a value shows is found at the first test.
#[test]
fn debug_builds_read_back_what_they_write() {
    #[derive(Serialize, Deserialize, Debug)]
    struct Skips {
        #[serde(skip_serializing, default)]
        a: String,
        b: String,
    }
    let skips = Skips { a: String::new(), b: "b".to_owned() };
    assert!(skips.a.is_empty() && skips.b == "b");
    let written = try_encode_any(&skips);
    if cfg!(debug_assertions) {
        assert!(matches!(written, Err(Error::Unreadable { .. })), "{written:?}");
    }
}
