//! Configuration of components: typed, versioned, with its whole history, changed in one atomic step.
//!
//! `cargo run --example configuration` needs no server: it uses a local file, or the store that `REDIS_URL` names.

use jiff::Timestamp;
use redis_hashmap::{Blocking, Connection, HashMap, RedisHash};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What can be configured: a type for each component.
trait Component: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    const NAME: &'static str;
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Database {
    host: String,
    port: u16,
    max_connections: u32,
}

impl Component for Database {
    const NAME: &'static str = "database";
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Mail {
    sender: String,
}

impl Component for Mail {
    const NAME: &'static str = "mail";
}

/// The stored configuration of one component: one hash, so that a change of several fields is one step.
///
/// The history is one field, which grows with each change and is rewritten by it. That is right for what people change:
/// with a thousand versions of 200 bytes, each change writes 200 kB. Where programs make the changes, keep the last
/// hundred (`history.drain(..)` in `change`), or keep a field for each version, so that a change writes only its own: a
/// `HashMap<u64, Change<T>>` in which `set_if_absent(&(version + 1), &change)` is the atomic step. A change that would
/// make the field larger than 64 MiB is refused, and nothing is written.
#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Versions<T> {
    /// Counts every change. 0 if nothing was ever set.
    #[redis_hash(default)]
    version: u64,
    value: Option<T>,
    changed_at: Option<Timestamp>,
    /// The former versions, the oldest first.
    #[redis_hash(default)]
    history: Vec<Change<T>>,
}

/// A former version.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Change<T> {
    version: u64,
    value: T,
    /// When it became the current version.
    changed_at: Timestamp,
}

impl<T> Versions<T> {
    /// Makes a new version and moves the old one to the history.
    fn change(&mut self, value: T) {
        let now = Timestamp::now();
        // The clocks of two writers can differ. This keeps the history in order.
        let changed_at = self.changed_at.map_or(now, |before| now.max(before));
        if let (Some(value), Some(changed_at)) = (self.value.replace(value), self.changed_at.replace(changed_at)) {
            self.history.push(Change { version: self.version, value, changed_at });
        }
        self.version += 1;
    }
}

#[derive(thiserror::Error, Debug)]
enum Error {
    #[error("{0} was never configured")]
    NotConfigured(&'static str),
    #[error("{component} has no former version {version}")]
    NoSuchVersion { component: &'static str, version: u64 },
    #[error(transparent)]
    Store(#[from] redis_hashmap::Error),
}

/// The configuration of all components: a hash for each, and one that lists them.
struct Configuration {
    con: Connection,
    key: String,
}

impl Configuration {
    fn new(con: Connection, key: &str) -> Self {
        Self { con, key: key.to_owned() }
    }

    /// The list of components, and when each was first configured.
    fn index(&mut self) -> HashMap<String, Timestamp, Blocking<&mut Connection>> {
        HashMap::typed(&*self.key).on(&mut self.con)
    }

    fn component<T: Component>(&mut self) -> VersionsHash<T, Blocking<&mut Connection>> {
        Versions::at(format!("{}:{}", self.key, T::NAME)).on(&mut self.con)
    }

    /// Makes a new version of it and returns its number.
    ///
    /// One script writes the new value, version, time and history if all that it replaces is still what was read.
    /// Otherwise the change is tried again on what is stored then. So each of many changes at the same time gets its
    /// own number, and none is missing from the history.
    fn set<T: Component>(&mut self, value: &T) -> Result<u64, Error> {
        // The list is another key, in a cluster perhaps on another server. It is written first: a crash in between
        // leaves a component that is listed but not configured, never one that is hidden.
        self.index().set_if_absent(T::NAME, Timestamp::now())?;
        let versions = self.component::<T>().update_or_default(|versions| versions.change(value.clone()))?;
        Ok(versions.version)
    }

    /// The current version, without its history: `HMGET` of two fields.
    fn get<T: Component>(&mut self) -> Result<(u64, T), Error> {
        let (version, value) = self.component::<T>().get_many(|field| (field.version, field.value))?;
        Ok((version, value.ok_or(Error::NotConfigured(T::NAME))?))
    }

    /// The former versions, the oldest first.
    fn history<T: Component>(&mut self) -> Result<Vec<Change<T>>, Error> {
        Ok(self.component::<T>().history().get()?)
    }

    /// Makes a new version from a former one, and returns its number.
    fn roll_back<T: Component>(&mut self, version: u64) -> Result<u64, Error> {
        let component = T::NAME;
        let rolled_back = self.component::<T>().try_update(|versions| {
            let former = versions.history.iter().find(|former| former.version == version);
            let value = former.ok_or(Error::NoSuchVersion { component, version })?.value.clone();
            versions.change(value);
            Ok::<(), Error>(())
        })?;
        Ok(rolled_back.ok_or(Error::NotConfigured(component))?.version)
    }

    /// The components that are configured, or are just being configured.
    fn components(&mut self) -> Result<Vec<String>, Error> {
        let mut components = self.index().get_fields()?;
        components.sort();
        Ok(components)
    }

    /// Removes a component and its history.
    fn remove<T: Component>(&mut self) -> Result<bool, Error> {
        let removed = self.component::<T>().clear()?;
        self.index().delete(T::NAME)?;
        Ok(removed)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("REDIS_URL").unwrap_or_else(|_| local_file());
    let mut configuration = Configuration::new(redis_hashmap::open(&url)?, "example:configuration");
    // Clears what an interrupted run has left.
    configuration.remove::<Database>()?;
    configuration.remove::<Mail>()?;

    let database = Database { host: "localhost".to_owned(), port: 5432, max_connections: 100 };
    println!("set database                     version {}", configuration.set(&database)?);
    let more = Database { max_connections: 200, ..database };
    println!("set database, more connections   version {}", configuration.set(&more)?);
    println!(
        "set mail                         version {}",
        configuration.set(&Mail { sender: "us@example.com".into() })?
    );
    println!("get database                     {:?}", configuration.get::<Database>()?);
    println!("components                       {:?}", configuration.components()?);

    println!("roll database back to 1          version {}", configuration.roll_back::<Database>(1)?);
    println!("get database                     {:?}", configuration.get::<Database>()?);
    match configuration.roll_back::<Database>(7) {
        Err(error @ Error::NoSuchVersion { .. }) => println!("roll database back to 7          {error}"),
        other => println!("roll database back to 7          {other:?}"),
    }
    println!("history of database, by now");
    for Change { version, value, changed_at } in configuration.history::<Database>()? {
        println!("    version {version}, {changed_at:.3}: {} connections", value.max_connections);
    }

    println!("remove mail, it was there        {}", configuration.remove::<Mail>()?);
    match configuration.get::<Mail>() {
        Err(error @ Error::NotConfigured(_)) => println!("get mail                         {error}"),
        other => println!("get mail                         {other:?}"),
    }
    configuration.remove::<Database>()?;
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

    /// Opens one store again and again, with a key that no other test has.
    struct Place(String);

    impl Place {
        fn new(test: &str) -> (Self, Configuration) {
            let place = Self(format!("example-test:{}:{}:{test}", std::process::id(), Timestamp::now()));
            let configuration = place.open();
            (place, configuration)
        }

        fn open(&self) -> Configuration {
            let url = std::env::var("REDIS_URL").unwrap_or_else(|_| format!("memory:{}", self.0));
            Configuration::new(redis_hashmap::open(&url).unwrap(), &self.0)
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            self.open().remove::<Database>().unwrap();
            self.open().remove::<Mail>().unwrap();
        }
    }

    fn database(max_connections: u32) -> Database {
        Database { host: "localhost".to_owned(), port: 5432, max_connections }
    }

    #[test]
    fn each_change_is_a_version() -> Result<(), Error> {
        let (_place, mut configuration) = Place::new("versions");
        assert!(matches!(configuration.get::<Database>(), Err(Error::NotConfigured("database"))));
        assert!(matches!(configuration.roll_back::<Database>(1), Err(Error::NotConfigured("database"))));
        for version in 1..=3 {
            assert_eq!(configuration.set(&database(100 * u32::try_from(version).unwrap()))?, version);
        }
        // Setting an equal value is a change, too: somebody has decided on it.
        assert_eq!(configuration.set(&database(300))?, 4);
        assert_eq!(configuration.get()?, (4, database(300)));
        let history = configuration.history::<Database>()?;
        let found: Vec<_> = history.iter().map(|former| (former.version, former.value.max_connections)).collect();
        assert_eq!(found, [(1, 100), (2, 200), (3, 300)]);
        assert!(history.is_sorted_by_key(|former| former.changed_at));
        Ok(())
    }

    #[test]
    fn rolling_back_is_a_new_version() -> Result<(), Error> {
        let (_place, mut configuration) = Place::new("rollback");
        configuration.set(&database(100))?;
        configuration.set(&database(200))?;
        assert_eq!(configuration.roll_back::<Database>(1)?, 3);
        assert_eq!(configuration.get()?, (3, database(100)));
        assert_eq!(configuration.history::<Database>()?.len(), 2);
        for version in [0, 3, 4] {
            let refused = configuration.roll_back::<Database>(version);
            assert!(matches!(refused, Err(Error::NoSuchVersion { component: "database", .. })));
        }
        assert_eq!(configuration.get()?, (3, database(100)));
        Ok(())
    }

    #[test]
    fn components_are_listed() -> Result<(), Error> {
        let (_place, mut configuration) = Place::new("components");
        configuration.set(&Mail { sender: "us@example.com".to_owned() })?;
        configuration.set(&database(100))?;
        assert_eq!(configuration.components()?, ["database", "mail"]);
        assert!(configuration.remove::<Database>()?);
        assert_eq!(configuration.components()?, ["mail"]);
        Ok(())
    }

    /// Each writer sets values that no other sets, and each value becomes one version.
    #[test]
    fn of_many_writers_no_change_is_lost() -> Result<(), Error> {
        const WRITERS: u32 = 8;
        const EACH: u32 = 25;
        let (place, mut configuration) = Place::new("writers");
        let mut numbers: Vec<u64> = std::thread::scope(|scope| {
            let write = |writer| {
                let mut configuration = place.open();
                (0..EACH).map(|i| configuration.set(&database(writer * EACH + i))).collect::<Result<Vec<_>, _>>()
            };
            let threads: Vec<_> = (0..WRITERS).map(|writer| scope.spawn(move || write(writer))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Result<Vec<_>, _>>()
        })?
        .concat();

        let changes = u64::from(WRITERS * EACH);
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(1..=changes), "each change has been told a number of its own");
        let (version, current) = configuration.get::<Database>()?;
        assert_eq!(version, changes);
        let history = configuration.history::<Database>()?;
        assert!(history.iter().map(|former| former.version).eq(1..changes));
        assert!(history.is_sorted_by_key(|former| former.changed_at));
        let mut values: Vec<_> = history.iter().map(|former| former.value.max_connections).collect();
        values.push(current.max_connections);
        values.sort_unstable();
        assert!(values.into_iter().eq(0..WRITERS * EACH), "each value once");
        Ok(())
    }
}
