//! Batches: several commands in one round trip.

use redis::{RedisError, Value};

use crate::command::reply::Reply;
use crate::command::request::Request;
use crate::command::{Command, Reader};
use crate::error::Error;
use crate::error::place::Place;

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
    /// The requests, if all could be made, and what reads the replies.
    pub(crate) fn made(self) -> Result<(Vec<Request>, C::Readers), Error> {
        let (requests, readers) = self.commands.split();
        Ok((requests.into_iter().collect::<Result<_, _>>()?, readers))
    }

    /// The requests that could be made, the errors in the places of the others, and what reads the replies.
    ///
    /// A transaction is carried out as a whole or not at all: there, the first error is that of the batch.
    #[expect(clippy::type_complexity, reason = "three parts that are taken apart at once")]
    pub(crate) fn makeable(self) -> Result<(Vec<Request>, Vec<Option<Error>>, C::Readers), Error> {
        let (made, readers) = self.commands.split();
        let mut requests = Vec::with_capacity(made.len());
        let mut unmade = Vec::with_capacity(made.len());
        for request in made {
            match request {
                Err(error) if self.atomic => return Err(error),
                Err(error) => unmade.push(Some(error)),
                Ok(request) => {
                    requests.push(request);
                    unmade.push(None);
                }
            }
        }
        Ok((requests, unmade, readers))
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
    /// Otherwise the batch returns [`Error::NotAtomic`], and nothing is sent. The same error says that a key which the connection
    /// watches has changed; then nothing is carried out.
    pub fn atomic(mut self) -> Self {
        self.atomic = true;
        self
    }
}

/// The replies to a batch, each with its request.
#[doc(hidden)]
pub struct Replies<'a> {
    values: std::vec::IntoIter<Result<Value, RedisError>>,
    requests: std::slice::Iter<'a, Request>,
    /// The errors of commands that were not sent, each in its place. Empty if all were sent.
    unmade: std::vec::IntoIter<Option<Error>>,
}

impl<'a> Replies<'a> {
    pub(crate) fn new(
        replies: Vec<Result<Value, RedisError>>,
        requests: &'a [Request],
        unmade: Vec<Option<Error>>,
    ) -> Self {
        Self { values: replies.into_iter(), requests: requests.iter(), unmade: unmade.into_iter() }
    }

    fn read<T>(&mut self, reader: &Reader<T>) -> Result<T, Error> {
        if let Some(error) = self.unmade.next().flatten() {
            return Err(error);
        }
        match (self.requests.next(), self.values.next()) {
            (Some(request), Some(reply)) => reader.read(Reply::new(reply, request)?),
            _ => Err(Error::UnexpectedReply { place: Place::default(), operation: "a batch" }),
        }
    }
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
    type Readers;

    #[doc(hidden)]
    fn split(self) -> (Vec<Result<Request, Error>>, Self::Readers);

    #[doc(hidden)]
    fn read(readers: Self::Readers, replies: &mut Replies<'_>) -> Result<Self::Output, Error>;

    #[doc(hidden)]
    fn read_each(readers: Self::Readers, replies: &mut Replies<'_>) -> Self::Each;
}

impl<T> Commands for Vec<Command<T>> {
    type Output = Vec<T>;
    type Each = Vec<Result<T, Error>>;
    type Readers = Vec<Reader<T>>;

    fn split(self) -> (Vec<Result<Request, Error>>, Self::Readers) {
        let mut requests = Vec::with_capacity(self.len());
        let mut readers = Vec::with_capacity(self.len());
        for command in self {
            requests.push(command.request);
            readers.push(command.reader);
        }
        (requests, readers)
    }

    fn read(readers: Self::Readers, replies: &mut Replies<'_>) -> Result<Vec<T>, Error> {
        readers.iter().map(|reader| replies.read(reader)).collect()
    }

    fn read_each(readers: Self::Readers, replies: &mut Replies<'_>) -> Self::Each {
        readers.iter().map(|reader| replies.read(reader)).collect()
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
        impl<$($t),*> Commands for ($(Command<$t>,)*) {
            type Output = ($($t,)*);
            type Each = ($(Result<$t, Error>,)*);
            type Readers = ($(Reader<$t>,)*);

            #[expect(non_snake_case, reason = "one name for a type and its value")]
            fn split(self) -> (Vec<Result<Request, Error>>, Self::Readers) {
                let ($($t,)*) = self;
                (vec![$($t.request),*], ($($t.reader,)*))
            }

            #[expect(non_snake_case, reason = "one name for a type and its value")]
            fn read(($($t,)*): Self::Readers, replies: &mut Replies<'_>) -> Result<Self::Output, Error> {
                Ok(($(replies.read(&$t)?,)*))
            }

            #[expect(non_snake_case, reason = "one name for a type and its value")]
            fn read_each(($($t,)*): Self::Readers, replies: &mut Replies<'_>) -> Self::Each {
                ($(replies.read(&$t),)*)
            }
        }
    };
}

tuples!(A B C D E F G H I J K L M N O P);
