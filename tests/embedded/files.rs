//! Stores in files: opening and sharing.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use redis_hashmap::{Durability, Embedded, HashMap};

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
