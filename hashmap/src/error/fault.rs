//! What can be wrong with one stored value.

use crate::kind::Kind;

/// What is wrong with one value, before it is known where the value lies. No text in it comes from the value. It
/// becomes an [`Error`](crate::Error) with a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    Foreign,
    UnknownKind(u8),
    WrongType { stored: Kind, asked: &'static str },
    OutOfRange { stored: Kind, asked: &'static str },
    OtherShape { stored: Kind, asked: &'static str, problem: String },
    Damaged { asked: &'static str, problem: String },
    NotText { asked: &'static str },
    NotACounter,
    Conversion { was: &'static str, asked: &'static str, problem: String },
    Refused { written: &'static str, problem: String },
    TooLarge { size: u64, limit: usize },
    Merge { written: &'static str, problem: &'static str },
    NoJson { written: &'static str, problem: &'static str },
    Unreadable { written: &'static str, problem: String },
}

impl Fault {
    /// Says more about why a value is not one of its type.
    pub(crate) fn and(self, more: &str) -> Self {
        match self {
            Self::OtherShape { stored, asked, problem } => {
                Self::OtherShape { stored, asked, problem: problem + "; " + more }
            }
            other => other,
        }
    }
}
