//! Which values of two schemas look alike: one that was to be converted and looks like one of today's is read as that.

use std::collections::BTreeSet;

use crate::format::schema::{Id, Node, Parts, Schema};
use crate::kind::Kind;

/// How much the values of two schemas look alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Overlap {
    /// Not at all.
    None,
    /// In values of which there are so few that each is tried, as a variant without contents.
    Few,
    /// In as many as there are numbers or texts.
    Many,
}

/// How much the values of two schemas look alike to an accessor.
pub(super) fn overlap(old: &Schema, new: &Schema) -> Overlap {
    // A scalar that stands alone is read at any width.
    match (old.kind(old.root), new.kind(new.root)) {
        (Some(old), Some(new)) if old.is_number() && new.is_number() => return Overlap::Many,
        (Some(Kind::Char), Some(Kind::Str)) => return Overlap::Many,
        _ => {}
    }
    Pairs { old, new, around: BTreeSet::new() }.pair(old.root, new.root)
}

struct Pairs<'a> {
    old: &'a Schema,
    new: &'a Schema,
    around: BTreeSet<(Id, Id)>,
}

impl Pairs<'_> {
    fn pair(&mut self, old: Id, new: Id) -> Overlap {
        // A type that holds itself does so behind an option, a list or a variant, which say what there is.
        if !self.around.insert((old, new)) {
            return Overlap::Few;
        }
        let overlap = self.of_nodes(old, new);
        self.around.remove(&(old, new));
        overlap
    }

    fn of_nodes(&mut self, old: Id, new: Id) -> Overlap {
        let (Some(old), Some(new)) = (self.old.nodes.get(old), self.new.nodes.get(new)) else { return Overlap::None };
        match (old, new) {
            (Node::Scalar(old), Node::Scalar(new)) if old.kind == new.kind => match old.kind {
                Kind::Unit | Kind::Bool => Overlap::Few,
                _ => Overlap::Many,
            },
            // `None`, and what is empty, looks like each other.
            (Node::Option(old), Node::Option(new)) | (Node::Seq(old), Node::Seq(new)) => {
                self.pair(*old, *new).max(Overlap::Few)
            }
            (Node::Map(key, value), Node::Map(new_key, new_value)) => {
                self.all(&[*key, *value], &[*new_key, *new_value]).max(Overlap::Few)
            }
            (Node::Tuple(old), Node::Tuple(new)) => self.all(old, new),
            (Node::Struct { fields: old, .. }, Node::Struct { fields: new, .. }) => self.named(old, new),
            (Node::Enum { variants: old, .. }, Node::Enum { variants: new, .. }) => {
                let mut most = Overlap::None;
                for (index, old) in old {
                    let Some(new) = new.get(index).filter(|new| new.name == old.name) else { continue };
                    most = most.max(match (&old.parts, &new.parts) {
                        (Parts::Unit, Parts::Unit) => Overlap::Few,
                        (Parts::Unnamed(old), Parts::Unnamed(new)) => self.all(old, new),
                        (Parts::Named(old), Parts::Named(new)) => self.named(old, new),
                        _ => Overlap::None,
                    });
                }
                most
            }
            (Node::Dynamic, Node::Dynamic) => Overlap::Many,
            _ => Overlap::None,
        }
    }

    /// Parts that have to look alike together.
    fn all(&mut self, old: &[Id], new: &[Id]) -> Overlap {
        if old.len() != new.len() {
            return Overlap::None;
        }
        let mut most = Overlap::Few;
        for (old, new) in old.iter().zip(new) {
            match self.pair(*old, *new) {
                Overlap::None => return Overlap::None,
                overlap => most = most.max(overlap),
            }
        }
        most
    }

    fn named(&mut self, old: &[(String, Id)], new: &[(String, Id)]) -> Overlap {
        if !old.iter().map(|(name, _)| name).eq(new.iter().map(|(name, _)| name)) {
            return Overlap::None;
        }
        let ids = |fields: &[(String, Id)]| fields.iter().map(|(_, id)| *id).collect::<Vec<_>>();
        self.all(&ids(old), &ids(new))
    }
}
