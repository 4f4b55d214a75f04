//! Types with rules, types that hold themselves, and what would be lost in silence.

use std::collections::{BTreeMap, BTreeSet};
use std::num::{NonZeroU8, NonZeroU32};

use serde::{Deserialize, Deserializer, Serialize};

use crate::schema::check_tests::{Package, Stored, field, is_fine, problem};

#[derive(Serialize, Deserialize)]
enum List {
    Cons(u8, Box<List>),
    Nil,
}

#[test]
fn a_type_that_holds_itself_ends() {
    #[derive(Serialize, Deserialize)]
    enum Longer {
        Nil,
        Cons(u16, Box<Longer>),
    }
    #[derive(Serialize, Deserialize)]
    enum Tree {
        Node(Box<Tree>, Box<Tree>),
        Leaf,
    }
    is_fine::<List, Longer>("list");
    Package::new("tree").record(&field::<Tree>());
}

/// What stands at a second place in such a type is varied there too.
#[test]
fn each_place_of_a_type_that_holds_itself_is_tried() {
    #[derive(Serialize, Deserialize)]
    enum Old {
        Lit(u64),
        Neg { e: Box<Old>, note: String },
        Add(Box<Old>, Box<Old>),
    }
    #[derive(Serialize, Deserialize)]
    enum New {
        Lit(u64),
        Neg { e: Box<New>, note: String },
        Add(Box<New>, Box<Atom>),
    }
    #[derive(Serialize, Deserialize)]
    enum Atom {
        Lit(u64),
        Neg { e: Box<New> },
        Add(Box<New>, Box<Atom>),
    }
    assert!(problem::<Old, New>("second-place").contains("`Old::Neg.note` would be lost"));
}

/// An entry of a map for which a struct has no field would be lost.
#[test]
fn a_map_does_not_become_a_struct_in_silence() {
    #[derive(Serialize, Deserialize)]
    struct Volume {
        #[serde(default)]
        volume: u32,
    }
    assert_eq!(problem::<BTreeMap<String, u32>, Volume>("map"), "an entry of a map would be lost; keep the map");
}

#[test]
fn a_number_with_rules_is_tried_at_its_width() {
    assert!(problem::<NonZeroU32, NonZeroU8>("non-zero").contains("does not fit"));
    is_fine::<NonZeroU8, NonZeroU32>("non-zero-wider");
}

fn mail<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let mail: Option<String> = Option::deserialize(from)?;
    if mail.as_ref().is_none_or(|mail| mail.contains('@')) {
        Ok(mail)
    } else {
        Err(serde::de::Error::custom("no mail"))
    }
}

#[derive(Serialize, Deserialize)]
struct Contact {
    #[serde(deserialize_with = "mail")]
    mail: Option<String>,
    nick: Option<String>,
}

#[derive(Serialize, Deserialize, Clone)]
#[serde(try_from = "(u8, Option<u8>)", into = "(u8, Option<u8>)")]
struct Schedule(u8, Option<u8>);

impl TryFrom<(u8, Option<u8>)> for Schedule {
    type Error = &'static str;

    fn try_from((kind, day): (u8, Option<u8>)) -> Result<Self, &'static str> {
        if kind != 1 || day.is_some() { Ok(Self(kind, day)) } else { Err("weekly on which day?") }
    }
}

impl From<Schedule> for (u8, Option<u8>) {
    fn from(schedule: Schedule) -> Self {
        (schedule.0, schedule.1)
    }
}

/// What the type itself refuses is not held against it, and what it takes is.
#[test]
fn rules_for_several_values_are_known() {
    #[derive(Serialize, Deserialize)]
    struct Grown {
        #[serde(default, deserialize_with = "mail")]
        mail: Option<String>,
        nick: Option<String>,
        note: Option<String>,
    }
    is_fine::<Contact, Grown>("contact");
    Package::new("schedule").record(&field::<Schedule>());
    is_fine::<Schedule, (u16, Option<u8>)>("schedule-gone");
    assert!(problem::<(u8, Option<u8>), Schedule>("schedule-new").contains("Deserialize refused it"));
}

/// A type that panics refuses a value, whatever it says.
#[test]
fn a_type_that_panics_is_told() {
    #[derive(Serialize, Deserialize, Clone)]
    #[serde(from = "u8", into = "u8")]
    struct Small(u8);
    impl From<u8> for Small {
        fn from(number: u8) -> Self {
            assert!(number < 100, "too large");
            Self(number)
        }
    }
    impl From<Small> for u8 {
        fn from(small: Small) -> Self {
            small.0
        }
    }
    assert!(problem::<u8, Small>("panics").contains("it panics; let it return an error"));
}

/// The name of a nested type is not stored, so another one changes nothing.
#[test]
fn a_nested_type_may_be_renamed() {
    mod before {
        use serde::{Deserialize, Serialize};
        #[derive(Serialize, Deserialize)]
        pub(super) struct Inner {
            pub(super) a: u8,
        }
        #[derive(Serialize, Deserialize)]
        pub(super) struct Outer {
            pub(super) inner: Inner,
        }
    }
    #[derive(Serialize, Deserialize)]
    struct Renamed {
        a: u8,
    }
    #[derive(Serialize, Deserialize)]
    struct Outer {
        inner: Renamed,
    }
    let package = Package::new("renamed-type");
    package.record(&field::<before::Outer>());
    let file = std::fs::read_to_string(package.file()).unwrap();
    assert_eq!(package.check(&field::<Outer>(), &[], false), Ok(()));
    // Somebody has recorded it with the other name: both lines are kept by a merge.
    let other = Package::new("renamed-type-too");
    other.record(&field::<Outer>());
    std::fs::write(package.file(), file + &std::fs::read_to_string(other.file()).unwrap()).unwrap();
    assert_eq!(package.check(&field::<Outer>(), &[], false), Ok(()));
}

#[test]
fn a_file_that_was_emptied_is_told() {
    let package = Package::new("emptied-file");
    package.record(&field::<List>());
    std::fs::write(package.file(), "\n").unwrap();
    let problem = package.check(&field::<List>(), &[], true).unwrap_err();
    assert!(problem.contains("it has no line `format 1`"), "{problem}");
}

/// A field of one variant that is to be lost says nothing of another one of its name.
#[test]
fn a_field_of_a_variant_is_removed_by_itself() {
    #[derive(Serialize, Deserialize)]
    enum Old {
        A { note: String },
        B { note: String },
    }
    #[derive(Serialize, Deserialize)]
    enum New {
        A {},
        B {},
    }
    let package = Package::new("variants");
    package.record(&field::<Old>());
    let problem = package.check(&field::<New>(), &["Old::A.note"], false).unwrap_err();
    assert!(problem.contains("`Old::B.note` would be lost") && !problem.contains("`Old::A.note`"), "{problem}");
    assert_eq!(package.check(&field::<New>(), &["Old::A.note", "Old::B.note"], true), Ok(()));
}

#[test]
fn a_removed_field_has_been_there() {
    let package = Package::new("never-there");
    package.record(&field::<u8>());
    let problem = package.check(&field::<u8>(), &["at.x"], false).unwrap_err();
    assert!(problem.contains("`removed = \"at.x\"` names nothing that was stored: remove it"), "{problem}");
}

/// What is told when an older type is recorded to be read as another one.
fn told<Old: Stored, New: Stored>(test: &str) -> Vec<String> {
    let package = Package::new(test);
    package.record(&field::<Old>());
    let mut told = package.tells(&field::<New>(), &[], true).unwrap();
    assert!(told.pop().unwrap().starts_with("recorded the schema of `Profile`"));
    assert_eq!(package.tells(&field::<New>(), &[], false), Ok(Vec::new()), "it is told once");
    told
}

/// What serde accepts from JSON too, and what a careful user wants to know.
#[test]
fn what_is_taken_with_a_loss_is_told() {
    #[derive(Serialize, Deserialize)]
    struct Place {
        lon: f64,
        lat: f64,
    }
    #[derive(Serialize, Deserialize)]
    struct Old {
        tags: Vec<String>,
        at: Option<(f64, f64)>,
        other: Vec<u8>,
    }
    #[derive(Serialize, Deserialize)]
    struct New {
        tags: BTreeSet<String>,
        at: Option<Place>,
        other: Vec<u16>,
    }
    let told = told::<Old, New>("loss");
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].ends_with("is read as `New`, elements can be lost, as where equal ones become one"), "{told:?}");
    assert!(
        told[1].ends_with(
            "is read as `New`, the fields of `Place` are taken from a tuple, in the order in which they are declared: lon, lat"
        ),
        "{told:?}"
    );
}

#[test]
fn nothing_is_told_where_nothing_is_lost() {
    #[derive(Serialize, Deserialize)]
    struct Old {
        tags: BTreeSet<u8>,
        by_name: BTreeMap<String, Vec<u8>>,
        at: (u8, u8),
    }
    #[derive(Serialize, Deserialize)]
    struct New {
        at: (u16, u16),
        tags: Vec<u8>,
        by_name: BTreeMap<String, Option<Vec<u16>>>,
        #[serde(default)]
        more: Vec<u8>,
    }
    assert_eq!(told::<Old, New>("no-loss"), Vec::<String>::new());
}
