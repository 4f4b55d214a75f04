//! Maps that are too large to be read at once.

use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::str::FromStr;

use redis::ConnectionLike;

use crate::accessor::map::{HashMap, MapValue, entry};
use crate::accessor::target::Hash;
use crate::command::Command;
use crate::command::request::Request;
use crate::error::Error;
use crate::run::Blocking;

/// How many fields Redis is asked for at once.
const PAGE: u32 = 256;

/// The cursor of the next page, and the entries of this one, each of which may be unreadable.
type Page<K, T> = (u64, Vec<Result<(K, T), Error>>);

/// One page of a scan. `HSCAN`
fn page<K, V>(hash: &Hash<()>, cursor: u64) -> Command<Page<K, V::Item>>
where
    K: Display + FromStr,
    V: MapValue,
{
    Command::new(Request::hscan(&hash.key, cursor, PAGE), |reply, _| {
        let request = reply.request();
        let (next, found) = reply.page()?;
        Ok((next, found.into_iter().map(|found| entry::<K, V>(request, found)).collect()))
    })
}

/// The entries of a map, read page by page: what [`HashMap::iter`] returns.
#[must_use = "an iterator does nothing until it is asked for entries"]
pub struct Iter<'a, K, V: MapValue, C> {
    con: &'a mut C,
    hash: Hash<()>,
    page: std::vec::IntoIter<Result<(K, V::Item), Error>>,
    /// `None` after the last page.
    cursor: Option<u64>,
    values: PhantomData<fn() -> V>,
}

impl<K, V: MapValue, C> fmt::Debug for Iter<'_, K, V, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Iter({:?})", self.hash.key)
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
            match page::<K, V>(&self.hash, self.cursor?).query(self.con) {
                Ok((next, entries)) => {
                    self.cursor = (next != 0).then_some(next);
                    self.page = entries.into_iter();
                }
                Err(error) => {
                    self.cursor = None;
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
    /// `HSCAN` with `COUNT 256` for each page; O(number of fields) in all, O(1) for each page. A field that is there all
    /// the while comes at least once; one that is set or removed meanwhile may come or not, and where the hash grows or
    /// shrinks, one can come twice. An entry that cannot be read is an error, and the others follow; a failure of the
    /// connection ends it.
    ///
    /// ```
    /// use redis_hashmap::HashMap;
    /// # let mut con = redis_hashmap_tests::connection()?;
    /// # let key = redis_hashmap_tests::key();
    ///
    /// let mut stock = HashMap::<u32, u32>::typed(&*key).on(&mut con);
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
    pub fn iter(&mut self) -> Iter<'_, K, V, C> {
        let hash = self.hash.on(());
        let con = self.hash.executor.connection();
        Iter { con, hash, page: Vec::new().into_iter(), cursor: Some(0), values: PhantomData }
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
    use redis::{Cmd, Pipeline, RedisFuture, Value};

    use super::page;
    use crate::accessor::map::{HashMap, MapValue};
    use crate::accessor::target::Hash;
    use crate::error::Error;
    use crate::run::{Async, Exclusive};

    /// The entries of a map, read page by page: what its `stream` returns. It can be polled where it is.
    pub type Entries<'a, K, V> = Pin<Box<dyn Stream<Item = Result<(K, <V as MapValue>::Item), Error>> + Send + 'a>>;

    fn entries<'a, K, V, C>(con: C, hash: Hash<()>) -> Entries<'a, K, V>
    where
        K: Display + FromStr + Send + 'static,
        V: MapValue,
        C: ConnectionLike + Send + 'a,
    {
        let pages = try_unfold((con, hash, Some(0)), async |(mut con, hash, cursor)| {
            let Some(cursor) = cursor else { return Ok::<_, Error>(None) };
            let (next, entries) = page::<K, V>(&hash, cursor).query_async(&mut con).await?;
            Ok(Some((iter(entries), (con, hash, (next != 0).then_some(next)))))
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
        /// `HSCAN` with `COUNT 256` for each page; O(number of fields) in all, O(1) for each page. A field that is there
        /// all the while comes at least once; one that is set or removed meanwhile may come or not, and where the hash
        /// grows or shrinks, one can come twice. An entry that cannot be read is an error, and the others follow; a
        /// failure of the connection ends it. The stream borrows nothing.
        ///
        /// ```
        /// use futures_util::StreamExt;
        /// use redis_hashmap::HashMap;
        /// # #[tokio::main(flavor = "current_thread")]
        /// # async fn main() -> Result<(), redis_hashmap_tests::AnyError> {
        /// # let con = redis_hashmap_tests::connection_async().await?;
        /// # let key = redis_hashmap_tests::key();
        ///
        /// let mut stock = HashMap::<String, u32>::typed(&*key).on_async(con);
        /// stock.set_many([("apples", &3), ("pears", &5)]).await?;
        /// let (mut stream, mut sum) = (stock.stream(), 0);
        /// while let Some(entry) = stream.next().await {
        ///     let (_, count) = entry?;
        ///     sum += count;
        /// }
        /// assert_eq!(sum, 8);
        /// # Ok(())
        /// # }
        /// ```
        pub fn stream(&mut self) -> Entries<'static, K, V> {
            let con = self.hash.executor.connection().clone();
            entries::<K, V, C>(con, self.hash.on(()))
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
        /// As the stream of an accessor by `on_async`, but it borrows the connection.
        pub fn stream(&mut self) -> Entries<'_, K, V> {
            let hash = self.hash.on(());
            entries::<K, V, _>(Borrowed(self.hash.executor.connection()), hash)
        }
    }

    /// redis-rs implements its trait for no reference.
    struct Borrowed<'a, C>(&'a mut C);

    impl<C: ConnectionLike + Send> ConnectionLike for Borrowed<'_, C> {
        fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
            self.0.req_packed_command(cmd)
        }

        fn req_packed_commands<'a>(
            &'a mut self,
            cmd: &'a Pipeline,
            offset: usize,
            count: usize,
        ) -> RedisFuture<'a, Vec<Value>> {
            self.0.req_packed_commands(cmd, offset, count)
        }

        fn get_db(&self) -> i64 {
            self.0.get_db()
        }
    }
}
