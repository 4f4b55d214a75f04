//! A file that follows the memory of this process: a write is done once it is in memory, and on the disk soon after.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use redis::{RedisError, RedisResult, Value};

use crate::embedded::base::Base;
use crate::embedded::disk::guarded;
use crate::embedded::log::{Log, Logged};
use crate::embedded::memory::Memory;
use crate::embedded::request::{Commands, Dialect};
use crate::embedded::sent::{Request, Respond};
use crate::embedded::storage::{self, Edit, Hash, Reader, Writer};
use crate::embedded::transaction::{Watched, Writing, answer, writes};

/// The longest that a sync begins after the first write that it is for. After a failure, it is tried again as often.
const EVENTUALLY: Duration = Duration::from_millis(500);

/// A sync begins earlier if there are so many bytes to write.
const EARLY: usize = 16 << 20;

/// With so many bytes to write, writes wait for the disk.
const FULL: usize = 64 << 20;

pub(super) struct Eventual {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    /// Wakes the thread that syncs.
    work: Condvar,
    /// Wakes those who wait for a sync.
    ended: Condvar,
}

struct State {
    memory: Memory,
    /// What no sync has begun to write.
    log: Log,
    /// When the first of it was written; None: there is nothing.
    since: Option<Instant>,
    /// Why the last sync failed.
    failure: Option<String>,
    /// Writes that found the log full.
    waiting: VecDeque<Request>,
    /// Somebody waits for a sync, or the store is being closed.
    hurry: bool,
    closing: bool,
    syncs_begun: u64,
    syncs_ended: u64,
}

impl Eventual {
    pub(super) fn start(mut base: Base, place: &Path) -> Result<Self, redb::Error> {
        let mut memory = Memory::new();
        let snapshot = base.snapshot()?;
        guarded(|| load(&mut memory, &snapshot.view()).map_err(Into::into))?;
        drop(snapshot);
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                memory,
                log: Log::default(),
                since: None,
                failure: None,
                waiting: VecDeque::new(),
                hurry: false,
                closing: false,
                syncs_begun: 0,
                syncs_ended: 0,
            }),
            work: Condvar::new(),
            ended: Condvar::new(),
        });
        let (of_thread, place) = (Arc::clone(&shared), place.to_owned());
        let thread = std::thread::Builder::new()
            .name("redis-hashmap sync".to_owned())
            .spawn(move || of_thread.serve(base, &place))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Carries commands out on the caller's thread. If there is no room for what they write, they have to be sent.
    pub(super) fn at_once(
        &self,
        commands: Commands<'_>,
        dialect: Dialect,
        watched: &Watched,
    ) -> Option<RedisResult<Vec<Value>>> {
        let mut state = self.shared.lock();
        if (state.failure.is_some() || state.log.len() >= FULL || !state.waiting.is_empty())
            && writes(commands, dialect).unwrap_or_default()
        {
            return state.failure.as_deref().map(|failure| Err(refused(failure)));
        }
        let is_first = state.since.is_none();
        let answers = state.carry_out(commands, dialect, watched);
        if state.log.len() > 0 && (is_first || state.log.len() >= EARLY) {
            self.shared.work.notify_one();
        }
        Some(answers)
    }

    /// Has a request carried out once there is room for what it writes.
    pub(super) fn send(&self, request: Request) {
        self.shared.lock().waiting.push_back(request);
        self.shared.work.notify_one();
    }

    /// Waits until what was written before is on the disk, or fails to get there.
    pub(super) fn sync(&self) -> Result<(), String> {
        let mut state = self.shared.lock();
        let awaited = state.syncs_begun + u64::from(state.log.len() > 0);
        while state.syncs_ended < awaited {
            state.hurry = true;
            self.shared.work.notify_one();
            state = self.shared.ended.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.failure.clone().map_or(Ok(()), Err)
    }
}

impl Drop for Eventual {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.work.notify_one();
        if let Some(thread) = self.thread.take() {
            // It returns nothing, and a panic in it has been printed.
            let _ = thread.join();
        }
    }
}

impl State {
    fn carry_out(&mut self, commands: Commands<'_>, dialect: Dialect, watched: &Watched) -> RedisResult<Vec<Value>> {
        self.memory.begin(None);
        let mut storage = Logged { memory: &mut self.memory, log: &mut self.log };
        let mut answers = Vec::with_capacity(commands.count());
        answer(commands, Writing { storage: &mut storage, dialect }, watched, |value| answers.push(value))?;
        if self.since.is_none() && self.log.len() > 0 {
            self.since = Some(Instant::now());
        }
        Ok(answers)
    }

    /// How long the next sync can wait; None: there is nothing to write.
    fn patience(&self) -> Option<Duration> {
        let is_urgent = self.log.len() >= EARLY || !self.waiting.is_empty();
        if self.closing || self.hurry || (is_urgent && self.failure.is_none()) {
            return Some(Duration::ZERO);
        }
        self.since.map(|since| EVENTUALLY.saturating_sub(since.elapsed()))
    }

    /// Takes what there is to write, and carries out what waited for room.
    fn begin_sync(&mut self) -> (Log, Vec<Answered>) {
        let log = std::mem::take(&mut self.log);
        (self.since, self.hurry) = (None, false);
        self.syncs_begun += 1;
        let mut answered = Vec::new();
        while self.failure.is_none()
            && self.log.len() < FULL
            && let Some(request) = self.waiting.pop_front()
        {
            let answers = self.carry_out(Commands::Packed(&request.packed), request.dialect, &request.watched);
            answered.push((request.respond, answers));
        }
        (log, answered)
    }

    /// Takes note of what became of a sync. If it failed, its changes are the first of the next one.
    fn end_sync(&mut self, log: Log, synced: io::Result<()>) -> Vec<Answered> {
        self.syncs_ended += 1;
        self.failure = synced.err().map(|error| error.to_string());
        let Some(failure) = &self.failure else { return Vec::new() };
        self.log.put_before(log);
        self.since = Some(Instant::now());
        self.waiting.drain(..).map(|request| (request.respond, Err(refused(failure)))).collect()
    }
}

type Answered = (Respond, RedisResult<Vec<Value>>);

fn respond(answered: Vec<Answered>) {
    for (respond, answers) in answered {
        respond(answers);
    }
}

fn refused(failure: &str) -> RedisError {
    io::Error::other(format!("no writes are taken until earlier ones are on the disk: {failure}")).into()
}

impl Shared {
    /// Nothing in it panics; if something did, it would leave whole commands.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the store's thread, which brings what is in memory to the disk.
    fn serve(&self, mut base: Base, place: &Path) {
        loop {
            let mut state = self.lock();
            loop {
                state = match state.patience() {
                    Some(Duration::ZERO) => break,
                    Some(patience) => self.work.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner).0,
                    None => self.work.wait(state).unwrap_or_else(PoisonError::into_inner),
                };
            }
            if state.closing && state.log.len() == 0 && state.waiting.is_empty() {
                return;
            }
            let (log, answered) = state.begin_sync();
            drop(state);
            respond(answered);
            let synced = base.write(log.count(), |tables| {
                // What expired in memory did so at its time.
                tables.now = 0;
                log.replay(tables)
            });
            let mut state = self.lock();
            let answered = state.end_sync(log, synced);
            let lost = state.failure.clone().filter(|_| state.closing);
            drop(state);
            self.ended.notify_all();
            respond(answered);
            if let Some(error) = lost {
                // Nobody is left who could be told.
                eprintln!("redis-hashmap: the last writes to {} are lost: {error}", place.display());
                return;
            }
        }
    }
}

/// Reads a whole file into memory.
fn load(memory: &mut Memory, view: &impl Reader) -> storage::Result<()> {
    let memory = memory.begin(Some(view.now()));
    let mut copy = |key: &[u8]| {
        let Some(hash) = view.hash(key)? else { return Ok(()) };
        let mut loaded = memory.edit(key)?;
        let mut copied = Ok(());
        hash.each_field(0, |field| {
            copied = loaded.set(field.name, field.value, field.expires).map(drop);
            copied.is_ok()
        })?;
        copied?;
        loaded.expire(hash.expires())?;
        loaded.close()
    };
    let mut copied = Ok(());
    view.each_key(0, |_, key| {
        copied = copy(key);
        copied.is_ok()
    })?;
    copied
}
