//! The errors of every operation: what went wrong, where, and what to do about it.

pub(crate) mod fault;
pub(crate) mod place;
pub(crate) mod redis_fault;
mod several;
mod verdicts;

use crate::error::fault::Fault;
use crate::error::place::Place;
use crate::error::redis_fault::RedisFault;
use crate::error::several::Listed;
use crate::kind::Kind;

/// What went wrong, and where.
///
/// Messages name the key and the field and say what to do. No message and no `Debug` output contains a stored value, a
/// password or text that a server or a foreign type has chosen.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value of another type is stored. Nothing was changed.
    #[error(
        "{place} holds a value of kind {stored}, which cannot be read as `{asked}`: read it as the type it was written \
         with (`Value` reads every kind), or delete it and set it again"
    )]
    WrongType {
        /// Where the value lies.
        place: Place,
        /// The kind of the stored value.
        stored: Kind,
        /// The Rust type it was read as.
        asked: &'static str,
    },

    /// A number is stored that the type cannot hold exactly.
    #[error(
        "{place} holds a number of kind {stored} that a `{asked}` cannot hold exactly: read it as a wider type, such as the \
         one it was written with"
    )]
    OutOfRange {
        /// Where the value lies.
        place: Place,
        /// The kind of the stored value.
        stored: Kind,
        /// The Rust type it was read as.
        asked: &'static str,
    },

    /// A value of the right kind but of another shape is stored: a type in it has changed since it was written, or it
    /// was written as another type. (A composite whose bytes are damaged looks the same.)
    #[error(
        "{place} holds a value of kind {stored}, but its shape is not that of `{asked}` ({problem}): a field or variant \
         in it was added, removed, renamed, reordered or retyped since it was written, or this program is older than \
         its writer; read it as the type it was written with, and set it again (`#[redis_hash(schema)]` on a record, and \
         `Evolving` as the values of a map, keep what its types were, and read what they have stored)"
    )]
    OtherShape {
        /// Where the value lies.
        place: Place,
        /// The kind of the stored value.
        stored: Kind,
        /// The Rust type it was read as.
        asked: &'static str,
        /// What does not fit.
        problem: String,
    },

    /// Another program wrote the value.
    #[error(
        "{place} was not written by this library: if another program reads and writes it as text, declare the field as \
         `#[redis_hash(text)]` in a struct; otherwise delete it and set it again"
    )]
    Foreign {
        /// Where the value lies.
        place: Place,
    },

    /// A newer version of this library wrote the value.
    #[error(
        "{place} holds a value of the unknown kind {byte:#04X}, which a newer version of redis-hashmap writes: update \
         redis-hashmap in this program"
    )]
    UnknownKind {
        /// Where the value lies.
        place: Place,
        /// The first byte of the stored value.
        byte: u8,
    },

    /// The stored bytes are damaged: they are not a value of the kind that their first byte names.
    #[error("{place} is damaged and does not decode as `{asked}` ({problem}): delete it and set it again")]
    Damaged {
        /// Where the value lies.
        place: Place,
        /// The Rust type it was read as.
        asked: &'static str,
        /// What is wrong with the bytes.
        problem: String,
    },

    /// A text field holds something that does not parse as its type.
    #[error(
        "{place} is declared as text, but what is stored does not parse as `{asked}`: correct it in the program that \
         wrote it, or delete it and set it again (a value stored before the field was declared as text is not text)"
    )]
    NotText {
        /// Where the value lies.
        place: Place,
        /// The Rust type it was read as.
        asked: &'static str,
    },

    /// A required field of a record is not stored.
    #[error(
        "{place} is missing, so the record is incomplete: set it, read with `get_partial`, or declare the field as an \
         `Option` or with `#[redis_hash(default)]`"
    )]
    MissingField {
        /// The record and its field.
        place: Place,
    },

    /// Several fields of a record or of a map cannot be read. Nothing was changed.
    #[error("{} fields of {place} cannot be read: {}", .errors.len(), Listed(.errors))]
    Fields {
        /// The hash.
        place: Place,
        /// What is wrong with each of them.
        errors: Vec<Error>,
    },

    /// The value cannot be stored. Nothing was sent.
    #[error("{place} cannot store this `{written}`: {problem}")]
    Refused {
        /// Where the value should have gone.
        place: Place,
        /// Its Rust type.
        written: &'static str,
        /// Why it cannot be stored.
        problem: String,
    },

    /// The value is larger than the limit. Nothing was sent.
    #[error(
        "{place} cannot store {size} bytes, since the limit is {limit}: store less, or raise the limit with \
         `set_value_limit`"
    )]
    TooLarge {
        /// Where the value should have gone.
        place: Place,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: usize,
    },

    /// Values of this type can be written, but not read back. Nothing was sent. A type that asks serde for any value is
    /// found in every build, one whose Serialize and Deserialize disagree in debug builds.
    #[error(
        "{place} cannot hold a value of type `{written}`, which would not read back ({problem}): its Serialize and \
         Deserialize (or Display and FromStr) disagree, as with serde's `untagged`, `tag`, `flatten` and \
         `skip_serializing`; for a \
         type that accepts any value, use `redis_hashmap::Value`, and for one that has a text form, a field declared as \
         `#[redis_hash(text)]`"
    )]
    Unreadable {
        /// Where the value is, or should have gone.
        place: Place,
        /// Its Rust type.
        written: &'static str,
        /// What its reader met.
        problem: String,
    },

    /// A part of a value was to be changed by a patch, and what it makes is not a value of the type. Nothing was written.
    #[error("the patch does not make a `{written}` of {place} ({problem}): nothing was written")]
    Merge {
        /// Where the value lies.
        place: Place,
        /// Its Rust type.
        written: &'static str,
        /// What is wrong.
        problem: &'static str,
    },

    /// A part of a value was to be changed by a patch, and the value has no form in JSON. Nothing was written.
    #[error("{place} holds a `{written}` that cannot be changed in parts, since {problem}: set it as a whole")]
    NoJson {
        /// Where the value lies.
        place: Place,
        /// Its Rust type.
        written: &'static str,
        /// Why not.
        problem: &'static str,
    },

    /// The key is empty. Nothing was sent.
    #[error("the key of a hash is empty: give it a name, and each id that `key!` takes a text")]
    EmptyKey,

    /// An id that a key is made of is empty. Nothing was sent.
    #[error(
        "`{{{placeholder}}}` in the key `{template}` is empty: give an id, since an empty one could name another record"
    )]
    EmptyId {
        /// The key's template.
        template: &'static str,
        /// The placeholder.
        placeholder: &'static str,
    },

    /// The name of a field is empty. Nothing was sent.
    #[error("the name of a field of {place} is empty: give it a name")]
    EmptyField {
        /// The hash.
        place: Place,
    },

    /// The name of a stored field is not one that the type of the names writes.
    #[error(
        "the name of {place} is not a valid `{asked}`: another program wrote it, or the type of the names has changed; \
         read the names as that type, or delete the field (`delete_raw` takes any name)"
    )]
    FieldName {
        /// The hash and the field, whose name may be no text: see [`Place::field_bytes`].
        place: Place,
        /// The Rust type of the names.
        asked: &'static str,
    },

    /// Redis or the way to it failed.
    #[error("{operation} on {place} failed: {source}")]
    Redis {
        /// Where the operation went.
        place: Place,
        /// The Redis command.
        operation: &'static str,
        /// What failed.
        source: RedisFault,
    },

    /// The server's reply is not one that this command gives.
    #[error(
        "{operation} on {place} got a reply that the command does not give: check that the connection leads to a Redis \
         server and is not inside a MULTI"
    )]
    UnexpectedReply {
        /// Where the operation went.
        place: Place,
        /// The Redis command.
        operation: &'static str,
    },

    /// The embedded store cannot be opened, or not be synced. What is there is left as it is.
    #[error("the store {place} cannot be used: {problem}")]
    Store {
        /// The file, or `memory:`.
        place: String,
        /// Why it cannot be used.
        problem: String,
    },

    /// A part of the URL is wrong. No password is shown.
    #[error("the {part} of the URL {problem}")]
    Url {
        /// The part that is wrong.
        part: &'static str,
        /// What is wrong with it.
        problem: String,
    },

    /// This crate was built without what the URL needs.
    #[error("{place} needs the feature `{feature}` of redis-hashmap: add it in Cargo.toml")]
    Feature {
        /// Where the URL leads, without a user and a password.
        place: String,
        /// The feature.
        feature: &'static str,
    },

    /// The server cannot be reached, or refuses the user.
    #[error("{place} cannot be reached: {source}")]
    Connect {
        /// Where the URL leads, without a user and a password.
        place: String,
        /// What failed.
        source: RedisFault,
    },

    /// The server cannot do what the operation needs. Nothing was written.
    #[error("{operation} on {place} needs {needs}, and this is not one: nothing was written")]
    Unsupported {
        /// Where the operation went.
        place: Place,
        /// The Redis command, or the operation.
        operation: &'static str,
        /// The servers that can.
        needs: &'static str,
    },

    /// The server, or the user, cannot do what records declare: [`require`](crate::require) has asked. Nothing was written.
    #[error("{who} {problem}")]
    Requirement {
        /// What is declared, and by which records or fields of records.
        who: String,
        /// What is missing.
        problem: String,
    },

    /// Others kept changing what an `update` had read. Nothing was written.
    #[error(
        "{place} was changed by others during each of {attempts} attempts, and nothing was written: try again later, \
         or allow more attempts with `set_attempt_limit`"
    )]
    Conflict {
        /// What was to be updated.
        place: Place,
        /// How often it was read and tried.
        attempts: u32,
    },

    /// The time to live or the point in time is out of range. Nothing was sent.
    #[error("{place} cannot be given {problem}: a time to live is between 1 ms and 2^45 ms (1,114 years)")]
    Expiry {
        /// What was to expire.
        place: Place,
        /// What is wrong with it.
        problem: &'static str,
    },

    /// A counter holds something other than a number.
    #[error(
        "{place} is a counter, but what is stored is not a 64-bit integer in digits: delete it and count again (a \
         value stored before the field was declared as a counter is not one)"
    )]
    NotACounter {
        /// Where the counter lies.
        place: Place,
    },

    /// A counter would leave the range of an `i64`. It was left as it was.
    #[error("{place} would leave the range of an i64 and was left as it was: add less, or reset it")]
    Overflow {
        /// Where the counter lies.
        place: Place,
    },

    /// A value is stored of a type that the field was, `#[redis_hash(was = OldType)]`, and does not become one of today's.
    /// Nothing was changed.
    #[error(
        "{place} holds a `{was}` that does not become a `{asked}` ({problem}): let the conversion take it, or set it again"
    )]
    Conversion {
        /// Where the value lies.
        place: Place,
        /// The type that the field was, as its attribute names it.
        was: &'static str,
        /// The Rust type it was read as.
        asked: &'static str,
        /// Why not.
        problem: String,
    },

    /// A key that the connection watches has changed, so this batch was not carried out. Read again, and try again.
    #[error(
        "a key that this connection watches has changed, and nothing of the batch was carried out: read it and try again"
    )]
    WatchedKeyChanged,

    /// The connection cannot run this batch as one transaction. Nothing was carried out.
    #[error("this batch cannot be atomic: {reason}")]
    NotAtomic {
        /// Why not.
        reason: &'static str,
    },
}

impl Error {
    /// Gives a fault its place.
    pub(crate) fn at(fault: Fault, place: Place) -> Self {
        match fault {
            Fault::Foreign => Self::Foreign { place },
            Fault::UnknownKind(byte) => Self::UnknownKind { place, byte },
            Fault::WrongType { stored, asked } => Self::WrongType { place, stored, asked },
            Fault::OutOfRange { stored, asked } => Self::OutOfRange { place, stored, asked },
            Fault::OtherShape { stored, asked, problem } => Self::OtherShape { place, stored, asked, problem },
            Fault::Damaged { asked, problem } => Self::Damaged { place, asked, problem },
            Fault::NotText { asked } => Self::NotText { place, asked },
            Fault::NotACounter => Self::NotACounter { place },
            Fault::Conversion { was, asked, problem } => Self::Conversion { place, was, asked, problem },
            Fault::Refused { written, problem } => Self::Refused { place, written, problem },
            Fault::TooLarge { size, limit } => Self::TooLarge { place, size, limit },
            Fault::Merge { written, problem } => Self::Merge { place, written, problem },
            Fault::NoJson { written, problem } => Self::NoJson { place, written, problem },
            Fault::Unreadable { written, problem } => Self::Unreadable { place, written, problem },
        }
    }

    /// The error of a hash of which these fields cannot be read.
    pub(crate) fn of_fields(place: Place, mut errors: Vec<Self>) -> Self {
        match errors.pop() {
            Some(only) if errors.is_empty() => only,
            last => {
                errors.extend(last);
                Self::Fields { place, errors }
            }
        }
    }
}
