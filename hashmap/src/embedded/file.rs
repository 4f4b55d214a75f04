//! The store in a file: a redb database, and the one thread that writes to it.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use redb::{Database, Durability as RedbDurability, ReadableDatabase, TableError};
use redis::{RedisError, RedisResult, Value};

use crate::embedded::engine::io_error;
use crate::embedded::memory::clock;
use crate::embedded::request::{Commands, Dialect};
use crate::embedded::tables::{FIELD_EXPIRIES, FIELDS, KEYS, LAYOUT, META, META_LAYOUT, Tables, View};
use crate::embedded::transaction::{Reading, Watched, Writing, answer, writes};
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
pub(super) type Respond = Box<dyn FnOnce(RedisResult<Vec<Value>>) + Send>;

/// Commands that are carried out with nothing in between.
pub(super) struct Request {
    pub(super) packed: Vec<u8>,
    pub(super) dialect: Dialect,
    pub(super) watched: Arc<Watched>,
    pub(super) respond: Respond,
}

/// A file that threads and tasks share.
pub(super) struct File {
    /// The database. It is `Some` until the store is dropped.
    database: Option<Arc<Database>>,
    /// Dropping it ends the thread. It is `Some` until the store is dropped.
    requests: Option<Sender<Request>>,
    thread: Option<JoinHandle<()>>,
    /// Its key among the open stores.
    place: PathBuf,
}

impl File {
    /// Opens the store in a file, which is created if it does not exist.
    pub(super) fn open(path: &Path, durability: Durability) -> Result<Arc<Self>, Error> {
        let place = true_path(path).map_err(|error| unusable(&path.display(), error.into()))?;
        open_once(place, |place| {
            create(&place).map_err(|error| unusable(&place.display(), error))?;
            // The check on opening makes a damaged file an error now, and not a panic later.
            let database = redb::Builder::new().set_check_integrity_on_open(true).open(&place);
            let database = database.map_err(|error| unusable(&place.display(), error.into()))?;
            Self::start(database, durability, place)
        })
    }

    fn start(database: Database, durability: Durability, place: PathBuf) -> Result<Arc<Self>, Error> {
        let shown = place.display().to_string();
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
    pub(super) fn read(&self, commands: Commands<'_>, dialect: Dialect, watched: &Watched) -> RedisResult<Vec<Value>> {
        let Some(database) = &self.database else { return Err(stopped()) };
        read(database, commands, dialect, watched)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        drop(self.requests.take());
        if let Some(thread) = self.thread.take() {
            // It returns nothing, and a panic in it has been printed.
            let _ = thread.join();
        }
        // The file is closed with the last handle of the database; only then may it be opened again.
        let (stores, changed) = open_stores();
        self.database = None;
        lock(stores).remove(&self.place);
        changed.notify_all();
    }
}

/// The error where the thread has ended, which only a panic makes it do.
pub(super) fn stopped() -> RedisError {
    io::Error::other("the embedded store has stopped").into()
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
    Tables::new(&transaction, 0)?;
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

fn failed(error: redb::Error) -> RedisError {
    io_error(error).into()
}

fn read(database: &Database, commands: Commands<'_>, dialect: Dialect, watched: &Watched) -> RedisResult<Vec<Value>> {
    let tables = || {
        let transaction = database.begin_read()?;
        let (keys, fields) = (transaction.open_table(KEYS)?, transaction.open_table(FIELDS)?);
        Ok((keys, fields, transaction.open_table(FIELD_EXPIRIES)?))
    };
    let (keys, fields, field_expiries) = tables().map_err(failed)?;
    let view = View { keys: &keys, fields: &fields, field_expiries: &field_expiries, now: clock() };
    let mut answers = Vec::with_capacity(commands.count());
    answer(commands, Reading { storage: &view, dialect }, watched, |value| answers.push(value))?;
    Ok(answers)
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
        if batch.iter().any(|request| writes(Commands::Packed(&request.packed), request.dialect).unwrap_or_default()) {
            unsynced |= durability == Durability::Eventual;
            commit(database, batch, durability);
        } else {
            for request in batch {
                (request.respond)(read(database, Commands::Packed(&request.packed), request.dialect, &request.watched));
            }
        }
    }
    if unsynced {
        let _ = sync(database);
    }
}

/// Carries requests out in one transaction. If the disk fails, none of them has happened.
fn commit(database: &Database, batch: Vec<Request>, durability: Durability) {
    match carried_out(database, &batch, durability) {
        Ok(answers) => {
            for (request, answers) in batch.into_iter().zip(answers) {
                (request.respond)(Ok(answers));
            }
        }
        Err(error) => {
            for request in batch {
                (request.respond)(Err(error.clone()));
            }
        }
    }
}

fn carried_out(database: &Database, batch: &[Request], durability: Durability) -> RedisResult<Vec<Vec<Value>>> {
    let mut transaction = database.begin_write().map_err(|error| failed(error.into()))?;
    if durability == Durability::Eventual {
        transaction.set_durability(RedbDurability::None).map_err(|error| failed(error.into()))?;
    }
    let mut tables = Tables::new(&transaction, clock()).map_err(failed)?;
    tables.reclaim().map_err(failed)?;
    let mut answers = Vec::with_capacity(batch.len());
    for request in batch {
        let carrier = Writing { storage: &mut tables, dialect: request.dialect };
        let mut taken = Vec::new();
        answer(Commands::Packed(&request.packed), carrier, &request.watched, |value| taken.push(value))?;
        answers.push(taken);
    }
    drop(tables);
    transaction.commit().map_err(|error| failed(error.into()))?;
    Ok(answers)
}

/// Brings eventual writes to the disk.
fn sync(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    transaction.commit()?;
    Ok(())
}
