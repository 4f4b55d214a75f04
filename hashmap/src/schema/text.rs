//! Schemas as text: a type is an expression, and what has a name is defined on a line of its own.
//!
//! ```text
//! [Address.41cc09ab]
//! Address.41cc09ab = { line1: str, zip: u64, note: str? }
//! ```
//!
//! A name ends in a hash of all that it stands for, so equal names are equal types, and lines can be merged in any order.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use crate::format::schema::{Id, Leaf, Node, Parts, Scalar, Schema, Variant};
use crate::format::shape::{fmix64, fnv1a};
use crate::kind::Kind;

/// A schema as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) expression: String,
    /// What the names in it stand for.
    pub(crate) types: BTreeMap<String, String>,
}

impl Written {
    /// A word that stands for no type of serde.
    pub(crate) fn of_word(word: &str) -> Self {
        Self { expression: word.to_owned(), types: BTreeMap::new() }
    }
}

/// Writes a schema as text.
pub(crate) fn write(schema: &Schema) -> Written {
    let mut writer = Writer { schema, named: named(schema), types: BTreeMap::new() };
    let expression = writer.expression(schema.root);
    Written { expression, types: writer.types }
}

/// The nodes that get a name: structs, enums, and others that hold themselves.
fn named(schema: &Schema) -> BTreeSet<Id> {
    let has_name = |id: &Id| matches!(schema.nodes.get(*id), Some(Node::Struct { .. } | Node::Enum { .. }));
    let mut named: BTreeSet<Id> = (0..schema.nodes.len()).filter(has_name).collect();
    for id in 0..schema.nodes.len() {
        // A cycle without a struct or an enum in it.
        if schema.reaches(id, id, &named) {
            named.insert(id);
        }
    }
    named
}

/// How many named types may stand in one another.
const MAX_NAMES: usize = 200;

struct Writer<'a> {
    schema: &'a Schema,
    named: BTreeSet<Id>,
    types: BTreeMap<String, String>,
}

impl Writer<'_> {
    /// A node where it is used.
    fn expression(&mut self, id: Id) -> String {
        if !self.named.contains(&id) {
            return self.definition(id);
        }
        let name = name(self.schema, id);
        if !self.types.contains_key(&name) {
            // It may hold itself.
            self.types.insert(name.clone(), String::new());
            let definition = self.definition(id);
            self.types.insert(name.clone(), definition);
        }
        name
    }

    /// A node as it is built.
    fn definition(&mut self, id: Id) -> String {
        let schema = self.schema;
        match schema.nodes.get(id) {
            None | Some(Node::Unknown) => "unknown".to_owned(),
            Some(Node::Dynamic) => "dynamic".to_owned(),
            Some(Node::Scalar(leaf)) => scalar(leaf),
            Some(Node::Option(some)) => format!("{}?", self.expression(*some)),
            Some(Node::Seq(element)) => format!("[{}]", self.expression(*element)),
            Some(Node::Map(key, value)) => {
                let key = self.expression(*key);
                format!("{{{key} => {}}}", self.expression(*value))
            }
            Some(Node::Tuple(parts)) => self.unnamed(parts),
            Some(Node::Struct { fields, .. }) => self.fields(fields),
            Some(Node::Enum { variants, .. }) => {
                let variants: Vec<_> =
                    variants.iter().map(|(index, variant)| format!("{index} {}", self.variant(variant))).collect();
                variants.join(" | ")
            }
        }
    }

    fn unnamed(&mut self, parts: &[Id]) -> String {
        let parts: Vec<_> = parts.iter().map(|part| self.expression(*part)).collect();
        format!("({})", parts.join(", "))
    }

    fn fields(&mut self, fields: &[(String, Id)]) -> String {
        let fields: Vec<_> =
            fields.iter().map(|(name, id)| format!("{}: {}", word(name), self.expression(*id))).collect();
        if fields.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", fields.join(", ")) }
    }

    fn variant(&mut self, variant: &Variant) -> String {
        let name = word(&variant.name);
        match &variant.parts {
            Parts::Unit => name,
            Parts::Unnamed(parts) => name + &self.unnamed(parts),
            Parts::Named(fields) => format!("{name} {}", self.fields(fields)),
        }
    }
}

/// A name, in quotes unless it is a word.
pub(crate) fn word(name: &str) -> String {
    if !name.is_empty() && name.chars().all(is_of_word) { name.to_owned() } else { quoted(name) }
}

pub(super) fn is_of_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_' || char == '-' || char == '.'
}

/// A text in quotes, on one line.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn scalar(leaf: &Leaf) -> String {
    let mut text = leaf.kind.name().to_owned();
    for value in &leaf.accepts {
        let _ = match value {
            Scalar::Unit => Ok(()),
            Scalar::Bool(value) => write!(text, " {value}"),
            Scalar::Signed(value) => write!(text, " {value}"),
            Scalar::Unsigned(value) => write!(text, " {value}"),
            Scalar::F32(bits) => write!(text, " 0x{bits:08x}"),
            Scalar::F64(bits) => write!(text, " 0x{bits:016x}"),
            Scalar::Char(value) => write!(text, " {}", quoted(&value.to_string())),
            Scalar::Str(value) => write!(text, " {}", quoted(value)),
            Scalar::Bytes(value) => {
                text.push_str(" 0x");
                value.iter().try_for_each(|byte| write!(text, "{byte:02x}"))
            }
        };
    }
    text
}

/// The name of a node: that of its type, and a hash of all that it stands for.
pub(crate) fn name(schema: &Schema, id: Id) -> String {
    let of_type = match schema.nodes.get(id) {
        Some(Node::Struct { name, .. } | Node::Enum { name, .. }) => name.as_str(),
        Some(Node::Seq(_)) => "Seq",
        Some(Node::Map(..)) => "Map",
        Some(Node::Option(_)) => "Option",
        _ => "Tuple",
    };
    let of_type: String = of_type.chars().map(|char| if char.is_alphanumeric() { char } else { '_' }).collect();
    format!("{of_type}.{}", Hashes::of(schema).hash(id, 0))
}

/// What stands for a type or a sample in the file. Eight digits are enough to tell the versions of one type apart; a file with
/// two definitions of one name is refused.
pub(crate) fn hash_of(bytes: &[u8]) -> String {
    format!("{:08x}", fmix64(fnv1a(bytes)) >> 32)
}

/// Hashes of all that nodes stand for, without the names of types.
struct Hashes<'a> {
    schema: &'a Schema,
    named: BTreeSet<Id>,
    known: HashMap<Id, String>,
}

impl<'a> Hashes<'a> {
    fn of(schema: &'a Schema) -> Self {
        Self { schema, named: named(schema), known: HashMap::new() }
    }

    fn hash(&mut self, id: Id, depth: usize) -> String {
        if let Some(known) = self.known.get(&id) {
            return known.clone();
        }
        // No value nests so deep; a file that was made by hand can.
        if depth > MAX_NAMES {
            return "deep".to_owned();
        }
        let mut structure = String::new();
        Spelling { hashes: self, root: id, seen: HashMap::new(), depth }.node(id, &mut structure);
        let hash = hash_of(structure.as_bytes());
        self.known.insert(id, hash.clone());
        hash
    }
}

/// Spells out what a node stands for. Of the named nodes in it, those that hold the root again are spelled out too, and
/// once; the others are their hashes.
struct Spelling<'a, 'h> {
    hashes: &'h mut Hashes<'a>,
    root: Id,
    seen: HashMap<Id, usize>,
    depth: usize,
}

impl Spelling<'_, '_> {
    fn node(&mut self, id: Id, out: &mut String) {
        if let Some(number) = self.seen.get(&id) {
            let _ = write!(out, "#{number};");
            return;
        }
        let schema = self.hashes.schema;
        if self.hashes.named.contains(&id) {
            if id != self.root && !schema.reaches(id, self.root, &BTreeSet::new()) {
                out.push_str(&self.hashes.hash(id, self.depth + 1));
                return;
            }
            self.seen.insert(id, self.seen.len());
        }
        match schema.nodes.get(id) {
            None | Some(Node::Unknown) => out.push_str("unknown;"),
            Some(Node::Dynamic) => out.push_str("dynamic;"),
            Some(Node::Scalar(leaf)) => {
                out.push_str(&scalar(leaf));
                out.push(';');
            }
            Some(node) => {
                let _ = write!(out, "{}(", schema.kind(id).map_or("", Kind::name));
                match node {
                    Node::Struct { fields, .. } => self.fields(fields, out),
                    Node::Enum { variants, .. } => {
                        for (index, variant) in variants {
                            let _ = write!(out, "{index}{}", quoted(&variant.name));
                            match &variant.parts {
                                Parts::Unit => out.push_str("unit"),
                                Parts::Unnamed(parts) => parts.iter().for_each(|id| self.node(*id, out)),
                                Parts::Named(fields) => self.fields(fields, out),
                            }
                            out.push('|');
                        }
                    }
                    _ => schema.children(id).into_iter().for_each(|id| self.node(id, out)),
                }
                out.push(')');
            }
        }
    }

    fn fields(&mut self, fields: &[(String, Id)], out: &mut String) {
        for (name, id) in fields {
            out.push_str(&quoted(name));
            self.node(*id, out);
        }
    }
}
