//! The Serializer that records a value in a [`Graph`].

use std::any::type_name;
use std::fmt;

use serde::ser::{self, Serialize};

use crate::format::schema::{Id, Scalar};
use crate::kind::Kind;
use crate::schema::trace::graph::{Clash, Event, Graph, Label, Position, Slot, bare, spot_name};

/// The value does not fit the graph, or its Serialize refused it. Why is known to the graph.
#[derive(Debug)]
struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped")
    }
}

impl std::error::Error for Stopped {}

impl ser::Error for Stopped {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl From<()> for Stopped {
    fn from((): ()) -> Self {
        Self
    }
}

/// Adds a value to the graph. Of one that fails, parts are in it: such a graph is of no use.
pub(super) fn record<T: Serialize>(graph: &mut Graph, value: &T) -> Result<(), Clash> {
    let name = type_name::<T>();
    let slot = Slot { parent: None, position: (0, 0), name, spot: ("", (0, 0), spot_name(name)) };
    match value.serialize(Recorder { graph: &mut *graph, slot }) {
        Ok(()) => {
            graph.finish_sample();
            Ok(())
        }
        Err(Stopped) => Err(graph.take_clash().unwrap_or(Clash::Form(name))),
    }
}

struct Recorder<'a> {
    graph: &'a mut Graph,
    slot: Slot,
}

impl<'a> Recorder<'a> {
    fn scalar(self, kind: Kind, value: Scalar) -> Result<(), Stopped> {
        let id = self.graph.node(self.slot, Label::Leaf(kind))?;
        self.graph.scalars.entry(self.slot.spot).or_default().push(value.clone());
        self.graph.events.push(Event::Scalar(value, id));
        Ok(())
    }

    fn elements(self, label: Label, len: Option<usize>) -> Result<Composite<'a>, Stopped> {
        let id = self.graph.node(self.slot, label)?;
        self.graph.events.push(Event::Elements(len.ok_or(Stopped)?));
        Ok(Composite { graph: self.graph, id, name: self.slot.spot.2, variant: 0, next: 0 })
    }

    fn parts(self, label: Label, len: usize, named: bool) -> Result<Composite<'a>, Stopped> {
        let id = self.graph.node(self.slot, label)?;
        self.graph.arity(id, 0, len, named)?;
        Ok(Composite { graph: self.graph, id, name: self.slot.spot.2, variant: 0, next: 0 })
    }

    fn variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
        named: bool,
    ) -> Result<Composite<'a>, Stopped> {
        let id = self.graph.node(self.slot, Label::Enum(name))?;
        self.graph.variant_name(id, index, variant)?;
        self.graph.arity(id, index, len, named)?;
        self.graph.events.push(Event::Variant(index));
        Ok(Composite { graph: self.graph, id, name: self.slot.spot.2, variant: index, next: 0 })
    }
}

macro_rules! scalars {
    ($($method:ident($type:ty) $kind:ident = |$value:ident| $scalar:ident($converted:expr);)*) => {
        $(fn $method(self, $value: $type) -> Result<(), Stopped> {
            self.scalar(Kind::$kind, Scalar::$scalar($converted))
        })*
    };
}

impl<'a> ser::Serializer for Recorder<'a> {
    type Ok = ();
    type Error = Stopped;
    type SerializeSeq = Composite<'a>;
    type SerializeTuple = Composite<'a>;
    type SerializeTupleStruct = Composite<'a>;
    type SerializeTupleVariant = Composite<'a>;
    type SerializeMap = Composite<'a>;
    type SerializeStruct = Composite<'a>;
    type SerializeStructVariant = Composite<'a>;

    scalars! {
        serialize_bool(bool) Bool = |value| Bool(value);
        serialize_i8(i8) I8 = |value| Signed(value.into());
        serialize_i16(i16) I16 = |value| Signed(value.into());
        serialize_i32(i32) I32 = |value| Signed(value.into());
        serialize_i64(i64) I64 = |value| Signed(value.into());
        serialize_i128(i128) I128 = |value| Signed(value);
        serialize_u8(u8) U8 = |value| Unsigned(value.into());
        serialize_u16(u16) U16 = |value| Unsigned(value.into());
        serialize_u32(u32) U32 = |value| Unsigned(value.into());
        serialize_u64(u64) U64 = |value| Unsigned(value.into());
        serialize_u128(u128) U128 = |value| Unsigned(value);
        serialize_f32(f32) F32 = |value| F32(value.to_bits());
        serialize_f64(f64) F64 = |value| F64(value.to_bits());
        serialize_char(char) Char = |value| Char(value);
        serialize_str(&str) Str = |value| Str(value.to_owned());
        serialize_bytes(&[u8]) Bytes = |value| Bytes(value.to_owned());
    }

    fn serialize_unit(self) -> Result<(), Stopped> {
        self.scalar(Kind::Unit, Scalar::Unit)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Stopped> {
        self.serialize_unit()
    }

    fn serialize_none(self) -> Result<(), Stopped> {
        self.graph.node(self.slot, Label::Option)?;
        self.graph.events.push(Event::Some(false));
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Stopped> {
        let id = self.graph.node(self.slot, Label::Option)?;
        self.graph.events.push(Event::Some(true));
        let slot = Slot { parent: Some(id), position: (0, 0), name: bare(type_name::<T>()), ..self.slot };
        value.serialize(Recorder { graph: self.graph, slot })
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<(), Stopped> {
        if Kind::from_value_name(name).is_none() {
            return value.serialize(self);
        }
        self.graph.node(self.slot, Label::Dynamic)?;
        self.graph.events.push(Event::Dynamic);
        Ok(())
    }

    fn serialize_unit_variant(self, name: &'static str, index: u32, variant: &'static str) -> Result<(), Stopped> {
        self.variant(name, index, variant, 0, false)?;
        Ok(())
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Stopped> {
        self.variant(name, index, variant, 1, false)?.part(value)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Composite<'a>, Stopped> {
        self.elements(Label::Seq, len)
    }

    fn serialize_tuple(self, len: usize) -> Result<Composite<'a>, Stopped> {
        self.parts(Label::Tuple, len, false)
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Composite<'a>, Stopped> {
        self.parts(Label::Tuple, len, false)
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Composite<'a>, Stopped> {
        self.variant(name, index, variant, len, false)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Composite<'a>, Stopped> {
        self.elements(Label::Map, len)
    }

    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Composite<'a>, Stopped> {
        self.parts(Label::Struct(name), len, true)
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Composite<'a>, Stopped> {
        self.variant(name, index, variant, len, true)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// A node whose parts are serialized one after the other.
struct Composite<'a> {
    graph: &'a mut Graph,
    id: Id,
    /// The name under which its parts look for it in their spots.
    name: &'static str,
    variant: u32,
    next: usize,
}

impl Composite<'_> {
    /// The next part of a tuple, a struct or a variant.
    fn part<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stopped> {
        let position = (self.variant, self.next);
        self.next += 1;
        self.at(position, value)
    }

    fn named<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Stopped> {
        self.graph.part_name(self.id, (self.variant, self.next), name)?;
        self.part(value)
    }

    fn at<T: Serialize + ?Sized>(&mut self, position: Position, value: &T) -> Result<(), Stopped> {
        let name = bare(type_name::<T>());
        let slot = Slot { parent: Some(self.id), position, name, spot: (self.name, position, spot_name(name)) };
        value.serialize(Recorder { graph: &mut *self.graph, slot })
    }
}

impl ser::SerializeSeq for Composite<'_> {
    type Ok = ();
    type Error = Stopped;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stopped> {
        self.at((0, 0), value)
    }

    fn end(self) -> Result<(), Stopped> {
        Ok(())
    }
}

impl ser::SerializeMap for Composite<'_> {
    type Ok = ();
    type Error = Stopped;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Stopped> {
        self.at((0, 0), key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stopped> {
        self.at((0, 1), value)
    }

    fn end(self) -> Result<(), Stopped> {
        Ok(())
    }
}

macro_rules! composites {
    ($($trait:ident { $method:ident($($name:ident)?) $part:ident })*) => {
        $(impl ser::$trait for Composite<'_> {
            type Ok = ();
            type Error = Stopped;

            fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($name: &'static str,)?
                value: &T,
            ) -> Result<(), Stopped> {
                self.$part($($name,)? value)
            }

            $(fn skip_field(&mut self, $name: &'static str) -> Result<(), Stopped> {
                let _ = $name;
                Err(Stopped)
            })?

            fn end(self) -> Result<(), Stopped> {
                Ok(())
            }
        })*
    };
}

composites! {
    SerializeTuple { serialize_element() part }
    SerializeTupleStruct { serialize_field() part }
    SerializeTupleVariant { serialize_field() part }
    SerializeStruct { serialize_field(name) named }
    SerializeStructVariant { serialize_field(name) named }
}
