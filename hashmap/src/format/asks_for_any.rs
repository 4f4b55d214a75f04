//! Whether a type asks a Deserializer for whatever is there: bincode does not record what is stored, so such a type can be
//! written and never read.

use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;
use std::sync::{LazyLock, PoisonError, RwLock};

use serde::de::value::U32Deserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

use crate::kind::Kind;

/// How deep a type is looked into.
const DEPTH: u32 = 5;

/// How many nodes of a type are looked at: a type can hold itself in many places.
const NODES: u32 = 2_000;

/// How many variants of its enums are tried.
const VARIANTS: usize = 64;

/// True if a `T`, or a type in it, asks for any value, whatever this one holds: `serde_json::Value`, `Decimal`, an enum
/// with serde's `untagged` or `tag`, a struct with `flatten`. A [`Value`](crate::Value) does not: it records itself.
///
/// The type is given samples of what it asks for. One that refuses them is not looked into further, and what follows it is
/// not found; debug builds read each value back as well. The answer is kept for each type.
pub(crate) fn asks_for_any<T: DeserializeOwned + 'static>() -> bool {
    static KNOWN: LazyLock<RwLock<HashMap<TypeId, bool>>> = LazyLock::new(RwLock::default);
    let id = TypeId::of::<T>();
    if let Some(known) = KNOWN.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
        return *known;
    }
    let asks = look::<T>();
    KNOWN.write().unwrap_or_else(PoisonError::into_inner).insert(id, asks);
    asks
}

fn look<T: DeserializeOwned>() -> bool {
    let mut variants = 1;
    for variant in 0..VARIANTS {
        if variant == variants {
            break;
        }
        let mut samples = Samples { variant, variants, depth: 0, nodes: 0, asked: false };
        // A type that refuses a sample is no fault of it.
        let _ = T::deserialize(&mut samples);
        if samples.asked {
            return true;
        }
        variants = samples.variants;
    }
    false
}

/// Answers each question of a type with a sample.
struct Samples {
    /// The variant that enums get, if they have as many.
    variant: usize,
    /// The most variants of an enum so far.
    variants: usize,
    depth: u32,
    nodes: u32,
    /// True once any value was asked for.
    asked: bool,
}

/// A sample was refused, or there is nothing more to find.
#[derive(Debug)]
struct Stop;

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stop")
    }
}

impl std::error::Error for Stop {}

impl de::Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl Samples {
    fn node(&mut self) -> Result<(), Stop> {
        self.nodes += 1;
        if self.nodes > NODES { Err(Stop) } else { Ok(()) }
    }

    /// Samples of `len` parts; of none below the greatest depth, if there may be none.
    fn parts<T>(&mut self, len: usize, visit: impl FnOnce(Parts<'_>) -> Result<T, Stop>) -> Result<T, Stop> {
        self.node()?;
        self.depth += 1;
        let visited = visit(Parts { samples: self, left: len });
        self.depth -= 1;
        visited
    }

    /// One element, or none below the greatest depth.
    fn elements(&self) -> usize {
        usize::from(self.depth < DEPTH)
    }
}

macro_rules! scalars {
    ($($method:ident $visit:ident $sample:expr;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
            self.node()?;
            visitor.$visit($sample)
        })*
    };
}

macro_rules! any {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
            self.asked = true;
            Err(Stop)
        })*
    };
}

impl<'de> Deserializer<'de> for &mut Samples {
    type Error = Stop;

    any! { deserialize_any deserialize_ignored_any deserialize_identifier }

    scalars! {
        deserialize_bool visit_bool false;
        deserialize_i8 visit_i8 1;
        deserialize_i16 visit_i16 1;
        deserialize_i32 visit_i32 1;
        deserialize_i64 visit_i64 1;
        deserialize_i128 visit_i128 1;
        deserialize_u8 visit_u8 1;
        deserialize_u16 visit_u16 1;
        deserialize_u32 visit_u32 1;
        deserialize_u64 visit_u64 1;
        deserialize_u128 visit_u128 1;
        deserialize_f32 visit_f32 1.0;
        deserialize_f64 visit_f64 1.0;
        deserialize_char visit_char 'a';
        deserialize_str visit_borrowed_str "";
        deserialize_string visit_borrowed_str "";
        deserialize_bytes visit_borrowed_bytes b"";
        deserialize_byte_buf visit_borrowed_bytes b"";
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.node()?;
        if self.elements() == 0 {
            return visitor.visit_none();
        }
        self.depth += 1;
        let visited = visitor.visit_some(&mut *self);
        self.depth -= 1;
        visited
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Stop> {
        if Kind::from_value_name(name).is_some() {
            // The least composite that there is: its kind and its digest.
            return visitor.visit_borrowed_bytes(&[Kind::Seq as u8, 0, 0, 0, 0]);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let len = self.elements();
        self.parts(len, |parts| visitor.visit_seq(parts))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        self.parts(len, |parts| visitor.visit_seq(parts))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let len = self.elements();
        self.parts(len, |parts| visitor.visit_map(parts))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.deserialize_tuple(fields.len(), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.node()?;
        self.variants = self.variants.max(variants.len());
        let variant = self.variant.min(variants.len().saturating_sub(1));
        visitor.visit_enum(Variant { samples: self, variant: u32::try_from(variant).unwrap_or(0) })
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

struct Parts<'a> {
    samples: &'a mut Samples,
    left: usize,
}

impl<'de> SeqAccess<'de> for Parts<'_> {
    type Error = Stop;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Stop> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(&mut *self.samples).map(Some)
    }
}

impl<'de> MapAccess<'de> for Parts<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Stop> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        seed.deserialize(&mut *self.samples)
    }
}

struct Variant<'a> {
    samples: &'a mut Samples,
    variant: u32,
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Stop;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Stop> {
        let index: U32Deserializer<Stop> = self.variant.into_deserializer();
        Ok((seed.deserialize(index)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Stop;

    fn unit_variant(self) -> Result<(), Stop> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Stop> {
        seed.deserialize(self.samples)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        self.samples.deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Stop> {
        self.samples.deserialize_tuple(fields.len(), visitor)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::{asks_for_any, look};

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "only what it asks for counts")]
    struct Deep(Option<Box<[Option<u8>]>>, (((u8,),),));

    /// What nests deep in one place does not hide what comes behind it.
    #[test]
    fn what_comes_after_nested_parts_is_found() {
        #[derive(Deserialize)]
        #[allow(dead_code, reason = "only what it asks for counts")]
        struct Late {
            before: (Deep, Deep, Deep, Deep, Deep, Deep),
            after: Vec<serde_json::Value>,
        }
        assert!(asks_for_any::<Late>() && !asks_for_any::<Deep>());
    }

    #[test]
    fn a_type_that_holds_itself_ends() {
        #[derive(Deserialize)]
        #[allow(dead_code, reason = "only what it asks for counts")]
        struct Tree(Vec<Tree>, Vec<Tree>, Option<Box<Tree>>);
        assert!(!look::<Tree>());
    }
}
