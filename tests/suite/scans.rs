//! Maps page by page.

use std::collections::{BTreeMap, HashMap as StdHashMap};

use futures::{StreamExt, TryStreamExt};
use redis_hashmap::{Error, HashMap, open, open_async};
use redis_hashmap_tests::{AnyError, given, key, redis_url};

type Test = Result<(), AnyError>;

const MANY: u32 = 20_000;

fn entries() -> BTreeMap<u32, String> {
    (0..MANY).map(|i| (i, format!("value {i}"))).collect()
}

fn places() -> [String; 3] {
    [redis_url(), format!("redis+cluster://{}/", given("REDIS_CLUSTER_NODES")), "memory:".to_owned()]
}

#[test]
fn every_entry_comes() -> Test {
    for url in places() {
        let key = key();
        let map = HashMap::<u32, String>::typed(&*key).on(open(&url)?);
        assert_eq!(map.iter().count(), 0);
        assert_eq!(map.set_many(&entries())?, u64::from(MANY));
        assert_eq!(map.iter().collect::<Result<BTreeMap<_, _>, _>>()?, entries());
        // Only the pages that are asked for are fetched.
        let first: Vec<_> = map.iter().take(3).collect::<Result<_, _>>()?;
        assert_eq!(first.len(), 3);
        map.clear()?;
    }
    Ok(())
}

#[tokio::test]
async fn every_entry_comes_as_a_stream() -> Test {
    for url in places() {
        let key = key();
        let con = redis_hashmap::Options::parse(&url)?.response_timeout(crate::PATIENCE).open_async().await?;
        let map = HashMap::<u32, String>::typed(&*key).on_async(con.clone());
        map.set_many(&entries()).await?;
        let stream = map.stream();
        // The stream borrows nothing.
        let collected = tokio::spawn(stream.try_collect::<BTreeMap<_, _>>()).await??;
        assert_eq!(collected, entries());
        let mut exclusive = con.clone();
        let map = HashMap::<u32, String>::typed(&*key).on_exclusive(&mut exclusive);
        assert_eq!(std::pin::pin!(map.stream()).count().await, MANY as usize);
        map.clear().await?;
    }
    Ok(())
}

/// One entry of another shape does not hide the others.
#[test]
fn an_entry_that_cannot_be_read_is_an_error_among_the_others() -> Test {
    let key = key();
    let mut con = open(&redis_url())?;
    HashMap::new(&*key).on(&mut con).set("1", 1_u8)?;
    let map = HashMap::<u32, String>::typed(&*key).on(&mut con);
    let found: Vec<_> = map.iter().collect();
    assert!(matches!(found.as_slice(), [Err(Error::WrongType { .. })]), "{found:?}");
    let map = HashMap::<u32, u8>::typed(&*key).on(&mut con);
    assert_eq!(map.iter().collect::<Result<Vec<_>, _>>()?, [(1, 1)]);
    map.clear()?;
    HashMap::new(&*key).on(&mut con).set("one", 1_u8)?;
    HashMap::new(&*key).on(&mut con).set("2", "two")?;
    HashMap::new(&*key).on(&mut con).set("3", 3_u8)?;
    let found: Vec<_> = HashMap::<u32, u8>::typed(&*key).on(&mut con).iter().collect();
    let count = |is: fn(&Result<(u32, u8), Error>) -> bool| found.iter().filter(|entry| is(entry)).count();
    assert_eq!((found.len(), count(|entry| matches!(entry, Ok((3, 3))))), (3, 1), "{found:?}");
    assert_eq!(count(|entry| matches!(entry, Err(Error::FieldName { .. }))), 1);
    assert_eq!(count(|entry| matches!(entry, Err(Error::WrongType { .. }))), 1);
    // A failure of the command ends it.
    redis::cmd("SET").arg(format!("{key}/text")).arg(1).exec(&mut con)?;
    let found: Vec<_> = HashMap::<u32, u8>::typed(format!("{key}/text")).on(&mut con).iter().collect();
    assert!(matches!(found.as_slice(), [Err(Error::Redis { .. })]), "{found:?}");
    redis::cmd("DEL").arg(format!("{key}/text")).exec(&mut con)?;
    Ok(())
}

#[tokio::test]
async fn many_at_once_and_none() -> Test {
    let key = key();
    let map = HashMap::<String, u8>::typed(&*key).on(open(&redis_url())?);
    assert_eq!(map.get_many::<u8, str>([])?, []);
    assert_eq!((map.set_many::<str, u8>([])?, map.delete_many::<str>([])?), (0, 0));
    assert_eq!(map.set_many([("a", &1), ("b", &2), ("a", &3)])?, 2);
    assert_eq!(map.get_many(["b", "a", "c", "a"])?, [Some(2), Some(3), None, Some(3)]);
    assert_eq!(map.set_many(&StdHashMap::from([("c".to_owned(), 4), ("a".to_owned(), 5)]))?, 1);
    assert!(matches!(map.get_many(["a", ""]), Err(Error::EmptyField { .. })));
    assert!(matches!(map.set_many([("x", &1), ("", &2)]), Err(Error::EmptyField { .. })));
    assert_eq!(map.delete_many(["a", "x", "b"])?, 2);
    assert_eq!(map.get_fields()?, ["c"]);
    let deferred = HashMap::<String, u8>::typed(&*key);
    let commands = (deferred.set_many([("d", &1)]), deferred.get_many(["c", "d"]), deferred.delete_many(["c", "d"]));
    let mut con = open_async(&redis_url()).await?;
    let found = redis_hashmap::batch(commands).query_async(&mut con).await?;
    assert_eq!(found, (1, vec![Some(4), Some(1)], 2));
    let any = HashMap::new(&*key).on(open(&redis_url())?);
    any.set("text", "x")?;
    any.set("number", 1_u8)?;
    let found: Vec<Option<redis_hashmap::Value>> = any.get_many(["text", "number"])?;
    assert_eq!(found, [Some("x".into()), Some(1_u8.into())]);
    let error = any.get_many::<u8, _>(["number", "text"]).unwrap_err();
    assert!(error.to_string().contains("field \"text\""), "{error}");
    Ok(())
}
