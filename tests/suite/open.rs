//! One URL decides where the data lies, and nothing else in a program changes.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use redis::ConnectionLike;
use redis_hashmap::{Error, HashMap, Options, RedisHash, batch, open, open_async};
use redis_hashmap_tests::{AnyError, given, key, redis_url, server};

type Test = Result<(), AnyError>;

#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Settings {
    theme: String,
    #[redis_hash(default = 14)]
    width: u8,
    nick: Option<String>,
}

/// A program that does not know where its data lies.
fn blocking(url: &str) -> Test {
    let key = key();
    let mut con = open(url)?;
    let settings = Settings::at(&*key).on(&mut con);
    assert!(settings.theme().set("dark")?);
    assert_eq!(settings.get_all()?, Some(Settings { theme: "dark".to_owned(), width: 14, nick: None }));
    let record = Settings { theme: "light".to_owned(), width: 9, nick: None };
    settings.set_all(&record)?;
    assert_eq!(settings.get_all()?.as_ref(), Some(&record));
    let deferred = Settings::at(&*key);
    let (width, size) = batch((deferred.width().get(), deferred.size())).query(&mut con)?;
    assert_eq!((width, size), (9, 2));
    assert_eq!(redis::cmd("TYPE").arg(&*key).query::<String>(&mut con)?, "hash");
    assert_eq!(HashMap::new(&*key).on(&mut con).get_all()?.len(), 2);
    assert!(con.check_connection() && con.is_open());
    assert!(deferred.on(&mut con).clear()?);
    Ok(())
}

/// The program, async.
async fn on_async(url: &str) -> Test {
    let key = key();
    let mut con = open_async(url).await?;
    let settings = Settings::at(&*key).on_async(con.clone());
    let (theme, width) = tokio::join!(settings.theme().set("dark"), settings.width().set(9));
    assert!(theme? && width?);
    let record = Settings { theme: "light".to_owned(), width: 9, nick: None };
    settings.set_all(&record).await?;
    assert_eq!(settings.get_all().await?, Some(record));
    let deferred = Settings::at(&*key);
    let (width, size) = batch((deferred.width().get(), deferred.size())).atomic().query_async(&mut con).await?;
    assert_eq!((width, size), (9, 2));
    assert!(settings.clear().await?);
    Ok(())
}

fn tls_url(scheme: &str) -> String {
    let (address, certs) = (given("REDIS_TLS_ADDRESS"), given("REDIS_TLS_CERTS"));
    format!("{scheme}://{address}/?ca={certs}/ca.crt&cert={certs}/client.crt&key={certs}/client.key")
}

/// Every place, with and without RESP3.
fn urls() -> Vec<String> {
    let file = std::env::temp_dir().join(format!("redis-hashmap-open-{}.redb", std::process::id()));
    let mut urls = vec![
        "memory:".to_owned(),
        format!("file:{}", file.display()),
        format!("file://{}?durability=eventual", file.display()),
        redis_url(),
        format!("{}5?connect_timeout=2s&response_timeout=1500ms", redis_url()),
        format!("redis://default:secret-of-default@{}", given("REDIS_ACL_ADDRESS")),
        format!("redis+unix://{}", given("REDIS_SOCKET")),
        format!("redis+cluster://{}", given("REDIS_CLUSTER_NODES")),
        format!("redis+sentinel://{}/mymaster", given("REDIS_SENTINEL")),
        tls_url("rediss"),
    ];
    let resp3: Vec<String> =
        urls.iter().map(|url| format!("{url}{}protocol=resp3", if url.contains('?') { '&' } else { '?' })).collect();
    urls.extend(resp3);
    urls
}

#[test]
fn one_program_on_every_place() {
    for url in urls() {
        if let Err(error) = blocking(&url) {
            panic!("{url}: {error}");
        }
    }
}

#[tokio::test]
async fn one_async_program_on_every_place() {
    for url in urls() {
        if let Err(error) = on_async(&url).await {
            panic!("{url}: {error}");
        }
    }
}

#[track_caller]
fn fails(url: &str) -> String {
    let error = open(url).unwrap_err();
    let message = error.to_string();
    assert!(!format!("{message} {error:?}").contains("hunter2"), "{error:?}");
    message
}

#[test]
fn a_bad_url_says_which_part_is_wrong() {
    for (url, part) in [
        ("", "the scheme of the URL is missing"),
        ("localhost:6379", "the scheme of the URL is unknown"),
        ("http://localhost", "the scheme of the URL is unknown"),
        ("redis+foo://localhost", "the scheme of the URL is unknown"),
        ("redis:localhost", "the scheme of the URL is not followed by `//`"),
        ("redis://", "the host of the URL is empty"),
        ("redis://a,b", "the host of the URL is a list"),
        ("redis://user:hunter2@localhost:port/0", "the port of the URL is not a number"),
        ("redis://:hunter2@localhost:99999", "the port of the URL is not a number"),
        ("redis://:hunter2@localhost/zero", "the database of the URL is not a number"),
        ("redis://:hunter2%ff@localhost", "the password of the URL is percent-encoded"),
        ("redis://localhost?protocol=resp4", "the parameter `protocol` of the URL is neither"),
        ("redis://localhost?response_timeout=5", "the parameter `response_timeout` of the URL is not a duration"),
        ("redis://localhost?response_timeout=0s", "the parameter `response_timeout` of the URL is not a duration"),
        (
            "redis://localhost?durability=eventual",
            "the parameters of the URL include one that is unknown here; known are `protocol`",
        ),
        ("redis://localhost?password=hunter2", "the parameters of the URL include one that is unknown here"),
        ("rediss://localhost?cert=/nowhere", "the parameters of the URL name only one of `cert` and `key`"),
        ("rediss://localhost?ca=/nowhere", "the parameter `ca` of the URL names /nowhere, which cannot be read"),
        (
            "redis://user:12/hunter2@localhost",
            "the address of the URL has an `@` behind a `/` or a `?`: percent-encode",
        ),
        ("redis://local host", "the host of the URL holds a character that no host has"),
        ("redis+cluster://localhost/1", "the path of the URL names a database, but a cluster has only number 0"),
        ("redis+sentinel://localhost", "the path of the URL does not name a master"),
        ("file:", "the path of the URL is empty"),
        ("file://settings.redb", "the path of the URL begins with `//` and a host"),
        ("file:x?durability=never", "the parameter `durability` of the URL is neither"),
        ("memory:?x", "the parameters of the URL include one that is unknown here; known are `protocol`"),
    ] {
        let message = fails(url);
        assert!(message.starts_with(part), "{url}: {message}");
    }
}

#[test]
fn what_cannot_be_reached_is_named_without_the_password() {
    let message = fails("redis://user:hunter2@127.0.0.1:1/?connect_timeout=1s");
    assert!(message.starts_with("redis://127.0.0.1:1 cannot be reached: "), "{message}");
    assert!(message.contains("refused"), "{message}");
    let message = fails(&format!("redis://reader:hunter2@{}", given("REDIS_ACL_ADDRESS")));
    assert!(message.contains("cannot be reached"), "{message}");
    // A server whose certificate is not trusted, and which wants a client's certificate.
    let address = given("REDIS_TLS_ADDRESS");
    assert!(fails(&format!("rediss://:hunter2@{address}")).contains("cannot be reached"));
    assert!(fails("redis+cluster://:hunter2@127.0.0.1:1").contains("cannot be reached"));
    assert!(fails("redis+sentinel://:hunter2@127.0.0.1:1/mymaster").contains("cannot be reached"));
    let error = open("redis://127.0.0.1:1").unwrap_err();
    assert!(error.redis().is_some_and(redis_hashmap::RedisFault::is_connection_dropped), "{error}");

    let options = Options::parse("rediss://user:hunter2@localhost/3").unwrap();
    assert_eq!(format!("{options:?}"), "Options(rediss://localhost:6379)");
    let con = open(&format!("redis://default:secret-of-default@{}", given("REDIS_ACL_ADDRESS"))).unwrap();
    assert_eq!(format!("{con:?}"), format!("Connection(redis://{})", given("REDIS_ACL_ADDRESS")));
}

/// After a timeout the connection is dropped, so that a late answer is never taken for the next one.
#[test]
fn a_timeout_costs_one_call() -> Test {
    let key = key();
    let mut con = Options::parse(&redis_url())?.response_timeout(Duration::from_millis(100)).open()?;
    let map = HashMap::new(&*key);
    map.on(&mut con).set("a", 1)?;
    let error = redis::cmd("BLPOP").arg(format!("{}/nothing", &*key)).arg(1).exec(&mut con).unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert_eq!(map.on(&mut con).get("a")?, Some(1));
    Ok(())
}

fn await_text(stream: &mut impl Read, text: &str) -> std::io::Result<()> {
    let mut received = Vec::new();
    while !received.windows(text.len()).any(|window| window == text.as_bytes()) {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        received.extend(byte);
    }
    Ok(())
}

/// After garbage the connection is dropped, since nobody knows where the next answer begins.
#[test]
fn a_reply_that_cannot_be_parsed_costs_one_call() -> Test {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = std::thread::spawn(move || -> std::io::Result<()> {
        // The greeting is three commands. The command after them gets this answer.
        for answer in ["?what is this\r\n", ":7\r\n"] {
            let (mut stream, _) = listener.accept()?;
            await_text(&mut stream, "LIB-VER")?;
            stream.write_all(b"+PONG\r\n+OK\r\n+OK\r\n")?;
            await_text(&mut stream, "a key")?;
            stream.write_all(answer.as_bytes())?;
        }
        Ok(())
    });
    let mut con = open(&format!("redis://{address}"))?;
    let map = HashMap::new("a key").on(&mut con);
    let error = map.size().unwrap_err();
    assert_eq!(error.redis().map(redis_hashmap::RedisFault::kind), Some(redis::ErrorKind::Parse), "{error}");
    assert_eq!(map.size()?, 7);
    server.join().expect("the server does not panic")?;
    Ok(())
}

/// Kills the connection with this id, as a network failure would.
fn kill(id: i64) -> Test {
    redis::cmd("CLIENT").arg("KILL").arg("ID").arg(id).exec(&mut server()?)?;
    Ok(())
}

#[test]
fn a_lost_connection_costs_one_call_and_nothing_is_sent_twice() -> Test {
    let (key, mut con) = (key(), open(&redis_url())?);
    let increment = || redis::cmd("HINCRBY").arg(&*key).arg("n").arg(1).clone();
    increment().exec(&mut con)?;
    kill(redis::cmd("CLIENT").arg("ID").query(&mut con)?)?;
    // It fails, unless the connection is found to be closed before anything is sent.
    let failed =
        increment().exec(&mut con).inspect_err(|error| assert!(error.is_connection_dropped(), "{error}")).is_err();
    let expected = if failed { 2 } else { 3 };
    assert_eq!(increment().query::<i64>(&mut con)?, expected, "the call that failed was not sent again");
    Ok(())
}

#[tokio::test]
async fn a_lost_async_connection_comes_back_and_nothing_is_sent_twice() -> Test {
    let (key, mut con) = (key(), open_async(&redis_url()).await?);
    let increment = || redis::cmd("HINCRBY").arg(&*key).arg("n").arg(1).clone();
    increment().exec_async(&mut con).await?;
    kill(redis::cmd("CLIENT").arg("ID").query_async(&mut con).await?)?;
    let start = Instant::now();
    let (mut failures, mut done) = (0, false);
    while !done && start.elapsed() < Duration::from_secs(20) {
        match increment().query_async::<i64>(&mut con).await {
            Ok(count) => {
                assert_eq!(count, 2, "no call that failed was carried out");
                done = true;
            }
            Err(_) => failures += 1,
        }
    }
    assert!(done, "after {failures} failures");
    Ok(())
}

/// A master is left as soon as the Sentinels name another one, before the old one knows.
#[tokio::test]
async fn a_failover_is_followed() -> Test {
    let key = key();
    let sentinel = given("REDIS_SENTINEL_FAILOVER");
    let url = format!("redis+sentinel://{sentinel}/mymaster?response_timeout=2s");
    let (mut con, mut con_async) = (open(&url)?, open_async(&url).await?);
    let map = HashMap::new(&*key);
    map.on(&mut con).set("a", 1)?;
    map.on_async(con_async.clone()).set("b", 1).await?;

    let mut at_sentinel = redis::Client::open(format!("redis://{sentinel}/"))?.get_connection()?;
    let mut master = || {
        redis::cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg("mymaster").query::<(String, u16)>(&mut at_sentinel)
    };
    let before = master()?;
    redis::cmd("SENTINEL")
        .arg("FAILOVER")
        .arg("mymaster")
        .exec(&mut redis::Client::open(format!("redis://{sentinel}/"))?)?;
    let start = Instant::now();
    while master()? == before {
        assert!(start.elapsed() < Duration::from_secs(30), "no failover");
        tokio::task::yield_now().await;
    }
    // The old master is told only later that it is none any more. Both connections are on the new one before that.
    let new = master()?;
    let is_at_new = |reply: &str| reply.contains(&format!("tcp_port:{}\r", new.1));
    let info = || redis::cmd("INFO").arg("server").clone();
    let old_role = || -> Result<redis::Value, redis::RedisError> {
        let mut old = redis::Client::open(format!("redis://{}:{}/", before.0, before.1))?;
        redis::cmd("ROLE").query(&mut old)
    };
    let noticed = Instant::now();
    while !is_at_new(&info().query::<String>(&mut con)?)
        || !is_at_new(&info().query_async::<String>(&mut con_async).await?)
    {
        assert!(noticed.elapsed() < Duration::from_secs(1), "the connections stay with the old master");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    println!("left the old master {:?} after another was named; it says {:?}", noticed.elapsed(), old_role());
    map.on(&mut con).set("a", 2)?;
    HashMap::new(&*key).on_async(con_async.clone()).set("b", 2).await?;
    assert_eq!(redis::cmd("ROLE").query_async::<Vec<redis::Value>>(&mut con_async).await?.len(), 3, "a master");
    let (a, b) = (map.on(&mut con).get("a")?, map.on(&mut con).get("b")?);
    assert_eq!((a, b), (Some(2), Some(2)));
    Ok(())
}

#[test]
fn options_are_set_in_code_too() -> Test {
    let (address, certs) = (given("REDIS_TLS_ADDRESS"), given("REDIS_TLS_CERTS"));
    let mut con = Options::parse(&format!("rediss://{address}"))?
        .certificate_authority(format!("{certs}/ca.crt"))
        .client_certificate(format!("{certs}/client.crt"), format!("{certs}/client.key"))
        .connect_timeout(Duration::from_secs(2))
        .open()?;
    redis::cmd("PING").exec(&mut con)?;
    let mut con = Options::parse(&format!("redis://{}", given("REDIS_ACL_ADDRESS")))?
        .credentials(Some("reader"), "secret-of-reader")
        .open()?;
    let error = HashMap::new("k").on(&mut con).set("a", 1).unwrap_err();
    assert_eq!(error.redis().and_then(|fault| fault.code()), Some("NOPERM"), "{error}");
    assert!(matches!(Options::parse("nonsense"), Err(Error::Url { .. })));
    Ok(())
}
