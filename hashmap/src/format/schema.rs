//! The schema of a type: how its values lie in Redis, with the names that bincode does not record.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::kind::Kind;

/// The place of a node in its schema.
pub(crate) type Id = usize;

/// How the values of a type are built: a graph, since types can be recursive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    pub(crate) nodes: Arc<Vec<Node>>,
    pub(crate) root: Id,
}

/// One part of a type, as serde's data model has it. A newtype struct is what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    /// A scalar that stands at one place, such as one field of one struct.
    Scalar(Leaf),
    Option(Id),
    Seq(Id),
    Map(Id, Id),
    /// A tuple, a tuple struct or an array.
    Tuple(Vec<Id>),
    Struct {
        /// The name of the type, which is not stored.
        name: String,
        fields: Vec<(String, Id)>,
    },
    Enum {
        /// The name of the type, which is not stored.
        name: String,
        /// By the index that is stored.
        variants: BTreeMap<u32, Variant>,
    },
    /// A [`Value`](crate::Value).
    Dynamic,
    /// A part that no sample has shown.
    Unknown,
}

/// A scalar, and some of its values that the type accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) kind: Kind,
    /// Empty where the type accepts every value of the kind that was tried.
    pub(crate) accepts: Vec<Scalar>,
}

/// The value of a scalar.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scalar {
    Unit,
    Bool(bool),
    /// An integer with a sign, of any width.
    Signed(i128),
    /// An integer without a sign, of any width.
    Unsigned(u128),
    /// The bits of an `f32`, so that a NaN stays what it is.
    F32(u32),
    /// The bits of an `f64`.
    F64(u64),
    Char(char),
    Str(String),
    Bytes(Vec<u8>),
}

/// A variant of an enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variant {
    pub(crate) name: String,
    pub(crate) parts: Parts,
}

/// What a variant holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Parts {
    Unit,
    /// One part, or several, without names.
    Unnamed(Vec<Id>),
    Named(Vec<(String, Id)>),
}

impl Schema {
    /// The schema of a scalar: what the kind byte alone says.
    pub(crate) fn of_scalar(kind: Kind) -> Self {
        Self { nodes: Arc::new(vec![Node::Scalar(Leaf { kind, accepts: Vec::new() })]), root: 0 }
    }

    /// The kind of a node. `None` if it is not known.
    pub(crate) fn kind(&self, id: Id) -> Option<Kind> {
        Some(match self.nodes.get(id)? {
            Node::Scalar(leaf) => leaf.kind,
            Node::Option(_) => Kind::Option,
            Node::Seq(_) => Kind::Seq,
            Node::Map(..) => Kind::Map,
            Node::Tuple(_) => Kind::Tuple,
            Node::Struct { .. } => Kind::Struct,
            Node::Enum { .. } => Kind::Enum,
            Node::Dynamic => Kind::Dynamic,
            Node::Unknown => return None,
        })
    }

    /// The nodes that a node holds.
    pub(crate) fn children(&self, id: Id) -> Vec<Id> {
        match self.nodes.get(id) {
            None | Some(Node::Scalar(_) | Node::Dynamic | Node::Unknown) => Vec::new(),
            Some(Node::Option(child) | Node::Seq(child)) => vec![*child],
            Some(Node::Map(key, value)) => vec![*key, *value],
            Some(Node::Tuple(parts)) => parts.clone(),
            Some(Node::Struct { fields, .. }) => fields.iter().map(|(_, id)| *id).collect(),
            Some(Node::Enum { variants, .. }) => variants.values().flat_map(|variant| variant.parts.ids()).collect(),
        }
    }

    /// True if a way leads from what a node holds to another one that passes none of `but`.
    pub(crate) fn reaches(&self, from: Id, to: Id, but: &BTreeSet<Id>) -> bool {
        let (mut seen, mut left) = (BTreeSet::new(), self.children(from));
        while let Some(id) = left.pop() {
            if id == to {
                return true;
            }
            if !but.contains(&id) && seen.insert(id) {
                left.extend(self.children(id));
            }
        }
        false
    }

    /// True if a value of the node can hold another one of it.
    pub(crate) fn holds_itself(&self, id: Id) -> bool {
        self.reaches(id, id, &BTreeSet::new())
    }
}

impl Parts {
    pub(crate) fn ids(&self) -> Vec<Id> {
        match self {
            Self::Unit => Vec::new(),
            Self::Unnamed(parts) => parts.clone(),
            Self::Named(fields) => fields.iter().map(|(_, id)| *id).collect(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Unit => 0,
            Self::Unnamed(parts) => parts.len(),
            Self::Named(fields) => fields.len(),
        }
    }
}
