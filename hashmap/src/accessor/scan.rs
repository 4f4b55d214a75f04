//! Reads maps that are too large to be read at once, page by page: `iter` and `stream`.

use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::str::FromStr;

use redis::ConnectionLike;

use crate::accessor::map::HashMap;
use crate::accessor::map_value::{MapValue, entry};
use crate::command::Command;
use crate::command::redis::hscan;
use crate::command::target::Target;
use crate::error::Error;
use crate::run::blocking::Blocking;

/// How many fields a page asks Redis for.
const PAGE: u64 = 256;

/// The cursor of the next page, and the entries of this one. Each entry may be unreadable.
type Page<K, T> = (u64, Vec<Result<(K, T), Error>>);

/// How many pages may follow each other without an entry, or without moving on. Redis gives such pages where a large hash
/// has become small; a server that gives no others would be asked for ever.
const PAGES_WITHOUT_PROGRESS: u32 = 10_000;

/// Where a scan is.
#[derive(Debug, Clone, Copy)]
struct Progress {
    /// The cursor of the next page, `None` after the last.
    cursor: Option<u64>,
    stalled: u32,
}

impl Progress {
    const START: Self = Self { cursor: Some(0), stalled: 0 };

    /// Notes that a page was read at a cursor. It is an error if too many have brought nothing.
    fn after<T>(self, target: &Target, at: u64, next: u64, entries: &[T]) -> Result<Self, Error> {
        let stalled = if entries.is_empty() || next == at { self.stalled + 1 } else { 0 };
        if stalled > PAGES_WITHOUT_PROGRESS {
            return Err(Error::UnexpectedReply { place: target.place(None), operation: "HSCAN" });
        }
        Ok(Self { cursor: (next != 0).then_some(next), stalled })
    }
}

/// Reads one page of a scan by `HSCAN`.
fn page<K, V>(target: &Target, cursor: u64) -> Command<Page<K, V::Item>>
where
    K: Display + FromStr,
    V: MapValue,
{
    Command::new(hscan(target, cursor, PAGE), |reply| {
        let request = reply.request();
        let (next, found) = reply.page()?;
        Ok((next, found.into_iter().map(|found| entry::<K, V>(request, found)).collect()))
    })
}

/// The entries of a map, read page by page. [`HashMap::iter`] returns it.
#[must_use = "an iterator does nothing until it is asked for entries"]
pub struct Iter<'a, K, V: MapValue, C> {
    executor: &'a Blocking<C>,
    target: &'a Target,
    page: std::vec::IntoIter<Result<(K, V::Item), Error>>,
    progress: Progress,
    values: PhantomData<fn() -> V>,
}

impl<K, V: MapValue, C> fmt::Debug for Iter<'_, K, V, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Iter({:?})", self.target.key)
    }
}

impl<K, V, C> Iterator for Iter<'_, K, V, C>
where
    K: Display + FromStr,
    V: MapValue,
    C: ConnectionLike,
{
    type Item = Result<(K, V::Item), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.page.next() {
                return Some(entry);
            }
            let at = self.progress.cursor?;
            let read = self
                .executor
                .run(page::<K, V>(self.target, at))
                .and_then(|(next, entries)| Ok((self.progress.after(self.target, at, next, &entries)?, entries)));
            match read {
                Ok((progress, entries)) => {
                    self.progress = progress;
                    self.page = entries.into_iter();
                }
                Err(error) => {
                    self.progress.cursor = None;
                    return Some(Err(error));
                }
            }
        }
    }
}

impl<K, V, C> HashMap<K, V, Blocking<C>>
where
    K: Display + FromStr,
    V: MapValue,
    C: ConnectionLike,
{
    /// Reads all entries page by page, for maps that are too large for [`get_all`](Self::get_all).
    ///
    /// `HSCAN` with `COUNT 256` for each page, O(1) for each page and O(number of fields) in all.
    ///
    /// It is not a snapshot. A field that is stored all the while comes at least once. A field that is set or removed
    /// meanwhile may or may not come. Where the hash grows or shrinks, a field can come twice.
    ///
    /// An entry that cannot be read is an error, and the others follow. A page that cannot be read, as when the
    /// connection fails, is an error and ends the iterator.
    ///
    /// ```
    /// use redis_hashmap::HashMap;
    /// # let mut con = redis_hashmap_tests::connection()?;
    /// # let key = redis_hashmap_tests::key();
    ///
    /// let stock = HashMap::<u32, u32>::typed(&*key).on(&mut con);
    /// stock.set_many(&(0..1000).map(|i| (i, i * 2)).collect::<std::collections::HashMap<_, _>>())?;
    /// let mut sum = 0;
    /// for entry in stock.iter() {
    ///     let (_, count) = entry?;
    ///     sum += count;
    /// }
    /// assert_eq!(sum, 999 * 1000);
    /// # stock.clear()?;
    /// # Ok::<(), redis_hashmap_tests::AnyError>(())
    /// ```
    pub fn iter(&self) -> Iter<'_, K, V, C> {
        let (executor, target) = (&self.executor, &self.target);
        Iter { executor, target, page: Vec::new().into_iter(), progress: Progress::START, values: PhantomData }
    }
}

/// Calls [`HashMap::iter`].
impl<'a, K, V, C> IntoIterator for &'a HashMap<K, V, Blocking<C>>
where
    K: Display + FromStr,
    V: MapValue,
    C: ConnectionLike,
{
    type Item = Result<(K, V::Item), Error>;
    type IntoIter = Iter<'a, K, V, C>;

    fn into_iter(self) -> Iter<'a, K, V, C> {
        self.iter()
    }
}

#[cfg(feature = "tokio-comp")]
pub use aio::Entries;

#[cfg(feature = "tokio-comp")]
mod aio {
    use std::fmt::Display;
    use std::pin::Pin;
    use std::str::FromStr;

    use futures_util::stream::{Stream, TryStreamExt, iter, try_unfold};
    use redis::aio::ConnectionLike;

    use super::{Page, Progress, page};
    use crate::accessor::map::HashMap;
    use crate::accessor::map_value::MapValue;
    use crate::command::Command;
    use crate::command::target::Target;
    use crate::error::Error;
    use crate::run::Executor;
    use crate::run::asynchronous::{Async, Exclusive};

    /// The entries of a map, read page by page. `stream` of a map returns it, already pinned.
    pub type Entries<'a, K, V> = Pin<Box<dyn Stream<Item = Result<(K, <V as MapValue>::Item), Error>> + Send + 'a>>;

    fn entries<'a, K, V, P>(
        target: Target,
        run: impl Fn(Command<Page<K, V::Item>>) -> P + Send + 'a,
    ) -> Entries<'a, K, V>
    where
        K: Display + FromStr + Send + 'static,
        V: MapValue,
        P: Future<Output = Result<Page<K, V::Item>, Error>> + Send,
    {
        let pages = try_unfold((run, target, Progress::START), async |(run, target, progress)| {
            let Some(at) = progress.cursor else { return Ok::<_, Error>(None) };
            let (next, entries) = run(page::<K, V>(&target, at)).await?;
            let progress = progress.after(&target, at, next, &entries)?;
            Ok(Some((iter(entries), (run, target, progress))))
        });
        Box::pin(pages.try_flatten())
    }

    impl<K, V, C> HashMap<K, V, Async<C>>
    where
        K: Display + FromStr + Send + 'static,
        V: MapValue,
        C: ConnectionLike + Clone + Send + 'static,
    {
        /// Reads all entries page by page, for maps that are too large for [`get_all`](Self::get_all).
        ///
        /// `HSCAN` with `COUNT 256` for each page, O(1) for each page and O(number of fields) in all.
        ///
        /// It is not a snapshot. A field that is stored all the while comes at least once. A field that is set or
        /// removed meanwhile may or may not come. Where the hash grows or shrinks, a field can come twice.
        ///
        /// An entry that cannot be read is an error, and the others follow. A page that cannot be read, as when the
        /// connection fails, is an error and ends the stream. The stream borrows nothing.
        ///
        /// ```
        /// use futures_util::StreamExt;
        /// use redis_hashmap::HashMap;
        /// # #[tokio::main(flavor = "current_thread")]
        /// # async fn main() -> Result<(), redis_hashmap_tests::AnyError> {
        /// # let con = redis_hashmap_tests::connection_async().await?;
        /// # let key = redis_hashmap_tests::key();
        ///
        /// let stock = HashMap::<String, u32>::typed(&*key).on_async(con);
        /// stock.set_many([("apples", 3), ("pears", 5)]).await?;
        /// let (mut stream, mut sum) = (stock.stream(), 0);
        /// while let Some(entry) = stream.next().await {
        ///     let (_, count) = entry?;
        ///     sum += count;
        /// }
        /// assert_eq!(sum, 8);
        /// # Ok(())
        /// # }
        /// ```
        pub fn stream(&self) -> Entries<'static, K, V> {
            let executor = self.executor.clone();
            entries::<K, V, _>(self.target.clone(), move |command| executor.execute(command))
        }
    }

    impl<K, V, C> HashMap<K, V, Exclusive<'_, C>>
    where
        K: Display + FromStr + Send + 'static,
        V: MapValue,
        C: ConnectionLike + Send,
    {
        /// Reads all entries page by page, for maps that are too large for [`get_all`](Self::get_all).
        ///
        /// Behaves like `stream` of a map made by `on_async`, but the stream borrows the map.
        pub fn stream(&self) -> Entries<'_, K, V> {
            entries::<K, V, _>(self.target.clone(), |command| self.executor.execute(command))
        }
    }
}
