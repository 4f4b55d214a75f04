//! Reads serde's own attributes. They say how the struct is read from JSON, and a patch of it is read in the same way.
//!
//! `serde_derive` checks them; here they are only read.

use syn::meta::ParseNestedMeta;
use syn::{Attribute, ExprPath, LitStr, Path, Token};

use crate::case::Case;
use crate::ctxt::Ctxt;

/// What `#[serde(…)]` says of the struct or of a field.
#[derive(Default)]
pub(crate) struct SerdeAttrs {
    pub(crate) rename: Option<String>,
    pub(crate) rename_all: Option<Case>,
    pub(crate) aliases: Vec<String>,
    /// The function that `deserialize_with` names, or the one in the module that `with` names.
    pub(crate) deserialize_with: Option<ExprPath>,
    /// True if the field cannot be set from outside.
    pub(crate) skip: bool,
    pub(crate) deny_unknown_fields: bool,
    /// True if the struct is read from another type, which may refuse what a patch could not see.
    pub(crate) converted: bool,
    /// The key under which serde writes the name of the struct.
    pub(crate) tag: Option<String>,
    /// Attributes that a patch from JSON cannot honour, for `check` to judge.
    pub(crate) flatten: Option<Path>,
    pub(crate) transparent: Option<Path>,
}

/// Attributes that do not change how a patch is read from JSON: they are about writing, about absent fields, about bounds,
/// or about what only enums have.
const WITHOUT_EFFECT: [&str; 15] = [
    "borrow",
    "bound",
    "content",
    "crate",
    "default",
    "expecting",
    "getter",
    "into",
    "non_exhaustive",
    "remote",
    "rename_all_fields",
    "serialize_with",
    "skip_serializing",
    "skip_serializing_if",
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
            self.rename = for_reading(meta)?.map(|name| name.value()).or(self.rename.take());
        } else if is("rename_all") {
            self.rename_all = for_reading(meta)?.and_then(|case| Case::parse(&case.value())).or(self.rename_all.take());
        } else if is("alias") {
            self.aliases.push(meta.value()?.parse::<LitStr>()?.value());
        } else if is("deserialize_with") {
            self.deserialize_with = Some(meta.value()?.parse::<LitStr>()?.parse()?);
        } else if is("with") {
            let mut module: ExprPath = meta.value()?.parse::<LitStr>()?.parse()?;
            module.path.segments.push(syn::parse_quote!(deserialize));
            self.deserialize_with = Some(module);
        } else if is("skip") || is("skip_deserializing") {
            self.skip = true;
        } else if is("from") || is("try_from") {
            self.converted = true;
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

/// The name for reading, from `rename = "name"` or `rename(deserialize = "name")`.
fn for_reading(meta: &ParseNestedMeta<'_>) -> syn::Result<Option<LitStr>> {
    if meta.input.peek(Token![=]) {
        return meta.value()?.parse().map(Some);
    }
    let mut name = None;
    meta.parse_nested_meta(|meta| {
        let value = meta.value()?.parse()?;
        if meta.path.is_ident("deserialize") {
            name = Some(value);
        }
        Ok(())
    })?;
    Ok(name)
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
