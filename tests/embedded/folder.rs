//! What the tests of files share: a folder for each, and processes that can be killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use redis_hashmap::{Durability, Embedded, Error};
use redis_hashmap_tests::{AnyError, key};

pub(crate) type Test = Result<(), AnyError>;

/// A folder for each test, which is removed at the test's end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("redis-hashmap-{test}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("settings.redb")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[track_caller]
pub(crate) fn refused(path: &Path) -> String {
    match Embedded::in_file(path, Durability::Immediate) {
        Err(error @ Error::Store { .. }) => error.to_string(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was opened"),
    }
}

/// Starts this test binary as another process that runs one ignored test.
pub(crate) fn child(test: &str, folder: &Folder) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", test, "--nocapture"]).env("STORE", folder.file());
    command
}

/// The file that such a process is to open.
pub(crate) fn store() -> PathBuf {
    PathBuf::from(std::env::var_os("STORE").expect("run by another test"))
}

/// True in `tests/run --long`.
pub(crate) fn is_long() -> bool {
    std::env::var_os("PROPTEST_CASES").is_some()
}

/// A store in memory, or in a file, which is removed with it.
pub(crate) struct Either {
    store: Embedded,
    file: Option<std::path::PathBuf>,
}

/// Of two files, one after the other, each is of another engine.
static FILES: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn either(in_file: bool) -> Either {
    if !in_file {
        return Either { store: Embedded::in_memory("").unwrap(), file: None };
    }
    let file = std::env::temp_dir().join(format!("{}.redb", key().replace(['/', ':'], "-")));
    let is_eventual = FILES.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
    let durability = if is_eventual { Durability::Eventual } else { Durability::Immediate };
    Either { store: Embedded::in_file(&file, durability).unwrap(), file: Some(file) }
}

impl std::ops::Deref for Either {
    type Target = Embedded;

    fn deref(&self) -> &Embedded {
        &self.store
    }
}

impl Drop for Either {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            let _ = std::fs::remove_file(file);
        }
    }
}
