//! Accessors over async connections.

use redis::aio::{ConnectionManager, MultiplexedConnection};
use redis_hashmap::{HashMap, RedisHash};
use redis_hashmap_tests::{AnyError, client, given, key, redis_url};

type Test = Result<(), AnyError>;

#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Settings {
    theme: String,
    #[redis_hash(default = 14)]
    width: u8,
    nick: Option<String>,
}

async fn multiplexed() -> Result<MultiplexedConnection, AnyError> {
    Ok(client().get_multiplexed_async_connection_with_config(&crate::patient()).await?)
}

/// All operations, on any executor.
macro_rules! every_operation {
    ($settings:ident, $map:ident) => {{
        assert!($settings.theme().set("dark").await?);
        assert_eq!($settings.theme().get().await?.as_deref(), Some("dark"));
        assert_eq!($settings.width().get().await?, 14);
        assert!($settings.theme().exists().await?);
        let mut record = Settings { theme: "light".to_owned(), width: 9, nick: Some("Ann".to_owned()) };
        for nick in [Some("Ann".to_owned()), None] {
            record.nick = nick;
            $settings.set_all(&record).await?;
            assert_eq!($settings.get_all().await?.as_ref(), Some(&record));
        }
        assert_eq!($settings.get_partial().await?.width, Some(9));
        assert_eq!(($settings.size().await?, $settings.get_fields().await?.len()), (2, 2));
        assert!($map.set("flag", &true).await?);
        assert_eq!($map.get::<bool>("flag").await?, Some(true));
        assert_eq!($map.get_all().await?.len(), 3);
        assert!($map.delete("flag").await?);
        assert!($map.get_fields().await?.contains(&"theme".to_owned()));
        assert!($settings.theme().delete().await?);
        assert!($settings.exists().await?);
        assert!($settings.clear().await?);
        assert!(!$map.clear().await?);
    }};
}

#[tokio::test]
async fn on_a_multiplexed_connection() -> Test {
    let (key, con) = (key(), multiplexed().await?);
    let (settings, map) = (Settings::at(&*key).on_async(con.clone()), HashMap::new(&*key).on_async(con));
    every_operation!(settings, map);
    Ok(())
}

#[tokio::test]
async fn on_a_connection_manager() -> Test {
    let config = redis::aio::ConnectionManagerConfig::new().set_response_timeout(Some(crate::PATIENCE));
    let (key, con) = (key(), ConnectionManager::new_with_config(client(), config).await?);
    let (settings, map) = (Settings::at(&*key).on_async(con.clone()), HashMap::new(&*key).on_async(con));
    every_operation!(settings, map);
    Ok(())
}

#[tokio::test]
async fn on_an_exclusive_connection() -> Test {
    let (key, con) = (key(), multiplexed().await?);
    let (mut a, mut b) = (con.clone(), con);
    let (settings, map) = (Settings::at(&*key).on_exclusive(&mut a), HashMap::new(&*key).on_exclusive(&mut b));
    every_operation!(settings, map);
    Ok(())
}

#[tokio::test]
async fn on_a_cluster() -> Test {
    let nodes: Vec<String> = given("REDIS_CLUSTER_NODES").split(',').map(|node| format!("redis://{node}/")).collect();
    let con = redis::cluster::ClusterClient::new(nodes)?.get_async_connection().await?;
    let key = key();
    let (settings, map) = (Settings::at(&*key).on_async(con.clone()), HashMap::new(&*key).on_async(con));
    every_operation!(settings, map);
    Ok(())
}

#[tokio::test]
async fn on_a_resp3_connection() -> Test {
    let client = redis::Client::open(format!("{}?protocol=resp3", redis_url()))?;
    let (key, con) = (key(), client.get_multiplexed_async_connection_with_config(&crate::patient()).await?);
    let (settings, map) = (Settings::at(&*key).on_async(con.clone()), HashMap::new(&*key).on_async(con));
    every_operation!(settings, map);
    Ok(())
}

/// Guards of pools are not Clone, so the accessor borrows the connection behind them.
#[tokio::test]
async fn on_the_guard_of_bb8() -> Test {
    let key = key();
    let pool = bb8::Pool::builder().max_size(2).build(bb8_redis::RedisConnectionManager::new(redis_url())?).await?;
    let (mut a, mut b) = (pool.get().await?, pool.get().await?);
    let (settings, map) = (Settings::at(&*key).on_exclusive(&mut *a), HashMap::new(&*key).on_exclusive(&mut *b));
    every_operation!(settings, map);
    Ok(())
}

#[tokio::test]
async fn on_the_guard_of_deadpool() -> Test {
    let key = key();
    let pool = deadpool_redis::Config::from_url(redis_url()).create_pool(Some(deadpool_redis::Runtime::Tokio1))?;
    let (mut a, mut b) = (pool.get().await?, pool.get().await?);
    // deadpool's guard is a connection itself.
    let (settings, map) = (Settings::at(&*key).on_exclusive(&mut a), HashMap::new(&*key).on_exclusive(&mut b));
    every_operation!(settings, map);
    Ok(())
}

#[test]
fn on_the_guard_of_r2d2() -> Test {
    let key = key();
    let pool = r2d2::Pool::builder().max_size(1).build(client())?;
    let mut guard = pool.get()?;
    let settings = Settings::at(&*key).on(&mut *guard);
    settings.theme().set("dark")?;
    assert_eq!(settings.get_all()?.map(|settings| settings.theme).as_deref(), Some("dark"));
    drop(settings);
    // The guard itself is a connection too.
    assert_eq!(Settings::at(&*key).on(guard).size()?, 1);
    Ok(())
}

/// Futures of one accessor borrow nothing: they can run at the same time, and can be spawned.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_at_once() -> Test {
    let (key, con) = (key(), multiplexed().await?);
    let settings = Settings::at(&*key).on_async(con.clone());
    let (theme, width) = tokio::join!(settings.theme().set("dark"), settings.width().set(7));
    assert!(theme? && width?);
    let (theme, width, size) = tokio::join!(settings.theme().get(), settings.width().get(), settings.size());
    assert_eq!((theme?.as_deref(), width?, size?), (Some("dark"), 7, 2));

    let map = HashMap::<u32, String>::typed(&*key).on_async(con);
    settings.clear().await?;
    let tasks: Vec<_> = (0..64).map(|i| tokio::spawn(map.set(&i, format!("value {i}")))).collect();
    for task in tasks {
        assert!(task.await??);
    }
    let reads: Vec<_> = (0..64).map(|i| (i, tokio::spawn(map.get(&i)))).collect();
    for (i, read) in reads {
        assert_eq!(read.await??, Some(format!("value {i}")));
    }
    assert_eq!(map.size().await?, 64);
    Ok(())
}

#[tokio::test]
async fn nothing_is_sent_before_the_future_is_awaited() -> Test {
    let (key, con) = (key(), multiplexed().await?);
    let settings = Settings::at(&*key).on_async(con);
    let never = settings.theme().set("dark");
    drop(never);
    assert!(!settings.exists().await?);
    Ok(())
}

#[tokio::test]
async fn a_command_runs_on_an_async_connection() -> Test {
    let (key, mut con) = (key(), multiplexed().await?);
    let settings = Settings::at(&*key);
    assert!(settings.theme().set("dark").query_async(&mut con).await?);
    assert_eq!(settings.theme().get().query_async(&mut con).await?.as_deref(), Some("dark"));
    Ok(())
}

/// Whoever misses a value that is slow to make makes it; the first that is stored is returned to all.
#[tokio::test]
async fn get_or_insert_with_a_future() -> Result<(), redis_hashmap_tests::AnyError> {
    use std::time::Duration;

    let key = redis_hashmap_tests::key();
    for url in [redis_hashmap_tests::redis_url(), "memory:".to_owned()] {
        let con = redis_hashmap::Options::parse(&url)?.response_timeout(crate::PATIENCE).open_async().await?;
        let cache = redis_hashmap::HashMap::<u8, String>::typed(&*key).on_async(con);
        let tasks: Vec<_> = (0..16)
            .map(|i| {
                let slow = move || async move {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    Ok::<_, redis_hashmap::Error>(format!("made by {i}"))
                };
                tokio::spawn(cache.entry(&1).get_or_try_insert_with_async(slow))
            })
            .collect();
        let mut found = std::collections::BTreeSet::new();
        for task in tasks {
            found.insert(task.await??);
        }
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(cache.get(&1).await?.as_ref(), found.first());
        let refused: Result<_, redis_hashmap_tests::AnyError> =
            cache.entry(&2).get_or_try_insert_with_async(|| async { Err("no".into()) }).await;
        assert_eq!(refused.unwrap_err().to_string(), "no");
        assert!(!cache.exists(&2).await?);
        cache.clear().await?;
    }
    Ok(())
}
