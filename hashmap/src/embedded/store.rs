//! The store behind an embedded connection: a redb database, and the one thread that writes to it.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redb::backends::InMemoryBackend;
use redb::{Database, Durability as RedbDurability, ReadableDatabase, TableError};
use redis::{RedisError, Value};

use crate::embedded::answer::{Args, storage_error};
use crate::embedded::commands;
use crate::embedded::scripts;
use crate::embedded::tables::{FIELD_EXPIRIES, FIELDS, KEYS, LAYOUT, META, META_LAYOUT, View, Writer};
use crate::error::Error;

/// When a write is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// Before its operation returns.
    #[default]
    Immediate,
    /// Within a second. A crash of the process can lose the writes of that second, but never leaves half of one.
    Eventual,
}

/// How long an eventual write may wait for the disk.
const EVENTUALLY: Duration = Duration::from_secs(1);

/// The most requests that share one transaction, and so one sync of the disk.
const SHARED_COMMIT: usize = 256;

/// Takes the answers to a request.
pub(super) type Respond = Box<dyn FnOnce(Result<Vec<Value>, RedisError>) + Send>;

/// Commands that are carried out with nothing in between.
pub(super) struct Request {
    pub(super) commands: Vec<Args>,
    pub(super) resp3: bool,
    pub(super) respond: Respond,
}

/// A store that threads and tasks share.
pub(super) struct Store {
    /// The database. It is `Some` until the store is dropped.
    database: Option<Arc<Database>>,
    /// Dropping it ends the thread. It is `Some` until the store is dropped.
    requests: Option<Sender<Request>>,
    thread: Option<JoinHandle<()>>,
    /// Its key among the open stores, if it can be opened again.
    place: Option<PathBuf>,
}

impl Store {
    /// Opens a store in memory: the one of that name in this process, or a new one.
    pub(super) fn in_memory(name: &str) -> Result<Arc<Self>, Error> {
        let open = || {
            let database = redb::Builder::new().create_with_backend(InMemoryBackend::new());
            database.map_err(|error| unusable(&"memory:", error.into()))
        };
        if name.is_empty() {
            return Self::start(open()?, Durability::Immediate, None);
        }
        open_once(Path::new("memory:").join(name), |place| Self::start(open()?, Durability::Immediate, Some(place)))
    }

    /// Opens the store in a file, which is created if it does not exist.
    pub(super) fn in_file(path: &Path, durability: Durability) -> Result<Arc<Self>, Error> {
        let place = true_path(path).map_err(|error| unusable(&path.display(), error.into()))?;
        open_once(place, |place| {
            create(&place).map_err(|error| unusable(&place.display(), error))?;
            // The check on opening makes a damaged file an error now, and not a panic later.
            let database = redb::Builder::new().set_check_integrity_on_open(true).open(&place);
            let database = database.map_err(|error| unusable(&place.display(), error.into()))?;
            Self::start(database, durability, Some(place))
        })
    }

    fn start(database: Database, durability: Durability, place: Option<PathBuf>) -> Result<Arc<Self>, Error> {
        let shown = place.as_deref().map_or_else(|| "memory:".to_owned(), |place| place.display().to_string());
        check_layout(&database).map_err(|error| unusable(&shown, error))?;
        let database = Arc::new(database);
        let (requests, received) = channel();
        let writer = Arc::clone(&database);
        let thread = std::thread::Builder::new()
            .name("redis-hashmap store".to_owned())
            .spawn(move || serve(&writer, &received, durability))
            .map_err(|error| unusable(&shown, error.into()))?;
        Ok(Arc::new(Self { database: Some(database), requests: Some(requests), thread: Some(thread), place }))
    }

    /// Hands a request to the store's thread.
    pub(super) fn send(&self, request: Request) {
        let Some(requests) = &self.requests else { return (request.respond)(Err(stopped())) };
        if let Err(unsent) = requests.send(request) {
            (unsent.0.respond)(Err(stopped()));
        }
    }

    /// Answers commands that only read, on the caller's thread.
    pub(super) fn read(&self, commands: &[Args], resp3: bool) -> Result<Vec<Value>, RedisError> {
        let Some(database) = &self.database else { return Err(stopped()) };
        read(database, commands, resp3).map_err(storage_error)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        drop(self.requests.take());
        if let Some(thread) = self.thread.take() {
            // It returns nothing, and a panic in it has been printed.
            let _ = thread.join();
        }
        let Some(place) = self.place.take() else { return };
        // The file is closed with the last handle of the database; only then may it be opened again.
        let (stores, changed) = open_stores();
        self.database = None;
        lock(stores).remove(&place);
        changed.notify_all();
    }
}

/// The error where the thread has ended, which only a panic makes it do.
pub(super) fn stopped() -> RedisError {
    io::Error::other("the embedded store has stopped").into()
}

type Stores = Mutex<HashMap<PathBuf, Weak<Store>>>;

/// The open stores of this process. Whoever opens a place again shares its store, as on a server.
fn open_stores() -> (&'static Stores, &'static Condvar) {
    static STORES: LazyLock<Stores> = LazyLock::new(Stores::default);
    static CHANGED: Condvar = Condvar::new();
    (&STORES, &CHANGED)
}

/// Locks the open stores. A panic of another thread leaves the map intact.
fn lock(stores: &'static Stores) -> MutexGuard<'static, HashMap<PathBuf, Weak<Store>>> {
    stores.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open_once(place: PathBuf, open: impl FnOnce(PathBuf) -> Result<Arc<Store>, Error>) -> Result<Arc<Store>, Error> {
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

/// Creates the file if it does not exist. It is made beside its place, so that a crash does not leave half a store.
fn create(path: &Path) -> Result<(), redb::Error> {
    if path.exists() {
        return Ok(());
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".new-{}", std::process::id()));
    let beside = PathBuf::from(beside);
    let made = redb::Builder::new().create(&beside).map_err(redb::Error::from).and_then(|database| init(&database));
    // A link, unlike a rename, never replaces a file that was created meanwhile.
    let placed = made.and_then(|()| match fs::hard_link(&beside, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error.into()),
        _ => Ok(()),
    });
    let _ = fs::remove_file(&beside);
    if let Some(folder) = path.parent() {
        // Puts the new name on disk too, where folders can be synced.
        let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    }
    placed
}

fn init(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(META)?.insert(META_LAYOUT, LAYOUT)?;
    Writer::new(&transaction, 0)?;
    transaction.commit()?;
    Ok(())
}

/// Refuses a redb database of another program, or of a newer version of this one. Fills in what an empty or older one
/// lacks.
fn check_layout(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_read()?;
    if transaction.list_tables()?.next().is_none() {
        drop(transaction);
        return init(database);
    }
    let layout = match transaction.open_table(META) {
        Ok(meta) => meta.get(META_LAYOUT)?.map(|row| row.value()),
        Err(_) => None,
    };
    match layout {
        Some(LAYOUT) => match transaction.open_table(FIELD_EXPIRIES) {
            // It was made before fields could expire.
            Err(TableError::TableDoesNotExist(_)) => init(database),
            opened => opened.map(drop).map_err(Into::into),
        },
        Some(newer) => {
            Err(io::Error::other(format!("its layout {newer} is of a newer version; update redis-hashmap")).into())
        }
        None => Err(io::Error::other("it is a redb database of another program; name another file").into()),
    }
}

fn unusable(place: &impl std::fmt::Display, error: redb::Error) -> Error {
    let problem = match error {
        redb::Error::DatabaseAlreadyOpen => {
            "another process has it open; only one process can own a file, and several need a server".to_owned()
        }
        redb::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
            "it is not a store of redis-hashmap".to_owned()
        }
        redb::Error::Corrupted(_) => "it is damaged; restore it from a copy".to_owned(),
        error => error.to_string(),
    };
    Error::Store { place: place.to_string(), problem }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn read(database: &Database, commands: &[Args], resp3: bool) -> Result<Vec<Value>, redb::Error> {
    let transaction = database.begin_read()?;
    let (keys, fields) = (transaction.open_table(KEYS)?, transaction.open_table(FIELDS)?);
    let field_expiries = transaction.open_table(FIELD_EXPIRIES)?;
    let view = View { keys: &keys, fields: &fields, field_expiries: &field_expiries, now: now() };
    commands::answer_all(commands, |name, args| commands::read(&view, resp3, name, args))
}

/// Runs the store's thread, which takes what has come in, carries it out in one transaction, and answers when that is
/// on disk.
fn serve(database: &Database, requests: &Receiver<Request>, durability: Durability) {
    let mut unsynced = false;
    loop {
        let first = if unsynced {
            match requests.recv_timeout(EVENTUALLY) {
                Ok(request) => Some(request),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            }
        } else {
            match requests.recv() {
                Ok(request) => Some(request),
                Err(_) => break,
            }
        };
        let Some(first) = first else {
            unsynced = sync(database).is_err();
            continue;
        };
        let batch: Vec<Request> = std::iter::once(first).chain(requests.try_iter().take(SHARED_COMMIT - 1)).collect();
        if batch.iter().any(|request| commands::writes(&request.commands)) {
            unsynced |= durability == Durability::Eventual;
            commit(database, batch, durability);
        } else {
            for request in batch {
                let answers = read(database, &request.commands, request.resp3);
                (request.respond)(answers.map_err(storage_error));
            }
        }
    }
    if unsynced {
        let _ = sync(database);
    }
}

/// Carries requests out in one transaction. If the disk fails, none of them has happened.
fn commit(database: &Database, batch: Vec<Request>, durability: Durability) {
    let carried_out = || {
        let mut transaction = database.begin_write()?;
        if durability == Durability::Eventual {
            transaction.set_durability(RedbDurability::None)?;
        }
        let mut writer = Writer::new(&transaction, now())?;
        writer.reclaim()?;
        let mut answers = Vec::with_capacity(batch.len());
        for request in &batch {
            let run = |name: &str, args: &[Vec<u8>]| scripts::run(&mut writer, request.resp3, name, args);
            answers.push(commands::answer_all(&request.commands, run)?);
        }
        drop(writer);
        transaction.commit()?;
        Ok::<_, redb::Error>(answers)
    };
    match carried_out() {
        Ok(answers) => {
            for (request, answers) in batch.into_iter().zip(answers) {
                (request.respond)(Ok(answers));
            }
        }
        Err(error) => {
            let error = storage_error(error);
            for request in batch {
                (request.respond)(Err(error.clone()));
            }
        }
    }
}

/// Brings eventual writes to the disk.
fn sync(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    transaction.commit()?;
    Ok(())
}
