//! Failures of Redis and of the way to it. Each error names the operation and the key, and quotes nothing.

use std::io::Read;
use std::net::TcpListener;
use std::time::Duration;

use redis::{ConnectionLike, RedisResult, Value};
use redis_hashmap::{Error, HashMap, RedisHash};
use redis_hashmap_tests::{AnyError, client, given, key, server};

type Test = Result<(), AnyError>;

#[derive(RedisHash, Debug)]
struct Settings {
    theme: String,
    nick: Option<String>,
}

fn record() -> Settings {
    Settings { theme: "hunter2".to_owned(), nick: None }
}

#[track_caller]
fn fails_with(error: &Error, code: &str, message: &str) {
    assert_eq!(error.redis().and_then(|fault| fault.code()), Some(code), "{error}");
    assert_eq!(error.to_string(), message);
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}

#[test]
fn a_key_of_another_type() -> Test {
    let (key, mut con) = (key(), server()?);
    redis::cmd("SET").arg(&*key).arg("a text").exec(&mut con)?;
    let settings = Settings::at(&*key).on(&mut con);
    let wrong = "failed: the key holds another Redis type than a hash (WRONGTYPE)";
    let of_field = |operation: &str| format!("{operation} on field \"theme\" of hash \"{}\" {wrong}", &*key);
    let of_hash = |operation: &str| format!("{operation} on hash \"{}\" {wrong}", &*key);
    fails_with(&settings.theme().get().unwrap_err(), "WRONGTYPE", &of_field("HGET"));
    fails_with(&settings.theme().set("hunter2").unwrap_err(), "WRONGTYPE", &of_field("HSET"));
    fails_with(&settings.theme().delete().unwrap_err(), "WRONGTYPE", &of_field("HDEL"));
    fails_with(&settings.theme().exists().unwrap_err(), "WRONGTYPE", &of_field("HEXISTS"));
    fails_with(&settings.get_all().unwrap_err(), "WRONGTYPE", &of_hash("HMGET"));
    fails_with(&settings.get_fields().unwrap_err(), "WRONGTYPE", &of_hash("HKEYS"));
    fails_with(&settings.size().unwrap_err(), "WRONGTYPE", &of_hash("HLEN"));
    fails_with(&settings.set_all(&record()).unwrap_err(), "WRONGTYPE", &of_hash("set_all"));
    fails_with(&HashMap::new(&*key).on(&mut con).get_all().unwrap_err(), "WRONGTYPE", &of_hash("HGETALL"));
    assert_eq!(redis::cmd("GET").arg(&*key).query::<String>(&mut con)?, "a text", "nothing was written");
    Ok(())
}

#[test]
fn what_another_program_wrote() -> Test {
    let (key, mut con) = (key(), server()?);
    redis::cmd("HSET").arg(&*key).arg("theme").arg("hunter2").exec(&mut con)?;
    let settings = Settings::at(&*key).on(&mut con);
    for error in [settings.theme().get().unwrap_err(), settings.get_all().unwrap_err()] {
        assert!(matches!(error, Error::Foreign { .. }), "{error}");
        assert!(error.to_string().starts_with(&format!("field \"theme\" of hash \"{}\" was not written by", &*key)));
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
    let error = HashMap::new(&*key).on(&mut con).get_all().unwrap_err();
    assert_eq!(error.place().and_then(|place| place.field()), Some("theme"));
    redis::cmd("HSET").arg(&*key).arg(b"\xff\xfe").arg("x").exec(&mut con)?;
    for error in [
        Settings::at(&*key).on(&mut con).get_fields().unwrap_err(),
        HashMap::<u64, String>::typed(&*key).on(&mut con).get_fields().unwrap_err(),
        HashMap::<u64, String>::typed(&*key).on(&mut con).get_all().unwrap_err(),
    ] {
        let names = match &error {
            Error::Fields { errors, .. } => errors.as_slice(),
            one => std::slice::from_ref(one),
        };
        assert!(names.iter().all(|error| matches!(error, Error::FieldName { .. })), "{error}");
        assert!(error.to_string().contains("field b\"\\xff\\xfe\""), "{error}");
    }
    Ok(())
}

/// The error of a wrong type names the key, the field, the stored kind and the asked type, and says what to do.
#[test]
fn a_value_of_another_type() -> Test {
    let (key, mut con) = (key(), server()?);
    let map = HashMap::new(&*key).on(&mut con);
    map.set("font_size", 14_u8)?;
    map.set("range", &(1..2_u8))?;
    let error = map.get::<bool>("font_size").unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "field \"font_size\" of hash \"{}\" holds a value of kind u8, which cannot be read as `bool`: read it as \
             the type it was written with (`Value` reads every kind), or delete it and set it again",
            &*key
        )
    );
    let error = map.get::<std::ops::RangeInclusive<u8>>("range");
    assert!(error.is_ok(), "a RangeInclusive has the shape of a Range");
    let error = map.get::<std::ops::Range<u16>>("range").unwrap_err();
    assert!(matches!(error, Error::OtherShape { .. }), "{error}");
    assert!(error.to_string().contains("`core::ops::range::Range<u16>`"), "{error}");
    Ok(())
}

#[test]
fn a_read_only_replica() -> Test {
    let mut con = redis::Client::open(given("REDIS_REPLICA_URL"))?.get_connection()?;
    let settings = Settings::at("a key").on(&mut con);
    assert_eq!(settings.theme().get()?, None);
    let read_only = "failed: the server is a read-only replica (READONLY)";
    let error = settings.theme().set("hunter2").unwrap_err();
    fails_with(&error, "READONLY", &format!("HSET on field \"theme\" of hash \"a key\" {read_only}"));
    let error = settings.set_all(&record()).unwrap_err();
    assert_eq!(error.redis().and_then(|fault| fault.code()), Some("READONLY"), "{error}");
    Ok(())
}

#[test]
fn users_and_passwords() -> Test {
    let address = given("REDIS_ACL_ADDRESS");
    // A wrong password is refused by redis-rs when it connects, not by this library.
    let refused = redis::Client::open(format!("redis://:wrong@{address}/"))?.get_connection();
    assert!(refused.is_err());

    let mut con = redis::Client::open(format!("redis://{address}/"))?.get_connection()?;
    let error = Settings::at("a key").on(&mut con).theme().get().unwrap_err();
    let expected = "HGET on field \"theme\" of hash \"a key\" failed: the server wants a password (NOAUTH)";
    fails_with(&error, "NOAUTH", expected);

    let client = redis::Client::open(format!("redis://reader:secret-of-reader@{address}/"))?;
    let mut con = client.get_connection()?;
    let settings = Settings::at("a key").on(&mut con);
    assert_eq!(settings.theme().get()?, None);
    let error = settings.theme().set("hunter2").unwrap_err();
    assert_eq!(error.redis().and_then(|fault| fault.code()), Some("NOPERM"), "{error}");
    assert!(!format!("{error:?} {settings:?}").contains("secret"), "{settings:?}");
    // A client is a connection too, and its Debug holds the password.
    assert!(!format!("{:?}", Settings::at("a key").on(client)).contains("secret"));
    Ok(())
}

#[test]
fn a_server_that_is_gone() -> Test {
    // A port on which only root could listen, and nobody does.
    let client = redis::Client::open("redis://:hunter2@127.0.0.1:1/")?;
    let error = Settings::at("a key").on(client).theme().get().unwrap_err();
    assert!(error.redis().is_some_and(redis_hashmap::RedisFault::is_connection_dropped), "{error}");
    let message = error.to_string();
    assert!(message.starts_with("HGET on field \"theme\" of hash \"a key\" failed: "), "{message}");
    assert!(message.contains("refused"), "{message}");
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    let source = std::error::Error::source(&error).and_then(std::error::Error::source);
    assert!(source.is_some_and(<dyn std::error::Error>::is::<std::io::Error>), "the cause is kept");
    Ok(())
}

/// The server hangs up in the middle of the conversation.
#[test]
fn a_connection_that_is_cut() -> Test {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = std::thread::spawn(move || -> std::io::Result<()> {
        let (mut stream, _) = listener.accept()?;
        // The client's greeting (CLIENT SETINFO) is not waited for; the first command is read, and not answered.
        stream.read_exact(&mut [0; 8])?;
        Ok(())
    });
    let info: redis::ConnectionInfo = redis::IntoConnectionInfo::into_connection_info(format!("redis://{address}/"))?;
    let settings = info.redis_settings().clone().set_skip_set_lib_name();
    let mut con = redis::Client::open(info.set_redis_settings(settings))?.get_connection()?;
    let error = Settings::at("a key").on(&mut con).set_all(&record()).unwrap_err();
    assert!(error.redis().is_some(), "{error}");
    assert!(error.to_string().starts_with("set_all on hash \"a key\" failed: "), "{error}");
    server.join().expect("the server does not panic")?;
    Ok(())
}

/// The server accepts the connection and never answers.
#[test]
fn a_server_that_does_not_answer() -> Test {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let info: redis::ConnectionInfo = redis::IntoConnectionInfo::into_connection_info(format!("redis://{address}/"))?;
    let settings = info.redis_settings().clone().set_skip_set_lib_name();
    let mut con = redis::Client::open(info.set_redis_settings(settings))?.get_connection()?;
    con.set_read_timeout(Some(Duration::from_millis(50)))?;
    let error = Settings::at("a key").on(&mut con).theme().set("hunter2").unwrap_err();
    assert!(error.redis().is_some_and(redis_hashmap::RedisFault::is_timeout), "{error}");
    assert!(error.to_string().starts_with("HSET on field \"theme\" of hash \"a key\" failed: "), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn failures_on_async_connections() -> Test {
    let key = key();
    let mut con = client().get_multiplexed_async_connection_with_config(&crate::patient()).await?;
    redis::cmd("SET").arg(&*key).arg("a text").exec_async(&mut con).await?;
    let error = Settings::at(&*key).on_async(con).get_all().await.unwrap_err();
    assert_eq!(error.redis().and_then(|fault| fault.code()), Some("WRONGTYPE"), "{error}");

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(async move { listener.accept().await.map(|(stream, _)| stream) });
    let info: redis::ConnectionInfo = redis::IntoConnectionInfo::into_connection_info(format!("redis://{address}/"))?;
    let settings = info.redis_settings().clone().set_skip_set_lib_name();
    let config = redis::AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_millis(50)));
    let client = redis::Client::open(info.set_redis_settings(settings))?;
    let con = client.get_multiplexed_async_connection_with_config(&config).await?;
    let silent = server.await??;
    let error = Settings::at("a key").on_async(con).theme().set("hunter2").await.unwrap_err();
    assert!(error.redis().is_some_and(redis_hashmap::RedisFault::is_timeout), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    drop(silent);
    Ok(())
}

/// Texts of servers quote arguments; our errors do not show those texts.
#[test]
fn an_unknown_command_does_not_leak_its_arguments() {
    struct Old;
    impl ConnectionLike for Old {
        fn req_packed_command(&mut self, _: &[u8]) -> RedisResult<Value> {
            redis::parse_redis_value(b"-ERR unknown command 'HSET', with args beginning with: 'key' 'hunter2'\r\n")
        }

        fn req_packed_commands(&mut self, cmd: &[u8], _: usize, _: usize) -> RedisResult<Vec<Value>> {
            self.req_packed_command(cmd).map(|reply| vec![reply])
        }

        fn get_db(&self) -> i64 {
            0
        }

        fn check_connection(&mut self) -> bool {
            true
        }

        fn is_open(&self) -> bool {
            true
        }
    }
    let error = HashMap::new("key").on(Old).set("field", "hunter2").unwrap_err();
    let expected = "HSET on field \"field\" of hash \"key\" failed: the server does not know the command (ERR)";
    fails_with(&error, "ERR", expected);
    assert!(error.redis().is_some_and(|fault| fault.redis_error().to_string().contains("hunter2")), "on request only");
    let error = redis_hashmap::batch((HashMap::new("key").set("field", "hunter2"),)).query(&mut Old).unwrap_err();
    fails_with(&error, "ERR", expected);
}

/// The first word of an error that is not one of Redis's own can be anything.
#[test]
fn an_unknown_error_code_is_not_shown() {
    let mut mock = redis_test::MockRedisConnection::new([redis_test::MockCmd::new(
        redis::cmd("HLEN").arg("key"),
        Ok(redis::parse_redis_value(b"-hunter2 is no such user\r\n").unwrap()),
    )]);
    let error = HashMap::new("key").on(&mut mock).size().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    assert_eq!(error.redis().and_then(|fault| fault.code()), Some("hunter2"), "on request");
}

#[test]
fn errors_can_be_sent_cloned_and_boxed() {
    fn is_error<T: std::error::Error + Send + Sync + Clone + 'static>() {}
    is_error::<Error>();
    is_error::<redis_hashmap::RedisFault>();
}

/// A name that is not UTF-8 is shown as escaped bytes; the other fields stay readable, and it can be removed.
#[test]
fn a_name_that_is_not_text_is_no_dead_end() -> Test {
    let cluster = format!("redis+cluster://{}", redis_hashmap_tests::given("REDIS_CLUSTER_NODES"));
    for url in ["memory:".to_owned(), redis_hashmap_tests::redis_url(), cluster] {
        let (key, mut con) = (key(), redis_hashmap::open(&url)?);
        redis::cmd("HSET").arg(&*key).arg(b"a\xff\"").arg(b"\x87\x01").exec(&mut con)?;
        let map = HashMap::<String, u8>::typed(&*key).on(&mut con);
        map.set("b", 2)?;
        for error in [map.get_fields().map(drop), map.get_all().map(drop)] {
            let Err(Error::FieldName { place, .. }) = error else { panic!("{error:?}") };
            assert_eq!((place.field(), place.field_bytes()), (None, Some(&b"a\xff\""[..])));
            assert_eq!(place.to_string(), format!(r#"field b"a\xff\"" of hash "{}""#, &*key));
        }
        assert_eq!((map.get("b")?, map.size()?), (Some(2), 2));
        let (read, unread): (Vec<_>, Vec<_>) = map.iter().partition(Result::is_ok);
        assert_eq!((read.into_iter().collect::<Result<Vec<_>, _>>()?, unread.len()), (vec![("b".to_owned(), 2)], 1));
        let mut names = map.get_fields_raw()?;
        names.sort();
        assert_eq!(names, [b"a\xff\"".to_vec(), b"b".to_vec()]);
        assert!(map.delete_raw(b"a\xff\"")? && !map.delete_raw(b"a\xff\"")?);
        assert_eq!(map.get_all()?, [("b".to_owned(), 2)].into());
        let error = map.delete_raw(b"").unwrap_err();
        assert!(matches!(error, Error::EmptyField { .. }), "{error}");
        map.clear()?;
    }
    Ok(())
}
