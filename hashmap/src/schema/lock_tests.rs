//! Schema files that are damaged, merged, or of another version.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::format::past::Past;
use crate::format::schema::{Leaf, Node, Parts, Scalar, Schema, Variant};
use crate::kind::Kind;
use crate::schema::lock::{Held, Lock, Mark};
use crate::schema::sample::stored;
use crate::schema::text::{Written, write};

fn leaf(kind: Kind, accepts: Option<Scalar>) -> Node {
    Node::Scalar(Leaf { kind, accepts: accepts.into_iter().collect() })
}

/// A list of addresses, and a tree that holds itself in two ways.
fn schemas() -> [Schema; 2] {
    let field = |name: &str, id| (name.to_owned(), id);
    let addresses = vec![
        leaf(Kind::Str, None),
        leaf(Kind::U32, None),
        leaf(Kind::Str, Some(Scalar::Str("1970-01-01\"\n".to_owned()))),
        Node::Option(2),
        Node::Struct {
            name: "Address".to_owned(),
            fields: vec![field("street", 0), field("zip", 1), field("since when", 3)],
        },
        Node::Seq(4),
        leaf(Kind::Bytes, Some(Scalar::Bytes(vec![0, 255]))),
        leaf(Kind::F64, Some(Scalar::F64(1.5_f64.to_bits()))),
        Node::Tuple(vec![5, 6, 7]),
    ];
    let parts = [Parts::Unit, Parts::Unnamed(vec![3]), Parts::Named(vec![field("left", 1), field("right", 2)])];
    let names = ["Leaf", "Twig", "Branch"];
    let variants: BTreeMap<_, _> = (0..)
        .zip(names.map(str::to_owned).into_iter().zip(parts))
        .map(|(index, (name, parts))| (index, Variant { name, parts }))
        .collect();
    let tree = vec![
        Node::Option(1),
        Node::Enum { name: "Tree".to_owned(), variants },
        Node::Seq(1),
        // A cycle without a name of its own.
        Node::Map(4, 3),
        leaf(Kind::Str, None),
    ];
    [Schema { nodes: Arc::new(addresses), root: 8 }, Schema { nodes: Arc::new(tree), root: 0 }]
}

fn add(lock: &mut Lock, field: &str, schema: &Schema, was: Option<&str>, refused: &[&str]) {
    let Written { expression, types } = write(schema);
    let refused = refused.iter().map(|hash| (*hash).to_owned()).collect();
    lock.add(field, Held { mark: was.map_or(Mark::None, |was| Mark::Was(was.to_owned())), expression, refused }, types);
}

fn lock() -> Lock {
    let mut lock = Lock::default();
    let [addresses, tree] = schemas();
    add(&mut lock, "addresses", &addresses, None, &["0123abcd"]);
    add(&mut lock, "the tree", &tree, Some("Vec<Tree>"), &[]);
    add(&mut lock, "addresses", &Schema::of_scalar(Kind::Unit), Some("Old"), &["89abcdef", "0123abcd"]);
    lock
}

fn problem(file: &str) -> String {
    Lock::read(Some(file)).expect_err(file)
}

#[test]
fn a_file_reads_as_what_was_written() {
    let file = lock().write("Profile");
    assert_eq!(Lock::read(Some(&file)), Ok(lock()), "{file}");
    let parsed = lock();
    for (schema, field) in schemas().iter().zip(["addresses", "the tree"]) {
        let found = parsed.past(field);
        assert!(found.iter().any(|past| write(&past.schema) == write(schema)), "{file}");
        for past in found {
            assert!(!stored(&past.schema).is_empty());
        }
    }
}

/// Lines in any order, and lines of both sides of a merge, are one file.
#[test]
fn lines_may_be_merged_in_any_order() {
    let file = lock().write("Profile");
    let mut lines: Vec<&str> = file.lines().collect();
    lines.reverse();
    let doubled = [lines.as_slice(), lines.as_slice()].concat().join("\r\n");
    assert_eq!(Lock::read(Some(&doubled)), Ok(lock()));
    assert_eq!(Lock::read(None), Ok(Lock::default()));
    assert!(Lock::read(Some("")).is_err());
}

/// A side of a merge may not know yet that a schema is converted.
#[test]
fn what_one_side_converts_is_converted() {
    let file = lock().write("Profile");
    let other = file.replace(": was \"Vec<Tree>\" ", ": ").replace(": was Old ", ": ");
    assert_ne!(file, other);
    assert_eq!(Lock::read(Some(&format!("{other}{file}"))), Ok(lock()));
    assert_eq!(Lock::read(Some(&format!("{file}{other}"))), Ok(lock()));
    assert_eq!(problem("format 1\na: was "), "field `a`: `was` is not a type");
    assert_eq!(problem("format 1\na: was Old"), "field `a`: a name is missing at its end");
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_line() {
    let file = lock().write("Profile");
    assert_eq!(
        problem(&format!("{file}<<<<<<< HEAD\n")),
        format!(
            "line {}: this is a conflict of a merge: keep the lines of both sides, without the marks",
            file.lines().count() + 1
        )
    );
    assert_eq!(
        problem(&file.replace("format 1", "format 2")),
        "line 3: it was written by a newer version of redis-hashmap, which is needed to read it"
    );
    assert_eq!(
        problem(&file.replace("format 1\n", "")),
        "it has no line `format 1`: it was cut, or is not a schema file"
    );
    assert_eq!(problem("format 1\na: u33"), "field `a`: `u33` is not a type");
    assert_eq!(problem("format 1\na: [u8"), "field `a`: `]` is missing at its end");
    assert_eq!(problem("format 1\na: u8 u8"), "field `a`: expected the end of the line, found `u8`");
    assert_eq!(problem("format 1\na: u8 \"x\""), "field `a`: a text is not a u8");
    assert_eq!(problem("format 1\na: A.00000000"), "field `a`: `A.00000000` is not defined");
    assert_eq!(problem("format 1\nA.1 = {}\nA.1 = { a: u8 }"), "line 3: `A.1` is defined twice, and differently");
    assert_eq!(problem("format 1\nA.1 = {}"), "`A.1` does not belong to its definition, which was changed or damaged");
    assert_eq!(problem("format 1\nA.1 = A.1"), "`A.1` is only another name");
    assert_eq!(problem("format 1\nA.1 = 0 A | 0 B"), "the variant 0 is there twice");
    assert_eq!(problem("format 1\nname"), "line 2: `:` is missing at its end");
    let deep = format!("format 1\na: {}u8{}", "[".repeat(129), "]".repeat(129));
    assert_eq!(problem(&deep), "field `a`: it nests deeper than 128 levels");
}

/// A file that was cut anywhere, or in which one character was changed, is an error or what it says.
#[test]
fn no_damage_panics_or_loops() {
    let file = lock().write("Profile");
    for (at, char) in file.char_indices() {
        let _ = Lock::read(Some(&file[..at]));
        for other in ['a', '0', '"', '{', '[', '(', '?', '.', '\n', '|', ' ', '#'] {
            let damaged = format!("{}{other}{}", &file[..at], &file[at + char.len_utf8()..]);
            if let Ok(lock) = Lock::read(Some(&damaged)) {
                for Past { schema, .. } in lock.fields.keys().flat_map(|field| lock.past(field)) {
                    let _ = stored(&schema);
                }
            }
        }
    }
}

/// Texts that a type accepts can hold whatever else means something in the file.
#[test]
fn texts_are_only_texts() {
    let texts = ["all except one", "all except 0123abcd", "was Old str", "www.example1", "\"a.b\\", "# x: y = z"];
    for text in texts {
        let accepts = leaf(Kind::Str, Some(Scalar::Str(text.to_owned())));
        let schema = Schema { nodes: Arc::new(vec![accepts]), root: 0 };
        let mut lock = Lock::default();
        add(&mut lock, "motto", &schema, None, &[]);
        add(&mut lock, "other", &schema, Some("Old"), &["0123abcd"]);
        let file = lock.write("Profile");
        assert_eq!(Lock::read(Some(&file)), Ok(lock), "{file}");
    }
    let held = |expression: &str| Held::unmarked(expression.to_owned());
    assert!(!held("str \"www.example1\"").is("str \"ftp.example1\""));
    assert!(!held("str \"a\\\"b.example1\"").is("str \"a\\\"c.example1\""));
    assert!(held("{str \"a.b\" => Old.0123abcd}").is("{str \"a.b\" => New.0123abcd}"));
    let file = "\u{feff}format 1\nm: {str => exception.307c12b8}\nexception.307c12b8 = 0 A";
    let problem = problem(file);
    assert!(problem.starts_with("`exception.307c12b8` does not belong"), "{problem}");
}
