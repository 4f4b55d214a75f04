//! Fields whose meaning changed: what the generated test says of `was`.

use std::collections::HashSet;
use std::num::NonZeroU8;

use serde::{Deserialize, Serialize};

use crate::format::past::{Conversions, Was};
use crate::format::schema::Schema;
use crate::schema::check::trace;
use crate::schema::check_tests::{Package, Stored, field};
use crate::schema::field::FieldSchema;

pub(super) type Trace = fn() -> Result<Schema, String>;

pub(super) fn traced<T: Stored>() -> Trace {
    || trace::<T>(Vec::new())
}

/// That of a type that was not encoded.
pub(super) const UNUSED: Trace = || Err(String::new());

/// A field that is a `T` and was of these types.
pub(super) fn was<T: Stored>(conversions: &'static Conversions<T>, traces: &[Trace]) -> [FieldSchema; 1] {
    let [field] = field::<T>();
    [field.was(conversions, traces.iter().copied().map(Some).collect())]
}

#[derive(Serialize, Deserialize)]
pub(super) enum OldTheme {
    Low,
    High,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
pub(super) enum Theme {
    Dark,
    Light { contrast: u8 },
}

impl From<OldTheme> for Theme {
    fn from(old: OldTheme) -> Self {
        match old {
            OldTheme::Low => Self::Dark,
            OldTheme::High => Self::Light { contrast: 9 },
        }
    }
}

pub(super) const THEME: &Conversions<Theme> = &Conversions(&[Was::<Theme>::encoded::<OldTheme>("OldTheme")]);

pub(super) fn theme() -> [FieldSchema; 1] {
    was::<Theme>(THEME, &[traced::<OldTheme>()])
}

pub(super) const CHANGED: &str = "the schema of `Profile` has changed, and reads all that was stored: run `REDIS_HASH_SCHEMA=record \
                       cargo test`, and commit redis-hash/Profile.schema";

pub(super) fn lines(package: &Package) -> Vec<String> {
    let file = std::fs::read_to_string(package.file()).unwrap();
    file.lines().filter(|line| line.starts_with("at: ")).map(str::to_owned).collect()
}

/// What is said of a change from what was recorded.
pub(super) fn problem(package: &Package, fields: &[FieldSchema]) -> String {
    let problem = package.check(fields, &[], false).unwrap_err();
    assert_eq!(package.check(fields, &[], true), Err(problem.clone()), "it is not recorded");
    let (_, problem) = problem.split_once(":\n  - field `at`: ").expect(&problem);
    problem.to_owned()
}

#[derive(Serialize, Deserialize)]
struct Euros {
    amount: u32,
}

/// A change that the stored values do not show needs another name.
#[test]
fn what_is_stored_alike_cannot_be_told_apart() {
    #[derive(Serialize, Deserialize)]
    struct Cents {
        amount: u32,
    }
    impl From<Euros> for Cents {
        fn from(euros: Euros) -> Self {
            Self { amount: euros.amount.saturating_mul(100) }
        }
    }
    const CENTS: &Conversions<Cents> = &Conversions(&[Was::<Cents>::encoded::<Euros>("Euros")]);
    #[derive(Serialize, Deserialize)]
    struct Pounds {
        amount: u32,
    }
    #[derive(Serialize, Deserialize)]
    struct Money {
        cents: u64,
    }
    impl From<Euros> for Money {
        fn from(euros: Euros) -> Self {
            Self { cents: u64::from(euros.amount) * 100 }
        }
    }
    impl From<Pounds> for Money {
        fn from(pounds: Pounds) -> Self {
            Self { cents: u64::from(pounds.amount) * 120 }
        }
    }
    const MONEY: &Conversions<Money> =
        &Conversions(&[Was::<Money>::encoded::<Euros>("Euros"), Was::<Money>::encoded::<Pounds>("Pounds")]);
    let package = Package::new("was-alike");
    package.record(&field::<Euros>());
    assert_eq!(
        problem(&package, &was::<Cents>(CENTS, &[traced::<Euros>()])),
        "`was = Euros` is stored as it is today, as Euros.f3a80ef1, so the two cannot be told apart: store the new meaning in a \
         field of another name"
    );

    let problem = problem(&package, &was::<Money>(MONEY, &[traced::<Euros>(), traced::<Pounds>()]));
    assert!(
        problem.starts_with("`was = Euros` and `was = Pounds` are both stored as Euros.")
            && problem.ends_with(
                "so they cannot be told apart: remove one, or store the new meaning in a field of another name"
            ),
        "{problem}"
    );
}

/// Some values of the old type are values of the new one, and mean something else.
#[test]
fn values_that_are_read_without_the_conversion_are_found() {
    #[derive(Serialize, Deserialize)]
    enum Level {
        Low,
        Middle,
        High,
    }
    impl From<OldTheme> for Level {
        fn from(old: OldTheme) -> Self {
            match old {
                // `Low` is stored as today's `Low`.
                OldTheme::Low => Self::Middle,
                OldTheme::High => Self::High,
            }
        }
    }
    const LEVEL: &Conversions<Level> = &Conversions(&[Was::<Level>::encoded::<OldTheme>("OldTheme")]);
    #[derive(Serialize, Deserialize)]
    struct Percent(u8);
    impl TryFrom<u32> for Percent {
        type Error = ();
        fn try_from(permille: u32) -> Result<Self, ()> {
            u8::try_from(permille / 10).map(Self).map_err(|_| ())
        }
    }
    const PERCENT: &Conversions<Percent> = &Conversions(&[Was::<Percent>::encoded::<u32>("u32")]);
    let package = Package::new("was-other");
    package.record(&field::<OldTheme>());
    let problem = problem(&package, &was::<Level>(LEVEL, &[traced::<OldTheme>()]));
    assert!(
        problem.ends_with(
            "does not become `Level`: such values are also read as `Level` without the conversion from `OldTheme`, and as others \
             than it gives: store the new meaning in a field of another name"
        ),
        "{problem}"
    );

    // A number is read at each width.
    let package = Package::new("was-number");
    package.record(&field::<u32>());
    let problem = self::problem(&package, &was::<Percent>(PERCENT, &[traced::<u32>()]));
    assert!(problem.contains("without the conversion from `u32`, and as others than it gives"), "{problem}");
}

/// `TryFrom` may refuse values, but not all.
#[test]
fn a_conversion_may_refuse_some_values() {
    #[derive(Serialize, Deserialize)]
    struct Small {
        percent: u8,
    }
    impl TryFrom<u32> for Small {
        type Error = String;
        fn try_from(number: u32) -> Result<Self, String> {
            u8::try_from(number).map(|percent| Self { percent }).map_err(|_| format!("{number} is too large"))
        }
    }
    const SMALL: &Conversions<Small> = &Conversions(&[Was::<Small>::encoded::<u32>("u32")]);
    #[derive(Serialize, Deserialize)]
    struct Never {
        never: u8,
    }
    impl TryFrom<u32> for Never {
        type Error = ();
        fn try_from(_: u32) -> Result<Self, ()> {
            Err(())
        }
    }
    const NEVER: &Conversions<Never> = &Conversions(&[Was::<Never>::encoded::<u32>("u32")]);
    let package = Package::new("was-refuses");
    package.record(&field::<u32>());
    package.record(&was::<Small>(SMALL, &[traced::<u32>()]));

    let package = Package::new("was-refuses-all");
    package.record(&field::<u32>());
    let told = package.tells(&was::<Never>(NEVER, &[traced::<u32>()]), &[], true);
    assert_eq!(
        told,
        Ok(vec![
            "field `at`: what was stored as u32 is converted from `u32` from now on".to_owned(),
            "field `at`: each value that was made up is refused by the conversion from `u32`: test it with one that is stored"
                .to_owned(),
            "recorded the schema of `Profile` in redis-hash/Profile.schema: commit it".to_owned(),
        ])
    );
}

#[test]
fn a_conversion_that_panics_is_found() {
    #[derive(Serialize, Deserialize)]
    struct Half {
        half: u32,
    }
    impl From<u32> for Half {
        fn from(number: u32) -> Self {
            assert!(number.is_multiple_of(2), "odd");
            Self { half: number / 2 }
        }
    }
    const HALF: &Conversions<Half> = &Conversions(&[Was::<Half>::encoded::<u32>("u32")]);
    let package = Package::new("was-panics");
    package.record(&field::<u32>());
    let problem = problem(&package, &was::<Half>(HALF, &[traced::<u32>()]));
    assert!(
        problem.starts_with("what was stored as u32 does not become `Half`: it panics; let it return an error"),
        "{problem}"
    );
}

/// A text can become what only some texts are.
#[test]
fn texts_that_types_parse_are_tried() {
    #[derive(Serialize, Deserialize)]
    struct Email {
        user: String,
    }
    impl TryFrom<String> for Email {
        type Error = ();
        fn try_from(text: String) -> Result<Self, ()> {
            let (user, _) = text.split_once('@').ok_or(())?;
            Ok(Self { user: user.to_owned() })
        }
    }
    const EMAIL: &Conversions<Email> = &Conversions(&[Was::<Email>::encoded::<String>("String")]);
    let package = Package::new("was-texts");
    let told = package.tells(&was::<Email>(EMAIL, &[traced::<String>()]), &[], true).unwrap();
    assert_eq!(told.len(), 1, "{told:?}");
}

/// Rules of the old type are known from before.
#[test]
fn values_that_the_old_type_refuses_are_not_tried() {
    #[derive(Serialize, Deserialize)]
    #[serde(try_from = "(u8, u8)")]
    struct Range(u8, u8);
    impl TryFrom<(u8, u8)> for Range {
        type Error = &'static str;
        fn try_from((low, high): (u8, u8)) -> Result<Self, &'static str> {
            if low <= high { Ok(Self(low, high)) } else { Err("upside down") }
        }
    }
    #[derive(Serialize, Deserialize)]
    struct Span {
        low: u8,
        len: Option<NonZeroU8>,
    }
    impl From<Range> for Span {
        fn from(Range(low, high): Range) -> Self {
            Self { low, len: NonZeroU8::new(high - low) }
        }
    }
    const SPAN: &Conversions<Span> = &Conversions(&[Was::<Span>::encoded::<Range>("Range")]);
    let package = Package::new("was-rules");
    package.record(&field::<Range>());
    package.record(&was::<Span>(SPAN, &[traced::<Range>()]));
    let package = Package::new("was-rules-first");
    package.record(&was::<Span>(SPAN, &[traced::<Range>()]));
}

/// The first version with a schema may be the one that converts.
#[test]
fn a_conversion_that_panics_is_found_in_a_first_schema() {
    #[derive(Serialize, Deserialize)]
    struct Price {
        cents: u32,
    }
    impl From<u32> for Price {
        fn from(euros: u32) -> Self {
            Self { cents: euros.checked_mul(100).expect("overflow") }
        }
    }
    const PRICE: &Conversions<Price> = &Conversions(&[Was::<Price>::encoded::<u32>("u32")]);
    let package = Package::new("was-panics-first");
    let problem = package.check(&was::<Price>(PRICE, &[traced::<u32>()]), &[], true).unwrap_err();
    assert!(problem.contains("what was stored as u32 does not become `Price`: it panics; "), "{problem}");
}

/// It would be written over by what cannot be read.
#[test]
fn a_conversion_that_makes_what_is_not_read_back_is_found() {
    #[derive(Serialize, Deserialize)]
    #[serde(try_from = "(u32, u8)", into = "(u32, u8)")]
    #[derive(Clone)]
    struct Percent(u32);
    impl TryFrom<(u32, u8)> for Percent {
        type Error = &'static str;
        fn try_from((percent, _): (u32, u8)) -> Result<Self, &'static str> {
            if percent <= 100 { Ok(Self(percent)) } else { Err("too much") }
        }
    }
    impl From<Percent> for (u32, u8) {
        fn from(percent: Percent) -> Self {
            (percent.0, 0)
        }
    }
    impl From<u32> for Percent {
        fn from(permille: u32) -> Self {
            Self(permille / 10)
        }
    }
    const PERCENT: &Conversions<Percent> = &Conversions(&[Was::<Percent>::encoded::<u32>("u32")]);
    let package = Package::new("was-not-read-back");
    package.record(&field::<u32>());
    assert_eq!(
        problem(&package, &was::<Percent>(PERCENT, &[traced::<u32>()])),
        "what was stored as u32 does not become `Percent`: the conversion makes a value that is not read back as `Percent`: let it \
         refuse what cannot be one"
    );
}

/// Conversions can look at values, of which there are more than can be tried.
#[test]
fn values_that_look_alike_are_told() {
    #[derive(Serialize, Deserialize)]
    struct Old {
        theme: String,
        size: Option<u8>,
    }
    #[derive(Serialize, Deserialize)]
    struct New {
        theme: String,
        size: Option<f32>,
    }
    impl From<Old> for New {
        fn from(old: Old) -> Self {
            let theme = if old.theme == "black" { "dark".to_owned() } else { old.theme };
            Self { theme, size: old.size.map(f32::from) }
        }
    }
    const NEW: &Conversions<New> = &Conversions(&[Was::<New>::encoded::<Old>("Old")]);
    let package = Package::new("was-look-alike");
    package.record(&field::<Old>());
    let changed = package.check(&was::<New>(NEW, &[traced::<Old>()]), &[], false).unwrap_err();
    let told = "some values of Old.de4bd737 = { theme: str, size: u8? } can look like values of `New`, and are then read as such, without the \
                conversion from `Old`: it has to give these unchanged";
    assert!(changed.contains(told), "{changed}");
}

/// The kind byte tells numbers apart.
#[test]
fn numbers_that_a_field_was_are_told_apart_by_their_width() {
    #[derive(Serialize, Deserialize)]
    struct Length {
        metres: f64,
    }
    impl From<f64> for Length {
        fn from(metres: f64) -> Self {
            Self { metres }
        }
    }
    impl TryFrom<u64> for Length {
        type Error = ();
        fn try_from(millimetres: u64) -> Result<Self, ()> {
            u32::try_from(millimetres)
                .map(|millimetres| Self { metres: f64::from(millimetres) / 1000.0 })
                .map_err(|_| ())
        }
    }
    const LENGTH: &Conversions<Length> =
        &Conversions(&[Was::<Length>::encoded::<f64>("f64"), Was::<Length>::encoded::<u64>("u64")]);
    let package = Package::new("was-numbers");
    package.record(&was::<Length>(LENGTH, &[traced::<f64>(), traced::<u64>()]));
    assert_eq!(lines(&package).len(), 3);
}

/// What a conversion makes of a hash table lies in another order each time.
#[test]
fn a_conversion_into_a_hash_set_is_fine() {
    #[derive(Serialize, Deserialize)]
    struct Flags {
        bold: bool,
        small: bool,
    }
    #[derive(Serialize, Deserialize)]
    struct Set(HashSet<String>);
    impl From<Flags> for Set {
        fn from(_: Flags) -> Self {
            Self((0..20).map(|flag| flag.to_string()).collect())
        }
    }
    const SET: &Conversions<Set> = &Conversions(&[Was::<Set>::encoded::<Flags>("Flags")]);
    let package = Package::new("was-hash-set");
    package.record(&field::<Flags>());
    package.record(&was::<Set>(SET, &[traced::<Flags>()]));
}
