//! The way of an operation of several steps to its connection: it asks, and its executor answers.
//!
//! An operation is an `async fn` that awaits only its mailbox (and the user's own future, where it takes one). It names
//! no connection, so a blocking executor and an async one drive the same function.
//!
//! ```text
//! operation:  send(request) ─── asks ──▶ ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄▶ awaits ──▶ reads the reply, goes on or returns
//! executor:   polls, Pending ──▶ takes the command, sends it, answers ──▶ polls
//! ```

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use redis::{Cmd, RedisError, Value};

use crate::command::reply::{Reply, is_unknown_script};
use crate::command::request::{By, Request};
use crate::error::Error;

/// Passes requests and replies between an operation and its executor.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub struct Mailbox(Arc<Mutex<State>>);

#[derive(Debug)]
enum State {
    Empty,
    Asked(Ask),
    Answered(Result<Value, RedisError>),
}

/// What an operation asks for.
#[derive(Debug)]
pub(crate) enum Ask {
    Send(Cmd),
    /// Go on after a pause, where there is a timer.
    Wait(Duration),
}

impl Mailbox {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(State::Empty)))
    }

    /// Sends a request. Operations call it.
    pub(crate) async fn send<'r>(&self, request: &'r Request) -> Result<Reply<'r>, Error> {
        let mut reply = self.send_cmd(request.cmd(By::Hash)).await;
        if is_unknown_script(request, &reply) {
            reply = self.send_cmd(request.cmd(By::Source)).await;
        }
        Reply::new(reply, request)
    }

    /// Sends a command. Operations call it.
    pub(crate) async fn send_cmd(&self, cmd: Cmd) -> Result<Value, RedisError> {
        self.ask(Ask::Send(cmd)).await
    }

    /// Waits. Operations call it.
    pub(crate) async fn wait(&self, pause: Duration) {
        // The answer only means that the time has passed.
        let _ = self.ask(Ask::Wait(pause)).await;
    }

    async fn ask(&self, ask: Ask) -> Result<Value, RedisError> {
        *self.state() = State::Asked(ask);
        poll_fn(|_| {
            let mut state = self.state();
            match std::mem::replace(&mut *state, State::Empty) {
                State::Answered(answer) => Poll::Ready(answer),
                unanswered => {
                    *state = unanswered;
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Takes what the operation has asked for, if it has. Executors call it.
    pub(crate) fn asked(&self) -> Option<Ask> {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Empty) {
            State::Asked(ask) => Some(ask),
            other => {
                *state = other;
                None
            }
        }
    }

    /// Answers what the operation has asked for. Executors call it.
    pub(crate) fn answer(&self, answer: Result<Value, RedisError>) {
        *self.state() = State::Answered(answer);
    }

    /// Ignores poison: nothing that can panic runs while the state is locked.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
