//! What bincode alone would misread must be refused, and what is equal must pass.

use std::collections::BTreeMap;

use redis_hashmap::{Error, Kind};
use serde::{Deserialize, Serialize};

use crate::stored::{decode, encode, try_encode, try_encode_any, try_encode_typed};

#[track_caller]
fn is_wrong_type<T>(result: Result<T, Error>, expected: Kind) {
    match result {
        Err(Error::WrongType { stored, .. }) => assert_eq!(stored, expected),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was read"),
    }
}

#[track_caller]
fn is_other_shape<T>(result: Result<T, Error>) {
    match result {
        Err(Error::OtherShape { .. }) => {}
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was read"),
    }
}

#[test]
fn a_scalar_is_never_read_as_what_it_is_not() {
    is_wrong_type(decode::<bool>(&encode(&1_u32)), Kind::U32);
    is_wrong_type(decode::<char>(&encode("a")), Kind::Str);
    is_wrong_type(decode::<i64>(&encode(&1.0_f64)), Kind::F64);
    is_wrong_type(decode::<()>(&encode(&false)), Kind::Bool);
}

#[test]
fn bytes_texts_and_sequences_are_kept_apart() {
    is_wrong_type(decode::<String>(&encode(&b"text".to_vec())), Kind::Seq);
    is_wrong_type(decode::<Vec<u8>>(&encode("text")), Kind::Str);
    is_wrong_type(decode::<serde_bytes::ByteBuf>(&encode("text")), Kind::Str);
    is_wrong_type(decode::<Vec<u8>>(&encode(&serde_bytes::ByteBuf::from(vec![1]))), Kind::Bytes);
    is_wrong_type(decode::<u8>(&encode(&Some(1_u8))), Kind::Option);
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Name {
    first: String,
    last: String,
}

#[test]
fn a_changed_struct_is_noticed() {
    #[derive(Serialize, Deserialize)]
    struct Swapped {
        last: String,
        first: String,
    }
    #[derive(Serialize, Deserialize)]
    struct Renamed {
        given: String,
        last: String,
    }
    #[derive(Serialize, Deserialize)]
    struct Added {
        first: String,
        last: String,
        #[serde(default)]
        nick: Option<String>,
    }
    #[derive(Serialize, Deserialize)]
    struct Removed {
        first: String,
    }
    #[derive(Serialize, Deserialize)]
    struct Retyped {
        first: String,
        last: Vec<u8>,
    }
    let stored = encode(&Name { first: "a".to_owned(), last: "b".to_owned() });
    is_other_shape(decode::<Swapped>(&stored));
    is_other_shape(decode::<Renamed>(&stored));
    is_other_shape(decode::<Added>(&stored));
    is_other_shape(decode::<Removed>(&stored));
    is_other_shape(decode::<Retyped>(&stored));
    is_wrong_type(decode::<(String, String)>(&stored), Kind::Struct);
    is_wrong_type(decode::<BTreeMap<String, String>>(&stored), Kind::Struct);
}

#[test]
fn nested_structs_of_equal_fields_are_kept_apart() {
    #[derive(Serialize, Deserialize)]
    struct Inner {
        b: u8,
    }
    #[derive(Serialize, Deserialize)]
    struct Left {
        a: Inner,
        c: u8,
    }
    #[derive(Serialize, Deserialize)]
    struct InnerWide {
        b: u8,
        c: u8,
    }
    #[derive(Serialize, Deserialize)]
    struct Right {
        a: InnerWide,
    }
    is_other_shape(decode::<Right>(&encode(&Left { a: Inner { b: 1 }, c: 2 })));
    is_other_shape(decode::<(u8, (u8, u8))>(&encode(&(1_u8, (2_u8,), 3_u8))));
}

mod enums {
    use super::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    pub(crate) enum Old {
        Light,
        Dark(u8),
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    pub(crate) enum Appended {
        Light,
        Dark(u8),
        System,
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    pub(crate) enum Reordered {
        Dark(u8),
        Light,
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    pub(crate) enum Renamed {
        Bright,
        Dark(u8),
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    pub(crate) enum Retyped {
        Light,
        Dark(i8),
    }
}

#[test]
fn an_appended_variant_passes_both_ways() {
    use enums::{Appended, Old};
    assert_eq!(decode::<Appended>(&encode(&Old::Dark(3))).unwrap(), Appended::Dark(3));
    assert_eq!(decode::<Old>(&encode(&Appended::Light)).unwrap(), Old::Light);
    let stored = encode(&vec![Old::Light, Old::Dark(1)]);
    assert_eq!(decode::<Vec<Appended>>(&stored).unwrap(), [Appended::Light, Appended::Dark(1)]);
    // A variant that the reader's type does not have is an error.
    is_other_shape(decode::<Old>(&encode(&Appended::System)));
}

#[test]
fn reordered_renamed_and_retyped_variants_are_noticed() {
    use enums::{Old, Renamed, Reordered, Retyped};
    for stored in [encode(&Old::Light), encode(&Old::Dark(0))] {
        is_other_shape(decode::<Reordered>(&stored));
    }
    is_other_shape(decode::<Renamed>(&encode(&Old::Light)));
    is_other_shape(decode::<Retyped>(&encode(&Old::Dark(1))));
    assert_eq!(decode::<Renamed>(&encode(&Old::Dark(1))).unwrap(), Renamed::Dark(1));
}

/// Equal on the wire, and equal in what they mean.
#[test]
fn forms_that_mean_the_same_are_equal() {
    #[derive(Serialize, Deserialize)]
    enum Unit {
        V,
        N(u8),
    }
    #[derive(Serialize, Deserialize)]
    enum Braces {
        V {},
        N(u8),
    }
    #[derive(Serialize, Deserialize)]
    struct Id(u64);
    assert_eq!(encode(&Unit::V), encode(&Braces::V {}));
    assert_eq!(encode(&Unit::N(1)), encode(&Braces::N(1)));
    assert_eq!(encode(&Id(1)), encode(&1_u64));
    assert_eq!(encode(&[1_u8, 2][..]), encode(&vec![1_u8, 2]));
    // An array is a tuple, in serde's data model and on the wire.
    assert_eq!(encode(&[1_u8, 2]), encode(&(1_u8, 2_u8)));
    assert_ne!(encode(&[1_u8, 2]), encode(&vec![1_u8, 2]));
}

#[derive(Serialize, Deserialize, Debug)]
struct StaticSkip {
    a: String,
    #[serde(skip_serializing, default)]
    #[expect(dead_code)]
    b: String,
    c: String,
}

#[derive(Serialize, Deserialize, Debug)]
struct SkipIf {
    a: u8,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    b: Option<u8>,
}

/// The error of a type that accepts any value names `Value`.
#[test]
fn a_type_that_needs_a_self_describing_format_is_named_when_it_is_read() {
    let error = decode::<serde_json::Value>(&encode(&serde_json::json!({"a": 1}))).unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error}");
    assert!(error.to_string().contains("`redis_hashmap::Value`"), "{error}");
}

#[derive(Serialize, Deserialize, Debug)]
#[serde(untagged)]
enum Untagged {
    Number(u64),
    Text(String),
}

#[derive(Serialize, Deserialize, Debug)]
#[serde(tag = "type")]
enum Tagged {
    Point { x: u8 },
}

#[derive(Serialize, Deserialize, Debug)]
struct Flattened {
    #[serde(flatten)]
    name: Name,
}

fn static_skip() -> StaticSkip {
    StaticSkip { a: "aaaa".to_owned(), b: "bbbb".to_owned(), c: "cc".to_owned() }
}

fn name() -> Name {
    Name { first: String::new(), last: String::new() }
}

/// In a map of values of any kind, the type that will read is not known, so the read must notice it.
#[test]
fn a_field_that_is_skipped_when_written_is_noticed_when_read() {
    // bincode alone reads garbage and consumes every byte.
    let garbage = StaticSkip { a: "x".to_owned(), b: String::new(), c: "\u{3}abc".to_owned() };
    for value in [static_skip(), garbage] {
        is_other_shape(decode::<StaticSkip>(&encode(&value)));
    }
}

/// Deserialize takes the first bytes of the next field for the skipped one. Every byte is consumed, and the digest is
/// equal: only the length differs.
#[test]
fn a_skipped_field_that_swallows_its_neighbour_is_noticed_by_the_length() {
    #[derive(Serialize, Deserialize)]
    struct Swallowing {
        #[serde(skip_serializing, default)]
        flag: bool,
        text: String,
    }
    let stored = encode(&Swallowing { flag: false, text: "\0".to_owned() });
    let (read, len): (Swallowing, usize) =
        bincode::serde::decode_from_slice(&stored[5..], bincode::config::standard()).unwrap();
    assert!(read.flag && read.text.is_empty() && len == 2, "bincode alone reads it, as something else");
    is_other_shape(decode::<Swallowing>(&stored));
}

/// bincode accepts a number in more bytes than it needs.
#[test]
fn a_number_that_is_longer_than_it_need_be_is_damaged() {
    assert_eq!(decode::<u32>(&[0x89, 0x01]).unwrap(), 1);
    let error = decode::<u32>(&[0x89, 0xfb, 0x01, 0x00]).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
}

/// Where Serialize skips one field and Deserialize another, the shapes are equal, but the contents are not.
#[derive(Serialize, Deserialize, Debug)]
struct Crossed {
    #[serde(skip_serializing, default)]
    accept_terms: bool,
    #[serde(skip_deserializing)]
    verified: bool,
    name: String,
}

/// A Serialize whose result changes, like that of a field behind a lock.
#[derive(Debug)]
struct Changing(std::cell::Cell<u64>);

impl Serialize for Changing {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.set(self.0.get() * 1000);
        serializer.serialize_u64(self.0.get())
    }
}

impl<'de> Deserialize<'de> for Changing {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(|number| Self(number.into()))
    }
}

#[test]
fn a_value_that_changes_while_it_is_written_is_refused() {
    is_refused(try_encode_any(&Changing(1.into())), "changes while it is serialized");
}

/// Debug builds refuse to write it. Release builds write it, and the read notices it.
#[track_caller]
fn is_unreadable(result: Result<Vec<u8>, Error>) {
    match result {
        Err(Error::Unreadable { .. }) if cfg!(debug_assertions) => {}
        Err(other) => panic!("{other}"),
        Ok(_) if cfg!(debug_assertions) => panic!("it was written"),
        Ok(_) => {}
    }
}

/// Debug builds prove before each write that the value reads back.
#[test]
fn types_whose_serialize_and_deserialize_disagree_fail_at_the_first_write() {
    is_unreadable(try_encode_typed(&static_skip()));
    // These ask for any value, which needs no value to be found: every build refuses them.
    for asks in [
        try_encode_typed(&Untagged::Number(1)),
        try_encode_typed(&Untagged::Text(String::new())),
        try_encode_typed(&Tagged::Point { x: 1 }),
    ] {
        assert!(matches!(asks, Err(Error::Unreadable { .. })), "{asks:?}");
    }
    let crossed = Crossed { accept_terms: false, verified: true, name: "Ann".to_owned() };
    assert!(!crossed.accept_terms);
    is_unreadable(try_encode_typed(&crossed));
}

#[track_caller]
fn is_refused(result: Result<Vec<u8>, Error>, problem: &str) {
    let error = result.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error}");
    assert!(error.to_string().contains(problem), "{error}");
    assert!(error.to_string().starts_with("field \"field\" of hash \"key\" "), "{error}");
}

#[test]
fn what_could_never_be_read_back_is_refused_in_every_build() {
    is_refused(try_encode_any(&SkipIf { a: 1, b: None }), "skip_serializing_if");
    is_refused(try_encode_any(&Flattened { name: name() }), "flatten");
    is_refused(try_encode_any(&vec![(); 65_537]), "65536 elements");
    assert_eq!(decode::<Vec<()>>(&encode(&vec![(); 65_536])).unwrap().len(), 65_536);
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Deep(Option<Box<Deep>>);

fn deep(levels: usize) -> Deep {
    (0..levels).fold(Deep(None), |inner, _| Deep(Some(Box::new(inner))))
}

#[test]
fn what_may_be_written_may_be_read_to_the_last_level() {
    let value = deep(128);
    assert_eq!(decode::<Deep>(&encode(&value)).unwrap(), value);
    is_refused(try_encode_any(&deep(129)), "deeper than 128");
}

#[test]
fn a_value_beyond_the_limit_is_refused() {
    let mut map = redis_hashmap::HashMap::new("key");
    map.set_value_limit(100);
    assert!(map.set("field", "x".repeat(98)).into_cmd().is_ok(), "kind, length and 98 bytes");
    let error = map.set("field", "x".repeat(99)).into_cmd().unwrap_err();
    assert!(matches!(error, Error::TooLarge { size: 101, limit: 100, .. }), "{error}");
    // Just beyond the default.
    let error = try_encode(&"x".repeat(64 << 20)).unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 67_108_864, .. }), "{error}");
}

#[test]
fn an_error_of_serialize_is_an_error_and_its_text_stays_out() {
    struct Failing;
    impl Serialize for Failing {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("the secret is 42"))
        }
    }
    let error = try_encode(&Failing).unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
}

/// What is wrong with bytes is said: whether they are damaged, or are those of another type.
#[test]
fn what_is_wrong_with_bytes_is_said() {
    let stored = encode(&vec![1_u8, 2]);
    for short in 1..5 {
        assert!(matches!(decode::<Vec<u8>>(&stored[..short]), Err(Error::Damaged { .. })), "{short} bytes");
    }
    let problem = |bytes: &[u8]| match decode::<Vec<u8>>(bytes) {
        Err(Error::OtherShape { problem, .. }) => problem,
        other => panic!("{other:?}"),
    };
    assert_eq!(problem(&stored[..5]), "it ends too early");
    assert_eq!(problem(&stored[..7]), "it ends too early");
    assert_eq!(problem(&[stored.clone(), vec![0, 0]].concat()), "2 bytes follow after its end");
    match decode::<u8>(&[encode(&1_u8), vec![0]].concat()) {
        Err(Error::Damaged { problem, .. }) => assert_eq!(problem, "1 bytes follow after its end"),
        other => panic!("{other:?}"),
    }
}
