//! Patches from JSON: a value sets a field, `null` clears it, and a missing name keeps it.

use std::collections::BTreeMap;

use redis_hashmap::{RedisHash, open};
use redis_hashmap_tests::{AnyError, key, redis_url};
use serde::{Deserialize, Deserializer, Serialize};

type Test = Result<(), AnyError>;

#[derive(RedisHash, Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(rename_all = "camelCase")]
struct Profile {
    user_name: String,
    #[redis_hash(default = 14)]
    #[serde(default)]
    font_size: u8,
    nick: Option<String>,
    #[serde(rename = "mail", alias = "e-mail")]
    email: Option<String>,
    /// Not to be set from outside.
    #[serde(skip_deserializing)]
    #[redis_hash(default)]
    is_admin: bool,
    #[serde(deserialize_with = "shouted")]
    motto: String,
    #[redis_hash(text)]
    port: Option<u16>,
    #[redis_hash(skip)]
    #[serde(skip)]
    cached: u32,
}

fn shouted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    String::deserialize(deserializer).map(|text| text.to_uppercase())
}

fn patch(json: &str) -> Result<ProfilePatch, serde_json::Error> {
    serde_json::from_str(json)
}

#[test]
fn each_field_is_kept_set_or_cleared() -> Test {
    assert_eq!(patch("{}")?, ProfilePatch::default());
    let read = patch(r#"{"userName": "Ann", "nick": null, "mail": "a@b", "motto": "hey", "port": 80}"#)?;
    let expected = ProfilePatch {
        user_name: Some("Ann".to_owned()),
        nick: Some(None),
        email: Some(Some("a@b".to_owned())),
        motto: Some("HEY".to_owned()),
        port: Some(Some(80)),
        ..Default::default()
    };
    assert_eq!(read, expected);
    assert_eq!(patch(r#"{"e-mail": null}"#)?, ProfilePatch::default().email(None));
    assert_eq!(
        format!("{read:?}"),
        "ProfilePatch { user_name: set, font_size: kept, nick: cleared, email: set, is_admin: kept, motto: set, port: set }"
    );
    Ok(())
}

#[derive(RedisHash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Strict {
    name: String,
}

/// Unknown names, and fields that are not to be set from outside, are ignored, as serde does for the struct.
#[test]
fn what_is_not_there_changes_nothing() -> Test {
    assert_eq!(
        patch(r#"{"user_name": "x", "isAdmin": true, "is_admin": true, "cached": 1, "x": {"y": [1]}}"#)?,
        ProfilePatch::default()
    );
    let error = serde_json::from_str::<StrictPatch>(r#"{"nam": "x"}"#).unwrap_err();
    assert!(error.to_string().starts_with("unknown field `nam`, expected `name`"), "{error}");
    Ok(())
}

#[test]
fn bad_json_is_an_error() {
    let fails = |json: &str, expected: &str| {
        let error = patch(json).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    };
    // A required field cannot be cleared.
    fails(r#"{"userName": null}"#, "invalid type: null, expected a string");
    fails(r#"{"fontSize": null}"#, "invalid type: null, expected u8");
    fails(r#"{"fontSize": 256}"#, "invalid value: integer `256`, expected u8");
    fails(r#"{"nick": "a", "nick": "b"}"#, "duplicate field `nick`");
    fails(r#"{"mail": "a", "e-mail": "b"}"#, "duplicate field `mail`");
    fails("[]", "invalid type: sequence, expected a patch of a Profile");
}

#[test]
fn a_json_patch_is_written() -> Test {
    let mut con = open(&redis_url())?;
    let key = key();
    let record = Profile::at(&*key).on(&mut con);
    let before = Profile {
        user_name: "Ann".to_owned(),
        font_size: 10,
        nick: Some("A".to_owned()),
        email: None,
        is_admin: true,
        motto: "x".to_owned(),
        port: Some(1),
        cached: 0,
    };
    assert!(record.create(&before)?);
    assert!(record.patch_if_present(&patch(r#"{"fontSize": 20, "nick": null, "port": 443}"#)?)?);
    assert_eq!(record.get_all()?, Some(Profile { font_size: 20, nick: None, port: Some(443), ..before }));
    Ok(())
}

/// A field whose type lacks serde's traits: the patch exists, but JSON does not read it.
#[test]
fn without_serde_a_patch_is_made_by_its_builder() -> Test {
    #[derive(Debug, Clone, PartialEq)]
    struct Port(u16);
    impl std::fmt::Display for Port {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.0.fmt(f)
        }
    }
    impl std::str::FromStr for Port {
        type Err = std::num::ParseIntError;
        fn from_str(text: &str) -> Result<Self, Self::Err> {
            text.parse().map(Self)
        }
    }
    #[derive(RedisHash, Debug, PartialEq)]
    struct Server {
        #[redis_hash(text)]
        port: Port,
    }
    let mut con = open(&redis_url())?;
    let key = key();
    let record = Server::at(&*key).on(&mut con);
    let patch = ServerPatch::default().port(Port(80));
    record.patch(&patch.clone())?;
    assert_eq!(record.get_partial()?, ServerPartial { port: Some(Port(80)) });
    Ok(())
}

/// A record with types that are neither `Clone` nor `PartialEq`.
#[test]
fn a_patch_needs_nothing_of_its_types() -> Test {
    #[derive(Serialize, Deserialize)]
    struct Bare(u8);
    #[derive(RedisHash)]
    struct Holder<T> {
        bare: Bare,
        other: Option<T>,
    }
    let mut con = open(&redis_url())?;
    let key = key();
    let record = Holder::<u8>::at(&*key).on(&mut con);
    record.patch(&HolderPatch::default().bare(Bare(1)).other(2))?;
    let (bare, other) = record.get_many(|field| (field.bare, field.other))?;
    assert_eq!((bare.map(|bare| bare.0), other), (Some(1), Some(2)));
    let read: HolderPatch<u8> = serde_json::from_str(r#"{"other": null}"#)?;
    record.patch(&read)?;
    assert_eq!(record.other().get()?, None);
    Ok(())
}

/// A path that only an expression can be.
trait Check: Sized {
    fn check<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

impl Check for u8 {
    fn check<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let percent = Self::deserialize(deserializer)?;
        if percent > 100 { Err(serde::de::Error::custom("more than 100")) } else { Ok(percent) }
    }
}

mod halved {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
        u8::deserialize(deserializer).map(|number| number / 2)
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(crate) fn serialize<S: Serializer>(number: &u8, serializer: S) -> Result<S::Ok, S::Error> {
        (number * 2).serialize(serializer)
    }
}

#[derive(RedisHash, Deserialize)]
struct Checked {
    #[serde(deserialize_with = "<u8 as Check>::check")]
    percent: u8,
    #[serde(deserialize_with = "<u8 as Check>::check", skip_deserializing)]
    #[redis_hash(default)]
    hidden: u8,
    #[serde(with = "halved")]
    half: u8,
    #[redis_hash(skip_deserializing)]
    internal: Option<u8>,
}

/// A validation of the struct holds for its patch.
#[test]
fn what_serde_checks_is_checked() -> Test {
    let read = |json: &str| serde_json::from_str::<CheckedPatch>(json);
    assert!(read(r#"{"percent": 200}"#).unwrap_err().to_string().starts_with("more than 100"));
    let patch = read(r#"{"percent": 99, "hidden": 1, "half": 4, "internal": 5}"#)?;
    assert_eq!(patch, CheckedPatch::default().percent(99).half(2));
    Ok(())
}

/// A name that the user has taken.
#[expect(dead_code, reason = "only its name counts")]
struct NamedPatch;

#[derive(RedisHash)]
#[redis_hash(patch = "ChangeOfNamed")]
struct Named {
    name: String,
}

#[test]
fn a_patch_can_have_another_name() -> Test {
    let mut con = open(&redis_url())?;
    let key = key();
    Named::at(&*key).on(&mut con).patch(&ChangeOfNamed::default().name("x".to_owned()))?;
    assert_eq!(Named::at(&*key).on(&mut con).name().get()?.as_deref(), Some("x"));
    Ok(())
}

/// serde writes the name of the struct into its JSON: a body of another struct is not a patch of this one.
#[test]
fn a_patch_with_the_tag_of_another_type_is_refused() -> Test {
    #[derive(RedisHash, Serialize, Deserialize)]
    #[serde(tag = "type", rename = "profile")]
    struct Profile {
        name: String,
        #[redis_hash(skip_deserializing)]
        #[serde(flatten)]
        more: BTreeMap<String, String>,
    }
    let patch: ProfilePatch = serde_json::from_str(r#"{"type": "profile", "name": "Ann", "more": {"a": "b"}}"#)?;
    assert_eq!((patch.name.as_deref(), patch.more.is_none()), (Some("Ann"), true));
    let patch: ProfilePatch = serde_json::from_str(r#"{"name": "Ann"}"#)?;
    assert_eq!(patch.name.as_deref(), Some("Ann"));
    for other in [r#"{"type": "account", "name": "Ann"}"#, r#"{"name": "Ann", "type": null}"#, r#"{"type": 1}"#] {
        let error = serde_json::from_str::<ProfilePatch>(other).expect_err("it is of another type");
        assert!(!error.to_string().contains("account"), "{error}");
    }
    Ok(())
}
