//! The parts of a part: elements, entries, fields by their names, variants by theirs.

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};

use crate::format::decode_fault::DecodeFault;
use crate::format::part::{Content, Context, Owner, Part};
use crate::format::schema::{Id, Variant};

/// The nodes of parts without names.
pub(super) enum Ids<'a> {
    Repeated(Id, usize),
    Listed(std::slice::Iter<'a, Id>),
}

impl Ids<'_> {
    pub(super) fn next(&mut self) -> Option<Id> {
        match self {
            Self::Repeated(_, 0) => None,
            Self::Repeated(id, left) => {
                *left -= 1;
                Some(*id)
            }
            Self::Listed(ids) => ids.next().copied(),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Repeated(_, left) => *left,
            Self::Listed(ids) => ids.len(),
        }
    }
}

pub(super) struct Sequence<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) parts: Ids<'a>,
    pub(super) rest: &'a [u8],
}

impl<'a> SeqAccess<'a> for &mut Sequence<'a> {
    type Error = DecodeFault;

    fn next_element_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<Option<T::Value>, DecodeFault> {
        let Some(id) = self.parts.next() else { return Ok(None) };
        seed.deserialize(self.context.next(id, &mut self.rest)?).map(Some)
    }
}

pub(super) struct Entries<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) key: Id,
    pub(super) value: Id,
    pub(super) left: usize,
    pub(super) rest: &'a [u8],
}

impl<'a> MapAccess<'a> for &mut Entries<'a> {
    type Error = DecodeFault;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeFault> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(self.context.next(self.key, &mut self.rest)?).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, DecodeFault> {
        let part = self.context.next(self.value, &mut self.rest)?;
        seed.deserialize(Part { field: Some((Owner::Map, "")), ..part })
    }
}

pub(super) struct Fields<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) of: Owner<'a>,
    pub(super) left: std::slice::Iter<'a, (String, Id)>,
    pub(super) rest: &'a [u8],
    /// The field whose name was read last.
    pub(super) value: Option<Part<'a>>,
}

impl<'a> MapAccess<'a> for Fields<'a> {
    type Error = DecodeFault;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeFault> {
        let Some((name, id)) = self.left.next() else { return Ok(None) };
        let part = self.context.next(*id, &mut self.rest)?;
        self.value = Some(Part { field: Some((self.of, name)), ..part });
        seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, DecodeFault> {
        let part = self.value.take().ok_or(DecodeFault::Custom)?;
        let of = self.of;
        seed.deserialize(part).map_err(|fault| fault.within(&of, part.field.map_or("", |(_, field)| field)))
    }
}

/// A variant, by its name.
pub(super) struct Chosen<'a> {
    pub(super) part: Part<'a>,
    pub(super) of: &'a str,
    pub(super) variant: &'a Variant,
}

impl<'a> EnumAccess<'a> for Chosen<'a> {
    type Error = DecodeFault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'a>>(self, seed: V) -> Result<(V::Value, Self), DecodeFault> {
        let name = BorrowedStrDeserializer::<DecodeFault>::new(&self.variant.name);
        match seed.deserialize(name) {
            Ok(variant) => Ok((variant, self)),
            // The name is one of a schema, not of a value.
            Err(_) => Err(DecodeFault::UnknownVariant(format!("{}::{}", self.of, self.variant.name))),
        }
    }
}

impl<'a> VariantAccess<'a> for Chosen<'a> {
    type Error = DecodeFault;

    fn unit_variant(self) -> Result<(), DecodeFault> {
        // `V` and `V {}` are stored alike.
        if self.variant.parts.len() == 0 { Ok(()) } else { Err(DecodeFault::Invalid("variant")) }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'a>>(self, seed: T) -> Result<T::Value, DecodeFault> {
        if self.variant.parts.len() == 0 {
            return Err(DecodeFault::Invalid("variant"));
        }
        seed.deserialize(self.part.of_variant(self.of, self.variant)?)
    }

    fn tuple_variant<V: Visitor<'a>>(self, _: usize, visitor: V) -> Result<V::Value, DecodeFault> {
        self.part.of_variant(self.of, self.variant)?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'a>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, DecodeFault> {
        if self.variant.parts.len() == 0 {
            return self.part.fields(Owner::Variant(self.of, &self.variant.name), &[], visitor);
        }
        // By names only, as in JSON: a list does not become the fields of a variant.
        let part = self.part.of_variant(self.of, self.variant)?.unwrapped()?;
        match part.content {
            Content::Struct(..) | Content::Map(..) => part.deserialize_map(visitor),
            _ => Err(DecodeFault::Invalid("variant")),
        }
    }
}
