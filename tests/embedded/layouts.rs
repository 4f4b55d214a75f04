//! What lies in the tables of a file, and files of earlier layouts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use redb::{ReadableDatabase, ReadableTable, TableDefinition};
use redis::ConnectionLike;
use redis_hashmap::{Durability, Embedded, HashMap};
use redis_hashmap_tests::AnyError;

use crate::folder::{Folder, Test, refused};

type Name = (u64, &'static [u8]);
type FieldName = (u64, u64, &'static [u8]);
const HASHES: TableDefinition<Name, (u64, u64, u64, u64, &[u8])> = TableDefinition::new("hashes");
const FIELDS: TableDefinition<FieldName, (u64, &[u8])> = TableDefinition::new("fields of large hashes");
const FIELD_TIMES: TableDefinition<FieldName, ()> = TableDefinition::new("times of large hashes");
const DUE: TableDefinition<Name, ()> = TableDefinition::new("due");
const META: TableDefinition<&str, u64> = TableDefinition::new("meta");

/// The times of the fields in the row of a small hash, which stand in the order of their positions.
fn small(mut row: &[u8]) -> Vec<u64> {
    fn varint(row: &mut &[u8]) -> usize {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = row[0];
            *row = &row[1..];
            number |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return number;
            }
        }
    }
    let mut times = Vec::new();
    while !row.is_empty() {
        let (name, value) = (varint(&mut row), varint(&mut row));
        let mut time = 0;
        if value & 1 == 1 {
            time = u64::from_le_bytes(row[..8].try_into().unwrap());
            row = &row[8..];
        }
        times.push(time);
        row = &row[name + (value >> 1)..];
    }
    times
}

/// Checks that the tables of a closed file agree: each row belongs to one in another table. Returns how many keys, fields
/// and times that lead to a key there are.
fn rows(folder: &Folder) -> Result<(usize, usize, usize), AnyError> {
    let transaction = redb::ReadOnlyDatabase::open(folder.file())?.begin_read()?;
    let (fields, mut times) = (transaction.open_table(FIELDS)?, BTreeSet::new());
    let (mut keys, mut count, mut large, mut due) = (0, 0, 0, BTreeSet::new());
    for row in transaction.open_table(HASHES)?.iter()? {
        let (name, row) = row?;
        let (key, (id, len, expires, listed, small_fields)) = (name.value().1.to_vec(), row.value());
        let mut first = Some(expires).filter(|expires| *expires != 0);
        let mut of_hash = small(small_fields);
        for row in fields.range((id, 0, &[][..])..(id + 1, 0, &[][..]))? {
            let (name, row) = row?;
            assert_ne!(id, 0, "small, but with rows");
            of_hash.push(row.value().0);
            times.extend((row.value().0 != 0).then(|| (id, row.value().0, name.value().2.to_vec())));
            large += 1;
        }
        assert_eq!(len, if id == 0 { 0 } else { of_hash.len() as u64 });
        assert!(!of_hash.is_empty());
        first = of_hash.iter().copied().filter(|time| *time != 0).chain(first).min();
        assert_eq!(listed != 0, first.is_some());
        assert!(listed <= first.unwrap_or(0), "too late");
        due.extend((listed != 0).then_some((listed, key)));
        keys += 1;
        count += of_hash.len();
    }
    assert_eq!(large, fields.iter()?.count(), "fields without a key");
    let mut listed = BTreeSet::new();
    for row in transaction.open_table(DUE)?.iter()? {
        let row = row?.0;
        listed.insert((row.value().0, row.value().1.to_vec()));
    }
    assert_eq!(listed, due);
    let mut listed = BTreeSet::new();
    for row in transaction.open_table(FIELD_TIMES)?.iter()? {
        let row = row?.0;
        let (id, when, field) = row.value();
        listed.insert((id, when, field.to_vec()));
    }
    assert_eq!(listed, times);
    Ok((keys, count, due.len()))
}

/// The space of expired keys and fields is freed even if nobody touches them.
#[test]
fn what_has_expired_is_gone_from_the_file() -> Test {
    let folder = Folder::new("reclaimed");
    {
        let mut con = Embedded::in_file(folder.file(), Durability::Eventual)?;
        for i in 0..100 {
            let (key, fields) = (format!("gone:{i}"), format!("fields:{i}"));
            let mut pipeline = redis::pipe();
            pipeline.cmd("HSET").arg(&key).arg("a").arg(1).arg("b").arg(2);
            pipeline.cmd("PEXPIRE").arg(&key).arg(1);
            // All fields of one hash expire, and one of two fields of another.
            pipeline.cmd("HSETEX").arg(&fields).arg("PX").arg(1).arg("FIELDS").arg(2).arg("a").arg(1).arg("b").arg(2);
            pipeline.cmd("HSET").arg("half").arg(i).arg(i).arg(i + 100).arg(i);
            pipeline.cmd("HPEXPIRE").arg("half").arg(1).arg("FIELDS").arg(1).arg(i);
            pipeline.exec(&mut con)?;
        }
        while redis::cmd("EXISTS").arg("gone:99").arg("fields:99").query::<u8>(&mut con)? > 0 {
            std::thread::yield_now();
        }
        for i in 0..20 {
            HashMap::new("kept").on(&mut con).set("i", i)?;
        }
    }
    assert_eq!(rows(&folder)?, (2, 101, 0));
    Ok(())
}

/// A time that is renewed again and again leaves no trace of the old ones, and equal times do not end each other.
#[test]
fn times_that_no_longer_count_are_gone_from_the_file() -> Test {
    let folder = Folder::new("renewed");
    let run = |commands: &[&str]| -> Result<(usize, usize, usize), AnyError> {
        let mut con = Embedded::in_file(folder.file(), Durability::Eventual)?;
        for command in commands {
            let mut words = command.split(' ');
            let cmd = redis::cmd(words.next().unwrap_or_default()).arg(words.collect::<Vec<_>>()).to_owned();
            con.req_command(&cmd)?.extract_error()?;
        }
        drop(con);
        rows(&folder)
    };
    let renewals: Vec<String> =
        (0..100).map(|i| format!("HPEXPIREAT h {} FIELDS 1 a", 4_000_000_000_000_u64 + i)).collect();
    let renewals: Vec<&str> = renewals.iter().map(String::as_str).collect();
    assert_eq!(run(&["HSET h a 1 b 2 c 3"])?, (1, 3, 0));
    assert_eq!(run(&renewals)?, (1, 3, 1));
    assert_eq!(run(&["PEXPIREAT h 4000000000000", "HPEXPIREAT h 4000000000000 FIELDS 2 a b"])?, (1, 3, 1));
    assert_eq!(run(&["HPERSIST h FIELDS 1 a"])?, (1, 3, 1));
    assert_eq!(run(&["PEXPIREAT h 4000000000001"])?, (1, 3, 1));
    assert_eq!(run(&["PEXPIREAT h 4000000000000", "HSET h b 1"])?, (1, 3, 1));
    assert_eq!(run(&["PERSIST h"])?, (1, 3, 0));
    assert_eq!(run(&["HPEXPIREAT h 4000000000000 FIELDS 3 a b c", "HDEL h a", "HGETDEL h FIELDS 1 b"])?, (1, 1, 1));
    assert_eq!(run(&["HEXPIREAT h 1 FIELDS 1 c"])?, (0, 0, 0));
    assert_eq!(run(&["HSETEX h EXAT 4000000000 FIELDS 2 a 1 b 2", "EXPIREAT h 4000000000", "DEL h"])?, (0, 0, 0));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.div_ceil(4), ..Default::default() })]

    /// What was read from memory before it was closed is read from the file afterwards, however many syncs there were.
    #[test]
    fn the_tables_of_a_file_agree(
        commands in proptest::collection::vec(crate::differential::any_command(), 1..60),
        syncs in proptest::collection::vec(0..60_usize, 0..3),
        durability in prop::sample::select(vec![Durability::Immediate, Durability::Eventual, Durability::Eventual]),
    ) {
        let folder = Folder::new("agreeing");
        let _ = fs::remove_file(folder.file());
        let mut con = Embedded::in_file(folder.file(), durability).unwrap();
        for (i, command) in commands.iter().enumerate() {
            let _ = con.req_command(&crate::differential::cmd("", command));
            if syncs.contains(&i) {
                con.sync().unwrap();
            }
        }
        // What expires next expires long after this, or has expired.
        let before = (all(&mut con).unwrap(), times(&mut con).unwrap());
        drop(con);
        rows(&folder).unwrap();
        let mut con = Embedded::in_file(folder.file(), durability).unwrap();
        prop_assert_eq!((all(&mut con).unwrap(), times(&mut con).unwrap()), before);
    }
}

/// A hash that grows beyond one row, and shrinks again, stays what it is.
#[test]
fn a_hash_becomes_large() -> Test {
    let folder = Folder::new("large");
    let open = || Embedded::in_file(folder.file(), Durability::Immediate);
    let value = |i: u32| format!("value {i}").repeat(1 + usize::try_from(i).unwrap_or(0) % 40);
    let mut expected = BTreeMap::new();
    for i in 0..200 {
        HashMap::<u32, String>::typed("h").on(open()?).set(&i, value(i))?;
        redis::cmd("HPEXPIREAT")
            .arg("h")
            .arg(4_000_000_000_000_u64 + u64::from(i % 7))
            .arg("FIELDS")
            .arg(1)
            .arg(i)
            .exec(&mut open()?)?;
        expected.insert(i, value(i));
        if i % 50 == 49 || (60..70).contains(&i) {
            let there: BTreeMap<u32, String> =
                HashMap::<u32, String>::typed("h").on(open()?).get_all()?.into_iter().collect();
            assert_eq!(there, expected);
            assert_eq!(rows(&folder)?, (1, expected.len(), 1));
        }
    }
    for i in 0..199 {
        HashMap::<u32, String>::typed("h").on(open()?).delete(&i)?;
    }
    assert_eq!(HashMap::<u32, String>::typed("h").on(open()?).get_all()?, [(199, value(199))].into());
    assert_eq!(rows(&folder)?, (1, 1, 1));
    HashMap::<u32, String>::typed("h").on(open()?).clear()?;
    assert_eq!(rows(&folder)?, (0, 0, 0));
    // One value that is too large for a row.
    HashMap::<u32, String>::typed("w").on(open()?).set(&1, "w".repeat(10_000))?;
    HashMap::<u32, String>::typed("w").on(open()?).set(&2, "short".to_owned())?;
    assert_eq!(HashMap::<u32, String>::typed("w").on(open()?).get(&1)?.map(|value| value.len()), Some(10_000));
    assert_eq!(rows(&folder)?, (1, 2, 0));
    Ok(())
}

#[test]
fn a_file_of_a_newer_layout_is_refused_and_left_as_it_is() -> Test {
    let folder = Folder::new("newer");
    HashMap::new("h").on(Embedded::in_file(folder.file(), Durability::Immediate)?).set("a", 1)?;
    let newer = redb::Database::open(folder.file())?;
    let transaction = newer.begin_write()?;
    transaction.open_table(META)?.insert("layout", 3)?;
    transaction.commit()?;
    drop(newer);
    let message = refused(&folder.file());
    assert!(message.contains("layout 3 is of a newer version; update redis-hashmap"), "{message}");
    let transaction = redb::ReadOnlyDatabase::open(folder.file())?.begin_read()?;
    assert_eq!(transaction.open_table(META)?.get("layout")?.map(|row| row.value()), Some(3));
    Ok(())
}

/// Names and values of the fixtures' hashes, besides those that are written out.
fn fields(count: usize) -> BTreeMap<Vec<u8>, Vec<u8>> {
    (0..count).map(|i| (format!("field {i}").into_bytes(), format!("value {i}").into_bytes())).collect()
}

type Hashes = BTreeMap<Vec<u8>, BTreeMap<Vec<u8>, Vec<u8>>>;

/// What is in both fixtures.
fn common() -> Hashes {
    let owned = |pairs: &[(&[u8], &[u8])]| pairs.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
    let mut hashes: Hashes = [63, 64, 65, 300].map(|n| (format!("fields:{n}").into_bytes(), fields(n))).into();
    hashes.insert(b"small".to_vec(), owned(&[(b"a", b"1"), (b"b", b"two"), (b"", b"")]));
    hashes.insert(b"\0zero\0key\0".to_vec(), owned(&[(b"\0", b"\0\0"), (b"a\0b", b"")]));
    hashes.insert(b"wide".to_vec(), owned(&[(b"w", &[b'w'; 10_000]), (b"n", b"1")]));
    hashes.insert(b"later".to_vec(), fields(3));
    hashes.insert(b"big later".to_vec(), fields(100));
    hashes
}

fn all(con: &mut Embedded) -> Result<Hashes, AnyError> {
    let mut hashes = Hashes::new();
    let mut cursor = 0_u64;
    loop {
        let (next, keys): (u64, Vec<Vec<u8>>) = redis::cmd("SCAN").arg(cursor).query(con)?;
        for key in keys {
            let fields = redis::cmd("HGETALL").arg(&key).query(con)?;
            hashes.insert(key, fields);
        }
        if next == 0 {
            return Ok(hashes);
        }
        cursor = next;
    }
}

/// When a key and each of its fields expire.
type KeyTimes = (i64, BTreeMap<Vec<u8>, Vec<i64>>);

fn times(con: &mut Embedded) -> Result<BTreeMap<Vec<u8>, KeyTimes>, AnyError> {
    let mut times = BTreeMap::new();
    for (key, fields) in all(con)? {
        let of_key = redis::cmd("PEXPIRETIME").arg(&key).query(con)?;
        let mut of_fields = BTreeMap::new();
        for name in fields.into_keys() {
            let at = redis::cmd("HPEXPIRETIME").arg(&key).arg("FIELDS").arg(1).arg(&name).query(con)?;
            of_fields.insert(name, at);
        }
        times.insert(key, (of_key, of_fields));
    }
    Ok(times)
}

/// What expires in the fixtures expires then, or some ms later.
const FAR: u64 = 4_000_000_000_000;

/// When a key and some fields of it expire; 0: never.
type Times<'a> = (&'a str, u64, &'a [(&'a str, u64)]);

/// Opens a file that an earlier version wrote, which changes it. Afterwards it is read as what was written, and again.
fn migrated(fixture: &str, expected: &Hashes, times: &[Times<'_>]) -> Test {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("embedded/fixtures").join(fixture);
    for durability in [Durability::Immediate, Durability::Eventual] {
        let folder = Folder::new(&format!("migrated-{durability:?}-{}", expected.len()));
        fs::copy(&fixture, folder.file())?;
        for _ in 0..2 {
            let mut con = Embedded::in_file(folder.file(), durability)?;
            assert_eq!(all(&mut con)?, *expected);
            for (key, expires, fields) in times {
                let at = |left: i64| u64::try_from(left).unwrap_or(0) + now();
                let of_key: i64 = redis::cmd("PTTL").arg(key).query(&mut con)?;
                assert!(
                    if *expires == 0 { of_key == -1 } else { at(of_key).abs_diff(*expires) < 10_000 },
                    "{key}: {of_key}"
                );
                for (field, expires) in *fields {
                    let left: Vec<i64> =
                        redis::cmd("HPTTL").arg(key).arg("FIELDS").arg(1).arg(field).query(&mut con)?;
                    let is_right = if *expires == 0 { left == [-1] } else { at(left[0]).abs_diff(*expires) < 10_000 };
                    assert!(is_right, "{key} {field}: {left:?}");
                }
            }
            drop(con);
            let (keys, count, due) = rows(&folder)?;
            assert_eq!((keys, count), (expected.len(), expected.values().map(BTreeMap::len).sum()));
            assert_eq!(due, times.len());
        }
    }
    Ok(())
}

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[test]
fn a_file_of_layout_1_is_read_in_full() -> Test {
    let mut expected = common();
    expected.insert(b"times".to_vec(), fields(4));
    expected.insert(b"big times".to_vec(), fields(100));
    expected.insert(b"both".to_vec(), fields(3));
    // Two of its fields had expired.
    expected.insert(b"half expired".to_vec(), fields(4).into_iter().skip(2).collect());
    let times: &[Times<'_>] = &[
        ("later", FAR + 1, &[("field 0", 0)]),
        ("big later", FAR + 2, &[("field 0", 0)]),
        ("times", 0, &[("field 0", FAR + 3), ("field 1", FAR + 3), ("field 2", FAR + 4), ("field 3", 0)]),
        ("big times", 0, &[("field 0", FAR + 1000), ("field 9", FAR + 1009), ("field 10", 0)]),
        ("both", FAR + 5, &[("field 0", FAR + 6), ("field 1", 0)]),
    ];
    migrated("layout-1.redb", &expected, times)
}

/// It is from before fields could expire, and lacks the table for that.
#[test]
fn a_file_of_layout_1_without_field_expiries_is_read_in_full() -> Test {
    migrated("layout-1-without-field-expiries.redb", &common(), &[("later", FAR + 1, &[]), ("big later", FAR + 2, &[])])
}
