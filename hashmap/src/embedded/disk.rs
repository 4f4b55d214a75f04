//! A file on the disk, which belongs to one process as long as it is open.

use std::any::Any;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::backends::FileBackend;
use redb::{Database, StorageBackend};

/// A file that this process has locked, until the last clone is dropped.
///
/// redb's own lock would end whenever its database is closed, also to be opened again after a failure.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    file: Arc<FileBackend>,
    _lock: Arc<Lock>,
    path: Arc<Path>,
    identity: Identity,
    /// How long redb has made it.
    length: Arc<AtomicU64>,
}

/// A lock on a file, which ends with this. Closing the file does not end it where a process that is being started has
/// inherited the file for a moment.
#[derive(Debug)]
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // There is nobody to tell, and closing the file ends the lock too.
        let _ = self.0.unlock();
    }
}

impl Disk {
    /// Opens and locks a file that exists.
    pub(super) fn open(path: &Path) -> Result<Self, redb::Error> {
        loop {
            let file = OpenOptions::new().read(true).write(true).open(path)?;
            let lock = Lock(file.try_clone()?);
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => return Err(redb::Error::DatabaseAlreadyOpen),
                Err(TryLockError::Error(error)) => where_there_are_locks(Err(error))?,
                Ok(()) => {}
            }
            let metadata = file.metadata()?;
            if metadata.len() == 0 {
                return Err(io::Error::from(io::ErrorKind::InvalidData).into());
            }
            let identity = identity(&metadata);
            // Otherwise somebody put another file there before the lock.
            if is_at(path, identity) {
                // What a kill while it was created has left: nobody can be creating it now.
                let _ = fs::remove_file(beside(path));
                return Self::new(file, lock, path, identity);
            }
        }
    }

    /// Creates a file if there is none. It is made beside its place, so that a crash does not leave half a store.
    pub(super) fn create(
        path: &Path,
        init: impl FnOnce(&Database) -> Result<(), redb::Error>,
    ) -> Result<(), redb::Error> {
        if path.exists() {
            return Ok(());
        }
        let beside = beside(path);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&beside)?;
        // Waits for another that creates it, whose file may be at its place then, and may be this very file.
        let lock = Lock(file.try_clone()?);
        where_there_are_locks(file.lock())?;
        if path.exists() {
            return Ok(());
        }
        file.set_len(0)?; // what a kill has left
        let made = file.metadata().map_err(Into::into).and_then(|metadata| {
            let database = Self::new(file, lock, &beside, identity(&metadata))?.database()?;
            init(&database)?;
            database.close().map_err(redb::Error::from)
        });
        // A link, unlike a rename, never replaces a file that was created meanwhile.
        let placed = made.and_then(|()| match fs::hard_link(&beside, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error.into()),
            _ => Ok(()),
        });
        let _ = fs::remove_file(&beside);
        if let Some(folder) = path.parent() {
            // Puts the new name on disk too, where folders can be synced.
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
        placed
    }

    fn new(file: File, lock: Lock, path: &Path, identity: Identity) -> Result<Self, redb::Error> {
        let file = FileBackend::new(file)?;
        let length = Arc::new(AtomicU64::new(file.len()?));
        Ok(Self { file: Arc::new(file), _lock: Arc::new(lock), path: path.into(), identity, length })
    }

    /// Fails if the file is no longer at its place, or is cut short: whatever is written to it then, nobody will find it.
    pub(super) fn check_place(&self) -> io::Result<()> {
        if is_at(&self.path, self.identity) {
            return self.check_length();
        }
        Err(io::Error::other("the file was deleted or replaced while the store was open; close it and open it again"))
    }

    /// Fails if the file is shorter than it was made: redb would take an empty one for a new one, and fill up what is missing
    /// with nothing, and what was in it would be gone without a word.
    pub(super) fn check_length(&self) -> io::Result<()> {
        if self.file.len()? >= self.length.load(Ordering::Relaxed) {
            return Ok(());
        }
        let problem = "the file was cut short while the store was open; put its content back, or delete the file, with \
                       what is in it, and open it again";
        Err(io::Error::other(problem))
    }

    /// Opens the database in it. Every page is checked, so that damage is an error now, and not a panic later.
    pub(super) fn database(&self) -> Result<Database, redb::Error> {
        let builder = redb::Builder::new();
        guarded(|| { builder }.set_check_integrity_on_open(true).create_with_backend(self.clone()).map_err(Into::into))
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    beside.into()
}

/// Some file systems have no locks; then it is for the user to see to it that a file has one owner.
fn where_there_are_locks(locked: io::Result<()>) -> io::Result<()> {
    match locked {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        locked => locked,
    }
}

/// Calls redb, which may panic on what it finds in a damaged file.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, redb::Error> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(redb::Error::Corrupted(message(&*panic))))
}

fn message(panic: &dyn Any) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic").to_owned()
}

/// What tells a file from every other on this machine.
#[cfg(unix)]
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(metadata: &fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

#[cfg(unix)]
fn is_at(path: &Path, expected: Identity) -> bool {
    fs::metadata(path).is_ok_and(|metadata| identity(&metadata) == expected)
}

/// An open file cannot be deleted or replaced elsewhere.
#[cfg(not(unix))]
type Identity = ();

#[cfg(not(unix))]
fn identity(_metadata: &fs::Metadata) -> Identity {}

#[cfg(not(unix))]
fn is_at(_path: &Path, (): Identity) -> bool {
    true
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)?;
        self.length.store(len, Ordering::Relaxed);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write(offset, data)
    }
}
