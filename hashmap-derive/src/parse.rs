use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DeriveInput, Expr, Fields, GenericArgument, GenericParam, Generics, Ident, LitStr, Path,
    PathArguments, Token, Type, Visibility,
};

use crate::case::Case;
use crate::ctxt::Ctxt;
use crate::template::Template;
use crate::{duration, json};

/// A struct that derives `RedisHash`.
pub(crate) struct Record {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) generics: Generics,
    pub(crate) runtime: Path,
    pub(crate) key: Option<Template>,
    /// The accessor's name, where it is given.
    pub(crate) accessor: Option<Ident>,
    /// Those of the partial, the patch and the fields by name.
    pub(crate) partial: Option<Ident>,
    pub(crate) patch: Option<Ident>,
    pub(crate) fields_by_name: Option<Ident>,
    /// Milliseconds that it lives after each write.
    pub(crate) ttl: Option<u64>,
    /// Where it is said that reads renew that.
    pub(crate) sliding: Option<Path>,
    /// True if a patch is read from known fields only.
    pub(crate) deny_unknown_fields: bool,
    /// True if serde reads the struct from another type, so that there is no saying how a patch is read.
    pub(crate) converted: bool,
    /// Lints that the user has allowed on the struct.
    pub(crate) allows: Vec<Attribute>,
    pub(crate) fields: Vec<Field>,
}

pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    /// The type of what is stored: for an `Option`, what is in it.
    pub(crate) ty: Type,
    /// Doc comments, `deprecated` and the like, for the accessor's method.
    pub(crate) attrs: Vec<Attribute>,
    /// Its name in Redis, and the tokens that say so.
    pub(crate) name: String,
    pub(crate) name_tokens: TokenStream,
    pub(crate) accessor: Ident,
    pub(crate) storage: Storage,
    /// Milliseconds that it lives after each write.
    pub(crate) ttl: Option<u64>,
    /// Its names in JSON, the first of which is its own; none if it cannot be set from there.
    pub(crate) json_names: Vec<String>,
    /// serde's function that reads it.
    pub(crate) deserialize_with: Option<syn::ExprPath>,
    pub(crate) presence: Presence,
}

/// What lies in Redis.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Storage {
    Bincode,
    Text,
    Counter,
}

pub(crate) enum Presence {
    Required,
    Optional,
    Defaulted(Value),
    /// Not stored.
    Skipped(Value),
}

/// A declared default.
#[derive(Clone)]
pub(crate) enum Value {
    Trait,
    Expr(Box<Expr>),
}

impl Field {
    pub(crate) fn is_stored(&self) -> bool {
        !matches!(self.presence, Presence::Skipped(_))
    }
}

impl Record {
    /// The fields that lie in Redis.
    pub(crate) fn stored(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.is_stored())
    }

    /// The name of a generated item.
    pub(crate) fn item(&self, suffix: &str) -> Ident {
        format_ident!("{}{}", self.ident.unraw(), suffix, span = self.ident.span())
    }
}

/// `None` if it is no struct with named fields.
pub(crate) fn record(ctxt: &Ctxt, input: &DeriveInput) -> Option<Record> {
    let named = match &input.data {
        Data::Struct(data) => {
            if let Fields::Named(fields) = &data.fields {
                fields
            } else {
                ctxt.error(
                    &input.ident,
                    "RedisHash needs named fields: the name of each is the name of a field in Redis",
                );
                return None;
            }
        }
        Data::Enum(_) => {
            ctxt.error(
                &input.ident,
                "an enum cannot be a Redis hash: derive RedisHash on a struct with named fields, and use the enum as \
                 the type of one of them (with serde's derives)",
            );
            return None;
        }
        Data::Union(_) => {
            ctxt.error(&input.ident, "a union cannot be a Redis hash: derive RedisHash on a struct with named fields");
            return None;
        }
    };
    let mut owned = true;
    for param in &input.generics.params {
        if let GenericParam::Lifetime(lifetime) = param {
            owned = false;
            ctxt.error(lifetime, OWNED);
        }
    }
    if !owned {
        return None;
    }

    let mut attrs = RecordAttrs::default();
    each_attribute(ctxt, &input.attrs, |meta| attrs.parse(ctxt, meta));
    let json = json::Attributes::of(ctxt, &input.attrs);
    let fields: Vec<Field> =
        named.named.iter().filter_map(|input| field(ctxt, input, attrs.rename_all, json.rename_all)).collect();
    for field in fields.iter().filter(|field| field.is_stored()) {
        if let Type::Reference(reference) = &field.ty {
            owned = false;
            ctxt.error(reference, OWNED);
        }
    }
    owned.then(|| Record {
        ident: input.ident.clone(),
        vis: input.vis.clone(),
        generics: input.generics.clone(),
        runtime: attrs.runtime.unwrap_or_else(|| syn::parse_quote!(::redis_hashmap)),
        key: attrs.key,
        accessor: attrs.accessor,
        partial: attrs.partial,
        patch: attrs.patch,
        fields_by_name: attrs.fields,
        ttl: attrs.ttl,
        sliding: attrs.sliding,
        deny_unknown_fields: json.deny_unknown_fields,
        converted: json.converted,
        allows: input.attrs.iter().filter(|attr| attr.path().is_ident("allow")).cloned().collect(),
        fields,
    })
}

fn field(ctxt: &Ctxt, input: &syn::Field, rename_all: Option<Case>, json_case: Option<Case>) -> Option<Field> {
    let ident = input.ident.clone()?;
    let mut attrs = FieldAttrs::default();
    each_attribute(ctxt, &input.attrs, |meta| attrs.parse(ctxt, meta));

    let (name, name_tokens) = if let Some(rename) = &attrs.rename {
        (rename.value(), rename.to_token_stream())
    } else {
        let plain = ident.unraw().to_string();
        (rename_all.map_or(plain.clone(), |case| case.apply(&plain)), ident.to_token_stream())
    };
    let option = option_of(&input.ty);
    if let (Some(counter), true) = (&attrs.counter, attrs.text) {
        ctxt.error(counter, "a counter is stored as text already: remove `text`");
    }
    let presence = match (attrs.skip, attrs.default, option) {
        (Some(skip), default, _) => {
            for (given, key) in [
                (attrs.rename.is_some(), "rename"),
                (attrs.text, "text"),
                (attrs.counter.is_some(), "counter"),
                (attrs.ttl.is_some(), "ttl"),
                (attrs.accessor.is_some(), "accessor"),
            ] {
                if given {
                    ctxt.error(
                        &skip,
                        format!(
                            "a field that is skipped is not stored, so that `{key}` means nothing: remove one of them"
                        ),
                    );
                }
            }
            Presence::Skipped(default.map_or(Value::Trait, |(_, value)| value))
        }
        (None, Some((tokens, _)), Some(_)) => {
            ctxt.error(
                tokens,
                "an `Option` is `None` where the field is absent, and has no other default: remove `default`, or store \
                 the plain type",
            );
            Presence::Optional
        }
        (None, Some((tokens, value)), None) => {
            if attrs.counter.is_some() {
                ctxt.error(tokens, "a counter counts from 0 where it is absent, as in Redis: remove `default`");
            }
            Presence::Defaulted(value)
        }
        (None, None, Some(_)) => Presence::Optional,
        // Redis counts from 0, which is the default of an i64.
        (None, None, None) if attrs.counter.is_some() => Presence::Defaulted(Value::Trait),
        (None, None, None) => {
            if let Some((literal, _)) = &attrs.ttl {
                ctxt.error(
                    literal,
                    "a field that expires cannot be required, there would be no whole record without it: make it an \
                     `Option`, or give it a `default`",
                );
            }
            Presence::Required
        }
    };
    let skipped = matches!(presence, Presence::Skipped(_));
    let storage = match (attrs.counter, attrs.text) {
        (Some(_), _) => Storage::Counter,
        (None, true) => Storage::Text,
        (None, false) => Storage::Bincode,
    };
    let json = json::Attributes::of(ctxt, &input.attrs);
    let json_names = if json.skip || attrs.skip_deserializing {
        Vec::new()
    } else {
        let plain = ident.unraw().to_string();
        let own = json.rename.unwrap_or_else(|| json_case.map_or(plain.clone(), |case| case.apply(&plain)));
        std::iter::once(own).chain(json.aliases).collect()
    };
    Some(Field {
        vis: input.vis.clone(),
        ty: if skipped { input.ty.clone() } else { option.unwrap_or(&input.ty).clone() },
        attrs: input.attrs.iter().filter(|attr| carries_over(attr)).cloned().collect(),
        name,
        name_tokens,
        accessor: attrs.accessor.unwrap_or_else(|| ident.clone()),
        storage,
        ttl: attrs.ttl.map(|(_, millis)| millis),
        json_names,
        deserialize_with: json.deserialize_with,
        presence,
        ident,
    })
}

fn carries_over(attr: &Attribute) -> bool {
    ["doc", "deprecated", "allow"].iter().any(|name| attr.path().is_ident(name))
}

/// The `T` of an `Option<T>`, recognised by the last segment of the path, as serde and clap do.
fn option_of(ty: &Type) -> Option<&Type> {
    let path = match ty {
        Type::Group(group) => return option_of(&group.elem),
        Type::Paren(paren) => return option_of(&paren.elem),
        Type::Path(path) if path.qself.is_none() => &path.path,
        _ => return None,
    };
    let last = path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match (last.ident == "Option", arguments.args.len(), arguments.args.first()) {
        (true, 1, Some(GenericArgument::Type(inner))) => Some(inner),
        _ => None,
    }
}

fn each_attribute(ctxt: &Ctxt, attrs: &[Attribute], mut each: impl FnMut(&ParseNestedMeta<'_>) -> syn::Result<()>) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("redis_hash")) {
        if let Err(error) = attr.parse_nested_meta(|meta| each(&meta)) {
            ctxt.push(error);
        }
    }
}

const OWNED: &str =
    "a record owns its data, because it is read from Redis: use `String` for `&str`, `Vec<T>` for `&[T]`";
const FIELD_KEYS: &str = "`rename`, `default`, `skip`, `text`, `counter`, `ttl`, `skip_deserializing`, `accessor`";
const RECORD_KEYS: &str = "`key`, `rename_all`, `ttl`, `sliding`, `accessor`, `partial`, `patch`, `fields`, `crate`";

#[derive(Default)]
struct RecordAttrs {
    runtime: Option<Path>,
    key: Option<Template>,
    rename_all: Option<Case>,
    accessor: Option<Ident>,
    partial: Option<Ident>,
    patch: Option<Ident>,
    fields: Option<Ident>,
    ttl: Option<u64>,
    sliding: Option<Path>,
    seen: Vec<String>,
}

impl RecordAttrs {
    fn parse(&mut self, ctxt: &Ctxt, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        note(ctxt, &mut self.seen, meta);
        if meta.path.is_ident("crate") {
            let Some(literal) = string(ctxt, meta, "crate = \"path::to::redis_hashmap\"")? else { return Ok(()) };
            match literal.parse_with(Path::parse_mod_style) {
                Ok(path) => self.runtime = Some(path),
                Err(_) => ctxt.error(literal, "this is no path; write one such as \"my_crate::redis_hashmap\""),
            }
        } else if meta.path.is_ident("key") {
            let Some(literal) = string(ctxt, meta, "key = \"user:{user_id}:settings\"")? else { return Ok(()) };
            match Template::parse(literal) {
                Ok(template) => self.key = Some(template),
                Err(error) => ctxt.push(error),
            }
        } else if meta.path.is_ident("rename_all") {
            let Some(literal) = string(ctxt, meta, "rename_all = \"camelCase\"")? else { return Ok(()) };
            self.rename_all = Case::parse(&literal.value());
            if self.rename_all.is_none() {
                ctxt.error(&literal, format!("unknown case; write one of {}", Case::names()));
            }
        } else if meta.path.is_ident("ttl") {
            self.ttl = ttl(ctxt, meta)?.map(|(_, millis)| millis);
        } else if meta.path.is_ident("sliding") {
            flag(ctxt, meta)?;
            self.sliding = Some(meta.path.clone());
        } else if meta.path.is_ident("accessor") {
            self.accessor = type_name(ctxt, meta, "accessor = \"Name\"")?;
        } else if meta.path.is_ident("patch") {
            self.patch = type_name(ctxt, meta, "patch = \"Name\"")?;
        } else if meta.path.is_ident("partial") {
            self.partial = type_name(ctxt, meta, "partial = \"Name\"")?;
        } else if meta.path.is_ident("fields") {
            self.fields = type_name(ctxt, meta, "fields = \"Name\"")?;
        } else {
            unknown(ctxt, meta, "a struct", RECORD_KEYS, ("a field", FIELD_KEYS))?;
        }
        Ok(())
    }
}

#[derive(Default)]
struct FieldAttrs {
    rename: Option<LitStr>,
    accessor: Option<Ident>,
    text: bool,
    counter: Option<Path>,
    ttl: Option<(LitStr, u64)>,
    skip: Option<Path>,
    skip_deserializing: bool,
    default: Option<(TokenStream, Value)>,
    seen: Vec<String>,
}

impl FieldAttrs {
    fn parse(&mut self, ctxt: &Ctxt, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        note(ctxt, &mut self.seen, meta);
        if meta.path.is_ident("rename") {
            self.rename = string(ctxt, meta, "rename = \"name\"")?;
        } else if meta.path.is_ident("accessor") {
            let Some(literal) = string(ctxt, meta, "accessor = \"name\"")? else { return Ok(()) };
            match literal.parse() {
                Ok(ident) => self.accessor = Some(ident),
                Err(_) => ctxt.error(literal, "this is no name of a method; write one such as \"stored_size\""),
            }
        } else if meta.path.is_ident("text") {
            self.text = flag(ctxt, meta)?;
        } else if meta.path.is_ident("skip_deserializing") {
            self.skip_deserializing = flag(ctxt, meta)?;
        } else if meta.path.is_ident("counter") {
            flag(ctxt, meta)?;
            self.counter = Some(meta.path.clone());
        } else if meta.path.is_ident("ttl") {
            self.ttl = ttl(ctxt, meta)?;
        } else if meta.path.is_ident("skip") {
            flag(ctxt, meta)?;
            self.skip = Some(meta.path.clone());
        } else if meta.path.is_ident("default") {
            if meta.input.peek(Token![=]) {
                let expr: Expr = meta.value()?.parse()?;
                self.default = Some((expr.to_token_stream(), Value::Expr(Box::new(expr))));
            } else {
                flag(ctxt, meta)?;
                self.default = Some((meta.path.to_token_stream(), Value::Trait));
            }
        } else {
            unknown(ctxt, meta, "a field", FIELD_KEYS, ("a struct", RECORD_KEYS))?;
        }
        Ok(())
    }
}

/// An error at the second of two equal keys.
fn note(ctxt: &Ctxt, seen: &mut Vec<String>, meta: &ParseNestedMeta<'_>) {
    let key = name_of(&meta.path);
    if seen.contains(&key) {
        ctxt.error(&meta.path, format!("`{key}` is given twice: remove one"));
    }
    seen.push(key);
}

fn name_of(path: &Path) -> String {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>().join("::")
}

/// The string of `key = "string"`; an error at what stands there instead.
fn string(ctxt: &Ctxt, meta: &ParseNestedMeta<'_>, example: &str) -> syn::Result<Option<LitStr>> {
    if !meta.input.peek(Token![=]) {
        ctxt.error(&meta.path, format!("it needs a value; write `{example}`"));
        ignore_value(meta)?;
        return Ok(None);
    }
    let value = meta.value()?;
    if value.peek(LitStr) {
        return value.parse().map(Some);
    }
    let other: Expr = value.parse()?;
    ctxt.error(other, format!("it needs a string; write `{example}`"));
    Ok(None)
}

/// The name of a generated type.
fn type_name(ctxt: &Ctxt, meta: &ParseNestedMeta<'_>, example: &str) -> syn::Result<Option<Ident>> {
    let Some(literal) = string(ctxt, meta, example)? else { return Ok(None) };
    let ident = literal.parse().ok();
    if ident.is_none() {
        ctxt.error(literal, "this is no name of a type; write one such as \"SettingsAccessor\"");
    }
    Ok(ident)
}

/// A duration.
fn ttl(ctxt: &Ctxt, meta: &ParseNestedMeta<'_>) -> syn::Result<Option<(LitStr, u64)>> {
    let Some(literal) = string(ctxt, meta, "ttl = \"30m\"")? else { return Ok(None) };
    match duration::millis(&literal) {
        Ok(millis) => Ok(Some((literal, millis))),
        Err(error) => {
            ctxt.push(error);
            Ok(None)
        }
    }
}

/// A key without a value.
fn flag(ctxt: &Ctxt, meta: &ParseNestedMeta<'_>) -> syn::Result<bool> {
    let key = name_of(&meta.path);
    if let Some(tokens) = ignore_value(meta)? {
        ctxt.error(tokens, format!("`{key}` takes no value here; write `#[redis_hash({key})]`"));
    }
    Ok(true)
}

fn unknown(ctxt: &Ctxt, meta: &ParseNestedMeta<'_>, place: &str, keys: &str, other: (&str, &str)) -> syn::Result<()> {
    let key = name_of(&meta.path);
    let (other_place, other_keys) = other;
    if other_keys.contains(&format!("`{key}`")) {
        ctxt.error(&meta.path, format!("`{key}` belongs on {other_place}; {place} takes {keys}"));
    } else {
        ctxt.error(&meta.path, format!("unknown attribute `{key}`; {place} takes {keys}"));
    }
    ignore_value(meta).map(drop)
}

/// Skips what follows a key, so that the keys after it are read too.
fn ignore_value(meta: &ParseNestedMeta<'_>) -> syn::Result<Option<TokenStream>> {
    if meta.input.peek(Token![=]) {
        return meta.value()?.parse::<Expr>().map(|expr| Some(expr.to_token_stream()));
    }
    if meta.input.peek(syn::token::Paren) {
        let content;
        let paren = syn::parenthesized!(content in meta.input);
        let tokens: TokenStream = content.parse()?;
        let span = paren.span.join();
        return Ok(Some(if tokens.is_empty() { quote::quote_spanned!(span=> ()) } else { tokens }));
    }
    Ok(None)
}

/// The span of a type, for code that fails where the type is not fit to be stored.
pub(crate) fn span_of(ty: &Type) -> proc_macro2::Span {
    ty.span()
}
