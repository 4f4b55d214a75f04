//! A user's workspace whose types change: the test that `schema` generates, in each place where it can stand, what it says,
//! and two versions of a program on one file.
//!
//! The workspace is built as a user would build it, in a folder of its own, from the sources of this one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use redis_hashmap_tests::AnyError;

type Test = Result<(), AnyError>;

/// A record, with what is to be the type of one of its fields.
fn record(name: &str, attributes: &str) -> String {
    format!(
        "#[derive(redis_hashmap::RedisHash)]\n#[redis_hash({attributes})]\npub struct {name} {{\n    pub addresses: Vec<Address>,\n}}\n"
    )
}

/// A type of a map's values, with what is to be the type of one of its fields.
fn value(name: &str) -> String {
    format!(
        "#[derive(redis_hashmap::Evolving, serde::Serialize, serde::Deserialize, Debug)]\n#[evolving(crate = \"store\")]\npub struct \
         {name} {{\n    pub address: Address,\n}}\n"
    )
}

const ADDRESS: &str = "#[derive(serde::Serialize, serde::Deserialize, Debug)]\npub struct Address {\n    pub street: String,\n    \
                       pub zip: u32,\n}\n";

struct Workspace(PathBuf);

impl Workspace {
    fn new() -> Result<Self, AnyError> {
        let this = Self(std::env::temp_dir().join(format!("redis-hashmap-evolving-{}", std::process::id())));
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
        let _ = fs::remove_dir_all(&this.0);
        this.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"app\", \"library\"]\n")?;
        // The versions that are tested here.
        fs::copy(root.join("Cargo.lock"), this.0.join("Cargo.lock"))?;
        let package = |name: &str, dependency: &str, more: &str| {
            format!(
                "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\nserde = {{ version = \"1\", \
                 features = [\"derive\"] }}\n{dependency} = {{ package = \"redis-hashmap\", path = \"{}\", default-features = false, \
                 features = [\"embedded\"] }}\n{more}",
                root.join("hashmap").display()
            )
        };
        // One has it under another name.
        this.write("library/Cargo.toml", &package("library", "store", ""))?;
        this.write("app/Cargo.toml", &package("app", "redis-hashmap", "library = { path = \"../library\" }\n"))?;
        Ok(this)
    }

    fn write(&self, path: &str, text: &str) -> Test {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().ok_or("a folder")?)?;
        Ok(fs::write(path, text)?)
    }

    fn read(&self, path: &str) -> Result<String, AnyError> {
        Ok(fs::read_to_string(self.0.join(path)).map_err(|error| format!("{path}: {error}"))?)
    }

    /// Writes all sources, with this as the nested type.
    fn sources(&self, address: &str) -> Test {
        let renamed = |text: String| text.replace("redis_hashmap::", "store::");
        let library = format!(
            "mod private {{\n    use super::Address;\n    {}}}\n{}{}{address}#[cfg(test)]\nmod tests {{\n    #[test]\n    fn in_a_function() \
             {{\n        use super::Address;\n        {}        InFunction::check_schema().unwrap();\n    }}\n}}\n",
            record("InPrivateModule", "schema, crate = \"store\""),
            record("InLibrary", "schema, crate = \"store\""),
            value("InMap"),
            record("InFunction", "schema = \"schemas/in function.txt\", crate = \"store\""),
        );
        self.write("library/src/lib.rs", &renamed(library))?;
        let integration = format!("use library::Address;\n{}", record("InTests", "schema, crate = \"store\""));
        self.write("library/tests/integration.rs", &renamed(integration))?;
        let main = format!(
            "{}use library::Address;\nfn main() -> Result<(), redis_hashmap::Error> {{\n    let args: Vec<String> = \
             std::env::args().collect();\n    let record = InProgram::at(\"key\").on(redis_hashmap::open(&args[1])?);\n    \
             if args.len() > 2 {{\n        record.set_all(&InProgram {{ addresses: \
             vec![address(&args[2])] }})?;\n    }}\n    println!(\"{{:?}}\", record.addresses().get()?);\n    Ok(())\n}}\n\
             fn address(street: &str) -> Address {{\n    Address {{ street: street.to_owned(), zip: 10_115 }}\n}}\n",
            record("InProgram", "schema")
        );
        let main = if address == ADDRESS {
            main
        } else {
            main.replace(
                "street: street.to_owned(), zip: 10_115",
                "zip: 1, line1: street.to_owned(), country: String::new()",
            )
        };
        self.write("app/src/main.rs", &main)
    }

    fn cargo(&self, args: &[&str], records: bool) -> Result<(bool, String), AnyError> {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("evolving");
        let mut command = Command::new(env!("CARGO"));
        command.args(&args[..1]).arg("--offline").args(&args[1..]).current_dir(&self.0).env("CARGO_TARGET_DIR", target);
        command.env_remove("REDIS_HASH_SCHEMA").env_remove("RUSTFLAGS");
        if records {
            command.env("REDIS_HASH_SCHEMA", "record");
        }
        let output = command.output()?;
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        Ok((output.status.success(), said))
    }

    /// Runs all tests. Returns what they say.
    fn test(&self, records: bool) -> Result<(bool, String), AnyError> {
        self.cargo(&["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests"], records)
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const RECORDS: [(&str, &str); 5] = [
    ("InPrivateModule", "library/redis-hash/InPrivateModule.schema"),
    ("InLibrary", "library/redis-hash/InLibrary.schema"),
    ("InFunction", "library/schemas/in function.txt"),
    ("InTests", "library/redis-hash/InTests.schema"),
    ("InProgram", "app/redis-hash/InProgram.schema"),
];

/// The file of a map's values.
const IN_MAP: &str = "library/redis-hash/InMap.schema";

#[track_caller]
fn says(said: &str, what: impl Fn(&str) -> String) {
    for (record, _) in RECORDS {
        assert!(said.contains(&what(record)), "{record}: {:?} is missing in\n{said}", what(record));
    }
}

#[test]
fn a_program_that_changes_reads_what_it_stored() -> Test {
    let workspace = Workspace::new()?;
    workspace.sources(ADDRESS)?;

    // The first time.
    let (passed, said) = workspace.test(false)?;
    assert!(!passed);
    says(&said, |record| {
        format!("the schema of `{record}` is not recorded yet: run `REDIS_HASH_SCHEMA=record cargo test`")
    });
    let (passed, said) = workspace.test(true)?;
    assert!(passed, "{said}");
    assert!(workspace.read(IN_MAP)?.ends_with(
        "format 1\nvalue: InMap.6bf7e9f1\nAddress.6860391f = { street: str, zip: u32 }\nInMap.6bf7e9f1 = { address: Address.6860391f }\n"
    ), "{}", workspace.read(IN_MAP)?);
    for (record, path) in RECORDS {
        let file = workspace.read(path)?;
        assert!(
            file.ends_with("format 1\naddresses: [Address.6860391f]\nAddress.6860391f = { street: str, zip: u32 }\n"),
            "{record}: {file}"
        );
    }
    let (passed, said) = workspace.test(false)?;
    assert!(passed, "{said}");

    // Version 1 stores a value.
    let file = workspace.0.join("data.redb");
    let url = format!("file:{}", file.display());
    let (passed, said) = workspace.cargo(&["run", "-q", "-p", "app", "--", &url, "1 Main St"], false)?;
    assert!(passed, "{said}");

    // A mistake.
    let grown = "#[derive(serde::Serialize, serde::Deserialize, Debug)]\npub struct Address {\n    pub zip: u64,\n    \
                 #[serde(alias = \"street\")]\n    pub line1: String,\n    pub country: String,\n}\n";
    workspace.sources(grown)?;
    let (passed, said) = workspace.test(true)?;
    assert!(!passed);
    says(&said, |record| {
        format!(
            "`{record}` cannot read what its older versions stored:\n  - field `addresses`: what was stored as [Address.6860391f] = {{ \
             street: str, zip: u32 }} is not read as `Vec<Address>`: it has no field `country`; say `#[serde(default)]` on `country` or \
             make it an `Option`, or, if it had another name, `#[serde(alias = \"…\")]`"
        )
    });
    let in_map = "`InMap` cannot read what its older versions stored:\n  - field `value`: what was stored as InMap.";
    assert!(said.contains(in_map), "{said}");
    // A program that ignores that is told when it reads.
    let (passed, said) = workspace.cargo(&["run", "-q", "-p", "app", "--", &url], false)?;
    assert!(!passed && said.contains("it was stored as [Address.6860391f] = { street: str, zip: u32 }: it has no field `country`; say `#[serde(default)]`"), "{said}");

    // It is mended, and recorded.
    workspace.sources(&grown.replace("    pub country", "    #[serde(default)]\n    pub country"))?;
    let (passed, said) = workspace.test(false)?;
    assert!(!passed);
    says(&said, |record| {
        format!("the schema of `{record}` has changed, and reads all that was stored: run `REDIS_HASH_SCHEMA=record")
    });
    assert!(workspace.test(true)?.0);
    let (passed, said) = workspace.test(false)?;
    assert!(passed, "{said}");
    for (_, path) in RECORDS {
        assert_eq!(workspace.read(path)?.lines().filter(|line| line.starts_with("addresses: ")).count(), 2);
    }

    assert_eq!(workspace.read(IN_MAP)?.lines().filter(|line| line.starts_with("value: ")).count(), 2);

    // Version 2 reads what version 1 has stored.
    let (passed, said) = workspace.cargo(&["run", "-q", "-p", "app", "--", &url], false)?;
    assert!(passed && said.contains(r#"Some([Address { zip: 10115, line1: "1 Main St", country: "" }])"#), "{said}");
    Ok(())
}
