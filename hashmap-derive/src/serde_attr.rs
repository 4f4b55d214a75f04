//! Reads serde's own attributes. They say how the struct is read from JSON and written, and so are a patch of it and a
//! partial record.
//!
//! `serde_derive` checks them; here they are only read.

use syn::meta::ParseNestedMeta;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, ExprPath, Ident, LitStr, Path, Token, WherePredicate};

use crate::case::Case;
use crate::ctxt::Ctxt;

/// What `#[serde(…)]` says of the struct or of a field.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an attribute")]
pub(crate) struct SerdeAttrs {
    pub(crate) rename: ReadWrite<String>,
    pub(crate) rename_all: ReadWrite<Case>,
    pub(crate) aliases: Vec<String>,
    /// The functions that `deserialize_with` and `serialize_with` name, or those in the module that `with` names.
    pub(crate) with: ReadWrite<ExprPath>,
    /// True if the field cannot be set from outside.
    pub(crate) skip_deserializing: bool,
    /// True if the field is not shown.
    pub(crate) skip_serializing: bool,
    pub(crate) skip_serializing_if: Option<ExprPath>,
    /// What `bound` says of the type's parameters.
    pub(crate) bound: ReadWrite<Vec<WherePredicate>>,
    pub(crate) deny_unknown_fields: bool,
    /// True if the struct is read from another type, which may refuse what a patch could not see.
    pub(crate) from: bool,
    /// True if the struct is written as another type.
    pub(crate) into: bool,
    /// The key under which serde writes the name of the struct.
    pub(crate) tag: Option<String>,
    /// Attributes that a patch from JSON cannot honour, for `check` to judge.
    pub(crate) flatten: Option<Path>,
    pub(crate) transparent: Option<Path>,
}

/// What an attribute says of reading, and of writing.
pub(crate) struct ReadWrite<T> {
    pub(crate) read: Option<T>,
    pub(crate) write: Option<T>,
}

impl<T> Default for ReadWrite<T> {
    fn default() -> Self {
        Self { read: None, write: None }
    }
}

/// Attributes that do not change how a patch or a partial record is read and written: they are about absent fields
/// or about what only enums have.
const WITHOUT_EFFECT: [&str; 10] = [
    "borrow",
    "content",
    "crate",
    "default",
    "expecting",
    "getter",
    "non_exhaustive",
    "remote",
    "rename_all_fields",
    "untagged",
];

impl SerdeAttrs {
    pub(crate) fn of(ctxt: &Ctxt, attrs: &[Attribute]) -> Self {
        let mut this = Self::default();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
            // An attribute that is not understood could be the one that keeps a field from being set.
            if let Err(error) = attr.parse_nested_meta(|meta| this.parse(&meta)) {
                ctxt.push(error);
            }
        }
        this
    }

    fn parse(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let is = |name| meta.path.is_ident(name);
        if is("rename") {
            self.rename.set(meta, |name| Some(name.value()))?;
        } else if is("rename_all") {
            self.rename_all.set(meta, |case| Case::parse(&case.value()))?;
        } else if is("alias") {
            self.aliases.push(meta.value()?.parse::<LitStr>()?.value());
        } else if is("deserialize_with") {
            self.with.read = Some(function(meta)?);
        } else if is("serialize_with") {
            self.with.write = Some(function(meta)?);
        } else if is("with") {
            let module = function(meta)?;
            let item = |name: &str| {
                let mut path = module.clone();
                path.path.segments.push(Ident::new(name, module.span()).into());
                Some(path)
            };
            self.with = ReadWrite { read: item("deserialize"), write: item("serialize") };
        } else if is("bound") {
            let parse = |literal: &LitStr| literal.parse_with(Punctuated::<_, Token![,]>::parse_terminated).ok();
            self.bound.set(meta, |literal| Some(parse(literal)?.into_iter().collect()))?;
        } else if is("skip") {
            (self.skip_deserializing, self.skip_serializing) = (true, true);
        } else if is("skip_deserializing") {
            self.skip_deserializing = true;
        } else if is("skip_serializing") {
            self.skip_serializing = true;
        } else if is("skip_serializing_if") {
            self.skip_serializing_if = Some(function(meta)?);
        } else if is("from") || is("try_from") {
            self.from = true;
            ignore(meta)?;
        } else if is("into") {
            self.into = true;
            ignore(meta)?;
        } else if is("deny_unknown_fields") {
            self.deny_unknown_fields = true;
        } else if is("tag") {
            self.tag = Some(meta.value()?.parse::<LitStr>()?.value());
        } else if is("flatten") {
            self.flatten = Some(meta.path.clone());
        } else if is("transparent") {
            self.transparent = Some(meta.path.clone());
        } else if WITHOUT_EFFECT.into_iter().any(is) {
            ignore(meta)?;
        } else {
            return Err(meta.error(
                "redis-hashmap does not know this attribute of serde, which could say how a patch is read from JSON: \
                 remove it, or use a newer version of redis-hashmap",
            ));
        }
        Ok(())
    }
}

impl<T: Clone> ReadWrite<T> {
    /// What is said of reading and of writing, or else the default.
    pub(crate) fn or(self, default: &T) -> (T, T) {
        (self.read.unwrap_or_else(|| default.clone()), self.write.unwrap_or_else(|| default.clone()))
    }
}

impl<T> ReadWrite<T> {
    /// Reads `key = "for both"` or `key(serialize = "…", deserialize = "…")`. Where there is nothing, what was there stays.
    fn set(&mut self, meta: &ParseNestedMeta<'_>, value: impl Fn(&LitStr) -> Option<T>) -> syn::Result<()> {
        if meta.input.peek(Token![=]) {
            let literal = meta.value()?.parse()?;
            self.read = value(&literal).or(self.read.take());
            self.write = value(&literal).or(self.write.take());
            return Ok(());
        }
        meta.parse_nested_meta(|meta| {
            let literal = meta.value()?.parse()?;
            if meta.path.is_ident("deserialize") {
                self.read = value(&literal).or(self.read.take());
            } else if meta.path.is_ident("serialize") {
                self.write = value(&literal).or(self.write.take());
            }
            Ok(())
        })
    }
}

/// The path in `key = "path"`.
fn function(meta: &ParseNestedMeta<'_>) -> syn::Result<ExprPath> {
    meta.value()?.parse::<LitStr>()?.parse()
}

/// Skips what follows a key, so that the keys after it are read too.
fn ignore(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    if meta.input.peek(Token![=]) {
        meta.value()?.parse::<syn::Expr>()?;
    } else if meta.input.peek(syn::token::Paren) {
        let content;
        syn::parenthesized!(content in meta.input);
        content.parse::<proc_macro2::TokenStream>()?;
    }
    Ok(())
}
