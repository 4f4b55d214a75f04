//! What every place has to do, written once. It is compiled for each way of calling: `on!` gives an accessor its connection, `go!`
//! runs an operation, `con!` is the type of a connection.

use std::collections::{BTreeMap, HashMap as StdHashMap};
use std::time::{Duration, SystemTime};

use redis_hashmap::{Counter, Error, HashMap, RedisHash, Ttl, Value};
use redis_hashmap_tests::AnyError;
use serde::{Deserialize, Serialize};

pub(crate) type Test = Result<(), AnyError>;

#[derive(RedisHash, Debug, Clone, PartialEq)]
struct User {
    name: String,
    nick: Option<String>,
    #[redis_hash(default)]
    visits: u64,
    #[redis_hash(counter)]
    logins: i64,
    #[redis_hash(text)]
    port: Option<u16>,
}

fn ann() -> User {
    User { name: "Ann".to_owned(), nick: None, visits: 3, logins: 7, port: Some(80) }
}

/// A record that is there even if nothing is stored.
#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Settings {
    #[redis_hash(default = "dark".to_owned())]
    theme: String,
    #[redis_hash(default)]
    columns: u8,
}

#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Profile {
    #[redis_hash(merge)]
    preferences: Preferences,
    note: Option<String>,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Preferences {
    language: String,
    size: u8,
}

#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Session {
    user: String,
    #[redis_hash(ttl = "5m")]
    code: Option<String>,
}

/// All scenarios, by name. The last one needs a connection that is not borrowed: see `batched!`.
const ALL: [&str; 14] = [
    "fields",
    "counters",
    "records",
    "patches",
    "merges",
    "updates of fields",
    "updates of records",
    "maps",
    "maps of any kind",
    "expiry",
    "expiry of fields",
    "errors",
    "waiting",
    "batches",
];

pub(crate) const SCENARIOS: &[&str] = batched! { (&ALL) or (ALL.split_at(ALL.len() - 1).0) };

/// Runs a scenario on a key of its own, where nothing is stored.
pub(crate) async fn run(scenario: &str, con: &mut con!(), key: &str, expires_fields: bool) -> Test {
    match scenario {
        "fields" => fields(con, key).await,
        "counters" => counters(con, key).await,
        "records" => records(con, key).await,
        "patches" => patches(con, key).await,
        "merges" => merges(con, key).await,
        "updates of fields" => updates_of_fields(con, key).await,
        "updates of records" => updates_of_records(con, key).await,
        "maps" => maps(con, key).await,
        "maps of any kind" => maps_of_any_kind(con, key).await,
        "expiry" => expiry(con, key).await,
        "expiry of fields" => expiry_of_fields(con, key, expires_fields).await,
        "waiting" => waiting(con, key).await,
        "batches" => {
            batched! { (batches(con, key).await) or (Err("a batch needs a connection that can be cloned".into())) }
        }
        "errors" => errors(con, key).await,
        other => Err(format!("there is no scenario {other}").into()),
    }
}

async fn fields(con: &mut con!(), key: &str) -> Test {
    let user = on!(User::at(key), con);
    assert_eq!((user.key(), user.name().name()), (key, "name"));
    assert_eq!(go!(user.name().get()), None);
    assert!(go!(user.name().set("Ann")));
    assert!(!go!(user.name().set("Bob".to_owned())), "it was there");
    assert_eq!(go!(user.name().get()).as_deref(), Some("Bob"));
    assert!(go!(user.name().exists()) && !go!(user.nick().exists()));
    assert!(!go!(user.name().set_if_absent("Cid")) && go!(user.nick().set_if_absent("c")));
    assert!(go!(user.nick().set_if_present("d")) && !go!(user.port().set_if_present(8080_u16)));
    assert_eq!(go!(user.nick().get()).as_deref(), Some("d"));
    assert_eq!(go!(user.visits().get()), 0, "its default");
    assert!(go!(user.port().set(8080_u16)));
    assert_eq!(go!(user.port().get()), Some(8080));
    assert!(go!(user.nick().delete()) && !go!(user.nick().delete()));
    assert_eq!(go!(user.size()), 2);
    assert!(go!(user.clear()) && !go!(user.clear()));
    Ok(())
}

async fn counters(con: &mut con!(), key: &str) -> Test {
    let user = on!(User::at(key), con);
    assert_eq!(go!(user.logins().increment(5)), 5);
    assert_eq!(go!(user.logins().increment(-7)), -2);
    assert_eq!(go!(user.logins().get()), -2);
    go!(user.logins().set(i64::MAX));
    let error = fails!(user.logins().increment(1));
    assert!(matches!(error, Error::Overflow { .. }) && error.is_rejected_input(), "{error}");
    drop(user);
    let counters = on!(HashMap::<String, Counter>::typed(key), con);
    assert_eq!(go!(counters.increment("logins", -1)), i64::MAX - 1);
    assert_eq!(go!(counters.get("logins")), Some(i64::MAX - 1));
    Ok(())
}

async fn records(con: &mut con!(), key: &str) -> Test {
    let user = on!(User::at(key), con);
    assert_eq!((go!(user.get_all()), go!(user.exists()), go!(user.size())), (None, false, 0));
    assert!(!go!(user.replace(&ann())), "there is none");
    assert!(go!(user.create(&ann())) && !go!(user.create(&ann())));
    assert_eq!(go!(user.get_all()), Some(ann()));
    let bob = User { name: "Bob".to_owned(), nick: Some("b".to_owned()), port: None, ..ann() };
    assert!(go!(user.replace(&bob)));
    assert_eq!(go!(user.get_all()), Some(bob.clone()));
    let partial = go!(user.get_partial());
    assert_eq!((partial.name.as_deref(), partial.port), (Some("Bob"), None));
    assert_eq!(go!(user.get_many(|user| (user.name, user.visits))), (Some("Bob".to_owned()), 3));
    let each = go!(user.get_each()).ok_or("it is stored")?;
    assert_eq!(each.name.as_deref().ok(), Some("Bob"));
    let mut names = go!(user.get_fields());
    names.sort();
    assert_eq!(names, ["logins", "name", "nick", "visits"]);
    assert_eq!(go!(user.get_fields_raw()).len(), 4);
    assert!(go!(user.delete_raw(b"nick")) && !go!(user.delete_raw(b"\xff")));
    go!(user.set_all(&ann()));
    assert_eq!((go!(user.get_all()), go!(user.exists())), (Some(ann()), true));
    drop(user);
    let settings = on!(Settings::at(&*format!("{key}:settings")), con);
    assert_eq!(go!(settings.get_or_default()), Settings { theme: "dark".to_owned(), columns: 0 });
    go!(settings.columns().set(9));
    assert_eq!(go!(settings.get_or_default()).columns, 9);
    assert!(go!(settings.clear()));
    Ok(())
}

async fn patches(con: &mut con!(), key: &str) -> Test {
    let user = on!(User::at(key), con);
    let patch = UserPatch::default().name("Bob").nick(Some("b".to_owned())).port(None);
    assert!(!go!(user.patch_if_present(&patch)));
    go!(user.set_all(&ann()));
    assert!(go!(user.patch_if_present(&patch)));
    let bob = User { name: "Bob".to_owned(), nick: Some("b".to_owned()), port: None, ..ann() };
    assert_eq!(go!(user.get_all()), Some(bob.clone()));
    go!(user.patch(&UserPatch::default().nick(None)));
    assert_eq!(go!(user.get_all()), Some(User { nick: None, ..bob }));
    Ok(())
}

async fn merges(con: &mut con!(), key: &str) -> Test {
    let profile = on!(Profile::at(key), con);
    let patch: ProfilePatch = serde_json::from_str(r#"{"preferences": {"size": 9}}"#)?;
    assert!(!go!(profile.merge_if_present(&patch)));
    let preferences = Preferences { language: "en".to_owned(), size: 1 };
    go!(profile.set_all(&Profile { preferences: preferences.clone(), note: None }));
    assert!(go!(profile.merge_if_present(&patch)));
    assert_eq!(go!(profile.preferences().get()), Some(Preferences { size: 9, ..preferences }));
    let patch: ProfilePatch = serde_json::from_str(r#"{"preferences": {"language": "de"}, "note": "n"}"#)?;
    go!(profile.merge(&patch));
    let merged = Preferences { language: "de".to_owned(), size: 9 };
    assert_eq!(go!(profile.get_all()), Some(Profile { preferences: merged, note: Some("n".to_owned()) }));
    Ok(())
}

async fn updates_of_fields(con: &mut con!(), key: &str) -> Test {
    let mut user = on!(User::at(key), con);
    user.set_attempt_limit(5);
    user.set_value_limit(1000);
    assert_eq!(go!(user.nick().update(|nick| nick.push('!'))), None, "it is absent");
    assert_eq!(go!(user.visits().update(|visits| *visits += 1)), 1, "from its default");
    go!(user.nick().set("n"));
    assert_eq!(go!(user.nick().update(|nick| nick.push('!'))).as_deref(), Some("n!"));
    let refused = fails!(user.nick().try_update(|_| Err::<(), AnyError>("no".into())));
    assert_eq!(refused.to_string(), "no");
    assert!(!go!(user.nick().compare_and_set("n", "m")) && go!(user.nick().compare_and_set("n!", "m")));
    assert!(!go!(user.nick().delete_if(|nick| nick == "n")) && go!(user.nick().delete_if(|nick| nick == "m")));
    assert_eq!(go!(user.nick().get_or_insert_with(|| "new".to_owned())), "new");
    assert_eq!(go!(user.nick().get_or_try_insert_with(|| Err::<String, AnyError>("no".into()))), "new");
    shared! {
        let made = user.nick().get_or_try_insert_with_async(|| async { Err::<String, AnyError>("no".into()) });
        assert_eq!(go!(made), "new");
    }
    assert_eq!(go!(user.nick().take()).as_deref(), Some("new"));
    assert_eq!(go!(user.nick().take()), None);
    drop(user);
    let map = on!(HashMap::<u32, String>::typed(&*format!("{key}:map")), con);
    assert_eq!(go!(map.get_or_insert_with(&1, || "one".to_owned())), "one");
    assert_eq!(go!(map.update(&1, |text: &mut String| text.push('!'))).as_deref(), Some("one!"));
    assert!(go!(map.compare_and_set(&1, "one!", "two")) && !go!(map.delete_if(&1, |text: &String| text == "one")));
    assert_eq!(go!(map.take(&1)), Some("two".to_owned()));
    Ok(())
}

async fn updates_of_records(con: &mut con!(), key: &str) -> Test {
    let user = on!(User::at(key), con);
    assert_eq!(go!(user.update(|user| user.visits += 1)), None);
    go!(user.set_all(&ann()));
    assert_eq!(go!(user.update(|user| user.visits += 1)), Some(User { visits: 4, ..ann() }));
    let refused = fails!(user.try_update(|user| {
        user.visits += 1;
        Err::<(), AnyError>("no".into())
    }));
    assert_eq!((refused.to_string(), go!(user.visits().get())), ("no".to_owned(), 4));
    drop(user);
    let settings = on!(Settings::at(&*format!("{key}:settings")), con);
    assert_eq!(go!(settings.update_or_default(|settings| settings.columns += 1)).columns, 1);
    let tried = settings.try_update_or_default(|settings| {
        settings.columns += 1;
        Ok::<(), AnyError>(())
    });
    assert_eq!(go!(tried), Settings { theme: "dark".to_owned(), columns: 2 });
    assert!(go!(settings.clear()));
    Ok(())
}

async fn maps(con: &mut con!(), key: &str) -> Test {
    let map = on!(HashMap::<u32, String>::typed(key), con);
    assert!(go!(map.is_empty()));
    assert!(go!(map.set(&1, "one")) && !go!(map.set(&1, "uno")));
    assert_eq!(go!(map.get(&1)).as_deref(), Some("uno"));
    assert_eq!(go!(map.set_many([(&2, "two"), (&3, "three")])), 2);
    assert_eq!(go!(map.get_many([&3, &4])), [Some("three".to_owned()), None]);
    assert!(go!(map.exists(&2)) && !go!(map.exists(&4)));
    assert!(go!(map.set_if_absent(&4, "four")) && !go!(map.set_if_absent(&4, "quattro")));
    assert!(go!(map.set_if_present(&4, "vier")) && !go!(map.set_if_present(&5, "five")));
    assert_eq!(go!(map.entry::<String>(&4).get()).as_deref(), Some("vier"));
    assert!(go!(map.delete(&1)) && !go!(map.delete(&1)));
    assert_eq!(go!(map.delete_many([&2, &9])), 1);
    let mut names = go!(map.get_fields());
    names.sort_unstable();
    assert_eq!(names, [3, 4]);
    assert_eq!(go!(map.get_all()), [(3, "three".to_owned()), (4, "vier".to_owned())].into());
    // More than one page.
    let many: BTreeMap<u32, String> = (0..1000).map(|number| (number, format!("number {number}"))).collect();
    go!(map.set_many(&many));
    let entries: BTreeMap<u32, String> = entries!(map).into_iter().collect::<Result<_, _>>()?;
    assert_eq!((entries, go!(map.size())), (many, 1000));
    Ok(())
}

async fn maps_of_any_kind(con: &mut con!(), key: &str) -> Test {
    let map = on!(HashMap::new(key), con);
    go!(map.set("text", "a"));
    go!(map.set("number", 7_u16));
    go!(map.set("list", vec![1.5, 2.5]));
    assert_eq!(go!(map.get::<f64>("absent")), None);
    assert_eq!(go!(map.get::<u16>("number")), Some(7));
    let all: StdHashMap<String, Value> = go!(map.get_all());
    assert_eq!((all.len(), &all["text"]), (3, &Value::from("a")));
    assert_eq!(go!(map.take::<Vec<f64>>("list")), Some(vec![1.5, 2.5]));
    let error = fails!(map.get::<String>("number"));
    assert!(matches!(error, Error::WrongType { .. }), "{error}");
    // Whatever bytes a name has.
    for name in ["", "a:b", "ключ", "a\r\nb", "\u{0}"] {
        let set = map.set(name, 1);
        assert_eq!(outcome!(set).is_ok(), !name.is_empty());
    }
    Ok(())
}

async fn expiry(con: &mut con!(), key: &str) -> Test {
    let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3600));
    let user = on!(User::at(key), con);
    assert_eq!((go!(user.ttl()), go!(user.expire_in(hour))), (Ttl::Absent, false));
    go!(user.set_all(&ann()));
    assert_eq!(go!(user.ttl()), Ttl::Persistent);
    assert!(go!(user.expire_in(hour)));
    assert!(go!(user.ttl()).remaining().is_some_and(|ttl| ttl <= hour && ttl > hour / 2));
    assert!(go!(user.persist()) && !go!(user.persist()));
    assert!(go!(user.expire_at(SystemTime::now() + hour)));
    assert!(go!(user.ttl()).remaining().is_some());
    assert!(matches!(fails!(user.expire_in(Duration::ZERO)), Error::Expiry { .. }));
    assert!(go!(user.expire_at(SystemTime::UNIX_EPOCH + minute)), "in the past");
    assert_eq!(go!(user.ttl()), Ttl::Absent);
    drop(user);
    let user = on!(User::at(key).with_ttl(hour), con);
    assert!(go!(user.create(&ann())));
    assert!(go!(user.ttl()).remaining().is_some());
    assert!(go!(user.logins().increment(1)) == 8 && go!(user.ttl()).remaining().is_some());
    Ok(())
}

async fn expiry_of_fields(con: &mut con!(), key: &str, expires_fields: bool) -> Test {
    let minute = Duration::from_secs(60);
    let session = on!(Session::at(key), con);
    if !expires_fields {
        for error in [fails!(session.code().set("1")), fails!(session.code().expire_in(minute))] {
            assert!(matches!(error, Error::Unsupported { .. }), "{error}");
        }
        assert_eq!(go!(session.size()), 0, "nothing is stored without its time to live");
        return Ok(());
    }
    go!(session.set_all(&Session { user: "ann".to_owned(), code: Some("1".to_owned()) }));
    assert!(go!(session.code().ttl()).remaining().is_some_and(|ttl| ttl > minute));
    assert!(go!(session.code().expire_in(minute)) && go!(session.code().expire_at(SystemTime::now() + minute)));
    assert!(go!(session.code().ttl()).remaining().is_some_and(|ttl| ttl <= minute));
    assert!(go!(session.code().persist()) && !go!(session.code().persist()));
    assert_eq!(go!(session.code().ttl()), Ttl::Persistent);
    drop(session);
    let codes = on!(HashMap::<u32, String>::typed(&*format!("{key}:codes")), con);
    go!(codes.set_with_ttl(&1, "one", minute));
    go!(codes.entry::<String>(&2).set_with_ttl("two", minute));
    assert!(go!(codes.entry::<String>(&3).with_ttl(minute).set_if_absent("three")));
    for code in 1..=3 {
        assert!(go!(codes.entry::<String>(&code).ttl()).remaining().is_some());
    }
    go!(codes.set_with_ttl(&4, "four", Duration::from_millis(30)));
    while go!(codes.exists(&4)) {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(go!(codes.get_fields()).len(), 3);
    assert!((3..=4).contains(&go!(codes.size())), "a server counts it until it has removed it");
    Ok(())
}

async fn errors(con: &mut con!(), key: &str) -> Test {
    let map = on!(HashMap::new(key), con);
    go!(map.set("name", 7));
    drop(map);
    let user = on!(User::at(key), con);
    let error = fails!(user.name().get());
    let place = error.place().ok_or("it has a place")?;
    assert_eq!((place.key(), place.field()), (Some(key), Some("name")));
    assert!(!error.may_have_been_applied() && !error.is_transient(), "{error}");
    assert!(matches!(fails!(user.get_all()), Error::WrongType { .. } | Error::Fields { .. }));
    drop(user);
    let nowhere = on!(HashMap::new(""), con);
    assert!(matches!(fails!(nowhere.set("a", 1)), Error::EmptyKey));
    Ok(())
}

/// `WAIT`, on connections that nobody else uses. There need not be a replica.
async fn waiting(con: &mut con!(), key: &str) -> Test {
    let map = on!(HashMap::<u32, u32>::typed(key), con);
    go!(map.set(&1, 1));
    alone! {
        assert!(go!(map.wait(0, Duration::from_millis(100))) < 100);
    }
    Ok(())
}

batched! { (async fn batches(con: &mut con!(), key: &str) -> Test {
    // On a cluster, in several slots.
    let (user, other) = (User::at(key), User::at(&*format!("{key}:other")));
    let map = HashMap::<u32, u32>::typed(&*format!("{key}:map"));
    send!(redis_hashmap::batch((user.set_all(&ann()), other.set_all(&ann()), map.set(&1, 7))), con);
    let read = redis_hashmap::batch((user.get_all(), other.name().get(), map.get(&1), map.get(&2)));
    assert_eq!(send!(read, con), (Some(ann()), Some("Ann".to_owned()), Some(7), None));
    let numbers: redis_hashmap::Batch<_> = (0..300).map(|number| map.set(&number, number)).collect();
    assert_eq!(send!(numbers, con).len(), 300);
    let each = send_each!([map.get(&1), map.get(&2)].into_iter().collect::<redis_hashmap::Batch<_>>(), con);
    assert!(matches!(each[..], [Ok(Some(1)), Ok(Some(2))]), "{each:?}");
    // One that cannot be read does not hide the others.
    let text = HashMap::<u32, String>::typed(map.key());
    let each = send_each!([text.get(&1), text.get(&999)].into_iter().collect::<redis_hashmap::Batch<_>>(), con);
    assert!(matches!(each[..], [Err(Error::WrongType { .. }), Ok(None)]), "{each:?}");
    // A command by itself.
    assert_eq!(send!(map.size(), con), 300);
    assert!(send!(other.clear(), con) && send!(map.clear(), con));
    Ok(())
}) or () }
