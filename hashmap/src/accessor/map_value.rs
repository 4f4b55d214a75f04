//! The values of maps, and how entries are read.

use std::fmt::Display;
use std::hash::Hash;
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::accessor::names::{all, key_of, place_of};
use crate::command::reply::{Entry, Reply};
use crate::command::request::Request;
use crate::error::Error;
use crate::format::any::Any;
use crate::format::storage::{Bincode, Counter, Expires, Expiring, Format};
use crate::format::value::Value;
use crate::schema::evolving::{Evolving, EvolvingValue};

/// The value type of a map: one type of values, [`Evolving`] for one whose older values are read too, [`Any`] for values of
/// any kind, or [`Counter`].
pub trait MapValue {
    /// The type that `set` stores.
    #[doc(hidden)]
    type Stored;

    /// The type that `get_all` reads: the type of the values, [`Value`], or `i64`.
    type Item: Send + 'static;

    #[doc(hidden)]
    type Format: Format<Self::Item> + Expires;
}

impl<V: Serialize + DeserializeOwned + Send + 'static> MapValue for V {
    type Stored = V;
    type Item = V;
    type Format = Expiring<Bincode>;
}

impl<V: EvolvingValue> MapValue for Evolving<V> {
    type Stored = V;
    type Item = V;
    type Format = Expiring<Self>;
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

/// Says that the values of a map can be read as a `T`.
///
/// A typed map reads its values as their own type, a map of [`Any`] as the type that the caller asks for, and a map of
/// [`Counter`]s as `i64`.
#[diagnostic::on_unimplemented(
    message = "a map of `{Self}` holds no `{T}`",
    label = "not what the map holds",
    note = "a typed map reads its values as their own type; `HashMap::new` is a map of values of any kind"
)]
pub trait Holds<T>: MapValue<Format: Format<T, Get = Option<T>>> {}
impl<V: Serialize + DeserializeOwned + Send + 'static> Holds<V> for V {}
impl<V: EvolvingValue> Holds<V> for Evolving<V> {}
impl<T: Serialize + DeserializeOwned + Send + 'static> Holds<T> for Any {}
impl Holds<i64> for Counter {}

/// Decodes a field's name and its value.
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

/// Decodes all fields and their values.
pub(crate) fn entries<K, V>(reply: Reply<'_>) -> Result<Entries<K, V>, Error>
where
    K: Display + FromStr + Eq + Hash,
    V: MapValue,
{
    let request = reply.request();
    all(request, reply.entries()?.into_iter().map(|found| entry::<K, V>(request, found)))
}

/// Decodes the values of the requested fields.
pub(crate) fn values<T, V: Holds<T>>(reply: Reply<'_>) -> Result<Vec<Option<T>>, Error> {
    let request = reply.request();
    let values = reply.values()?;
    let decode = |index| {
        let decoded = values.get(index)?.map(<V::Format as Format<T>>::decode);
        decoded.transpose().map_err(|fault| Error::at(fault, values.place(index)))
    };
    all(request, (0..values.len()).map(decode))
}
