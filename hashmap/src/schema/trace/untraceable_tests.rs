//! Types that have no schema, with the reason, and those that need a value of the user.

use std::collections::{BTreeMap, HashMap};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::schema::trace::tests::text;
use crate::schema::trace::{Untraceable, trace, trace_with};

#[track_caller]
fn refused<T: Serialize + DeserializeOwned>(expected: &str) {
    match trace::<T>() {
        Ok(schema) => panic!("{}", text(&schema)),
        Err(why) => assert_eq!(why.to_string().replace(concat!(module_path!(), "::"), ""), expected),
    }
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
enum Level {
    Low,
    High,
}

#[derive(Serialize, Deserialize)]
enum Void {}

#[derive(Serialize, Deserialize)]
struct Endless {
    next: Box<Endless>,
}

#[derive(Serialize, Deserialize)]
struct EndlessNewtype(Box<EndlessNewtype>);

#[derive(Serialize, Deserialize)]
enum EndlessEnum {
    A(Box<EndlessEnum>),
    B(u8, Box<EndlessEnum>),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    A(u8),
    B(String),
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    A { a: u8 },
    B,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", content = "content")]
enum Adjacent {
    A(u8),
    B(String),
}

/// A mark says what follows it.
#[derive(Debug)]
enum Marked {
    Number(u8),
    Text(String),
}

impl Serialize for Marked {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => (0_u8, number).serialize(serializer),
            Self::Text(text) => (1_u8, text).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Marked {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Marked;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a mark")
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut parts: A) -> Result<Marked, A::Error> {
                let missing = || serde::de::Error::custom("a mark, and what it marks");
                match parts.next_element::<u8>()? {
                    Some(0) => parts.next_element()?.map(Marked::Number).ok_or_else(missing),
                    Some(1) => parts.next_element()?.map(Marked::Text).ok_or_else(missing),
                    _ => Err(missing()),
                }
            }
        }
        deserializer.deserialize_tuple(2, Visitor)
    }
}

#[derive(Serialize, Deserialize)]
struct Flattened {
    a: u8,
    #[serde(flatten)]
    more: BTreeMap<String, u8>,
}

#[derive(Serialize, Deserialize)]
struct Skipping {
    #[serde(skip_serializing_if = "Option::is_none")]
    a: Option<u8>,
}

#[derive(Serialize, Deserialize)]
#[allow(dead_code)]
struct SkippedOnOneSide {
    #[serde(skip_serializing, default)]
    a: u8,
    b: u16,
}

#[derive(Serialize, Deserialize)]
enum SkippedInTheMiddle {
    A,
    #[serde(skip)]
    #[expect(dead_code)]
    B,
    C(u8),
}

#[derive(Serialize, Deserialize)]
struct WithJson {
    a: u8,
    json: Option<serde_json::Value>,
}

/// Accepts what no menu has.
#[derive(Serialize, Deserialize, Clone, Debug)]
#[serde(try_from = "String", into = "String")]
struct Iban(String);

impl TryFrom<String> for Iban {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.starts_with("DE") && text.len() == 22 { Ok(Self(text)) } else { Err("no account") }
    }
}

impl From<Iban> for String {
    fn from(iban: Iban) -> Self {
        iban.0
    }
}

#[derive(Serialize, Deserialize, Clone)]
struct Account {
    iban: Iban,
    level: Level,
    more: Option<Iban>,
}

#[derive(Serialize, Deserialize, Clone)]
enum Payment {
    Cash,
    Transfer { to: Iban, level: Level },
}

#[derive(Serialize, Deserialize)]
struct Refuser(#[serde(deserialize_with = "refuse")] u8);

fn refuse<'de, D: serde::Deserializer<'de>>(_: D) -> Result<u8, D::Error> {
    Err(serde::de::Error::custom("never"))
}

#[test]
fn types_without_a_schema() {
    refused::<Void>("`Void` refuses every sample of it");
    refused::<Option<Void>>("`Void` refuses every sample of it");
    refused::<Vec<Void>>("`Void` refuses every sample of it");
    refused::<(u8, Result<u8, Void>)>("`Void` refuses every sample of it");
    refused::<Endless>("`Endless` nests without end");
    refused::<EndlessNewtype>("`EndlessNewtype` nests without end");
    refused::<EndlessEnum>("`EndlessEnum` nests without end");
    refused::<Option<EndlessEnum>>("`EndlessEnum` nests without end");
    refused::<Option<Endless>>("`Endless` nests without end");
    refused::<Untagged>("`Untagged` asks for any value, but bincode does not record what is stored");
    refused::<Tagged>("`Tagged` asks for any value, but bincode does not record what is stored");
    refused::<Adjacent>("`Adjacent` asks for a field's name, but bincode does not record what is stored");
    refused::<Marked>("`Marked` is built in another way when its values are others");
    refused::<Vec<Option<Marked>>>("`Marked` is built in another way when its values are others");
    refused::<Flattened>("`Flattened` asks for a field's name, but bincode does not record what is stored");
    refused::<WithJson>("`serde_json::value::Value` asks for any value, but bincode does not record what is stored");
    refused::<Skipping>(
        "`Skipping` cannot be stored: serde's `skip_serializing_if` leaves out its field `a`, which a reader cannot \
         know: remove the attribute",
    );
    refused::<SkippedOnOneSide>("`SkippedOnOneSide` cannot be stored: it ends too early");
    refused::<SkippedInTheMiddle>("`SkippedInTheMiddle` cannot be stored: it does not hold a variant index 0 <= i < 2");
    refused::<Account>("`Iban` refuses every sample of it");
    refused::<Payment>("`Iban` refuses every sample of it");
    refused::<Vec<Option<Iban>>>("`Iban` refuses every sample of it");
    refused::<Refuser>("`Refuser` refuses every sample of it");
}

#[test]
fn samples_of_the_user() {
    let iban = Iban("DE".to_owned() + &"0".repeat(20));
    let leaf = "str as Str(\"DE00000000000000000000\")";
    let level = "Level <0 Low | 1 High>";
    let account = Account { iban: iban.clone(), level: Level::Low, more: None };
    assert_eq!(
        trace_with(vec![account]).map(|schema| text(&schema)),
        Ok(format!("Account {{iban: {leaf}, level: {level}, more: {leaf}?}}")),
    );
    let expected = Ok(format!("Payment <0 Cash | 1 Transfer {{to: {leaf}, level: {level}}}>"));
    let transfer = Payment::Transfer { to: iban, level: Level::High };
    assert_eq!(trace_with(vec![transfer.clone()]).map(|schema| text(&schema)), expected);
    let set: HashMap<u8, Payment> = (0..100).map(|at| (at, transfer.clone())).collect();
    assert_eq!(trace_with(vec![set.clone()]), trace_with(vec![set]));
    assert_eq!(trace_with(vec![Payment::Cash]), Err(Untraceable::Refuses(std::any::type_name::<Iban>())));
    let unreadable = Untraceable::Unstorable(std::any::type_name::<Refuser>(), "its Deserialize refused it".to_owned());
    assert_eq!(trace_with(vec![Refuser(1)]), Err(unreadable));
}
