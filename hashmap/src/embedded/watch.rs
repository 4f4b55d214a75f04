//! WATCH: who has to know that a key was changed before a transaction.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::embedded::names::{Command, Write};

/// What a connection watches.
#[derive(Debug, Default)]
pub(super) struct Watched {
    has_changed: AtomicBool,
}

/// Keys, and who watches each.
type List = Vec<(Box<[u8]>, Weak<Watched>)>;

/// The keys that connections watch.
#[derive(Debug, Default)]
pub(super) struct Watches {
    list: Mutex<List>,
    /// False while nobody watches anything, which is nearly always.
    any: AtomicBool,
}

impl Watches {
    fn list(&self) -> MutexGuard<'_, List> {
        // Nothing panics while it is locked.
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_any(&self) -> bool {
        self.any.load(Ordering::SeqCst)
    }

    pub(super) fn watch(&self, watched: &Arc<Watched>, keys: &[&[u8]]) {
        let mut list = self.list();
        list.extend(keys.iter().map(|key| (Box::from(*key), Arc::downgrade(watched))));
        self.any.store(true, Ordering::SeqCst);
    }

    /// Ends what a connection watches. Returns true if nothing of it has changed.
    pub(super) fn unwatch(&self, watched: &Arc<Watched>) -> bool {
        if self.any.load(Ordering::SeqCst) {
            let mut list = self.list();
            list.retain(|(_, other)| other.upgrade().is_some_and(|other| !Arc::ptr_eq(&other, watched)));
            self.any.store(!list.is_empty(), Ordering::SeqCst);
        }
        !watched.has_changed.swap(false, Ordering::SeqCst)
    }

    /// Tells those who watch what a command may have changed.
    #[inline]
    pub(super) fn note(&self, command: Command, args: &[&[u8]]) {
        if let Command::Write(command) = command
            && self.any.load(Ordering::SeqCst)
        {
            self.tell(command, args);
        }
    }

    #[cold]
    fn tell(&self, command: Write, args: &[&[u8]]) {
        let keys = match command {
            Write::Del | Write::Unlink => args,
            Write::Rename | Write::RenameNx | Write::Copy => args.get(..2).unwrap_or(args),
            Write::FlushDb => &[],
            Write::Eval | Write::EvalSha => args.get(2..3).unwrap_or_default(),
            _ => args.get(..1).unwrap_or_default(),
        };
        for (key, watched) in &*self.list() {
            if (keys.is_empty() || keys.contains(&&**key))
                && let Some(watched) = watched.upgrade()
            {
                watched.has_changed.store(true, Ordering::SeqCst);
            }
        }
    }
}
