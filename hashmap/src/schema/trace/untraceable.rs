//! Why a type has no schema.

use std::time::Duration;

/// How many samples of a type are made.
pub(super) const MAX_SAMPLES: usize = 4_096;

/// How long a type may take.
pub(super) const MAX_TIME: Duration = Duration::from_secs(2);

/// How many scalars a sample may have.
pub(super) const MAX_SCALARS: usize = 16_384;

/// Why a type has no schema. It names the innermost type that can be found out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Untraceable {
    #[error("`{0}` refuses every sample of it")]
    Refuses(&'static str),
    #[error("`{0}` asks for {1}, but bincode does not record what is stored")]
    AsksFor(&'static str, &'static str),
    #[error("`{0}` nests without end")]
    Endless(&'static str),
    #[error("`{0}` has a part that no sample reached")]
    Unreached(&'static str),
    #[error("`{0}` is built in another way when its values are others")]
    Varies(&'static str),
    /// The second is the reason that the format gives.
    #[error("`{0}` cannot be stored: {1}")]
    Unstorable(&'static str, String),
    #[error("`{0}` needs more than {MAX_SAMPLES} samples")]
    Samples(&'static str),
    #[error("`{0}` needs more than {MAX_SCALARS} values in one sample")]
    Large(&'static str),
    #[error("`{0}` takes more than {seconds} s to trace", seconds = MAX_TIME.as_secs())]
    Slow(&'static str),
}
