//! The public interface, read from the sources, is the one in `public-api.txt`.
//!
//! `UPDATE_EXPECT=1 cargo test -p redis-hashmap-tests --test architecture` writes the file anew: its diff says what changes
//! for users. What macros define is there as the macros. What rustc derives by itself, such as `Send`, is not.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::fs;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Fields, ImplItem, Item, ItemImpl, ItemMacro, TraitItem, Type, parse_quote};

use crate::sources::{ItemPath, Module, Sources, is_public, parsed};
use crate::{read, root};

/// What there is of one public name.
#[derive(Default)]
struct Section {
    items: Vec<Item>,
    /// By their heads. Inherent ones with the same head are one.
    impls: BTreeMap<String, ItemImpl>,
}

type Sections = BTreeMap<String, Section>;

#[test]
fn the_public_interface_is_the_one_in_the_file() {
    let file = root().join("tests/architecture/public-api.txt");
    let now = render(sections());
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&file, &now).expect("the file can be written");
    }
    let then = read(&file);
    let mut changes = String::new();
    let (then_by_name, now_by_name) = (by_name(&then), by_name(&now));
    let names: std::collections::BTreeSet<&str> = then_by_name.keys().chain(now_by_name.keys()).copied().collect();
    for name in names {
        let lines = |of: &HashMap<&str, Vec<String>>| of.get(name).cloned().unwrap_or_default();
        let (then, now) = (lines(&then_by_name), lines(&now_by_name));
        if then != now {
            let only = |these: &[String], others: &[String], sign: char| -> String {
                let missing = these.iter().filter(|line| !others.contains(line));
                missing.fold(String::new(), |text, line| text + &format!("  {sign} {line}\n"))
            };
            let _ = write!(changes, "{name}\n{}{}", only(&then, &now, '-'), only(&now, &then, '+'));
        }
    }
    assert!(
        then == now,
        "the public interface is not the one in tests/architecture/public-api.txt:\n{changes}\
         If that is meant, write the file anew with UPDATE_EXPECT=1, and tell users in CHANGELOG.md."
    );
}

/// The lines below each heading.
fn by_name(text: &str) -> HashMap<&str, Vec<String>> {
    let sections = text.split(HEADING).skip(1).filter_map(|section| section.split_once('\n'));
    sections.map(|(name, body)| (name, body.lines().map(str::to_owned).collect())).collect()
}

const HEADING: &str = "// ---- ";

fn sections() -> Sections {
    let sources = Sources::read(&root().join("hashmap/src"));
    let exported = sources.exported();
    let hidden = hidden_parts(&sources);
    let mut sections = Sections::new();
    for module in sources.modules() {
        for item in &module.items {
            add(&mut sections, &sources, &exported, module, item);
        }
    }
    for found in sections.values_mut().flat_map(|section| section.impls.values_mut()) {
        found
            .items
            .retain(|item| !matches!(item, ImplItem::Type(_) | ImplItem::Const(_)) || !hidden.contains(&name_of(item)));
    }
    for name in exported.values() {
        assert!(sections.contains_key(name), "this test no longer finds `{name}`, which lib.rs exports");
    }
    for item in parsed(&root().join("hashmap-derive/src/lib.rs")) {
        if matches!(&item, Item::Fn(function) if is_public(&function.vis)) {
            sections.entry("derive(RedisHash)".to_owned()).or_default().items.push(item);
        }
    }
    sections
}

/// The hidden types and constants of traits, which an `impl` does not mark as such.
fn hidden_parts(sources: &Sources) -> Vec<String> {
    let traits = sources.modules().into_iter().flat_map(|module| &module.items).filter_map(|item| match item {
        Item::Trait(item) => Some(&item.items),
        _ => None,
    });
    let name = |part: &TraitItem| match part {
        TraitItem::Type(part) if is_hidden(&part.attrs) => Some(part.ident.to_string()),
        TraitItem::Const(part) if is_hidden(&part.attrs) => Some(part.ident.to_string()),
        _ => None,
    };
    traits.flatten().filter_map(name).collect()
}

fn add(sections: &mut Sections, sources: &Sources, exported: &HashMap<ItemPath, String>, module: &Module, item: &Item) {
    let public = |name: &str| exported.get(&sources.meaning(module, &[name.to_owned()])?);
    match item.clone() {
        Item::Impl(mut found) => {
            let Some(name) = subject(&found, &|path| sources.meaning(module, path), exported) else { return };
            found.items.retain(|item| match item {
                ImplItem::Fn(item) => found.trait_.is_none() && is_public(&item.vis) && !is_hidden(&item.attrs),
                ImplItem::Const(item) => found.trait_.is_some() || is_public(&item.vis) && !is_hidden(&item.attrs),
                _ => true,
            });
            if found.items.is_empty() && found.trait_.is_none() {
                return;
            }
            found.attrs.splice(0..0, module.conditions.iter().cloned());
            let head = ItemImpl { items: Vec::new(), ..found.clone() }.to_token_stream().to_string();
            let impls = &mut sections.entry(name).or_default().impls;
            let merged = impls.entry(head).or_insert_with(|| ItemImpl { items: Vec::new(), ..found.clone() });
            merged.items.append(&mut found.items);
        }
        Item::Macro(found) => add_macro(sections, module, &found, &public),
        mut item => {
            let Some((name, attrs)) = definition(&mut item) else { return };
            let Some(name) = exported.get(&module.own(&name)) else { return };
            attrs.splice(0..0, module.conditions.iter().cloned());
            sections.entry(name.clone()).or_default().items.push(item);
        }
    }
}

/// The name and the attributes of an item that users can name, from which what they cannot see was taken away.
fn definition(item: &mut Item) -> Option<(String, &mut Vec<Attribute>)> {
    match item {
        Item::Struct(item) => {
            let private = |fields: &Fields| fields.iter().any(|field| !is_public(&field.vis));
            if private(&item.fields) {
                match &mut item.fields {
                    Fields::Named(fields) => {
                        fields.named = fields.named.iter().filter(|field| is_public(&field.vis)).cloned().collect();
                        let private: syn::FieldsNamed = parse_quote!({ _private: _ });
                        fields.named.extend(private.named);
                    }
                    Fields::Unnamed(fields) => {
                        for field in fields.unnamed.iter_mut().filter(|field| !is_public(&field.vis)) {
                            field.ty = parse_quote!(_);
                        }
                    }
                    Fields::Unit => {}
                }
            }
            Some((item.ident.to_string(), &mut item.attrs))
        }
        Item::Trait(item) => {
            item.items.retain(|item| match item {
                TraitItem::Fn(item) => !is_hidden(&item.attrs),
                TraitItem::Type(item) => !is_hidden(&item.attrs),
                TraitItem::Const(item) => !is_hidden(&item.attrs),
                _ => true,
            });
            Some((item.ident.to_string(), &mut item.attrs))
        }
        Item::Enum(item) => Some((item.ident.to_string(), &mut item.attrs)),
        Item::Type(item) => Some((item.ident.to_string(), &mut item.attrs)),
        Item::Const(item) => Some((item.ident.to_string(), &mut item.attrs)),
        Item::Fn(item) => Some((item.sig.ident.to_string(), &mut item.attrs)),
        _ => None,
    }
}

fn is_hidden(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| attr.path().is_ident("doc"))
}

/// The public name under which users see an `impl`: that of the type, else that of the trait, else one in its arguments.
fn subject(
    found: &ItemImpl,
    meaning: &dyn Fn(&[String]) -> Option<ItemPath>,
    exported: &HashMap<ItemPath, String>,
) -> Option<String> {
    if is_hidden(&found.attrs) {
        return None;
    }
    let path_of =
        |path: &syn::Path| -> Vec<String> { path.segments.iter().map(|segment| segment.ident.to_string()).collect() };
    let mut subject = &*found.self_ty;
    while let Type::Reference(reference) = subject {
        subject = &reference.elem;
    }
    let of_type = if let Type::Path(path) = subject { meaning(&path_of(&path.path)) } else { None };
    let Some((of_trait, _)) = &found.trait_ else { return exported.get(&of_type?).cloned() };
    match (of_type, meaning(&path_of(of_trait))) {
        (Some(own), Some(of_trait)) => exported.get(&of_trait).and_then(|_| exported.get(&own)).cloned(),
        (Some(own), None) => exported.get(&own).cloned(),
        (None, Some(of_trait)) => exported.get(&of_trait).cloned(),
        (None, None) => {
            let tokens = [of_trait.to_token_stream(), found.self_ty.to_token_stream()];
            let words = tokens.into_iter().flat_map(words);
            words.into_iter().find_map(|word| exported.get(&meaning(&[word])?)).cloned()
        }
    }
}

/// All identifiers, also those in brackets.
fn words(tokens: TokenStream) -> Vec<String> {
    let of_tree = |tree| match tree {
        TokenTree::Ident(ident) => vec![ident.to_string()],
        TokenTree::Group(group) => words(group.stream()),
        _ => Vec::new(),
    };
    tokens.into_iter().flat_map(of_tree).collect()
}

/// Adds a macro for users, or the definition and the use of one that defines something for them.
fn add_macro<'a>(
    sections: &mut Sections,
    module: &Module,
    found: &ItemMacro,
    public: &dyn Fn(&str) -> Option<&'a String>,
) {
    if let Some(name) = &found.ident {
        if found.attrs.iter().any(|attr| attr.path().is_ident("macro_export")) && !is_hidden(&found.attrs) {
            let mut patterns = found.clone();
            patterns.mac.tokens = without_expansions(found.mac.tokens.clone());
            sections.entry(format!("{name}!")).or_default().items.push(Item::Macro(patterns));
        }
        return;
    }
    let definition = module.items.iter().find_map(|item| match item {
        Item::Macro(item) if found.mac.path.is_ident(item.ident.as_ref()?) => Some(item),
        _ => None,
    });
    let Some(definition) = definition else { return };
    let name = heads(definition.mac.tokens.clone()).iter().find_map(|word| public(word));
    let Some(name) = name else { return };
    let items = &mut sections.entry(name.clone()).or_default().items;
    for item in [definition, found] {
        let mut item = item.clone();
        item.attrs.splice(0..0, module.conditions.iter().cloned());
        let item = Item::Macro(item);
        if !items.contains(&item) {
            items.push(item);
        }
    }
}

/// The words between `impl` or the like and the braces, not those in brackets: what a macro defines or implements.
fn heads(tokens: TokenStream) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_head = false;
    let mut depth = 0;
    for tree in tokens {
        match tree {
            TokenTree::Ident(word) if word == "impl" || word == "enum" || word == "struct" => {
                (in_head, depth) = (true, 0);
            }
            TokenTree::Ident(word) if in_head && depth == 0 => found.push(word.to_string()),
            TokenTree::Punct(punct) if punct.as_char() == '<' => depth += 1,
            TokenTree::Punct(punct) if punct.as_char() == '>' => depth -= 1,
            TokenTree::Group(group) => {
                in_head &= group.delimiter() != Delimiter::Brace;
                if !in_head {
                    found.extend(heads(group.stream()));
                }
            }
            _ => {}
        }
    }
    found
}

/// The patterns of a macro. What it expands to is its own affair.
fn without_expansions(tokens: TokenStream) -> TokenStream {
    let mut after_arrow = false;
    let keep = |tree| match tree {
        TokenTree::Group(group) if after_arrow => {
            after_arrow = false;
            Group::new(group.delimiter(), TokenStream::new()).into()
        }
        tree => {
            after_arrow = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == '>');
            tree
        }
    };
    tokens.into_iter().map(keep).collect()
}

fn render(sections: Sections) -> String {
    let mut text =
        String::from("What users see of redis-hashmap. tests/architecture/public_api.rs writes and compares it.\n");
    for (name, section) in sections {
        let mut impls: Vec<ItemImpl> = section.impls.into_values().collect();
        impls.sort_by_key(|found| found.trait_.is_some());
        for found in &mut impls {
            found.items.sort_by_key(name_of);
        }
        let items: Vec<Item> = section.items.into_iter().chain(impls.into_iter().map(Item::Impl)).collect();
        let file: syn::File = parse_quote!(#(#items)*);
        let _ = write!(text, "\n{HEADING}{name}\n\n{}", prettyplease::unparse(&file));
    }
    text
}

fn name_of(item: &ImplItem) -> String {
    match item {
        ImplItem::Fn(item) => item.sig.ident.to_string(),
        ImplItem::Const(item) => item.ident.to_string(),
        ImplItem::Type(item) => item.ident.to_string(),
        _ => String::new(),
    }
}
