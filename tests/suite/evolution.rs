//! Two versions of a program on one hash: what the older one has stored, the newer one reads; what it cannot read, neither
//! writes over.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

use redis_hashmap::{Connection, Error, RedisHash, batch, open, open_async};
use redis_hashmap_tests::{AnyError, in_each_place, key, redis_url};

type Test = Result<(), AnyError>;

/// Keys and values of a hash, as bytes.
type Stored = BTreeMap<String, Vec<u8>>;

mod v1 {
    use std::collections::BTreeMap;

    use redis_hashmap::RedisHash;
    use serde::{Deserialize, Serialize};

    #[derive(RedisHash, Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub(super) struct Account {
        pub(super) visits: u32,
        pub(super) ratio: f32,
        pub(super) letter: char,
        #[redis_hash(merge)]
        pub(super) address: Address,
        pub(super) others: Vec<Address>,
        pub(super) theme: Theme,
        pub(super) level: Option<(u8, Theme)>,
        pub(super) by_name: BTreeMap<String, Address>,
        pub(super) nick: String,
        #[redis_hash(counter)]
        pub(super) hits: i64,
        pub(super) gone: Option<String>,
    }

    #[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
    pub(super) struct Address {
        pub(super) street: String,
        pub(super) zip: u32,
        pub(super) floor: Option<u8>,
    }

    #[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
    pub(super) enum Theme {
        Light,
        Dark,
        Custom { red: u8, name: String },
    }

    pub(super) fn address(zip: u32) -> Address {
        Address { street: "1 Main St".to_owned(), zip, floor: Some(3) }
    }

    pub(super) fn account() -> Account {
        Account {
            visits: 7,
            ratio: 1.5,
            letter: '大',
            address: address(10_115),
            others: vec![address(1), address(300)],
            theme: Theme::Custom { red: 200, name: "rose".to_owned() },
            level: Some((9, Theme::Dark)),
            by_name: BTreeMap::from([("home".to_owned(), address(70_000))]),
            nick: "ann".to_owned(),
            hits: 3,
            gone: Some("gone".to_owned()),
        }
    }
}

mod v2 {
    use std::collections::HashMap;

    use redis_hashmap::RedisHash;
    use serde::{Deserialize, Serialize};

    #[derive(RedisHash, Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[redis_hash(schema = "redis-hash/Account.schema", removed = "gone", removed = "Address.floor")]
    pub(super) struct Account {
        pub(super) visits: u64,
        pub(super) ratio: f64,
        pub(super) letter: String,
        #[redis_hash(merge)]
        pub(super) address: Address,
        pub(super) others: Vec<Option<Address>>,
        pub(super) theme: Theme,
        pub(super) level: Option<(u16, Theme)>,
        pub(super) by_name: HashMap<String, Address>,
        #[redis_hash(alias = "nick")]
        pub(super) nickname: String,
        #[redis_hash(counter)]
        pub(super) hits: i64,
        #[redis_hash(default = "en".to_owned())]
        pub(super) language: String,
    }

    #[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
    pub(super) struct Address {
        pub(super) zip: u64,
        #[serde(alias = "street")]
        pub(super) line1: String,
        #[serde(default)]
        pub(super) tags: Vec<String>,
        pub(super) note: Option<String>,
    }

    #[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
    pub(super) enum Theme {
        System,
        #[serde(alias = "Dark")]
        Night,
        Light,
        Custom {
            name: String,
            #[serde(alias = "red")]
            color: Option<u32>,
        },
    }

    pub(super) fn address(zip: u64) -> Address {
        Address { zip, line1: "1 Main St".to_owned(), tags: Vec::new(), note: None }
    }

    pub(super) fn account() -> Account {
        Account {
            visits: 7,
            ratio: 1.5,
            letter: "大".to_owned(),
            address: address(10_115),
            others: vec![Some(address(1)), Some(address(300))],
            theme: Theme::Custom { name: "rose".to_owned(), color: Some(200) },
            level: Some((9, Theme::Night)),
            by_name: HashMap::from([("home".to_owned(), address(70_000))]),
            nickname: "ann".to_owned(),
            hits: 3,
            language: "en".to_owned(),
        }
    }
}

/// Runs a test in each place, with what version 1 has stored.
fn on_each_place(test: impl Fn(&mut Connection, &str) -> Test) -> Test {
    in_each_place(|con, key| {
        v1::Account::at(key).on(&mut *con).set_all(&v1::account())?;
        test(con, key)?;
        v1::Account::at(key).on(&mut *con).clear()?;
        Ok(())
    })
}

fn stored(con: &mut Connection, key: &str) -> Result<Stored, AnyError> {
    Ok(redis::cmd("HGETALL").arg(key).query(con)?)
}

#[test]
fn every_read_gives_what_was_stored_and_writes_nothing() -> Test {
    on_each_place(|con, key| {
        let before = stored(con, key)?;
        let new = v2::account();
        let account = v2::Account::at(key).on(&mut *con);
        assert_eq!(account.get_all()?, Some(new.clone()));
        let partial = account.get_partial()?;
        assert_eq!((partial.visits, partial.language), (Some(7), None));
        let each = account.get_each()?.ok_or("nothing")?;
        assert_eq!(each.others?, new.others);
        let some = account.get_many(|field| (field.theme, field.nickname, field.by_name))?;
        assert_eq!(some, (Some(new.theme.clone()), Some("ann".to_owned()), Some(new.by_name.clone())));
        assert_eq!(account.visits().get()?, Some(7));
        assert_eq!(account.ratio().get()?.map(f64::to_bits), Some(1.5_f64.to_bits()));
        assert_eq!(account.letter().get()?.as_deref(), Some("大"));
        assert_eq!(account.level().get()?, new.level);
        assert_eq!(account.address().get_or_insert_with(|| v2::address(0))?, new.address);
        assert_eq!(account.update(|_| ())?, Some(new.clone()));
        assert_eq!(account.theme().update(|_| ())?, Some(new.theme.clone()));
        assert!(!account.theme().compare_and_set(&v2::Theme::Light, v2::Theme::System)?);
        assert!(!account.address().delete_if(|address| address.zip == 0)?);
        drop(account);
        let deferred = v2::Account::at(key);
        let (all, theme) = batch((deferred.get_all(), deferred.theme().get())).query(&mut *con)?;
        assert_eq!((all, theme), (Some(new.clone()), Some(new.theme)));
        assert_eq!(stored(con, key)?, before, "a read has written");
        Ok(())
    })
}

#[tokio::test]
async fn async_reads_give_it_too() -> Test {
    let (con, key) = (open_async("memory:").await?, key());
    v1::Account::at(&*key).on_async(con.clone()).set_all(&v1::account()).await?;
    let account = v2::Account::at(&*key).on_async(con);
    assert_eq!(account.get_all().await?, Some(v2::account()));
    assert_eq!(account.others().get().await?, Some(v2::account().others));
    assert_eq!(account.theme().take().await?, Some(v2::account().theme));
    assert!(account.address().compare_and_set(&v2::address(10_115), v2::address(2)).await?);
    assert_eq!(account.address().get().await?, Some(v2::address(2)));
    Ok(())
}

/// What is written is today's: a program reads it that knows nothing of what was.
#[test]
fn every_write_stores_the_type_of_today() -> Test {
    #[derive(RedisHash, Debug, PartialEq)]
    struct Strict {
        visits: u64,
        address: v2::Address,
        others: Vec<Option<v2::Address>>,
        theme: v2::Theme,
        nickname: String,
    }
    on_each_place(|con, key| {
        let account = v2::Account::at(key).on(&mut *con);
        assert!(account.theme().compare_and_set(&v2::account().theme, v2::Theme::System)?);
        account.update(|account| {
            account.visits += u64::from(u32::MAX);
            account.nickname.push('!');
        })?;
        account.others().update(|others| others.push(None))?;
        account.merge(&serde_json::from_value(serde_json::json!({ "address": { "note": "ring" } }))?)?;
        drop(account);
        let strict = Strict::at(key).on(&mut *con).get_all()?.ok_or("nothing")?;
        assert_eq!(strict.visits, 7 + u64::from(u32::MAX));
        assert_eq!(strict.address, v2::Address { note: Some("ring".to_owned()), ..v2::address(10_115) });
        assert_eq!(strict.others, vec![Some(v2::address(1)), Some(v2::address(300)), None]);
        assert_eq!((strict.theme, strict.nickname.as_str()), (v2::Theme::System, "ann!"));
        assert!(!stored(con, key)?.contains_key("nick"));
        let account = v2::Account::at(key).on(&mut *con);
        assert_eq!(account.by_name().take()?, Some(v2::account().by_name));
        assert_eq!(account.ratio().take()?.map(f64::to_bits), Some(1.5_f64.to_bits()));
        assert!(account.level().delete_if(|level| level.0 == 9)?);
        assert!(!account.by_name().exists()? && !account.ratio().exists()? && !account.level().exists()?);
        Ok(())
    })
}

/// An older program is told of what it cannot read, and leaves it as it is, but for `set`, which replaces.
#[test]
fn an_older_program_writes_over_nothing_that_it_cannot_read() -> Test {
    on_each_place(|con, key| {
        v2::Account::at(key).on(&mut *con).set_all(&v2::Account { visits: u64::MAX, ..v2::account() })?;
        let before = stored(con, key)?;
        let old = v1::Account::at(key).on(&mut *con);
        assert!(matches!(old.visits().get(), Err(Error::OutOfRange { .. })));
        assert!(matches!(old.visits().update(|visits| *visits = 0), Err(Error::OutOfRange { .. })));
        assert!(matches!(old.address().get(), Err(Error::OtherShape { .. })));
        assert!(matches!(old.address().update(|address| address.zip = 0), Err(Error::OtherShape { .. })));
        assert!(matches!(old.address().take(), Err(Error::OtherShape { .. })));
        assert!(matches!(old.others().delete_if(|_| true), Err(Error::OtherShape { .. })));
        let patch = serde_json::from_value(serde_json::json!({ "address": { "zip": 1 } }))?;
        assert!(matches!(old.merge(&patch), Err(Error::OtherShape { .. })));
        assert!(matches!(
            old.theme().compare_and_set(&v1::Theme::Light, v1::Theme::Dark),
            Err(Error::OtherShape { .. })
        ));
        assert!(matches!(old.address().get_or_insert_with(|| v1::address(1)), Err(Error::OtherShape { .. })));
        let Err(Error::Fields { errors, .. }) = old.update(|account| account.hits = 0) else { panic!() };
        // The new name of `nick` is not one that it knows.
        assert_eq!(errors.len(), 8, "{errors:?}");
        drop(old);
        assert_eq!(stored(con, key)?, before, "an older program has written");
        v1::Account::at(key).on(&mut *con).set_all(&v1::account())?;
        assert_eq!(v2::Account::at(key).on(&mut *con).theme().get()?, Some(v2::account().theme));
        Ok(())
    })
}

/// During a rolling deploy, both versions count in one field, each at its width.
#[test]
fn both_versions_update_one_record() -> Test {
    const EACH: u32 = 200;
    let (url, key) = (redis_url(), Arc::new(key()));
    v1::Account::at(&**key).on(&mut open(&url)?).set_all(&v1::Account { visits: 0, ..v1::account() })?;
    thread::scope(|scope| {
        for version in [1, 2, 1, 2] {
            let (url, key) = (&url, Arc::clone(&key));
            scope.spawn(move || {
                let mut con = open(url).unwrap();
                for _ in 0..EACH {
                    let done = if version == 1 {
                        v1::Account::at(&**key).on(&mut con).visits().update(|visits| *visits += 1).map(drop)
                    } else {
                        v2::Account::at(&**key).on(&mut con).update(|account| account.visits += 1).map(drop)
                    };
                    done.unwrap();
                }
            });
        }
    });
    let account = v2::Account::at(&**key).on(open(&url)?);
    assert_eq!(account.visits().get()?, Some(u64::from(4 * EACH)));
    account.clear()?;
    Ok(())
}

/// What no schema knows is an error that says what is asked, and what was stored where that is known.
#[test]
fn what_cannot_be_read_is_said() -> Test {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Unknown {
        zip: String,
    }
    #[derive(RedisHash)]
    struct Other {
        address: Unknown,
    }
    on_each_place(|con, key| {
        Other::at(key).on(&mut *con).address().set(Unknown { zip: "secret".to_owned() })?;
        let error = v2::Account::at(key).on(&mut *con).address().get().unwrap_err().to_string();
        assert!(error.contains("its shape is not that of") && !error.contains("secret"), "{error}");
        Ok(())
    })
}
