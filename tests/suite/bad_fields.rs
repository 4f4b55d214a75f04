//! Reads of several fields of which some cannot be read: every one of them is named, and no value.

use std::collections::{BTreeMap, HashMap as StdHashMap};

use redis::{Cmd, ConnectionLike};
use redis_hashmap::{Any, Connection, Counter, Error, HashMap, RedisHash, batch, open_async};
use redis_hashmap_tests::{AnyError, connection, key, redis_url};

type Test = Result<(), AnyError>;

#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Settings {
    theme: String,
    #[redis_hash(default = "en".to_owned())]
    language: String,
    font_size: Option<u8>,
    #[redis_hash(text)]
    port: Option<u16>,
    #[redis_hash(counter)]
    logins: i64,
    #[redis_hash(skip)]
    cached: bool,
}

#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Loose {
    #[redis_hash(default)]
    theme: String,
    font_size: Option<u8>,
}

/// `HSET` as another program would send it.
fn hset(con: &mut impl ConnectionLike, key: &str, fields: &[(&str, &str)]) -> Test {
    let mut cmd = Cmd::new();
    cmd.arg("HSET").arg(key);
    for (field, value) in fields {
        cmd.arg(field).arg(value);
    }
    Ok(cmd.exec(con)?)
}

/// The fields that an error names, with the first words of what is wrong.
#[track_caller]
fn named(error: &Error) -> Vec<&str> {
    let Error::Fields { place, errors } = error else { panic!("not several fields: {error}") };
    assert!(place.field().is_none() && place.key().is_some());
    let text = error.to_string();
    assert!(!text.contains("s3cret") && !format!("{error:?}").contains("s3cret"), "{error}");
    for error in errors {
        assert!(text.contains(&error.to_string()), "{text}");
    }
    errors.iter().map(|error| error.place().and_then(|place| place.field()).expect("a field")).collect()
}

const LOGINS: i64 = -987_654_321_987;

/// A record of which only the counter can be read, and which has no theme.
fn damaged(key: &str) -> Result<Connection, AnyError> {
    let mut con = connection()?;
    Settings::at(key).on(&mut con).logins().set(LOGINS)?;
    hset(&mut con, key, &[("language", "s3cret"), ("font_size", "s3cret"), ("port", "s3cret")])?;
    Ok(con)
}

#[test]
fn each_field_is_read_by_itself() -> Test {
    let key = key();
    let mut con = damaged(&key)?;
    let settings = Settings::at(&*key).on(&mut con);
    let each = settings.get_each()?.expect("a record");
    assert!(matches!(each.theme, Err(Error::MissingField { .. })));
    assert!(matches!(each.language, Err(Error::Foreign { .. })));
    assert!(matches!(each.font_size, Err(Error::Foreign { .. })));
    assert!(matches!(each.port, Err(Error::NotText { .. })));
    assert_eq!(each.logins.as_ref().ok(), Some(&LOGINS));
    assert_eq!(each.errors().len(), 4);
    let debug = format!("{each:?}");
    assert!(debug.contains("logins: read") && debug.contains("font_size: field \"font_size\""), "{debug}");
    assert!(!debug.contains("s3cret") && !debug.contains(&LOGINS.to_string()), "{debug}");
    assert_eq!(each.clone().errors().len(), 4);

    settings.set_all(&Settings {
        theme: "dark".to_owned(),
        language: "de".to_owned(),
        font_size: None,
        port: Some(80),
        logins: 8,
        cached: true,
    })?;
    settings.language().delete()?;
    let each = settings.get_each()?.expect("a record");
    assert!(each.errors().is_empty());
    assert_eq!(each.theme?, "dark");
    assert_eq!(each.language?, "en");
    assert_eq!((each.font_size?, each.port?, each.logins?), (None, Some(80), 8));
    settings.clear()?;
    assert!(settings.get_each()?.is_none());
    Ok(())
}

#[test]
fn a_read_of_the_whole_record_names_every_bad_field() -> Test {
    let key = key();
    let mut con = damaged(&key)?;
    let settings = Settings::at(&*key).on(&mut con);
    let error = settings.get_all().expect_err("it is damaged");
    assert_eq!(named(&error), ["theme", "language", "font_size", "port"]);
    assert!(
        error.to_string().starts_with(&format!("4 fields of hash {:?} cannot be read: (1) field", &*key)),
        "{error}"
    );
    assert!(!error.is_transient() && !error.may_have_been_applied() && !error.is_rejected_input());

    // What is absent is no error of a partial record.
    assert_eq!(named(&settings.get_partial().expect_err("it is damaged")), ["language", "font_size", "port"]);
    let many = settings.get_many(|field| (field.port, field.theme, field.logins, field.language));
    assert_eq!(named(&many.expect_err("it is damaged")), ["port", "language"]);
    assert_eq!(named(&settings.update(|_| unreachable!()).expect_err("it is damaged")).len(), 4);

    let loose = Loose::at(&*key).on(connection()?);
    assert!(matches!(loose.get_or_default(), Err(Error::Foreign { place }) if place.field() == Some("font_size")));
    let mut con = connection()?;
    hset(&mut con, &key, &[("theme", "s3cret")])?;
    assert_eq!(named(&loose.get_or_default().expect_err("it is damaged")), ["theme", "font_size"]);
    assert_eq!(named(&loose.update_or_default(|_| ()).expect_err("it is damaged")), ["theme", "font_size"]);
    loose.clear()?;
    Ok(())
}

#[test]
fn one_bad_field_is_an_error_of_its_own() -> Test {
    let key = key();
    let mut con = connection()?;
    hset(&mut con, &key, &[("font_size", "s3cret")])?;
    let loose = Loose::at(&*key).on(con);
    for error in [loose.get_all().map(drop), loose.get_partial().map(drop), loose.update(|_| ()).map(drop)] {
        assert!(matches!(error, Err(Error::Foreign { place }) if place.field() == Some("font_size")));
    }
    loose.clear()?;
    Ok(())
}

#[tokio::test]
async fn batches_and_async_connections_name_them_too() -> Test {
    let key = key();
    let mut con = damaged(&key)?;
    let settings = Settings::at(&*key);
    let (each, whole) = batch((settings.get_each(), settings.get_all())).query_each(&mut con)?;
    assert_eq!(each?.expect("a record").errors().len(), 4);
    assert_eq!(named(&whole.expect_err("it is damaged")).len(), 4);
    let settings = settings.on_async(open_async(&redis_url()).await?);
    assert_eq!(settings.get_each().await?.expect("a record").errors().len(), 4);
    assert_eq!(named(&settings.get_all().await.expect_err("it is damaged")).len(), 4);
    assert_eq!(named(&settings.update(|_| ()).await.expect_err("it is damaged")).len(), 4);
    settings.clear().await?;
    Ok(())
}

#[test]
fn a_map_names_every_bad_entry() -> Test {
    let key = key();
    let mut con = connection()?;
    let map = HashMap::<u32, u8>::typed(&*key).on(connection()?);
    map.set_many([(&1, 10), (&2, 20)])?;
    hset(&mut con, &key, &[("3", "s3cret"), ("4", "s3cret"), ("five", "s3cret")])?;
    let error = map.get_all().expect_err("it is damaged");
    let mut fields = named(&error);
    fields.sort_unstable();
    assert_eq!(fields, ["3", "4", "five"]);
    assert_eq!(named(&map.get_many([&1, &3, &4]).expect_err("it is damaged")), ["3", "4"]);
    assert!(matches!(map.get_many([&1, &3]), Err(Error::Foreign { .. })));
    assert_eq!(map.get_many([&1, &2])?, [Some(10), Some(20)]);

    let any = HashMap::<String, Any>::typed(&*key).on(connection()?);
    assert_eq!(named(&any.get_all().expect_err("it is damaged")).len(), 3);
    let counters = HashMap::<String, Counter>::typed(&*key).on(connection()?);
    assert_eq!(named(&counters.get_all().expect_err("it is damaged")).len(), 5);

    // Each entry by itself.
    let read: BTreeMap<_, _> = map.iter().flatten().collect();
    assert_eq!(read, BTreeMap::from([(1, 10), (2, 20)]));
    map.clear()?;
    Ok(())
}

#[test]
fn an_error_shows_so_many_fields_and_has_them_all() -> Test {
    let key = key();
    let mut con = connection()?;
    let fields: Vec<String> = (0..1000).map(|field| field.to_string()).collect();
    let stored: Vec<_> = fields.iter().map(|field| (field.as_str(), "s3cret")).collect();
    hset(&mut con, &key, &stored)?;
    let map = HashMap::<String, String>::typed(&*key).on(con);
    let error = map.get_all().expect_err("it is damaged");
    let Error::Fields { errors, .. } = &error else { panic!("{error}") };
    assert_eq!(errors.len(), 1000);
    let text = error.to_string();
    assert!(text.starts_with("1000 fields of hash") && text.ends_with("; and 936 more"), "{text}");
    assert_eq!(text.matches("was not written by this library").count(), 64);
    // They tell which fields to delete.
    let bad = errors.iter().filter_map(|error| error.place().and_then(|place| place.field()));
    assert_eq!(map.delete_many(bad)?, 1000);
    let all: StdHashMap<String, String> = map.get_all()?;
    assert!(all.is_empty());
    Ok(())
}
