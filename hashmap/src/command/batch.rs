//! Batches: several commands in one round trip.

use redis::{RedisError, Value};

use crate::command::reply::Reply;
use crate::command::request::Request;
use crate::command::{Command, Reader};
use crate::error::{Error, Place};

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

/// Commands that are sent together. [`batch`] makes one.
///
/// All commands are sent in one round trip. Each is carried out, even if another one fails; then the first error is
/// returned. If a command cannot be made (its key is empty, its value cannot be stored), nothing is sent.
///
/// On a cluster, an async connection sends the commands slot by slot, all slots at once. A blocking one sends them one
/// after the other, in one round trip each.
#[must_use = "a batch does nothing until it is sent: `query` or `query_async`"]
#[derive(Debug, Clone)]
pub struct Batch<C> {
    pub(crate) commands: C,
    pub(crate) atomic: bool,
}

impl<C: Commands> Batch<C> {
    /// Wraps the commands in `MULTI` and `EXEC`, so that no other client sees only a part of them done.
    ///
    /// Redis does not roll back: a command that fails (on a key of another type, say) does not undo the others.
    ///
    /// Where the server refuses a command before it runs, that command's error is returned, and none is carried out.
    /// Where it refuses `MULTI` itself (to a user without the right to it), the commands are carried out one by one,
    /// and the error of `MULTI` is returned.
    ///
    /// A cluster takes an atomic batch only over an async connection, with all keys in one hash slot. Otherwise the
    /// batch returns [`Error::NotAtomic`], and nothing is sent. The same error says that a key which the connection
    /// watches has changed; then nothing is carried out.
    pub fn atomic(mut self) -> Self {
        self.atomic = true;
        self
    }
}

/// The replies to a batch, each with its request.
#[doc(hidden)]
pub struct Replies<'a> {
    replies: std::vec::IntoIter<Result<Value, RedisError>>,
    requests: std::slice::Iter<'a, Request>,
}

impl<'a> Replies<'a> {
    pub(crate) fn new(replies: Vec<Result<Value, RedisError>>, requests: &'a [Request]) -> Self {
        Self { replies: replies.into_iter(), requests: requests.iter() }
    }

    fn read<T>(&mut self, reader: &Reader<T>) -> Result<T, Error> {
        match (self.requests.next(), self.replies.next()) {
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

    #[doc(hidden)]
    type Readers;

    #[doc(hidden)]
    fn split(self) -> Result<(Vec<Request>, Self::Readers), Error>;

    #[doc(hidden)]
    fn read(readers: Self::Readers, replies: &mut Replies<'_>) -> Result<Self::Output, Error>;
}

impl<T> Commands for Vec<Command<T>> {
    type Output = Vec<T>;
    type Readers = Vec<Reader<T>>;

    fn split(self) -> Result<(Vec<Request>, Self::Readers), Error> {
        let mut requests = Vec::with_capacity(self.len());
        let mut readers = Vec::with_capacity(self.len());
        for command in self {
            requests.push(command.request?);
            readers.push(command.reader);
        }
        Ok((requests, readers))
    }

    fn read(readers: Self::Readers, replies: &mut Replies<'_>) -> Result<Vec<T>, Error> {
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
            type Readers = ($(Reader<$t>,)*);

            #[expect(non_snake_case, reason = "one name for a type and its value")]
            fn split(self) -> Result<(Vec<Request>, Self::Readers), Error> {
                let ($($t,)*) = self;
                let requests = vec![$($t.request?),*];
                Ok((requests, ($($t.reader,)*)))
            }

            #[expect(non_snake_case, reason = "one name for a type and its value")]
            fn read(($($t,)*): Self::Readers, replies: &mut Replies<'_>) -> Result<Self::Output, Error> {
                Ok(($(replies.read(&$t)?,)*))
            }
        }
    };
}

tuples!(A B C D E F G H I J K L M N O P);
