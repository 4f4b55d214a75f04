//! What the generated test says of a record that changes.

use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::schema::check::{RecordSchema, check_and, trace};
use crate::schema::field::FieldSchema;
use crate::schema::history::History;

/// A type that can be stored.
pub(super) trait Stored: Serialize + DeserializeOwned + Send + 'static {}
impl<T: Serialize + DeserializeOwned + Send + 'static> Stored for T {}

/// A folder of its own for each test.
pub(super) struct Package(PathBuf);

impl Package {
    pub(super) fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("redis-hashmap-schema-{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        Self(folder)
    }

    pub(super) fn file(&self) -> PathBuf {
        self.0.join("redis-hash/Profile.schema")
    }

    /// What the test of a program says whose record has these fields, built after the last change of the file.
    pub(super) fn check(&self, fields: &[FieldSchema], removed: &[&str], records: bool) -> Result<(), String> {
        self.tells(fields, removed, records).map(drop)
    }

    /// And what it tells beside.
    pub(super) fn tells(&self, fields: &[FieldSchema], removed: &[&str], records: bool) -> Result<Vec<String>, String> {
        let file = std::fs::read_to_string(self.file()).ok().map(|file| &*file.leak());
        let schema = RecordSchema {
            record: "Profile",
            package: self.0.to_str().unwrap(),
            path: "redis-hash/Profile.schema",
            history: &History::new(file),
            removed,
            fields,
        };
        check_and(&schema, records)
    }

    pub(super) fn record(&self, fields: &[FieldSchema]) {
        assert_eq!(self.check(fields, &[], true), Ok(()));
        assert_eq!(self.check(fields, &[], false), Ok(()));
    }
}

impl Drop for Package {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) fn field<T: Stored>() -> [FieldSchema; 1] {
    [FieldSchema::encoded::<T>("at", &[], || trace::<T>(Vec::new()))]
}

/// What is said of a field that was an `Old` and is a `New`, without what is said of each field.
pub(super) fn problem<Old: Stored, New: Stored>(test: &str) -> String {
    let package = Package::new(test);
    package.record(&field::<Old>());
    let problem = package.check(&field::<New>(), &[], false).unwrap_err();
    assert_eq!(package.check(&field::<New>(), &[], true), Err(problem.clone()), "what cannot be read is not recorded");
    let (_, problem) = problem.split_once(":\n  - field `at`: what was stored as ").expect(&problem);
    let (_, problem) = problem.split_once(" is not read as `").expect(problem);
    let (_, problem) = problem.split_once("`: ").expect(problem);
    problem.to_owned()
}

/// A field that was an `Old` can be a `New`.
pub(super) fn is_fine<Old: Stored, New: Stored>(test: &str) {
    let package = Package::new(test);
    package.record(&field::<Old>());
    let changed = "the schema of `Profile` has changed, and reads all that was stored: run `REDIS_HASH_SCHEMA=record cargo \
                   test`, and commit redis-hash/Profile.schema";
    assert_eq!(package.check(&field::<New>(), &[], false), Err(changed.to_owned()));
    package.record(&field::<New>());
    let file = std::fs::read_to_string(package.file()).unwrap();
    assert_eq!(file.lines().filter(|line| line.starts_with("at: ")).count(), 2, "{file}");
}

#[derive(Serialize, Deserialize)]
struct Address {
    street: String,
    zip: u32,
}

#[test]
fn a_first_schema_is_recorded() {
    let package = Package::new("first");
    let fields = field::<Vec<Address>>();
    let missing = "the schema of `Profile` is not recorded yet: run `REDIS_HASH_SCHEMA=record cargo test`, and commit \
                   redis-hash/Profile.schema";
    assert_eq!(package.check(&fields, &[], false), Err(missing.to_owned()));
    assert!(!package.file().exists());
    package.record(&fields);
    let file = std::fs::read_to_string(package.file()).unwrap();
    assert!(
        file.ends_with("format 1\nat: [Address.6860391f]\nAddress.6860391f = { street: str, zip: u32 }\n"),
        "{file}"
    );
}

#[test]
fn what_reads_by_itself_is_fine() {
    #[derive(Serialize, Deserialize)]
    struct Grown {
        zip: u64,
        #[serde(alias = "street")]
        line1: String,
        note: Option<String>,
        #[serde(default)]
        tags: Vec<String>,
    }
    is_fine::<Address, Grown>("grown");
    is_fine::<Vec<Address>, Vec<Option<Grown>>>("grown-list");
    is_fine::<u8, u32>("wider");
    is_fine::<f32, f64>("wider-float");
    is_fine::<u8, f32>("float");
    is_fine::<char, String>("text");
    is_fine::<Vec<u8>, std::collections::VecDeque<u16>>("queue");
    is_fine::<(u8, String), (u16, String)>("tuple");
    is_fine::<std::collections::BTreeMap<u8, u8>, std::collections::HashMap<u16, Option<u8>>>("map");
}

#[test]
fn a_new_required_field_needs_a_default() {
    #[derive(Serialize, Deserialize)]
    struct New {
        street: String,
        zip: u32,
        country: String,
    }
    assert_eq!(
        problem::<Address, New>("required"),
        "it has no field `country`; say `#[serde(default)]` on `country` or make it an `Option`, or, if it had another name, \
         `#[serde(alias = \"…\")]`"
    );
}

#[test]
fn a_field_that_would_be_lost_is_named() {
    #[derive(Serialize, Deserialize)]
    struct Lost {
        street: String,
    }
    let told = "`Address.zip` would be lost; if it was renamed, say `#[serde(alias = \"zip\")]` on the field that it has \
                become, and if it is to be lost, `#[redis_hash(removed = \"Address.zip\")]` on the record";
    assert_eq!(problem::<Vec<Address>, Vec<Lost>>("lost"), told);
    let package = Package::new("lost-on-purpose");
    package.record(&field::<Address>());
    assert!(package.check(&field::<Lost>(), &["Address.zip"], true).is_ok());
    assert!(package.check(&field::<Lost>(), &["Address.zip"], false).is_ok());
    assert!(package.check(&field::<Lost>(), &[], false).is_err());
}

#[test]
fn a_variant_that_is_gone_is_named() {
    #[derive(Serialize, Deserialize)]
    enum Theme {
        Light,
        Dark(u8),
    }
    #[derive(Serialize, Deserialize)]
    enum Gone {
        Light,
    }
    #[derive(Serialize, Deserialize)]
    enum Empty {
        Light,
        Dark,
    }
    #[derive(Serialize, Deserialize)]
    enum Renamed {
        #[serde(alias = "Dark")]
        Night(Option<u16>),
        Light,
        Auto {},
    }
    assert_eq!(
        problem::<Theme, Gone>("variant"),
        "a variant `Theme::Dark` is not one of its variants; keep it, or say `#[serde(alias = \"…\")]` on the variant that it \
         has become"
    );
    assert!(problem::<Theme, Empty>("emptied").contains("it holds no valid variant"));
    is_fine::<Theme, Renamed>("renamed");
}

#[test]
fn a_number_that_does_not_fit_is_named() {
    #[derive(Serialize, Deserialize)]
    struct Narrow {
        street: String,
        zip: u16,
    }
    assert_eq!(
        problem::<Address, Narrow>("narrow"),
        "in `Address.zip`, a number in it does not fit a `u16` exactly; keep the wider type"
    );
}

#[test]
fn another_type_is_told_from_where_it_stands() {
    #[derive(Serialize, Deserialize)]
    struct Other {
        street: bool,
        zip: u32,
    }
    assert_eq!(
        problem::<Address, Other>("other"),
        "in `Address.street`, a text is stored where it expects something else; keep the type, convert what was stored by \
         `#[redis_hash(was = OldType)]` on the field, or store the new type in a field of another name"
    );
}

/// A type that takes only some texts is tried on one of those that the type before it took.
#[test]
fn rules_of_a_type_are_known() {
    #[derive(Serialize, Deserialize)]
    #[serde(try_from = "String", into = "String")]
    #[derive(Clone)]
    struct Email(String);
    impl TryFrom<String> for Email {
        type Error = &'static str;
        fn try_from(text: String) -> Result<Self, &'static str> {
            if text.contains('@') { Ok(Self(text)) } else { Err("not an e-mail") }
        }
    }
    impl From<Email> for String {
        fn from(email: Email) -> Self {
            email.0
        }
    }
    #[derive(Serialize, Deserialize)]
    struct Old {
        email: Email,
    }
    #[derive(Serialize, Deserialize)]
    struct New {
        #[serde(default)]
        name: String,
        email: Email,
    }
    #[derive(Serialize, Deserialize)]
    struct Plain {
        email: String,
    }
    is_fine::<Old, New>("rules");
    is_fine::<Old, Plain>("rules-gone");
    assert!(problem::<Plain, New>("rules-new").starts_with("in `Plain.email`, its Deserialize refused it"));
}

/// A type that takes only so many, or so long ones, is found too.
#[test]
fn limits_of_a_new_type_are_found() {
    #[derive(Serialize, Deserialize)]
    #[serde(try_from = "String", into = "String")]
    #[derive(Clone)]
    struct Short(String);
    impl TryFrom<String> for Short {
        type Error = &'static str;
        fn try_from(text: String) -> Result<Self, &'static str> {
            if text.len() <= 64 { Ok(Self(text)) } else { Err("too long") }
        }
    }
    impl From<Short> for String {
        fn from(short: Short) -> Self {
            short.0
        }
    }
    #[derive(Serialize, Deserialize)]
    struct Few([u8; 1]);
    assert!(problem::<String, Short>("short").contains("Deserialize refused it"));
    assert!(problem::<Vec<u8>, Few>("few").contains("keep the type"));
    assert!(problem::<[u8; 2], [u8; 3]>("more").contains("keep the type"));
}

/// Fields of the record itself: renamed, removed, stored in another way.
#[test]
fn fields_of_the_record_are_kept_in_view() {
    let package = Package::new("fields");
    let nick = FieldSchema::encoded::<String>("nick", &[], || trace::<String>(Vec::new()));
    package.record(&[nick, FieldSchema::counter::<i64>("visits", &[]), FieldSchema::text::<String>("city", &[])]);
    let others = || [FieldSchema::counter::<i64>("visits", &[]), FieldSchema::text::<String>("city", &[])];
    let renamed = |aliases: &'static [&'static str]| {
        let [visits, city] = others();
        [FieldSchema::encoded::<String>("name", aliases, || trace::<String>(Vec::new())), visits, city]
    };
    assert_eq!(
        package.check(&renamed(&[]), &[], true).unwrap_err(),
        "`Profile` cannot read what its older versions stored:\n  - field `nick` was stored, and the record no longer has it; if it \
         was renamed, say `#[redis_hash(alias = \"nick\")]` on the field that it has become, and if it is gone, \
         `#[redis_hash(removed = \"nick\")]` on the record; if another record of this name uses the file, give one of them \
         `schema = \"path\"`"
    );
    assert!(package.check(&renamed(&[]), &["nick"], false).unwrap_err().contains("reads all that was stored"));
    assert_eq!(package.check(&others(), &["nick"], false), Ok(()));
    package.record(&renamed(&["nick"]));

    let package = Package::new("storages");
    package.record(&[FieldSchema::counter::<i64>("visits", &[]), FieldSchema::text::<String>("city", &[])]);
    let encoded = [
        FieldSchema::encoded::<u64>("visits", &[], || trace::<u64>(Vec::new())),
        FieldSchema::counter::<i64>("city", &[]),
    ];
    let problem = package.check(&encoded, &[], true).unwrap_err();
    assert!(
        problem.contains("field `visits`: it was stored as counter, and is encoded now: give it a new name"),
        "{problem}"
    );
    assert!(problem.contains("field `city`: it was stored as text, and is declared as a counter now"), "{problem}");
}

#[test]
fn a_damaged_file_is_told() {
    let package = Package::new("damaged");
    package.record(&field::<u8>());
    std::fs::write(package.file(), "format 1\nat: u9\n").unwrap();
    assert_eq!(
        package.check(&field::<u8>(), &[], true).unwrap_err(),
        "the schema file redis-hash/Profile.schema of `Profile` cannot be used: field `at`: `u9` is not a type"
    );
}

/// A program that was built before the file was changed does not know it.
#[test]
fn a_program_knows_the_file_it_was_built_with() {
    let package = Package::new("stale");
    package.record(&field::<u8>());
    let schema = |history, fields| RecordSchema {
        record: "Profile",
        package: package.0.to_str().unwrap(),
        path: "redis-hash/Profile.schema",
        history,
        removed: &[],
        fields,
    };
    // The first time, there was none, and none is needed.
    let (none, fields) = (History::new(None), field::<u8>());
    assert_eq!(check_and(&schema(&none, &fields), false), Ok(Vec::new()));
    package.record(&field::<u16>());
    let fields = field::<u16>();
    assert!(check_and(&schema(&none, &fields), false).unwrap_err().contains("build it again"));
}
