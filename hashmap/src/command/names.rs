//! The fields that a request names, with their aliases.

use crate::command::name::Name;
use crate::command::named_field::FieldInfo;

/// The fields that a request names.
#[derive(Debug, Clone)]
pub(crate) enum Names {
    None,
    One(Name),
    /// One that may not be text.
    Raw(Vec<u8>),
    Many(Vec<Name>),
    /// All fields of a record.
    Declared(&'static [FieldInfo]),
}

impl Names {
    pub(crate) fn get(&self, index: usize) -> Option<&str> {
        match self {
            Self::None | Self::Raw(_) => None,
            Self::One(name) => (index == 0).then_some(name),
            Self::Many(names) => names.get(index).map(|name| &**name),
            Self::Declared(fields) => fields.get(index).map(|field| field.name),
        }
    }

    pub(crate) fn aliases(&self, index: usize) -> &'static [&'static str] {
        match self {
            Self::None | Self::Raw(_) => &[],
            Self::One(name) => name.aliases(),
            Self::Many(names) => names.get(index).map_or(&[], Name::aliases),
            Self::Declared(fields) => fields.get(index).map_or(&[], |field| field.aliases),
        }
    }

    /// How many aliases the fields before this one have.
    pub(crate) fn aliases_before(&self, index: usize) -> usize {
        (0..index).map(|index| self.aliases(index).len()).sum()
    }

    /// True if one of them is empty. The derive has checked the names that it declares.
    #[inline]
    pub(crate) fn has_empty(&self) -> bool {
        match self {
            Self::None | Self::Declared(_) => false,
            Self::One(name) => name.is_empty(),
            Self::Raw(name) => name.is_empty(),
            Self::Many(names) => names.iter().any(|name| name.is_empty()),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::One(_) | Self::Raw(_) => 1,
            Self::Many(names) => names.len(),
            Self::Declared(fields) => fields.len(),
        }
    }
}
