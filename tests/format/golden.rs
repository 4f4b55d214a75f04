//! Golden bytes. A change here would change what is stored in every user's Redis, so it must not happen.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use redis_hashmap::Value;
use serde::{Deserialize, Serialize};

use crate::stored::{decode, encode, hex};

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Point {
    x: i32,
    y: i32,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Meters(f64);

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Pair(u8, String);

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Nothing;

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Nested {
    name: String,
    points: Vec<Point>,
    tag: Option<Theme>,
    extra: Value,
}

/// The length of its field's name takes two bytes of what is digested.
#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct LongName {
    #[serde(
        rename = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
    )]
    field: u8,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
enum Theme {
    Light,
    Dark,
    Custom(u32),
    Mixed(u8, u8),
    Named { r: u8, g: u8 },
}

fn tree() -> Value {
    Value::Map(vec![
        ("theme".into(), "dark".into()),
        ("sizes".into(), Value::from_iter([10_u8, 12])),
        (1_u64.into(), Value::Unit),
        ("bytes".into(), Value::Bytes(vec![0, 255])),
    ])
}

/// Checks that each value is stored as its vector says, and that the vector reads back as the value.
macro_rules! golden {
    ($vectors:ident: $($name:literal => $value:expr;)*) => {
        $({
            let value = $value;
            let expected = $vectors.remove($name).unwrap_or_else(|| panic!("no vector {:?}: {}", $name, hex(&encode(&value))));
            assert_eq!(hex(&encode(&value)), expected, "{}", $name);
            let back = same_type(&value, decode(&encode(&value)));
            assert_eq!(back, value, "{}", $name);
        })*
    };
}

fn same_type<T>(_: &T, result: Result<T, redis_hashmap::Error>) -> T {
    result.unwrap()
}

fn vectors_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("format/vectors.json")
}

#[test]
#[expect(clippy::float_cmp, reason = "the very bits come back")]
fn every_value_is_stored_as_its_vector() {
    let json: Vec<serde_json::Value> = serde_json::from_str(&std::fs::read_to_string(vectors_path()).unwrap()).unwrap();
    let mut vectors: BTreeMap<&str, &str> =
        json.iter().map(|vector| (vector["name"].as_str().unwrap(), vector["stored"].as_str().unwrap())).collect();
    assert_eq!(vectors.len(), json.len(), "two vectors have one name");

    golden! { vectors:
        "unit" => ();
        "unit struct" => Nothing;
        "false" => false;
        "true" => true;
        "i8 -1" => -1_i8;
        "i16 -1" => -1_i16;
        "i16 min" => i16::MIN;
        "i32 0" => 0_i32;
        "i32 125" => 125_i32;
        "i32 126" => 126_i32;
        "i32 -126" => -126_i32;
        "i64 max" => i64::MAX;
        "i64 min" => i64::MIN;
        "i128 min" => i128::MIN;
        "u8 255" => 255_u8;
        "u16 250" => 250_u16;
        "u16 251" => 251_u16;
        "u32 65535" => 65_535_u32;
        "u32 65536" => 65_536_u32;
        "u64 2^32" => 1_u64 << 32;
        "u64 max" => u64::MAX;
        "usize 7" => 7_usize;
        "u128 2^64" => 1_u128 << 64;
        "u128 max" => u128::MAX;
        "f32 1.5" => 1.5_f32;
        "f64 -0.1" => -0.1_f64;
        "newtype of f64" => Meters(2.5);
        "char a" => 'a';
        "char crab" => '🦀';
        "str empty" => String::new();
        "str dark" => "dark".to_owned();
        "str unicode" => "größe 大小".to_owned();
        "str of 300" => "x".repeat(300);
        "bytes" => serde_bytes::ByteBuf::from(vec![0, 1, 255]);
        "uuid" => uuid::Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        "seq empty" => Vec::<u8>::new();
        "seq of u8" => vec![1_u8, 2, 3];
        "seq of str" => vec!["a".to_owned(), "b".to_owned()];
        "seq of options" => vec![Some(1_u8), None, Some(3)];
        "set" => BTreeSet::from([3_u16, 1, 2]);
        "map" => BTreeMap::from([("a".to_owned(), 1_u32), ("b".to_owned(), 2)]);
        "map of mixed options" => BTreeMap::from([(1_u8, Some(true)), (2, None)]);
        "tuple" => (1_u8, "a".to_owned(), true);
        "tuple struct" => Pair(1, "a".to_owned());
        "array" => [1_u8, 2, 3];
        "tuple in a tuple" => (1_u8, (2_u8, 3_u8));
        "long name" => LongName { field: 7 };
        "struct" => Point { x: 1, y: -1 };
        "unit variant" => Theme::Dark;
        "newtype variant" => Theme::Custom(300);
        "tuple variant" => Theme::Mixed(1, 2);
        "struct variant" => Theme::Named { r: 1, g: 2 };
        "option none" => None::<u8>;
        "option some" => Some(7_u8);
        "option of option" => Some(None::<String>);
        "result" => Ok::<u8, String>(1);
        "duration" => Duration::new(90, 5);
        "ip v4" => IpAddr::V4(Ipv4Addr::LOCALHOST);
        "ip v6" => IpAddr::V6(Ipv6Addr::LOCALHOST);
        "range" => 1_u8..4;
        "nested" => Nested {
            name: "n".to_owned(),
            points: vec![Point { x: 0, y: 0 }, Point { x: 1000, y: 70_000 }],
            tag: Some(Theme::Light),
            extra: tree(),
        };
        "tree" => tree();
        "tree empty" => Value::Seq(Vec::new());
        "tree of scalars" => Value::Seq(vec![
            Value::Unit, true.into(), (-1_i8).into(), (-1_i16).into(), (-1_i32).into(), (-1_i64).into(), (-1_i128).into(),
            1_u8.into(), 1_u16.into(), 1_u32.into(), 1_u64.into(), 1_u128.into(), 0.5_f32.into(), 0.5_f64.into(),
            'a'.into(), "a".into(),
        ]);
    }
    // A scalar Value is stored as the scalar.
    assert_eq!(encode(&Value::from("dark")), encode("dark"));
    assert_eq!(encode(&Value::I128(i128::MIN)), encode(&i128::MIN));
    // An opaque Value keeps its stored form, alone and in a tree.
    let opaque: Value = decode(&encode(&Point { x: 1, y: -1 })).unwrap();
    assert_eq!(encode(&opaque), encode(&Point { x: 1, y: -1 }));
    let seq = Value::Seq(vec![opaque]);
    assert_eq!(hex(&encode(&seq)), vectors.remove("tree with an opaque").unwrap());
    assert_eq!(decode::<Value>(&encode(&seq)).unwrap(), seq);

    assert!(vectors.is_empty(), "vectors without a value: {vectors:?}");
}

/// The vectors that docs/format.md shows are among those that the other tests check.
#[test]
fn the_vectors_of_the_specification_are_true() {
    let page = include_str!("../../docs/format.md");
    let vectors = std::fs::read_to_string(vectors_path()).unwrap().to_lowercase();
    let (_, table) = page.split_once("| value | stored |\n|---|---|\n").unwrap();
    let rows: Vec<&str> = table.lines().take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() > 10, "{rows:?}");
    for row in rows {
        let stored = row.rsplit('`').nth(1).unwrap().replace(' ', "").to_lowercase();
        assert!(vectors.contains(&format!("\"stored\": \"{stored}\"")), "{row}");
    }
}

/// docs/format.md is enough to write a reader in another language, as this one shows.
#[test]
fn a_reader_in_python_agrees_with_every_vector() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("format/decode.py");
    let output = Command::new("python3").arg(script).arg(vectors_path()).output().expect("python3 runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).ends_with(" vectors agree\n"));
}
