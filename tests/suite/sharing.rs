//! Accessors that are shared: operations take `&self`, and what is locked for how long.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use redis::{ConnectionLike, RedisResult, Value};
use redis_hashmap::{Async, AsyncConnection, Blocking, Connection, Counter, Error, HashMap, RedisHash, open};
use redis_hashmap_tests::{AnyError, key, redis_url};

type Test = Result<(), AnyError>;

#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Settings {
    theme: String,
    #[redis_hash(default)]
    visits: u64,
}

fn urls() -> [String; 2] {
    ["memory:".to_owned(), redis_url()]
}

/// A service holds its accessors, and hands references of itself to whoever asks.
struct Service {
    settings: SettingsHash<Blocking<Connection>>,
    counters: HashMap<String, Counter, Blocking<Connection>>,
}

fn is_shared<T: Send + Sync>(_: &T) {}

#[test]
fn threads_share_a_blocking_accessor() -> Test {
    for url in urls() {
        let (one, other) = (key(), key());
        let con = open(&url)?;
        let service =
            Service { settings: Settings::at(&*one).on(con), counters: HashMap::typed(&*other).on(open(&url)?) };
        is_shared(&service);
        service.settings.set_all(&Settings { theme: "dark".to_owned(), visits: 0 })?;
        let service = Arc::new(service);
        let start = Arc::new(Barrier::new(8));
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let (service, start) = (Arc::clone(&service), Arc::clone(&start));
                std::thread::spawn(move || {
                    start.wait();
                    for _ in 0..50 {
                        service.settings.update(|settings| settings.visits += 1)?;
                        service.counters.increment("visits", 1)?;
                        // A reply that went to another thread would be of another kind.
                        assert_eq!(service.settings.theme().get()?.as_deref(), Some("dark"));
                        assert_eq!(service.settings.size()?, 2);
                    }
                    Ok::<_, Error>(())
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("a thread does not panic")?;
        }
        assert_eq!((service.settings.visits().get()?, service.counters.get("visits")?), (400, Some(400)));
        service.counters.clear()?;
        service.settings.clear()?;
    }
    Ok(())
}

/// Runs something that must not wait for itself.
fn in_time(run: impl FnOnce() -> Test + Send + 'static) -> Test {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(run()));
    receiver.recv_timeout(Duration::from_secs(60)).map_err(|_| "it waits for a lock that it holds")?
}

#[test]
fn closures_and_loops_may_use_the_accessor_they_come_from() -> Test {
    in_time(|| {
        for url in urls() {
            let key = key();
            let settings = Settings::at(&*key).on(open(&url)?);
            settings.set_all(&Settings { theme: "dark".to_owned(), visits: 1 })?;
            let changed = settings.try_update(|changed| {
                changed.visits += settings.visits().get()?;
                Ok::<_, Error>(())
            })?;
            assert_eq!(changed.map(|changed| changed.visits), Some(2));
            let made = settings.theme().get_or_try_insert_with(|| Ok::<_, Error>(settings.key().to_owned()))?;
            assert_eq!(made, "dark");
            settings.clear()?;

            let stock = HashMap::<u32, u32>::typed(&*key).on(open(&url)?);
            for i in 0..1000 {
                stock.set(&i, i)?;
            }
            for entry in &stock {
                let (i, _) = entry?;
                stock.delete(&i)?;
            }
            assert!(stock.is_empty()?);
        }
        Ok(())
    })
}

#[test]
fn a_closure_that_panics_leaves_the_accessor_usable() -> Test {
    for url in urls() {
        let key = key();
        let settings = Settings::at(&*key).on(open(&url)?);
        settings.set_all(&Settings { theme: "dark".to_owned(), visits: 1 })?;
        let panics = || settings.update(|_| panic!("on purpose"));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).is_err());
        assert_eq!(settings.get_all()?, Some(Settings { theme: "dark".to_owned(), visits: 1 }));
        settings.clear()?;
    }
    Ok(())
}

/// A connection that panics once, in the middle of a call.
struct Panicking(AtomicBool);

impl ConnectionLike for Panicking {
    fn req_packed_command(&mut self, _: &[u8]) -> RedisResult<Value> {
        assert!(self.0.swap(true, Ordering::Relaxed), "on purpose");
        Ok(Value::Int(1))
    }

    fn req_packed_commands(&mut self, _: &[u8], _: usize, _: usize) -> RedisResult<Vec<Value>> {
        unreachable!("no batch is sent")
    }

    fn get_db(&self) -> i64 {
        0
    }

    fn check_connection(&mut self) -> bool {
        true
    }

    fn is_open(&self) -> bool {
        true
    }
}

/// Its next reply could be one to the call that panicked.
#[test]
fn a_connection_that_panicked_is_not_used_again() {
    let settings = Settings::at("key").on(Panicking(AtomicBool::new(false)));
    let panics = || settings.size();
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).is_err());
    for error in [settings.size().map(drop), settings.update(|_| ()).map(drop)] {
        let error = error.expect_err("the connection is in doubt");
        assert!(matches!(&error, Error::Redis { .. }), "{error}");
        assert!(error.to_string().contains("panicked"), "{error}");
    }
}

#[tokio::test]
async fn operations_on_an_exclusive_connection_wait_for_each_other() -> Test {
    for url in urls() {
        let key = key();
        let mut con = redis_hashmap::open_async(&url).await?;
        let settings = Settings::at(&*key).on_exclusive(&mut con);
        is_shared(&settings);
        settings.set_all(&Settings { theme: "dark".to_owned(), visits: 0 }).await?;
        let (theme, size, visits, changed) = tokio::join!(
            settings.theme().get(),
            settings.size(),
            settings.visits().get(),
            settings.update(|settings| settings.visits += 1),
        );
        assert_eq!((theme?.as_deref(), size?, visits?), (Some("dark"), 2, 0));
        assert_eq!(changed?.map(|settings| settings.visits), Some(1));

        // Futures that are dropped before they are polled, and after, leave nothing locked.
        drop(settings.theme().get());
        let mut polled = settings.theme().get();
        let _ = futures::poll!(&mut polled);
        drop(polled);
        assert_eq!(settings.visits().get().await?, 1);
        settings.clear().await?;
    }
    Ok(())
}

/// As axum's `State` hands it to a handler.
#[derive(Clone)]
struct App {
    settings: SettingsHash<Async<AsyncConnection>>,
}

async fn handler(app: App) -> Result<Option<String>, Error> {
    app.settings.theme().get().await
}

#[tokio::test]
async fn a_handler_owns_a_clone_of_the_state() -> Test {
    for url in urls() {
        let key = key();
        let app = App { settings: Settings::at(&*key).on_async(redis_hashmap::open_async(&url).await?) };
        is_shared(&app);
        app.settings.theme().set("dark").await?;
        let themes: Vec<_> = (0..64).map(|_| tokio::spawn(handler(app.clone()))).collect();
        for theme in themes {
            assert_eq!(theme.await??.as_deref(), Some("dark"));
        }
        app.settings.clear().await?;
    }
    Ok(())
}
