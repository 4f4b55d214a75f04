//! What the file marks as one of the types that a field was.

use serde::{Deserialize, Serialize};

use crate::format::past::{Conversions, Was};
use crate::schema::check::trace;
use crate::schema::check_tests::{Package, field};
use crate::schema::convert_tests::{CHANGED, OldTheme, THEME, Theme, Trace, lines, problem, theme, traced, was};
use crate::schema::field::FieldSchema;

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
    const GROWN: &Conversions<Grown> = &Conversions(&[Was::<Grown>::encoded::<OldTheme>("OldTheme")]);
    let package = Package::new("was");
    package.record(&field::<OldTheme>());
    assert_eq!(
        problem(&package, &field::<Theme>()),
        "what was stored as OldTheme.53c69585 = 0 Low | 1 High is not read as `Theme`: a variant `OldTheme::High` is not one \
         of its variants; keep it, or say `#[serde(alias = \"…\")]` on the variant that it has become\n  - field `at`: what was stored as \
         OldTheme.53c69585 = 0 Low | 1 High is not read as `Theme`: a variant `OldTheme::Low` is not one of its variants; keep it, or say \
         `#[serde(alias = \"…\")]` on the variant that it has become"
    );
    assert_eq!(
        package.check(&theme(), &[], false),
        Err(format!(
            "{CHANGED}\n  - field `at`: what was stored as OldTheme.53c69585 = 0 Low | 1 High is converted from `OldTheme` from now on"
        ))
    );
    package.record(&theme());
    let marked = ["at: is Theme.", "at: was OldTheme OldTheme."];
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
    const FIRST: &Conversions<Theme> = &Conversions(&[Was::<Theme>::encoded::<First>("First")]);
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
        &Conversions(&[Was::<Newest>::encoded::<Theme>("Theme"), Was::<Newest>::encoded::<OldTheme>("OldTheme")]);
    const LAST: &Conversions<Newest> = &Conversions(&[Was::<Newest>::encoded::<Theme>("Theme")]);
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

/// Types of different modules may have one name.
#[test]
fn two_types_of_one_name_are_told_apart() {
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
    const BOTH: &Conversions<Theme> = &Conversions(&[
        Was::<Theme>::encoded::<OldTheme>("OldTheme"),
        Was::<Theme>::encoded::<older::OldTheme>("older::OldTheme"),
    ]);
    let package = Package::new("was-one-name");
    package.record(&theme());
    package.record(&was::<Theme>(BOTH, &[traced::<OldTheme>(), traced::<older::OldTheme>()]));
    assert!(lines(&package).iter().any(|line| line.starts_with("at: was \"older::OldTheme\" OldTheme.")));
}

#[derive(Serialize, Deserialize)]
pub(super) struct Euros {
    pub(super) amount: u64,
    pub(super) note: Option<String>,
}

/// In cents.
#[derive(Serialize, Deserialize)]
struct Price {
    amount: u64,
}

impl From<Euros> for Price {
    fn from(euros: Euros) -> Self {
        Self { amount: euros.amount.saturating_mul(100) }
    }
}

const PRICE: &Conversions<Price> = &Conversions(&[Was::<Price>::encoded::<Euros>("Euros")]);

/// A type that a field was can often read by names what today's type was later. That was never of the old type.
#[test]
fn what_today_s_type_was_is_not_that_of_an_old_one() {
    #[derive(Serialize, Deserialize)]
    struct Broken {
        amount: u64,
        currency: String,
    }
    impl From<Euros> for Broken {
        fn from(euros: Euros) -> Self {
            Self { amount: euros.amount.saturating_mul(100), currency: "EUR".to_owned() }
        }
    }
    #[derive(Serialize, Deserialize)]
    struct Grown {
        amount: u64,
        currency: Option<String>,
    }
    impl From<Euros> for Grown {
        fn from(euros: Euros) -> Self {
            Self { amount: euros.amount.saturating_mul(100), currency: None }
        }
    }
    const BROKEN: &Conversions<Broken> = &Conversions(&[Was::<Broken>::encoded::<Euros>("Euros")]);
    const GROWN: &Conversions<Grown> = &Conversions(&[Was::<Grown>::encoded::<Euros>("Euros")]);
    const RENAMED: &Conversions<Grown> = &Conversions(&[Was::<Grown>::encoded::<Euros>("PriceInEuros")]);
    let package = Package::new("was-today");
    package.record(&field::<Euros>());
    package.record(&was::<Price>(PRICE, &[traced::<Euros>()]));
    let broken = problem(&package, &was::<Broken>(BROKEN, &[traced::<Euros>()]));
    assert!(
        broken.contains("is not read as `Broken`: it has no field `currency`")
            && broken.starts_with(
                "what was stored as Price.b0ed695c = { amount: u64 } is not marked as a `Euros`; if it was one, say so in the file, as \
                 `at: was Euros Price.b0ed695c`"
            ),
        "{broken}"
    );
    package.record(&was::<Grown>(GROWN, &[traced::<Euros>()]));
    let unmarked = |package: &Package| lines(package).iter().filter(|line| !line.contains("was")).count();
    assert_eq!(unmarked(&package), 2);
    // The type may be called otherwise.
    package.record(&was::<Grown>(RENAMED, &[traced::<Euros>()]));
    assert_eq!(unmarked(&package), 2, "{:?}", lines(&package));
}

/// Values from before the file can be declared later. What can be of either is asked, and the answer stands.
#[test]
fn what_can_be_of_either_is_asked() {
    #[derive(Serialize, Deserialize)]
    struct Grown {
        amount: u64,
        currency: Option<String>,
    }
    #[derive(Serialize, Deserialize)]
    struct PreHistoric {
        amount: u64,
        #[serde(default)]
        taxed: bool,
    }
    impl From<PreHistoric> for Grown {
        fn from(old: PreHistoric) -> Self {
            Self { amount: old.amount.saturating_mul(100), currency: old.taxed.then(String::new) }
        }
    }
    const GROWN: &Conversions<Grown> = &Conversions(&[Was::<Grown>::encoded::<PreHistoric>("PreHistoric")]);
    let package = Package::new("was-later");
    package.record(&field::<Price>());
    package.record(&field::<Grown>());
    let grown = || was::<Grown>(GROWN, &[traced::<PreHistoric>()]);
    assert_eq!(
        problem(&package, &grown()),
        "what was stored as Price.b0ed695c = { amount: u64 } can be a `PreHistoric`, or a `Grown`, which gives other values: say in \
         the file what it was, as `at: was PreHistoric Price.b0ed695c` or `at: is Price.b0ed695c`"
    );
    let file = std::fs::read_to_string(package.file()).unwrap();
    for (mark, marked) in [("is ", 1), ("was PreHistoric ", 2)] {
        std::fs::write(package.file(), file.replace("at: Price.", &format!("at: {mark}Price."))).unwrap();
        package.record(&grown());
        assert_eq!(lines(&package).iter().filter(|line| line.contains("was")).count(), marked, "{:?}", lines(&package));
    }
}

/// A type may have been stored, under its own name, as today's is.
#[test]
fn what_was_stored_under_another_name_is_not_taken_for_today_s() {
    #[derive(Serialize, Deserialize)]
    #[serde(rename = "Euros")]
    struct Shorter {
        amount: u64,
    }
    let package = Package::new("was-alike-once");
    package.record(&field::<Euros>());
    assert_eq!(package.check(&field::<Shorter>(), &["Euros.note"], true), Ok(()));
    let problem_of_it = problem(&package, &was::<Price>(PRICE, &[traced::<Euros>()]));
    assert!(
        problem_of_it.contains(
            "values of Euros.b0ed695c = { amount: u64 } were stored too, and look like those of Price.b0ed695c"
        ),
        "{problem_of_it}"
    );

    // On the other side of a merge.
    let package = Package::new("was-alike-merged");
    package.record(&field::<Euros>());
    package.record(&was::<Price>(PRICE, &[traced::<Euros>()]));
    let file = std::fs::read_to_string(package.file()).unwrap();
    let merged = format!("{file}at: Euros.b0ed695c\nEuros.b0ed695c = {{ amount: u64 }}\n");
    std::fs::write(package.file(), merged).unwrap();
    let problem_of_it = problem(&package, &was::<Price>(PRICE, &[traced::<Euros>()]));
    assert!(problem_of_it.contains("so they cannot be told apart"), "{problem_of_it}");
}

/// The advice has the attribute that was there.
#[test]
fn a_conversion_that_is_missing_is_named_by_its_attribute() {
    const VISITS: &Conversions<u64> = &Conversions(&[Was::<u64>::counter()]);
    let package = Package::new("was-missing");
    package.record(&was::<u64>(VISITS, &[traced::<u64>()]));
    let problem = problem(&package, &field::<u64>());
    assert_eq!(problem, "what was stored as counter is converted from `i64`: keep `#[redis_hash(was_counter)]`");
}
