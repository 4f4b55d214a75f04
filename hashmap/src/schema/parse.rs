//! Reads schemas that `text.rs` has written.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::format::schema::{Id, Leaf, Node, Parts, Scalar, Schema, Variant};
use crate::kind::Kind;
use crate::schema::text::is_of_word;

/// How deep an expression may nest.
const MAX_NESTING: usize = 128;

/// Reads an expression, with the definitions of the names in it.
pub(crate) fn parse(expression: &str, types: &BTreeMap<String, String>) -> Result<Schema, String> {
    let mut parser = Parser { nodes: Vec::new(), names: BTreeMap::new(), pending: Vec::new() };
    let root = parser.expression_alone(expression)?;
    while let Some((name, id)) = parser.pending.pop() {
        let definition = types.get(&name).ok_or_else(|| format!("`{name}` is not defined"))?;
        parser.definition(&name, id, definition)?;
    }
    Ok(Schema { nodes: Arc::new(parser.nodes), root })
}

struct Parser {
    nodes: Vec<Node>,
    names: BTreeMap<String, Id>,
    /// The names whose definitions are not read yet.
    pending: Vec<(String, Id)>,
}

/// What is left of a text.
pub(super) struct Text<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Text<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text.trim(), depth: 0 }
    }

    pub(super) fn eat(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest).trim_start();
        rest.is_some()
    }

    pub(super) fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.eat(token) { Ok(()) } else { Err(self.unexpected(&format!("`{token}`"))) }
    }

    pub(super) fn rest(&self) -> &'a str {
        self.rest
    }

    fn unexpected(&self, expected: &str) -> String {
        let found: String = self.rest.chars().take(20).collect();
        if found.is_empty() {
            format!("{expected} is missing at its end")
        } else {
            format!("expected {expected}, found `{found}`")
        }
    }

    /// A word, or a text in quotes.
    pub(super) fn word(&mut self) -> Result<String, String> {
        if self.rest.starts_with('"') {
            return self.quoted();
        }
        let end = self.rest.find(|char| !is_of_word(char)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        if word.is_empty() {
            return Err(self.unexpected("a name"));
        }
        self.rest = rest.trim_start();
        Ok(word.to_owned())
    }

    fn quoted(&mut self) -> Result<String, String> {
        let mut texts = serde_json::Deserializer::from_str(self.rest).into_iter::<String>();
        let text = texts.next().and_then(Result::ok).ok_or_else(|| self.unexpected("a text in quotes"))?;
        self.rest = self.rest.get(texts.byte_offset()..).unwrap_or_default().trim_start();
        Ok(text)
    }

    fn is_at_end(&self) -> Result<(), String> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.unexpected("the end of the line")) }
    }
}

impl Parser {
    fn push(&mut self, node: Node) -> Id {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn expression_alone(&mut self, text: &str) -> Result<Id, String> {
        let mut text = Text::new(text);
        let id = self.expression(&mut text)?;
        text.is_at_end()?;
        Ok(id)
    }

    fn expression(&mut self, text: &mut Text<'_>) -> Result<Id, String> {
        text.depth += 1;
        if text.depth > MAX_NESTING {
            return Err(format!("it nests deeper than {MAX_NESTING} levels"));
        }
        let mut id = if text.eat("[") {
            let element = self.expression(text)?;
            text.expect("]")?;
            self.push(Node::Seq(element))
        } else if text.eat("{") {
            let key = self.expression(text)?;
            text.expect("=>")?;
            let value = self.expression(text)?;
            text.expect("}")?;
            self.push(Node::Map(key, value))
        } else if text.eat("(") {
            let parts = self.list(text, ")", Self::expression)?;
            self.push(Node::Tuple(parts))
        } else {
            self.word(text)?
        };
        let around = text.depth;
        while text.eat("?") {
            text.depth += 1;
            if text.depth > MAX_NESTING {
                return Err(format!("it nests deeper than {MAX_NESTING} levels"));
            }
            id = self.push(Node::Option(id));
        }
        text.depth = around - 1;
        Ok(id)
    }

    /// What is listed up to a closing bracket.
    fn list<T>(
        &mut self,
        text: &mut Text<'_>,
        end: &str,
        mut item: impl FnMut(&mut Self, &mut Text<'_>) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        let mut items = Vec::new();
        while !text.eat(end) {
            if !items.is_empty() {
                text.expect(",")?;
            }
            items.push(item(self, text)?);
        }
        Ok(items)
    }

    /// A scalar, or the name of a type.
    fn word(&mut self, text: &mut Text<'_>) -> Result<Id, String> {
        let word = text.word()?;
        if word == Kind::Dynamic.name() {
            return Ok(self.push(Node::Dynamic));
        }
        if let Some(kind) = Kind::scalar_of_name(&word) {
            let mut accepts = Vec::new();
            while let Some(value) = accepted(kind, text)? {
                accepts.push(value);
            }
            return Ok(self.push(Node::Scalar(Leaf { kind, accepts })));
        }
        if !word.contains('.') {
            return Err(format!("`{word}` is not a type"));
        }
        if let Some(id) = self.names.get(&word) {
            return Ok(*id);
        }
        let id = self.push(Node::Unknown);
        self.names.insert(word.clone(), id);
        self.pending.push((word, id));
        Ok(id)
    }

    fn definition(&mut self, name: &str, id: Id, definition: &str) -> Result<(), String> {
        let of_type = name.rsplit_once('.').map_or(name, |(of_type, _)| of_type).to_owned();
        let mut text = Text::new(definition);
        let node = if text.rest.starts_with(|char: char| char.is_ascii_digit()) {
            Node::Enum { name: of_type, variants: self.variants(&mut text)? }
        } else if let Some(fields) = self.fields_of_struct(&text)? {
            text.rest = "";
            Node::Struct { name: of_type, fields }
        } else {
            let inner = self.expression(&mut text)?;
            if inner <= id || inner + 1 != self.nodes.len() {
                return Err(format!("`{name}` is only another name"));
            }
            self.nodes.pop().unwrap_or(Node::Unknown)
        };
        text.is_at_end().map_err(|problem| format!("`{name}`: {problem}"))?;
        if let Some(place) = self.nodes.get_mut(id) {
            *place = node;
        }
        Ok(())
    }

    /// The fields, if the text is a struct: a map has `=>` behind its first type.
    fn fields_of_struct(&mut self, text: &Text<'_>) -> Result<Option<Vec<(String, Id)>>, String> {
        let mut text = Text { ..*text };
        if !text.eat("{") {
            return Ok(None);
        }
        let mut ahead = Text { ..text };
        let has_name = ahead.eat("}") || ahead.word().is_ok() && ahead.eat(":");
        if !has_name {
            return Ok(None);
        }
        let fields = self.list(&mut text, "}", Self::field)?;
        text.is_at_end()?;
        Ok(Some(fields))
    }

    fn field(&mut self, text: &mut Text<'_>) -> Result<(String, Id), String> {
        let name = text.word()?;
        text.expect(":")?;
        Ok((name, self.expression(text)?))
    }

    fn variants(&mut self, text: &mut Text<'_>) -> Result<BTreeMap<u32, Variant>, String> {
        let mut variants = BTreeMap::new();
        loop {
            let index = text.word()?;
            let index = index.parse().map_err(|_| format!("`{index}` is not the index of a variant"))?;
            let name = text.word()?;
            let parts = if text.eat("(") {
                Parts::Unnamed(self.list(text, ")", Self::expression)?)
            } else if text.eat("{") {
                Parts::Named(self.list(text, "}", Self::field)?)
            } else {
                Parts::Unit
            };
            if variants.insert(index, Variant { name, parts }).is_some() {
                return Err(format!("the variant {index} is there twice"));
            }
            if !text.eat("|") {
                return Ok(variants);
            }
        }
    }
}

/// The value behind the kind of a scalar, if there is one.
fn accepted(kind: Kind, text: &mut Text<'_>) -> Result<Option<Scalar>, String> {
    if text.rest.starts_with('"') {
        let value = text.quoted()?;
        let mut chars = value.chars();
        return match (kind, chars.next(), chars.next()) {
            (Kind::Str, _, _) => Ok(Some(Scalar::Str(value))),
            (Kind::Char, Some(char), None) => Ok(Some(Scalar::Char(char))),
            _ => Err(format!("a text is not a {kind}")),
        };
    }
    let starts_value = |char: char| char.is_ascii_digit() || char == '-';
    let is_bool = kind == Kind::Bool && text.rest.starts_with(char::is_alphabetic);
    if !(text.rest.starts_with(starts_value) || is_bool) {
        return Ok(None);
    }
    let word = text.word()?;
    let bits = |digits: &str| u64::from_str_radix(digits.strip_prefix("0x")?, 16).ok();
    let value = match kind {
        Kind::Bool => word.parse().ok().map(Scalar::Bool),
        Kind::I8 | Kind::I16 | Kind::I32 | Kind::I64 | Kind::I128 => word.parse().ok().map(Scalar::Signed),
        Kind::U8 | Kind::U16 | Kind::U32 | Kind::U64 | Kind::U128 => word.parse().ok().map(Scalar::Unsigned),
        Kind::F32 => bits(&word).and_then(|bits| u32::try_from(bits).ok()).map(Scalar::F32),
        Kind::F64 => bits(&word).map(Scalar::F64),
        Kind::Bytes => word.strip_prefix("0x").and_then(hex).map(Scalar::Bytes),
        _ => None,
    };
    value.map(Some).ok_or_else(|| format!("`{word}` is not a {kind}"))
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?, 16).ok())
        .collect()
}
