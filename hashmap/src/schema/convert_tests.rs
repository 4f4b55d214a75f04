//! Fields whose meaning changed: what the generated test says of `was`.

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
enum OldTheme {
    Low,
    High,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
enum Theme {
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

const THEME: &Conversions<Theme> = &Conversions(&[Was::<Theme>::encoded::<OldTheme>()]);

fn theme() -> [FieldSchema; 1] {
    was::<Theme>(THEME, &[traced::<OldTheme>()])
}

const CHANGED: &str = "the schema of `Profile` has changed, and reads all that was stored: run `REDIS_HASH_SCHEMA=record \
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

#[test]
fn a_type_that_a_field_was_is_marked_and_stays_so() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    enum Grown {
        Light { contrast: u16, note: Option<String> },
        Dark,
        System,
    }
    impl From<OldTheme> for Grown {
        fn from(old: OldTheme) -> Self {
            match old {
                OldTheme::Low => Self::Dark,
                OldTheme::High => Self::Light { contrast: 9, note: None },
            }
        }
    }
    const GROWN: &Conversions<Grown> = &Conversions(&[Was::<Grown>::encoded::<OldTheme>()]);
    let package = Package::new("was");
    package.record(&field::<OldTheme>());
    assert_eq!(
        problem(&package, &field::<Theme>()),
        "what was stored as OldTheme.53c69585 = 0 Low | 1 High is not read as `Theme`: a variant `OldTheme::High` is not one \
         of its variants; keep it, or say `#[serde(alias = \"…\")]` on the variant that it has become\n  - field `at`: what was stored as \
         OldTheme.53c69585 = 0 Low | 1 High is not read as `Theme`: a variant `OldTheme::Low` is not one of its variants; keep it, or say \
         `#[serde(alias = \"…\")]` on the variant that it has become"
    );
    assert_eq!(package.check(&theme(), &[], false), Err(CHANGED.to_owned()));
    package.record(&theme());
    let marked = ["at: Theme.", "at: was OldTheme OldTheme."];
    assert!(lines(&package).iter().zip(marked).all(|(line, start)| line.starts_with(start)), "{:?}", lines(&package));

    // Its own changes are those of today's type.
    package.record(&was::<Grown>(GROWN, &[traced::<OldTheme>()]));
    assert_eq!(lines(&package).iter().filter(|line| line.contains("was")).count(), 1, "{:?}", lines(&package));
    assert_eq!(lines(&package).len(), 3);

    // Without the conversion, what was stored cannot be read.
    assert_eq!(
        problem(&package, &field::<Grown>()),
        "what was stored as OldTheme.53c69585 = 0 Low | 1 High is converted from `OldTheme`: keep `#[redis_hash(was = OldTheme)]`"
    );
}

/// A record may get its first schema and a conversion at once.
#[test]
fn a_first_schema_knows_what_it_was() {
    let package = Package::new("was-first");
    package.record(&theme());
    assert_eq!(lines(&package).len(), 2);
}

#[test]
fn older_versions_of_what_it_was_are_converted_too() {
    #[derive(Serialize, Deserialize)]
    enum Oldest {
        Low,
    }
    let package = Package::new("was-oldest");
    package.record(&field::<Oldest>());
    package.record(&field::<OldTheme>());
    package.record(&theme());
    assert_eq!(lines(&package).iter().filter(|line| line.starts_with("at: was OldTheme ")).count(), 2);
}

/// The type may be called otherwise later.
#[test]
fn what_it_was_may_get_another_name() {
    #[derive(Serialize, Deserialize)]
    enum First {
        Low,
        High,
    }
    impl From<First> for Theme {
        fn from(_: First) -> Self {
            Self::Dark
        }
    }
    const FIRST: &Conversions<Theme> = &Conversions(&[Was::<Theme>::encoded::<First>()]);
    let package = Package::new("was-renamed");
    package.record(&theme());
    package.record(&was::<Theme>(FIRST, &[traced::<First>()]));
    let lines = lines(&package);
    assert!(lines.iter().any(|line| line.starts_with("at: was First OldTheme.")), "{lines:?}");
}

#[test]
fn several_types_that_it_was_are_told_apart() {
    #[derive(Serialize, Deserialize)]
    struct Newest {
        name: String,
    }
    impl From<Theme> for Newest {
        fn from(theme: Theme) -> Self {
            Self { name: format!("{theme:?}") }
        }
    }
    impl From<OldTheme> for Newest {
        fn from(theme: OldTheme) -> Self {
            Theme::from(theme).into()
        }
    }
    const BOTH: &Conversions<Newest> =
        &Conversions(&[Was::<Newest>::encoded::<Theme>(), Was::<Newest>::encoded::<OldTheme>()]);
    const LAST: &Conversions<Newest> = &Conversions(&[Was::<Newest>::encoded::<Theme>()]);
    let package = Package::new("was-several");
    package.record(&field::<OldTheme>());
    package.record(&theme());
    let both = || was::<Newest>(BOTH, &[traced::<Theme>(), traced::<OldTheme>()]);
    package.record(&both());
    let marked = lines(&package);
    assert!(marked.iter().any(|line| line.starts_with("at: was Theme Theme.")), "{marked:?}");
    assert!(marked.iter().any(|line| line.starts_with("at: was OldTheme OldTheme.")), "{marked:?}");
    let problem = problem(&package, &was::<Newest>(LAST, &[traced::<Theme>()]));
    assert!(problem.ends_with("is converted from `OldTheme`: keep `#[redis_hash(was = OldTheme)]`"), "{problem}");
}

/// The file knows them by their names.
#[test]
fn two_types_of_one_name_are_refused() {
    mod older {
        #[derive(serde::Serialize, serde::Deserialize)]
        pub(super) struct OldTheme {
            pub(super) low: bool,
        }
    }
    impl From<older::OldTheme> for Theme {
        fn from(old: older::OldTheme) -> Self {
            if old.low { Self::Dark } else { Self::Light { contrast: 0 } }
        }
    }
    const BOTH: &Conversions<Theme> =
        &Conversions(&[Was::<Theme>::encoded::<OldTheme>(), Was::<Theme>::encoded::<older::OldTheme>()]);
    let package = Package::new("was-one-name");
    package.record(&theme());
    assert_eq!(
        problem(&package, &was::<Theme>(BOTH, &[traced::<OldTheme>(), traced::<older::OldTheme>()])),
        "two of the types that it was are called `OldTheme`, and the file knows them by their names: rename one of them"
    );
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
    const CENTS: &Conversions<Cents> = &Conversions(&[Was::<Cents>::encoded::<Euros>()]);
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
        &Conversions(&[Was::<Money>::encoded::<Euros>(), Was::<Money>::encoded::<Pounds>()]);
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
    const LEVEL: &Conversions<Level> = &Conversions(&[Was::<Level>::encoded::<OldTheme>()]);
    #[derive(Serialize, Deserialize)]
    struct Percent(u8);
    impl TryFrom<u32> for Percent {
        type Error = ();
        fn try_from(permille: u32) -> Result<Self, ()> {
            u8::try_from(permille / 10).map(Self).map_err(|_| ())
        }
    }
    const PERCENT: &Conversions<Percent> = &Conversions(&[Was::<Percent>::encoded::<u32>()]);
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
    const SMALL: &Conversions<Small> = &Conversions(&[Was::<Small>::encoded::<u32>()]);
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
    const NEVER: &Conversions<Never> = &Conversions(&[Was::<Never>::encoded::<u32>()]);
    let package = Package::new("was-refuses");
    package.record(&field::<u32>());
    package.record(&was::<Small>(SMALL, &[traced::<u32>()]));

    let package = Package::new("was-refuses-all");
    package.record(&field::<u32>());
    let told = package.tells(&was::<Never>(NEVER, &[traced::<u32>()]), &[], true);
    assert_eq!(
        told,
        Ok(vec![
            "field `at`: what was stored as u32 is converted from `u32`".to_owned(),
            "field `at`: the conversion from `u32` refuses each value that was made up: test it with one that is stored"
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
    const HALF: &Conversions<Half> = &Conversions(&[Was::<Half>::encoded::<u32>()]);
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
    const EMAIL: &Conversions<Email> = &Conversions(&[Was::<Email>::encoded::<String>()]);
    let package = Package::new("was-texts");
    let told = package.tells(&was::<Email>(EMAIL, &[traced::<String>()]), &[], true).unwrap();
    assert_eq!(told.len(), 1, "{told:?}");
}

/// A type that cannot be traced is known by what was recorded of it.
#[test]
fn a_type_of_which_no_value_can_be_made_up_is_known_by_the_file() {
    let untraceable: Trace = || Err("no value of `X` can be made up".to_owned());
    let package = Package::new("was-untraceable");
    let theme = || was::<Theme>(THEME, &[untraceable]);
    let first = package.check(&theme(), &[], true).unwrap_err();
    assert!(first.ends_with("no value of `X` can be made up: it has to be recorded before `was` names it"), "{first}");
    package.record(&field::<OldTheme>());
    package.record(&theme());
}

/// A field can change its name, its type and its meaning at once.
#[test]
fn what_lies_under_an_alias_is_converted() {
    let package = Package::new("was-alias");
    package.record(&[FieldSchema::encoded::<OldTheme>("old", &[], || trace::<OldTheme>(Vec::new()))]);
    package.record(&[FieldSchema::encoded::<Theme>("at", &["old"], || trace::<Theme>(Vec::new()))
        .was(THEME, vec![Some(traced::<OldTheme>())])]);
    let file = std::fs::read_to_string(package.file()).unwrap();
    assert!(file.contains("\nold: was OldTheme OldTheme."), "{file}");
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
    const SPAN: &Conversions<Span> = &Conversions(&[Was::<Span>::encoded::<Range>()]);
    let package = Package::new("was-rules");
    package.record(&field::<Range>());
    package.record(&was::<Span>(SPAN, &[traced::<Range>()]));
    let package = Package::new("was-rules-first");
    package.record(&was::<Span>(SPAN, &[traced::<Range>()]));
}
