//! The graph of a type, as the samples of it serialize: the names, the order and the kinds of parts come from there alone,
//! so that serde's attributes need not be understood.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::format::schema::{Id, Leaf, Node, Parts, Scalar, Schema, Variant};
use crate::kind::Kind;

/// Which part of a node: the index of the variant, or 0, and the index in it.
pub(super) type Position = (u32, usize);

/// Where a part stands, by names only: the type around it, the position, its own type. What is in an `Option` stands
/// where the option stands. Samples are asked for in the same terms.
pub(super) type Spot = (&'static str, Position, &'static str);

/// What a serialized value consists of, in order. A type that deserializes it asks for the same.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Event {
    /// A scalar, and the leaf that it belongs to.
    Scalar(Scalar, Id),
    Some(bool),
    Elements(usize),
    Variant(u32),
    Dynamic,
}

/// A node, without its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    Leaf(Kind),
    Option,
    Seq,
    Map,
    Tuple,
    Struct(&'static str),
    Enum(&'static str),
    Dynamic,
}

/// What a variant, or the node itself, has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arity {
    pub(super) parts: usize,
    pub(super) named: bool,
}

/// How a node is found again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    /// By the name of its type, wherever it stands.
    Type(&'static str),
    /// By its place, because other types have the same name.
    Within(Option<Id>, Position, &'static str),
    /// A scalar, by its place.
    Leaf(Option<Id>, Position),
}

/// Where a value stands that is to be serialized.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub(super) parent: Option<Id>,
    pub(super) position: Position,
    /// The name of its type.
    pub(super) name: &'static str,
    pub(super) spot: Spot,
}

/// Two values that should be one node are built in different ways.
#[derive(Debug)]
pub(super) enum Clash {
    /// Two types have this name: it has to be told by place.
    Name(&'static str),
    /// One type, of this name, has no fixed form.
    Form(&'static str),
}

#[derive(Default)]
pub(super) struct Graph {
    labels: Vec<Label>,
    /// The name of the type of each node.
    names: Vec<&'static str>,
    /// The first node around each node.
    parents: Vec<Option<Id>>,
    ids: HashMap<Key, Id>,
    children: BTreeMap<(Id, Position), Id>,
    part_names: BTreeMap<(Id, Position), &'static str>,
    /// What each variant of each node has. A node that is no enum has the variant 0.
    arities: BTreeMap<(Id, u32), Arity>,
    variant_names: BTreeMap<(Id, u32), &'static str>,
    /// The names that are those of more than one type.
    ambiguous: BTreeSet<&'static str>,
    /// The samples that were recorded.
    pub(super) samples: Vec<Vec<Event>>,
    pub(super) events: Vec<Event>,
    /// The scalars at each spot.
    pub(super) scalars: BTreeMap<Spot, Vec<Scalar>>,
    clash: Option<Clash>,
}

/// True for wrappers that serde's derive names alike, whatever they wrap.
pub(super) fn is_wrapper(name: &str) -> bool {
    name.contains("::__SerializeWith") || name.contains("::__DeserializeWith")
}

/// A type without references: `collect_seq` and the like hand over those.
pub(super) fn bare(name: &'static str) -> &'static str {
    let name = name.trim_start_matches('&');
    name.strip_prefix("mut ").map_or(name, bare)
}

/// The name of a type in a [`Spot`]: the wrappers of Serialize and Deserialize are the same there.
pub(super) fn spot_name(name: &'static str) -> &'static str {
    if is_wrapper(name) { "with" } else { name }
}

/// The spot that stands for all spots of its type, in an `Option` or not.
pub(super) fn anywhere(spot: Spot) -> Spot {
    ("", (0, 0), inner(spot.2))
}

/// The type that others are only wrapped around.
pub(super) fn inner(name: &'static str) -> &'static str {
    let wrappers = ["core::option::Option<", "alloc::boxed::Box<"];
    let content = |wrapper| name.strip_prefix(wrapper)?.strip_suffix('>');
    wrappers.into_iter().find_map(content).map_or(name, inner)
}

impl Graph {
    pub(super) fn new(ambiguous: BTreeSet<&'static str>) -> Self {
        Self { ambiguous, ..Self::default() }
    }

    /// Adds the events of a value that was recorded, as a sample.
    pub(super) fn finish_sample(&mut self) {
        self.samples.push(std::mem::take(&mut self.events));
    }

    /// Why the last value could not be recorded, if the graph is why.
    pub(super) fn take_clash(&mut self) -> Option<Clash> {
        self.clash.take()
    }

    /// The node of what stands in `slot`, which is new or has the same label.
    pub(super) fn node(&mut self, slot: Slot, label: Label) -> Result<Id, ()> {
        let key = match label {
            Label::Leaf(_) | Label::Dynamic => Key::Leaf(slot.parent, slot.position),
            _ if self.ambiguous.contains(slot.name) || is_wrapper(slot.name) => {
                Key::Within(slot.parent, slot.position, slot.name)
            }
            _ => Key::Type(slot.name),
        };
        let id = if let Some(id) = self.ids.get(&key) {
            *id
        } else {
            let id = self.labels.len();
            self.labels.push(label);
            self.names.push(slot.name);
            self.parents.push(slot.parent);
            self.ids.insert(key, id);
            id
        };
        if self.labels[id] != label {
            return self.clash(Some(id));
        }
        match slot.parent {
            Some(parent) if *self.children.entry((parent, slot.position)).or_insert(id) != id => {
                self.clash(Some(parent))
            }
            _ => Ok(id),
        }
    }

    /// Checks what a variant of a node, or the node itself, has.
    pub(super) fn arity(&mut self, id: Id, variant: u32, parts: usize, named: bool) -> Result<(), ()> {
        let arity = Arity { parts, named };
        if *self.arities.entry((id, variant)).or_insert(arity) == arity { Ok(()) } else { self.clash(Some(id)) }
    }

    pub(super) fn variant_name(&mut self, id: Id, variant: u32, name: &'static str) -> Result<(), ()> {
        if *self.variant_names.entry((id, variant)).or_insert(name) == name { Ok(()) } else { self.clash(Some(id)) }
    }

    pub(super) fn part_name(&mut self, id: Id, position: Position, name: &'static str) -> Result<(), ()> {
        if *self.part_names.entry((id, position)).or_insert(name) == name { Ok(()) } else { self.clash(Some(id)) }
    }

    /// Finds the innermost name that could be that of two types: if it is, telling them by place ends the clash.
    #[cold]
    fn clash<T>(&mut self, id: Option<Id>) -> Result<T, ()> {
        let mut at = id;
        while let Some(id) = at {
            let is_composite = !matches!(self.labels[id], Label::Leaf(_) | Label::Dynamic);
            if is_composite && !is_wrapper(self.names[id]) && !self.ambiguous.contains(self.names[id]) {
                self.clash = Some(Clash::Name(self.names[id]));
                return Err(());
            }
            at = self.parents[id];
        }
        self.clash = Some(Clash::Form(id.map_or("", |id| self.names[id])));
        Err(())
    }

    /// True if a value of the enum of this name had this variant.
    pub(super) fn has_variant(&self, name: &str, index: u32) -> bool {
        let is_enum = |id: Id| matches!(self.labels[id], Label::Enum(found) if found == name);
        self.variant_names.keys().any(|(id, variant)| *variant == index && is_enum(*id))
    }

    /// The name of the type that a node is in.
    pub(super) fn type_around(&self, id: Id) -> &'static str {
        inner(self.names[self.parents[id].unwrap_or(id)])
    }

    /// The kind of a node that is a scalar.
    pub(super) fn leaf_kind(&self, id: Id) -> Option<Kind> {
        if let Label::Leaf(kind) = self.labels[id] { Some(kind) } else { None }
    }

    /// The types of the nodes that have a part which no sample has shown.
    pub(super) fn holes(&self) -> Vec<&'static str> {
        let is_hole = |id: &Id| match self.labels[*id] {
            Label::Option | Label::Seq | Label::Map => !self.children.contains_key(&(*id, (0, 0))),
            _ => false,
        };
        (0..self.labels.len()).filter(is_hole).map(|id| inner(self.names[id])).collect()
    }

    /// The schema, with the values that leaves accept.
    pub(super) fn schema(&self, accepts: &HashMap<Id, Vec<Scalar>>) -> Schema {
        let mut nodes: Vec<Node> = Vec::with_capacity(self.labels.len() + 1);
        let unknown = self.labels.len();
        for (id, label) in self.labels.iter().enumerate() {
            let part = |position: Position| self.children.get(&(id, position)).copied().unwrap_or(unknown);
            let named = |variant: u32, parts: usize| {
                let name = |index| self.part_names.get(&(id, (variant, index))).copied().unwrap_or_default().to_owned();
                (0..parts).map(|index| (name(index), part((variant, index)))).collect::<Vec<_>>()
            };
            let parts = self.arities.get(&(id, 0)).map_or(0, |arity| arity.parts);
            nodes.push(match label {
                Label::Leaf(kind) => {
                    Node::Scalar(Leaf { kind: *kind, accepts: accepts.get(&id).cloned().unwrap_or_default() })
                }
                Label::Option => Node::Option(part((0, 0))),
                Label::Seq => Node::Seq(part((0, 0))),
                Label::Map => Node::Map(part((0, 0)), part((0, 1))),
                Label::Tuple => Node::Tuple((0..parts).map(|index| part((0, index))).collect()),
                Label::Struct(name) => Node::Struct { name: (*name).to_owned(), fields: named(0, parts) },
                Label::Enum(name) => {
                    let variants = self.variant_names.range((id, 0)..=(id, u32::MAX)).map(|((_, index), name)| {
                        let parts = match self.arities.get(&(id, *index)) {
                            Some(Arity { parts, named: true }) => Parts::Named(named(*index, *parts)),
                            Some(Arity { parts: 0, .. }) | None => Parts::Unit,
                            Some(Arity { parts, .. }) => {
                                Parts::Unnamed((0..*parts).map(|at| part((*index, at))).collect())
                            }
                        };
                        (*index, Variant { name: (*name).to_owned(), parts })
                    });
                    Node::Enum { name: (*name).to_owned(), variants: variants.collect() }
                }
                Label::Dynamic => Node::Dynamic,
            });
        }
        nodes.push(Node::Unknown);
        // The root is the first node that was made.
        Schema { nodes: Arc::new(nodes), root: 0 }
    }
}
