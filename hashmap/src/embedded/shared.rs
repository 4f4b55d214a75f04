//! A store in memory that connections share: the engine behind a lock, on the thread of whoever calls.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use redis::{RedisResult, Value};

use crate::embedded::memory::Memory;
use crate::embedded::request::{Commands, Dialect};
use crate::embedded::transaction::{Watched, Writing, answer};

/// A store in memory. A request has it to itself.
#[derive(Debug)]
pub(super) struct Shared(Mutex<Memory>);

impl Shared {
    /// Opens the store of a name in this process, which ends with its last connection. An empty name makes a new one.
    pub(super) fn open(name: &str) -> Arc<Self> {
        static STORES: LazyLock<Mutex<HashMap<String, Weak<Shared>>>> = LazyLock::new(Mutex::default);
        let new = || Arc::new(Self(Mutex::new(Memory::new())));
        if name.is_empty() {
            return new();
        }
        let mut stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = stores.get(name).and_then(Weak::upgrade) {
            return store;
        }
        stores.retain(|_, store| store.strong_count() > 0);
        let store = new();
        stores.insert(name.to_owned(), Arc::downgrade(&store));
        store
    }

    pub(super) fn request(
        &self,
        commands: Commands<'_>,
        dialect: Dialect,
        watched: &Watched,
    ) -> RedisResult<Vec<Value>> {
        let mut answers = Vec::with_capacity(commands.count());
        self.answer(commands, dialect, watched, |value| answers.push(value))?;
        Ok(answers)
    }

    pub(super) fn request_one(&self, one: Commands<'_>, dialect: Dialect, watched: &Watched) -> RedisResult<Value> {
        let mut answered = Value::Nil;
        self.answer(one, dialect, watched, |value| answered = value)?;
        Ok(answered)
    }

    fn answer(
        &self,
        commands: Commands<'_>,
        dialect: Dialect,
        watched: &Watched,
        take: impl FnMut(Value),
    ) -> RedisResult<()> {
        // Nothing in it panics; if something did, it would leave whole commands.
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let storage = memory.begin(None);
        answer(commands, Writing { storage, dialect }, watched, take)
    }
}
