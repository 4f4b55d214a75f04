//! Stores in files, which are open once in a process, however often they are opened.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError, Weak};

use redis::{RedisResult, Value};

use crate::embedded::base::Base;
use crate::embedded::committed::Committed;
use crate::embedded::eventual::Eventual;
use crate::embedded::request::{Commands, Dialect};
use crate::embedded::sent::Request;
use crate::embedded::transaction::Watched;
use crate::error::Error;

/// When a write is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// Before its operation returns.
    #[default]
    Immediate,
    /// Soon after its operation returns: a sync begins within 500 ms of the first write that is not on disk, however many
    /// come in meanwhile. A crash of the process loses at most what no sync had brought to the disk: the newest writes,
    /// never one without those after it, and never half of one.
    ///
    /// All of the file is kept in memory. If a sync fails, every further write is an error until one succeeds, which is
    /// tried twice a second; reads go on. [`Embedded::sync`](super::Embedded::sync) waits for the disk.
    Eventual,
}

/// A file that threads and tasks share.
pub(super) struct File {
    /// It is `Some` until the store is dropped.
    engine: Option<Engine>,
    durability: Durability,
    /// Its key among the open stores.
    place: PathBuf,
}

enum Engine {
    Committed(Committed),
    Eventual(Eventual),
}

impl File {
    /// Opens the store in a file, which is created if it does not exist.
    pub(super) fn open(path: &Path, durability: Durability) -> Result<Arc<Self>, Error> {
        let place = true_path(path).map_err(|error| unusable(path, error.into()))?;
        let file = open_once(place, |place| {
            let engine = Base::open(&place).and_then(|base| {
                Ok(match durability {
                    Durability::Immediate => Engine::Committed(Committed::start(base)?),
                    Durability::Eventual => Engine::Eventual(Eventual::start(base, &place)?),
                })
            });
            let engine = engine.map_err(|error| unusable(&place, error))?;
            Ok(Arc::new(Self { engine: Some(engine), durability, place }))
        })?;
        if file.durability != durability {
            let problem = "this process has it open with another durability; open it with the same one everywhere";
            return Err(Error::Store { place: file.place.display().to_string(), problem: problem.to_owned() });
        }
        Ok(file)
    }

    /// Carries out on the caller's thread what can be. The rest has to be sent.
    pub(super) fn at_once(
        &self,
        commands: Commands<'_>,
        dialect: Dialect,
        watched: &Watched,
    ) -> Option<RedisResult<Vec<Value>>> {
        match self.engine.as_ref()? {
            Engine::Committed(committed) => committed.at_once(commands, dialect, watched),
            Engine::Eventual(eventual) => eventual.at_once(commands, dialect, watched),
        }
    }

    pub(super) fn send(&self, request: Request) {
        match &self.engine {
            Some(Engine::Committed(committed)) => committed.send(request),
            Some(Engine::Eventual(eventual)) => eventual.send(request),
            None => {}
        }
    }

    /// Waits until all that was written is on the disk.
    pub(super) fn sync(&self) -> Result<(), Error> {
        match &self.engine {
            Some(Engine::Eventual(eventual)) => {
                eventual.sync().map_err(|problem| Error::Store { place: self.place.display().to_string(), problem })
            }
            _ => Ok(()),
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // The last writes get to the disk, and the file is closed. Only then may it be opened again.
        self.engine = None;
        let (stores, changed) = open_stores();
        lock(stores).remove(&self.place);
        changed.notify_all();
    }
}

type Stores = Mutex<HashMap<PathBuf, Weak<File>>>;

/// The open stores of this process. Whoever opens a place again shares its store, as on a server.
fn open_stores() -> (&'static Stores, &'static Condvar) {
    static STORES: LazyLock<Stores> = LazyLock::new(Stores::default);
    static CHANGED: Condvar = Condvar::new();
    (&STORES, &CHANGED)
}

/// Locks the open stores. A panic of another thread leaves the map intact.
fn lock(stores: &'static Stores) -> MutexGuard<'static, HashMap<PathBuf, Weak<File>>> {
    stores.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open_once(place: PathBuf, open: impl FnOnce(PathBuf) -> Result<Arc<File>, Error>) -> Result<Arc<File>, Error> {
    let (stores, changed) = open_stores();
    let mut open_now = lock(stores);
    while let Some(store) = open_now.get(&place) {
        if let Some(store) = store.upgrade() {
            return Ok(store);
        }
        // It is being closed.
        open_now = changed.wait(open_now).unwrap_or_else(PoisonError::into_inner);
    }
    let store = open(place.clone())?;
    open_now.insert(place, Arc::downgrade(&store));
    Ok(store)
}

/// The canonical path of a file, whether it exists yet or not.
fn true_path(path: &Path) -> io::Result<PathBuf> {
    if path.exists() {
        return path.canonicalize();
    }
    let absolute = std::path::absolute(path)?;
    match (absolute.parent(), absolute.file_name()) {
        (Some(folder), Some(name)) => Ok(folder.canonicalize()?.join(name)),
        _ => Err(io::ErrorKind::IsADirectory.into()),
    }
}

fn unusable(place: &Path, error: redb::Error) -> Error {
    let problem = match error {
        redb::Error::DatabaseAlreadyOpen => {
            "another process has it open, or this one under another name; only one process can own a file, and several \
             need a server"
                .to_owned()
        }
        redb::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
            "it is not a store of redis-hashmap".to_owned()
        }
        // It ends too soon.
        redb::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => DAMAGED.to_owned(),
        redb::Error::Corrupted(_) => DAMAGED.to_owned(),
        error => error.to_string(),
    };
    Error::Store { place: place.display().to_string(), problem }
}

const DAMAGED: &str = "it is damaged; restore it from a copy";
