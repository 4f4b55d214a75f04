//! The name of a field, and the names under which it was stored before.

use std::borrow::Cow;
use std::ops::Deref;

use crate::error::fault::Fault;
use crate::format::storage::Format;
use crate::schema::history::{History, Older};

/// The name of a field: declared in a struct, or made at run time.
///
/// It dereferences to the name under which the field is written. A declared field can have aliases, its former names. It is
/// stored under the first name under which anything lies: its own, or else one of the aliases, in their order.
#[derive(Debug, Clone)]
pub struct Name {
    current: Cow<'static, str>,
    aliases: &'static [&'static str],
    /// Where the schemas of its older values are, if the record has any.
    history: Option<fn() -> &'static History>,
}

impl Name {
    pub(crate) fn declared(
        name: &'static str,
        aliases: &'static [&'static str],
        history: Option<fn() -> &'static History>,
    ) -> Self {
        Self { current: name.into(), aliases, history }
    }

    /// Decodes what is stored in the field, by the schema of an older version if it is not one of today's values.
    #[inline]
    pub(crate) fn decode<T, F: Format<T>>(&self, stored: &[u8]) -> Result<T, Fault> {
        F::decode(stored).or_else(|fault| self.decode_older(stored, fault, F::older))
    }

    /// Decodes a value that is not one of today's, for `fault`.
    #[cold]
    pub(crate) fn decode_older<T>(&self, stored: &[u8], fault: Fault, older: Older<T>) -> Result<T, Fault> {
        match self.history {
            Some(history) => history().read(self, self.aliases, stored, fault, older),
            None => Err(fault),
        }
    }

    pub(crate) fn aliases(&self) -> &'static [&'static str] {
        self.aliases
    }
}

impl From<String> for Name {
    fn from(name: String) -> Self {
        Self { current: name.into(), aliases: &[], history: None }
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.current
    }
}
