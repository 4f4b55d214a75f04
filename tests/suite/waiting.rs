//! `wait`: how many replicas have what was written.

use std::time::Duration;

use redis_hashmap::{Error, HashMap, open, open_async};
use redis_hashmap_tests::cluster::Cluster;
use redis_hashmap_tests::proxy::Proxy;
use redis_hashmap_tests::{AnyError, key, redis_url};

type Test = Result<(), AnyError>;

const LIMIT: Duration = Duration::from_secs(4);

/// The server of most tests has one replica.
#[tokio::test]
async fn replicas_that_have_it_are_counted() -> Test {
    let key = key();
    let map = HashMap::new(&*key).on(open(&redis_url())?);
    map.set("a", 1)?;
    assert_eq!(map.wait(1, LIMIT)?, 1);
    assert_eq!(map.wait(2, Duration::from_millis(20))?, 1, "there are no two");
    let mut con = open_async(&redis_url()).await?;
    let map = HashMap::new(&*key).on_exclusive(&mut con);
    map.set("a", 2).await?;
    assert_eq!(map.wait(1, LIMIT).await?, 1);
    let own = HashMap::new(&*key).on(redis::Client::open(redis_url())?.get_connection()?);
    own.set("a", 3)?;
    assert_eq!(own.wait(1, LIMIT)?, 1);
    let memory = HashMap::new("key").on(open("memory:")?);
    memory.set("a", 1)?;
    assert_eq!(memory.wait(1, LIMIT)?, 0);
    Ok(())
}

/// A new connection has written nothing, and Redis would answer that all have that.
#[tokio::test]
async fn what_another_connection_wrote_is_not_answered_for() -> Test {
    let proxy = Proxy::before(redis_url().trim_start_matches("redis://").trim_end_matches('/'));
    let (key, url) = (key(), format!("redis://{}", proxy.address()));
    let cut = || {
        proxy.cut();
        while proxy.open() > 0 {
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_millis(15)); // idle, so that it is looked at
    };
    let lost = |result: Result<u64, Error>| {
        let error = result.expect_err("its connection was lost");
        assert!(error.to_string().contains("WAIT says nothing of it") && !error.is_transient(), "{error}");
    };
    let map = HashMap::new(&*key).on(open(&url)?);
    map.set("a", 1)?;
    cut();
    lost(map.wait(1, LIMIT));
    lost(map.wait(1, LIMIT));
    // Nor if a call that only reads has opened another one.
    map.get::<i32>("a")?;
    lost(map.wait(1, LIMIT));
    map.set("a", 2)?;
    assert_eq!(map.wait(1, LIMIT)?, 1);
    let mut con = open_async(&url).await?;
    let map = HashMap::new(&*key).on_exclusive(&mut con);
    map.set("a", 3).await?;
    cut();
    tokio::time::sleep(Duration::from_millis(5)).await; // the task of the connection sees it
    lost(map.wait(1, LIMIT).await);
    map.get::<i32>("a").await?;
    lost(map.wait(1, LIMIT).await);
    map.set("a", 4).await?;
    assert_eq!(map.wait(1, LIMIT).await?, 1);
    Ok(())
}

#[tokio::test]
async fn on_a_cluster() -> Test {
    let cluster = Cluster::start(1, false)?;
    let mut con = open(&cluster.url())?;
    for number in 0..20 {
        HashMap::new(format!("wait:{number}").as_str()).on(&mut con).set("a", number)?;
    }
    assert_eq!(HashMap::new("wait:0").on(&mut con).wait(1, LIMIT)?, 1);
    // One that has written to one master only.
    let mut con = open_async(&cluster.url()).await?;
    let map = HashMap::new("wait:1").on_exclusive(&mut con);
    map.set("a", 1).await?;
    assert_eq!(map.wait(1, LIMIT).await?, 1);
    Ok(())
}
