//! Stores in files.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use redb::{ReadableDatabase, ReadableTableMetadata, TableHandle};
use redis_hashmap::{Durability, Embedded, Error, HashMap};
use redis_hashmap_tests::AnyError;

type Test = Result<(), AnyError>;

/// A folder of its own for each test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("redis-hashmap-{test}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join("settings.redb")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[track_caller]
fn refused(path: &std::path::Path) -> String {
    match Embedded::in_file(path, Durability::Immediate) {
        Err(error @ Error::Store { .. }) => error.to_string(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was opened"),
    }
}

#[test]
fn what_was_written_is_there_when_it_is_opened_again() -> Test {
    let folder = Folder::new("again");
    for round in 0..5_u32 {
        for durability in [Durability::Immediate, Durability::Eventual] {
            let con = Embedded::in_file(folder.file(), durability)?;
            let mut map = HashMap::new("h").on(con);
            assert_eq!(map.get::<u32>("round")?.unwrap_or(0), round);
            map.set(&*format!("{round}{durability:?}"), &())?;
        }
        HashMap::new("h").on(Embedded::in_file(folder.file(), Durability::Immediate)?).set("round", &(round + 1))?;
    }
    assert_eq!(HashMap::new("h").on(Embedded::in_file(folder.file(), Durability::Immediate)?).size()?, 11);
    assert_eq!(fs::read_dir(&folder.0)?.count(), 1, "nothing is left beside it");
    Ok(())
}

#[test]
fn who_opens_it_twice_in_one_process_shares_it() -> Test {
    let folder = Folder::new("shared");
    // Before the file is there, and after.
    let roundabout = folder.0.join("..").join(folder.0.file_name().unwrap()).join("settings.redb");
    let con = Embedded::in_file(&roundabout, Durability::Immediate)?;
    HashMap::new("h").on(Embedded::in_file(folder.file(), Durability::Immediate)?).size()?;
    HashMap::new("h").on(Embedded::in_file(roundabout, Durability::Immediate)?).set("a", &1)?;
    assert_eq!(HashMap::new("h").on(con).get("a")?, Some(1));
    // Opened and closed by many at once.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for i in 0..20 {
                    let con = Embedded::in_file(folder.file(), Durability::Eventual).unwrap();
                    HashMap::new("h").on(con).set("i", &i).unwrap();
                }
            });
        }
    });
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

/// Expired keys give their space back, without being touched.
#[test]
fn what_has_expired_is_gone_from_the_file() -> Test {
    let folder = Folder::new("reclaimed");
    let rows = |table: &str| -> Result<u64, AnyError> {
        let database = redb::ReadOnlyDatabase::open(folder.file())?;
        let transaction = database.begin_read()?;
        Ok(transaction.open_untyped_table(transaction.list_tables()?.find(|t| t.name() == table).unwrap())?.len()?)
    };
    {
        let mut con = Embedded::in_file(folder.file(), Durability::Eventual)?;
        for i in 0..100 {
            let mut pipeline = redis::pipe();
            pipeline.cmd("HSET").arg(format!("gone:{i}")).arg("a").arg(1).arg("b").arg(2);
            pipeline.cmd("PEXPIRE").arg(format!("gone:{i}")).arg(1);
            pipeline.exec(&mut con)?;
        }
        while redis::cmd("EXISTS").arg("gone:99").query::<bool>(&mut con)? {
            std::thread::yield_now();
        }
        for i in 0..10 {
            HashMap::new("kept").on(&mut con).set("i", &i)?;
        }
    }
    assert_eq!((rows("keys")?, rows("fields")?, rows("expiries")?), (1, 1, 0));
    Ok(())
}

/// Whatever was changed in it: an error when it is opened or read, or what was stored; no panic, no other value.
#[test]
fn a_damaged_file_is_an_error() -> Test {
    let folder = Folder::new("damaged");
    {
        let mut map = HashMap::<u32, String>::typed("h").on(Embedded::in_file(folder.file(), Durability::Immediate)?);
        for i in 0..200 {
            map.set(&i, &format!("value {i}"))?;
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
                let mut map = HashMap::<u32, String>::typed("h").on(con);
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

/// This test binary, as a process of its own that runs one ignored test.
fn child(test: &str, folder: &Folder) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", test, "--nocapture"]).env("STORE", folder.file());
    command
}

fn store() -> PathBuf {
    PathBuf::from(std::env::var_os("STORE").expect("run by another test"))
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

#[test]
#[ignore = "run by the test below, in a process that is killed"]
fn writer() {
    let con = Embedded::in_file(store(), Durability::Immediate).unwrap();
    let mut map = HashMap::new("h").on(con.clone());
    let start: u64 = map.get("acknowledged").unwrap().unwrap_or(0);
    for i in start + 1.. {
        // One batch: the pair is always equal.
        let (mut a, mut b) = (HashMap::new("a"), HashMap::new("b"));
        redis_hashmap::batch((a.set("i", &i), b.set("i", &i))).atomic().query(&mut con.clone()).unwrap();
        map.set("acknowledged", &i).unwrap();
        println!("{i}");
    }
}

/// Killed with SIGKILL at random moments: every acknowledged write is there, and no half of a batch.
#[test]
fn killed_at_random_moments_it_loses_nothing() -> Test {
    let rounds = if std::env::var_os("PROPTEST_CASES").is_some() { 1000 } else { 50 };
    let folder = Folder::new("killed");
    let mut last = 0_u64;
    for round in 0..rounds {
        let mut writer = child("files::writer", &folder).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        // At a moment that depends on how far it has come, and on how the machine is scheduled.
        let mut acknowledged = last;
        for line in lines.by_ref().take(3 + round % 23) {
            acknowledged = line?.trim().parse().unwrap_or(acknowledged);
        }
        writer.kill()?;
        // What it had said before it died.
        for line in lines.map_while(Result::ok) {
            acknowledged = line.trim().parse().unwrap_or(acknowledged);
        }
        writer.wait()?;
        let con = Embedded::in_file(folder.file(), Durability::Immediate)?;
        let read = |key: &str, field: &str| HashMap::new(key).on(con.clone()).get::<u64>(field);
        let (a, b, counted) = (read("a", "i")?, read("b", "i")?, read("h", "acknowledged")?.unwrap_or(0));
        assert_eq!(a, b, "half of a batch");
        assert!(counted >= acknowledged, "{acknowledged} was acknowledged, {counted} is there");
        assert!(counted >= last, "it went back");
        last = counted;
    }
    assert!(last > 0, "nothing was written");
    Ok(())
}
