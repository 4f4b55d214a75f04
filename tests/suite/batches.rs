//! Several commands in one round trip.

use redis::ConnectionLike;
use redis::cluster::ClusterClient;
use redis_hashmap::{Batch, Command, Error, HashMap, RedisHash, batch, open, open_async};
use redis_hashmap_tests::{AnyError, client, given, key, redis_url, server};

type Test = Result<(), AnyError>;

#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Settings {
    theme: String,
    #[redis_hash(default = 14)]
    width: u8,
    nick: Option<String>,
}

fn settings() -> Settings {
    Settings { theme: "dark".to_owned(), width: 7, nick: None }
}

fn cluster() -> ClusterClient {
    let nodes: Vec<String> = given("REDIS_CLUSTER_NODES").split(',').map(|node| format!("redis://{node}/")).collect();
    ClusterClient::new(nodes).unwrap()
}

#[test]
fn a_tuple_of_different_results() -> Test {
    let (key, mut con) = (key(), server()?);
    let accessor = Settings::at(&*key);
    let (set, get, width, size, all, exists, fields) = batch((
        accessor.theme().set("dark"),
        accessor.theme().get(),
        accessor.width().get(),
        accessor.size(),
        accessor.get_all(),
        accessor.nick().exists(),
        accessor.get_fields(),
    ))
    .query(&mut con)?;
    assert_eq!((set, get.as_deref(), width, size, exists), (true, Some("dark"), 14, 1, false));
    assert_eq!(all, Some(Settings { theme: "dark".to_owned(), width: 14, nick: None }));
    assert_eq!(fields, ["theme"]);
    Ok(())
}

#[test]
fn a_vec_of_one_result() -> Test {
    let (key, mut con) = (key(), server()?);
    let map = HashMap::<u32, u32>::typed(&*key);
    let sets: Vec<Command<bool>> = (0..500).map(|i| map.set(&i, i * i)).collect();
    assert!(batch(sets).query(&mut con)?.into_iter().all(|is_new| is_new));
    let gets = (0..500).map(|i| map.get(&i)).collect::<Vec<_>>();
    let squares: Vec<u32> = batch(gets).query(&mut con)?.into_iter().flatten().collect();
    assert_eq!(squares, (0..500).map(|i| i * i).collect::<Vec<_>>());
    assert_eq!(batch(Vec::<Command<bool>>::new()).query(&mut con)?, Vec::<bool>::new());
    Ok(())
}

#[test]
fn scripts_run_in_batches_even_where_the_server_does_not_know_them() -> Test {
    // A server that tests/run starts: nobody else's scripts are flushed.
    let (first, second, mut con) = (key(), key(), as_user("default")?);
    let (a, b) = (Settings::at(&*first), Settings::at(&*second));
    redis::cmd("SCRIPT").arg("FLUSH").exec(&mut con)?;
    let ((), (), size) = batch((a.set_all(&settings()), b.set_all(&settings()), b.size())).query(&mut con)?;
    assert_eq!(size, 2);
    redis::cmd("SCRIPT").arg("FLUSH").exec(&mut con)?;
    batch((a.set_all(&settings()), a.size())).atomic().query(&mut con)?;
    redis::cmd("SCRIPT").arg("FLUSH").exec(&mut con)?;
    a.on(&mut con).set_all(&settings())?;
    assert_eq!(a.on(&mut con).get_all()?, Some(settings()));
    Ok(())
}

#[test]
fn atomic_and_failing() -> Test {
    let (key, text, mut con) = (key(), key(), server()?);
    redis::cmd("SET").arg(&*text).arg("a text").exec(&mut con)?;
    let map = HashMap::new(&*key);
    for atomic in [false, true] {
        let commands = (map.set("a", 1), HashMap::new(&*text).size(), map.set("b", 2));
        let sent = batch(commands);
        let error = if atomic { sent.atomic() } else { sent }.query(&mut con).unwrap_err();
        assert_eq!(error.redis().and_then(|fault| fault.code()), Some("WRONGTYPE"), "{error}");
        assert_eq!(
            error.place().and_then(|place| place.key()),
            Some(&*text),
            "the error is of the command that failed"
        );
        // The others were carried out, as in Redis, and the connection is still in step.
        assert_eq!(map.clone().on(&mut con).size()?, 2);
        map.on(&mut con).clear()?;
    }
    Ok(())
}

fn as_user(user: &str) -> Result<redis::Connection, AnyError> {
    Ok(user_client(user)?.get_connection()?)
}

fn user_client(user: &str) -> Result<redis::Client, AnyError> {
    let address = given("REDIS_ACL_ADDRESS");
    Ok(redis::Client::open(format!("redis://{user}:secret-of-{user}@{address}/"))?)
}

/// redis-rs 1.8.1 panics, or kills the connection, when it skips the reply of a refused MULTI.
#[test]
fn a_refused_multi_is_an_error_and_the_connection_goes_on() -> Test {
    let (key, mut con) = (key(), as_user("nomulti")?);
    let map = HashMap::new(&*key);
    let error = batch((map.size(), map.set("a", 1))).atomic().query(&mut con).unwrap_err();
    assert_eq!(error.redis().and_then(|fault| fault.code()), Some("NOPERM"), "{error}");
    assert!(error.to_string().starts_with("MULTI on hash "), "{error}");
    assert_eq!(map.on(&mut con).get("a")?, Some(1), "as documented, the commands were carried out one by one");
    map.on(&mut con).clear()?;
    Ok(())
}

#[tokio::test]
async fn a_refused_multi_is_an_error_and_the_async_connection_goes_on() -> Test {
    let (key, mut con) =
        (key(), user_client("nomulti")?.get_multiplexed_async_connection_with_config(&crate::patient()).await?);
    let map = HashMap::new(&*key);
    let error = batch((map.size(), map.set("a", 1))).atomic().query_async(&mut con).await.unwrap_err();
    assert!(error.to_string().starts_with("MULTI on hash "), "{error}");
    assert!(map.on_async(con).clear().await?);
    Ok(())
}

/// The error names the command that the server has refused, not the first one.
#[tokio::test]
async fn a_refused_command_discards_the_transaction_and_is_named() -> Test {
    let (key, client) = (key(), user_client("nohset")?);
    let map = HashMap::new(&*key);
    let mut con = client.get_connection()?;
    let blocking = batch((map.size(), map.set("a", 1))).atomic().query(&mut con).unwrap_err();
    let mut con = client.get_multiplexed_async_connection_with_config(&crate::patient()).await?;
    let on_async = batch((map.size(), map.set("a", 1))).atomic().query_async(&mut con).await.unwrap_err();
    for error in [blocking, on_async] {
        assert_eq!(error.redis().and_then(|fault| fault.code()), Some("NOPERM"), "{error}");
        assert!(error.to_string().starts_with("HSET on field \"a\" of hash "), "{error}");
    }
    assert!(!map.exists("a").query_async(&mut con).await?);
    Ok(())
}

#[test]
fn a_watched_key_that_has_changed_is_an_error_of_its_own() -> Test {
    let (key, mut con) = (key(), server()?);
    let map = HashMap::new(&*key);
    redis::cmd("WATCH").arg(&*key).exec(&mut con)?;
    map.on(server()?).set("a", 1)?;
    let error = batch((map.set("b", 2),)).atomic().query(&mut con).unwrap_err();
    assert!(matches!(error, Error::WatchedKeyChanged), "{error}");
    assert!(error.is_transient() && !error.may_have_been_applied());
    assert!(!map.on(&mut con).exists("b")?, "nothing was carried out");
    Ok(())
}

#[test]
fn a_command_that_cannot_be_made_keeps_the_others_back() -> Test {
    let (key, mut con) = (key(), server()?);
    let map = HashMap::new(&*key);
    let error = batch((map.set("a", 1), map.set("", 2))).query(&mut con).unwrap_err();
    assert!(matches!(error, Error::EmptyField { .. }), "{error}");
    assert_eq!(map.on(&mut con).size()?, 0);
    Ok(())
}

/// Keys that lie in many slots of the cluster.
fn spread(key: &str, count: usize) -> Vec<HashMap> {
    (0..count).map(|i| HashMap::new(format!("{key}/{i}"))).collect()
}

#[test]
fn on_a_blocking_cluster() -> Test {
    let (key, mut con) = (key(), cluster().get_connection()?);
    assert!(!con.supports_pipelining());
    let mut maps = spread(&key, 20);
    let sets = maps.iter_mut().enumerate().map(|(i, map)| map.set("i", i)).collect::<Vec<_>>();
    assert_eq!(batch(sets).query(&mut con)?, [true; 20]);
    let gets = maps.iter_mut().map(|map| map.get::<usize>("i")).collect::<Vec<_>>();
    assert_eq!(batch(gets).query(&mut con)?, (0..20).map(Some).collect::<Vec<_>>());

    let error = batch((maps[0].set("i", 99), maps[0].size())).atomic().query(&mut con).unwrap_err();
    assert!(matches!(error, Error::NotAtomic { .. }), "{error}");
    assert_eq!(maps[0].on(&mut con).get("i")?, Some(0_usize), "nothing was sent");

    let record = Settings::at(&*key).on(&mut con);
    record.set_all(&settings())?;
    assert_eq!(record.get_all()?, Some(settings()));
    Ok(())
}

#[tokio::test]
async fn on_an_async_cluster() -> Test {
    let (key, mut con) = (key(), cluster().get_async_connection().await?);
    let mut maps = spread(&key, 50);
    let sets = maps.iter_mut().enumerate().map(|(i, map)| map.set("i", i)).collect::<Vec<_>>();
    assert_eq!(batch(sets).query_async(&mut con).await?, [true; 50]);
    // The replies come back in the order of the commands, not of the slots.
    let gets = maps.iter_mut().map(|map| map.get::<usize>("i")).collect::<Vec<_>>();
    assert_eq!(batch(gets).query_async(&mut con).await?, (0..50).map(Some).collect::<Vec<_>>());

    let commands = (maps[0].set("i", 99), maps[1].set("i", 99));
    let error = batch(commands).atomic().query_async(&mut con).await.unwrap_err();
    assert!(matches!(error, Error::NotAtomic { .. }), "{error}");
    assert_eq!(maps[0].on_async(con.clone()).get("i").await?, Some(0_usize), "nothing was sent");

    // One slot, by a common hash tag.
    let (a, b) = (HashMap::new(format!("{{{key}}}/a")), HashMap::new(format!("{{{key}}}/b")));
    let sets = batch((a.set("x", 1), b.set("x", 2), a.size())).atomic().query_async(&mut con).await?;
    assert_eq!(sets, (true, true, 1));

    // One of many fails with its own error; the others are carried out.
    redis::cmd("SET").arg(format!("{key}/text")).arg("a text").exec_async(&mut con).await?;
    let text = HashMap::new(format!("{key}/text"));
    let error = batch((maps[2].set("y", 1), text.size(), maps[3].set("y", 1))).query_async(&mut con).await;
    assert_eq!(error.unwrap_err().redis().and_then(|fault| fault.code()), Some("WRONGTYPE"));
    assert_eq!(maps[3].on_async(con).get::<i32>("y").await?, Some(1));
    Ok(())
}

#[tokio::test]
async fn on_a_multiplexed_connection() -> Test {
    let (key, mut con) = (key(), client().get_multiplexed_async_connection_with_config(&crate::patient()).await?);
    let accessor = Settings::at(&*key);
    let (set, all) = batch((accessor.theme().set("dark"), accessor.get_all())).query_async(&mut con).await?;
    assert_eq!((set, all.map(|all| all.width)), (true, Some(14)));
    let ((), size) = batch((accessor.set_all(&settings()), accessor.size())).atomic().query_async(&mut con).await?;
    assert_eq!(size, 2);
    Ok(())
}

/// A command goes into a pipeline of redis-rs.
#[test]
fn commands_are_commands_of_redis() -> Test {
    let (key, mut con) = (key(), server()?);
    let map = HashMap::new(&*key);
    let (new, size): (bool, u64) =
        redis::pipe().add_command(map.set("a", 1).into_cmd()?).add_command(map.size().into_cmd()?).query(&mut con)?;
    assert_eq!((new, size), (true, 1));
    assert!(matches!(map.set("", 1).into_cmd(), Err(Error::EmptyField { .. })));
    Ok(())
}

/// One bad record does not hide 999, on any kind of connection.
#[tokio::test]
async fn each_command_has_a_result_of_its_own() -> Test {
    let nodes = given("REDIS_CLUSTER_NODES");
    for url in ["memory:".to_owned(), redis_url(), format!("redis+cluster://{nodes}")] {
        let (mut con, mut shared) = (open(&url)?, open_async(&url).await?);
        if url == "memory:" {
            // The same store for both.
            let name = format!("memory:{}", key().replace('/', "-"));
            (con, shared) = (open(&name)?, open_async(&name).await?);
        }
        let prefix = key();
        let record = |i: usize| Settings::at(format!("{}:{i}", &*prefix));
        let sets: Batch<_> = (0..1000).map(|i| record(i).set_all(&settings())).collect();
        sets.query(&mut con)?;
        redis::cmd("HSET").arg(record(500).key()).arg("theme").arg("damaged").exec(&mut con)?;

        let gets = || (0..1000).map(|i| record(i).get_all()).collect::<Batch<_>>();
        assert!(matches!(gets().query(&mut con), Err(Error::Foreign { .. })));
        for each in [gets().query_each(&mut con)?, gets().query_each_async(&mut shared).await?] {
            assert_eq!(each.len(), 1000);
            for (i, result) in each.into_iter().enumerate() {
                match result {
                    Err(Error::Foreign { place }) if i == 500 => assert_eq!(place.key(), Some(record(i).key())),
                    result => assert_eq!(result?, Some(settings()), "{i}"),
                }
            }
        }
        let clears: Batch<_> = (0..1000).map(|i| record(i).clear()).collect();
        assert!(clears.query_each_async(&mut shared).await?.into_iter().all(|result| matches!(result, Ok(true))));
    }
    Ok(())
}

#[test]
fn what_cannot_be_made_keeps_its_place() -> Test {
    let (key, mut con) = (key(), server()?);
    let map = HashMap::new(&*key);
    let commands = || (map.set("a", 1_u8), map.set("", 2_u8), map.get::<String>("a"), HashMap::new("").size());
    let (set, unnamed, wrong, keyless) = batch(commands()).query_each(&mut con)?;
    assert!(set?);
    assert!(matches!(unnamed, Err(Error::EmptyField { .. })), "{unnamed:?}");
    assert!(matches!(wrong, Err(Error::WrongType { .. })), "{wrong:?}");
    assert!(matches!(keyless, Err(Error::EmptyKey)), "{keyless:?}");
    // A transaction is sent as a whole or not at all.
    map.clear().query(&mut con)?;
    let atomic = batch(commands()).atomic().query_each(&mut con);
    assert!(matches!(atomic, Err(Error::EmptyField { .. })), "the others were carried out");
    assert_eq!(map.size().query(&mut con)?, 0);
    let (set, wrong) = batch((map.set("a", 1_u8), map.get::<String>("a"))).atomic().query_each(&mut con)?;
    assert!(set? && matches!(wrong, Err(Error::WrongType { .. })));
    Ok(())
}
