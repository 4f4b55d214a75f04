//! What a type that has changed takes with a loss, as it would from JSON. It is no error, and told when it is recorded.

use std::collections::BTreeSet;

use crate::format::schema::{Id, Node, Parts, Schema};
use crate::format::verify::{payload, split, varint};

/// Says how structs of today take what was stored as tuples and lists: by position.
pub(super) fn by_position(old: &Schema, new: &Schema) -> BTreeSet<String> {
    let mut pairs = Pairs { old, new, seen: BTreeSet::new(), told: BTreeSet::new() };
    pairs.pair(old.root, new.root);
    pairs.told
}

/// The nodes of two schemas that stand at one place.
struct Pairs<'a> {
    old: &'a Schema,
    new: &'a Schema,
    seen: BTreeSet<(Id, Id)>,
    told: BTreeSet<String>,
}

impl Pairs<'_> {
    fn pair(&mut self, old: Id, new: Id) {
        if !self.seen.insert((old, new)) {
            return;
        }
        let (Some(was), Some(is)) = (self.old.nodes.get(old), self.new.nodes.get(new)) else { return };
        match (was, is) {
            (Node::Tuple(_) | Node::Seq(_), Node::Struct { name, fields }) => {
                let what = if let Node::Tuple(_) = was { "tuple" } else { "list" };
                let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
                self.told.insert(format!(
                    "the fields of `{name}` are taken from a {what}, in the order in which they are declared: {}",
                    names.join(", ")
                ));
            }
            (Node::Option(was), Node::Option(is)) | (Node::Seq(was), Node::Seq(is)) => self.pair(*was, *is),
            (Node::Option(was), _) => self.pair(*was, new),
            (_, Node::Option(is)) => self.pair(old, *is),
            (Node::Map(key, value), Node::Map(new_key, new_value)) => {
                self.pair(*key, *new_key);
                self.pair(*value, *new_value);
            }
            (Node::Tuple(was), Node::Tuple(is)) => self.each(was, is),
            (Node::Struct { fields: was, .. }, Node::Struct { fields: is, .. }) => self.named(was, is),
            (Node::Enum { variants: was, .. }, Node::Enum { variants: is, .. }) => {
                for was in was.values() {
                    let Some(is) = is.values().find(|is| is.name == was.name) else { continue };
                    match (&was.parts, &is.parts) {
                        (Parts::Unnamed(was), Parts::Unnamed(is)) => self.each(was, is),
                        (Parts::Named(was), Parts::Named(is)) => self.named(was, is),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn each(&mut self, old: &[Id], new: &[Id]) {
        old.iter().zip(new).for_each(|(old, new)| self.pair(*old, *new));
    }

    fn named(&mut self, old: &[(String, Id)], new: &[(String, Id)]) {
        for (name, old) in old {
            if let Some((_, new)) = new.iter().find(|(other, _)| other == name) {
                self.pair(*old, *new);
            }
        }
    }
}

/// How many elements of lists and entries of maps there are in a stored value.
pub(super) fn elements(schema: &Schema, stored: &[u8]) -> Option<usize> {
    count(schema, schema.root, &mut payload(schema, stored)?)
}

fn count(schema: &Schema, id: Id, bytes: &mut &[u8]) -> Option<usize> {
    let len = |bytes: &mut &[u8]| usize::try_from(varint(bytes)?).ok();
    let all =
        |ids: &[Id], bytes: &mut &[u8]| ids.iter().try_fold(0_usize, |sum, id| Some(sum + count(schema, *id, bytes)?));
    match schema.nodes.get(id)? {
        Node::Scalar(_) | Node::Dynamic | Node::Unknown => split(schema, id, bytes).map(|_| 0),
        Node::Option(some) => {
            let (is_some, rest) = bytes.split_first()?;
            *bytes = rest;
            if *is_some == 0 { Some(0) } else { count(schema, *some, bytes) }
        }
        Node::Seq(element) => {
            let len = len(bytes)?;
            (0..len).try_fold(len, |sum, _| Some(sum + count(schema, *element, bytes)?))
        }
        Node::Map(key, value) => {
            let len = len(bytes)?;
            (0..len).try_fold(len, |sum, _| Some(sum + all(&[*key, *value], bytes)?))
        }
        Node::Tuple(_) | Node::Struct { .. } => all(&schema.children(id), bytes),
        Node::Enum { variants, .. } => {
            let variant = variants.get(&u32::try_from(varint(bytes)?).ok()?)?;
            all(&variant.parts.ids(), bytes)
        }
    }
}
