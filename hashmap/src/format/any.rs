//! Values in a map of any kind: what can be stored where its reader is not known.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::fault::Fault;
use crate::format as codec;
use crate::format::asked_kind::asked_kind;
use crate::format::asks_for_any::asks_for_any;
use crate::format::shape::Shape;
use crate::format::storage::{Bincode, FormatOf};
use crate::kind::Kind;

/// The value type of a map whose fields hold values of any kind.
#[derive(Debug, Clone, Copy)]
pub enum Any {}

/// What can be stored in a map of [`Any`]: a value that reads back as its own type, or `str`, a slice or a `Path`, which
/// read back as their owned forms.
///
/// A type that asks for whatever is there cannot be read back, and is an error of the write whatever the value holds
/// ([`Error::Unreadable`](crate::Error::Unreadable)): `serde_json::Value`, an enum with serde's `untagged`. Use
/// [`Value`](crate::Value) for a value of any kind.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` that is stored could not be read back",
    label = "needs serde's `Serialize` and `Deserialize`, and has to own its data",
    note = "derive both of serde's traits; store `str`, `[T]` and `Path` themselves, as in `set(\"theme\", \"dark\")`, and an \
            owned type in the place of one with a lifetime"
)]
pub trait ReadsBack {
    /// The type that it reads back as.
    type Owned: Serialize + DeserializeOwned + 'static;
}

impl<T: Serialize + DeserializeOwned + 'static> ReadsBack for T {
    type Owned = T;
}

impl ReadsBack for str {
    type Owned = String;
}

impl<T: Serialize + DeserializeOwned + 'static> ReadsBack for [T] {
    type Owned = Vec<T>;
}

impl ReadsBack for Path {
    type Owned = PathBuf;
}

/// Writes into a field of any kind.
impl<Q: Serialize + ReadsBack + ?Sized> FormatOf<Any, Q> for Bincode {
    type Plan = Shape;

    fn plan(value: &Q, limit: usize) -> Result<Shape, Fault> {
        let shape = codec::plan(value, limit)?;
        let is_scalar = asked_kind::<Q::Owned>().is_some_and(Kind::is_scalar);
        if !is_scalar && asks_for_any::<Q::Owned>() {
            return Err(codec::asks_for_whatever_is_there::<Q>());
        }
        if cfg!(debug_assertions) {
            codec::verify::<Q::Owned, Q>(value, &shape)?;
        }
        Ok(shape)
    }

    #[inline]
    fn planned_len(plan: &Shape) -> usize {
        plan.len()
    }

    #[inline]
    fn write(value: &Q, plan: &Shape, out: impl io::Write) -> Result<(), Fault> {
        codec::write(value, plan, out)
    }
}
