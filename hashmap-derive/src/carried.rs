//! The attributes of the struct and of its fields that generated items repeat.

use std::collections::HashSet;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitStr, Meta, parse_quote};

/// What generated items repeat of the attributes of the struct or of a field.
#[derive(Default)]
pub(crate) struct Carried {
    /// Its documentation, for the items that take its place.
    pub(crate) docs: Vec<Attribute>,
    /// True if that is more than `doc(alias = "…")` and the like.
    pub(crate) has_text: bool,
    /// `deprecated` and `doc(hidden)`, for each item that is made of it.
    pub(crate) marks: Vec<Attribute>,
    /// The lints that the user does not want to see, for all generated items.
    pub(crate) lints: Vec<Attribute>,
    pub(crate) is_deprecated: bool,
}

impl Carried {
    /// Reads the attributes. `record` is the name of the struct, which stands for `Self` in documentation.
    pub(crate) fn of(record: &Ident, attrs: &[Attribute]) -> Self {
        let mut this = Self::default();
        let mut is_code = false;
        for attr in attrs {
            let path = attr.path();
            if path.is_ident("doc") {
                if matches!(&attr.meta, Meta::List(list) if has_word(list.tokens.clone(), "hidden")) {
                    this.marks.push(parse_quote!(#[doc(hidden)]));
                } else {
                    this.has_text |= matches!(attr.meta, Meta::NameValue(_));
                    this.docs.push(without_self(record, attr, &mut is_code));
                }
            } else if path.is_ident("deprecated") {
                this.is_deprecated = true;
                this.marks.push(attr.clone());
            } else if let Some(lint) = allowed(attr) {
                this.lints.push(lint);
            }
        }
        this
    }
}

/// The `allow` of the lints that an attribute allows or expects. An expectation that holds for the struct need not hold
/// for what is generated of it, and a warning would be repeated for each item.
fn allowed(attr: &Attribute) -> Option<Attribute> {
    if attr.path().is_ident("allow") {
        return Some(attr.clone());
    }
    let Meta::List(list) = &attr.meta else { return None };
    let tokens = &list.tokens;
    let is_weaker = ["expect", "warn"].iter().any(|level| list.path.is_ident(level));
    is_weaker.then(|| parse_quote!(#[allow(#tokens)]))
}

fn has_word(tokens: TokenStream, word: &str) -> bool {
    tokens.into_iter().any(|tree| matches!(tree, TokenTree::Ident(ident) if ident == word))
}

/// A line of documentation with the name of the struct for `Self` in its links: the items that repeat the line have
/// another `Self`. `is_code` says whether the line is in a block of code, which stays as it is.
fn without_self(record: &Ident, attr: &Attribute, is_code: &mut bool) -> Attribute {
    let Meta::NameValue(doc) = &attr.meta else { return attr.clone() };
    let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &doc.value else { return attr.clone() };
    let source = text.value();
    let lines: Vec<String> = source
        .split('\n')
        .map(|line| {
            let start = line.trim_start();
            let is_fence = start.starts_with("```") || start.starts_with("~~~");
            *is_code ^= is_fence;
            if *is_code || is_fence { line.to_owned() } else { link_to(record, line) }
        })
        .collect();
    let replaced = lines.join("\n");
    if replaced == source {
        return attr.clone();
    }
    let replaced = LitStr::new(&replaced, text.span());
    parse_quote!(#[doc = #replaced])
}

/// Replaces `Self` where it begins a path, or is all that a link is to.
fn link_to(record: &Ident, line: &str) -> String {
    let mut linked = String::new();
    let mut rest = line;
    while let Some(at) = rest.find("Self") {
        let (before, after) = (&rest[..at], &rest[at + "Self".len()..]);
        linked.push_str(before);
        let is_word = !linked.ends_with(|char: char| char.is_alphanumeric() || char == '_' || char == ':');
        let is_path = after.starts_with("::");
        let is_link = linked.ends_with(['[', '(', '`', '@']) && after.starts_with([']', ')', '`'])
            || linked.ends_with("]: ") && after.trim().is_empty();
        if is_word && (is_path || is_link) {
            linked.push_str(&record.to_string());
        } else {
            linked.push_str("Self");
        }
        rest = after;
    }
    linked.push_str(rest);
    // The anchors of the struct's own page.
    linked.replace("](#structfield.", &format!("]({record}#structfield."))
}

/// The lints of the struct and of all its fields, each once: every generated item names the fields and their types.
pub(crate) fn lints<'a>(all: impl Iterator<Item = &'a Carried>, is_generic: bool) -> Vec<Attribute> {
    let mut seen = HashSet::new();
    let mut lints = Vec::new();
    let mut is_deprecated = false;
    for carried in all {
        is_deprecated |= carried.is_deprecated;
        lints.extend(carried.lints.iter().filter(|lint| seen.insert(lint.to_token_stream().to_string())).cloned());
    }
    if is_generic {
        let reason = "the bounds of the struct come beside those of its fields";
        lints.push(parse_quote!(#[allow(clippy::trait_duplication_in_bounds, reason = #reason)]));
    }
    if is_deprecated {
        lints.push(
            parse_quote!(#[allow(deprecated, reason = "who uses the deprecated item is warned, not its derive")]),
        );
    }
    lints
}

/// A link to the struct, from documentation. A function, a macro or a derive may have its name too.
pub(crate) fn link(record: &Ident) -> String {
    format!("[`{record}`](struct@{record})")
}

/// A name as code in documentation, whatever characters it has.
pub(crate) fn code(name: &str) -> String {
    let name: String = name
        .chars()
        .flat_map(|char| if char.is_control() { char.escape_default().collect() } else { vec![char] })
        .collect();
    if name.contains('`') { format!("``` {name} ```") } else { format!("`{name}`") }
}
