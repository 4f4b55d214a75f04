//! What `set` and the builders of patches take: values, references to them, and what is stored alike.

#![expect(clippy::needless_borrows_for_generic_args, reason = "it is about references")]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use redis_hashmap::{Counter, HashMap, RedisHash, Value};
use redis_hashmap_tests::{AnyError, connection, key};
use serde::{Deserialize, Serialize};

type Test = Result<(), AnyError>;

#[derive(RedisHash, Debug, Clone, PartialEq, Default)]
struct Wide {
    #[redis_hash(default)]
    name: String,
    boxed: Option<Box<str>>,
    shared: Option<Arc<str>>,
    cow: Option<Cow<'static, str>>,
    #[redis_hash(default)]
    sizes: Vec<u8>,
    list: Option<Box<[u16]>>,
    path: Option<PathBuf>,
    corners: Option<[u8; 4]>,
    #[redis_hash(text)]
    port: Option<u16>,
    #[redis_hash(counter)]
    visits: i64,
    kind: Option<Kind>,
    /// It cannot be cloned.
    token: Option<Token>,
}

#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq)]
enum Kind {
    Home,
    Work,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Token(String);

impl Clone for Token {
    fn clone(&self) -> Self {
        unreachable!("a token is stored without being cloned")
    }
}

fn wide() -> Wide {
    Wide {
        name: "Ann".to_owned(),
        boxed: Some("b".into()),
        shared: Some("s".into()),
        cow: Some("c".into()),
        sizes: vec![1, 2, 3],
        list: Some([4, 5].into()),
        path: Some("/tmp".into()),
        corners: Some([1, 2, 3, 4]),
        port: Some(80),
        visits: 7,
        kind: Some(Kind::Work),
        token: None,
    }
}

#[test]
fn a_field_takes_values_and_references() -> Test {
    let (key, con) = (key(), connection()?);
    let record = Wide::at(&*key).on(con);
    let text = "Ann".to_owned();
    for by in ["value", "reference", "alike"] {
        match by {
            "value" => {
                record.name().set(text.clone())?;
                record.boxed().set(Box::<str>::from("b"))?;
                record.shared().set(Arc::<str>::from("s"))?;
                record.cow().set(Cow::Borrowed("c"))?;
                record.sizes().set(vec![1, 2, 3])?;
                record.list().set(Box::<[u16]>::from([4, 5]))?;
                record.path().set(PathBuf::from("/tmp"))?;
                record.corners().set([1, 2, 3, 4])?;
                record.port().set(80)?;
                record.visits().set(7)?;
                record.kind().set(Kind::Work)?;
            }
            "reference" => {
                let Wide { name, boxed, shared, cow, sizes, list, path, corners, port, visits, kind, .. } = wide();
                record.name().set(&name)?;
                record.boxed().set(boxed.as_ref().expect("a text"))?;
                record.shared().set(shared.as_ref().expect("a text"))?;
                record.cow().set(cow.as_ref().expect("a text"))?;
                record.sizes().set(&sizes)?;
                record.list().set(list.as_ref().expect("a list"))?;
                record.path().set(path.as_ref().expect("a path"))?;
                record.corners().set(corners.as_ref().expect("corners"))?;
                record.port().set(port.as_ref().expect("a port"))?;
                record.visits().set(&visits)?;
                record.kind().set(kind.as_ref().expect("a kind"))?;
            }
            _ => {
                record.name().set("Ann")?;
                record.boxed().set("b")?;
                record.shared().set("s")?;
                record.cow().set("c")?;
                record.sizes().set(&[1, 2, 3])?;
                record.sizes().set([1, 2, 3])?;
                record.list().set(&[4, 5][..])?;
                record.path().set(Path::new("/tmp"))?;
                record.corners().set([1, 2, 3, 4])?;
                record.port().set(80)?;
                record.visits().set(7)?;
                record.kind().set(Kind::Work)?;
            }
        }
        assert_eq!(record.get_all()?, Some(wide()), "by {by}");
        assert!(record.clear()?, "by {by}");
    }
    record.token().set(Token("t".to_owned()))?;
    assert_eq!(record.token().get()?, Some(Token("t".to_owned())));
    assert!(record.visits().set_if_absent(1)? && !record.visits().set_if_absent(2)?);
    assert!(record.visits().set_if_present(3)?);
    assert!(record.visits().compare_and_set(&3, 4)?);
    assert!(record.name().set("Ann")? && record.name().compare_and_set("Ann", "Bob".to_owned())?);
    // An array, by itself and by reference.
    record.sizes().set(&[9, 8])?;
    assert_eq!(record.sizes().get()?, [9, 8]);
    record.sizes().set([7])?;
    assert_eq!(record.sizes().get()?, [7]);
    record.clear()?;
    Ok(())
}

#[test]
fn a_builder_takes_values_and_references() -> Test {
    let Wide { name, boxed, shared, cow, sizes, list, path, corners, port, visits, kind, .. } = wide();
    let given = WidePatch::default()
        .name("Ann")
        .boxed("b")
        .shared("s")
        .cow("c")
        .sizes(&[1, 2, 3])
        .list(&[4, 5][..])
        .path(Path::new("/tmp"))
        .corners([1, 2, 3, 4])
        .port(80)
        .visits(7)
        .kind(Kind::Work);
    let by_reference = WidePatch::default()
        .name(&name)
        .boxed(&boxed)
        .shared(&shared)
        .cow(&cow)
        .sizes(&sizes)
        .list(&list)
        .path(&path)
        .corners(&corners)
        .port(&port)
        .visits(&visits)
        .kind(&kind);
    assert_eq!(given, by_reference);
    assert_eq!(given, given.clone().sizes([1, 2, 3]));
    let by_value = WidePatch::default()
        .name(name)
        .boxed(boxed)
        .shared(shared)
        .cow(cow)
        .sizes(sizes)
        .list(list)
        .path(path)
        .corners(corners)
        .port(port)
        .visits(visits)
        .kind(kind);
    assert_eq!(given, by_value);
    let (key, con) = (key(), connection()?);
    let record = Wide::at(&*key).on(con);
    record.patch(&given)?;
    assert_eq!(record.get_all()?, Some(wide()));
    record.patch(&WidePatch::default().path("/var").boxed(None).token(Token("t".to_owned())).kind(None))?;
    let expected = Wide { path: Some("/var".into()), boxed: None, kind: None, ..wide() };
    let stored = record.get_all()?.expect("a record");
    assert_eq!(stored.token, Some(Token("t".to_owned())));
    assert_eq!(Wide { token: None, ..stored }, expected);
    record.clear()?;
    Ok(())
}

#[test]
fn a_map_takes_values_and_references() -> Test {
    let (key, con) = (key(), connection()?);
    let names = HashMap::<u64, String>::typed(&*key).on(con);
    names.set(&1, "Ann")?;
    names.set(&2, "Bob".to_owned())?;
    names.set(&3, &"Cid".to_owned())?;
    names.set_many([(&4, "Dan"), (&5, "Eve")])?;
    names.set_many([(&6, "Fay".to_owned())])?;
    names.set_many(&BTreeMap::from([(7, "Gus".to_owned())]))?;
    assert!(names.compare_and_set(&1, "Ann", "Amy".to_owned())?);
    let all: BTreeMap<u64, String> = names.get_all()?.into_iter().collect();
    let expected = ["Amy", "Bob", "Cid", "Dan", "Eve", "Fay", "Gus"];
    assert_eq!(all.into_values().collect::<Vec<_>>(), expected);
    names.clear()?;
    Ok(())
}

#[test]
fn a_map_of_any_kind_takes_values_and_references() -> Test {
    let (key, con) = (key(), connection()?);
    let map = HashMap::new(&*key).on(con);
    map.set("text", "dark")?;
    map.set("owned text", "dark".to_owned())?;
    map.set("a reference to text", &"dark".to_owned())?;
    for field in ["text", "owned text", "a reference to text"] {
        assert_eq!(map.get::<String>(field)?.as_deref(), Some("dark"), "{field}");
    }
    map.set("number", 14)?;
    assert_eq!(map.get("number")?, Some(14_i32));
    map.set("number", &14_u8)?;
    assert_eq!(map.get("number")?, Some(14_u8));
    map.set("list", vec![1_u8, 2])?;
    assert_eq!(map.get("list")?, Some(vec![1_u8, 2]));
    map.set("list", &[1_u8, 2][..])?;
    assert_eq!(map.get("list")?, Some(vec![1_u8, 2]));
    map.set("array", [1_u8, 2])?;
    map.set("array", &[1_u8, 2])?;
    assert_eq!(map.get("array")?, Some([1_u8, 2]));
    map.set("pair", (1_u8, "x".to_owned()))?;
    assert_eq!(map.get("pair")?, Some((1_u8, "x".to_owned())));
    map.set("option", Some(1_u8))?;
    assert_eq!(map.get("option")?, Some(Some(1_u8)));
    map.set("time", Duration::from_secs(1))?;
    assert_eq!(map.get("time")?, Some(Duration::from_secs(1)));
    map.set("tree", Value::from_iter(["a"]))?;
    assert_eq!(map.get("tree")?, Some(Value::from_iter(["a"])));
    map.set("kind", &Kind::Home)?;
    assert_eq!(map.get("kind")?, Some(Kind::Home));
    map.set_many([("a", 1_u8), ("b", 2)])?;
    assert_eq!(map.get_many::<u8, _>(["a", "b"])?, [Some(1), Some(2)]);
    map.clear()?;
    Ok(())
}

#[test]
fn a_map_of_counters_takes_values_and_references() -> Test {
    let (key, con) = (key(), connection()?);
    let visits = HashMap::<String, Counter>::typed(&*key).on(con);
    visits.set("a", 7)?;
    visits.set("b", &8)?;
    assert_eq!((visits.get("a")?, visits.get("b")?), (Some(7), Some(8)));
    visits.clear()?;
    Ok(())
}

/// A patch takes a reference to the value of an optional field, too.
#[test]
fn a_reference_to_the_value_of_an_optional_field_is_that_value() {
    let (text, none) = ("n".to_owned(), None::<String>);
    let given = |value: &dyn Fn() -> Option<String>| value();
    assert_eq!(given(&|| redis_hashmap::IntoValue::into_value(&text)), Some("n".to_owned()));
    assert_eq!(given(&|| redis_hashmap::IntoValue::into_value(text.clone())), Some("n".to_owned()));
    assert_eq!(given(&|| redis_hashmap::IntoValue::into_value(none.clone())), None);
}
