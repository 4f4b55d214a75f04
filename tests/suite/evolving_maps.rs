//! Two versions of a program on one typed map: what the older one has stored, the newer one reads; what it cannot read, neither
//! writes over.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt as _;
use redis_hashmap::{Connection, Error, Evolving, EvolvingValue, HashMap, RedisHash, batch, open, open_async};
use redis_hashmap_tests::{AnyError, key, redis_url};
use serde::{Deserialize, Serialize};

type Test = Result<(), AnyError>;

mod v1 {
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
    pub(super) struct Cart {
        pub(super) items: Vec<Item>,
        pub(super) total: u32,
        pub(super) state: State,
        pub(super) gone: Option<String>,
    }

    #[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
    pub(super) struct Item {
        pub(super) name: String,
        pub(super) count: u8,
    }

    #[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
    pub(super) enum State {
        Open,
        Paid { on: String },
    }

    pub(super) fn cart(total: u32) -> Cart {
        let items = vec![Item { name: "pear".to_owned(), count: 3 }];
        Cart { items, total, state: State::Paid { on: "monday".to_owned() }, gone: Some("gone".to_owned()) }
    }
}

mod v2 {
    use std::num::TryFromIntError;

    use redis_hashmap::Evolving;
    use serde::{Deserialize, Serialize};

    #[derive(Evolving, Serialize, Deserialize, Debug, Clone, PartialEq)]
    #[evolving(removed = "Cart.gone")]
    pub(super) struct Cart {
        pub(super) total: u64,
        #[serde(alias = "items")]
        pub(super) lines: Vec<Item>,
        pub(super) state: State,
        #[serde(default)]
        pub(super) note: String,
    }

    #[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
    pub(super) struct Item {
        pub(super) count: u32,
        pub(super) name: String,
        pub(super) price: Option<u64>,
    }

    #[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
    pub(super) enum State {
        Lost,
        Paid { on: String },
        Open,
    }

    pub(super) fn cart(total: u64) -> Cart {
        let lines = vec![Item { count: 3, name: "pear".to_owned(), price: None }];
        Cart { total, lines, state: State::Paid { on: "monday".to_owned() }, note: String::new() }
    }

    /// An amount of cents. It was a number of euros, and before that a text.
    #[derive(Evolving, Serialize, Deserialize, Debug, Clone, PartialEq)]
    #[evolving(was = i32, was = String)]
    pub(super) struct Price {
        pub(super) cents: u64,
    }

    impl TryFrom<i32> for Price {
        type Error = TryFromIntError;

        fn try_from(euros: i32) -> Result<Self, TryFromIntError> {
            Ok(Self { cents: u64::try_from(euros)? * 100 })
        }
    }

    impl TryFrom<String> for Price {
        type Error = String;

        fn try_from(text: String) -> Result<Self, String> {
            text.parse().map(|cents| Self { cents }).map_err(|_| format!("`{text}` is no price"))
        }
    }
}

type Old = HashMap<u64, v1::Cart>;
type New = HashMap<u64, Evolving<v2::Cart>>;
type Plain = HashMap<u64, v2::Cart>;
type Stored = BTreeMap<String, Vec<u8>>;

/// Runs a test on a store in memory and on a server, with what version 1 has stored.
fn on_each_place(test: impl Fn(&mut Connection, &str) -> Test) -> Test {
    for url in ["memory:".to_owned(), redis_url()] {
        let (mut con, key) = (open(&url)?, key());
        Old::typed(&*key).on(&mut con).set_many([(&1, v1::cart(1)), (&2, v1::cart(2))])?;
        test(&mut con, &key)?;
        Old::typed(&*key).on(&mut con).clear()?;
    }
    Ok(())
}

fn stored(con: &mut Connection, key: &str) -> Result<Stored, AnyError> {
    Ok(redis::cmd("HGETALL").arg(key).query(con)?)
}

#[test]
fn every_read_gives_what_was_stored_and_writes_nothing() -> Test {
    on_each_place(|con, key| {
        let before = stored(con, key)?;
        let (one, two) = (v2::cart(1), v2::cart(2));
        let carts = New::typed(key).on(&mut *con);
        assert_eq!(carts.get(&1)?, Some(one.clone()));
        assert_eq!(carts.get_many([&2, &3, &1])?, [Some(two.clone()), None, Some(one.clone())]);
        assert_eq!(carts.get_all()?, [(1, one.clone()), (2, two.clone())].into());
        let mut each = carts.iter().collect::<Result<Vec<_>, _>>()?;
        each.sort_by_key(|(id, _)| *id);
        assert_eq!(each, [(1, one.clone()), (2, two.clone())]);
        assert_eq!(carts.entry(&2).get()?, Some(two.clone()));
        assert_eq!(carts.entry(&2).get_or_insert_with(|| v2::cart(0))?, two);
        assert_eq!(carts.update(&1, |_| ())?, Some(one.clone()));
        assert_eq!(carts.entry(&1).update(|_| ())?, Some(one.clone()));
        assert!(!carts.entry(&1).compare_and_set(&two, v2::cart(3))?);
        assert!(!carts.entry(&1).delete_if(|cart| cart.total != 1)?);
        assert!(!carts.set_if_absent(&1, v2::cart(3))?);
        drop(carts);
        let deferred = New::typed(key);
        let (all, first) = batch((deferred.get_all(), deferred.get(&1))).query(&mut *con)?;
        assert_eq!((all.len(), first), (2, Some(one)));
        assert_eq!(stored(con, key)?, before, "a read has written");
        Ok(())
    })
}

#[tokio::test]
async fn async_reads_give_it_too() -> Test {
    for url in ["memory:".to_owned(), redis_url()] {
        let (mut con, key) = (open_async(&url).await?, key());
        Old::typed(&*key).on_async(con.clone()).set_many([(&1, v1::cart(1)), (&2, v1::cart(2))]).await?;
        let carts = New::typed(&*key).on_async(con.clone());
        assert_eq!(carts.get(&1).await?, Some(v2::cart(1)));
        assert_eq!(carts.get_all().await?[&2], v2::cart(2));
        let streamed: Vec<_> = carts.stream().collect().await;
        assert_eq!(streamed.into_iter().collect::<Result<Vec<_>, _>>()?.len(), 2);
        assert!(carts.entry(&1).compare_and_set(&v2::cart(1), v2::cart(7)).await?);
        assert_eq!(carts.update(&2, |cart| cart.total = 8).await?.map(|cart| cart.total), Some(8));
        assert_eq!(
            Plain::typed(&*key).on_exclusive(&mut con).get_all().await?,
            [(1, v2::cart(7)), (2, v2::cart(8))].into()
        );
        Old::typed(&*key).on_async(con.clone()).set(&3, v1::cart(3)).await?;
        assert_eq!(carts.entry(&3).take().await?, Some(v2::cart(3)));
        carts.clear().await?;
    }
    Ok(())
}

/// What is written is what a map without `Evolving` writes, to the byte: a program reads it that knows nothing of what was.
#[test]
fn every_write_stores_the_type_of_today() -> Test {
    on_each_place(|con, key| {
        let carts = New::typed(key).on(&mut *con);
        carts.update(&1, |cart| cart.total += u64::from(u32::MAX))?;
        assert!(carts.entry(&2).compare_and_set(&v2::cart(2), v2::cart(22))?);
        assert!(carts.set(&3, v2::cart(3))?);
        assert_eq!(carts.set_many([(&4, v2::cart(4)), (&5, v2::cart(5))])?, 2);
        assert!(carts.set_if_absent(&6, v2::cart(6))?);
        assert!(carts.set_if_present(&6, v2::cart(66))?);
        assert_eq!(carts.entry(&7).get_or_insert_with(|| v2::cart(7))?, v2::cart(7));
        let expected = [(1, 1 + u64::from(u32::MAX)), (2, 22), (3, 3), (4, 4), (5, 5), (6, 66), (7, 7)];
        let expected: std::collections::HashMap<u64, v2::Cart> =
            expected.into_iter().map(|(id, total)| (id, v2::cart(total))).collect();
        drop(carts);
        assert_eq!(Plain::typed(key).on(&mut *con).get_all()?, expected);
        let by_evolving = stored(con, key)?;
        let plain = Plain::typed(key).on(&mut *con);
        plain.clear()?;
        plain.set_many(&expected)?;
        drop(plain);
        assert_eq!(by_evolving, stored(con, key)?);
        Ok(())
    })
}

#[test]
fn what_is_removed_is_read_first() -> Test {
    on_each_place(|con, key| {
        let carts = New::typed(key).on(&mut *con);
        assert_eq!(carts.entry(&1).take()?, Some(v2::cart(1)));
        assert!(carts.entry(&2).delete_if(|cart| cart.total == 2)?);
        assert!(carts.is_empty()?);
        Ok(())
    })
}

/// Its entries expire as those of every map do.
#[test]
fn entries_expire() -> Test {
    let (mut con, key) = (open("memory:")?, key());
    let carts = New::typed(&*key).on(&mut con);
    carts.set_with_ttl(&1, v2::cart(1), Duration::from_secs(60))?;
    assert!(carts.entry(&1).ttl()?.remaining().is_some());
    carts.entry(&1).with_ttl(Duration::from_secs(60)).update(|cart| cart.total = 2)?;
    assert!(carts.entry(&1).persist()?);
    Ok(())
}

/// An older program is told of what it cannot read, and leaves it as it is, but for `set`, which replaces.
#[test]
fn an_older_program_writes_over_nothing_that_it_cannot_read() -> Test {
    on_each_place(|con, key| {
        New::typed(key).on(&mut *con).set(&1, v2::cart(1))?;
        let before = stored(con, key)?;
        let old = Old::typed(key).on(&mut *con);
        assert!(matches!(old.get(&1), Err(Error::OtherShape { .. })));
        assert!(matches!(old.get_all(), Err(Error::OtherShape { .. })));
        assert!(matches!(old.update(&1, |cart| cart.total = 0), Err(Error::OtherShape { .. })));
        assert!(matches!(old.entry(&1).take(), Err(Error::OtherShape { .. })));
        assert!(matches!(old.entry(&1).delete_if(|_| true), Err(Error::OtherShape { .. })));
        assert!(matches!(old.entry(&1).compare_and_set(&v1::cart(1), v1::cart(2)), Err(Error::OtherShape { .. })));
        assert!(matches!(old.entry(&1).get_or_insert_with(|| v1::cart(0)), Err(Error::OtherShape { .. })));
        drop(old);
        assert_eq!(stored(con, key)?, before, "an older program has written");
        assert!(!Old::typed(key).on(&mut *con).set(&1, v1::cart(9))?);
        assert_eq!(New::typed(key).on(&mut *con).get(&1)?, Some(v2::cart(9)));
        Ok(())
    })
}

/// What no schema knows is an error that says what is asked, and not what is stored.
#[test]
fn what_the_type_never_was_is_said() -> Test {
    on_each_place(|con, key| {
        HashMap::<u64, (String, u8)>::typed(key).on(&mut *con).set(&1, ("secret".to_owned(), 1))?;
        let before = stored(con, key)?;
        let carts = New::typed(key).on(&mut *con);
        let error = carts.get(&1).unwrap_err();
        assert_eq!(error.place().and_then(|place| place.field()), Some("1"));
        assert!(matches!(&error, Error::WrongType { .. } | Error::OtherShape { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        assert_eq!(carts.iter().flatten().count(), 1, "the other entries follow");
        assert!(carts.update(&1, |cart| cart.total = 0).is_err());
        drop(carts);
        assert_eq!(stored(con, key)?, before, "something was written over it");
        Ok(())
    })
}

#[test]
fn what_the_values_were_is_converted() -> Test {
    for url in ["memory:".to_owned(), redis_url()] {
        let (mut con, key) = (open(&url)?, key());
        let any = HashMap::new(&*key).on(&mut con);
        any.set("pear", 3_i32)?;
        any.set("plum", "250")?;
        any.set("fig", "hunter2")?;
        any.set("debt", -1_i32)?;
        drop(any);
        let before = stored(&mut con, &key)?;
        let prices = HashMap::<String, Evolving<v2::Price>>::typed(&*key).on(&mut con);
        assert_eq!(
            prices.get_many(["pear", "plum", "lime"])?,
            [Some(v2::Price { cents: 300 }), Some(v2::Price { cents: 250 }), None]
        );
        for name in ["fig", "debt"] {
            let error = prices.get(name).unwrap_err();
            assert!(matches!(error, Error::Conversion { .. }), "{error:?}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
            assert!(matches!(prices.update(name, |price| price.cents = 0), Err(Error::Conversion { .. })));
            assert!(matches!(prices.entry(name).take(), Err(Error::Conversion { .. })));
        }
        drop(prices);
        assert_eq!(stored(&mut con, &key)?, before, "something was written");
        let prices = HashMap::<String, Evolving<v2::Price>>::typed(&*key).on(&mut con);
        prices.update("pear", |price| price.cents += 1)?;
        assert_eq!(prices.entry("plum").take()?, Some(v2::Price { cents: 250 }));
        drop(prices);
        assert_eq!(HashMap::new(&*key).on(&mut con).get("pear")?, Some(v2::Price { cents: 301 }));
        HashMap::new(&*key).on(&mut con).clear()?;
    }
    Ok(())
}

/// A record can be a value of maps too. Each use has a schema file and a test of its own.
#[derive(RedisHash, Evolving, Serialize, Deserialize, Debug, PartialEq)]
#[redis_hash(schema)]
#[evolving(schema = "redis-hash/BasketValue.schema")]
struct Basket {
    items: Vec<v2::Item>,
}

#[test]
fn a_record_is_a_value_too() -> Test {
    let (mut con, key) = (open("memory:")?, key());
    let baskets = HashMap::<u64, Evolving<Basket>>::typed(&*key).on(&mut con);
    baskets.set(&1, Basket { items: Vec::new() })?;
    assert_eq!(baskets.get(&1)?, Some(Basket { items: Vec::new() }));
    Basket::check_schema()?;
    <Basket as EvolvingValue>::check_schema()?;
    Ok(())
}

#[test]
fn the_schema_of_the_values_is_proven() -> Test {
    v2::Cart::check_schema()?;
    Ok(v2::Price::check_schema()?)
}
