//! What maps hold, and how their entries are read.

use std::fmt::Display;
use std::hash::Hash;
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::accessor::names::{key_of, place_of};
use crate::command::reply::{Entry, Reply};
use crate::command::request::Request;
use crate::error::Error;
use crate::format::storage::{Any, Bincode, Counter, Expires, Expiring, Format};
use crate::format::value::Value;

/// What a map can hold: values of one type, [`Any`] kind of values, or [`Counter`]s.
pub trait MapValue {
    /// What `set` stores.
    #[doc(hidden)]
    type Stored;

    /// What `get_all` reads: the type of the values, [`Value`], or `i64`.
    type Item: Send + 'static;

    #[doc(hidden)]
    type Format: Format<Self::Item> + Expires;
}

impl<V: Serialize + DeserializeOwned + Send + 'static> MapValue for V {
    type Stored = V;
    type Item = V;
    type Format = Expiring<Bincode>;
}

impl MapValue for Any {
    type Stored = Self;
    type Item = Value;
    type Format = Expiring<Bincode>;
}

impl MapValue for Counter {
    type Stored = i64;
    type Item = i64;
    type Format = Expiring<Counter>;
}

/// Says as what the values of a map are read: those of a typed map as their type, those of a map of [`Any`] as whatever
/// is asked for, those of a map of [`Counter`]s as `i64`.
#[diagnostic::on_unimplemented(
    message = "a map of `{Self}` holds no `{T}`",
    label = "not what the map holds",
    note = "a typed map reads its values as their own type; `HashMap::new` is a map of values of any kind"
)]
pub trait Holds<T>: MapValue<Format: Format<T, Get = Option<T>>> {}
impl<V: Serialize + DeserializeOwned + Send + 'static> Holds<V> for V {}
impl<T: Serialize + DeserializeOwned + Send + 'static> Holds<T> for Any {}
impl Holds<i64> for Counter {}

/// A field and its value.
pub(crate) fn entry<K, V>(request: &Request, (name, stored): Entry) -> Result<(K, V::Item), Error>
where
    K: Display + FromStr,
    V: MapValue,
{
    let key = key_of(request, &name)?;
    let value = V::Format::decode(&stored).map_err(|fault| Error::at(fault, place_of(request, &name)))?;
    Ok((key, value))
}

type Entries<K, V> = std::collections::HashMap<K, <V as MapValue>::Item>;

/// All fields and their values.
pub(crate) fn entries<K, V>(reply: Reply<'_>) -> Result<Entries<K, V>, Error>
where
    K: Display + FromStr + Eq + Hash,
    V: MapValue,
{
    let request = reply.request();
    reply.entries()?.into_iter().map(|found| entry::<K, V>(request, found)).collect()
}

/// The values of the fields that were asked for.
pub(crate) fn values<T, V: Holds<T>>(reply: Reply<'_>) -> Result<Vec<Option<T>>, Error> {
    let values = reply.values()?;
    let decode = |index| {
        let decoded = values.get(index)?.map(<V::Format as Format<T>>::decode);
        decoded.transpose().map_err(|fault| Error::at(fault, values.place(index)))
    };
    (0..values.len()).map(decode).collect()
}
