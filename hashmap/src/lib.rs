//! A Redis hash is a struct.
//!
//! `#[derive(RedisHash)]` on a domain struct generates a typed accessor. Each Rust field is one hash field, stored as
//! bincode behind a header that says what it is. The compiler checks its type where code reads or writes it, and each
//! read from Redis checks the shape of what is stored.
//!
//! ```
//! use redis_hashmap::RedisHash;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(RedisHash, Debug, Clone, PartialEq)]
//! struct UserSettings {
//!     theme: Theme,
//!     #[redis_hash(default = "en".to_owned())]
//!     language: String,
//!     font_size: Option<u8>,
//! }
//!
//! #[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
//! enum Theme { Light, Dark }
//! # let mut con = redis_hashmap_tests::connection()?;
//! # let key = redis_hashmap_tests::key();
//!
//! let settings = UserSettings::at(&*key).on(&mut con);
//! settings.theme().set(Theme::Dark)?;                         // HSET key theme …
//! assert_eq!(settings.theme().get()?, Some(Theme::Dark));     // HGET key theme
//! assert_eq!(settings.language().get()?, "en");               // HGET key language
//! assert!(settings.get_all()?.is_some());                     // HMGET key theme language font_size
//! # settings.clear()?;
//! # Ok::<(), redis_hashmap_tests::AnyError>(())
//! ```
//!
//! - [`RedisHash`](derive@RedisHash) is the derive, with its attributes. [`Record`] has the operations on a record as a
//!   whole, [`Field`] those on one field, and [`HashKey`] those that records and maps have in common.
//! - [`HashMap`] is a map without a struct, for fields that are only known at run time. The type of its values can change,
//!   as a record's can, where they are [`Evolving`](struct@Evolving).
//! - An accessor runs on a blocking connection or an async one: see [`Executor`]. Without a connection, its operations
//!   return [`Command`]s, which [`batch`] sends in one round trip.
//! - [`Error`] says which key and which field it is about, and what to do.
//!
//! # Features
//!
//! - `tokio-comp` (on by default): accessors over async connections, on tokio. Without it the crate does not depend on
//!   tokio.
//! - `embedded` (on by default): the store inside the process, for `memory:` and `file:` URLs.
//! - `tls-rustls`, and `tokio-rustls-comp` for async, named as in redis-rs: [`open`](fn@open) and its async twin need them
//!   for `rediss://` and `cert`, `key` and `ca`.

// docs.rs builds with a nightly, and then shows which feature an item needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod accessor;
mod command;
#[cfg(feature = "embedded")]
mod embedded;
mod error;
mod format;
mod kind;
mod open;
mod run;
mod schema;

pub use accessor::field::Field;
pub use accessor::get_many::Selection;
pub use accessor::hash_key::HashKey;
pub use accessor::map::HashMap;
pub use accessor::map_value::{Holds, MapValue};
pub use accessor::record::Record;
#[cfg(feature = "tokio-comp")]
pub use accessor::scan::Entries;
pub use accessor::scan::Iter;
pub use command::Command;
pub use command::batch::{Batch, Commands, batch};
pub use command::named_field::{FieldInfo, NamedField, Presence};
pub use command::redis_hash::{DefaultedHash, PlainPatch, RedisHash};
pub use command::ttl::Ttl;
#[cfg(feature = "embedded")]
pub use embedded::{Durability, Embedded, Server};
pub use error::Error;
pub use error::place::Place;
pub use error::redis_fault::RedisFault;
pub use format::any::{Any, ReadsBack};
pub use format::given::{IntoValue, ToStored};
pub use format::merge::Merge;
pub use format::storage::{
    Bincode, Countable, Counter, Counts, Defaulted, Expires, Expiring, Format, FormatOf, StoredAs, Text,
};
pub use format::value::{Opaque, Value};
pub use kind::Kind;
#[cfg(feature = "tokio-comp")]
pub use open::asynchronous::AsyncConnection;
pub use open::blocking::Connection;
pub use open::open;
#[cfg(feature = "tokio-comp")]
pub use open::open_async;
pub use open::options::Options;
pub use redis_hashmap_derive::{Evolving, RedisHash};
#[cfg(feature = "tokio-comp")]
pub use run::asynchronous::{Async, Exclusive};
pub use run::blocking::Blocking;
#[cfg(feature = "tokio-comp")]
pub use run::require::require_async;
pub use run::require::{Records, require};
pub use run::{Alone, Connected, Deferred, Executor};
pub use schema::check::SchemaProblem;
pub use schema::evolving::{Evolving, EvolvingValue};

/// The items that generated code names. None of them is part of the public interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::accessor::by_name::{FieldsByName, deserialize_fields, present, serialize_field, serialize_struct};
    pub use crate::accessor::debug;
    pub use crate::accessor::each;
    pub use crate::command::changes::Changes;
    pub use crate::command::key::{Template, check_key, fill_key};
    pub use crate::command::name::DeclaredName;
    pub use crate::command::patch_writer::PatchWriter;
    pub use crate::command::redis_hash::RecordReader;
    pub use crate::command::target::Target;
    pub use crate::command::ttl::declared_ttl;
    pub use crate::format::merge::{given, given_option};
    pub use crate::format::past::{Conversions, Was};
    pub use crate::schema::check::{check as check_schema, trace as trace_schema};
    pub use crate::schema::evolving::check_value;
    pub use crate::schema::field::FieldSchema;
    pub use crate::schema::history::{History, NO_HISTORY};
    pub use serde;
}
