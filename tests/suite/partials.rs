//! Partial records in JSON: as serde reads and writes the struct, without the fields that are absent.

#![expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde calls these functions so")]

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Display};
use std::str::FromStr;

use figment::Figment;
use figment::providers::Serialized;
use redis_hashmap::{RedisHash, open};
use redis_hashmap_tests::AnyError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, from_value, json, to_value};

type Test = Result<(), AnyError>;

/// A record as a whole reads and writes like its partial with every field.
fn both_ways<R>(record: &R, expected: &Value) -> Test
where
    R: RedisHash<Partial: Serialize + DeserializeOwned + PartialEq + Debug + Send + 'static>,
    R: Serialize + DeserializeOwned + PartialEq + Debug + Send + 'static,
{
    let partial = R::Partial::deserialize(to_value(record)?)?;
    assert_eq!(&to_value(record)?, expected);
    assert_eq!(&to_value(&partial)?, expected);
    assert_eq!(to_value(from_value::<R::Partial>(json!({}))?)?, json!({}));
    // One field alone.
    for (name, value) in expected.as_object().expect("an object") {
        let alone = json!({ name: value });
        let partial = from_value::<R::Partial>(alone.clone())?;
        assert_eq!(to_value(&partial)?, alone);
    }
    assert_eq!(R::Partial::deserialize(expected.clone())?, partial);
    Ok(())
}

#[derive(RedisHash, Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Plain {
    theme: Theme,
    #[redis_hash(default = "en".to_owned())]
    language: String,
    font_size: Option<u8>,
    #[redis_hash(text)]
    port: Option<u16>,
    #[redis_hash(counter)]
    logins: i64,
    tags: BTreeMap<String, Vec<u8>>,
    r#type: Option<String>,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Theme {
    Light,
    Dark,
}

fn plain() -> Plain {
    Plain {
        theme: Theme::Dark,
        language: "de".to_owned(),
        font_size: Some(14),
        port: Some(80),
        logins: 7,
        tags: BTreeMap::from([("a".to_owned(), vec![1])]),
        r#type: Some("t".to_owned()),
    }
}

#[test]
fn a_plain_record() -> Test {
    let expected = json!({
        "theme": "dark", "language": "de", "font_size": 14, "port": 80, "logins": 7, "tags": {"a": [1]}, "type": "t",
    });
    both_ways(&plain(), &expected)
}

#[test]
fn what_is_stored_becomes_json_and_back() -> Test {
    let record = Plain::at("key").on(open("memory:")?);
    record.set_all(&Plain { font_size: None, ..plain() })?;
    record.language().delete()?;
    let partial = record.get_partial()?;
    let expected = json!({"theme": "dark", "port": 80, "logins": 7, "tags": {"a": [1]}, "type": "t"});
    assert_eq!(to_value(&partial)?, expected);
    assert_eq!(from_value::<PlainPartial>(expected)?, partial);
    Ok(())
}

/// `null` is what an absent field would be in a struct of `Option`s.
#[test]
fn null_is_absent() -> Test {
    let partial = from_value::<PlainPartial>(json!({"theme": null, "font_size": null, "logins": 1}))?;
    assert_eq!(partial, PlainPartial { logins: Some(1), ..PlainPartial::default() });
    Ok(())
}

#[test]
fn what_is_wrong_is_an_error() {
    for (wrong, problem) in [
        (json!({"theme": "blue"}), "unknown variant"),
        (json!({"font_size": 300}), "invalid value"),
        (json!([1]), "expected a part of a Plain"),
    ] {
        let error = from_value::<PlainPartial>(wrong).expect_err("it is wrong").to_string();
        assert!(error.contains(problem), "{error}");
    }
    let twice = serde_json::from_str::<PlainPartial>(r#"{"logins": 1, "logins": 2}"#);
    assert!(twice.expect_err("it is wrong").to_string().starts_with("duplicate field `logins`"));
}

#[derive(RedisHash, Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields, tag = "kind", rename = "renamed")]
struct Renamed {
    user_name: String,
    #[serde(rename = "mail", alias = "e-mail")]
    email_address: Option<String>,
    #[redis_hash(rename = "only in Redis")]
    font_size: Option<u8>,
}

#[test]
fn names_and_the_tag_are_those_of_the_struct() -> Test {
    let record = Renamed { user_name: "Ann".into(), email_address: Some("a@b".into()), font_size: Some(14) };
    let written = json!({"kind": "renamed", "userName": "Ann", "mail": "a@b", "fontSize": 14});
    assert_eq!(to_value(&record)?, written);
    let partial = from_value::<RenamedPartial>(written.clone())?;
    assert_eq!(to_value(&partial)?, written);
    assert_eq!(
        to_value(RenamedPartial { font_size: None, ..partial })?,
        json!({"kind": "renamed", "userName": "Ann", "mail": "a@b"})
    );
    assert_eq!(from_value::<RenamedPartial>(json!({"e-mail": "a@b"}))?.email_address.as_deref(), Some("a@b"));
    assert!(from_value::<RenamedPartial>(json!({"user_name": "Ann"})).is_err());
    assert!(from_value::<RenamedPartial>(json!({"kind": "another"})).is_err());
    Ok(())
}

#[derive(RedisHash, Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(tag = "kind", rename(serialize = "written", deserialize = "read"))]
struct Tagged {
    name: String,
}

#[test]
fn a_tag_holds_either_name() -> Test {
    let written = to_value(TaggedPartial { name: Some("Ann".into()) })?;
    assert_eq!(written, json!({"kind": "written", "name": "Ann"}));
    for partial in [written, json!({"kind": "read", "name": "Ann"})] {
        assert_eq!(from_value::<TaggedPartial>(partial.clone())?.name.as_deref(), Some("Ann"));
        assert_eq!(from_value::<TaggedPatch>(partial)?.name.as_deref(), Some("Ann"));
    }
    let error = from_value::<TaggedPartial>(json!({"kind": "another"})).expect_err("it is another");
    assert_eq!(error.to_string(), "`kind` is not `read`, expected a part of a Tagged");
    Ok(())
}

/// Other names for reading than for writing.
#[derive(RedisHash, Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(rename_all(serialize = "SCREAMING_SNAKE_CASE", deserialize = "kebab-case"))]
struct TwoNames {
    user_name: String,
    #[serde(rename(serialize = "out", deserialize = "in"))]
    value: Option<u8>,
    #[serde(rename(serialize = "shown"))]
    half_named: Option<u8>,
}

#[test]
fn a_name_for_reading_and_one_for_writing() -> Test {
    let input = json!({"user-name": "Ann", "in": 1, "half-named": 2});
    let output = json!({"USER_NAME": "Ann", "out": 1, "shown": 2});
    assert_eq!(to_value(from_value::<TwoNames>(input.clone())?)?, output);
    assert_eq!(to_value(from_value::<TwoNamesPartial>(input)?)?, output);
    Ok(())
}

/// A type that only its text form can be stored of.
#[derive(Debug, Clone, PartialEq)]
struct Percent(u8);

impl Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

impl FromStr for Percent {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.trim_end_matches('%').parse().map(Self)
    }
}

mod as_text {
    use super::{Deserialize, Deserializer, Display, FromStr, Serializer};

    pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

fn one_more<S: Serializer>(value: &Option<u8>, serializer: S) -> Result<S::Ok, S::Error> {
    value.map(|value| value + 1).serialize(serializer)
}

fn one_less<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    Ok(Option::<u8>::deserialize(deserializer)?.map(|value| value - 1))
}

#[derive(RedisHash, Serialize, Deserialize, Debug, Clone, PartialEq)]
struct ByFunctions {
    #[serde(with = "as_text")]
    #[redis_hash(text)]
    share: Percent,
    #[serde(serialize_with = "one_more", deserialize_with = "one_less")]
    number: Option<u8>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    list: Vec<u8>,
    #[serde(skip_serializing_if = "Self::is_default", default)]
    width: Option<u8>,
}

impl ByFunctions {
    fn is_default(width: &Option<u8>) -> bool {
        *width == Some(0)
    }
}

#[test]
fn functions_of_the_user_are_called() -> Test {
    let record = ByFunctions { share: Percent(7), number: Some(1), list: vec![1], width: Some(1) };
    both_ways(&record, &json!({"share": "7%", "number": 2, "list": [1], "width": 1}))?;
    let partial = ByFunctionsPartial { list: Some(vec![]), width: Some(0), ..ByFunctionsPartial::default() };
    assert_eq!(to_value(&partial)?, json!({}));
    Ok(())
}

#[derive(RedisHash, Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Secretive {
    name: String,
    #[serde(skip_serializing)]
    password: String,
    #[serde(skip_deserializing)]
    #[redis_hash(default)]
    is_admin: bool,
    #[serde(skip)]
    #[redis_hash(default)]
    internal: u8,
}

/// Without serde's derives, attributes of this crate say it.
#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Bare {
    name: String,
    #[redis_hash(skip_serializing)]
    password: String,
    #[redis_hash(default, skip_deserializing)]
    is_admin: bool,
}

#[test]
fn what_is_not_to_be_shown_or_set_is_not() -> Test {
    let all = json!({"name": "Ann", "password": "s3cret", "is_admin": true, "internal": 7});
    let partial = from_value::<SecretivePartial>(all.clone())?;
    assert_eq!((&partial.is_admin, &partial.internal), (&None, &None));
    assert_eq!(partial.password.as_deref(), Some("s3cret"));
    let partial = SecretivePartial { is_admin: Some(true), internal: Some(7), ..partial };
    assert_eq!(to_value(&partial)?, json!({"name": "Ann", "is_admin": true}));

    let partial = from_value::<BarePartial>(all)?;
    assert_eq!(partial, BarePartial { name: Some("Ann".into()), password: Some("s3cret".into()), is_admin: None });
    assert_eq!(to_value(&partial)?, json!({"name": "Ann"}));
    Ok(())
}

#[derive(RedisHash, Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Generic<T: Clone, const N: usize> {
    value: T,
    list: Option<Vec<T>>,
    #[serde(serialize_with = "first_only")]
    #[redis_hash(default)]
    name: String,
    #[redis_hash(skip)]
    #[serde(skip)]
    array: Sized<N>,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct Sized<const N: usize>;

fn first_only<S: Serializer>(name: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&name[..1])
}

#[test]
fn a_record_with_parameters() -> Test {
    let record = Generic::<u8, 3> { value: 1, list: Some(vec![2]), name: "a".into(), array: Sized };
    both_ways(&record, &json!({"value": 1, "list": [2], "name": "a"}))
}

/// What has no serde form, has none as a part either; the record works all the same.
#[derive(RedisHash, Debug, Clone, PartialEq)]
struct WithoutSerde {
    #[redis_hash(text)]
    share: Percent,
}

/// serde writes this field's own fields beside those of the record, which nobody but serde's derive can do.
#[derive(RedisHash, Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Flattened {
    name: String,
    #[serde(flatten)]
    #[redis_hash(skip_deserializing)]
    more: Option<BTreeMap<String, u8>>,
}

#[derive(RedisHash, Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(from = "String", into = "String")]
struct Converted {
    name: String,
}

impl From<String> for Converted {
    fn from(name: String) -> Self {
        Self { name }
    }
}

impl From<Converted> for String {
    fn from(converted: Converted) -> Self {
        converted.name
    }
}

/// Tells whether a type is serialized, without asking for it.
macro_rules! serializes {
    ($type:ty) => {{
        struct Probe<T>(std::marker::PhantomData<T>);
        #[allow(dead_code, reason = "for some of the types")]
        trait No {
            const SERIALIZES: bool = false;
        }
        impl<T> No for Probe<T> {}
        impl<T: Serialize> Probe<T> {
            #[allow(dead_code, reason = "for the other types")]
            const SERIALIZES: bool = true;
        }
        Probe::<$type>::SERIALIZES
    }};
}

#[test]
fn what_cannot_be_honoured_is_not_there() {
    assert!(serializes!(PlainPartial) && serializes!(BarePartial));
    assert!(!serializes!(WithoutSerdePartial));
    assert!(!serializes!(FlattenedPartial));
    assert!(!serializes!(ConvertedPartial));
}

#[test]
fn a_partial_record_is_a_layer_of_a_configuration() -> Test {
    let stored = Plain::at("key").on(open("memory:")?);
    stored.language().set("de")?;
    stored.font_size().set(20)?;
    let built_in = Plain { language: "en".to_owned(), font_size: Some(14), port: None, ..plain() };
    let layers = Figment::from(Serialized::defaults(&built_in)).merge(Serialized::globals(stored.get_partial()?));
    assert_eq!(layers.extract::<Plain>()?, Plain { language: "de".to_owned(), font_size: Some(20), ..built_in });
    assert_eq!(layers.extract::<PlainPartial>()?.font_size, Some(20));
    Ok(())
}
