//! Batches: several commands in one round trip.

use crate::command::Command;
use crate::command::received::Received;
use crate::command::request::Request;
use crate::error::Error;

/// Makes a batch of several commands: a tuple of up to 16 [`Command`]s of any results, or a `Vec` of commands of one
/// result.
///
/// ```
/// use redis_hashmap::{HashMap, batch};
/// # let mut con = redis_hashmap_tests::connection()?;
/// # let key = redis_hashmap_tests::key();
///
/// let settings = HashMap::new(&*key); // no connection: operations are commands
/// let (is_new, size) = batch((settings.set("theme", "dark"), settings.size())).query(&mut con)?;
/// assert_eq!((is_new, size), (true, 1)); // HSET and HLEN, one round trip
///
/// let sizes = batch(vec![settings.size(), settings.size()]).query(&mut con)?;
/// assert_eq!(sizes, [1, 1]);
/// # batch((settings.clear(),)).atomic().query(&mut con)?;
/// # Ok::<(), redis_hashmap_tests::AnyError>(())
/// ```
pub fn batch<C: Commands>(commands: C) -> Batch<C> {
    Batch { commands, atomic: false }
}

/// Commands that are sent together. [`batch`] makes one, and so does an iterator of commands by `collect`.
///
/// All commands are sent in one round trip. Each is carried out, even if another one fails; then [`query`](Self::query)
/// returns the first error, and [`query_each`](Self::query_each) a result for each. If a command cannot be made (its key
/// is empty, its value cannot be stored), `query` sends nothing, and `query_each` sends the others.
///
/// On a cluster, each master gets its commands, all masters at once. A cluster connection of redis-rs sends them slot by slot
/// where it is async, and one after the other, in a round trip each, where it is blocking.
#[must_use = "a batch does nothing until it is sent: `query`, `query_each`, `query_async` or `query_each_async`"]
#[derive(Debug, Clone)]
pub struct Batch<C> {
    pub(crate) commands: C,
    pub(crate) atomic: bool,
}

impl<T> FromIterator<Command<T>> for Batch<Vec<Command<T>>> {
    fn from_iter<I: IntoIterator<Item = Command<T>>>(commands: I) -> Self {
        batch(commands.into_iter().collect())
    }
}

impl<C: Commands> Batch<C> {
    /// The requests, if all could be made.
    pub(crate) fn made(&self) -> Result<Vec<&Request>, Error> {
        let requests = self.commands.requests().into_iter().map(Result::as_ref);
        requests.collect::<Result<_, _>>().map_err(Error::clone)
    }

    /// The requests that could be made.
    ///
    /// A transaction is carried out as a whole or not at all: there, the first error is that of the batch.
    pub(crate) fn makeable(&self) -> Result<Vec<&Request>, Error> {
        if self.atomic {
            return self.made();
        }
        Ok(self.commands.requests().into_iter().filter_map(|request| request.as_ref().ok()).collect())
    }

    /// Wraps the commands in `MULTI` and `EXEC`, so that no other client sees only a part of them done.
    ///
    /// Redis does not roll back: a command that fails (on a key of another type, say) does not undo the others.
    ///
    /// Where the server refuses a command before it runs, that command's error is returned, and none is carried out.
    /// Where it refuses `MULTI` itself (to a user without the right to it), the commands are carried out one by one,
    /// and the error of `MULTI` is returned.
    ///
    /// A cluster takes an atomic batch only with all keys in one hash slot, and not on a blocking connection of redis-rs.
    /// Otherwise the batch returns [`Error::NotAtomic`], and nothing is sent. Where a key that the connection watches has changed, it
    /// returns [`Error::WatchedKeyChanged`], and nothing is carried out.
    pub fn atomic(mut self) -> Self {
        self.atomic = true;
        self
    }
}

/// Reads the reply to a command, if it could be made.
fn read<T>(command: &Command<T>, replies: &mut Received) -> Result<T, Error> {
    let request = command.request.as_ref().map_err(Error::clone)?;
    command.reader.read(replies.next(request)?)
}

/// The commands that [`batch`] takes: a tuple of up to 16 commands, or a `Vec` of commands of one result.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tuple or `Vec` of commands",
    note = "an accessor without a connection (no `on`) hands out commands; a batch of one is `batch((command,))`"
)]
pub trait Commands: Sized {
    /// The results of the commands.
    type Output;

    /// A `Result` for each command.
    type Each;

    #[doc(hidden)]
    fn requests(&self) -> Vec<&Result<Request, Error>>;

    #[doc(hidden)]
    fn read(&self, replies: &mut Received) -> Result<Self::Output, Error>;

    #[doc(hidden)]
    fn read_each(&self, replies: &mut Received) -> Self::Each;
}

impl<T> Commands for Vec<Command<T>> {
    type Output = Vec<T>;
    type Each = Vec<Result<T, Error>>;

    fn requests(&self) -> Vec<&Result<Request, Error>> {
        self.iter().map(|command| &command.request).collect()
    }

    fn read(&self, replies: &mut Received) -> Result<Vec<T>, Error> {
        self.iter().map(|command| read(command, replies)).collect()
    }

    fn read_each(&self, replies: &mut Received) -> Vec<Result<T, Error>> {
        self.iter().map(|command| read(command, replies)).collect()
    }
}

macro_rules! tuples {
    ($($first:ident $($rest:ident)*)?) => {
        $(
            tuples!(@impl $first $($rest)*);
            tuples!($($rest)*);
        )?
    };
    (@impl $($t:ident)*) => {
        #[diagnostic::do_not_recommend]
        #[expect(non_snake_case, reason = "one name for a type and its value")]
        impl<$($t),*> Commands for ($(Command<$t>,)*) {
            type Output = ($($t,)*);
            type Each = ($(Result<$t, Error>,)*);

            fn requests(&self) -> Vec<&Result<Request, Error>> {
                let ($($t,)*) = self;
                vec![$(&$t.request),*]
            }

            fn read(&self, replies: &mut Received) -> Result<Self::Output, Error> {
                let ($($t,)*) = self;
                Ok(($(read($t, replies)?,)*))
            }

            fn read_each(&self, replies: &mut Received) -> Self::Each {
                let ($($t,)*) = self;
                ($(read($t, replies),)*)
            }
        }
    };
}

tuples!(A B C D E F G H I J K L M N O P);
