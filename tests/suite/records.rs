//! `#[derive(RedisHash)]`: what it generates, and what its attributes do.

use std::collections::BTreeMap;

use redis_hashmap::{Error, FieldInfo, HashMap, Presence, Record, RedisHash, Value};
use redis_hashmap_tests::{AnyError, key, server};
use serde::{Deserialize, Serialize};

type Test = Result<(), AnyError>;

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
enum Theme {
    Light,
    Dark,
}

#[derive(RedisHash, Debug, Clone, PartialEq)]
struct UserSettings {
    theme: Theme,
    #[redis_hash(default = "en".to_owned())]
    language: String,
    #[redis_hash(default)]
    notifications: bool,
    font_size: Option<u8>,
}

fn settings() -> UserSettings {
    UserSettings { theme: Theme::Dark, language: "de".to_owned(), notifications: true, font_size: Some(14) }
}

#[test]
fn a_field_is_set_read_and_deleted() -> Test {
    let (key, mut con) = (key(), server()?);
    let accessor = UserSettings::at(&*key).on(&mut con);
    assert!(accessor.theme().set(&Theme::Dark)?);
    assert!(!accessor.theme().set(&Theme::Light)?);
    let theme: Option<Theme> = accessor.theme().get()?;
    assert_eq!(theme, Some(Theme::Light));
    let language: String = accessor.language().get()?;
    assert_eq!(language, "en");
    assert!(!accessor.language().exists()?);
    accessor.language().set("fr")?;
    assert_eq!(accessor.language().get()?, "fr");
    assert!(accessor.font_size().set(9)?);
    assert_eq!(accessor.font_size().get()?, Some(9));
    assert!(accessor.font_size().delete()?);
    assert!(!accessor.font_size().delete()?);
    assert_eq!(accessor.font_size().get()?, None);
    assert!(!accessor.notifications().get()?);
    assert_eq!(accessor.notifications().name(), "notifications");
    Ok(())
}

#[test]
fn a_record_is_written_and_read_whole() -> Test {
    let (key, mut con) = (key(), server()?);
    let accessor = UserSettings::at(&*key).on(&mut con);
    assert_eq!(accessor.get_all()?, None);
    assert!(!accessor.exists()?);
    accessor.set_all(&settings())?;
    assert_eq!(accessor.get_all()?, Some(settings()));
    assert!(accessor.exists()?);
    assert_eq!(accessor.size()?, 4);
    let mut fields = accessor.get_fields()?;
    fields.sort();
    assert_eq!(fields, ["font_size", "language", "notifications", "theme"]);
    assert!(accessor.clear()?);
    assert!(!accessor.clear()?);
    assert_eq!(accessor.get_all()?, None);
    Ok(())
}

#[test]
fn a_none_removes_the_field_and_unknown_fields_are_kept() -> Test {
    let (key, mut con) = (key(), server()?);
    HashMap::new(&*key).on(&mut con).set("of a newer version", 1)?;
    let accessor = UserSettings::at(&*key).on(&mut con);
    assert_eq!(accessor.get_all()?, None, "no field of its own is there");
    accessor.set_all(&settings())?;
    let without = UserSettings { font_size: None, ..settings() };
    accessor.set_all(&without)?;
    assert_eq!(accessor.get_all()?, Some(without));
    assert!(!accessor.font_size().exists()?);
    assert_eq!(accessor.size()?, 4, "three of its own and the unknown one");
    Ok(())
}

#[test]
fn a_record_is_complete_once_every_required_field_is_set() -> Test {
    let (key, mut con) = (key(), server()?);
    let accessor = UserSettings::at(&*key).on(&mut con);
    accessor.notifications().set(true)?;
    let error = accessor.get_all().unwrap_err();
    assert!(matches!(error, Error::MissingField { .. }), "{error}");
    let place = error.place().unwrap();
    assert_eq!((place.key(), place.field()), (Some(&*key), Some("theme")));
    let partial = accessor.get_partial()?;
    assert_eq!((partial.theme, partial.language, partial.notifications), (None, None, Some(true)));
    accessor.theme().set(&Theme::Dark)?;
    let expected = UserSettings { theme: Theme::Dark, language: "en".to_owned(), notifications: true, font_size: None };
    assert_eq!(accessor.get_all()?, Some(expected));
    Ok(())
}

#[derive(RedisHash, Debug, PartialEq)]
struct Defaults {
    #[redis_hash(default = Self::WIDTH)]
    width: u32,
    #[redis_hash(default = vec![1, 2])]
    list: Vec<u8>,
    nick: Option<String>,
    #[redis_hash(skip)]
    cache: BTreeMap<u8, u8>,
    #[redis_hash(skip, default = 7)]
    generation: u8,
}

impl Defaults {
    const WIDTH: u32 = 80;
}

#[test]
fn defaults_and_skipped_fields() -> Test {
    let (key, mut con) = (key(), server()?);
    let accessor = Defaults::at(&*key).on(&mut con);
    let defaults = Defaults { width: 80, list: vec![1, 2], nick: None, cache: BTreeMap::new(), generation: 7 };
    assert_eq!(accessor.get_or_default()?, defaults);
    assert_eq!(accessor.get_all()?, None);
    accessor.set_all(&Defaults { width: 100, cache: [(1, 1)].into(), generation: 9, ..defaults })?;
    assert_eq!(accessor.size()?, 2, "skipped fields are not stored");
    assert_eq!(accessor.get_all()?.map(|d| (d.width, d.cache.len(), d.generation)), Some((100, 0, 7)));
    assert_eq!(accessor.width().get()?, 100);
    accessor.list().set(&[9][..])?;
    assert_eq!(accessor.list().get()?, [9]);
    Ok(())
}

#[derive(RedisHash, Debug, PartialEq)]
#[redis_hash(rename_all = "camelCase", key = "names:{id}")]
struct Names {
    first_name: u8,
    #[redis_hash(rename = "exists")]
    r#type: u8,
    #[redis_hash(accessor = "stored_size")]
    size: u8,
    #[redis_hash(rename = "größe 大小")]
    unicode: u8,
}

#[test]
fn names_in_redis_and_of_methods() -> Test {
    let (key, mut con) = (key(), server()?);
    let accessor = Names::at(&*key).on(&mut con);
    accessor.first_name().set(1)?;
    accessor.r#type().set(2)?;
    accessor.stored_size().set(3)?;
    accessor.unicode().set(4)?;
    let mut fields = accessor.get_fields()?;
    fields.sort();
    assert_eq!(fields, ["exists", "firstName", "größe 大小", "size"]);
    assert_eq!(accessor.get_all()?, Some(Names { first_name: 1, r#type: 2, size: 3, unicode: 4 }));
    assert_eq!(accessor.size()?, 4);
    let names: Vec<_> = Names::FIELDS.iter().map(|field: &FieldInfo| field.name).collect();
    assert_eq!(names, ["firstName", "exists", "size", "größe 大小"]);
    assert!(Names::FIELDS.iter().all(|field| field.presence == Presence::Required));
    Ok(())
}

/// serde's rules for fields.
#[test]
fn every_case_of_rename_all() {
    macro_rules! names {
        ($($case:literal $a:literal $b:literal;)*) => {
            $({
                #[derive(RedisHash)]
                #[redis_hash(rename_all = $case)]
                #[allow(dead_code)]
                struct Record {
                    font_size: u8,
                    a1_b: u8,
                }
                let names: Vec<_> = Record::FIELDS.iter().map(|field| field.name).collect();
                assert_eq!(names, [$a, $b], $case);
            })*
        };
    }
    names! {
        "lowercase" "font_size" "a1_b";
        "UPPERCASE" "FONT_SIZE" "A1_B";
        "PascalCase" "FontSize" "A1B";
        "camelCase" "fontSize" "a1B";
        "snake_case" "font_size" "a1_b";
        "SCREAMING_SNAKE_CASE" "FONT_SIZE" "A1_B";
        "kebab-case" "font-size" "a1-b";
        "SCREAMING-KEBAB-CASE" "FONT-SIZE" "A1-B";
    }
}

#[derive(RedisHash, Debug, PartialEq)]
struct Shared {
    #[redis_hash(text)]
    count: i64,
    #[redis_hash(text, default = 0.5)]
    ratio: f64,
    #[redis_hash(text)]
    site: Option<url::Url>,
    #[redis_hash(text)]
    name: String,
}

/// A hash that another program wrote is adopted field by field.
#[test]
fn text_fields_are_those_of_other_programs() -> Test {
    let (key, mut con) = (key(), server()?);
    let hset = "HSET";
    redis::cmd(hset).arg(&*key).arg("count").arg(41).arg("name").arg("größe").exec(&mut con)?;
    redis::cmd("HINCRBY").arg(&*key).arg("count").arg(1).exec(&mut con)?;
    let accessor = Shared::at(&*key).on(&mut con);
    let read = Shared { count: 42, ratio: 0.5, site: None, name: "größe".to_owned() };
    assert_eq!(accessor.get_all()?, Some(read));
    accessor.site().set(&url::Url::parse("https://example.org/")?)?;
    accessor.name().set("plain")?;
    accessor.count().set(-7)?;
    accessor.ratio().set(1.25)?;
    let written: Vec<String> =
        redis::cmd("HMGET").arg(&*key).arg(&["site", "name", "count", "ratio"]).query(&mut con)?;
    assert_eq!(written, ["https://example.org/", "plain", "-7", "1.25"]);
    redis::cmd(hset).arg(&*key).arg("count").arg("secret text").exec(&mut con)?;
    let error = Shared::at(&*key).on(&mut con).count().get().unwrap_err();
    assert!(matches!(error, Error::NotText { asked: "i64", .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("secret"));
    redis::cmd(hset).arg(&*key).arg("name").arg(b"\xff\xfe").exec(&mut con)?;
    assert!(matches!(Shared::at(&*key).on(&mut con).name().get(), Err(Error::NotText { .. })));
    Ok(())
}

type Alias = Option<u8>;

#[derive(RedisHash, Debug, PartialEq)]
#[expect(clippy::option_option, reason = "it has to work")]
struct Options {
    nested: Option<Option<u8>>,
    alias: Alias,
    qualified: std::option::Option<u8>,
}

/// The outer Option means absence. An Option inside it, or behind an alias, is a value of kind option.
#[test]
fn options_in_records() -> Test {
    let (key, mut con) = (key(), server()?);
    let accessor = Options::at(&*key).on(&mut con);
    for nested in [None, Some(None), Some(Some(1))] {
        for alias in [None, Some(2)] {
            let record = Options { nested, alias, qualified: alias };
            accessor.set_all(&record)?;
            assert_eq!(accessor.get_all()?, Some(record));
        }
    }
    let presence: Vec<_> = Options::FIELDS.iter().map(|field| field.presence).collect();
    assert_eq!(presence, [Presence::Optional, Presence::Required, Presence::Optional]);
    assert_eq!(accessor.nested().get()?, Some(Some(1)));
    Ok(())
}

/// A program with an older struct reads what a newer one wrote, and vice versa.
#[test]
fn fields_come_and_go_between_versions() -> Test {
    #[derive(RedisHash, Debug, PartialEq)]
    struct Newer {
        theme: Theme,
        #[redis_hash(default)]
        added: u32,
    }
    let (key, mut con) = (key(), server()?);
    UserSettings::at(&*key).on(&mut con).set_all(&settings())?;
    let newer = Newer { theme: Theme::Dark, added: 0 };
    assert_eq!(Newer::at(&*key).on(&mut con).get_all()?, Some(newer));
    Newer::at(&*key).on(&mut con).set_all(&Newer { theme: Theme::Light, added: 5 })?;
    let older = UserSettings::at(&*key).on(&mut con).get_all()?.unwrap();
    assert_eq!((older.theme, older.language.as_str(), older.font_size), (Theme::Light, "de", Some(14)));
    Ok(())
}

/// A record and a map are two views of one hash.
#[test]
fn a_record_reads_as_a_map_of_values() -> Test {
    let (key, mut con) = (key(), server()?);
    UserSettings::at(&*key).on(&mut con).set_all(&settings())?;
    let all = HashMap::new(&*key).on(&mut con).get_all()?;
    assert_eq!(all["language"], Value::from("de"));
    assert_eq!(all["font_size"], Value::U8(14));
    assert_eq!(all["theme"].decode::<Theme>()?, Theme::Dark);
    Ok(())
}

#[test]
fn a_record_of_many_fields() -> Test {
    macro_rules! many {
        ($($field:ident)*) => {
            #[derive(RedisHash, Debug, PartialEq, Default)]
            struct Many { $($field: Option<u32>,)* }
        };
    }
    many! { a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 b0 b1 b2 b3 b4 b5 b6 b7 b8 b9 c0 c1 c2 c3 c4 c5 c6 c7 c8 c9 }
    let (key, mut con) = (key(), server()?);
    let accessor = Many::at(&*key).on(&mut con);
    let record = Many { a0: Some(1), b5: Some(2), c9: Some(3), ..Default::default() };
    accessor.set_all(&record)?;
    assert_eq!(accessor.size()?, 3);
    assert_eq!(accessor.get_or_default()?, record);
    accessor.set_all(&Many::default())?;
    assert!(!accessor.exists()?, "a record of nothing is no hash");
    Ok(())
}

#[test]
fn accessors_are_values() {
    fn is_send_sync_clone<T: Send + Sync + Clone + std::fmt::Debug>(_: &T) {}
    let accessor = UserSettings::at("key");
    is_send_sync_clone(&accessor);
    is_send_sync_clone(&HashMap::new("key"));
    is_send_sync_clone(&accessor.on(redis_hashmap_tests::client()));
    let record: &Record<UserSettings> = &accessor;
    assert_eq!(record.key(), "key");
    let from: UserSettingsHash<_> = record.clone().into();
    assert_eq!(from.key(), "key");
}

#[test]
fn the_limit_is_of_the_accessor() -> Test {
    let (key, mut con) = (key(), server()?);
    let mut accessor = UserSettings::at(&*key).on(&mut con);
    accessor.set_value_limit(10);
    let error = accessor.language().set("longer than that").unwrap_err();
    assert!(matches!(error, Error::TooLarge { size: 18, limit: 10, .. }), "{error}");
    let error = accessor.set_all(&UserSettings { language: "x".repeat(10), ..settings() }).unwrap_err();
    assert_eq!(error.place().unwrap().field(), Some("language"));
    assert!(!accessor.exists()?, "nothing was half-written");
    Ok(())
}
