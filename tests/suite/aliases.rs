//! Fields that were stored under other names before: what each operation sends and does, races, and a rolling deploy.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use redis::{Arg, Cmd, ConnectionLike, RedisResult, Value, cmd};
use redis_hashmap::{Connection, Error, HashMap, RedisHash, Ttl, batch, open, open_async, require};
use redis_hashmap_tests::{AnyError, given, key, newer_server, redis_url};

type Test = Result<(), AnyError>;

#[derive(RedisHash, Debug, Clone, PartialEq)]
struct User {
    #[redis_hash(alias = "nick", alias = "login")]
    name: String,
    #[redis_hash(alias = "mail")]
    email: Option<Vec<u8>>,
    #[redis_hash(counter, alias = "hits")]
    visits: i64,
    #[redis_hash(default = 14)]
    width: u8,
}

/// The same as an older program has it.
#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Old {
    #[redis_hash(rename = "login")]
    name: String,
    #[redis_hash(rename = "mail")]
    email: Option<Vec<u8>>,
    #[redis_hash(counter, rename = "hits")]
    visits: i64,
}

fn old() -> Old {
    Old { name: "ann".to_owned(), email: Some(vec![1]), visits: 5 }
}

fn user() -> User {
    User { name: "ann".to_owned(), email: Some(vec![1]), visits: 5, width: 14 }
}

/// A connection that notes what it sends: the arguments without the key, of a script only what comes behind it.
#[derive(Clone)]
struct Noted(Arc<Mutex<(Connection, Vec<String>)>>);

impl Noted {
    fn open() -> Result<Self, Error> {
        Ok(Self(Arc::new(Mutex::new((open("memory:")?, Vec::new())))))
    }

    fn sent(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().1)
    }
}

fn shown(cmd: &Cmd) -> String {
    let args = cmd.args_iter().map(|arg| match arg {
        Arg::Simple(bytes) => bytes.escape_ascii().to_string(),
        _ => unreachable!(),
    });
    let mut args: Vec<_> = args.collect();
    if args[0].starts_with("EVAL") {
        args.drain(1..4);
        "SCRIPT".clone_into(&mut args[0]);
    } else {
        args.remove(1);
    }
    args.iter().map(|arg| if arg.is_empty() { "-" } else { arg }).collect::<Vec<_>>().join(" ")
}

impl ConnectionLike for Noted {
    fn req_packed_command(&mut self, _: &[u8]) -> RedisResult<Value> {
        unreachable!("it takes no pipelines")
    }

    fn req_packed_commands(&mut self, _: &[u8], _: usize, _: usize) -> RedisResult<Vec<Value>> {
        unreachable!("it takes no pipelines")
    }

    fn req_command(&mut self, cmd: &Cmd) -> RedisResult<Value> {
        let mut own = self.0.lock().unwrap();
        let cmd_shown = shown(cmd);
        // The store knows each script by its hash.
        own.1.push(cmd_shown);
        own.0.req_command(cmd)
    }

    fn get_db(&self) -> i64 {
        0
    }

    fn supports_pipelining(&self) -> bool {
        false
    }

    fn check_connection(&mut self) -> bool {
        true
    }

    fn is_open(&self) -> bool {
        true
    }
}

/// What each operation sends on a hash that an older program has written.
macro_rules! sends {
    ($($operation:expr => $($sent:literal),+;)*) => {
        $({
            let (key, con) = (key(), Noted::open()?);
            Old::at(&*key).on(con.clone()).set_all(&old())?;
            con.sent();
            #[allow(clippy::redundant_closure_call, reason = "each row says what is done")]
            ($operation)(User::at(&*key).on(con.clone()))?;
            assert_eq!(con.sent(), [$($sent),+], "{}", stringify!($operation));
        })*
    };
}

type Accessor = UserHash<redis_hashmap::Blocking<Noted>>;

#[test]
fn what_each_operation_sends() -> Test {
    type Done = Result<(), Error>;
    sends! {
        |u: Accessor| -> Done { assert_eq!(u.name().get()?.as_deref(), Some("ann")); Ok(()) } => "HMGET name nick login";
        |u: Accessor| -> Done { assert!(u.name().exists()?); Ok(()) } => "HMGET name nick login";
        |u: Accessor| -> Done { assert!(u.name().delete()?); Ok(()) } => "HDEL name nick login";
        |u: Accessor| -> Done { assert_eq!(u.get_all()?, Some(user())); Ok(()) } => "HMGET name email visits width nick login mail hits";
        |u: Accessor| -> Done { assert_eq!(u.get_many(|f| (f.width, f.visits))?, (14, 5)); Ok(()) } => "HMGET width visits hits";
        // It is not new: it lies under an alias.
        |u: Accessor| -> Done { assert!(!u.name().set("bob")?); Ok(()) } => r"SCRIPT - 0 - 3 name > nick > login ? 0 2 name \x8f\x03bob nick login";
        |u: Accessor| -> Done { assert!(!u.name().set_if_absent("bob")?); Ok(()) } => r"SCRIPT - 0 - 3 name > nick > login - 0 2 name \x8f\x03bob nick login";
        |u: Accessor| -> Done { assert!(u.name().set_if_present("bob")?); Ok(()) } => r"SCRIPT - 0 - 3 name > nick > login * 0 2 name \x8f\x03bob nick login";
        |u: Accessor| -> Done { assert_eq!(u.name().take()?.as_deref(), Some("ann")); Ok(()) } => "SCRIPT name 0 143 nick login";
        |u: Accessor| -> Done { assert_eq!(u.email().take()?, Some(vec![1])); Ok(()) } => "HMGET email mail", r"SCRIPT - 0 - 2 email | mail =\x91\x88\xda\xc3\xca\x01\x01 0 0 email mail";
        |u: Accessor| -> Done { assert_eq!(u.visits().increment(2)?, 7); Ok(()) } => "SCRIPT visits 2 0 0 hits";
        |u: Accessor| -> Done { assert!(u.name().compare_and_set("ann", "bob")?); Ok(()) } => "HMGET name nick login", r"SCRIPT - 0 - 3 name > nick > login =\x8f\x03ann 0 2 name \x8f\x03bob nick login";
        |u: Accessor| -> Done { u.update(|user| user.width = 15)?; Ok(()) } => "HMGET name email visits width nick login mail hits", r"SCRIPT present 0 - 1 width - 0 2 width \x87\x0f";
        |u: Accessor| -> Done { u.patch(&UserPatch::default().width(15))?; Ok(()) } => r"HSET width \x87\x0f";
        |u: Accessor| -> Done { u.patch(&UserPatch::default().email(None))?; Ok(()) } => "HDEL email mail";
        |u: Accessor| -> Done { u.width().set(15)?; Ok(()) } => r"HSET width \x87\x0f";
    }
    Ok(())
}

/// The places, some of them through scripts in Lua.
fn places() -> Vec<String> {
    let cluster = format!("redis+cluster://{}/", given("REDIS_CLUSTER_NODES"));
    let newer = ["REDIS_8_URL", "VALKEY_9_URL"].into_iter().filter_map(newer_server);
    newer.chain([redis_url(), cluster, "memory:".to_owned()]).collect()
}

/// Does something to a hash that an older program has written, and checks what lies there then.
macro_rules! leaves {
    ($($operation:expr => $fields:expr;)*) => {
        for place in places() {
            let mut con = open(&place)?;
            $({
                let key = key();
                Old::at(&*key).on(&mut con).set_all(&old())?;
                #[allow(clippy::redundant_closure_call, reason = "each row says what is done")]
                ($operation)(&User::at(&*key).on(&mut con))?;
                let record = User::at(&*key).on(&mut con);
                let mut fields = record.get_fields()?;
                fields.sort_unstable();
                assert_eq!(fields, $fields, "{} on {place}", stringify!($operation));
                record.clear()?;
            })*
        }
    };
}

type OnPlace<'c> = UserHash<redis_hashmap::Blocking<&'c mut Connection>>;

#[test]
fn what_each_operation_leaves() -> Test {
    type Done = Result<(), Error>;
    const MOVED: [&str; 3] = ["email", "name", "visits"];
    leaves! {
        |u: &OnPlace<'_>| -> Done { assert_eq!(u.get_all()?, Some(user())); Ok(()) } => ["hits", "login", "mail"];
        |u: &OnPlace<'_>| -> Done { assert_eq!(u.get_partial()?.visits, Some(5)); Ok(()) } => ["hits", "login", "mail"];
        |u: &OnPlace<'_>| -> Done { assert_eq!(u.get_each()?.unwrap().email.unwrap(), Some(vec![1])); Ok(()) } => ["hits", "login", "mail"];
        |u: &OnPlace<'_>| -> Done { u.set_all(&user()) } => ["email", "name", "visits", "width"];
        |u: &OnPlace<'_>| -> Done { u.set_all(&User { email: None, ..user() }) } => ["name", "visits", "width"];
        |u: &OnPlace<'_>| -> Done { assert!(!u.create(&user())?); Ok(()) } => ["hits", "login", "mail"];
        |u: &OnPlace<'_>| -> Done { assert!(u.replace(&user())?); Ok(()) } => ["email", "name", "visits", "width"];
        |u: &OnPlace<'_>| -> Done { assert!(u.patch_if_present(&UserPatch::default().name("bob").email(None))?); Ok(()) } => ["hits", "name"];
        |u: &OnPlace<'_>| -> Done { u.update(|user| { user.name.push('!'); user.email = None; user.visits += 1; }).map(drop) } => ["name", "visits"];
        |u: &OnPlace<'_>| -> Done { u.name().update(|name| name.push('!'))?; u.email().update(|email| email.push(2))?; u.visits().update(|visits| *visits += 1).map(drop) } => MOVED;
        |u: &OnPlace<'_>| -> Done { assert_eq!(u.visits().increment(-7)?, -2); assert_eq!(u.visits().increment(1)?, -1); Ok(()) } => ["login", "mail", "visits"];
        // What cannot be counted stays.
        |u: &OnPlace<'_>| -> Done { assert!(matches!(u.visits().increment(i64::MAX), Err(Error::Overflow { .. }))); Ok(()) } => ["hits", "login", "mail"];
        |u: &OnPlace<'_>| -> Done { assert_eq!(u.name().get_or_insert_with(|| unreachable!())?, "ann"); Ok(()) } => ["hits", "login", "mail"];
        |u: &OnPlace<'_>| -> Done { u.name().delete()?; assert_eq!(u.name().get_or_insert_with(|| "bob".to_owned())?, "bob"); Ok(()) } => ["hits", "mail", "name"];
        |u: &OnPlace<'_>| -> Done { assert!(!u.name().compare_and_set("bob", "cid")? && u.name().compare_and_set("ann", "ann")?); Ok(()) } => ["hits", "mail", "name"];
        |u: &OnPlace<'_>| -> Done { assert!(!u.email().delete_if(|_| false)? && u.email().delete_if(|email| email == &[1])?); Ok(()) } => ["hits", "login"];
        |u: &OnPlace<'_>| -> Done { assert_eq!(u.name().take()?.as_deref(), Some("ann")); assert_eq!(u.email().take()?, Some(vec![1])); assert_eq!(u.name().take()?, None); Ok(()) } => ["hits"];
        |u: &OnPlace<'_>| -> Done { assert!(u.email().set_if_present(vec![2])? && u.email().delete()? && !u.email().set_if_present(vec![2])? && u.email().set_if_absent(vec![3])?); Ok(()) } => ["email", "hits", "login"];
        |u: &OnPlace<'_>| -> Done { assert!(matches!(u.try_update(|user| { user.name.clear(); Err(Error::EmptyKey) }), Err(Error::EmptyKey))); Ok(()) } => ["hits", "login", "mail"];
    }
    Ok(())
}

/// An older program goes on writing the old name: the field's own name wins, then the aliases in their order.
#[test]
fn its_own_name_wins_then_the_first_alias() -> Test {
    for place in places() {
        let (key, mut con) = (key(), open(&place)?);
        let raw = HashMap::<String, String>::typed(&*key);
        let name = |con: &mut Connection| User::at(&*key).on(con).name().get();
        for (field, value) in [("login", "third"), ("nick", "second"), ("name", "first")] {
            raw.on(&mut con).set(field, value)?;
            assert_eq!(name(&mut con)?.as_deref(), Some(value), "{place}");
        }
        // An update of what the own name has is not hindered by the others, and removes them.
        let updated = User::at(&*key).on(&mut con).name().update(|name| name.push('!'))?;
        assert_eq!(updated.as_deref(), Some("first!"), "{place}");
        assert_eq!(raw.on(&mut con).get_all()?, [("name".to_owned(), "first!".to_owned())].into(), "{place}");
        assert!(User::at(&*key).on(&mut con).name().delete()?, "{place}");
        // Digits under two aliases: it counts on from the first.
        cmd("HSET").arg(&*key).arg(&["visits", "1", "hits", "9"]).exec(&mut con)?;
        assert_eq!(User::at(&*key).on(&mut con).visits().increment(1)?, 2, "{place}");
        assert_eq!(raw.on(&mut con).get_fields()?, ["visits"], "{place}");
        raw.on(&mut con).clear()?;
    }
    Ok(())
}

/// Between the read and the write of an operation, another program writes under another name.
#[test]
fn what_was_read_is_guarded_under_all_names() -> Test {
    for place in places() {
        let (mut con, mut other) = (open(&place)?, open(&place)?);
        if place == "memory:" {
            continue; // the other connection would have another store
        }
        for field in ["login", "nick", "name"] {
            let key = key();
            Old::at(&*key).on(&mut con).set_all(&old())?;
            let mut calls = 0;
            let updated = User::at(&*key).on(&mut con).name().update(|name| {
                calls += 1;
                if calls == 1 {
                    HashMap::<String, String>::typed(&*key).on(&mut other).set(field, "other").unwrap();
                }
                name.push('!');
            })?;
            assert_eq!((updated.as_deref(), calls), (Some("other!"), 2), "{field} on {place}");
            let mut judged = 0;
            let deleted = User::at(&*key).on(&mut con).email().delete_if(|email| {
                judged += 1;
                User::at(&*key).on(&mut other).email().set(vec![2]).unwrap();
                email == &[1]
            })?;
            assert_eq!((deleted, judged), (false, 2), "{place}");
            // What another moves to its own name, with the same value, is what was read.
            let updated = User::at(&*key).on(&mut con).visits().update(|visits| {
                assert!(*visits == 5);
                User::at(&*key).on(&mut other).visits().set(5).unwrap();
                *visits += 1;
            })?;
            assert_eq!(updated, 6, "{place}");
            let mut made = || {
                HashMap::<String, String>::typed(&*key).on(&mut other).set("nick", "old").unwrap();
                "new".to_owned()
            };
            User::at(&*key).on(&mut con).name().delete()?;
            assert_eq!(User::at(&*key).on(&mut con).name().get_or_insert_with(&mut made)?, "old", "{place}");
            User::at(&*key).on(&mut con).clear()?;
        }
    }
    Ok(())
}

#[derive(RedisHash, Debug, Clone, PartialEq)]
#[redis_hash(ttl = "1h", sliding)]
struct Login {
    #[redis_hash(alias = "pin", ttl = "5m")]
    code: Option<u8>,
    #[redis_hash(counter, alias = "fails", ttl = "5m")]
    tries: i64,
}

#[derive(RedisHash, Debug, Clone, PartialEq)]
struct OldLogin {
    #[redis_hash(rename = "pin", ttl = "2h")]
    code: Option<u8>,
    #[redis_hash(counter, rename = "fails", ttl = "2h")]
    tries: i64,
}

fn login<'c>(key: &str, con: &'c mut Connection) -> LoginHash<redis_hashmap::Blocking<&'c mut Connection>> {
    Login::at(key).on(con)
}

#[test]
fn times_to_live() -> Test {
    let newer = ["REDIS_8_URL", "VALKEY_9_URL"].into_iter().filter_map(newer_server);
    for place in newer.chain(["memory:".to_owned()]) {
        let mut con = open(&place)?;
        let minutes =
            |ttl: Result<Ttl, Error>| ttl.map(|ttl| ttl.remaining().map_or(0, |left| left.as_secs().div_ceil(60)));
        let key = key();
        let write_old =
            |con: &mut Connection| OldLogin::at(&*key).on(con).set_all(&OldLogin { code: Some(7), tries: 2 });
        write_old(&mut con)?;
        assert_eq!(minutes(login(&key, &mut con).code().ttl())?, 120, "{place}");
        assert!(login(&key, &mut con).code().expire_in(Duration::from_secs(600))?, "{place}");
        assert_eq!(minutes(login(&key, &mut con).code().ttl())?, 10, "{place}");
        assert_eq!(minutes(OldLogin::at(&*key).on(&mut con).code().ttl())?, 10, "{place}");
        // A value that does not change keeps its time under the new name, as a counter does.
        login(&key, &mut con).set_all(&Login { code: Some(7), tries: 2 })?;
        assert_eq!(minutes(login(&key, &mut con).code().ttl())?, 10, "{place}");
        assert_eq!(minutes(login(&key, &mut con).tries().ttl())?, 120, "{place}");
        assert_eq!(OldLogin::at(&*key).on(&mut con).get_all()?, None, "{place}");
        login(&key, &mut con).set_all(&Login { code: Some(8), tries: 2 })?;
        assert_eq!(minutes(login(&key, &mut con).code().ttl())?, 5, "{place}");
        login(&key, &mut con).clear()?;

        write_old(&mut con)?;
        assert_eq!(login(&key, &mut con).tries().increment(1)?, 3, "{place}");
        assert_eq!(minutes(login(&key, &mut con).tries().ttl())?, 120, "{place}");
        assert!(login(&key, &mut con).code().persist()? && !login(&key, &mut con).code().persist()?, "{place}");
        assert_eq!(login(&key, &mut con).code().ttl()?, Ttl::Persistent, "{place}");
        assert_eq!(login(&key, &mut con).code().update(|code| *code += 1)?, Some(8), "{place}");
        assert_eq!(minutes(login(&key, &mut con).code().ttl())?, 5, "{place}");
        assert_eq!(minutes(login(&key, &mut con).ttl())?, 60, "{place}");
        // Both names are there: both go.
        OldLogin::at(&*key).on(&mut con).code().set(1)?;
        assert!(
            login(&key, &mut con).code().expire_at(std::time::SystemTime::now() - Duration::from_secs(1))?,
            "{place}"
        );
        assert_eq!(login(&key, &mut con).code().get()?, None, "{place}");
        assert_eq!(login(&key, &mut con).code().ttl()?, Ttl::Absent, "{place}");
        assert!(!login(&key, &mut con).code().expire_in(Duration::from_secs(9))?, "{place}");
        login(&key, &mut con).clear()?;
        require::<(User, Login)>(&mut con)?;
    }
    require::<User>(&mut open(&redis_url())?)?;
    Ok(())
}

#[tokio::test]
async fn async_exclusive_and_in_batches() -> Test {
    for place in places() {
        let (key, mut con) = (key(), open_async(&place).await?);
        Old::at(&*key).on_async(con.clone()).set_all(&old()).await?;
        let user = User::at(&*key);
        for atomic in [false, true] {
            let commands = batch((
                user.get_all(),
                user.name().get(),
                user.name().set("bob"),
                user.name().exists(),
                user.visits().increment(1),
            ));
            let commands = if atomic { commands.atomic() } else { commands };
            let (all, name, is_new, exists, visits) = commands.query_async(&mut con).await?;
            assert_eq!(all.map(|user| Some(user.name)), Some(name), "{place}");
            assert_eq!((is_new, exists, visits), (false, true, 6 + i64::from(atomic)), "{place}");
        }
        assert_eq!(user.on_async(con.clone()).email().take().await?, Some(vec![1]), "{place}");
        assert_eq!(user.on_exclusive(&mut con).name().get().await?.as_deref(), Some("bob"), "{place}");
        let mut fields = user.on_exclusive(&mut con).get_fields().await?;
        fields.sort_unstable();
        assert_eq!(fields, ["name", "visits"], "{place}");
        user.on_exclusive(&mut con).clear().await?;
    }
    Ok(())
}

/// The first phase of a deploy: the field has its old name, and reads the new one.
#[derive(RedisHash, Debug)]
struct First {
    #[redis_hash(alias = "total")]
    sum: Vec<u64>,
    #[redis_hash(counter, alias = "count")]
    calls: i64,
}

/// The second: the field has its new name, and reads the old one.
#[derive(RedisHash, Debug)]
struct Second {
    #[redis_hash(alias = "sum")]
    total: Vec<u64>,
    #[redis_hash(counter, alias = "calls")]
    count: i64,
}

/// Programs of both phases work on one hash at the same time: each change of either is there in the end.
#[test]
fn a_rolling_deploy_loses_nothing() -> Test {
    const CHANGES: u64 = 40;
    for place in places() {
        let place = if place == "memory:" { "memory:a_rolling_deploy".to_owned() } else { place };
        let (key, failed) = (key(), AtomicBool::new(false));
        // A store in memory lasts as long as one of its connections.
        let mut con = open(&place)?;
        First::at(&*key).on(&mut con).set_all(&First { sum: Vec::new(), calls: 0 })?;
        thread::scope(|scope| {
            for program in 0..4 {
                let (key, place, failed) = (&*key, &place, &failed);
                scope.spawn(move || {
                    let work = || -> Test {
                        let mut con = open(place)?;
                        for number in 0..CHANGES {
                            let change = program * CHANGES + number;
                            if program % 2 == 0 {
                                let first = First::at(key).on(&mut con);
                                first.sum().update(|sum| sum.push(change))?.ok_or("it was absent")?;
                                first.calls().increment(1)?;
                            } else {
                                let second = Second::at(key).on(&mut con);
                                second.update(|second| second.total.push(change))?.ok_or("it was absent")?;
                                second.count().increment(1)?;
                            }
                        }
                        Ok(())
                    };
                    if let Err(error) = work() {
                        eprintln!("{place}: {error}");
                        failed.store(true, Ordering::Relaxed);
                    }
                });
            }
        });
        assert!(!failed.load(Ordering::Relaxed));
        let second = Second::at(&*key).on(&mut con);
        let Some(Second { mut total, count }) = second.get_all()? else { panic!("nothing is stored on {place}") };
        total.sort_unstable();
        assert_eq!(total, (0..4 * CHANGES).collect::<Vec<_>>(), "{place}");
        assert_eq!(count, 4 * i64::try_from(CHANGES)?, "{place}");
        second.clear()?;
    }
    Ok(())
}
