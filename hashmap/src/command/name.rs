//! The name of a field, and the names under which it was stored before.

use std::borrow::Cow;
use std::ops::Deref;

/// The name of a field: declared in a struct, or made at run time.
///
/// It dereferences to the name under which the field is written. A declared field can have aliases, its former names. It is
/// stored under the first name under which anything lies: its own, or else one of the aliases, in their order.
#[derive(Debug, Clone)]
pub struct Name {
    name: Cow<'static, str>,
    aliases: &'static [&'static str],
}

impl Name {
    pub(crate) fn declared(name: &'static str, aliases: &'static [&'static str]) -> Self {
        Self { name: name.into(), aliases }
    }

    pub(crate) fn aliases(&self) -> &'static [&'static str] {
        self.aliases
    }
}

impl From<String> for Name {
    fn from(name: String) -> Self {
        Self { name: name.into(), aliases: &[] }
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.name
    }
}
