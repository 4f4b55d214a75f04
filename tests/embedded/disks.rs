//! Disks that are full, and files that are gone.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use redis_hashmap::{Durability, Embedded, HashMap};

use crate::folder::{Folder, Test};

/// A file system of 4 MB in memory, unmounted at the test's end.
struct SmallDisk(Folder);

impl SmallDisk {
    /// None, with a line that says so, where mounting is not permitted.
    fn new(test: &str) -> Option<Self> {
        let folder = Folder::new(test);
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(&folder.0).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        // Not by println, which a test that passes does not show.
        let _ = writeln!(std::io::stderr(), "*** NOT TESTED: {test} needs the right to mount a small file system ***");
        None
    }

    /// Takes so much of the space.
    fn ballast(&self) -> PathBuf {
        self.0.0.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0.0).status();
    }
}

#[test]
fn a_full_disk_that_is_freed_works_again() -> Test {
    let Some(disk) = SmallDisk::new("full") else { return Ok(()) };
    fs::write(disk.ballast(), vec![0; 2 << 20])?;
    let con = Embedded::in_file(disk.0.file(), Durability::Immediate)?;
    let map = HashMap::<u32, String>::typed("h").on(con);
    let value = "v".repeat(10_000);
    let mut written = 0;
    let error = loop {
        match map.set(&written, &value) {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(error.to_string().contains("No space left on device"), "{error}");
    assert!(written > 10, "{written}");
    // Again and again: none of them is there afterwards.
    for _ in 0..3 {
        assert!(map.set(&1_000_000, &value).is_err());
    }
    assert_eq!(map.get(&0)?, Some(value.clone()), "reads go on");

    fs::remove_file(disk.ballast())?;
    for i in written..written + 10 {
        map.set(&i, &value)?;
    }
    drop(map);
    let map = HashMap::<u32, String>::typed("h").on(Embedded::in_file(disk.0.file(), Durability::Immediate)?);
    let there = map.get_all()?;
    assert_eq!(there.len(), usize::try_from(written + 10)?);
    assert!(there.values().all(|there| *there == value));
    Ok(())
}

#[test]
fn on_a_full_disk_eventual_writes_are_refused_until_what_was_taken_is_on_it() -> Test {
    let Some(disk) = SmallDisk::new("full-eventual") else { return Ok(()) };
    fs::write(disk.ballast(), vec![0; 2 << 20])?;
    let con = Embedded::in_file(disk.0.file(), Durability::Eventual)?;
    let map = HashMap::<u32, String>::typed("h").on(con.clone());
    let value = "v".repeat(10_000);
    let mut written = 0;
    let error = loop {
        match map.set(&written, &value) {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
        if written % 100 == 0 {
            let _ = con.sync();
        }
    };
    let text = error.to_string();
    assert!(text.contains("No space left on device") && text.contains("no writes are taken until"), "{text}");
    let error = con.sync().unwrap_err().to_string();
    assert!(error.contains("No space left on device"), "{error}");
    assert_eq!(map.size()?, u64::from(written), "reads go on");
    assert_eq!(map.get(&(written - 1))?, Some(value.clone()));

    fs::remove_file(disk.ballast())?;
    // It tries again by itself.
    while map.set(&written, &value).is_err() {
        std::thread::yield_now();
    }
    con.sync()?;
    drop((map, con));
    let map = HashMap::<u32, String>::typed("h").on(Embedded::in_file(disk.0.file(), Durability::Immediate)?);
    assert_eq!(map.size()?, u64::from(written) + 1);
    Ok(())
}

/// Faster than any disk: writes wait for syncs, blocking and async, and none of them is lost or fails.
#[test]
fn eventual_writes_that_come_faster_than_the_disk_wait_for_it() -> Test {
    let folder = Folder::new("fast");
    let con = Embedded::in_file(folder.file(), Durability::Eventual)?;
    let value = |i: u32| i.to_string().repeat(200_000);
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let mut con = con.clone();
            scope.spawn(move || {
                for i in 0..100 {
                    let set = redis::cmd("HSET").arg("h").arg(thread).arg(value(100 + i)).to_owned();
                    if thread == 0 {
                        let set = redis::aio::ConnectionLike::req_packed_command(&mut con, &set);
                        futures::executor::block_on(set).unwrap();
                    } else {
                        redis::ConnectionLike::req_command(&mut con, &set).unwrap();
                    }
                    let read: String = redis::cmd("HGET").arg("h").arg(thread).query(&mut con).unwrap();
                    assert!(read == value(100 + i), "{i} of {thread}");
                }
            });
        }
    });
    drop(con);
    let mut con = Embedded::in_file(folder.file(), Durability::Immediate)?;
    for thread in 0..3 {
        let read: String = redis::cmd("HGET").arg("h").arg(thread).query(&mut con)?;
        assert!(read == value(199));
    }
    Ok(())
}

/// redb makes a new database of an empty file. What was in it would be gone, and writes would go on as if nothing had been.
#[test]
fn a_file_that_was_cut_short_is_not_begun_anew() -> Test {
    for durability in [Durability::Immediate, Durability::Eventual] {
        for left in [0, 4096, 20_000] {
            let folder = Folder::new(&format!("emptied-{durability:?}-{left}"));
            let con = Embedded::in_file(folder.file(), durability)?;
            let map = HashMap::new("h").on(con.clone());
            map.set_many(&(0..100).map(|i| (i.to_string(), "x".repeat(100))).collect::<BTreeMap<_, _>>())?;
            con.sync()?;
            fs::OpenOptions::new().write(true).open(folder.file())?.set_len(left)?;
            for _ in 0..4 {
                let written = map.set("a", "1").map_err(|error| error.to_string());
                let error = written.and_then(|_| con.sync().map_err(|error| error.to_string())).unwrap_err();
                assert!(error.contains("cut short while the store was open"), "{error}");
                match map.get::<String>("0") {
                    Ok(value) => assert!(value.is_some(), "it is gone without a word"),
                    Err(error) => assert!(durability == Durability::Immediate, "{error}"),
                }
            }
            drop((map, con));
            assert!(Embedded::in_file(folder.file(), durability).is_err(), "what is left is no store");
        }
    }
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_file_that_was_deleted_or_replaced_is_noticed_at_the_next_sync() -> Test {
    for durability in [Durability::Immediate, Durability::Eventual] {
        for is_replaced in [false, true] {
            let folder = Folder::new(&format!("gone-{durability:?}-{is_replaced}"));
            let con = Embedded::in_file(folder.file(), durability)?;
            let map = HashMap::new("h").on(con.clone());
            map.set("a", 1)?;
            con.sync()?;
            let aside = folder.0.join("aside");
            fs::rename(folder.file(), &aside)?;
            if is_replaced {
                fs::copy(&aside, folder.file())?;
            }
            let noticed = map
                .set("a", 2)
                .map_err(|error| error.to_string())
                .and_then(|_| con.sync().map_err(|error| error.to_string()));
            let error = noticed.unwrap_err();
            assert!(error.contains("deleted or replaced"), "{error}");
            assert!(map.get::<i32>("a")?.is_some(), "reads go on");
            // Back at its place, it works again.
            fs::rename(&aside, folder.file())?;
            while map.set("a", 3).is_err() {
                std::thread::yield_now();
            }
            drop((map, con));
            assert_eq!(HashMap::new("h").on(Embedded::in_file(folder.file(), durability)?).get("a")?, Some(3));
        }
    }
    Ok(())
}

/// What a kill has left of a file that was being created is in nobody's way.
#[test]
fn what_is_left_of_an_unfinished_file_is_cleared_away() -> Test {
    let folder = Folder::new("unfinished");
    let beside = folder.0.join("settings.redb.new");
    for left in [&b""[..], b"half of a store"] {
        fs::write(&beside, left)?;
        HashMap::new("h").on(Embedded::in_file(folder.file(), Durability::Immediate)?).set("a", 1)?;
        assert!(!beside.exists());
        fs::write(&beside, left)?;
        drop(Embedded::in_file(folder.file(), Durability::Immediate)?);
        assert!(!beside.exists());
        fs::remove_file(folder.file())?;
    }
    Ok(())
}
