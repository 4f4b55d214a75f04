//! Patches that are merged into what is stored, part by part.

use std::collections::{BTreeMap, HashMap as StdHashMap, HashSet};
use std::sync::Arc;

use redis::Cmd;
use redis_hashmap::{Error, Merge, RedisHash, open, open_async};
use redis_hashmap_tests::{AnyError, connection, key, redis_url};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

type Test = Result<(), AnyError>;

#[derive(RedisHash, Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(rename_all = "camelCase")]
struct User {
    name: String,
    #[redis_hash(merge)]
    preferences: Preferences,
    #[redis_hash(merge)]
    home_address: Option<Address>,
    #[redis_hash(merge, default)]
    #[serde(default)]
    tags: StdHashMap<String, BTreeMap<u32, u8>>,
    #[redis_hash(merge)]
    place: Option<Place>,
    nick: Option<String>,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
#[serde(rename_all = "camelCase")]
struct Preferences {
    language: String,
    font_size: u8,
    #[serde(default)]
    editor: Editor,
    note: Option<String>,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Default)]
struct Editor {
    tabs: Option<u8>,
    rulers: Vec<u8>,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Address {
    street: String,
    zip: u32,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
enum Place {
    Nowhere,
    Home(String),
    Work { floor: u8 },
}

fn ann() -> User {
    User {
        name: "Ann".to_owned(),
        preferences: Preferences {
            language: "en".to_owned(),
            font_size: 14,
            editor: Editor { tabs: Some(4), rulers: vec![80, 120] },
            note: Some("n".to_owned()),
        },
        home_address: None,
        tags: StdHashMap::from([
            ("a".to_owned(), BTreeMap::from([(1, 1), (2, 2)])),
            ("b".to_owned(), BTreeMap::from([(3, 3)])),
        ]),
        place: Some(Place::Home("sofa".to_owned())),
        nick: Some("annie".to_owned()),
    }
}

fn patch(json: Value) -> UserPatch {
    serde_json::from_value(json).expect("a patch")
}

/// What a patch makes is what JSON Merge Patch makes of the record's JSON.
#[test]
fn every_part_is_merged_as_in_json() -> Test {
    let key = key();
    let user = User::at(&*key).on(connection()?);
    for parts in [
        json!({"preferences": {"language": "de"}}),
        json!({"preferences": {"editor": {"tabs": null}}}),
        json!({"preferences": {"editor": {"rulers": [100]}, "note": null, "fontSize": 20}, "name": "Bob"}),
        json!({"preferences": {"editor": null}}),
        json!({"preferences": {}}),
        json!({"preferences": {"unknown": null}}),
        json!({"homeAddress": {"street": "s", "zip": 1}, "nick": null}),
        json!({"tags": {"a": {"1": null, "4": 4}, "b": null, "c": {"5": 5}}}),
        json!({"place": {"Home": null, "Work": {"floor": 3}}}),
        json!({"place": {"Home": "bed"}}),
        json!({"place": "Nowhere"}),
        json!({"place": null}),
        json!({"name": "Bob"}),
        json!({}),
    ] {
        user.set_all(&ann())?;
        let mut expected = serde_json::to_value(ann())?;
        merge_patch(&mut expected, &parts);
        // serde leaves out what it does not know, as the record does.
        let expected: User = serde_json::from_value(expected)?;
        assert!(user.merge_if_present(&patch(parts.clone()))?, "{parts}");
        assert_eq!(user.get_all()?, Some(expected.clone()), "{parts}");
        user.set_all(&ann())?;
        user.merge(&patch(parts.clone()))?;
        assert_eq!(user.get_all()?, Some(expected), "{parts}");
    }
    user.clear()?;
    Ok(())
}

/// RFC 7396, as it stands there.
fn merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let object = target.as_object_mut().expect("an object");
    for (name, value) in patch {
        if value.is_null() {
            object.remove(name);
        } else {
            merge_patch(object.entry(name).or_insert(Value::Null), value);
        }
    }
}

#[test]
fn parts_of_what_is_absent_have_to_be_the_whole() -> Test {
    let key = key();
    let user = User::at(&*key).on(connection()?);
    // Without a record, nothing is the patch's fault.
    assert!(!user.merge_if_present(&patch(json!({"preferences": {"language": "de"}})))?);
    assert!(!user.merge_if_present(&patch(json!({"name": "Bob"})))?);
    assert!(!user.exists()?);
    let error = user.merge(&patch(json!({"preferences": {"language": "de"}}))).expect_err("it is no whole value");
    assert!(matches!(&error, Error::Merge { place, .. } if place.field() == Some("preferences")), "{error}");
    assert!(error.is_rejected_input() && !error.is_transient());
    assert!(error.to_string().ends_with("it is not a whole value by itself): nothing was written"), "{error}");
    assert!(!user.exists()?);

    user.merge(&patch(json!({"preferences": {"language": "de", "fontSize": 9}})))?;
    assert_eq!(user.preferences().get()?.map(|preferences| preferences.font_size), Some(9));
    // A default is merged with.
    user.merge(&patch(json!({"tags": {"a": {"1": 1}}})))?;
    assert_eq!(user.tags().get()?.len(), 1);
    user.clear()?;
    Ok(())
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_written() -> Test {
    let key = key();
    let user = User::at(&*key).on(connection()?);
    user.set_all(&ann())?;
    for parts in [
        json!({"name": "Bob", "preferences": {"fontSize": "s3cret"}}),
        json!({"name": "Bob", "preferences": {"fontSize": 300}}),
        json!({"name": "Bob", "preferences": {"language": null}}),
        json!({"name": "Bob", "preferences": {"editor": {"rulers": {"s3cret": 1}}}}),
        json!({"name": "Bob", "homeAddress": {"street": "s3cret"}}),
        json!({"name": "Bob", "tags": {"a": {"s3cret": 1}}}),
        json!({"name": "Bob", "place": {"Work": {"floor": 1}}}),
        json!({"name": "Bob", "preferences": {"s3cret": 1}}),
        json!({"name": "Bob", "preferences": {"editor": {"s3cret": {"a": 1}}}}),
        json!({"name": "Bob", "place": {"Home": {"s3cret": 1}}}),
    ] {
        let error = user.merge_if_present(&patch(parts.clone())).expect_err("it does not fit");
        assert!(error.is_rejected_input(), "{parts}: {error}");
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
        assert_eq!(user.get_all()?, Some(ann()), "{parts}");
    }
    let mut deep = json!({});
    for _ in 0..1000 {
        deep = json!({ "a": deep });
    }
    let error = user.merge(&patch(json!({ "preferences": deep }))).expect_err("it nests too deep");
    assert!(error.to_string().contains("too deep"), "{error}");
    // What serde itself refuses.
    assert!(serde_json::from_value::<UserPatch>(json!({"preferences": [1]})).is_err());
    assert!(serde_json::from_value::<UserPatch>(json!({"preferences": null})).is_err());
    user.clear()?;
    Ok(())
}

#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Measured {
    #[redis_hash(merge)]
    point: Point,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Point {
    x: Option<f64>,
    y: f32,
    #[serde(default)]
    big: u128,
    #[serde(default)]
    names: BTreeMap<(u8, u8), u8>,
}

/// JSON knows neither NaN nor keys that are no text: what it would change is left alone.
#[test]
fn what_json_would_change_is_not_merged() -> Test {
    let key = key();
    let measured = Measured::at(&*key).on(connection()?);
    let point = Point { x: Some(0.1), y: 0.1, big: 7, names: BTreeMap::new() };
    let patch = MeasuredPatch { point: Some(Merge::Parts(serde_json::from_value(json!({"y": 0.5}))?)) };
    measured.point().set(&point)?;
    measured.merge(&patch)?;
    assert_eq!(measured.point().get()?, Some(Point { y: 0.5, ..point.clone() }));
    for point in [
        Point { x: Some(f64::NAN), ..point.clone() },
        Point { x: Some(f64::INFINITY), ..point.clone() },
        Point { y: f32::NAN, ..point.clone() },
        Point { big: u128::MAX, ..point.clone() },
        Point { names: BTreeMap::from([((1, 2), 3)]), ..point },
    ] {
        measured.point().set(&point)?;
        let error = measured.merge(&patch).expect_err("JSON would change it");
        assert!(matches!(&error, Error::NoJson { place, .. } if place.field() == Some("point")), "{error}");
        assert!(!error.is_rejected_input());
        assert_eq!(format!("{:?}", measured.point().get()?), format!("{:?}", Some(point)));
    }
    measured.clear()?;
    Ok(())
}

#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Odd {
    #[redis_hash(merge)]
    extent: Extent,
    #[redis_hash(merge)]
    sets: Sets,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Extent {
    // What is written under one name is read under another.
    #[serde(rename(serialize = "width", deserialize = "height"))]
    width: u8,
    #[serde(rename(serialize = "height", deserialize = "width"))]
    height: u8,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Sets {
    #[serde(alias = "colour")]
    color: String,
    ids: HashSet<u32>,
    by_id: StdHashMap<u32, HashSet<String>>,
    ratio: f32,
}

#[test]
fn what_serde_reads_otherwise_than_it_writes_is_not_merged() -> Test {
    let key = key();
    let odd = Odd::at(&*key).on(connection()?);
    let sets = Sets {
        color: "red".to_owned(),
        ids: (0..50).collect(),
        by_id: (0..20).map(|id| (id, (0..3).map(|name| format!("{id}/{name}")).collect())).collect(),
        ratio: 0.5,
    };
    let stored = Odd { extent: Extent { width: 1, height: 2 }, sets };
    odd.set_all(&stored)?;
    let parts = |json| serde_json::from_value::<OddPatch>(json).expect("a patch");
    let error = odd.merge(&parts(json!({"extent": {"width": 3}}))).expect_err("width and height change places");
    assert!(matches!(error, Error::NoJson { .. }), "{error}");
    for refused in [
        json!({"sets": {"colour": "blue"}}),
        json!({"sets": {"color": null, "colour": "blue"}}),
        json!({"sets": {"ratio": 1e300}}),
    ] {
        let error = odd.merge(&parts(refused.clone())).expect_err("it would be lost");
        assert!(error.is_rejected_input(), "{refused}: {error}");
    }
    assert_eq!(odd.get_all()?, Some(stored.clone()));
    // The order of sets and maps is no change.
    odd.merge(&parts(json!({"sets": {"color": "blue", "by_id": {"1": null}}})))?;
    let mut expected = stored;
    expected.sets.color = "blue".to_owned();
    expected.sets.by_id.remove(&1);
    assert_eq!(odd.get_all()?, Some(expected));
    odd.clear()?;
    Ok(())
}

#[test]
fn what_is_stored_is_judged_before_it_is_merged() -> Test {
    let key = key();
    let mut con = connection()?;
    let user = User::at(&*key).on(&mut con);
    user.set_all(&ann())?;
    drop(user);
    Cmd::new().arg("HSET").arg(&*key).arg("preferences").arg("s3cret").exec(&mut con)?;
    let user = User::at(&*key).on(con);
    let error = user.merge(&patch(json!({"preferences": {"language": "de"}}))).expect_err("it is damaged");
    assert!(matches!(&error, Error::Foreign { place } if place.field() == Some("preferences")), "{error}");
    // A whole value replaces it.
    user.merge(&UserPatch::default().preferences(ann().preferences))?;
    assert_eq!(user.get_all()?, Some(ann()));
    user.clear()?;
    Ok(())
}

#[test]
fn a_builder_sets_the_whole() -> Test {
    let preferences = Preferences { font_size: 99, ..ann().preferences };
    let address = Address { street: "s".to_owned(), zip: 1 };
    let patch = UserPatch::default().preferences(&preferences).home_address(address.clone()).place(None);
    assert_eq!(patch.preferences, Some(Merge::Set(preferences.clone())));
    assert_eq!(patch.home_address, Some(Some(Merge::from(address.clone()))));
    assert_eq!(
        format!("{patch:?}"),
        "UserPatch { name: kept, preferences: set, home_address: set, tags: kept, place: cleared, nick: kept }"
    );
    let parts = self::patch(json!({"preferences": {"language": "s3cret"}, "homeAddress": {"zip": 1}}));
    assert_eq!(
        format!("{parts:?} {:?}", parts.preferences),
        "UserPatch { name: kept, preferences: merged, home_address: merged, tags: kept, place: kept, nick: kept } \
         Some(Parts(…))"
    );
    let user = User::at("key").on(open("memory:")?);
    user.set_all(&ann())?;
    user.merge(&patch)?;
    let expected = User { preferences, home_address: Some(address), place: None, ..ann() };
    assert_eq!(user.get_all()?, Some(expected));
    Ok(())
}

/// Tasks that merge different parts of one field at the same time lose none.
#[tokio::test(flavor = "multi_thread")]
async fn no_part_is_lost() -> Test {
    const TASKS: u32 = 16;
    const EACH: u32 = 20;
    for url in [redis_url(), "memory:".to_owned()] {
        let key = key();
        let mut user = User::at(&*key).on_async(open_async(&url).await?);
        user.set_attempt_limit(10_000);
        user.set_all(&User { tags: StdHashMap::new(), ..ann() }).await?;
        let user = Arc::new(user);
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                let user = Arc::clone(&user);
                tokio::spawn(async move {
                    for number in 0..EACH {
                        let parts = json!({"tags": { task.to_string(): { number.to_string(): 1 } }});
                        assert!(user.merge_if_present(&patch(parts)).await?);
                        // Another field, which does not conflict.
                        user.nick().set(number.to_string()).await?;
                    }
                    Ok::<_, Error>(())
                })
            })
            .collect();
        for task in tasks {
            task.await??;
        }
        let tags = user.tags().get().await?;
        assert_eq!(tags.len(), TASKS as usize);
        assert!(tags.values().all(|numbers| numbers.len() == EACH as usize));
        user.clear().await?;
    }
    Ok(())
}

#[derive(RedisHash, Debug, Clone, PartialEq)]
#[redis_hash(ttl = "30m")]
struct Expiring {
    #[redis_hash(merge, ttl = "5m", default = Editor::default())]
    editor: Editor,
}

#[tokio::test]
async fn times_to_live_are_given_anew() -> Test {
    let con = open_async("memory:").await?;
    let record = Expiring::at("key").on_async(con);
    let patch: ExpiringPatch = serde_json::from_value(json!({"editor": {"tabs": 2}}))?;
    record.merge(&patch).await?;
    assert_eq!(record.editor().get().await?.tabs, Some(2));
    assert!(record.ttl().await?.remaining().is_some() && record.editor().ttl().await?.remaining().is_some());
    assert!(record.persist().await? && record.editor().persist().await?);
    assert!(record.merge_if_present(&patch).await?);
    assert!(record.ttl().await?.remaining().is_some() && record.editor().ttl().await?.remaining().is_some());
    Ok(())
}
