//! The names of fields: how a map's keys are written as names, and read back.

use std::any::type_name;
use std::fmt::{Display, Write};
use std::str::FromStr;

use crate::command::changes::Name;
use crate::command::reply::Reply;
use crate::command::request::Request;
use crate::error::{Error, Place};

/// The name of a field. Where Display fails there is none, which is the error of an empty name.
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

/// The names in a reply, as keys.
pub(crate) fn names<K: Display + FromStr>(reply: Reply<'_>) -> Result<Vec<K>, Error> {
    let request = reply.request();
    reply.names()?.iter().map(|name| key_of(request, name)).collect()
}

/// A field's name as a key. One that the key would not write like that (`007` for 7) is an error: `get` would not find it.
pub(crate) fn key_of<K: Display + FromStr>(request: &Request, name: &[u8]) -> Result<K, Error> {
    let key = std::str::from_utf8(name).ok().and_then(|name| name.parse().ok());
    key.filter(|key| name_of(key).as_bytes() == name)
        .ok_or_else(|| Error::FieldName { place: place_of(request, name), asked: type_name::<K>() })
}

/// The hash, and a field of it that a server has named.
pub(crate) fn place_of(request: &Request, name: &[u8]) -> Place {
    Place::new(request.key(), Some(&String::from_utf8_lossy(name)))
}
