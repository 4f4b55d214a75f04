//! Writes that depend on what is there: patches, conditions, updates, counters.

use redis_hashmap::{Error, HashMap, RedisHash};
use redis_hashmap_tests::{AnyError, connection, key};
use serde::{Deserialize, Serialize};

type Test = Result<(), AnyError>;

#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Settings {
    theme: String,
    #[redis_hash(default = 14)]
    width: u8,
    nick: Option<String>,
    #[redis_hash(counter)]
    logins: i64,
}

fn settings() -> Settings {
    Settings { theme: "dark".to_owned(), width: 7, nick: Some("Ann".to_owned()), logins: 3 }
}

#[test]
fn a_patch_writes_its_fields_and_no_other() -> Test {
    let key = key();
    let mut con = connection()?;
    let accessor = Settings::at(&*key).on(&mut con);
    accessor.set_all(&settings())?;
    accessor.patch(&SettingsPatch::default().width(9).nick(None))?;
    assert_eq!(accessor.get_all()?, Some(Settings { width: 9, nick: None, ..settings() }));
    accessor.patch(&SettingsPatch { theme: Some("light".to_owned()), ..Default::default() })?;
    accessor.patch(&SettingsPatch::default().nick("Bob".to_owned()))?;
    let expected = Settings { theme: "light".to_owned(), width: 9, nick: Some("Bob".to_owned()), logins: 3 };
    assert_eq!(accessor.get_all()?, Some(expected.clone()));
    accessor.patch(&SettingsPatch::default())?;
    assert_eq!(accessor.get_all()?, Some(expected));
    let (theme, logins, nick) = accessor.get_many(|field| (field.theme, field.logins, field.nick))?;
    assert_eq!((theme.as_deref(), logins, nick.as_deref()), (Some("light"), 3, Some("Bob")));
    Ok(())
}

#[test]
fn a_patch_of_what_is_not_there() -> Test {
    let key = key();
    let mut con = connection()?;
    let accessor = Settings::at(&*key).on(&mut con);
    assert!(!accessor.patch_if_present(&SettingsPatch::default().width(9))?);
    assert!(!accessor.patch_if_present(&SettingsPatch::default())?);
    assert!(!accessor.exists()?);
    accessor.set_all(&settings())?;
    assert!(accessor.patch_if_present(&SettingsPatch::default())?);
    assert!(accessor.patch_if_present(&SettingsPatch::default().width(9))?);
    assert_eq!(accessor.width().get()?, 9);
    Ok(())
}

#[test]
fn create_and_replace() -> Test {
    let key = key();
    let mut con = connection()?;
    let accessor = Settings::at(&*key).on(&mut con);
    assert!(!accessor.replace(&settings())?);
    assert!(!accessor.exists()?);
    assert!(accessor.create(&settings())?);
    let other = Settings { nick: None, ..settings() };
    assert!(!accessor.create(&other)?);
    assert_eq!(accessor.get_all()?, Some(settings()));
    assert!(accessor.replace(&other)?);
    assert_eq!(accessor.get_all()?, Some(other));
    Ok(())
}

#[test]
fn conditions_on_one_field() -> Test {
    let key = key();
    let mut con = connection()?;
    let accessor = Settings::at(&*key).on(&mut con);
    assert!(!accessor.theme().set_if_present("light")?);
    assert!(accessor.theme().set_if_absent("dark")?);
    assert!(!accessor.theme().set_if_absent("light")?);
    assert!(accessor.theme().set_if_present("light")?);
    assert!(!accessor.theme().compare_and_set("dark", "grey")?);
    assert!(accessor.theme().compare_and_set("light", "grey")?);
    // An absent field counts as its default, if it has one.
    assert!(accessor.width().compare_and_set(&14, 15)?);
    assert!(!accessor.nick().compare_and_set("", "x")?);
    assert_eq!(accessor.theme().take()?.as_deref(), Some("grey"));
    assert_eq!(accessor.theme().take()?, None);
    assert_eq!((accessor.width().take()?, accessor.width().take()?), (15, 14));
    assert_eq!(accessor.nick().get_or_insert_with(|| "Ann".to_owned())?, "Ann");
    assert_eq!(accessor.nick().get_or_insert_with(|| unreachable!())?, "Ann");
    Ok(())
}

#[test]
fn update_writes_what_has_changed() -> Test {
    let key = key();
    let mut con = connection()?;
    let accessor = Settings::at(&*key).on(&mut con);
    assert_eq!(accessor.update(|_| unreachable!())?, None);
    accessor.set_all(&settings())?;
    let updated = accessor.update(|settings| {
        settings.width += 1;
        settings.nick = None;
    })?;
    let expected = Settings { width: 8, nick: None, ..settings() };
    assert_eq!((updated, accessor.get_all()?), (Some(expected.clone()), Some(expected.clone())));
    let refused: Result<_, AnyError> = accessor.try_update(|settings| {
        settings.width = 0;
        Err("no".into())
    });
    assert_eq!(refused.unwrap_err().to_string(), "no");
    assert_eq!(accessor.get_all()?, Some(expected));
    assert_eq!(accessor.width().update(|width| *width *= 2)?, 16);
    assert_eq!(accessor.nick().update(|_| unreachable!())?, None);
    Ok(())
}

#[test]
fn counters() -> Test {
    let key = key();
    let mut con = connection()?;
    let accessor = Settings::at(&*key).on(&mut con);
    assert_eq!(accessor.logins().get()?, 0);
    assert_eq!(accessor.logins().increment(2)?, 2);
    assert_eq!(accessor.logins().increment(-3)?, -1);
    accessor.logins().set(i64::MAX)?;
    assert!(matches!(accessor.logins().increment(1), Err(Error::Overflow { .. })));
    assert_eq!(accessor.logins().get()?, i64::MAX);
    HashMap::new(&*key).on(&mut con).set("logins", "many")?;
    let accessor = Settings::at(&*key).on(&mut con);
    assert!(matches!(accessor.logins().increment(1), Err(Error::NotACounter { .. })));
    assert!(matches!(accessor.logins().get(), Err(Error::NotACounter { .. })));
    Ok(())
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Profile {
    name: String,
}

#[test]
fn conditions_on_a_map() -> Test {
    let key = key();
    let mut con = connection()?;
    let map = HashMap::<u32, Profile>::typed(&*key).on(&mut con);
    let (ann, bob) = (Profile { name: "Ann".to_owned() }, Profile { name: "Bob".to_owned() });
    assert!(!map.set_if_present(&1, &ann)?);
    assert!(map.set_if_absent(&1, &ann)?);
    assert!(!map.set_if_absent(&1, &bob)?);
    assert!(map.compare_and_set(&1, &ann, &bob)?);
    assert!(!map.compare_and_set(&1, &ann, &bob)?);
    assert_eq!(map.update(&1, |profile| profile.name.push('!'))?, Some(Profile { name: "Bob!".to_owned() }));
    assert_eq!(map.get_or_insert_with(&2, || ann.clone())?, ann);
    assert_eq!(map.get_many(&[2, 3])?, [Some(ann.clone()), None]);
    assert!(!map.delete_if(&2, |profile| profile.name == "Bob")?);
    assert!(!map.delete_if(&3, |_| unreachable!())?);
    assert_eq!(map.take(&2)?, Some(ann));
    assert!(!map.is_empty()?);
    assert_eq!(map.take(&2)?, None);
    let any = HashMap::new(&*key).on(&mut con);
    assert_eq!(any.update("1", |profile: &mut Profile| profile.name.clear())?.map(|p| p.name), Some(String::new()));
    assert!(any.delete_if("1", |profile: &Profile| profile.name.is_empty())?);
    assert!(any.is_empty()?);
    Ok(())
}

/// Whoever loses a race gets what the winner has stored, however few attempts are allowed.
#[test]
fn what_somebody_else_has_stored_meanwhile_is_returned() -> Test {
    let key = key();
    let mut accessor = Settings::at(&*key).on(connection()?);
    accessor.set_attempt_limit(1);
    let other = Settings::at(&*key).on(connection()?);
    let nick = accessor.nick().get_or_try_insert_with(|| {
        other.nick().set("Ann")?;
        Ok::<_, Error>("Bob".to_owned())
    })?;
    assert_eq!((nick.as_str(), other.nick().get()?.as_deref()), ("Ann", Some("Ann")));
    Ok(())
}
