//! The tokens of the input: which names it uses, and `Self` in the types that generated items repeat.

use std::collections::HashSet;

use proc_macro2::{Group, Ident, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::parse::Parse;
use syn::{Data, DeriveInput, GenericParam, Lifetime, Type, WherePredicate};

/// All names in some tokens. A generated name that is none of them can neither shadow nor capture one.
#[derive(Default)]
pub(crate) struct UsedNames {
    idents: HashSet<String>,
    lifetimes: HashSet<String>,
}

impl UsedNames {
    pub(crate) fn add(&mut self, tokens: impl ToTokens) {
        self.visit(tokens.to_token_stream());
    }

    /// Adds the names, but not those of lifetimes.
    pub(crate) fn add_idents(&mut self, tokens: impl ToTokens) {
        let mut names = Self::default();
        names.add(tokens);
        self.idents.extend(names.idents);
    }

    fn visit(&mut self, tokens: TokenStream) {
        let mut after_quote = false;
        for tree in tokens {
            let is_lifetime = std::mem::replace(&mut after_quote, false);
            match tree {
                TokenTree::Ident(ident) if is_lifetime => drop(self.lifetimes.insert(ident.unraw().to_string())),
                TokenTree::Ident(ident) => drop(self.idents.insert(ident.unraw().to_string())),
                TokenTree::Punct(punct) => after_quote = punct.as_char() == '\'' && punct.spacing() == Spacing::Joint,
                TokenTree::Group(group) => self.visit(group.stream()),
                TokenTree::Literal(_) => {}
            }
        }
    }

    /// True if one of the names is used.
    pub(crate) fn has_any(&self, names: &[Ident]) -> bool {
        names.iter().any(|name| self.idents.contains(&name.unraw().to_string()))
    }

    /// The first of the names that is not used, or else the last of them with a number.
    pub(crate) fn unused(&self, names: &[&str]) -> Ident {
        format_ident!("{}", first_unused(&self.idents, names))
    }

    /// The first of the lifetimes that is not used, or else the last of them with a number.
    pub(crate) fn unused_lifetime(&self, names: &[&str]) -> Lifetime {
        Lifetime::new(&format!("'{}", first_unused(&self.lifetimes, names)), Span::call_site())
    }
}

/// True if one of the names occurs in the type.
pub(crate) fn mentions(ty: &Type, names: &[Ident]) -> bool {
    let mut used = UsedNames::default();
    used.add(ty);
    used.has_any(names)
}

/// A type as it is usually written: `Vec<v1::Theme>`.
pub(crate) fn written(ty: &Type) -> String {
    let mut text = String::new();
    for word in ty.to_token_stream().to_string().split_whitespace() {
        let is_word =
            |char: Option<char>| char.is_some_and(|char| char.is_alphanumeric() || char == '_' || char == '\'');
        let follows_word = is_word(text.chars().next_back()) && is_word(word.chars().next());
        if follows_word || text.ends_with([',', ';']) {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

fn first_unused(used: &HashSet<String>, names: &[&str]) -> String {
    let last = names.last().copied().unwrap_or("__unused");
    let numbered = (1_usize..).map(|number| format!("{last}{number}"));
    let mut candidates = names.iter().map(|name| (*name).to_owned()).chain(numbered);
    candidates.find(|name| !used.contains(name)).unwrap_or_default()
}

/// Writes the struct's own type for `Self`, in its generics and in the types of its fields: in the items that are
/// generated beside the struct, `Self` would be another type. Attributes stay as they are.
pub(crate) fn without_self(input: &DeriveInput) -> DeriveInput {
    let mut input = input.clone();
    let receiver = Receiver::of(&input);
    for param in &mut input.generics.params {
        receiver.replace(param);
    }
    if let Some(clause) = &mut input.generics.where_clause {
        clause.predicates.iter_mut().for_each(|predicate| receiver.replace(predicate));
    }
    if let Data::Struct(data) = &mut input.data {
        data.fields.iter_mut().for_each(|field| receiver.replace(&mut field.ty));
    }
    input
}

/// The arguments of the struct's own type, with a comma after each. Const parameters stand in braces, since a type
/// could have the name of one.
pub(crate) fn arguments(input: &DeriveInput) -> TokenStream {
    let arguments = input.generics.params.iter().map(|param| match param {
        GenericParam::Type(param) => param.ident.to_token_stream(),
        GenericParam::Const(param) => {
            let ident = &param.ident;
            quote!({ #ident })
        }
        GenericParam::Lifetime(param) => param.lifetime.to_token_stream(),
    });
    quote!(#(#arguments,)*)
}

/// The type that `Self` means in the struct.
pub(crate) struct Receiver {
    pub(crate) ident: Ident,
    args: TokenStream,
}

impl Receiver {
    pub(crate) fn of(input: &DeriveInput) -> Self {
        Self { ident: input.ident.clone(), args: arguments(input) }
    }

    /// Replaces `Self` by way of the tokens, which reaches into the arguments of macros too.
    pub(crate) fn replace<T: ToTokens + Parse>(&self, node: &mut T) {
        let tokens = node.to_token_stream();
        if !has_self(tokens.clone()) {
            return;
        }
        if let Ok(replaced) = syn::parse2(self.replaced(tokens)) {
            *node = replaced;
        }
    }

    fn replaced(&self, tokens: TokenStream) -> TokenStream {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let is_colon = |at: usize| matches!(trees.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
        let mut replaced = TokenStream::new();
        for (at, tree) in trees.iter().enumerate() {
            match tree {
                TokenTree::Ident(ident) if ident == "Self" => {
                    let ty = self.ty(ident.span());
                    replaced.extend(if is_colon(at + 1) && is_colon(at + 2) { quote!(<#ty>) } else { ty });
                }
                TokenTree::Group(group) => {
                    let mut inner = Group::new(group.delimiter(), self.replaced(group.stream()));
                    inner.set_span(group.span());
                    replaced.extend([TokenTree::Group(inner)]);
                }
                tree => replaced.extend([tree.clone()]),
            }
        }
        replaced
    }

    /// The type at the place of a `Self`. With `::` before its arguments, it can stand in an expression too.
    fn ty(&self, span: Span) -> TokenStream {
        let Self { ident, args } = self;
        let mut ident = ident.clone();
        ident.set_span(ident.span().located_at(span));
        if args.is_empty() { ident.to_token_stream() } else { quote!(#ident::<#args>) }
    }
}

/// A predicate of serde's `bound`, with another lifetime for `'de`.
pub(crate) fn with_lifetime(predicate: &WherePredicate, lifetime: &Lifetime) -> WherePredicate {
    fn replaced(tokens: TokenStream, lifetime: &Ident) -> TokenStream {
        let mut after_quote = false;
        tokens
            .into_iter()
            .map(|tree| {
                let is_lifetime = std::mem::replace(&mut after_quote, false);
                match tree {
                    TokenTree::Ident(ident) if is_lifetime && ident == "de" => TokenTree::Ident(lifetime.clone()),
                    TokenTree::Group(group) => {
                        TokenTree::Group(Group::new(group.delimiter(), replaced(group.stream(), lifetime)))
                    }
                    tree => {
                        after_quote = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == '\'');
                        tree
                    }
                }
            })
            .collect()
    }
    let tokens = replaced(predicate.to_token_stream(), &lifetime.ident);
    syn::parse2(tokens).unwrap_or_else(|_| predicate.clone())
}

fn has_self(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Ident(ident) => ident == "Self",
        TokenTree::Group(group) => has_self(group.stream()),
        _ => false,
    })
}
