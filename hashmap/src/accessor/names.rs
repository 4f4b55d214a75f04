//! The names of a map's fields: how keys are written as names and read back.

use std::any::type_name;
use std::fmt::{Display, Write};
use std::str::FromStr;

use crate::command::name::Name;
use crate::command::reply::Reply;
use crate::command::request::Request;
use crate::error::Error;
use crate::error::place::Place;

/// Writes a key as a field's name. Where `Display` fails, the name is empty, which the request reports.
pub(crate) fn name_of<Q: Display + ?Sized>(key: &Q) -> String {
    let mut name = String::new();
    if write!(name, "{key}").is_err() {
        name.clear();
    }
    name
}

pub(crate) fn names_of<'q, Q: Display + ?Sized + 'q>(keys: impl IntoIterator<Item = &'q Q>) -> Vec<Name> {
    keys.into_iter().map(|key| name_of(key).into()).collect()
}

/// Reads the names in a reply as keys.
pub(crate) fn names<K: Display + FromStr>(reply: Reply<'_>) -> Result<Vec<K>, Error> {
    let request = reply.request();
    all(request, reply.names()?.iter().map(|name| key_of(request, name)))
}

/// Reads a field's name as a key. A name that the key would write otherwise (`007` for 7) is an error: `get` would not
/// find the field by it.
pub(crate) fn key_of<K: Display + FromStr>(request: &Request, name: &[u8]) -> Result<K, Error> {
    let key = std::str::from_utf8(name).ok().and_then(|name| name.parse().ok());
    key.filter(|key| name_of(key).as_bytes() == name)
        .ok_or_else(|| Error::FieldName { place: place_of(request, name), asked: type_name::<K>() })
}

/// Names the hash and a field whose name came from the server.
pub(crate) fn place_of(request: &Request, name: &[u8]) -> Place {
    Place::of_bytes(&request.key, name)
}

/// Collects what could be read of a reply. An error names everything that could not.
pub(crate) fn all<T, C: FromIterator<T>>(
    request: &Request,
    results: impl Iterator<Item = Result<T, Error>>,
) -> Result<C, Error> {
    let mut errors = Vec::new();
    let read = results.filter_map(|result| result.map_err(|error| errors.push(error)).ok()).collect();
    if errors.is_empty() { Ok(read) } else { Err(Error::of_fields(Place::new(&request.key, None), errors)) }
}
