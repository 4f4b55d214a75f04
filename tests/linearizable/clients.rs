//! Clients that call at random, and the history of what they called and what was returned.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::ConnectionLike;
use redis::aio::ConnectionLike as AsyncConnectionLike;
use redis_hashmap::{Error, RedisHash};
use redis_hashmap_tests::random::Random;

use crate::model::{COUNTER, Event, Input, Output, updated};

/// The record that all clients work on.
#[derive(RedisHash, Debug, Clone, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) first: Option<i64>,
    pub(crate) second: Option<i64>,
    #[redis_hash(counter)]
    pub(crate) count: Option<i64>,
}

/// Does an operation on an accessor, blocking or async.
macro_rules! perform {
    ($numbers:ident, $input:ident $(, $wait:tt)?) => {{
        macro_rules! field {
            ($index:expr, $field:ident => $operation:expr) => {
                if $index == 0 {
                    let $field = $numbers.first();
                    $operation$(.$wait)?
                } else {
                    let $field = $numbers.second();
                    $operation$(.$wait)?
                }
            };
        }
        Ok(match $input {
            Input::Get(COUNTER) => Output::Value($numbers.count().get()$(.$wait)??),
            Input::Delete(COUNTER) => Output::Flag($numbers.count().delete()$(.$wait)??),
            Input::Get(index) => Output::Value(field!(index, field => field.get())?),
            Input::GetAll => {
                let all = $numbers.get_partial()$(.$wait)??;
                Output::All([all.first, all.second, all.count])
            }
            Input::Set(index, value) => Output::Flag(field!(index, field => field.set(value))?),
            Input::SetIfAbsent(index, value) => Output::Flag(field!(index, field => field.set_if_absent(value))?),
            Input::Delete(index) => Output::Flag(field!(index, field => field.delete())?),
            Input::Take(index) => Output::Value(field!(index, field => field.take())?),
            Input::Increment(by) => Output::Value(Some($numbers.count().increment(by)$(.$wait)??)),
            Input::Update(index, add) => {
                Output::Value(field!(index, field => field.update(|value| *value = updated(*value, add)))?)
            }
            Input::CompareAndSet(index, expected, new) => {
                Output::Flag(field!(index, field => field.compare_and_set(&expected, new))?)
            }
            Input::Patch(first, second) => {
                $numbers.patch(&NumbersPatch::default().first(first).second(second))$(.$wait)??;
                Output::Done
            }
        })
    }};
}

/// Somebody who does what it is told.
pub(crate) trait Client: Send {
    /// Returns `None` if the call was cancelled.
    fn perform(&mut self, input: Input) -> Option<Result<Output, Error>>;
}

pub(crate) struct BlockingClient<C>(NumbersHash<redis_hashmap::Blocking<C>>);

impl<C: ConnectionLike + Send> BlockingClient<C> {
    pub(crate) fn new(key: &str, con: C) -> Self {
        let mut numbers = Numbers::at(key).on(con);
        numbers.set_attempt_limit(1000);
        Self(numbers)
    }
}

impl<C: ConnectionLike + Send> Client for BlockingClient<C> {
    fn perform(&mut self, input: Input) -> Option<Result<Output, Error>> {
        let numbers = &self.0;
        Some((|| perform!(numbers, input))())
    }
}

/// A client on a shared async connection, some of whose calls are cancelled.
pub(crate) struct AsyncClient<C> {
    runtime: Arc<tokio::runtime::Runtime>,
    numbers: NumbersHash<redis_hashmap::Async<C>>,
    random: Random,
}

impl<C: AsyncConnectionLike + Clone + Send + Sync + 'static> AsyncClient<C> {
    pub(crate) fn new(key: &str, con: C, runtime: &Arc<tokio::runtime::Runtime>, seed: u64) -> Self {
        let mut numbers = Numbers::at(key).on_async(con);
        numbers.set_attempt_limit(1000);
        Self { runtime: Arc::clone(runtime), numbers, random: Random(seed) }
    }
}

impl<C: AsyncConnectionLike + Clone + Send + Sync + 'static> Client for AsyncClient<C> {
    fn perform(&mut self, input: Input) -> Option<Result<Output, Error>> {
        let numbers = &self.numbers;
        let call = async { perform!(numbers, input, await) };
        if self.random.below(50) > 0 {
            return Some(self.runtime.block_on(call));
        }
        let turns = self.random.below(4);
        let given_up = async {
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
        };
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                result = call => Some(result),
                () = given_up => None,
            }
        })
    }
}

/// What was called and returned, in order.
#[derive(Clone, Default)]
pub(crate) struct History(Arc<Mutex<Vec<Event>>>);

impl History {
    pub(crate) fn note(&self, event: Event) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }

    pub(crate) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Calls so often at random, and notes it. Ends with the first call that has no result: each of them doubles what is possible.
pub(crate) fn call(client: &mut dyn Client, number: usize, seed: u64, calls: usize, mut note: impl FnMut(Event)) {
    let mut random = Random(seed);
    for _ in 0..calls {
        let input = Input::random(&mut random);
        note(Event::Call(number, input));
        match client.perform(input) {
            Some(Ok(output)) => note(Event::Return(number, Some(output))),
            Some(Err(error)) if !error.may_have_been_applied() => {
                assert!(error.is_transient() || matches!(error, Error::Conflict { .. }), "{input:?}: {error:?}");
                note(Event::Failed(number));
                // Nobody is there: all calls would be over at once.
                std::thread::sleep(Duration::from_millis(1));
            }
            _ => return note(Event::Return(number, None)),
        }
    }
}
