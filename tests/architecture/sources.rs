//! Reads a crate's sources as modules: what they hold, and which item a name in them means.

use std::collections::HashMap;
use std::path::Path;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::{Attribute, Item, UseTree, Visibility, parse_quote};

use crate::read;

/// An item by its path from the root of the crate.
pub(crate) type ItemPath = Vec<String>;

pub(crate) struct Module {
    path: ItemPath,
    /// The conditions under which it is compiled.
    pub(crate) conditions: Vec<Attribute>,
    /// Without docs and bodies.
    pub(crate) items: Vec<Item>,
    /// What its names mean, if they mean something of the crate.
    names: HashMap<String, ItemPath>,
}

pub(crate) struct Sources(HashMap<ItemPath, Module>);

impl Sources {
    /// Reads the crate whose `lib.rs` is in this folder.
    pub(crate) fn read(folder: &Path) -> Self {
        let mut sources = Self(HashMap::new());
        sources.add(folder, Vec::new(), Vec::new(), parsed(&folder.join("lib.rs")));
        sources
    }

    fn add(&mut self, folder: &Path, path: ItemPath, conditions: Vec<Attribute>, items: Vec<Item>) {
        let children: Vec<String> = items.iter().filter_map(of_module).collect();
        let mut names = HashMap::new();
        for item in &items {
            if let Item::Use(found) = item {
                for (name, target) in targets(&found.tree, &path, &children) {
                    names.insert(name, target);
                }
            }
            for name in defined(item) {
                names.insert(name.clone(), below(&path, &name));
            }
        }
        for item in &items {
            let Item::Mod(module) = item else { continue };
            let inner = below(&path, &module.ident.to_string());
            let conditions: Vec<Attribute> =
                conditions.iter().chain(&module.attrs).filter(|attr| attr.path().is_ident("cfg")).cloned().collect();
            if conditions.contains(&parse_quote!(#[cfg(test)])) {
                continue;
            }
            let items = if let Some((_, items)) = &module.content {
                items.clone()
            } else {
                let base = folder.join(inner.join("/"));
                let file = base.with_extension("rs");
                parsed(&if file.exists() { file } else { base.join("mod.rs") })
            };
            self.add(folder, inner, conditions, items);
        }
        self.0.insert(path.clone(), Module { path, conditions, items, names });
    }

    pub(crate) fn root(&self) -> &Module {
        &self.0[&Vec::new()]
    }

    /// All modules, in an order that is always the same.
    pub(crate) fn modules(&self) -> Vec<&Module> {
        let mut modules: Vec<&Module> = self.0.values().collect();
        modules.sort_by_key(|module| &module.path);
        modules
    }

    /// The item that a path in a module means, where it is defined, or `None` if it is not of this crate.
    pub(crate) fn meaning(&self, module: &Module, path: &[String]) -> Option<ItemPath> {
        let (first, rest) = path.split_first()?;
        let mut start = match first.as_str() {
            "crate" => Vec::new(),
            "self" => module.path.clone(),
            "super" => module.path[..module.path.len().saturating_sub(1)].to_vec(),
            name => module.names.get(name)?.clone(),
        };
        start.extend_from_slice(rest);
        Some(self.defined_at(start))
    }

    /// Follows re-exports to where an item is defined.
    fn defined_at(&self, path: ItemPath) -> ItemPath {
        let Some((name, parent)) = path.split_last() else { return path };
        match self.0.get(parent).and_then(|module| module.names.get(name)) {
            Some(next) if *next != path => self.defined_at(next.clone()),
            _ => path,
        }
    }

    /// What the root re-exports: where it is defined, and its public name. What is hidden is not there.
    pub(crate) fn exported(&self) -> HashMap<ItemPath, String> {
        let root = self.root();
        let children: Vec<String> = root.items.iter().filter_map(of_module).collect();
        let exports = root.items.iter().filter_map(|item| match item {
            Item::Use(found) if is_public(&found.vis) => Some(targets(&found.tree, &[], &children)),
            _ => None,
        });
        exports.flatten().map(|(name, target)| (self.defined_at(target), name)).collect()
    }
}

impl Module {
    /// Where an item of this module is defined that its own name means.
    pub(crate) fn own(&self, name: &str) -> ItemPath {
        below(&self.path, name)
    }
}

pub(crate) fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn below(path: &[String], name: &str) -> ItemPath {
    path.iter().cloned().chain([name.to_owned()]).collect()
}

fn of_module(item: &Item) -> Option<String> {
    if let Item::Mod(module) = item { Some(module.ident.to_string()) } else { None }
}

/// The names that an item defines.
fn defined(item: &Item) -> Vec<String> {
    match item {
        Item::Const(item) => vec![item.ident.to_string()],
        Item::Enum(item) => vec![item.ident.to_string()],
        Item::Fn(item) => vec![item.sig.ident.to_string()],
        Item::Mod(item) => vec![item.ident.to_string()],
        Item::Struct(item) => vec![item.ident.to_string()],
        Item::Trait(item) => vec![item.ident.to_string()],
        Item::Type(item) => vec![item.ident.to_string()],
        Item::Macro(item) => types_in(item.mac.tokens.clone()),
        _ => Vec::new(),
    }
}

/// The types that a macro defines.
fn types_in(tokens: TokenStream) -> Vec<String> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut found = Vec::new();
    for (at, tree) in tokens.iter().enumerate() {
        match (tree, tokens.get(at + 1)) {
            (TokenTree::Group(group), _) => found.extend(types_in(group.stream())),
            (TokenTree::Ident(word), Some(TokenTree::Ident(name))) if word == "enum" || word == "struct" => {
                found.push(name.to_string());
            }
            _ => {}
        }
    }
    found
}

/// The names that a `use` brings in, and what of the crate they mean.
fn targets(tree: &UseTree, module: &[String], children: &[String]) -> Vec<(String, ItemPath)> {
    let mut leaves = Vec::new();
    flatten(tree, &mut Vec::new(), &mut leaves);
    let of_crate = |(name, path): (String, ItemPath)| {
        let start = match path[0].as_str() {
            "crate" => Vec::new(),
            "self" => module.to_vec(),
            "super" => module[..module.len().saturating_sub(1)].to_vec(),
            child if children.iter().any(|known| known == child) => below(module, child),
            _ => return None,
        };
        Some((name, start.into_iter().chain(path[1..].iter().cloned()).collect()))
    };
    leaves.into_iter().filter_map(of_crate).collect()
}

fn flatten(tree: &UseTree, path: &mut ItemPath, leaves: &mut Vec<(String, ItemPath)>) {
    match tree {
        UseTree::Path(part) => {
            path.push(part.ident.to_string());
            flatten(&part.tree, path, leaves);
            path.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, path, leaves)),
        UseTree::Name(name) if name.ident == "self" => {
            leaves.push((path.last().expect("a path").clone(), path.clone()));
        }
        UseTree::Name(name) => leaves.push((name.ident.to_string(), below(path, &name.ident.to_string()))),
        UseTree::Rename(name) => leaves.push((name.rename.to_string(), below(path, &name.ident.to_string()))),
        UseTree::Glob(_) => panic!("this test does not follow `use …::*`"),
    }
}

pub(crate) fn parsed(file: &Path) -> Vec<Item> {
    let tokens: TokenStream = read(file).parse().expect("Rust code");
    let file: syn::File = syn::parse2(stripped(tokens)).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    file.items
}

/// The attributes that callers notice.
const KEPT: &[&str] =
    &["cfg", "derive", "deprecated", "from", "macro_export", "non_exhaustive", "proc_macro_derive", "repr"];

/// Leaves out docs, most attributes, and the bodies of functions, also in macros.
fn stripped(tokens: TokenStream) -> TokenStream {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let is_punct =
        |at: usize, wanted: char| matches!(tokens.get(at), Some(TokenTree::Punct(is)) if is.as_char() == wanted);
    let mut kept = Vec::new();
    let mut in_function = false;
    let mut at = 0;
    while at < tokens.len() {
        let bracket = if is_punct(at, '#') { at + 1 + usize::from(is_punct(at + 1, '!')) } else { usize::MAX };
        match (&tokens[at], tokens.get(bracket)) {
            (_, Some(TokenTree::Group(attribute))) if attribute.delimiter() == Delimiter::Bracket => {
                if bracket == at + 1 && is_kept(attribute) {
                    kept.extend_from_slice(&tokens[at..=bracket]);
                }
                at = bracket;
            }
            (TokenTree::Group(group), _) => {
                let is_body = in_function && group.delimiter() == Delimiter::Brace;
                in_function &= !is_body;
                let inner = if is_body { TokenStream::new() } else { stripped(group.stream()) };
                kept.push(Group::new(group.delimiter(), inner).into());
            }
            // Whether an argument's own name is `mut` is the body's affair.
            (TokenTree::Ident(word), _) if word == "mut" && (at == 0 || is_punct(at - 1, ',')) => {}
            (tree, _) => {
                let begins_one = matches!(tree, TokenTree::Ident(word) if word == "fn")
                    && matches!(tokens.get(at + 1), Some(TokenTree::Ident(_)));
                in_function = (in_function || begins_one) && !is_punct(at, ';');
                kept.push(tree.clone());
            }
        }
        at += 1;
    }
    kept.into_iter().collect()
}

fn is_kept(attribute: &Group) -> bool {
    match attribute.stream().into_iter().next() {
        Some(TokenTree::Ident(name)) if name == "doc" => attribute.stream().to_string().contains("hidden"),
        Some(TokenTree::Ident(name)) => KEPT.iter().any(|kept| name == kept),
        // A macro's parameter.
        _ => true,
    }
}
