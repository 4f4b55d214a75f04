//! Whatever lies in Redis is untrusted: any byte string is a value or an error, without a panic, an abort, a stack
//! overflow or an allocation beyond a small multiple of its length.

#[path = "../format/measured.rs"]
mod measured;
#[path = "../format/stored.rs"]
#[expect(dead_code, reason = "shared with the tests of the format")]
mod stored;
#[path = "../format/wide.rs"]
mod wide;

use std::collections::{BTreeMap, HashMap, HashSet};

use proptest::prelude::*;
use redis_hashmap::{Error, Value};
use serde::{Deserialize, Serialize};

use crate::measured::read;
use crate::stored::{decode, encode};
use crate::wide::{Wide, wide};

/// Reads the bytes as every type that they could make misbehave.
fn read_as_everything(bytes: &[u8]) {
    let _ = read::<Wide>(bytes);
    let _ = read::<Value>(bytes);
    let _ = read::<Vec<Value>>(bytes);
    let _ = read::<Tree>(bytes);
    let _ = read::<Vec<()>>(bytes);
    let _ = read::<Vec<Vec<()>>>(bytes);
    let _ = read::<String>(bytes);
    let _ = read::<serde_bytes::ByteBuf>(bytes);
    let _ = read::<Vec<u64>>(bytes);
    let _ = read::<Vec<String>>(bytes);
    let _ = read::<HashMap<String, Vec<u8>>>(bytes);
    let _ = read::<HashSet<u64>>(bytes);
    let _ = read::<BTreeMap<u8, Option<Tree>>>(bytes);
    let _ = read::<Option<Box<str>>>(bytes);
    let _ = read::<(u128, char, bool)>(bytes);
    let _ = read::<Result<std::time::Duration, std::net::IpAddr>>(bytes);
    let _ = read::<std::time::SystemTime>(bytes);
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Tree {
    children: Vec<Tree>,
}

/// The kinds, the reserved ones among them, and some bytes beside them.
fn first_byte() -> impl Strategy<Value = u8> {
    prop_oneof![0x80..=0x97_u8, any::<u8>()]
}

/// Bytes that bincode reads as lengths and numbers.
fn telling_byte() -> impl Strategy<Value = u8> {
    prop_oneof![3 => 0..4_u8, 2 => 0xf9..=0xff_u8, 2 => 0x80..=0x98_u8, 3 => any::<u8>()]
}

proptest! {
    #[test]
    fn any_byte_string_is_answered(first in first_byte(), rest in proptest::collection::vec(telling_byte(), 0..200)) {
        let mut bytes = vec![first];
        bytes.extend(rest);
        read_as_everything(&bytes);
        read_as_everything(&bytes[1..]);
    }

    /// Random bytes inside an honest value, whose header gets them past the first check.
    #[test]
    fn any_payload_is_answered(
        value in wide(), at in any::<prop::sample::Index>(), middle in proptest::collection::vec(telling_byte(), 0..20),
    ) {
        let stored = encode(&value);
        let at = at.index(stored.len());
        let bytes: Vec<u8> = stored[..at].iter().chain(&middle).chain(&stored[at..]).copied().collect();
        read_as_everything(&bytes);
        let bytes: Vec<u8> =
            stored[..at].iter().chain(&middle).chain(stored[at..].iter().skip(middle.len())).copied().collect();
        read_as_everything(&bytes);
    }
}

/// A header. Its digest cannot be checked before the payload is decoded.
fn stored_as(kind: u8, payload: &[u8]) -> Vec<u8> {
    let digest: &[u8] = if kind < 0x91 { &[] } else { &[1, 2, 3, 4] };
    [&[kind], digest, payload].concat()
}

/// bincode's varint for 2^40 and for the largest length there is.
const HUGE: [&[u8]; 2] = [&[0xfd, 0, 0, 0, 0, 0, 1, 0, 0], &[0xfd, 255, 255, 255, 255, 255, 255, 255, 255]];

/// bincode alone aborts the process in the allocator.
#[test]
fn a_huge_length_is_an_error() {
    for length in HUGE {
        for kind in 0x80..=0x97 {
            read_as_everything(&stored_as(kind, length));
        }
        assert!(matches!(read::<String>(&stored_as(0x8f, length)), Err(Error::Damaged { .. })));
        assert!(matches!(read::<serde_bytes::ByteBuf>(&stored_as(0x90, length)), Err(Error::Damaged { .. })));
        assert!(matches!(read::<Vec<u64>>(&stored_as(0x91, length)), Err(Error::OtherShape { .. })));
        assert!(matches!(read::<HashMap<u8, u8>>(&stored_as(0x93, length)), Err(Error::OtherShape { .. })));
    }
}

/// bincode alone spins for hours.
#[test]
fn a_billion_units_are_an_error() {
    let billion = [0xfc, 0x00, 0xca, 0x9a, 0x3b];
    let error = read::<Vec<()>>(&stored_as(0x91, &billion)).unwrap_err();
    assert!(error.to_string().contains("a length in it reaches beyond its end"), "{error}");
    // Each of many lists holds 65,535 of them: they are counted together.
    let mut payload = vec![0xfb, 0x10, 0x27];
    payload.extend([0xfb, 0xff, 0xff].repeat(10_000));
    let error = read::<Vec<Vec<()>>>(&stored_as(0x91, &payload)).unwrap_err();
    assert!(error.to_string().contains("65536 elements that take no space"), "{error}");
}

/// They are counted while they are read, not afterwards.
#[test]
fn empty_elements_are_not_all_read_before_they_are_too_many() {
    static READ: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    #[derive(Serialize)]
    struct Counted;
    impl<'de> Deserialize<'de> for Counted {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            READ.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            <()>::deserialize(deserializer).map(|()| Self)
        }
    }
    let payload = [&[0xfb, 0x10, 0x27][..], &[0xfb, 0xff, 0xff].repeat(10_000)].concat();
    assert!(decode::<Vec<Vec<Counted>>>(&stored_as(0x91, &payload)).is_err());
    assert!(READ.load(std::sync::atomic::Ordering::Relaxed) < 70_000);
}

/// bincode alone overflows the stack.
#[test]
fn deep_nesting_is_an_error() {
    for depth in [129, 10_000, 1_000_000] {
        let error = read::<Tree>(&stored_as(0x94, &vec![1; depth])).unwrap_err();
        assert!(error.to_string().contains("deeper than 128"), "{error}");
        // A tree of values: seq of one, seq of one, …
        let error = read::<Value>(&stored_as(0x97, &[0x91, 1].repeat(depth))).unwrap_err();
        assert!(error.to_string().contains("deeper than 128"), "{error}");
    }
}

/// serde's own collections do not trust a size hint; others do.
#[test]
fn preallocation_is_small_for_any_collection() {
    #[derive(Serialize, Deserialize)]
    struct Big([[u64; 32]; 4]);
    let payload = [&[0xfc, 0, 0, 0x10, 0][..], &vec![0; 1 << 20]].concat();
    let stored = stored_as(0x91, &payload);
    let mut result = None;
    let info = allocation_counter::measure(|| result = Some(decode::<smallvec::SmallVec<[Big; 1]>>(&stored).is_err()));
    assert_eq!(result, Some(true));
    assert!(info.bytes_max < 16 << 20, "{} bytes for a value of 1 MiB", info.bytes_max);
}

/// Each level of a nested list could announce as many elements as there are bytes left.
#[test]
fn preallocation_does_not_multiply_with_nesting() {
    let mut payload = Vec::new();
    for _ in 0..100 {
        payload.extend([0xfb, 0xff, 0x7f]);
    }
    payload.extend(vec![0xff; 40_000]);
    assert!(read::<Tree>(&stored_as(0x94, &payload)).is_err());
}

#[test]
fn unknown_kinds_and_foreign_values_are_named() {
    for byte in 0x98..=0xbf {
        let error = read::<String>(&[byte, 1, 2]).unwrap_err();
        assert!(matches!(error, Error::UnknownKind { byte: found, .. } if found == byte), "{error}");
        assert!(read::<Value>(&[byte]).is_err());
    }
    for foreign in [&b""[..], b"dark", b"14", b"{\"a\":1}", "größe".as_bytes(), b"\x00\x01", b"\xc0", b"\xff"] {
        assert!(matches!(read::<String>(foreign), Err(Error::Foreign { .. })));
        assert!(matches!(read::<Value>(foreign), Err(Error::Foreign { .. })));
    }
}

/// Every prefix of a value, and every value with one bit flipped.
#[test]
fn every_truncation_and_bit_flip_is_answered() {
    let value: BTreeMap<String, Option<Vec<u16>>> =
        BTreeMap::from([("a".to_owned(), Some(vec![1, 300])), ("b".to_owned(), None)]);
    let stored = encode(&value);
    for end in 0..stored.len() {
        assert!(read::<BTreeMap<String, Option<Vec<u16>>>>(&stored[..end]).is_err(), "{end} bytes");
        read_as_everything(&stored[..end]);
    }
    for bit in 0..stored.len() * 8 {
        let mut flipped = stored.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        read_as_everything(&flipped);
    }
}

/// Neither the text of an error nor its Debug quotes what is stored.
#[test]
fn errors_do_not_quote_the_value() {
    #[derive(Debug)]
    struct Talkative;
    impl Serialize for Talkative {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_str("")
        }
    }
    impl<'de> Deserialize<'de> for Talkative {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let text = String::deserialize(deserializer)?;
            let expected: &str = &format!("something else than {text}");
            Err(serde::de::Error::invalid_value(serde::de::Unexpected::Str(&text), &expected))
        }
    }
    let secret = "hunter2-hunter2";
    for stored in [encode(secret), encode(&vec![secret]), encode(&Some(secret)), secret.as_bytes().to_vec()] {
        for error in [
            read::<u8>(&stored).unwrap_err(),
            read::<(u8, u8)>(&stored).unwrap_err(),
            read::<Vec<std::net::IpAddr>>(&stored).unwrap_err(),
            read::<chrono::NaiveDate>(&stored).err().unwrap_or(Error::EmptyKey),
            read::<Vec<chrono::NaiveDate>>(&stored).unwrap_err(),
            read::<Vec<url::Url>>(&stored).unwrap_err(),
            read::<Talkative>(&stored).unwrap_err(),
            read::<Vec<Talkative>>(&stored).unwrap_err(),
        ] {
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }
}

/// A server that makes up as many entries as it is asked for, and keeps none of them.
struct Endless {
    pages: u64,
}

impl redis::ConnectionLike for Endless {
    fn req_packed_command(&mut self, _: &[u8]) -> redis::RedisResult<redis::Value> {
        self.pages -= 1;
        let bulk = |text: String| redis::Value::BulkString(text.into_bytes());
        let entries = (0..256).flat_map(|i| {
            let value = encode(&format!("value {i}"));
            [bulk((self.pages * 256 + i).to_string()), redis::Value::BulkString(value)]
        });
        Ok(redis::Value::Array(vec![bulk(self.pages.to_string()), redis::Value::Array(entries.collect())]))
    }

    fn req_packed_commands(&mut self, _: &[u8], _: usize, _: usize) -> redis::RedisResult<Vec<redis::Value>> {
        Err((redis::ErrorKind::Client, "only pages here").into())
    }

    fn get_db(&self) -> i64 {
        0
    }

    fn check_connection(&mut self) -> bool {
        true
    }

    fn is_open(&self) -> bool {
        true
    }
}

/// However many entries a map has, only one page of them is in memory.
#[test]
fn a_scan_takes_the_memory_of_a_page() {
    let scan = |pages| {
        let mut count = 0;
        let info = allocation_counter::measure(|| {
            let map = redis_hashmap::HashMap::<u64, String>::typed("key").on(Endless { pages });
            count = map.iter().map(Result::unwrap).count() as u64;
        });
        assert_eq!(count, pages * 256);
        info.bytes_max
    };
    let (few, many) = (scan(3), scan(1000));
    assert!(many <= few + 1024, "{few} bytes for 3 pages, {many} for 1000");
}
