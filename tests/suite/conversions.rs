//! Fields whose meaning changed: what they were is converted wherever it is read.

use std::collections::BTreeMap;

use redis_hashmap::{Connection, Error, RedisHash, batch, open, open_async};
use redis_hashmap_tests::{AnyError, in_each_place, key};

type Test = Result<(), AnyError>;

mod v1 {
    use redis_hashmap::RedisHash;
    use serde::{Deserialize, Serialize};

    #[derive(RedisHash, Debug, Clone, PartialEq)]
    pub(super) struct Shop {
        pub(super) theme: Theme,
        pub(super) prices: Vec<u32>,
        pub(super) email: String,
        #[redis_hash(text)]
        pub(super) city: String,
        pub(super) street: Street,
        #[redis_hash(counter)]
        pub(super) visits: i64,
        pub(super) logins: u32,
        #[redis_hash(counter)]
        pub(super) orders: i64,
        pub(super) nick: Option<Theme>,
        pub(super) open: bool,
    }

    #[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq)]
    pub(super) enum Theme {
        Low,
        High,
    }

    #[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
    pub(super) struct Street {
        pub(super) name: String,
        pub(super) number: u16,
    }

    pub(super) fn shop() -> Shop {
        Shop {
            theme: Theme::High,
            prices: vec![3, 500],
            email: "ann@example.com".to_owned(),
            city: "Łódź".to_owned(),
            street: Street { name: "Main St".to_owned(), number: 300 },
            visits: 12,
            logins: 70_000,
            orders: 5,
            nick: Some(Theme::Low),
            open: true,
        }
    }
}

mod v2 {
    use std::num::TryFromIntError;

    use redis_hashmap::RedisHash;
    use serde::{Deserialize, Serialize};

    use super::v1;

    #[derive(RedisHash, Debug, Clone, PartialEq)]
    #[redis_hash(schema)]
    pub(super) struct Shop {
        #[redis_hash(was = v1::Theme)]
        pub(super) theme: Theme,
        #[redis_hash(was = Vec<u32>)]
        pub(super) prices: Prices,
        #[redis_hash(was = String)]
        pub(super) email: Email,
        #[redis_hash(was_text = String)]
        pub(super) city: City,
        #[redis_hash(text, was = v1::Street)]
        pub(super) street: String,
        #[redis_hash(was_counter, was = bool)]
        pub(super) visits: Visits,
        #[redis_hash(counter, was = u32)]
        pub(super) logins: i64,
        #[redis_hash(text, was_counter)]
        pub(super) orders: u32,
        #[redis_hash(alias = "nick", was = Option<v1::Theme>, default = Theme::Dark)]
        pub(super) nickname: Theme,
        #[redis_hash(was = bool)]
        pub(super) open: Option<Hours>,
    }

    #[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
    pub(super) enum Theme {
        Dark,
        Light { contrast: u8 },
    }

    #[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
    pub(super) struct Prices {
        pub(super) cents: Vec<u64>,
    }

    #[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
    pub(super) struct Email {
        pub(super) user: String,
        pub(super) host: String,
    }

    #[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
    pub(super) struct City {
        pub(super) name: String,
    }

    #[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
    pub(super) struct Visits(pub(super) Vec<u64>);

    #[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
    pub(super) struct Hours {
        pub(super) from: u8,
        pub(super) to: u8,
    }

    impl From<v1::Theme> for Theme {
        fn from(theme: v1::Theme) -> Self {
            match theme {
                v1::Theme::Low => Self::Dark,
                v1::Theme::High => Self::Light { contrast: 200 },
            }
        }
    }

    impl From<Vec<u32>> for Prices {
        fn from(euros: Vec<u32>) -> Self {
            Self { cents: euros.into_iter().map(|euros| u64::from(euros) * 100).collect() }
        }
    }

    impl TryFrom<String> for Email {
        type Error = String;

        fn try_from(text: String) -> Result<Self, String> {
            let (user, host) = text.split_once('@').ok_or_else(|| format!("`{text}` is no address"))?;
            Ok(Self { user: user.to_owned(), host: host.to_owned() })
        }
    }

    impl From<String> for City {
        fn from(name: String) -> Self {
            Self { name }
        }
    }

    impl From<v1::Street> for String {
        fn from(v1::Street { name, number }: v1::Street) -> Self {
            format!("{number} {name}")
        }
    }

    impl TryFrom<i64> for Visits {
        type Error = TryFromIntError;

        fn try_from(count: i64) -> Result<Self, TryFromIntError> {
            Ok(Self(vec![count.try_into()?]))
        }
    }

    impl From<bool> for Visits {
        fn from(any: bool) -> Self {
            Self(vec![any.into()])
        }
    }

    impl From<bool> for Hours {
        fn from(open: bool) -> Self {
            Self { from: 9, to: if open { 17 } else { 9 } }
        }
    }

    pub(super) fn shop() -> Shop {
        Shop {
            theme: Theme::Light { contrast: 200 },
            prices: Prices { cents: vec![300, 50_000] },
            email: Email { user: "ann".to_owned(), host: "example.com".to_owned() },
            city: City { name: "Łódź".to_owned() },
            street: "300 Main St".to_owned(),
            visits: Visits(vec![12]),
            logins: 70_000,
            orders: 5,
            nickname: Theme::Dark,
            open: Some(Hours { from: 9, to: 17 }),
        }
    }
}

type Stored = BTreeMap<String, Vec<u8>>;

/// Runs a test in each place, with what version 1 has stored.
fn on_each_place(test: impl Fn(&mut Connection, &str) -> Test) -> Test {
    in_each_place(|con, key| {
        v1::Shop::at(key).on(&mut *con).set_all(&v1::shop())?;
        test(con, key)?;
        v1::Shop::at(key).on(&mut *con).clear()?;
        Ok(())
    })
}

fn stored(con: &mut Connection, key: &str) -> Result<Stored, AnyError> {
    Ok(redis::cmd("HGETALL").arg(key).query(con)?)
}

#[test]
fn every_read_converts_and_writes_nothing() -> Test {
    on_each_place(|con, key| {
        let before = stored(con, key)?;
        let new = v2::shop();
        let shop = v2::Shop::at(key).on(&mut *con);
        assert_eq!(shop.get_all()?, Some(new.clone()));
        let partial = shop.get_partial()?;
        assert_eq!((partial.street, partial.logins), (Some(new.street.clone()), Some(70_000)));
        let each = shop.get_each()?.ok_or("nothing")?;
        assert_eq!(each.visits?, new.visits);
        let some = shop.get_many(|field| (field.nickname, field.open, field.orders))?;
        assert_eq!(some, (new.nickname.clone(), new.open.clone(), Some(5)));
        assert_eq!(shop.theme().get()?, Some(new.theme.clone()));
        assert_eq!(shop.prices().get()?, Some(new.prices.clone()));
        assert_eq!(shop.email().get()?, Some(new.email.clone()));
        assert_eq!(shop.city().get()?, Some(new.city.clone()));
        assert_eq!(shop.street().get()?, Some(new.street.clone()));
        assert_eq!(shop.visits().get()?, Some(new.visits.clone()));
        assert_eq!(shop.logins().get()?, 70_000);
        assert_eq!(shop.nickname().get()?, new.nickname);
        assert_eq!(shop.open().get()?, new.open);
        assert_eq!(shop.update(|_| ())?, Some(new.clone()));
        assert!(!shop.theme().compare_and_set(&v2::Theme::Dark, v2::Theme::Dark)?);
        assert!(!shop.visits().delete_if(|visits| visits.0.is_empty())?);
        drop(shop);
        let deferred = v2::Shop::at(key);
        let (all, theme) = batch((deferred.get_all(), deferred.theme().get())).query(&mut *con)?;
        assert_eq!((all, theme), (Some(new.clone()), Some(new.theme)));
        assert_eq!(stored(con, key)?, before, "a read has written");
        Ok(())
    })
}

#[tokio::test]
async fn async_reads_convert_too() -> Test {
    let (con, key) = (open_async("memory:").await?, key());
    v1::Shop::at(&*key).on_async(con.clone()).set_all(&v1::shop()).await?;
    let shop = v2::Shop::at(&*key).on_async(con);
    assert_eq!(shop.get_all().await?, Some(v2::shop()));
    assert_eq!(shop.city().take().await?, Some(v2::shop().city));
    assert!(shop.theme().compare_and_set(&v2::shop().theme, v2::Theme::Dark).await?);
    assert_eq!(shop.theme().get().await?, Some(v2::Theme::Dark));
    Ok(())
}

/// What is written is today's: a program reads it that knows nothing of what was.
#[test]
fn every_write_stores_the_type_of_today() -> Test {
    #[derive(RedisHash, Debug, PartialEq)]
    struct Strict {
        theme: v2::Theme,
        email: v2::Email,
        #[redis_hash(text)]
        street: String,
        #[redis_hash(counter)]
        logins: i64,
        visits: v2::Visits,
        nickname: v2::Theme,
        open: Option<v2::Hours>,
    }
    on_each_place(|con, key| {
        let shop = v2::Shop::at(key).on(&mut *con);
        shop.update(|shop| {
            shop.visits.0.push(1);
            shop.email.user.push('a');
            shop.street.push('!');
        })?;
        assert!(shop.theme().compare_and_set(&v2::shop().theme, v2::Theme::Dark)?);
        assert!(shop.nickname().compare_and_set(&v2::Theme::Dark, v2::Theme::Light { contrast: 1 })?);
        assert_eq!(shop.open().update(|hours| hours.to = 20)?, Some(v2::Hours { from: 9, to: 20 }));
        // Redis counts where a counter lies, and it lies there once it was written.
        assert!(matches!(shop.logins().increment(1), Err(Error::NotACounter { .. })));
        assert_eq!(shop.logins().get()?, 70_000);
        shop.logins().update(|_| ())?;
        assert!(matches!(shop.logins().increment(1), Err(Error::NotACounter { .. })), "an equal value is not written");
        assert!(shop.logins().compare_and_set(&70_000, 70_000)?);
        assert_eq!(shop.logins().increment(1)?, 70_001);
        drop(shop);
        let strict = Strict::at(key).on(&mut *con).get_all()?.ok_or("nothing")?;
        assert_eq!(strict.theme, v2::Theme::Dark);
        assert_eq!((strict.email.user.as_str(), strict.street.as_str()), ("anna", "300 Main St!"));
        assert_eq!((strict.logins, strict.visits), (70_001, v2::Visits(vec![12, 1])));
        assert_eq!((strict.nickname, strict.open.map(|open| open.to)), (v2::Theme::Light { contrast: 1 }, Some(20)));
        assert!(!stored(con, key)?.contains_key("nick"));
        let shop = v2::Shop::at(key).on(&mut *con);
        assert_eq!(shop.prices().take()?, Some(v2::shop().prices));
        assert_eq!(shop.city().take()?, Some(v2::shop().city));
        assert_eq!(shop.orders().take()?, Some(5));
        assert!(!shop.prices().exists()? && !shop.city().exists()? && !shop.orders().exists()?);
        Ok(())
    })
}

/// A conversion that refuses a value is an error that names the field, and nothing is written over it.
#[test]
fn what_is_not_converted_is_an_error_that_does_not_tell_it() -> Test {
    on_each_place(|con, key| {
        let secret = "hunter2";
        v1::Shop::at(key).on(&mut *con).email().set(secret)?;
        let before = stored(con, key)?;
        let shop = v2::Shop::at(key).on(&mut *con);
        let error = shop.email().get().expect_err("no address");
        assert!(matches!(&error, Error::Conversion { place, .. } if place.field() == Some("email")), "{error:?}");
        let text = format!("{error} {error:?}");
        assert!(!text.contains(secret), "{text}");
        assert_eq!(
            error.to_string().split_once(" holds ").ok_or("no kind")?.1,
            "a `String` that does not become a `suite::conversions::v2::Email` (its conversion refused it): let \
             the conversion take it, or set it again"
        );
        assert!(matches!(shop.email().update(|_| ()), Err(Error::Conversion { .. })));
        assert!(matches!(shop.email().take(), Err(Error::Conversion { .. })));
        assert!(matches!(shop.email().delete_if(|_| true), Err(Error::Conversion { .. })));
        assert!(matches!(shop.get_all(), Err(Error::Conversion { .. })));
        assert!(matches!(shop.update(|shop| shop.orders = 0), Err(Error::Conversion { .. })));
        assert_eq!(shop.get_each()?.ok_or("nothing")?.theme?, v2::shop().theme);
        drop(shop);
        assert_eq!(stored(con, key)?, before, "something was written over it");
        let shop = v2::Shop::at(key).on(&mut *con);
        shop.email().set(&v2::shop().email)?;
        assert_eq!(shop.get_all()?, Some(v2::shop()));
        Ok(())
    })
}

#[derive(RedisHash)]
#[redis_hash(schema)]
struct Opening {
    #[redis_hash(was = bool, ttl = "1h")]
    open: Option<v2::Hours>,
}

/// The first write of a field that expires gives it its time to live.
#[test]
fn a_field_that_expires_converts_too() -> Test {
    let (mut con, key) = (open("memory:")?, key());
    v1::Shop::at(&*key).on(&mut con).open().set(false)?;
    let opening = Opening::at(&*key).on(&mut con);
    assert_eq!(opening.open().get()?, Some(v2::Hours { from: 9, to: 9 }));
    assert_eq!(opening.open().ttl()?.remaining(), None);
    assert_eq!(opening.open().update(|hours| hours.to = 20)?, Some(v2::Hours { from: 9, to: 20 }));
    assert!(opening.open().ttl()?.remaining().is_some());
    Ok(())
}

/// What is neither of today nor of what the field was stays the error that it is.
#[test]
fn what_a_field_never_was_is_not_converted() -> Test {
    on_each_place(|con, key| {
        redis::cmd("HSET").arg(key).arg("theme").arg("plain").arg("street").arg(b"\x07\xff").exec(&mut *con)?;
        let shop = v2::Shop::at(key).on(&mut *con);
        assert!(matches!(shop.theme().get(), Err(Error::Foreign { .. })));
        assert!(matches!(shop.street().get(), Err(Error::NotText { .. })));
        drop(shop);
        redis_hashmap::HashMap::new(key).on(&mut *con).set("theme", 7_u8)?;
        assert!(matches!(v2::Shop::at(key).on(&mut *con).theme().get(), Err(Error::WrongType { .. })));
        Ok(())
    })
}

/// An older program reports what a newer one has stored, and writes nothing over it.
#[test]
fn an_older_program_reports_what_a_field_has_become() -> Test {
    on_each_place(|con, key| {
        v2::Shop::at(key).on(&mut *con).set_all(&v2::shop())?;
        let before = stored(con, key)?;
        let old = v1::Shop::at(key).on(&mut *con);
        assert!(matches!(old.theme().get(), Err(Error::OtherShape { .. })));
        assert!(matches!(old.prices().update(Vec::clear), Err(Error::WrongType { .. })));
        assert!(matches!(old.city().take(), Err(Error::NotText { .. })));
        assert!(matches!(old.street().get(), Err(Error::Foreign { .. })));
        assert!(matches!(old.visits().increment(1), Err(Error::NotACounter { .. })));
        assert!(matches!(old.logins().delete_if(|_| true), Err(Error::Foreign { .. })));
        drop(old);
        assert_eq!(stored(con, key)?, before, "an older program has written");
        Ok(())
    })
}

/// Both versions run: what the newer one cannot have seen yet, it converts.
#[test]
fn a_newer_program_converts_what_an_older_one_still_writes() -> Test {
    on_each_place(|con, key| {
        for _ in 0..3 {
            v2::Shop::at(key).on(&mut *con).set_all(&v2::shop())?;
            v1::Shop::at(key).on(&mut *con).set_all(&v1::shop())?;
            let shop = v2::Shop::at(key).on(&mut *con);
            assert_eq!(shop.theme().update(|_| ())?, Some(v2::shop().theme));
            assert_eq!(shop.open().get()?, v2::shop().open);
        }
        Ok(())
    })
}

#[test]
fn the_schema_of_the_record_is_proven() -> Test {
    Ok(v2::Shop::check_schema()?)
}
