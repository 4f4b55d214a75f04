//! Stores in files: opening, sharing, and what lies in the tables.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use proptest::prelude::*;
use redb::{ReadableDatabase, ReadableTable, TableDefinition};
use redis::ConnectionLike;
use redis_hashmap::{Durability, Embedded, HashMap};
use redis_hashmap_tests::AnyError;

use crate::folder::{Folder, Test, child, refused, store};

#[test]
fn what_was_written_is_there_when_it_is_opened_again() -> Test {
    let folder = Folder::new("again");
    for round in 0..5_u32 {
        for durability in [Durability::Immediate, Durability::Eventual] {
            let con = Embedded::in_file(folder.file(), durability)?;
            let map = HashMap::new("h").on(con);
            assert_eq!(map.get::<u32>("round")?.unwrap_or(0), round);
            map.set(&*format!("{round}{durability:?}"), ())?;
        }
        HashMap::new("h").on(Embedded::in_file(folder.file(), Durability::Immediate)?).set("round", round + 1)?;
    }
    assert_eq!(HashMap::new("h").on(Embedded::in_file(folder.file(), Durability::Immediate)?).size()?, 11);
    assert_eq!(fs::read_dir(&folder.0)?.count(), 1, "nothing is left beside it");
    Ok(())
}

#[test]
fn who_opens_it_twice_in_one_process_shares_it() -> Test {
    let folder = Folder::new("shared");
    // Before the file exists, and after.
    let roundabout = folder.0.join("..").join(folder.0.file_name().unwrap()).join("settings.redb");
    let con = Embedded::in_file(&roundabout, Durability::Immediate)?;
    HashMap::new("h").on(Embedded::in_file(folder.file(), Durability::Immediate)?).size()?;
    HashMap::new("h").on(Embedded::in_file(roundabout, Durability::Immediate)?).set("a", 1)?;
    assert_eq!(HashMap::new("h").on(con).get("a")?, Some(1));
    // Opened and closed by many at once.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for i in 0..20 {
                    let con = Embedded::in_file(folder.file(), Durability::Eventual).unwrap();
                    HashMap::new("h").on(con).set("i", i).unwrap();
                }
            });
        }
    });
    Ok(())
}

#[test]
fn one_durability_at_a_time() -> Test {
    let folder = Folder::new("durabilities");
    for (first, second) in
        [(Durability::Immediate, Durability::Eventual), (Durability::Eventual, Durability::Immediate)]
    {
        let con = Embedded::in_file(folder.file(), first)?;
        let error = Embedded::in_file(folder.file(), second).unwrap_err().to_string();
        assert!(error.contains("has it open with another durability"), "{error}");
        drop(con);
        drop(Embedded::in_file(folder.file(), second)?);
    }
    Ok(())
}

/// Threads read their own writes, and those of others that have returned.
#[test]
fn who_has_written_reads_it() -> Test {
    let folder = Folder::new("own-writes");
    for durability in [Durability::Immediate, Durability::Eventual] {
        let open = || HashMap::new("h").on(Embedded::in_file(folder.file(), durability).unwrap());
        let counted = open();
        let start = counted.get::<u32>("n")?.unwrap_or(0);
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let map = open();
                scope.spawn(move || {
                    for i in 0..20_u32 {
                        map.set(&format!("{thread}"), i).unwrap();
                        assert_eq!(map.get(&format!("{thread}")).unwrap(), Some(i));
                        map.update("n", |n: &mut u32| *n += 1).unwrap();
                    }
                });
            }
            counted.set("n", start).unwrap();
        });
        assert!(counted.get::<u32>("n")?.unwrap_or(0) >= start);
    }
    Ok(())
}

#[test]
fn a_file_that_is_no_store_is_an_error_and_is_left_as_it_is() -> Test {
    let folder = Folder::new("foreign");
    for content in [&b"some text"[..], &[0; 10_000], b"redb\x1a\x0a\xa9\x0d\x0a and then nonsense"] {
        fs::write(folder.file(), content)?;
        let message = refused(&folder.file());
        assert!(message.contains("settings.redb"), "{message}");
        assert_eq!(fs::read(folder.file())?, content);
    }
    fs::remove_file(folder.file())?;

    let foreign = redb::Database::create(folder.file())?;
    let transaction = foreign.begin_write()?;
    transaction.open_table(redb::TableDefinition::<u8, u8>::new("theirs"))?.insert(1, 1)?;
    transaction.commit()?;
    drop(foreign);
    assert!(refused(&folder.file()).contains("redb database of another program"), "{}", refused(&folder.file()));

    let message = refused(&folder.0.join("no such folder").join("settings.redb"));
    assert!(message.contains("No such file"), "{message}");
    let message = refused(&folder.0);
    assert!(message.contains("directory"), "{message}");
    Ok(())
}

type Name = (u64, &'static [u8]);
type FieldName = (u64, u64, &'static [u8]);
const KEYS: TableDefinition<Name, (u64, u64, u64)> = TableDefinition::new("keys");
const FIELDS: TableDefinition<FieldName, (u64, &[u8])> = TableDefinition::new("fields");
const EXPIRIES: TableDefinition<Name, ()> = TableDefinition::new("expiries");
const FIELD_EXPIRIES: TableDefinition<FieldName, ()> = TableDefinition::new("field expiries");

/// Checks that the tables of a closed file agree: each row belongs to one in another table. Returns how many keys,
/// fields and times that lead to a key there are.
fn rows(folder: &Folder) -> Result<(usize, usize, usize), AnyError> {
    let transaction = redb::ReadOnlyDatabase::open(folder.file())?.begin_read()?;
    let (mut keys, mut times, mut field_times) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for row in transaction.open_table(KEYS)?.iter()? {
        let (name, row) = row?;
        let (key, (id, len, expires)) = (name.value().1.to_vec(), row.value());
        times.extend((expires != 0).then(|| (expires, key.clone())));
        keys.push((key, id, len));
    }
    let fields = transaction.open_table(FIELDS)?;
    let mut count = 0;
    for (key, id, len) in &keys {
        let mut of_hash = 0;
        for row in fields.range((*id, 0, &[][..])..(id + 1, 0, &[][..]))? {
            let (name, row) = row?;
            let when = row.value().0;
            if when != 0 {
                times.insert((when, key.clone()));
                field_times.insert((*id, when, name.value().2.to_vec()));
            }
            of_hash += 1;
        }
        assert_eq!(of_hash, *len);
        count += usize::try_from(of_hash)?;
    }
    assert_eq!(count, fields.iter()?.count(), "fields without a key");
    let owned =
        |row: Result<(redb::AccessGuard<'_, Name>, _), _>| row.map(|row| (row.0.value().0, row.0.value().1.to_vec()));
    let listed = transaction.open_table(EXPIRIES)?.iter()?.map(owned).collect::<Result<BTreeSet<_>, _>>()?;
    assert_eq!(listed, times);
    let mut listed = BTreeSet::new();
    for row in transaction.open_table(FIELD_EXPIRIES)?.iter()? {
        let row = row?.0;
        let (id, when, field) = row.value();
        listed.insert((id, when, field.to_vec()));
    }
    assert_eq!(listed, field_times);
    Ok((keys.len(), count, times.len()))
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
    assert_eq!(run(&["PEXPIREAT h 4000000000001"])?, (1, 3, 2));
    assert_eq!(run(&["PEXPIREAT h 4000000000000", "HSET h b 1"])?, (1, 3, 1));
    assert_eq!(run(&["PERSIST h"])?, (1, 3, 0));
    assert_eq!(run(&["HPEXPIREAT h 4000000000000 FIELDS 3 a b c", "HDEL h a", "HGETDEL h FIELDS 1 b"])?, (1, 1, 1));
    assert_eq!(run(&["HEXPIREAT h 1 FIELDS 1 c"])?, (0, 0, 0));
    assert_eq!(run(&["HSETEX h EXAT 4000000000 FIELDS 2 a 1 b 2", "EXPIREAT h 4000000000", "DEL h"])?, (0, 0, 0));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.div_ceil(4), ..Default::default() })]

    #[test]
    fn the_tables_of_a_file_agree(commands in proptest::collection::vec(crate::differential::any_command(), 1..60)) {
        let folder = Folder::new("agreeing");
        let mut con = Embedded::in_file(folder.file(), Durability::Eventual).unwrap();
        let mut pipeline = redis::pipe();
        for command in &commands {
            pipeline.add_command(crate::differential::cmd("", command));
        }
        let _ = pipeline.ignore_errors().exec(&mut con);
        drop(con);
        rows(&folder).unwrap();
    }
}

#[test]
fn expiry_of_fields_is_there_when_it_is_opened_again() -> Test {
    let folder = Folder::new("fields-again");
    let open = || Embedded::in_file(folder.file(), Durability::Immediate);
    redis::cmd("HSETEX").arg("h").arg("EX").arg(1000).arg("FIELDS").arg(1).arg("a").arg(1).exec(&mut open()?)?;
    let left = |con: &mut Embedded| redis::cmd("HPTTL").arg("h").arg("FIELDS").arg(1).arg("a").query::<Vec<i64>>(con);
    assert!((1..=1_000_000).contains(&left(&mut open()?)?[0]));
    redis::cmd("HPEXPIRE").arg("h").arg(1).arg("FIELDS").arg(1).arg("a").exec(&mut open()?)?;
    while left(&mut open()?)? != [-2] {}
    assert_eq!(HashMap::new("h").on(open()?).size()?, 0);
    Ok(())
}

/// A file from before fields could expire lacks the table for that.
#[test]
fn a_file_without_a_table_of_field_expiries_is_opened() -> Test {
    let folder = Folder::new("older");
    HashMap::new("h").on(Embedded::in_file(folder.file(), Durability::Immediate)?).set("a", 1)?;
    let older = redb::Database::open(folder.file())?;
    let transaction = older.begin_write()?;
    assert!(transaction.delete_table(FIELD_EXPIRIES)?);
    transaction.commit()?;
    drop(older);
    let mut con = Embedded::in_file(folder.file(), Durability::Immediate)?;
    assert_eq!(HashMap::new("h").on(&mut con).get("a")?, Some(1));
    let set: Vec<i64> = redis::cmd("HEXPIRE").arg("h").arg(9).arg("FIELDS").arg(1).arg("a").query(&mut con)?;
    assert_eq!(set, [1]);
    drop(con);
    assert_eq!(rows(&folder)?, (1, 1, 1));
    Ok(())
}

#[test]
#[ignore = "run by the test below, in a process of its own"]
fn holder() {
    let _con = Embedded::in_file(store(), Durability::Immediate).unwrap();
    println!("holding");
    let _ = std::io::stdin().read_line(&mut String::new());
}

#[test]
fn a_second_process_gets_an_error() -> Test {
    let folder = Folder::new("locked");
    let mut holder = child("files::holder", &folder).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.is_ok_and(|line| line.contains("holding"))));
    assert!(refused(&folder.file()).contains("another process has it open"), "{}", refused(&folder.file()));
    holder.stdin.take().unwrap().write_all(b"\n")?;
    assert!(holder.wait()?.success());
    HashMap::new("h").on(Embedded::in_file(folder.file(), Durability::Immediate)?).size()?;
    Ok(())
}
