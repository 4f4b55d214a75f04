//! What the file cannot know of the types that a field was, and asks.

use serde::{Deserialize, Serialize};

use crate::format::past::{Conversions, Was};
use crate::schema::check::trace;
use crate::schema::check_tests::{Package, field};
use crate::schema::convert_tests::{lines, problem, traced, was};
use crate::schema::field::FieldSchema;
use crate::schema::mark_tests::Euros;

#[derive(Serialize, Deserialize)]
#[serde(rename = "Euros")]
struct FirstEuros {
    amount: u64,
}

/// In cents, and with names that euros have too.
#[derive(Serialize, Deserialize)]
struct Cents {
    amount: u64,
    currency: Option<String>,
}

impl From<Euros> for Cents {
    fn from(euros: Euros) -> Self {
        Self { amount: euros.amount.saturating_mul(100), currency: None }
    }
}

const CENTS: &Conversions<Cents> = &Conversions(&[Was::<Cents>::encoded::<Euros>("Euros")]);

fn cents() -> [FieldSchema; 1] {
    was::<Cents>(CENTS, &[traced::<Euros>()])
}

/// The old type may change when it becomes one.
#[test]
fn what_is_called_as_the_old_type_was_it() {
    let package = Package::new("was-called-so");
    package.record(&field::<FirstEuros>());
    let changed = package.check(&cents(), &[], false).unwrap_err();
    let told = "what was stored as Euros.b0ed695c = { amount: u64 } is converted from `Euros` from now on";
    assert!(changed.contains(told), "{changed}");
    package.record(&cents());
    assert_eq!(lines(&package).iter().filter(|line| line.starts_with("at: was Euros ")).count(), 2);
}

/// A conversion that comes a version too late, or from another branch, leaves open what was what.
#[test]
fn what_was_recorded_beside_today_s_type_is_asked() {
    let package = Package::new("was-late");
    package.record(&field::<FirstEuros>());
    package.record(&field::<Cents>());
    let late = problem(&package, &cents());
    assert!(
        late.contains("can be a `Euros`, or a `Cents`, which gives other values: say in the file what it was"),
        "{late}"
    );

    let package = Package::new("was-merged");
    package.record(&field::<Euros>());
    package.record(&cents());
    let file = std::fs::read_to_string(package.file()).unwrap();
    std::fs::write(package.file(), format!("{file}at: Euros.b0ed695c\nEuros.b0ed695c = {{ amount: u64 }}\n")).unwrap();
    let merged = problem(&package, &cents());
    assert!(merged.contains("`at: was Euros Euros.b0ed695c` or `at: is Euros.b0ed695c`"), "{merged}");
}

/// The names of old types may move, and then the file names others.
#[test]
fn a_name_that_stands_for_another_type_is_asked() {
    #[derive(Serialize, Deserialize)]
    struct Thousandths {
        thousandths: u64,
    }
    impl From<Cents> for Thousandths {
        fn from(cents: Cents) -> Self {
            Self { thousandths: cents.amount.saturating_mul(10) }
        }
    }
    const MOVED: &Conversions<Thousandths> = &Conversions(&[Was::<Thousandths>::encoded::<Cents>("Euros")]);
    let package = Package::new("was-moved");
    package.record(&field::<Euros>());
    package.record(&cents());
    let moved = problem(&package, &was::<Thousandths>(MOVED, &[traced::<Cents>()]));
    assert!(
        moved.starts_with("`Euros` is now the type that was stored as Cents.")
            && moved
                .contains(", and in the file a type that was stored as Euros.8fa7438d: give one of them another name"),
        "{moved}"
    );
}

#[test]
fn a_change_that_is_reverted_can_be_marked_so() {
    let package = Package::new("was-reverted");
    package.record(&field::<Euros>());
    package.record(&cents());
    let reverted = problem(&package, &field::<Euros>());
    assert!(reverted.contains("or, if it is that type again, say so in the file, as `at: is Euros."), "{reverted}");
}

/// The field and its type get other names at once.
#[test]
fn a_field_that_is_renamed_with_its_type_is_recorded_once() {
    #[derive(Serialize, Deserialize)]
    #[serde(rename = "Money")]
    struct Renamed {
        amount: u64,
        currency: Option<String>,
    }
    impl From<Euros> for Renamed {
        fn from(euros: Euros) -> Self {
            Self { amount: euros.amount.saturating_mul(100), currency: None }
        }
    }
    const RENAMED: &Conversions<Renamed> = &Conversions(&[Was::<Renamed>::encoded::<Euros>("Euros")]);
    let package = Package::new("was-renamed-field");
    package.record(&cents());
    package.record(&[FieldSchema::encoded::<Renamed>("cost", &["at"], || trace::<Renamed>(Vec::new()))
        .was(RENAMED, vec![Some(traced::<Euros>())])]);
}

/// A sample is known to the file, and not to the attribute that names the type later.
#[test]
fn a_type_that_had_a_sample_is_known() {
    #[derive(Serialize, Deserialize)]
    #[serde(try_from = "String", into = "String")]
    #[derive(Clone)]
    struct Code(String);
    impl TryFrom<String> for Code {
        type Error = &'static str;
        fn try_from(code: String) -> Result<Self, &'static str> {
            if code.len() < 12 { Ok(Self(code)) } else { Err("too long") }
        }
    }
    impl From<Code> for String {
        fn from(code: Code) -> Self {
            code.0
        }
    }
    #[derive(Serialize, Deserialize)]
    struct Parts {
        first: Option<char>,
    }
    impl From<Code> for Parts {
        fn from(code: Code) -> Self {
            Self { first: code.0.chars().next() }
        }
    }
    const PARTS: &Conversions<Parts> = &Conversions(&[Was::<Parts>::encoded::<Code>("Code")]);
    let package = Package::new("was-sample");
    package.record(&[FieldSchema::encoded::<Code>("at", &[], || trace(vec![Code("ABC-1".to_owned())]))]);
    package.record(&was::<Parts>(PARTS, &[traced::<Code>()]));
    assert!(lines(&package).iter().any(|line| line.starts_with("at: was Code str")), "{:?}", lines(&package));
}

/// The second change of meaning, of a type that has grown at the same time.
#[test]
fn what_was_marked_as_today_s_is_of_the_type_that_it_was() {
    #[derive(Serialize, Deserialize)]
    struct OldCents {
        amount: u64,
        currency: Option<String>,
        note: Option<String>,
    }
    #[derive(Serialize, Deserialize)]
    struct Thousandths {
        amount: u64,
        digits: Option<u8>,
    }
    impl From<Euros> for Thousandths {
        fn from(euros: Euros) -> Self {
            Self { amount: euros.amount.saturating_mul(1_000), digits: None }
        }
    }
    impl From<OldCents> for Thousandths {
        fn from(cents: OldCents) -> Self {
            Self { amount: cents.amount.saturating_mul(10), digits: None }
        }
    }
    const BOTH: &Conversions<Thousandths> = &Conversions(&[
        Was::<Thousandths>::encoded::<Euros>("Euros"),
        Was::<Thousandths>::encoded::<OldCents>("OldCents"),
    ]);
    let package = Package::new("was-second");
    package.record(&field::<Euros>());
    package.record(&cents());
    let both = || was::<Thousandths>(BOTH, &[traced::<Euros>(), traced::<OldCents>()]);
    let changed = package.check(&both(), &["Cents.currency"], false).unwrap_err();
    assert!(changed.contains("is converted from `OldCents` from now on"), "{changed}");
    package.record(&both());
    assert!(lines(&package).iter().any(|line| line.starts_with("at: was OldCents Cents.")), "{:?}", lines(&package));
}

impl From<Cents> for Euros {
    fn from(cents: Cents) -> Self {
        Self { amount: cents.amount / 100, note: None }
    }
}

/// After a revert, what was today's is what it was.
#[test]
fn what_is_reverted_is_converted_back() {
    const BACK: &Conversions<Euros> = &Conversions(&[Was::<Euros>::encoded::<Cents>("Cents")]);
    let package = Package::new("was-back");
    package.record(&field::<Euros>());
    package.record(&cents());
    let file = std::fs::read_to_string(package.file()).unwrap();
    std::fs::write(package.file(), file.replace("at: was Euros ", "at: is ")).unwrap();
    package.record(&was::<Euros>(BACK, &[traced::<Cents>()]));
    assert!(lines(&package).iter().any(|line| line.starts_with("at: was Cents Cents.")), "{:?}", lines(&package));
}

/// A name that has moved on leaves its values to the type that looks as they do.
#[test]
fn what_is_exactly_another_type_is_of_it() {
    #[derive(Serialize, Deserialize)]
    struct Thousandths {
        thousandths: u64,
    }
    impl From<Euros> for Thousandths {
        fn from(euros: Euros) -> Self {
            Self { thousandths: euros.amount.saturating_mul(1_000) }
        }
    }
    impl From<Cents> for Thousandths {
        fn from(cents: Cents) -> Self {
            Self { thousandths: cents.amount.saturating_mul(10) }
        }
    }
    const MOVED: &Conversions<Thousandths> =
        &Conversions(&[Was::<Thousandths>::encoded::<Euros>("Oldest"), Was::<Thousandths>::encoded::<Cents>("Euros")]);
    let package = Package::new("was-moved-on");
    package.record(&field::<Euros>());
    package.record(&cents());
    package.record(&was::<Thousandths>(MOVED, &[traced::<Euros>(), traced::<Cents>()]));
    let lines = lines(&package);
    assert!(lines.iter().any(|line| line.starts_with("at: was Oldest Euros.")), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("at: was Euros Cents.")), "{lines:?}");
}

/// Also where today's type grows before the answer is recorded.
#[test]
fn an_answer_stands() {
    #[derive(Serialize, Deserialize)]
    #[serde(rename = "Cents")]
    struct First {
        amount: u64,
    }
    #[derive(Serialize, Deserialize)]
    #[serde(rename = "Cents")]
    struct Grown {
        amount: u64,
        currency: Option<String>,
        digits: Option<u8>,
    }
    impl From<Euros> for Grown {
        fn from(euros: Euros) -> Self {
            Self { amount: euros.amount.saturating_mul(100), currency: None, digits: None }
        }
    }
    const GROWN: &Conversions<Grown> = &Conversions(&[Was::<Grown>::encoded::<Euros>("Euros")]);
    let package = Package::new("was-answered");
    package.record(&field::<First>());
    package.record(&field::<Cents>());
    let grown = || was::<Grown>(GROWN, &[traced::<Euros>()]);
    let asked = problem(&package, &grown());
    assert!(asked.contains("`at: was Euros Cents.b0ed695c` or `at: is Cents.b0ed695c`"), "{asked}");
    let file = std::fs::read_to_string(package.file()).unwrap();
    std::fs::write(package.file(), file.replace("at: ", "at: is ")).unwrap();
    package.record(&grown());
    let marked = lines(&package).iter().filter(|line| line.starts_with("at: was ")).count();
    assert_eq!(marked, 1, "{:?}", lines(&package));
}
