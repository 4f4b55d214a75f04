//! Runs commands. Only this folder sends any.

#[cfg(feature = "tokio-comp")]
pub(crate) mod asynchronous;
mod attempts;
pub(crate) mod blocking;
pub(crate) mod get_or_insert;
pub(crate) mod mailbox;
pub(crate) mod merge;
mod pipeline;
#[cfg(feature = "tokio-comp")]
mod pipeline_async;
pub(crate) mod require;
pub(crate) mod subject;
pub(crate) mod take;
pub(crate) mod update;
pub(crate) mod wait;
pub(crate) mod write_if;

use crate::command::Command;
use crate::run::mailbox::Mailbox;

/// Decides what an accessor does with the commands that its operations make.
///
/// | executor | made by | an operation returns |
/// |---|---|---|
/// | [`Deferred`] | the constructors | a [`Command<T>`], nothing is sent |
/// | [`Blocking`](crate::Blocking) | `on(con)` | `Result<T, Error>` |
#[cfg_attr(
    feature = "tokio-comp",
    doc = "| [`Async`](crate::Async) | `on_async(con)` | a `Send + 'static` future of that `Result` |"
)]
#[cfg_attr(
    feature = "tokio-comp",
    doc = "| [`Exclusive`](crate::Exclusive) | `on_exclusive(&mut con)` | such a future, which borrows the accessor |"
)]
pub trait Executor: sealed::Sealed {
    /// The return type of an operation with the result `T`.
    type Output<'a, T: Send + 'static>
    where
        Self: 'a;

    /// The return type of an operation of several steps: `T` or a future of it.
    ///
    /// `'f` is the lifetime of what the operation borrows besides the accessor, such as its closure.
    type Driven<'a, 'f, T: Send + 'f>
    where
        Self: 'a,
        'f: 'a;

    /// Runs a command, or keeps it for later.
    fn execute<T: Send + 'static>(&self, command: Command<T>) -> Self::Output<'_, T>;
}

/// An executor with a connection. Operations of several round trips, such as `update`, need one.
#[diagnostic::on_unimplemented(
    message = "this operation takes several round trips, and the accessor has no connection",
    label = "needs an accessor with a connection",
    note = "give it one by `on(con)`, `on_async(con)` or `on_exclusive(&mut con)`; it cannot be a part of a `batch`"
)]
pub trait Connected: Executor {
    /// Runs an operation of several steps to its end.
    #[doc(hidden)]
    fn drive<'a, 'f, T, O>(&'a self, operation: impl FnOnce(Mailbox) -> O) -> Self::Driven<'a, 'f, T>
    where
        O: Future<Output = T> + Send + 'f,
        T: Send + 'f,
        'f: 'a;
}

/// An executor whose connection is used by nobody else during a call: [`Blocking`](crate::Blocking), and `Exclusive`.
#[diagnostic::on_unimplemented(
    message = "`wait` needs a connection of its own",
    label = "this accessor shares its connection, and `WAIT` would make all others wait too",
    note = "use one by `on(con)` or `on_exclusive(&mut con)`, on a connection that nobody else uses"
)]
pub trait Alone: Connected {}

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// Sends nothing. Operations return their [`Command`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Deferred;

impl sealed::Sealed for Deferred {}

impl Executor for Deferred {
    type Output<'a, T: Send + 'static> = Command<T>;

    /// Operations of several steps need a connection, so none can be called.
    type Driven<'a, 'f, T: Send + 'f>
        = std::convert::Infallible
    where
        'f: 'a;

    fn execute<T: Send + 'static>(&self, command: Command<T>) -> Command<T> {
        command
    }
}
