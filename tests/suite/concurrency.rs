//! Many at once on one record: no update is lost.

use redis::aio::ConnectionLike;
use redis_hashmap::{Error, HashMap, Options, RedisHash, open};
use redis_hashmap_tests::{AnyError, given, key, redis_url};

type Test = Result<(), AnyError>;

const EACH: i64 = 500;

#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Account {
    balance: i64,
    /// Written by one task alone: it never conflicts.
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
            tokio::spawn(async move {
                for _ in 0..EACH {
                    account.update(|account| account.balance += 1).await?;
                    account.visits().increment(1).await?;
                }
                Ok::<(), Error>(())
            })
        })
        .collect();
    // Who touches another field is never in the way of these, nor they of him.
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

/// Entries of a map, too.
#[test]
fn threads_on_one_entry() -> Test {
    let key = key();
    HashMap::<u8, i64>::typed(&*key).on(open(&redis_url())?).set(&1, &0)?;
    std::thread::scope(|scope| {
        let worker = || {
            let mut map = HashMap::<u8, i64>::typed(&*key).on(open(&redis_url())?);
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
