//! A time to live of a record that is known at run time only: `with_ttl` on the accessor.

use std::time::Duration;

use redis_hashmap::{Async, AsyncConnection, Error, RedisHash, Ttl, open, open_async};
use redis_hashmap_tests::{AnyError, key, redis_url};

type Test = Result<(), AnyError>;

#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Session {
    user: String,
    #[redis_hash(counter)]
    hits: i64,
    note: Option<String>,
}

#[derive(RedisHash, Debug, Clone, PartialEq)]
#[redis_hash(ttl = "30m", sliding)]
struct Sliding {
    user: String,
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn session() -> Session {
    Session { user: "ann".to_owned(), hits: 0, note: None }
}

/// About so long: the test has taken some of it.
#[track_caller]
fn lives(ttl: Result<Ttl, Error>, expected: Duration) {
    let left = ttl.expect("it answers").remaining().expect("it expires");
    assert!(left <= expected && left > expected / 2, "{left:?} of {expected:?}");
}

#[test]
fn every_write_gives_it_in_the_same_step() -> Test {
    // A named store in memory is one for both accessors.
    for url in [format!("memory:{}", key().replace('/', "-")), redis_url()] {
        let key = key();
        let (plain, timed) = (Session::at(&*key).on(open(&url)?), Session::at(&*key).with_ttl(MINUTE).on(open(&url)?));
        every_write(&plain, &timed)?;
    }
    Ok(())
}

type Blocking = SessionHash<redis_hashmap::Blocking<redis_hashmap::Connection>>;

fn every_write(plain: &Blocking, timed: &Blocking) -> Test {
    macro_rules! gives {
        ($($write:expr;)*) => {
            $(
                plain.set_all(&session())?;
                plain.expire_in(HOUR)?;
                let _ = $write?;
                lives(plain.ttl(), MINUTE);
            )*
        };
    }
    gives! {
        timed.set_all(&session());
        timed.replace(&session());
        timed.patch(&SessionPatch::default().user("bob".to_owned()));
        timed.patch_if_present(&SessionPatch::default().note(None));
        timed.update(|session| session.hits += 1);
        timed.user().set("bob");
        timed.user().set_if_present("bob");
        timed.note().set_if_absent("new");
        timed.user().compare_and_set("ann", "bob");
        timed.hits().increment(1);
        timed.note().delete();
        timed.user().take();
    }
    // Reads leave it alone.
    plain.set_all(&session())?;
    plain.expire_in(HOUR)?;
    timed.get_all()?;
    timed.user().get()?;
    lives(plain.ttl(), HOUR);
    // Created with it in one step.
    plain.clear()?;
    assert!(timed.create(&session())? && !timed.create(&session())?);
    lives(timed.ttl(), MINUTE);
    plain.clear()?;
    Ok(())
}

#[test]
fn it_stands_in_for_the_declared_one() -> Test {
    let key = key();
    let declared = Sliding::at(&*key).on(open(&redis_url())?);
    let timed = Sliding::at(&*key).with_ttl(MINUTE).on(open(&redis_url())?);
    declared.set_all(&Sliding { user: "ann".to_owned() })?;
    lives(declared.ttl(), Duration::from_secs(30 * 60));
    // A read of a sliding record renews it too.
    timed.get_all()?;
    lives(declared.ttl(), MINUTE);
    declared.get_all()?;
    lives(declared.ttl(), Duration::from_secs(30 * 60));
    declared.clear()?;
    Ok(())
}

#[test]
fn a_time_that_nothing_can_have_is_an_error_of_each_operation() -> Test {
    let key = key();
    for ttl in [Duration::ZERO, Duration::MAX] {
        let refused = Session::at(&*key).with_ttl(ttl);
        assert_eq!(refused.key(), &*key);
        let timed = refused.on(open(&redis_url())?);
        for error in [timed.set_all(&session()).map(drop), timed.size().map(drop), timed.update(|_| ()).map(drop)] {
            let error = error.expect_err("it cannot live so long");
            assert!(matches!(error, Error::Expiry { .. }) && error.is_rejected_input(), "{error}");
            assert_eq!(error.place().and_then(redis_hashmap::Place::key), Some(&*key));
        }
        // Another one makes it good.
        assert_eq!(refused.with_ttl(MINUTE).on(open(&redis_url())?).size()?, 0);
    }
    Ok(())
}

/// A service keeps one accessor and chooses the time for each session.
#[tokio::test]
async fn an_accessor_with_a_connection_is_given_another_time() -> Test {
    let key = key();
    let con = open_async(&redis_url()).await?;
    let session_of: SessionHash<Async<AsyncConnection>> = Session::at(&*key).on_async(con);
    assert!(session_of.with_ttl(HOUR).create(&session()).await?);
    lives(session_of.ttl().await, HOUR);
    session_of.with_ttl(MINUTE).hits().increment(1).await?;
    lives(session_of.ttl().await, MINUTE);
    session_of.clear().await?;
    Ok(())
}

/// A constant of a program, which its other parts use too.
const DAY: Duration = Duration::from_secs(86_400);

#[derive(RedisHash, Debug, Clone, PartialEq)]
#[redis_hash(ttl = DAY)]
struct ByConstant {
    user: String,
    #[redis_hash(ttl = MINUTE.saturating_mul(Self::MINUTES))]
    code: Option<u32>,
    /// Rounded up to a millisecond.
    #[redis_hash(ttl = Duration::from_nanos(1))]
    flash: Option<u32>,
}

impl ByConstant {
    const MINUTES: u32 = 5;
}

#[derive(RedisHash, Debug, Clone, PartialEq)]
#[redis_hash(ttl = Duration::from_secs(N))]
struct ByParameter<const N: u64> {
    user: String,
}

#[test]
fn a_declared_one_can_be_an_expression() -> Test {
    assert_eq!(ByConstant::TTL, Some(DAY));
    let ttls = ByConstant::FIELDS.iter().map(|field| field.ttl);
    assert_eq!(ttls.collect::<Vec<_>>(), [None, Some(MINUTE * 5), Some(Duration::from_millis(1))]);
    assert_eq!(ByParameter::<60>::TTL, Some(MINUTE));
    let record = ByConstant::at("key").on(open("memory:")?);
    record.user().set("ann")?;
    record.code().set(1)?;
    lives(record.ttl(), DAY);
    lives(record.code().ttl(), MINUTE * 5);
    Ok(())
}
