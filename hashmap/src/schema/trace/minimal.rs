//! The smallest graph of a schema: nodes that no value can tell apart become one.

use std::collections::HashMap;
use std::sync::Arc;

use crate::format::schema::{Id, Node, Parts, Schema};

/// The smallest schema that is built alike. Its nodes are in the order in which a walk from the root meets them, so two
/// graphs that are built alike become the same schema.
pub(super) fn minimal(schema: &Schema) -> Schema {
    let classes = classes(&schema.nodes);
    let mut found = HashMap::new();
    let mut order = Vec::new();
    // A stack instead of recursion: the graph can be as deep as it has nodes.
    let mut stack = vec![schema.root];
    while let Some(id) = stack.pop() {
        if found.contains_key(&classes[id]) {
            continue;
        }
        found.insert(classes[id], order.len());
        order.push(id);
        let mut parts = parts(&schema.nodes[id]);
        parts.reverse();
        stack.append(&mut parts);
    }
    let nodes = order.iter().map(|id| with_parts(&schema.nodes[*id], |part| found[&classes[part]])).collect();
    Schema { nodes: Arc::new(nodes), root: 0 }
}

/// The class of each node: nodes of one class are alike, and so are all their parts.
fn classes(nodes: &[Node]) -> Vec<usize> {
    // Nodes that differ apart from their parts are told apart by what they look like without them.
    let labels: Vec<String> = nodes.iter().map(|node| format!("{:?}", with_parts(node, |_| 0))).collect();
    let parts: Vec<Vec<Id>> = nodes.iter().map(parts).collect();
    let mut classes = numbered(labels.iter());
    let mut count = 0;
    loop {
        let before = classes.iter().max().map_or(0, |last| last + 1);
        if before == count {
            return classes;
        }
        count = before;
        let signatures = parts.iter().enumerate().map(|(id, parts)| {
            let parts: Vec<usize> = parts.iter().map(|part| classes[*part]).collect();
            (classes[id], parts)
        });
        classes = numbered(signatures);
    }
}

/// Numbers for values, the same for equal ones.
fn numbered<T: std::hash::Hash + Eq>(values: impl Iterator<Item = T>) -> Vec<usize> {
    let mut numbers = HashMap::new();
    values
        .map(|value| {
            let next = numbers.len();
            *numbers.entry(value).or_insert(next)
        })
        .collect()
}

/// The parts of a node, in order.
fn parts(node: &Node) -> Vec<Id> {
    let mut parts = Vec::new();
    let _ = with_parts(node, |part| {
        parts.push(part);
        part
    });
    parts
}

/// The node with other parts.
fn with_parts(node: &Node, mut of: impl FnMut(Id) -> Id) -> Node {
    match node {
        Node::Scalar(_) | Node::Dynamic | Node::Unknown => node.clone(),
        Node::Option(part) => Node::Option(of(*part)),
        Node::Seq(part) => Node::Seq(of(*part)),
        Node::Map(key, value) => {
            let key = of(*key);
            Node::Map(key, of(*value))
        }
        Node::Tuple(parts) => Node::Tuple(parts.iter().map(|part| of(*part)).collect()),
        Node::Struct { name, fields } => Node::Struct { name: name.clone(), fields: named(fields, &mut of) },
        Node::Enum { name, variants } => {
            let mut variants = variants.clone();
            for variant in variants.values_mut() {
                variant.parts = match &variant.parts {
                    Parts::Unit => Parts::Unit,
                    Parts::Unnamed(parts) => Parts::Unnamed(parts.iter().map(|part| of(*part)).collect()),
                    Parts::Named(fields) => Parts::Named(named(fields, &mut of)),
                };
            }
            Node::Enum { name: name.clone(), variants }
        }
    }
}

fn named(fields: &[(String, Id)], of: &mut impl FnMut(Id) -> Id) -> Vec<(String, Id)> {
    fields.iter().map(|(name, part)| (name.clone(), of(*part))).collect()
}
