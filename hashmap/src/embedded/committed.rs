//! A file whose writes are on the disk when they return: reads see what was last committed, on the thread of whoever
//! asks; a thread carries out together the writes that come together.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use redis::{RedisResult, Value};

use crate::embedded::base::{Base, Snapshot};
use crate::embedded::disk::guarded;
use crate::embedded::layout::io_error;
use crate::embedded::request::{Commands, Dialect};
use crate::embedded::sent::{Request, stopped};
use crate::embedded::transaction::{Reading, Watched, Writing, answer, writes};

/// The most requests that share one transaction, and so one sync of the disk.
const SHARED_COMMIT: usize = 256;

/// How long a commit waits for as many writers as the last one had.
const GATHERING: Duration = Duration::from_micros(150);

/// What was last committed, or why it cannot be read.
type Published = RwLock<RedisResult<Arc<Snapshot>>>;

pub(super) struct Committed {
    published: Arc<Published>,
    /// Dropping it ends the thread. It is `Some` until the store is dropped.
    requests: Option<Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

impl Committed {
    pub(super) fn start(mut base: Base) -> Result<Self, redb::Error> {
        let published = Arc::new(RwLock::new(Ok(Arc::new(base.snapshot()?))));
        let (requests, received) = channel();
        let shared = Arc::clone(&published);
        let thread = std::thread::Builder::new()
            .name("redis-hashmap store".to_owned())
            .spawn(move || serve(base, &received, &shared))?;
        Ok(Self { published, requests: Some(requests), thread: Some(thread) })
    }

    /// Answers commands that only read, on the caller's thread. Others have to be sent.
    pub(super) fn at_once(
        &self,
        commands: Commands<'_>,
        dialect: Dialect,
        watched: &Watched,
    ) -> Option<RedisResult<Vec<Value>>> {
        match writes(commands, dialect) {
            Ok(true) => None,
            Ok(false) => Some(self.read(commands, dialect, watched)),
            Err(error) => Some(Err(error)),
        }
    }

    fn read(&self, commands: Commands<'_>, dialect: Dialect, watched: &Watched) -> RedisResult<Vec<Value>> {
        // It is not held while redb reads, so that a commit does not wait for long reads.
        let snapshot = self.published.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        let view = snapshot.view();
        let mut answers = Vec::with_capacity(commands.count());
        let carrier = Reading { storage: &view, dialect };
        guarded(|| Ok(answer(commands, carrier, watched, |value| answers.push(value)))).map_err(io_error)??;
        Ok(answers)
    }

    /// Hands a request to the thread that writes.
    pub(super) fn send(&self, request: Request) {
        let Some(requests) = &self.requests else { return (request.respond)(Err(stopped())) };
        if let Err(unsent) = requests.send(request) {
            (unsent.0.respond)(Err(stopped()));
        }
    }
}

impl Drop for Committed {
    fn drop(&mut self) {
        drop(self.requests.take());
        if let Some(thread) = self.thread.take() {
            // It returns nothing, and a panic in it has been printed.
            let _ = thread.join();
        }
    }
}

/// Runs the store's thread, which takes what has come in, carries it out in one transaction, and answers when that is
/// on disk.
fn serve(mut base: Base, requests: &Receiver<Request>, published: &Published) {
    let mut expected = 1;
    while let Ok(first) = requests.recv() {
        let batch = gather(first, requests, expected);
        expected = batch.len();
        let written = base.write(batch.len(), |tables| {
            let carry_out = |request: &Request| {
                let carrier = Writing { storage: &mut *tables, dialect: request.dialect };
                let mut answers = Vec::new();
                answer(Commands::Packed(&request.packed), carrier, &request.watched, |value| answers.push(value))?;
                Ok(answers)
            };
            batch.iter().map(carry_out).collect::<RedisResult<Vec<_>>>()
        });
        // Before the answers, so that whoever has one reads what it wrote.
        let snapshot = base.snapshot().map(Arc::new).map_err(|error| io_error(error).into());
        *published.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
        match written {
            Ok(answers) => batch.into_iter().zip(answers).for_each(|(request, answers)| (request.respond)(Ok(answers))),
            Err(error) => batch.into_iter().for_each(|request| (request.respond)(Err(error.clone()))),
        }
    }
}

/// The requests of one commit. Those who got the last one's answers are likely to come again, and sooner than a commit
/// takes; so it waits a little for as many.
fn gather(first: Request, requests: &Receiver<Request>, expected: usize) -> Vec<Request> {
    let mut batch = vec![first];
    batch.extend(requests.try_iter().take(SHARED_COMMIT - 1));
    let until = Instant::now() + GATHERING;
    while batch.len() < expected {
        match requests.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(request) => batch.push(request),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    batch
}
