//! Fields that were text or counters, or have become it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::format::past::{Conversions, Past, Was};
use crate::format::schema::Schema;
use crate::kind::Kind;
use crate::schema::check_tests::{Package, field};
use crate::schema::convert_tests::{UNUSED, lines, problem, traced, was};
use crate::schema::field::FieldSchema;

#[derive(Serialize, Deserialize, Debug)]
struct City {
    name: String,
}

impl FromStr for City {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(Self { name: text.to_owned() })
    }
}

impl fmt::Display for City {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl From<String> for City {
    fn from(name: String) -> Self {
        Self { name }
    }
}

impl From<City> for String {
    fn from(city: City) -> Self {
        city.name
    }
}

impl TryFrom<i64> for City {
    type Error = ();
    fn try_from(count: i64) -> Result<Self, ()> {
        Ok(Self { name: format!("{count} times") })
    }
}

impl From<u32> for City {
    fn from(number: u32) -> Self {
        Self { name: number.to_string() }
    }
}

impl From<f64> for City {
    fn from(number: f64) -> Self {
        Self { name: number.to_string() }
    }
}

#[test]
fn text_and_counters_become_encoded_and_back() {
    const CITY: &Conversions<City> = &Conversions(&[Was::<City>::text::<String>("String")]);
    const TEXT: &Conversions<String> = &Conversions(&[Was::<String>::encoded::<City>("City")]);
    const VISITS: &Conversions<u64> = &Conversions(&[Was::<u64>::counter()]);
    const COUNT: &Conversions<i64> = &Conversions(&[Was::<i64>::encoded::<u32>("u32")]);
    let text = || [FieldSchema::text::<String>("at", &[])];
    let counter = || [FieldSchema::counter::<i64>("at", &[])];
    let package = Package::new("was-text");
    package.record(&text());
    assert_eq!(
        problem(&package, &field::<City>()),
        "it was stored as text, and is encoded now: give it a new name, or say what it was: `#[redis_hash(was_text = OldType)]`"
    );
    package.record(&was::<City>(CITY, &[UNUSED]));
    assert!(lines(&package).contains(&"at: was String text".to_owned()), "{:?}", lines(&package));

    // Text that was converted once is not text again.
    let problem_of_text = problem(&package, &text());
    assert!(
        problem_of_text.contains("its type today is text, and the file says that values of that are converted"),
        "{problem_of_text}"
    );

    let package = Package::new("was-encoded");
    package.record(&field::<City>());
    package.record(&text().map(|field| field.was(TEXT, vec![Some(traced::<City>())])));

    let package = Package::new("was-counter");
    package.record(&counter());
    assert_eq!(
        problem(&package, &field::<u64>()),
        "it was stored as counter, and is encoded now: give it a new name, or say what it was: `#[redis_hash(was_counter)]`"
    );
    package.record(&was::<u64>(VISITS, &[UNUSED]));

    let package = Package::new("was-number-counter");
    package.record(&field::<u32>());
    assert_eq!(
        problem(&package, &counter()),
        "it was stored as u32, and is declared as a counter now: give it a new name, or say what it was: `#[redis_hash(was = \
         OldType)]`"
    );
    package.record(&counter().map(|field| field.was(COUNT, vec![Some(traced::<u32>())])));
}

/// A counter is also text.
#[test]
fn a_counter_that_is_read_as_other_text_is_found() {
    const TEXT: &Conversions<City> = &Conversions(&[Was::<City>::counter()]);
    let package = Package::new("was-counter-text");
    package.record(&[FieldSchema::counter::<i64>("at", &[])]);
    let text = [FieldSchema::text::<City>("at", &[]).was(TEXT, vec![None])];
    let problem = problem(&package, &text);
    assert!(problem.contains("without the conversion from `i64`, and as others than it gives"), "{problem}");
}

/// A type may have been stored in both ways.
#[test]
fn text_and_encoded_values_of_one_type_are_told_apart() {
    const BOTH: &Conversions<City> =
        &Conversions(&[Was::<City>::text::<String>("String"), Was::<City>::encoded::<String>("String")]);
    let package = Package::new("was-both");
    package.record(&[FieldSchema::text::<String>("at", &[])]);
    package.record(&was::<City>(BOTH, &[UNUSED, traced::<String>()]));
    let mut lines = lines(&package);
    lines.retain(|line| line.contains("was"));
    assert_eq!(lines, ["at: was String str", "at: was String text"]);
}

/// A number of a width that no schema has goes the same way with a file and without.
#[test]
fn a_file_does_not_change_which_type_takes_a_number() {
    const NUMBERS: &Conversions<City> =
        &Conversions(&[Was::<City>::encoded::<u32>("u32"), Was::<City>::encoded::<f64>("f64")]);
    let past =
        |kind: Kind| Past { words: String::new(), schema: Schema::of_scalar(kind), was: Some(kind.name().to_owned()) };
    let (float, number) = (past(Kind::F64), past(Kind::U32));
    for (stored, taken) in
        [(vec![Kind::U8.byte(), 5], 0), (vec![Kind::F32.byte(), 0, 0, 0, 0], 1), (vec![Kind::U32.byte(), 5], 0)]
    {
        let [without, with] =
            [&[][..], &[&float, &number]].map(|schemas| NUMBERS.take(schemas, &stored).map(|(index, _)| index));
        assert_eq!(without, with, "{stored:?}");
        assert_eq!(with, Some(taken), "{stored:?}");
    }
}
