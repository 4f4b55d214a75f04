//! The tests of the Python original, point by point, on the dynamic map.

use std::thread;

use redis_hashmap::{HashMap, Value};
use redis_hashmap_tests::{AnyError, key, server};
use serde::{Deserialize, Serialize};

type Test = Result<(), AnyError>;

#[test]
fn set_and_get() -> Test {
    let (key, mut con) = (key(), server()?);
    let map = HashMap::new(&*key).on(&mut con);
    assert!(map.set("field", "value")?);
    assert_eq!(map.get::<String>("field")?.as_deref(), Some("value"));
    Ok(())
}

#[test]
fn get_of_nothing() -> Test {
    let (key, mut con) = (key(), server()?);
    let map = HashMap::new(&*key).on(&mut con);
    assert_eq!(map.get::<String>("field")?, None);
    map.set("other", 1)?;
    assert_eq!(map.get::<String>("field")?, None);
    Ok(())
}

#[test]
fn overwrite() -> Test {
    let (key, mut con) = (key(), server()?);
    let map = HashMap::new(&*key).on(&mut con);
    assert!(map.set("field", 1_u8)?);
    assert!(!map.set("field", "now a text")?);
    assert_eq!(map.get::<String>("field")?.as_deref(), Some("now a text"));
    assert_eq!(map.size()?, 1);
    Ok(())
}

#[test]
fn delete() -> Test {
    let (key, mut con) = (key(), server()?);
    let map = HashMap::new(&*key).on(&mut con);
    map.set("field", 1)?;
    map.set("other", 2)?;
    assert!(map.delete("field")?);
    assert_eq!(map.get::<i32>("field")?, None);
    assert_eq!(map.get::<i32>("other")?, Some(2));
    Ok(())
}

#[test]
fn delete_of_nothing() -> Test {
    let (key, mut con) = (key(), server()?);
    assert!(!HashMap::new(&*key).on(&mut con).delete("field")?);
    Ok(())
}

#[test]
fn get_all() -> Test {
    let (key, mut con) = (key(), server()?);
    let map = HashMap::new(&*key).on(&mut con);
    map.set("theme", "dark")?;
    map.set("notifications", true)?;
    map.set("sizes", vec![1_u8, 2])?;
    let all = map.get_all()?;
    assert_eq!(all.len(), 3);
    assert_eq!(all["theme"], Value::from("dark"));
    assert_eq!(all["notifications"], Value::Bool(true));
    assert_eq!(all["sizes"].decode::<Vec<u8>>()?, [1, 2]);
    Ok(())
}

#[test]
fn size_exists_and_fields() -> Test {
    let (key, mut con) = (key(), server()?);
    let map = HashMap::new(&*key).on(&mut con);
    for (count, field) in ["a", "b", "c"].into_iter().enumerate() {
        assert_eq!(map.size()?, count as u64);
        assert!(!map.exists(field)?);
        map.set(field, ())?;
        assert!(map.exists(field)?);
    }
    let mut fields = map.get_fields()?;
    fields.sort();
    assert_eq!(fields, ["a", "b", "c"]);
    Ok(())
}

#[test]
fn clear_and_clear_of_nothing() -> Test {
    let (key, mut con) = (key(), server()?);
    let map = HashMap::new(&*key).on(&mut con);
    map.set("field", 1)?;
    assert!(map.clear()?);
    assert_eq!(map.size()?, 0);
    assert!(!map.clear()?);
    Ok(())
}

#[test]
fn operations_on_an_empty_map() -> Test {
    let (key, mut con) = (key(), server()?);
    let map = HashMap::new(&*key).on(&mut con);
    assert_eq!(map.size()?, 0);
    assert!(map.get_all()?.is_empty());
    assert!(map.get_fields()?.is_empty());
    assert!(!map.exists("field")?);
    Ok(())
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Profile {
    name: String,
    emails: Vec<String>,
    preferences: std::collections::BTreeMap<String, Option<u32>>,
    manager: Option<Box<Profile>>,
}

fn profile() -> Profile {
    Profile {
        name: "Ann".to_owned(),
        emails: vec!["ann@example.org".to_owned()],
        preferences: [("size".to_owned(), Some(3)), ("theme".to_owned(), None)].into(),
        manager: Some(Box::new(Profile {
            name: "Bob".to_owned(),
            emails: Vec::new(),
            preferences: std::collections::BTreeMap::new(),
            manager: None,
        })),
    }
}

#[test]
fn complex_and_nested_types() -> Test {
    let (key, mut con) = (key(), server()?);
    let map = HashMap::new(&*key).on(&mut con);
    map.set("profile", &profile())?;
    assert_eq!(map.get::<Profile>("profile")?, Some(profile()));
    map.set("list", vec![(1_u8, profile()), (2, profile())])?;
    assert_eq!(map.get::<Vec<(u8, Profile)>>("list")?.map(|list| list.len()), Some(2));
    let tree: Value = serde_json::from_str(r#"{"a": [1, {"b": null}]}"#)?;
    map.set("tree", &tree)?;
    assert_eq!(map.get("tree")?, Some(tree));
    Ok(())
}

#[test]
fn none_values_and_empty_strings() -> Test {
    let (key, mut con) = (key(), server()?);
    let map = HashMap::new(&*key).on(&mut con);
    map.set("none", &None::<String>)?;
    map.set("unit", ())?;
    map.set("empty", "")?;
    assert_eq!(map.get::<Option<String>>("none")?, Some(None));
    assert_eq!(map.get::<()>("unit")?, Some(()));
    assert_eq!(map.get::<String>("empty")?.as_deref(), Some(""));
    assert_eq!(map.size()?, 3);
    Ok(())
}

#[test]
fn unicode_and_special_characters() -> Test {
    let (key, mut con) = (key(), server()?);
    let map = HashMap::new(&*key).on(&mut con);
    let odd = ["größe", "大小", "🦀", " ", "a b\tc\r\nd", "\0", "\"'\\", "{tag}", "a:b/c*?[x]", "$3\r\nfoo"];
    for text in odd {
        assert!(map.set(text, text)?);
    }
    for text in odd {
        assert_eq!(map.get::<String>(text)?.as_deref(), Some(text));
    }
    let mut fields = map.get_fields()?;
    fields.sort();
    let mut expected = odd;
    expected.sort_unstable();
    assert_eq!(fields, expected);
    assert_eq!(map.get_all()?.len(), odd.len());
    Ok(())
}

#[test]
fn a_value_of_a_megabyte() -> Test {
    let (key, mut con) = (key(), server()?);
    let map = HashMap::new(&*key).on(&mut con);
    let text = "x".repeat(1 << 20);
    map.set("text", &text)?;
    map.set("bytes", vec![7_u8; 1 << 20])?;
    assert_eq!(map.get::<String>("text")?, Some(text));
    assert_eq!(map.get::<Vec<u8>>("bytes")?, Some(vec![7; 1 << 20]));
    Ok(())
}

#[test]
fn concurrent_access_from_threads() -> Test {
    let key = key();
    let map = HashMap::<u32, String>::typed(&*key);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..8_u32)
            .map(|thread| {
                let map = &map;
                scope.spawn(move || -> Result<(), AnyError> {
                    let mut con = server()?;
                    let map = map.on(&mut con);
                    for i in (thread * 100)..(thread * 100 + 100) {
                        map.set(&i, format!("value {i}"))?;
                        assert_eq!(map.get(&i)?, Some(format!("value {i}")));
                    }
                    Ok(())
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("no thread panics"))
    })?;
    let all = map.on(server()?).get_all()?;
    assert_eq!(all.len(), 800);
    assert!(all.iter().all(|(i, value)| *value == format!("value {i}")));
    Ok(())
}

#[test]
fn typed_keys_and_values() -> Test {
    let (key, mut con) = (key(), server()?);
    let profiles = HashMap::<uuid::Uuid, Profile>::typed(&*key).on(&mut con);
    let id = uuid::Uuid::from_u128(42);
    assert!(profiles.set(&id, profile())?);
    assert_eq!(profiles.get(&id)?, Some(profile()));
    assert!(profiles.exists(&id)?);
    assert_eq!(profiles.get_fields()?, [id]);
    assert_eq!(profiles.get_all()?, [(id, profile())].into());
    assert!(profiles.delete(&id)?);
    Ok(())
}
