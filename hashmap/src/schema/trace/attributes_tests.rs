//! Schemas of types whose Serialize and Deserialize have attributes, and rules.

use std::num::NonZeroU8;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::schema::trace::tests::{Level, is};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Renamed {
    #[serde(alias = "older")]
    is_new: bool,
    #[serde(rename(serialize = "written", deserialize = "read"))]
    both: u8,
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Other", rename_all = "UPPERCASE")]
enum RenamedEnum {
    #[serde(alias = "first", alias = "second")]
    A,
    #[serde(rename(serialize = "written", deserialize = "read"))]
    B,
    #[serde(other)]
    C,
}

#[derive(Serialize, Deserialize)]
#[allow(dead_code)]
struct Defaulted {
    #[serde(default)]
    a: u8,
    #[serde(skip)]
    b: u8,
    #[serde(skip)]
    _c: Vec<u8>,
    d: Option<u8>,
}

/// Text of digits, in Redis.
mod digits {
    use serde::{Deserialize, Deserializer, Serializer, de};

    #[expect(clippy::trivially_copy_pass_by_ref)]
    pub(super) fn serialize<S: Serializer>(value: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Seconds that there may be.
mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option)]
    pub(super) fn serialize<S: Serializer>(value: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        value.map(|value| value.as_secs()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::deserialize(deserializer)?.map(Duration::from_secs))
    }
}

#[derive(Serialize, Deserialize)]
struct With {
    #[serde(with = "digits")]
    a: u32,
    #[serde(with = "seconds")]
    b: Option<Duration>,
    #[serde(with = "digits")]
    c: u32,
    #[serde(with = "serde_bytes")]
    d: Vec<u8>,
    #[serde(with = "seconds")]
    e: Option<Duration>,
}

#[derive(Serialize, Deserialize, Debug, Clone)]
#[serde(try_from = "String", into = "String")]
struct Email(String);

impl TryFrom<String> for Email {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.contains('@') { Ok(Self(text)) } else { Err("no address") }
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

#[derive(Serialize, Deserialize, Debug, Clone)]
#[serde(try_from = "u8")]
struct Percent(u8);

impl TryFrom<u8> for Percent {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        if number <= 100 { Ok(Self(number)) } else { Err("too much") }
    }
}

#[derive(Serialize, Deserialize, Debug, Clone)]
struct Bounds {
    low: u32,
    high: u32,
}

#[derive(Serialize, Deserialize, Debug, Clone)]
#[serde(try_from = "Bounds")]
struct Ranged {
    low: u32,
    high: u32,
}

impl TryFrom<Bounds> for Ranged {
    type Error = &'static str;

    fn try_from(Bounds { low, high }: Bounds) -> Result<Self, Self::Error> {
        if low < high { Ok(Self { low, high }) } else { Err("empty") }
    }
}

/// Panics where it refuses.
#[derive(Serialize, Deserialize, Debug, Clone)]
#[serde(from = "u32")]
struct Asserted(u32);

impl From<u32> for Asserted {
    fn from(number: u32) -> Self {
        assert!(number == 7, "seven only");
        Self(number)
    }
}

/// A rule for two parts that have rules of their own.
#[derive(Serialize, Deserialize, Debug, Clone)]
#[serde(try_from = "(chrono::NaiveDate, chrono::NaiveDate)")]
struct Period(chrono::NaiveDate, chrono::NaiveDate);

impl TryFrom<(chrono::NaiveDate, chrono::NaiveDate)> for Period {
    type Error = &'static str;

    fn try_from((from, to): (chrono::NaiveDate, chrono::NaiveDate)) -> Result<Self, Self::Error> {
        if from < to { Ok(Self(from, to)) } else { Err("empty") }
    }
}

#[derive(Serialize, Deserialize, Debug, Clone)]
#[serde(try_from = "Vec<Level>")]
struct NotEmpty(Vec<Level>);

impl TryFrom<Vec<Level>> for NotEmpty {
    type Error = &'static str;

    fn try_from(levels: Vec<Level>) -> Result<Self, Self::Error> {
        if levels.is_empty() { Err("empty") } else { Ok(Self(levels)) }
    }
}

/// At least one of two.
#[derive(Serialize, Deserialize, Debug, Clone)]
#[serde(try_from = "(Option<Level>, Option<Level>)")]
struct OneOrBoth(Option<Level>, Option<Level>);

impl TryFrom<(Option<Level>, Option<Level>)> for OneOrBoth {
    type Error = &'static str;

    fn try_from((first, second): (Option<Level>, Option<Level>)) -> Result<Self, Self::Error> {
        if first.is_none() && second.is_none() { Err("none") } else { Ok(Self(first, second)) }
    }
}

#[derive(Serialize, Deserialize)]
struct Checked {
    email: Email,
    second: Option<Email>,
    share: Percent,
    range: Ranged,
    ranges: Vec<Ranged>,
    count: NonZeroU8,
    asserted: Asserted,
    free: u8,
}

#[test]
fn attributes_of_serde() {
    is::<Renamed>("Renamed {is-new: bool, written: u8}");
    is::<RenamedEnum>("Other <0 A | 1 written | 2 C>");
    is::<Defaulted>("Defaulted {a: u8, d: u8?}");
    is::<With>("With {a: str as Str(\"1\"), b: u64?, c: str as Str(\"1\"), d: bytes, e: u64?}");
    is::<Email>("str as Str(\"a@b.cd\")");
    is::<Percent>("u8 as Unsigned(1)");
    is::<Ranged>("Ranged {low: u32 as Unsigned(0), high: u32 as Unsigned(1)}");
    is::<Period>("(str as Str(\"1970-01-01\"), str as Str(\"2000-12-31\"))");
    is::<Option<NotEmpty>>("[Level <0 Low | 1 High>]?");
    is::<(OneOrBoth, Option<Level>)>("((Level <0 Low | 1 High>?, Level <0 Low | 1 High>?), Level <0 Low | 1 High>?)");
    is::<Checked>(
        "Checked {email: str as Str(\"a@b.cd\"), second: str as Str(\"a@b.cd\")?, share: u8 as Unsigned(1), \
         range: Ranged {low: u32 as Unsigned(0), high: u32 as Unsigned(1)}, \
         ranges: [Ranged {low: u32 as Unsigned(0), high: u32 as Unsigned(1)}], count: u8 as Unsigned(1), \
         asserted: u32 as Unsigned(7), free: u8}",
    );
}
