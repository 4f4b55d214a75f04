//! Any `T: Serialize + DeserializeOwned` works as a field. These are types that people keep in records.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, Wrapping};
use std::ops::{Bound, Range, RangeInclusive};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use redis_hashmap::Value;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::stored::{decode, try_encode_typed};

/// Stores a value, with the proof of a debug build that it reads back, and checks that it is read back equal.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "reads well")]
fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug + Send + 'static>(value: T) {
    let stored = try_encode_typed(&value).unwrap();
    assert_eq!(decode::<T>(&stored).unwrap(), value);
}

#[test]
fn scalars() {
    round_trip(());
    round_trip(true);
    round_trip((i8::MIN, i16::MIN, i32::MIN, i64::MIN, i128::MIN, isize::MIN));
    round_trip((u8::MAX, u16::MAX, u32::MAX, u64::MAX, u128::MAX, usize::MAX));
    for value in [0, 1, 250, 251, 252, 0xffff, 0x1_0000, 0xffff_ffff, 0x1_0000_0000, u64::MAX] {
        round_trip(value);
        round_trip(u128::from(value));
        round_trip(value.cast_signed());
        round_trip(-i128::from(value));
    }
    round_trip((f32::MIN_POSITIVE, f64::NEG_INFINITY, -0.0_f64));
    for char in ['a', 'ß', '大', '🦀', '\0'] {
        round_trip(char);
    }
    let nan: f64 = decode(&try_encode_typed(&f64::NAN).unwrap()).unwrap();
    assert!(nan.is_nan());
}

#[test]
fn texts_and_pointers() {
    round_trip(String::new());
    round_trip("größe 大小 🦀 \0 \"quoted\"\r\n".to_owned());
    round_trip(Cow::<'static, str>::Owned("cow".to_owned()));
    round_trip(Arc::<str>::from("arc"));
    round_trip(Box::<str>::from("box"));
    round_trip(Box::new(7_u8));
    round_trip(Arc::new(vec![1, 2]));
    round_trip(PathBuf::from("/etc/hosts"));
    assert_eq!(decode::<String>(&crate::stored::encode(&Rc::<str>::from("rc"))).unwrap(), "rc");
}

#[test]
fn collections() {
    round_trip(Vec::<String>::new());
    round_trip((0..1000).collect::<Vec<u32>>());
    round_trip(VecDeque::from([1, 2]));
    round_trip([[1_u8; 4]; 3]);
    round_trip((1_u8, "two".to_owned(), [3.0, 4.0], ('f', (false,))));
    round_trip(BTreeSet::from(["a".to_owned(), "b".to_owned()]));
    round_trip(BTreeMap::from([(1, vec![Some(1)]), (2, vec![None])]));
    round_trip(vec![0_u8; 1 << 20]);
    round_trip(serde_bytes::ByteBuf::from(vec![0; 1 << 20]));
}

/// The order of a `HashMap` differs from one instance to the next; the digest does not.
#[test]
fn hash_maps_and_sets_of_mixed_options_in_any_order() {
    for seed in 0..50_u32 {
        let map: HashMap<u32, Option<String>> =
            (0..40).map(|i| (i + seed, (i % 3 != 0).then(|| format!("v{i}")))).collect();
        round_trip(map);
        let set: HashSet<Option<u32>> = (0..40).map(|i| (i > 0).then_some(i + seed)).collect();
        round_trip(set);
        let nested: HashMap<String, HashMap<bool, Option<Theme>>> = (0..8)
            .map(|i| {
                let inner = [(true, Some(Theme::Custom { level: i })), (false, (i % 2 == 0).then_some(Theme::Dark))];
                (i.to_string(), inner.into_iter().collect())
            })
            .collect();
        round_trip(nested);
    }
}

#[test]
fn options_in_options() {
    round_trip(None::<Option<Option<u8>>>);
    round_trip(Some(None::<Option<u8>>));
    round_trip(Some(Some(None::<u8>)));
    round_trip(Some(Some(Some(1_u8))));
}

#[test]
fn types_of_std() {
    round_trip(Duration::MAX);
    round_trip(SystemTime::now());
    round_trip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    round_trip(SocketAddr::from(([127, 0, 0, 1], 6379)));
    round_trip::<Range<u32>>(1..9);
    round_trip::<RangeInclusive<i64>>(-1..=9);
    round_trip(Bound::Included(1));
    round_trip(Ok::<u32, String>(1));
    round_trip(Err::<u32, String>("no".to_owned()));
    round_trip(NonZeroU32::MIN);
    round_trip(Wrapping(1_u16));
    round_trip(std::marker::PhantomData::<String>);
}

#[test]
fn types_of_other_crates() {
    let now = chrono::DateTime::from_timestamp(1_700_000_000, 123_456_789).unwrap();
    round_trip(now);
    round_trip(now.date_naive());
    round_trip(now.naive_utc());
    round_trip(uuid::Uuid::from_u128(42));
    round_trip(url::Url::parse("https://user@example.org/path?q=1#f").unwrap());
    round_trip(rust_decimal::Decimal::new(-12_345, 2));
    round_trip(serde_bytes::ByteBuf::from(b"\0\x80\xff".to_vec()));
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Eq, Hash, Clone)]
enum Theme {
    Dark,
    Custom { level: u32 },
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Tree {
    label: String,
    children: Vec<Tree>,
    parent: Option<Box<Tree>>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Everything<T> {
    unit: (),
    newtype: Newtype<T>,
    #[serde(rename = "renamed to something")]
    renamed: u8,
    #[serde(skip)]
    skipped: u8,
    #[serde(with = "serde_bytes")]
    bytes: Vec<u8>,
    dynamic: Value,
    dynamics: BTreeMap<String, Value>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Newtype<T>(T);

#[test]
fn types_of_ones_own() {
    let leaf = |label: &str| Tree { label: label.to_owned(), children: Vec::new(), parent: None };
    let mut tree = leaf("root");
    for i in 0..20 {
        tree = Tree { label: i.to_string(), children: vec![leaf("a"), leaf("b")], parent: Some(Box::new(tree)) };
    }
    round_trip(tree);
    round_trip(Everything {
        unit: (),
        newtype: Newtype(Newtype(Some('c'))),
        renamed: 1,
        skipped: 0,
        bytes: vec![1, 2],
        dynamic: Value::Map(vec![("k".into(), Value::from_iter([1_u8]))]),
        dynamics: BTreeMap::from([("a".to_owned(), Value::Unit), ("b".to_owned(), 1.5.into())]),
    });
}

/// A tuple that is read to its end, by a type that does not count its parts.
#[derive(Debug, PartialEq)]
struct ToTheEnd(Vec<u8>);

impl Serialize for ToTheEnd {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        self.0.iter().try_for_each(|part| serde::ser::SerializeTuple::serialize_element(&mut tuple, part))?;
        serde::ser::SerializeTuple::end(tuple)
    }
}

impl<'de> Deserialize<'de> for ToTheEnd {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = ToTheEnd;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("three numbers")
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<ToTheEnd, A::Error> {
                let (mut parts, mut left) = (Vec::new(), seq.size_hint());
                while let Some(part) = seq.next_element()? {
                    parts.push(part);
                    left = left.map(|left| left - 1);
                    assert_eq!(seq.size_hint(), left);
                }
                Ok(ToTheEnd(parts))
            }
        }
        deserializer.deserialize_tuple(3, Visitor)
    }
}

#[test]
fn a_tuple_ends_after_its_parts() {
    round_trip(ToTheEnd(vec![1, 2, 3]));
}
