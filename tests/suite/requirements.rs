//! What records need of a server: asked at start-up by `require`, and before a closure runs.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use redis::{Cmd, cmd};
use redis_hashmap::{Error, HashMap, Options, RedisHash, open, open_async, require, require_async};
use redis_hashmap_tests::{AnyError, given, key, newer_server, redis_url};

type Test = Result<(), AnyError>;

#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Plain {
    name: String,
}

#[derive(RedisHash, Debug, Clone, PartialEq)]
#[redis_hash(ttl = "30m")]
struct Session {
    user: String,
}

#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Login {
    user: Option<String>,
    #[redis_hash(ttl = "5m")]
    code: Option<String>,
    #[redis_hash(counter, ttl = "1h")]
    tries: i64,
}

#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Renamed {
    #[redis_hash(alias = "login")]
    name: String,
}

fn cluster_url() -> String {
    format!("redis+cluster://{}", given("REDIS_CLUSTER_NODES"))
}

#[test]
fn a_server_that_lacks_something_is_found_out() -> Test {
    for url in [redis_url(), cluster_url()] {
        let mut con = open(&url)?;
        require::<Plain>(&mut con)?;
        require::<(Plain, Session)>(&mut con)?;
        let error = require::<(Session, Login)>(&mut con).expect_err("fields do not expire in Redis 7.0");
        assert!(matches!(error, Error::Requirement { .. }), "{error}");
        assert_eq!(
            error.to_string(),
            format!(
                "the time to live of `code`, `tries` of `{}` needs a server on which fields expire, Redis 8.0, Valkey 9.1 or \
                 newer, and this one does not know HSETEX HGETEX HPTTL HPEXPIRE",
                std::any::type_name::<Login>()
            )
        );
        assert!(!error.is_transient() && !error.may_have_been_applied() && error.place().is_none());
    }
    let newer = ["REDIS_8_URL", "VALKEY_9_URL"].into_iter().filter_map(newer_server);
    for url in newer.chain(["memory:".to_owned()]) {
        let mut con = open(&url)?;
        require::<(Plain, Session, Login)>(&mut con)?;
        assert_eq!(cmd("EXISTS").arg("redis-hashmap:require").query::<u64>(&mut con)?, 0, "{url}");
    }
    Ok(())
}

#[tokio::test]
async fn an_async_connection_is_asked_alike() -> Test {
    for url in [redis_url(), cluster_url()] {
        let mut con = open_async(&url).await?;
        require_async::<(Plain, Session)>(&mut con).await?;
        let error = require_async::<Login>(&mut con).await.expect_err("fields do not expire in Redis 7.0");
        assert!(matches!(error, Error::Requirement { .. }), "{error}");
    }
    require_async::<(Login,)>(&mut open_async("memory:").await?).await?;
    Ok(())
}

#[test]
fn a_user_without_the_rights_is_found_out() -> Test {
    let open_as = |user: &str| {
        let url = format!("redis://{}", given("REDIS_ACL_ADDRESS"));
        Options::parse(&url)?.credentials(Some(user), &format!("secret-of-{user}")).open()
    };
    let error = require::<Session>(&mut open_as("nopexpire")?).expect_err("it may not call PEXPIRE");
    assert!(
        error
            .to_string()
            .ends_with("needs the right to call PEXPIRE, which this user does not have: grant it in the server's ACL"),
        "{error}"
    );
    let error = require::<Session>(&mut open_as("reader")?).expect_err("it may not call scripts");
    assert!(error.to_string().contains("call PEXPIRE EVALSHA EVAL, which"), "{error}");
    let error = require::<(Plain, Renamed)>(&mut open_as("reader")?).expect_err("it may not call scripts");
    let expected =
        format!("an alias of `name` of `{}` needs the right to call EVALSHA EVAL, ", std::any::type_name::<Renamed>());
    assert!(error.to_string().starts_with(&expected), "{error}");
    require::<Renamed>(&mut open_as("nopexpire")?)?;
    // It may call everything, but not with this key.
    require::<(Plain, Session)>(&mut open_as("prefixed")?)?;
    // What fails otherwise is no verdict.
    let mut replica = open(&given("REDIS_REPLICA_URL"))?;
    let error = require::<Session>(&mut replica).expect_err("it is a replica");
    assert_eq!(error.redis().and_then(|fault| fault.code()), Some("READONLY"), "{error}");
    Ok(())
}

/// A user who lacks a right on one node of three.
#[test]
fn every_master_of_a_cluster_is_asked() -> Test {
    let nodes = given("REDIS_CLUSTER_NODES");
    let con_as = |user: &str| Options::parse(&cluster_url())?.credentials(Some(user), "secret").open();
    for (number, lacking) in nodes.split(',').enumerate() {
        let user = format!("user{number}");
        for node in nodes.split(',') {
            let mut con = redis::Client::open(format!("redis://{node}/"))?.get_connection()?;
            let rights = if node == lacking { "-pexpire" } else { "+pexpire" };
            let mut set = cmd("ACL");
            set.arg("SETUSER").arg(&user).arg("on").arg(">secret").arg("~*").arg("+@all").arg(rights).exec(&mut con)?;
        }
        let error = require::<Session>(&mut con_as(&user)?).expect_err("one master refuses");
        assert!(matches!(error, Error::Requirement { .. }), "{error}");
        for node in nodes.split(',') {
            let mut con = redis::Client::open(format!("redis://{node}/"))?.get_connection()?;
            cmd("ACL").arg("SETUSER").arg(&user).arg("+pexpire").exec(&mut con)?;
        }
        require::<Session>(&mut con_as(&user)?)?;
    }
    Ok(())
}

/// Where what a closure makes could not expire, the closure is not called.
#[tokio::test]
async fn a_closure_is_not_called_for_nothing() -> Test {
    let called = AtomicU32::new(0);
    let make = || {
        called.fetch_add(1, Ordering::Relaxed);
        "1".to_owned()
    };
    let (key, hour) = (key(), Duration::from_secs(3600));
    let con = open(&redis_url())?;
    let login = Login::at(&*key).on(con);
    let map = HashMap::<String, String>::typed(&*key).on(open(&redis_url())?);
    let errors = [
        login.code().get_or_insert_with(make).err(),
        login.code().get_or_try_insert_with(|| Ok::<_, Error>(make())).err(),
        login.code().update(|code| *code = make()).err(),
        login.tries().update(|_| drop(make())).err(),
        login.code().with_ttl(hour).get_or_insert_with(make).err(),
        map.entry("user").with_ttl(hour).get_or_insert_with(make).err(),
        map.entry("user").with_ttl(hour).update(|user| *user = make()).err(),
        Login::at(&*key)
            .on_async(open_async(&redis_url()).await?)
            .code()
            .get_or_try_insert_with_async(|| async { Ok::<_, Error>(make()) })
            .await
            .err(),
    ];
    for error in errors {
        let Some(Error::Unsupported { operation: "HGETEX", .. }) = error else { panic!("{error:?}") };
    }
    assert_eq!(called.load(Ordering::Relaxed), 0);
    // Where nothing is to expire, all of them work.
    assert_eq!(login.user().get_or_insert_with(make)?, "1");
    assert_eq!(login.user().update(|user| user.push('2'))?.as_deref(), Some("12"));
    assert_eq!(called.load(Ordering::Relaxed), 1);
    login.clear()?;
    Ok(())
}

/// The first step reads on a server that can expire fields as it does on one that cannot.
#[test]
fn what_is_there_and_what_is_absent_is_read() -> Test {
    let newer = ["REDIS_8_URL", "VALKEY_9_URL"].into_iter().filter_map(newer_server);
    for url in newer.chain(["memory:".to_owned()]) {
        let key = key();
        let mut con = open(&url)?;
        let login = Login::at(&*key).on(&mut con);
        // Without a hash, without the field, and with it.
        assert_eq!(login.code().update(|_| unreachable!())?, None, "{url}");
        assert_eq!(login.code().get_or_insert_with(|| "1".to_owned())?, "1", "{url}");
        assert_eq!(login.tries().update(|tries| *tries += 2)?, 2, "{url}");
        assert_eq!(login.code().get_or_insert_with(|| unreachable!())?, "1", "{url}");
        assert_eq!(login.code().update(|code| code.push('2'))?.as_deref(), Some("12"), "{url}");
        assert!(login.code().ttl()?.remaining().is_some() && login.tries().ttl()?.remaining().is_some(), "{url}");
        login.clear()?;
    }
    // A list is another Redis type.
    let key = key();
    let mut con = open(&redis_url())?;
    Cmd::new().arg("LPUSH").arg(&*key).arg(1).exec(&mut con)?;
    let error = Login::at(&*key).on(&mut con).user().get_or_insert_with(String::new).expect_err("it is a list");
    assert_eq!(error.redis().and_then(|fault| fault.code()), Some("WRONGTYPE"));
    Ok(())
}
