//! A cache: values of any type in one map, each with its own time to live.
//!
//! `cargo run --example cache` needs no server: it uses a local file, or the store that `REDIS_URL` names.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use redis_hashmap::{Blocking, Connection, Error, HashMap, Value};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A value and its deadline, in one field, so that neither is ever stored without the other.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Entry {
    expires_at: Timestamp,
    value: Value,
}

impl Entry {
    fn new<T: Serialize + ?Sized>(value: &T, ttl: Duration) -> Result<Self, Error> {
        let expires_at = Timestamp::now().checked_add(ttl).unwrap_or(Timestamp::MAX);
        Ok(Self { expires_at, value: Value::encode(value)? })
    }

    /// How long it is still valid.
    fn remaining(&self) -> Option<Duration> {
        let remaining = self.expires_at.duration_since(Timestamp::now());
        Duration::try_from(remaining).ok().filter(|remaining| !remaining.is_zero())
    }
}

/// A cache in one hash. Threads share one, or make one each, with a connection of its own.
///
/// Servers on which fields expire (Redis 8.0, Valkey 9.1, the embedded store) remove entries by themselves. On others
/// (Redis 7), the deadline in the entry counts, by the clocks of those who write and read, and
/// [`clear_expired`](Self::clear_expired) must be called now and then.
struct Cache {
    entries: HashMap<String, Entry, Blocking<Connection>>,
    default_ttl: Duration,
    /// True until the server says that it cannot do that.
    fields_expire: AtomicBool,
}

impl Cache {
    fn new(con: Connection, key: &str, default_ttl: Duration) -> Self {
        Self { entries: HashMap::typed(key).on(con), default_ttl, fields_expire: AtomicBool::new(true) }
    }

    fn set<T: Serialize + ?Sized>(&self, name: &str, value: &T) -> Result<(), Error> {
        self.set_for(name, value, self.default_ttl)
    }

    fn set_for<T: Serialize + ?Sized>(&self, name: &str, value: &T, ttl: Duration) -> Result<(), Error> {
        let entry = Entry::new(value, ttl)?;
        if self.fields_expire.load(Ordering::Relaxed) {
            match self.entries.set_with_ttl(name, &entry, ttl) {
                Err(Error::Unsupported { .. }) => self.fields_expire.store(false, Ordering::Relaxed),
                result => return result.map(drop),
            }
        }
        self.entries.set(name, &entry).map(drop)
    }

    /// Returns `None` if nothing is cached, or no longer. Reading it as another type than was stored is an error.
    fn get<T: Serialize + DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        let entry: Option<Entry> = self.entries.get(name)?;
        entry.filter(|entry| entry.remaining().is_some()).map(|entry| entry.value.decode()).transpose()
    }

    /// Returns what is cached, or else caches and returns what `make` makes. If several make it at the same time, the
    /// first one's value is cached and returned to all.
    fn get_or_insert_with<T>(&self, name: &str, ttl: Duration, make: impl FnOnce() -> T) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned,
    {
        if let Some(value) = self.get(name)? {
            return Ok(value);
        }
        let computed = Entry::new(&make(), ttl)?;
        let mut entry = self.insert(name, &computed, ttl)?;
        if entry.remaining().is_none() {
            // An expired entry is still stored: it is replaced, unless somebody else has done so. `update` keeps the
            // time to live that it has on the server, so a server with another clock may end the new entry early.
            let replaced = self.entries.update(name, |entry| {
                if entry.remaining().is_none() {
                    entry.clone_from(&computed);
                }
            })?;
            entry = replaced.unwrap_or(computed);
        }
        entry.value.decode()
    }

    /// Stores an entry if there is none, and returns the one that is stored afterwards.
    fn insert(&self, name: &str, entry: &Entry, ttl: Duration) -> Result<Entry, Error> {
        if self.fields_expire.load(Ordering::Relaxed) {
            match self.entries.entry(name).with_ttl(ttl).get_or_insert_with(|| entry.clone()) {
                Err(Error::Unsupported { .. }) => self.fields_expire.store(false, Ordering::Relaxed),
                result => return result,
            }
        }
        self.entries.get_or_insert_with(name, || entry.clone())
    }

    /// Returns true if it was stored, expired or not.
    fn delete(&self, name: &str) -> Result<bool, Error> {
        self.entries.delete(name)
    }

    /// Removes expired entries that are still stored. Returns how many: none where the server removes them itself.
    ///
    /// It reads page by page. An entry that was renewed since its page was read is not removed: `delete_if` reads it
    /// again, and removes only what it has seen.
    fn clear_expired(&self) -> Result<u64, Error> {
        let mut expired = Vec::new();
        for entry in &self.entries {
            let (name, entry) = entry?;
            if entry.remaining().is_none() {
                expired.push(name);
            }
        }
        let mut removed = 0;
        for name in expired {
            removed += u64::from(self.entries.delete_if(&name, |entry| entry.remaining().is_none())?);
        }
        Ok(removed)
    }
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct User {
    name: String,
    age: u8,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("REDIS_URL").unwrap_or_else(|_| local_file());
    let cache = Cache::new(redis_hashmap::open(&url)?, "example:cache", Duration::from_secs(60));
    // Clears what an interrupted run has left.
    cache.entries.clear()?;

    cache.set("user_123", &User { name: "John".to_owned(), age: 30 })?;
    println!("set user_123, for a minute");
    cache.set_for("temp_data", &[1, 2, 3][..], Duration::from_millis(100))?;
    println!("set temp_data, for 100 ms        removed by the server: {:?}", cache.fields_expire);
    println!("get user_123                     {:?}", cache.get::<User>("user_123")?);
    println!("get temp_data                    {:?}", cache.get::<Vec<i32>>("temp_data")?);
    match cache.get::<Vec<i32>>("user_123") {
        Err(error) => println!("get user_123 as a list           {error}"),
        other => println!("get user_123 as a list           {other:?}"),
    }

    let answer = cache.get_or_insert_with("answer", Duration::from_secs(60), || 6 * 7)?;
    println!("get_or_insert_with answer        {answer}, computed");
    let answer = cache.get_or_insert_with("answer", Duration::from_secs(60), || 0)?;
    println!("get_or_insert_with answer        {answer}, cached");

    while cache.get::<Vec<i32>>("temp_data")?.is_some() {
        std::thread::yield_now();
    }
    println!("get temp_data after 100 ms       None");
    let expired = cache.clear_expired()?;
    println!("clear_expired                    {expired} (what the server has removed is not there)");
    println!("delete user_123, it was there    {}", cache.delete("user_123")?);
    println!("get user_123                     {:?}", cache.get::<User>("user_123")?);
    cache.entries.clear()?;
    Ok(())
}

/// The URL of a file, which the next run finds again.
fn local_file() -> String {
    let file = std::env::temp_dir().join("redis-hashmap-examples.redb");
    println!("REDIS_URL is not set, so no server is used but the file {}.", file.display());
    format!("file:{}", file.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Test = Result<(), Error>;

    const LONG: Duration = Duration::from_secs(1000);
    const SHORT: Duration = Duration::from_millis(1);

    /// Opens one store again and again, with a key that no other test has.
    struct Place {
        url: String,
        key: String,
    }

    impl Place {
        fn open(&self) -> Cache {
            Cache::new(redis_hashmap::open(&self.url).unwrap(), &self.key, LONG)
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            self.open().entries.clear().unwrap();
        }
    }

    /// Runs a test on the embedded store and on the available servers, with and without expiry of fields.
    fn everywhere(test: &str, run: impl Fn(&Place, Cache) -> Test) -> Test {
        let key = format!("example-test:{}:{}:{test}", std::process::id(), Timestamp::now());
        let servers = ["REDIS_URL", "REDIS_8_URL"].into_iter().filter_map(|name| std::env::var(name).ok());
        for url in servers.filter(|url| url != "left-out").chain([format!("memory:{key}")]) {
            println!("on {url}");
            let place = Place { url, key: key.clone() };
            run(&place, place.open())?;
        }
        Ok(())
    }

    fn expires(cache: &mut Cache, name: &str) -> Test {
        let start = std::time::Instant::now();
        while cache.get::<Value>(name)?.is_some() {
            assert!(start.elapsed() < Duration::from_secs(20), "{name} does not expire");
            std::thread::yield_now();
        }
        Ok(())
    }

    #[test]
    fn values_of_any_type() -> Test {
        everywhere("types", |_, cache| {
            let john = User { name: "John".to_owned(), age: 30 };
            cache.set("user", &john)?;
            cache.set("text", "a text")?;
            cache.set("list", &[1_u8, 2])?;
            assert_eq!(cache.get("user")?, Some(john));
            assert_eq!(cache.get::<String>("text")?.as_deref(), Some("a text"));
            assert_eq!(cache.get("list")?, Some([1_u8, 2]));
            assert!(matches!(cache.get::<User>("text"), Err(Error::WrongType { .. })));
            assert_eq!(cache.get::<User>("nothing")?, None);
            assert_eq!(cache.entries.size()?, 3);
            assert!(cache.delete("user")? && !cache.delete("user")?);
            assert_eq!(cache.get::<User>("user")?, None);
            Ok(())
        })
    }

    #[test]
    fn each_value_expires_by_itself() -> Test {
        everywhere("expiry", |_, mut cache| {
            cache.set("stays", &1)?;
            cache.set_for("goes", &2, SHORT)?;
            expires(&mut cache, "goes")?;
            cache.clear_expired()?;
            assert_eq!((cache.get("stays")?, cache.entries.get_fields()?.len()), (Some(1), 1));
            assert_eq!(
                cache.entries.entry::<Entry>("stays").ttl().is_ok(),
                cache.fields_expire.load(Ordering::Relaxed)
            );
            Ok(())
        })
    }

    /// Behaves as on a server on which fields do not expire.
    #[test]
    fn what_has_expired_and_is_still_there() -> Test {
        everywhere("deadline", |_, mut cache| {
            cache.fields_expire.store(false, Ordering::Relaxed);
            for name in ["a", "b"] {
                cache.set_for(name, &1, SHORT)?;
            }
            cache.set("stays", &1)?;
            expires(&mut cache, "a")?;
            expires(&mut cache, "b")?;
            assert_eq!(cache.entries.size()?, 3);
            assert_eq!(cache.get_or_insert_with("a", LONG, || 2)?, 2);
            assert_eq!(cache.get_or_insert_with("a", LONG, || 3)?, 2);
            assert_eq!((cache.clear_expired()?, cache.clear_expired()?), (1, 0));
            assert_eq!((cache.get("a")?, cache.get::<i32>("b")?, cache.get("stays")?), (Some(2), None, Some(1)));
            Ok(())
        })
    }

    #[test]
    fn of_many_who_compute_a_value_all_get_the_first() -> Test {
        everywhere("compute", |place, mut cache| {
            for round in 0..20 {
                let name = format!("value {round}");
                if round % 2 == 0 {
                    cache.fields_expire.store(false, Ordering::Relaxed);
                    cache.set_for(&name, &100, SHORT)?;
                    expires(&mut cache, &name)?;
                }
                let found: Vec<i32> = std::thread::scope(|scope| {
                    let compute = |thread| place.open().get_or_insert_with(&name, LONG, || thread);
                    let threads: Vec<_> = (0..8).map(|thread| scope.spawn(move || compute(thread))).collect();
                    threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Result<_, _>>()
                })?;
                assert_eq!(found, vec![found[0]; 8]);
                assert_eq!(cache.get(&name)?, Some(found[0]));
            }
            Ok(())
        })
    }

    #[test]
    fn what_is_renewed_while_it_is_cleared_stays() -> Test {
        const ENTRIES: u32 = 300;
        everywhere("renewed", |place, mut cache| {
            cache.fields_expire.store(false, Ordering::Relaxed);
            for i in 0..ENTRIES {
                cache.set_for(&i.to_string(), &0, SHORT)?;
            }
            expires(&mut cache, &(ENTRIES - 1).to_string())?;
            std::thread::scope(|scope| {
                let renew = || (0..ENTRIES).try_for_each(|i| place.open().set(&i.to_string(), &i));
                let clear = || (0..5).try_for_each(|_| place.open().clear_expired().map(drop));
                let threads = [scope.spawn(renew), scope.spawn(clear), scope.spawn(clear)];
                threads.into_iter().try_for_each(|thread| thread.join().unwrap())
            })?;
            for i in 0..ENTRIES {
                assert_eq!(cache.get(&i.to_string())?, Some(i));
            }
            Ok(())
        })
    }
}
