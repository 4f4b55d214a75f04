//! Each script on a server that does not know it, in a batch, on a cluster and after SCRIPT FLUSH, and its native twin.

use redis::ConnectionLike;
use redis::aio::ConnectionLike as AsyncConnectionLike;
use redis_hashmap::{Connection, Error, HashMap, Options, RedisHash, Ttl, Value, batch, open};
use redis_hashmap_tests::{AnyError, Key, given, key, newer_server, redis_url};

type Test = Result<(), AnyError>;

#[derive(RedisHash, Debug, Clone, PartialEq)]
#[redis_hash(ttl = "1h", sliding)]
struct Session {
    user: String,
    cart: Option<Vec<u32>>,
    #[redis_hash(ttl = "5m")]
    code: Option<u32>,
    #[redis_hash(counter, ttl = "5m")]
    tries: i64,
}

/// A record in which nothing expires by itself.
#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Plain {
    user: String,
    cart: Option<Vec<u32>>,
}

fn plain() -> Plain {
    Plain { user: "Ann".to_owned(), cart: None }
}

/// The URL of a server whose scripts may be flushed: no other test relies on them.
fn flushed_server() -> String {
    format!("redis://default:secret-of-default@{}/", given("REDIS_ACL_ADDRESS"))
}

/// Every operation that is a script, each after what `forget` does to the server's scripts.
fn every_script<C: ConnectionLike>(key: &Key, con: &mut C, fields_expire: bool, mut forget: impl FnMut()) -> Test {
    let mut ran = |con: &mut C, result: Result<bool, Error>, name: &str| -> Test {
        assert!(result.map_err(|error| format!("{name}: {error}"))?, "{name}");
        let _ = con;
        forget();
        Ok(())
    };
    ran(con, Ok(true), "the first one")?;
    macro_rules! runs {
        ($record:ident, $($name:literal: |$r:ident| $op:expr;)*) => {
            $(
                let $r = $record::at(&**key).on(&mut *con);
                let result = $op;
                ran(con, result, $name)?;
            )*
        };
    }
    runs! { Plain,
        "create": |r| r.create(&plain());
        "create again": |r| r.create(&plain()).map(|done| !done);
        "replace": |r| r.replace(&plain());
        "set_all": |r| r.set_all(&plain()).map(|()| true);
        "patch": |r| r.patch(&PlainPatch::default().user("Bob".to_owned()).cart(None)).map(|()| true);
        "patch_if_present": |r| r.patch_if_present(&PlainPatch::default().cart(vec![1]));
        "update": |r| r.update(|plain| plain.user.push('!')).map(|plain| plain.unwrap().user == "Bob!");
        "set_if_present": |r| r.user().set_if_present("Cid");
        "compare_and_set": |r| r.user().compare_and_set("Cid", "Dan");
        "get_or_insert_with": |r| r.cart().get_or_insert_with(|| unreachable!()).map(|cart| cart == [1]);
        "take": |r| r.cart().take().map(|cart| cart == Some(vec![1]));
        "get_or_insert_with of an absent one": |r| r.cart().get_or_insert_with(|| vec![2]).map(|cart| cart == [2]);
    }
    runs! { Session,
        "set, and the record expires": |r| r.user().set("Ann").map(|is_new| !is_new);
        "get, and the record expires": |r| r.user().get().map(|user| user.as_deref() == Some("Ann"));
        "get_all": |r| r.get_all().map(|session| session.is_some());
        "delete": |r| r.cart().delete();
        "a field beside it": |r| r.cart().set(vec![3]);
        "take of a scalar": |r| r.user().take().map(|user| user.as_deref() == Some("Ann"));
        "take of an absent one": |r| r.user().take().map(|user| user.is_none());
    }
    if fields_expire {
        runs! { Session,
            "set of a field that expires": |r| r.code().set(1);
            "increment": |r| r.tries().increment(2).map(|tries| tries == 2);
            "increment again": |r| r.tries().increment(2).map(|tries| tries == 4);
            "they expire": |r| r.tries().ttl().map(|ttl| ttl.remaining().is_some());
        }
    }
    runs! { Session,
        "the record expires": |r| r.ttl().map(|ttl| ttl.remaining().is_some());
        "clear": |r| r.clear();
    }
    Ok(())
}

#[test]
fn after_script_flush() -> Test {
    let url = flushed_server();
    let mut flusher = open(&url)?;
    every_script(&key(), &mut open(&url)?, false, || {
        redis::cmd("SCRIPT").arg("FLUSH").exec(&mut flusher).unwrap();
    })
}

#[test]
fn on_every_place() -> Test {
    let cluster = format!("redis+cluster://{}/", given("REDIS_CLUSTER_NODES"));
    for url in [redis_url(), cluster] {
        every_script(&key(), &mut open(&url)?, false, || ())?;
    }
    let newer = ["REDIS_8_URL", "VALKEY_9_URL"].into_iter().filter_map(newer_server);
    for url in newer.chain(["memory:".to_owned()]) {
        every_script(&key(), &mut open(&url)?, true, || ())?;
    }
    Ok(())
}

/// In a batch, each script is sent with its source.
fn in_a_batch(mut con: Connection, mut forget: impl FnMut()) -> Test {
    let key = key();
    let (plain_record, session) = (Plain::at(&*key), Session::at(&*key));
    for atomic in [false, true] {
        forget();
        let commands = batch((
            plain_record.create(&plain()),
            plain_record.create(&plain()),
            session.user().set("Bob"),
            session.user().get(),
            session.user().set_if_present("Cid"),
            plain_record.get_all(),
            session.user().get(),
            session.user().delete(),
            session.ttl(),
        ));
        let commands = if atomic { commands.atomic() } else { commands };
        let (created, again, is_new, bob, set, all, cid, deleted, ttl) = commands.query(&mut con)?;
        assert!(created && !again && !is_new && set && deleted);
        assert_eq!((bob.as_deref(), cid.as_deref()), (Some("Bob"), Some("Cid")));
        assert_eq!(all, Some(Plain { user: "Cid".to_owned(), cart: None }));
        // The last field is gone, and the record with it.
        assert_eq!(ttl, Ttl::Absent);
    }
    Ok(())
}

#[test]
fn in_a_batch_after_script_flush() -> Test {
    let mut flusher = open(&flushed_server())?;
    in_a_batch(open(&flushed_server())?, || redis::cmd("SCRIPT").arg("FLUSH").exec(&mut flusher).unwrap())?;
    in_a_batch(open("memory:")?, || ())
}

async fn async_scripts<C: AsyncConnectionLike + Clone + Send + 'static>(mut con: C, flush: bool) -> Test {
    let key = key();
    macro_rules! forget {
        () => {
            if flush {
                redis::cmd("SCRIPT").arg("FLUSH").exec_async(&mut con).await?;
            }
        };
    }
    let record = Plain::at(&*key).on_async(con.clone());
    let session = Session::at(&*key).on_async(con.clone());
    forget!();
    assert!(record.create(&plain()).await?);
    forget!();
    assert!(!session.user().set("Bob").await?);
    forget!();
    assert_eq!(record.update(|plain| plain.user.push('!')).await?.map(|plain| plain.user).as_deref(), Some("Bob!"));
    forget!();
    assert!(record.user().compare_and_set("Bob!", "Cid").await?);
    forget!();
    assert_eq!(session.user().take().await?.as_deref(), Some("Cid"));
    let mut exclusive = con.clone();
    let record = Plain::at(&*key).on_exclusive(&mut exclusive);
    assert_eq!(record.user().get_or_insert_with(|| "Dan".to_owned()).await?, "Dan");
    assert_eq!(record.user().update(|user| user.push('!')).await?.as_deref(), Some("Dan!"));
    let suffix = "?".to_owned();
    // A closure may borrow.
    assert_eq!(record.update(|plain| plain.user.push_str(&suffix)).await?.map(|p| p.user).as_deref(), Some("Dan!?"));
    let (plain_record, session) = (Plain::at(&*key), Session::at(&*key));
    forget!();
    let commands = batch((plain_record.replace(&plain()), session.user().get())).atomic();
    assert_eq!(commands.query_async(&mut con).await?, (true, Some("Ann".to_owned())));
    Ok(())
}

#[tokio::test]
async fn async_on_every_place() -> Test {
    let patient = crate::patient();
    let client = redis::Client::open(flushed_server())?;
    async_scripts(client.get_multiplexed_async_connection_with_config(&patient).await?, true).await?;
    let cluster = format!("redis+cluster://{}/", given("REDIS_CLUSTER_NODES"));
    async_scripts(Options::parse(&cluster)?.response_timeout(crate::PATIENCE).open_async().await?, false).await?;
    async_scripts(redis_hashmap::open_async("memory:").await?, false).await
}

#[derive(serde::Serialize, serde::Deserialize, Debug, PartialEq)]
struct Old {
    name: String,
}

#[derive(serde::Serialize, serde::Deserialize, Debug)]
struct New {
    name: String,
    age: u8,
}

/// A `take` of a value that cannot be read removes nothing, and leaves every time to live as it is.
#[test]
fn what_cannot_be_read_is_not_taken() -> Test {
    for url in newer_server("REDIS_8_URL").into_iter().chain([redis_url(), "memory:".to_owned()]) {
        let mut con = open(&url)?;
        let key = key();
        let any = HashMap::new(&*key).on(&mut con);
        any.set("scalar", "text")?;
        any.set("struct", &Old { name: "Ann".to_owned() })?;
        any.expire_in(std::time::Duration::from_secs(1000))?;
        let fields_expire = url != redis_url();
        if fields_expire {
            any.entry::<Value>("scalar").expire_in(std::time::Duration::from_secs(500))?;
            any.entry::<Value>("struct").expire_in(std::time::Duration::from_secs(500))?;
        }
        let before = any.get_all()?;
        assert!(matches!(any.take::<u32>("scalar"), Err(Error::WrongType { .. })));
        assert!(matches!(any.take::<New>("scalar"), Err(Error::WrongType { .. })));
        assert!(matches!(any.take::<u32>("struct"), Err(Error::WrongType { .. })));
        assert!(matches!(any.take::<New>("struct"), Err(Error::OtherShape { .. })));
        assert_eq!(any.get_all()?, before);
        assert!(any.ttl()?.remaining().is_some());
        if fields_expire {
            for field in ["scalar", "struct"] {
                assert!(any.entry::<Value>(field).ttl()?.remaining().is_some());
            }
        }
        // The kind is right, but the type refuses the value.
        any.set("zero", 0_u8)?;
        assert!(any.take::<std::num::NonZeroU8>("zero").is_err());
        assert_eq!(any.take::<u8>("zero")?, Some(0));
        assert_eq!(any.take("struct")?, Some(Old { name: "Ann".to_owned() }));
        assert_eq!(any.take("scalar")?, Some(Value::Str("text".to_owned())));
        assert_eq!(any.take::<Value>("scalar")?, None);
        assert!(any.is_empty()?);
    }
    Ok(())
}

/// A value that others change between the read and the removal is read again.
#[test]
fn of_several_who_take_one_has_it() -> Test {
    let key = key();
    for value in [vec![1], vec![2]] {
        HashMap::<u8, Vec<u8>>::typed(&*key).on(open(&redis_url())?).set(&1, &value)?;
        let taken: Vec<_> = std::thread::scope(|scope| {
            let take = || HashMap::<u8, Vec<u8>>::typed(&*key).on(open(&redis_url())?).take(&1);
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(take)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Result<_, Error>>()
        })?;
        assert_eq!(taken.iter().flatten().collect::<Vec<_>>(), [&value]);
    }
    Ok(())
}

/// A script first asks whether its user may call all its commands, so that no write is left half done.
#[test]
fn without_the_right_to_a_part_nothing_is_written() -> Test {
    for user in ["nopexpire", "nohdel"] {
        let key = key();
        let mut con =
            open(&flushed_server().replace("default:secret-of-default", &format!("{user}:secret-of-{user}")))?;
        let mut all = open(&flushed_server())?;
        let denied = |result: Result<bool, Error>| {
            let error = result.unwrap_err();
            assert_eq!(error.redis().and_then(|fault| fault.code()), Some("NOPERM"), "{error:?}");
        };
        if user == "nopexpire" {
            denied(Session::at(&*key).on(&mut con).user().set("Ann"));
            denied(Session::at(&*key).on(&mut con).patch(&SessionPatch::default().user("x".to_owned())).map(|()| true));
            assert!(!Session::at(&*key).on(&mut all).exists()?);
        } else {
            Plain::at(&*key).on(&mut all).set_all(&Plain { cart: Some(vec![1]), ..plain() })?;
            let patch = PlainPatch::default().user("Bob".to_owned()).cart(None);
            denied(Plain::at(&*key).on(&mut con).patch(&patch).map(|()| true));
            denied(Plain::at(&*key).on(&mut con).cart().take().map(|_| true));
            let found = Plain::at(&*key).on(&mut all).get_all()?;
            assert_eq!(found, Some(Plain { cart: Some(vec![1]), ..plain() }));
        }
        Plain::at(&*key).on(&mut all).clear()?;
    }
    Ok(())
}

/// A closure that panics has written nothing, and the connection still works.
#[test]
fn a_panic_in_a_closure_writes_nothing() -> Test {
    for url in [redis_url(), "memory:".to_owned()] {
        let mut con = open(&url)?;
        let key = key();
        let record = Plain::at(&*key).on(&mut con);
        record.set_all(&plain())?;
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            record.update(|plain| {
                plain.user.clear();
                panic!("the closure's own");
            })
        }));
        assert!(panicked.is_err());
        let made = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            record.cart().get_or_insert_with(|| panic!("the closure's own"))
        }));
        assert!(made.is_err());
        assert_eq!(record.get_all()?, Some(plain()));
        record.clear()?;
    }
    Ok(())
}

/// A value that is renewed between the read and the removal stays.
#[test]
fn what_others_renew_is_not_deleted() -> Test {
    let mut con = open(&redis_url())?;
    let mut other = open(&redis_url())?;
    let key = key();
    let map = HashMap::<u8, u8>::typed(&*key).on(&mut con);
    map.set(&1, 1)?;
    let mut looked = 0;
    let deleted = map.delete_if(&1, |value| {
        looked += 1;
        HashMap::<u8, u8>::typed(&*key).on(&mut other).set(&1, 2).unwrap();
        *value == 1
    })?;
    assert_eq!((deleted, looked, map.get(&1)?), (false, 2, Some(2)));
    Ok(())
}

/// If others write during every attempt, it gives up with an error that says so.
#[test]
fn a_conflict_ends() -> Test {
    let mut con = open(&redis_url())?;
    let mut other = open(&redis_url())?;
    let key = key();
    let mut record = Plain::at(&*key).on(&mut con);
    record.set_all(&plain())?;
    record.set_attempt_limit(3);
    let mut called = 0;
    let result = record.update(|plain| {
        called += 1;
        plain.user.push('!');
        Plain::at(&*key).on(&mut other).user().set(format!("other {called}")).unwrap();
    });
    let Err(Error::Conflict { attempts, place }) = &result else { panic!("{result:?}") };
    assert_eq!((*attempts, called, place.key(), place.field()), (3, 3, Some(&*key), None));
    assert!(result.unwrap_err().to_string().contains("3 attempts"));
    assert_eq!(record.user().get()?.as_deref(), Some("other 3"));
    let result = record.user().update(|user| {
        called += 1;
        user.push('!');
        Plain::at(&*key).on(&mut other).user().set(format!("other {called}")).unwrap();
    });
    let Err(Error::Conflict { place, .. }) = &result else { panic!("{result:?}") };
    assert_eq!((place.key(), place.field()), (Some(&*key), Some("user")));
    // Writes to other fields do not conflict.
    let mut con = open(&redis_url())?;
    let mut record = Plain::at(&*key).on(&mut con);
    record.set_attempt_limit(1);
    let updated = record.update(|plain| {
        plain.cart = Some(vec![7]);
        Plain::at(&*key).on(&mut other).user().set("another").unwrap();
    })?;
    assert_eq!(updated.and_then(|plain| plain.cart), Some(vec![7]));
    assert_eq!(record.get_all()?, Some(Plain { user: "another".to_owned(), cart: Some(vec![7]) }));
    // A record that is removed meanwhile does not come back in parts.
    let updated = record.update(|plain| {
        plain.cart = Some(vec![8]);
        Plain::at(&*key).on(&mut other).clear().unwrap();
    });
    assert!(matches!(updated, Err(Error::Conflict { .. })), "{updated:?}");
    record.set_attempt_limit(2);
    record.set_all(&plain())?;
    let updated = record.update(|plain| {
        plain.cart = Some(vec![8]);
        Plain::at(&*key).on(&mut other).clear().unwrap();
    });
    assert_eq!(updated?, None);
    assert!(!record.exists()?);
    Ok(())
}
