//! Damaged files: errors, and no panics of ours.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::time::Instant;

use redis_hashmap::{Durability, Embedded, Error, HashMap};
use redis_hashmap_tests::random::Random;

use crate::folder::{Folder, Test, is_long};

const KEYS: usize = 12;
const FIELDS: usize = 200;

/// A file with small and large hashes, some of which expire.
fn whole(folder: &Folder) -> Result<Vec<u8>, redis_hashmap_tests::AnyError> {
    let mut con = Embedded::in_file(folder.file(), Durability::Immediate)?;
    for key in 0..KEYS {
        let mut cmd = redis::cmd("HSET");
        cmd.arg(key);
        for i in 0..if key % 3 == 0 { FIELDS } else { 7 } {
            cmd.arg(i).arg(format!("value {i} of {key}"));
        }
        cmd.exec(&mut con)?;
        if key % 2 == 0 {
            redis::cmd("HEXPIRE").arg(key).arg(1000).arg("FIELDS").arg(2).arg(0).arg(3).exec(&mut con)?;
            redis::cmd("EXPIRE").arg(key).arg(2000).exec(&mut con)?;
        }
    }
    drop(con);
    Ok(fs::read(folder.file())?)
}

/// Asks for everything, and writes. Whatever the answers are, they come.
fn use_all(con: &mut Embedded) {
    for key in 0..KEYS {
        let _ = redis::cmd("HGETALL").arg(key).query::<redis::Value>(con);
        let _ = redis::cmd("HSCAN").arg(key).arg(0).query::<redis::Value>(con);
        let _ = redis::cmd("HMGET").arg(key).arg(1).arg(3).arg(5).query::<redis::Value>(con);
        let _ = redis::cmd("HSET").arg(key).arg(1).arg("new").arg(1000).arg("new").query::<redis::Value>(con);
        let _ = redis::cmd("HDEL").arg(key).arg(3).query::<redis::Value>(con);
        let _ = redis::cmd("EXPIRE").arg(key).arg(3000).query::<redis::Value>(con);
    }
    let _ = redis::cmd("SCAN").arg(0).query::<redis::Value>(con);
    let _ = redis::cmd("DEL").arg(0).arg(1).query::<redis::Value>(con);
}

/// Damages bytes: a flipped bit, a run of other bytes, or an end that is missing.
fn damage(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len());
    match random.below(4) {
        0 => bytes.truncate(at.max(1)),
        1 => {
            let end = (at + 64).min(bytes.len());
            bytes[at..end].fill(0xa5);
        }
        _ => bytes[at] ^= 1 << random.below(8),
    }
}

#[test]
fn hundreds_of_damaged_files_are_errors_when_they_are_opened() -> Test {
    let rounds = if is_long() { 20_000 } else { 450 };
    let folder = Folder::new("damaged-often");
    let whole = whole(&folder)?;
    let (mut random, mut noticed) = (Random(1), 0);
    for round in 0..rounds {
        let mut damaged = whole.clone();
        damage(&mut damaged, &mut random);
        let file = folder.0.join(format!("{round}.redb"));
        fs::write(&file, &damaged)?;
        let began = Instant::now();
        let durability = if round % 2 == 0 { Durability::Immediate } else { Durability::Eventual };
        match Embedded::in_file(&file, durability) {
            Err(error) => {
                assert!(matches!(error, Error::Store { .. }), "{error}");
                noticed += 1;
            }
            Ok(mut con) => use_all(&mut con),
        }
        assert!(began.elapsed().as_secs() < 60, "damage {round} took {:?}", began.elapsed());
        fs::remove_file(&file)?;
    }
    assert!(noticed > rounds / 3, "{noticed} of {rounds}");
    Ok(())
}

/// While the store is open, nobody reads what lies under it again, so an error is not certain. But there is an answer.
#[test]
fn damage_under_an_open_store_is_answered() -> Test {
    let rounds = if is_long() { 20_000 } else { 450 };
    let folder = Folder::new("damaged-open");
    let whole = whole(&folder)?;
    let mut random = Random(2);
    for round in 0..rounds {
        let file = folder.0.join(format!("{round}.redb"));
        fs::write(&file, &whole)?;
        let durability = if round % 2 == 0 { Durability::Immediate } else { Durability::Eventual };
        let mut con = Embedded::in_file(&file, durability)?;
        let mut under = fs::OpenOptions::new().write(true).open(&file)?;
        let mut damaged = whole.clone();
        for _ in 0..=random.below(3) {
            damage(&mut damaged, &mut random);
        }
        under.seek(SeekFrom::Start(0))?;
        under.write_all(&damaged)?;
        under.set_len(damaged.len() as u64)?;
        let began = Instant::now();
        use_all(&mut con);
        let _ = con.sync();
        use_all(&mut con);
        drop(con);
        assert!(began.elapsed().as_secs() < 60, "damage {round} took {:?}", began.elapsed());
        fs::remove_file(&file)?;
    }
    Ok(())
}

/// Whatever is changed in a file, opening or reading it is an error or gives what was stored: no panic, no other value.
#[test]
fn a_damaged_file_is_an_error() -> Test {
    let folder = Folder::new("damaged");
    {
        let map = HashMap::<u32, String>::typed("h").on(Embedded::in_file(folder.file(), Durability::Immediate)?);
        for i in 0..200 {
            map.set(&i, format!("value {i}"))?;
        }
    }
    let whole = fs::read(folder.file())?;
    let mut noticed = 0;
    for step in 0..60 {
        let mut damaged = whole.clone();
        let at = step * whole.len() / 60;
        if step % 2 == 0 {
            damaged[at..(at + 64).min(whole.len())].fill(0xa5);
        } else {
            damaged.truncate(at);
        }
        let file = folder.0.join(format!("{step}.redb"));
        fs::write(&file, &damaged)?;
        match Embedded::in_file(&file, Durability::Immediate) {
            Err(error) => {
                assert!(matches!(error, Error::Store { .. }), "{error}");
                noticed += 1;
            }
            Ok(con) => {
                let map = HashMap::<u32, String>::typed("h").on(con);
                for i in 0..200 {
                    assert_eq!(map.get(&i)?, Some(format!("value {i}")), "damaged at {at} of {}", whole.len());
                }
            }
        }
        fs::remove_file(&file)?;
    }
    assert!(noticed > 30, "{noticed} of 60");
    Ok(())
}
