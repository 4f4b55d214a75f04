//! What is said of values of maps that change: by the test that `Evolving` generates, and by a read.

use serde::{Deserialize, Serialize};

use crate::error::fault::Fault;
use crate::format;
use crate::format::past::Conversions;
use crate::format::storage::Format;
use crate::schema::check::{SchemaProblem, trace};
use crate::schema::check_tests::Stored;
use crate::schema::evolving::{Evolving, EvolvingValue, check_value};
use crate::schema::history::History;
use crate::schema::lock::{Held, Lock};
use crate::schema::text;

/// The schema file of a program in which a field held an `Old`.
fn file<Old: Stored>(field: &str) -> &'static str {
    let written = text::write(&trace::<Old>(Vec::new()).unwrap());
    let mut lock = Lock::default();
    let held = Held::unmarked(written.expression);
    lock.add(field, held, written.types);
    lock.write("Cart").leak()
}

fn stored<T: Stored>(value: &T) -> Vec<u8> {
    let (plan, mut stored) = (format::plan(value, usize::MAX).unwrap(), Vec::new());
    format::write(value, &plan, &mut stored).unwrap();
    stored
}

/// Says that a type was another one, in a file that is only built in.
macro_rules! evolves {
    ($old:ty => $new:ty) => {
        evolves! { $old => $new, "value" }
    };
    ($old:ty => $new:ty, $field:literal) => {
        impl EvolvingValue for $new {
            fn check_schema() -> Result<(), SchemaProblem> {
                check_value::<Self>("redis-hash/Cart.schema", "/nowhere", &[], &[])
            }

            fn __past() -> (&'static History, &'static Conversions<Self>) {
                (Box::leak(Box::new(History::new(Some(file::<$old>($field))))), &Conversions(&[]))
            }
        }
    };
}

mod old {
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    pub(super) struct Cart {
        pub(super) items: Vec<String>,
        pub(super) note: String,
    }
}

fn problem<V: EvolvingValue>() -> String {
    let problem = V::check_schema().unwrap_err().to_string();
    assert!(!problem.contains("redis_hash("), "{problem}");
    problem
}

#[test]
fn a_field_that_would_be_lost_is_named() {
    #[derive(Serialize, Deserialize)]
    struct Cart {
        items: Vec<String>,
    }
    evolves! { old::Cart => Cart }
    let problem = problem::<Cart>();
    assert!(
        problem.starts_with("`Cart` cannot read what its older versions stored:\n  - field `value`: "),
        "{problem}"
    );
    assert!(
        problem.ends_with(
            "`Cart.note` would be lost; if it was renamed, say `#[serde(alias = \"note\")]` on the field that it has become, and if \
             it is to be lost, `#[evolving(removed = \"Cart.note\")]` on the type"
        ),
        "{problem}"
    );
}

/// The error of a read and that of the test name the same attribute, and show no value.
#[test]
fn another_meaning_needs_a_conversion() {
    #[derive(Serialize, Deserialize, Debug)]
    struct Cart {
        items: Vec<String>,
        note: Vec<u8>,
    }
    evolves! { old::Cart => Cart }
    let cure = "convert what was stored by `#[evolving(was = OldType)]` on the type, or store the new type in a map at another key";
    let problem = problem::<Cart>();
    assert!(problem.ends_with(cure), "{problem}");

    let old = old::Cart { items: vec!["secret".to_owned()], note: "secret".to_owned() };
    let stored = stored(&old);
    let Err(Fault::OtherShape { problem, .. }) = <Evolving<Cart> as Format<Cart>>::decode(&stored) else { panic!() };
    assert!(problem.starts_with("it was stored as Cart.") && problem.ends_with(cure), "{problem}");
    assert!(!problem.contains("secret"), "{problem}");
}

#[test]
fn a_type_that_has_no_sample_is_told_how_to_give_one() {
    #[derive(Serialize, Deserialize, Debug)]
    #[serde(try_from = "String")]
    struct Odd(String);
    impl TryFrom<String> for Odd {
        type Error = &'static str;

        fn try_from(text: String) -> Result<Self, &'static str> {
            if text == "7f3a9c" { Ok(Self(text)) } else { Err("another text") }
        }
    }
    evolves! { String => Odd }
    let problem = problem::<Odd>();
    assert!(
        problem.ends_with("give a value with `#[evolving(sample = …)]`, or hold it in a map without `Evolving`"),
        "{problem}"
    );
}

#[test]
fn the_file_of_a_record_is_not_that_of_values() {
    #[derive(Serialize, Deserialize)]
    struct Cart {
        items: Vec<String>,
    }
    evolves! { old::Cart => Cart, "cart" }
    assert_eq!(
        Cart::check_schema().unwrap_err().to_string(),
        "redis-hash/Cart.schema is the schema file of a record, which has the field `cart`: give the values of maps one of their \
         own, as in `#[evolving(schema = \"redis-hash/Value.schema\")]`"
    );
}

/// Values of today are as in a map without `Evolving`.
#[test]
fn a_damaged_file_says_so_where_it_is_needed() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Count {
        count: u8,
    }
    impl EvolvingValue for Count {
        fn check_schema() -> Result<(), SchemaProblem> {
            Ok(())
        }

        fn __past() -> (&'static History, &'static Conversions<Self>) {
            static HISTORY: History = History::new(Some("value: u8"));
            (&HISTORY, &Conversions(&[]))
        }
    }
    let today = stored(&Count { count: 1 });
    assert_eq!(<Evolving<Count> as Format<Count>>::decode(&today), Ok(Count { count: 1 }));
    let other = stored(&old::Cart { items: Vec::new(), note: String::new() });
    let Err(Fault::OtherShape { problem, .. }) = <Evolving<Count> as Format<Count>>::decode(&other) else { panic!() };
    assert!(problem.contains("its schema file cannot be used: it has no line `format 1`"), "{problem}");
}
