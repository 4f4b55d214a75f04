//! The name of a field, and the names under which it was stored before.

use std::any::Any;
use std::ops::Deref;

use crate::error::fault::Fault;
use crate::format::storage::Format;
use crate::schema::history::{History, Older};

/// What a struct declares about the name of a field.
///
/// It is stored under the first name under which anything lies: its own, or else one of the aliases, in their order.
#[derive(Debug)]
pub struct DeclaredName {
    pub(crate) name: &'static str,
    /// Its former names.
    pub(crate) aliases: &'static [&'static str],
    /// Where the schemas of its older values are, if the record has any.
    history: Option<fn() -> &'static History>,
    /// The `Conversions` from the types that the field was, if it was any.
    conversions: Option<&'static (dyn Any + Send + Sync)>,
}

impl DeclaredName {
    /// The name under which the field is written.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, aliases: &[], history: None, conversions: None }
    }

    /// Declares the names under which the field was stored before.
    #[must_use]
    pub const fn aliased(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// Says where the schemas of its older values are.
    #[must_use]
    pub const fn evolving(mut self, history: fn() -> &'static History) -> Self {
        self.history = Some(history);
        self
    }

    /// Declares the types that the field was, as its `Conversions`.
    #[must_use]
    pub const fn converted(mut self, conversions: &'static (dyn Any + Send + Sync)) -> Self {
        self.conversions = Some(conversions);
        self
    }

    /// Decodes a value that is not one of today's, for `fault`.
    #[cold]
    pub(crate) fn decode_older<T>(&self, stored: &[u8], fault: Fault, older: Older<T>) -> Result<T, Fault> {
        match self.history {
            Some(history) => history().read(self.name, self.aliases, self.conversions, stored, fault, older),
            None => Err(fault),
        }
    }
}

/// The name of a field. It dereferences to the name under which the field is written.
#[derive(Debug, Clone)]
pub enum Name {
    Declared(&'static DeclaredName),
    /// Made at run time.
    Given(String),
}

impl Name {
    /// Decodes what is stored in the field, by the schema of an older version if it is not one of today's values.
    #[inline]
    pub(crate) fn decode<T, F: Format<T>>(&self, stored: &[u8]) -> Result<T, Fault> {
        F::decode(stored).or_else(|fault| match self {
            Self::Declared(declared) => declared.decode_older(stored, fault, F::older),
            Self::Given(_) => Err(fault),
        })
    }

    pub(crate) fn aliases(&self) -> &'static [&'static str] {
        match self {
            Self::Declared(declared) => declared.aliases,
            Self::Given(_) => &[],
        }
    }
}

impl From<String> for Name {
    fn from(name: String) -> Self {
        Self::Given(name)
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Declared(declared) => declared.name,
            Self::Given(name) => name,
        }
    }
}
