//! Many at once on one record: no update is lost.

use redis::aio::ConnectionLike;
use redis_hashmap::{Error, HashMap, Options, RedisHash, open};
use redis_hashmap_tests::{AnyError, given, key, redis_url};

type Test = Result<(), AnyError>;

const EACH: i64 = 500;

/// The default of 64 attempts is enough on an idle machine. On a busy one, a task can lose more often.
const ATTEMPTS: u32 = 100_000;

#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Account {
    balance: i64,
    /// Written by one task alone, so that it never conflicts.
    owner: String,
    #[redis_hash(counter)]
    visits: i64,
}

fn account() -> Account {
    Account { balance: 0, owner: String::new(), visits: 0 }
}

/// Eight threads, each with a connection of its own.
fn threads(connect: impl Fn() -> Result<redis_hashmap::Connection, Error> + Sync) -> Test {
    let key = key();
    Account::at(&*key).on(connect()?).set_all(&account())?;
    std::thread::scope(|scope| {
        let worker = || {
            let mut account = Account::at(&*key).on(connect()?);
            account.set_attempt_limit(ATTEMPTS);
            for _ in 0..EACH {
                account.update(|account| account.balance += 1)?;
                account.visits().increment(1)?;
            }
            Ok::<(), Error>(())
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(worker)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap())
    })?;
    let found = Account::at(&*key).on(connect()?).get_all()?.unwrap();
    assert_eq!((found.balance, found.visits), (8 * EACH, 8 * EACH));
    Account::at(&*key).on(connect()?).clear()?;
    Ok(())
}

/// 64 tasks on one connection.
async fn tasks<C: ConnectionLike + Clone + Send + Sync + 'static>(con: C) -> Test {
    let key = key();
    let mut shared = Account::at(&*key).on_async(con.clone());
    shared.set_all(&account()).await?;
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let mut account = shared.clone();
            account.set_attempt_limit(ATTEMPTS);
            tokio::spawn(async move {
                for _ in 0..EACH {
                    account.update(|account| account.balance += 1).await?;
                    account.visits().increment(1).await?;
                }
                Ok::<(), Error>(())
            })
        })
        .collect();
    // An update of another field never conflicts with these.
    shared.set_attempt_limit(1);
    for i in 0..EACH {
        shared.update(move |account| account.owner = i.to_string()).await?;
    }
    for task in tasks {
        task.await??;
    }
    let found = shared.get_all().await?.unwrap();
    assert_eq!((found.balance, found.visits), (64 * EACH, 64 * EACH));
    assert_eq!(found.owner, (EACH - 1).to_string());
    shared.clear().await?;
    Ok(())
}

#[test]
fn threads_on_a_server() -> Test {
    threads(|| open(&redis_url()))
}

#[test]
fn threads_on_a_cluster() -> Test {
    threads(|| open(&cluster()))
}

#[test]
fn threads_on_the_embedded_store() -> Test {
    let keeps_it = open("memory:concurrency")?;
    threads(|| open("memory:concurrency"))?;
    drop(keeps_it);
    Ok(())
}

fn cluster() -> String {
    format!("redis+cluster://{}/", given("REDIS_CLUSTER_NODES"))
}

#[tokio::test]
async fn tasks_on_a_server() -> Test {
    let patient = crate::patient();
    let con = redis_hashmap_tests::client().get_multiplexed_async_connection_with_config(&patient).await?;
    tasks(con).await
}

#[tokio::test]
async fn tasks_on_a_cluster() -> Test {
    tasks(Options::parse(&cluster())?.response_timeout(crate::PATIENCE).open_async().await?).await
}

#[tokio::test]
async fn tasks_on_the_embedded_store() -> Test {
    tasks(redis_hashmap::open_async("memory:").await?).await
}

/// No update of a map's entry is lost, either.
#[test]
fn threads_on_one_entry() -> Test {
    let key = key();
    HashMap::<u8, i64>::typed(&*key).on(open(&redis_url())?).set(&1, 0)?;
    std::thread::scope(|scope| {
        let worker = || {
            let mut map = HashMap::<u8, i64>::typed(&*key).on(open(&redis_url())?);
            map.set_attempt_limit(ATTEMPTS);
            for _ in 0..EACH {
                map.update(&1, |count| *count += 1)?;
            }
            Ok::<(), Error>(())
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(worker)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap())
    })?;
    assert_eq!(HashMap::<u8, i64>::typed(&*key).on(open(&redis_url())?).get(&1)?, Some(8 * EACH));
    Ok(())
}

/// Fields that change together: a reader, and a record whose writer was killed, has all of the changes or none.
#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Pair {
    a: u64,
    b: u64,
    odd: Option<u64>,
}

fn count(pair: &mut Pair) {
    pair.a += 1;
    pair.b += 1;
    pair.odd = (!pair.a.is_multiple_of(2)).then_some(pair.a);
}

#[test]
#[ignore = "run by the tests below, in a process that is killed"]
fn updater() {
    let given = |name| std::env::var(name).expect("run by another test");
    let pair = Pair::at(given("KEY")).on(open(&given("STORE")).unwrap());
    pair.create(&Pair { a: 0, b: 0, odd: None }).unwrap();
    for done in 1.. {
        pair.update(count).unwrap();
        println!("{done}");
    }
}

/// Kills updaters at different moments. Returns how many updates they have acknowledged. `meanwhile` runs beside each.
fn kill_updaters(store: &str, key: &str, rounds: usize, mut meanwhile: impl FnMut() -> Test) -> Result<u64, AnyError> {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let mut acknowledged = 0;
    for round in 0..rounds {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--ignored", "--exact", "concurrency::updater", "--nocapture"])
            .env("STORE", store)
            .env("KEY", key)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut done = 0;
        while done <= round % 17 {
            let line = lines.next().ok_or("the updater ended by itself")??;
            done = line.trim().parse().unwrap_or(done);
        }
        meanwhile()?;
        child.kill()?;
        for line in lines.map_while(Result::ok) {
            done = line.trim().parse().unwrap_or(done);
        }
        child.wait()?;
        acknowledged += done as u64;
    }
    Ok(acknowledged)
}

fn whole_updates(found: &Pair, least: u64, most: u64) {
    assert_eq!(found.a, found.b, "half of an update");
    assert_eq!(found.odd, (!found.a.is_multiple_of(2)).then_some(found.a), "half of an update");
    assert!((least..=most).contains(&found.a), "{} updates are there, of {least} to {most}", found.a);
}

#[test]
fn a_killed_process_leaves_whole_updates_on_a_server() -> Test {
    let key = key();
    let pair = Pair::at(&*key).on(open(&redis_url())?);
    let mut own = 0;
    let acknowledged = kill_updaters(&redis_url(), &key, 20, || {
        for _ in 0..50 {
            pair.update(count)?.ok_or("the record is gone")?;
            own += 1;
        }
        Ok(())
    })?;
    // One update of each process can have been carried out, but not acknowledged.
    let least = acknowledged + own;
    whole_updates(&pair.get_all()?.unwrap(), least, least + 20);
    Ok(())
}

#[test]
fn a_killed_process_leaves_whole_updates_in_a_file() -> Test {
    let file = std::env::temp_dir().join(format!("redis-hashmap-updates-{}.redb", std::process::id()));
    let store = format!("file:{}", file.display());
    let acknowledged = kill_updaters(&store, "pair", 20, || Ok(()))?;
    let found = Pair::at("pair").on(open(&store)?).get_all()?.unwrap();
    std::fs::remove_file(file)?;
    whole_updates(&found, acknowledged, acknowledged + 20);
    Ok(())
}
