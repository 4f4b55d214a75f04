//! Values of a schema, in their stored form: what a type that has changed is tried on.

use std::collections::BTreeSet;

use crate::format::schema::{Id, Leaf, Node, Parts, Scalar, Schema};
use crate::format::shape::ShapeHash;
use crate::kind::Kind;
use crate::schema::bounds::bounds;

/// How many elements there are where there are many.
const MANY: usize = 100;

/// From how many equal parts on a tuple is an array.
const LONG_ARRAY: usize = 16;

/// A value of a schema.
#[derive(Debug, Clone)]
pub(super) enum Sample {
    Scalar(Scalar),
    Option(Option<Box<Sample>>),
    Elements(Vec<Sample>),
    Entries(Vec<(Sample, Sample)>),
    Parts(Vec<Sample>),
    Variant(u32, Vec<Sample>),
    Dynamic,
}

/// Returns stored values of a schema: one that has a bit of everything, and others with little in them that differ from
/// the least one at one place each. A reader meets one place after the other, so they find each place where it fails.
pub(crate) fn stored(schema: &Schema) -> Vec<Vec<u8>> {
    let values = Sampler { schema, heights: heights(schema) };
    let mut samples: Vec<Sample> = values.full(schema.root, &mut BTreeSet::new()).into_iter().collect();
    samples.extend(values.least(schema.root));
    samples.extend(values.others(schema.root, &mut BTreeSet::new()));
    samples.iter().filter_map(|sample| encode(schema, sample)).collect()
}

/// How deep the least value of each node nests. `None` where it has no value.
fn heights(schema: &Schema) -> Vec<Option<usize>> {
    let mut heights: Vec<Option<usize>> = vec![None; schema.nodes.len()];
    // Each round knows all values that nest one level deeper.
    for _ in 0..=schema.nodes.len() {
        for (id, node) in schema.nodes.iter().enumerate() {
            let of = |ids: &mut dyn Iterator<Item = Id>| {
                ids.map(|id| heights.get(id).copied().flatten()).try_fold(0, |most, height| Some(most.max(height? + 1)))
            };
            let height = match node {
                Node::Scalar(_) | Node::Dynamic | Node::Option(_) | Node::Seq(_) | Node::Map(..) => Some(0),
                Node::Unknown => None,
                Node::Tuple(_) | Node::Struct { .. } => of(&mut schema.children(id).into_iter()),
                Node::Enum { variants, .. } => {
                    variants.values().filter_map(|variant| of(&mut variant.parts.ids().into_iter())).min()
                }
            };
            heights[id] = height;
        }
    }
    heights
}

struct Sampler<'a> {
    schema: &'a Schema,
    heights: Vec<Option<usize>>,
}

impl Sampler<'_> {
    /// The value with the least in it.
    fn least(&self, id: Id) -> Option<Sample> {
        self.heights.get(id).copied().flatten()?;
        Some(match self.schema.nodes.get(id)? {
            Node::Scalar(leaf) => Sample::Scalar(values(leaf).into_iter().next()?),
            Node::Option(_) => Sample::Option(None),
            Node::Seq(_) => Sample::Elements(Vec::new()),
            Node::Map(..) => Sample::Entries(Vec::new()),
            Node::Tuple(_) | Node::Struct { .. } => Sample::Parts(self.all_least(&self.schema.children(id))?),
            Node::Enum { .. } => {
                let (index, ids) = self.least_variant(id)?;
                Sample::Variant(index, self.all_least(&ids)?)
            }
            Node::Dynamic => Sample::Dynamic,
            Node::Unknown => return None,
        })
    }

    fn all_least(&self, ids: &[Id]) -> Option<Vec<Sample>> {
        ids.iter().map(|id| self.least(*id)).collect()
    }

    fn least_variant(&self, id: Id) -> Option<(u32, Vec<Id>)> {
        let Some(Node::Enum { variants, .. }) = self.schema.nodes.get(id) else { return None };
        let height = |ids: &[Id]| {
            let of = |most: usize, id: &Id| Some(most.max(self.heights.get(*id).copied().flatten()? + 1));
            ids.iter().try_fold(0, of)
        };
        let variants = variants.iter().map(|(index, variant)| (*index, variant.parts.ids()));
        variants.filter_map(|(index, ids)| Some((height(&ids)?, index, ids))).min().map(|(_, index, ids)| (index, ids))
    }

    /// A value with something in each option and collection, each node once: a type that holds itself ends there.
    fn full(&self, id: Id, seen: &mut BTreeSet<Id>) -> Option<Sample> {
        let is_scalar = matches!(self.schema.nodes.get(id)?, Node::Scalar(_));
        if !is_scalar && !seen.insert(id) {
            return self.least(id);
        }
        Some(match self.schema.nodes.get(id)? {
            Node::Option(some) => Sample::Option(self.full(*some, seen).map(Box::new)),
            Node::Seq(element) => Sample::Elements(self.full(*element, seen).into_iter().collect()),
            Node::Map(key, value) => {
                Sample::Entries(self.full(*key, seen).zip(self.full(*value, seen)).into_iter().collect())
            }
            Node::Tuple(_) | Node::Struct { .. } => Sample::Parts(self.all_full(&self.schema.children(id), seen)?),
            Node::Enum { .. } => {
                let (index, ids) = self.least_variant(id)?;
                Sample::Variant(index, self.all_full(&ids, seen)?)
            }
            Node::Scalar(_) | Node::Dynamic | Node::Unknown => return self.least(id),
        })
    }

    fn all_full(&self, ids: &[Id], seen: &mut BTreeSet<Id>) -> Option<Vec<Sample>> {
        ids.iter().map(|id| self.full(*id, seen)).collect()
    }

    /// The values that differ from the least one at one place, on every way to it. Of types that hold each other, each is
    /// varied in full once on each way into them, and then only in itself.
    fn others(&self, id: Id, around: &mut BTreeSet<Id>) -> Vec<Sample> {
        let Some(node) = self.schema.nodes.get(id) else { return Vec::new() };
        let mut fresh = BTreeSet::new();
        let around = if self.schema.holds_itself(id) { around } else { &mut fresh };
        let in_full = around.insert(id);
        match node {
            Node::Scalar(leaf) => values(leaf).into_iter().skip(1).map(Sample::Scalar).collect(),
            Node::Option(some) => {
                let inner = self.variations(&[*some], in_full, around).into_iter().flatten();
                inner.map(|inner| Sample::Option(Some(Box::new(inner)))).collect()
            }
            Node::Seq(element) => {
                let one = self.variations(&[*element], in_full, around);
                // A type can take only so many.
                let many = self.least(*element).map(|least| vec![least; MANY]);
                one.into_iter().chain(many).map(Sample::Elements).collect()
            }
            Node::Map(key, value) => {
                let entries = self.variations(&[*key, *value], in_full, around).into_iter();
                let entries = entries.filter_map(|entry| <[Sample; 2]>::try_from(entry).ok());
                entries.map(|[key, value]| Sample::Entries(vec![(key, value)])).collect()
            }
            Node::Tuple(_) | Node::Struct { .. } => {
                let parts = self.variations(&self.schema.children(id), in_full, around);
                parts.into_iter().skip(1).map(Sample::Parts).collect()
            }
            Node::Enum { variants, .. } => {
                let mut all = Vec::new();
                for (index, variant) in variants {
                    let parts = self.variations(&variant.parts.ids(), in_full, around);
                    all.extend(parts.into_iter().map(|parts| Sample::Variant(*index, parts)));
                }
                all
            }
            Node::Dynamic | Node::Unknown => Vec::new(),
        }
    }

    /// The least parts; and, in full, parts of which one differs from its least.
    fn variations(&self, ids: &[Id], in_full: bool, around: &mut BTreeSet<Id>) -> Vec<Vec<Sample>> {
        let Some(least) = self.all_least(ids) else { return Vec::new() };
        let mut all = vec![least.clone()];
        // Of a long array, the first and the last are enough: all have one type.
        let is_array = ids.len() > LONG_ARRAY && ids.iter().all(|id| Some(id) == ids.first());
        let places = (0..ids.len()).filter(|index| !is_array || *index == 0 || *index + 1 == ids.len());
        for index in places.filter(|_| in_full) {
            for other in self.others(ids[index], around) {
                let mut parts = least.clone();
                parts[index] = other;
                all.push(parts);
            }
        }
        all
    }
}

/// The values on which a leaf is tried: those that its type is known to accept, or those at the limits of its kind.
fn values(leaf: &Leaf) -> Vec<Scalar> {
    if leaf.accepts.is_empty() { bounds(leaf.kind) } else { leaf.accepts.clone() }
}

/// The stored form of a sample.
pub(super) fn encode(schema: &Schema, sample: &Sample) -> Option<Vec<u8>> {
    let mut encoder = Encoder { schema, payload: Vec::new(), hash: ShapeHash::EMPTY };
    encoder.node(schema.root, sample)?;
    let kind = schema.kind(schema.root)?;
    let mut stored = vec![kind.byte()];
    if !kind.is_scalar() {
        stored.extend(encoder.hash.digest().to_le_bytes());
    }
    stored.append(&mut encoder.payload);
    Some(stored)
}

/// Writes what bincode and the shape pass write for the value that a sample stands for.
struct Encoder<'a> {
    schema: &'a Schema,
    payload: Vec<u8>,
    hash: ShapeHash,
}

impl Encoder<'_> {
    fn varint(&mut self, number: u128) {
        let bytes = number.to_le_bytes();
        let (mark, len) = match number {
            0..=250 => (None, 1),
            251..=0xffff => (Some(251), 2),
            0x1_0000..=0xffff_ffff => (Some(252), 4),
            0x1_0000_0000..=0xffff_ffff_ffff_ffff => (Some(253), 8),
            _ => (Some(254), 16),
        };
        self.payload.extend(mark.into_iter().chain(bytes.into_iter().take(len)));
    }

    fn node(&mut self, id: Id, sample: &Sample) -> Option<()> {
        let schema = self.schema;
        self.hash.feed(schema.kind(id)?.byte());
        match (schema.nodes.get(id)?, sample) {
            (Node::Scalar(leaf), Sample::Scalar(value)) => self.scalar(leaf.kind, value),
            (Node::Option(_), Sample::Option(None)) => {
                self.hash.feed(0);
                self.payload.push(0);
            }
            (Node::Option(some), Sample::Option(Some(inner))) => {
                self.hash.feed(1);
                self.payload.push(1);
                self.node(*some, inner)?;
            }
            (Node::Seq(element), Sample::Elements(elements)) => {
                let nodes: Vec<_> = elements.iter().map(|sample| vec![(*element, sample)]).collect();
                self.elements(&nodes)?;
            }
            (Node::Map(key, value), Sample::Entries(entries)) => {
                let nodes: Vec<_> = entries.iter().map(|entry| vec![(*key, &entry.0), (*value, &entry.1)]).collect();
                self.elements(&nodes)?;
            }
            (Node::Tuple(ids), Sample::Parts(samples)) => {
                self.hash.feed_number(ids.len() as u64);
                ids.iter().zip(samples).try_for_each(|(id, sample)| self.node(*id, sample))?;
            }
            (Node::Struct { fields, .. }, Sample::Parts(samples)) => {
                self.hash.feed_number(fields.len() as u64);
                self.fields(fields, samples)?;
            }
            (Node::Enum { variants, .. }, Sample::Variant(index, samples)) => {
                let variant = variants.get(index)?;
                self.varint((*index).into());
                self.hash.feed_number((*index).into());
                self.hash.feed_name(&variant.name);
                self.hash.feed_number(variant.parts.len() as u64);
                match &variant.parts {
                    Parts::Unit => {}
                    Parts::Unnamed(ids) => {
                        ids.iter().zip(samples).try_for_each(|(id, sample)| self.node(*id, sample))?;
                    }
                    Parts::Named(fields) => self.fields(fields, samples)?,
                }
            }
            // A `Value::Unit`.
            (Node::Dynamic, Sample::Dynamic) => self.payload.push(Kind::Unit.byte()),
            _ => return None,
        }
        Some(())
    }

    fn fields(&mut self, fields: &[(String, Id)], samples: &[Sample]) -> Option<()> {
        fields.iter().zip(samples).try_for_each(|((name, id), sample)| {
            self.hash.feed_name(name);
            self.node(*id, sample)
        })
    }

    fn elements(&mut self, elements: &[Vec<(Id, &Sample)>]) -> Option<()> {
        self.varint(elements.len() as u128);
        let (outer, mut sum) = (self.hash, 0_u64);
        for element in elements {
            self.hash = ShapeHash::EMPTY;
            element.iter().try_for_each(|(id, sample)| self.node(*id, sample))?;
            sum = sum.wrapping_add(self.hash.mixed());
        }
        self.hash = outer;
        self.hash.feed_sum(sum);
        Some(())
    }

    fn scalar(&mut self, kind: Kind, value: &Scalar) {
        let is_byte = matches!(kind, Kind::I8 | Kind::U8);
        match value {
            Scalar::Unit => {}
            Scalar::Bool(value) => self.payload.push((*value).into()),
            Scalar::Signed(value) if is_byte => self.payload.extend(value.to_le_bytes().first()),
            Scalar::Signed(value) => self.varint(((value << 1) ^ (value >> 127)).cast_unsigned()),
            Scalar::Unsigned(value) if is_byte => self.payload.extend(value.to_le_bytes().first()),
            Scalar::Unsigned(value) => self.varint(*value),
            Scalar::F32(bits) => self.payload.extend(bits.to_le_bytes()),
            Scalar::F64(bits) => self.payload.extend(bits.to_le_bytes()),
            Scalar::Char(value) => self.payload.extend(value.encode_utf8(&mut [0; 4]).bytes()),
            Scalar::Str(value) => self.string(value.as_bytes()),
            Scalar::Bytes(value) => self.string(value),
        }
    }

    fn string(&mut self, bytes: &[u8]) {
        self.varint(bytes.len() as u128);
        self.payload.extend(bytes);
    }
}
