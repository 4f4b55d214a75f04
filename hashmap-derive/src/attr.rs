//! Reads `#[redis_hash(…)]` of a struct and of its fields: which keys there are, and what values they take.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitStr, Path, Token, Type};

use crate::case::Case;
use crate::ctxt::Ctxt;
use crate::duration;
use crate::key::Template;
use crate::nearest::nearest;

const FIELD_KEYS: &str = "`rename`, `alias`, `was`, `was_text`, `was_counter`, `default`, `skip`, `text`, `counter`, `merge`, `ttl`, `sample`, `skip_deserializing`, `skip_serializing`, `accessor`";
const RECORD_KEYS: &str = "`key`, `rename_all`, `ttl`, `sliding`, `schema`, `removed`, `accessor`, `partial`, `each`, `patch`, `fields`, `at`, `of`, `crate`";

/// The keys that can be given several times.
const REPEATABLE: [&str; 1] = ["removed"];

/// A declared time to live.
#[derive(Clone)]
pub(crate) enum Ttl {
    /// The literal, and the milliseconds that it means.
    Millis(LitStr, u64),
    /// A constant expression of type `Duration`.
    Expr(Box<Expr>),
}

impl ToTokens for Ttl {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Millis(literal, _) => literal.to_tokens(tokens),
            Self::Expr(expr) => expr.to_tokens(tokens),
        }
    }
}

/// The attribute that gives a record schema files.
pub(crate) struct Schema {
    pub(crate) attribute: Path,
    /// One alone, or one for each type that a record with parameters is used as.
    pub(crate) files: Vec<SchemaFile>,
}

/// A schema file.
pub(crate) struct SchemaFile {
    /// The type of which it is, if that is named.
    pub(crate) of: Option<Type>,
    /// Its path, if that is given.
    pub(crate) path: Option<LitStr>,
}

impl SchemaFile {
    /// The path of the file of a type with this name.
    pub(crate) fn path_for(&self, name: &str) -> String {
        self.path.as_ref().map_or_else(|| format!("redis-hash/{name}.schema"), LitStr::value)
    }
}

/// A type that a field was before its meaning changed.
pub(crate) enum Was {
    /// It was stored with its kind and shape.
    Encoded(Type),
    Text(Type),
    Counter,
}

/// What `#[redis_hash(…)]` says of the struct.
#[derive(Default)]
pub(crate) struct RecordAttrs {
    pub(crate) runtime: Option<Path>,
    pub(crate) key: Option<Template>,
    pub(crate) rename_all: Option<Case>,
    pub(crate) accessor: Option<Ident>,
    pub(crate) partial: Option<Ident>,
    pub(crate) each: Option<Ident>,
    pub(crate) patch: Option<Ident>,
    pub(crate) fields: Option<Ident>,
    pub(crate) at: Option<Ident>,
    pub(crate) of: Option<Ident>,
    pub(crate) ttl: Option<Ttl>,
    pub(crate) sliding: Option<Path>,
    pub(crate) schema: Option<Schema>,
    /// The names of fields that are gone.
    pub(crate) removed: Vec<LitStr>,
    /// The keys so far.
    seen: Vec<String>,
}

impl RecordAttrs {
    pub(crate) fn of(ctxt: &Ctxt, attrs: &[Attribute]) -> Self {
        let mut this = Self::default();
        each_attribute(ctxt, attrs, "redis_hash", |meta| this.parse(ctxt, meta));
        this
    }

    fn parse(&mut self, ctxt: &Ctxt, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        note(ctxt, &mut self.seen, meta);
        if meta.path.is_ident("crate") {
            self.runtime = runtime(ctxt, meta)?;
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
            self.ttl = ttl(ctxt, meta)?;
        } else if meta.path.is_ident("sliding") {
            flag(ctxt, meta)?;
            self.sliding = Some(meta.path.clone());
        } else if meta.path.is_ident("schema") {
            self.schema = Some(schema(ctxt, meta)?);
        } else if meta.path.is_ident("removed") {
            self.removed.extend(string(ctxt, meta, "removed = \"name\"")?);
        } else if meta.path.is_ident("accessor") {
            self.accessor = type_name(ctxt, meta, "accessor = \"Name\"")?;
        } else if meta.path.is_ident("patch") {
            self.patch = type_name(ctxt, meta, "patch = \"Name\"")?;
        } else if meta.path.is_ident("partial") {
            self.partial = type_name(ctxt, meta, "partial = \"Name\"")?;
        } else if meta.path.is_ident("each") {
            self.each = type_name(ctxt, meta, "each = \"Name\"")?;
        } else if meta.path.is_ident("fields") {
            self.fields = type_name(ctxt, meta, "fields = \"Name\"")?;
        } else if meta.path.is_ident("at") {
            self.at = function_name(ctxt, meta, "at = \"at_key\"")?;
        } else if meta.path.is_ident("of") {
            self.of = function_name(ctxt, meta, "of = \"of_id\"")?;
        } else {
            unknown(ctxt, meta, "a struct", RECORD_KEYS, Some(("a field", FIELD_KEYS)))?;
        }
        Ok(())
    }
}

/// What `#[redis_hash(…)]` says of a field.
#[derive(Default)]
pub(crate) struct FieldAttrs {
    pub(crate) rename: Option<LitStr>,
    /// The names under which it was stored before, in their order.
    pub(crate) aliases: Vec<LitStr>,
    pub(crate) accessor: Option<Ident>,
    pub(crate) text: bool,
    pub(crate) counter: Option<Path>,
    pub(crate) merge: Option<Path>,
    pub(crate) ttl: Option<Ttl>,
    pub(crate) skip: Option<Path>,
    pub(crate) skip_deserializing: bool,
    pub(crate) skip_serializing: bool,
    /// Its tokens, and the expression of `default = expression`.
    pub(crate) default: Option<(TokenStream, Option<Expr>)>,
    /// A value, for the schema of the type, and the attribute.
    pub(crate) sample: Option<(Path, Expr)>,
    /// The types that it was, each with its attribute.
    pub(crate) was: Vec<(Path, Was)>,
    /// The keys so far.
    seen: Vec<String>,
}

impl FieldAttrs {
    pub(crate) fn of(ctxt: &Ctxt, attrs: &[Attribute]) -> Self {
        let mut this = Self::default();
        each_attribute(ctxt, attrs, "redis_hash", |meta| this.parse(ctxt, meta));
        this
    }

    fn parse(&mut self, ctxt: &Ctxt, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        if meta.path.is_ident("alias") {
            // A field can have several.
            self.aliases.extend(string(ctxt, meta, "alias = \"old_name\"")?);
            return Ok(());
        }
        if meta.path.is_ident("was") || meta.path.is_ident("was_text") {
            // And have been several.
            self.was.extend(was(ctxt, meta)?);
            return Ok(());
        }
        note(ctxt, &mut self.seen, meta);
        if meta.path.is_ident("was_counter") {
            flag(ctxt, meta)?;
            self.was.push((meta.path.clone(), Was::Counter));
        } else if meta.path.is_ident("rename") {
            self.rename = string(ctxt, meta, "rename = \"name\"")?;
        } else if meta.path.is_ident("accessor") {
            let Some(literal) = string(ctxt, meta, "accessor = \"name\"")? else { return Ok(()) };
            match literal.parse() {
                Ok(ident) => self.accessor = Some(ident),
                Err(_) => ctxt.error(literal, "this is not the name of a method; write one such as \"stored_size\""),
            }
        } else if meta.path.is_ident("text") {
            self.text = flag(ctxt, meta)?;
        } else if meta.path.is_ident("skip_deserializing") {
            self.skip_deserializing = flag(ctxt, meta)?;
        } else if meta.path.is_ident("skip_serializing") {
            self.skip_serializing = flag(ctxt, meta)?;
        } else if meta.path.is_ident("counter") {
            flag(ctxt, meta)?;
            self.counter = Some(meta.path.clone());
        } else if meta.path.is_ident("merge") {
            flag(ctxt, meta)?;
            self.merge = Some(meta.path.clone());
        } else if meta.path.is_ident("ttl") {
            self.ttl = ttl(ctxt, meta)?;
        } else if meta.path.is_ident("sample") {
            self.sample = sample(ctxt, meta)?.map(|sample| (meta.path.clone(), sample));
        } else if meta.path.is_ident("skip") {
            flag(ctxt, meta)?;
            self.skip = Some(meta.path.clone());
        } else if meta.path.is_ident("default") {
            if meta.input.peek(Token![=]) {
                let expr: Expr = meta.value()?.parse()?;
                self.default = Some((expr.to_token_stream(), Some(expr)));
            } else {
                flag(ctxt, meta)?;
                self.default = Some((meta.path.to_token_stream(), None));
            }
        } else {
            unknown(ctxt, meta, "a field", FIELD_KEYS, Some(("a struct", RECORD_KEYS)))?;
        }
        Ok(())
    }
}

/// Reads each key of each attribute of this name.
pub(crate) fn each_attribute(
    ctxt: &Ctxt,
    attrs: &[Attribute],
    name: &str,
    mut each: impl FnMut(&ParseNestedMeta<'_>) -> syn::Result<()>,
) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(name)) {
        if let Err(error) = attr.parse_nested_meta(|meta| each(&meta)) {
            ctxt.push(error);
        }
    }
}

/// Reports a key that is given twice.
pub(crate) fn note(ctxt: &Ctxt, seen: &mut Vec<String>, meta: &ParseNestedMeta<'_>) {
    let key = name_of(&meta.path);
    if seen.contains(&key) && !REPEATABLE.contains(&key.as_str()) {
        ctxt.error(&meta.path, format!("`{key}` is given twice: remove one"));
    }
    seen.push(key);
}

fn name_of(path: &Path) -> String {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>().join("::")
}

/// Reads the string of `key = "string"`. Anything else is an error at its own tokens.
pub(crate) fn string(ctxt: &Ctxt, meta: &ParseNestedMeta<'_>, example: &str) -> syn::Result<Option<LitStr>> {
    if !meta.input.peek(Token![=]) {
        ctxt.error(&meta.path, format!("this needs a value; write `{example}`"));
        ignore_value(meta)?;
        return Ok(None);
    }
    let value = meta.value()?;
    if value.peek(LitStr) {
        return value.parse().map(Some);
    }
    let other: Expr = value.parse()?;
    ctxt.error(other, format!("this needs a string; write `{example}`"));
    Ok(None)
}

/// Reads the path of the runtime crate.
pub(crate) fn runtime(ctxt: &Ctxt, meta: &ParseNestedMeta<'_>) -> syn::Result<Option<Path>> {
    let Some(literal) = string(ctxt, meta, "crate = \"path::to::redis_hashmap\"")? else { return Ok(None) };
    let path = literal.parse_with(Path::parse_mod_style).ok();
    if path.is_none() {
        ctxt.error(literal, "this is not a path; write one such as \"my_crate::redis_hashmap\"");
    }
    Ok(path)
}

/// Reads a value of the type, for its schema.
pub(crate) fn sample(ctxt: &Ctxt, meta: &ParseNestedMeta<'_>) -> syn::Result<Option<Expr>> {
    if meta.input.peek(Token![=]) {
        return meta.value()?.parse().map(Some);
    }
    ctxt.error(&meta.path, "this needs a value of the type; write `sample = expression`");
    ignore_value(meta).map(|_| None)
}

/// Reads the name of a generated type from a string.
fn type_name(ctxt: &Ctxt, meta: &ParseNestedMeta<'_>, example: &str) -> syn::Result<Option<Ident>> {
    let Some(literal) = string(ctxt, meta, example)? else { return Ok(None) };
    let ident = literal.parse().ok();
    if ident.is_none() {
        ctxt.error(literal, "this is not the name of a type; write one such as \"SettingsAccessor\"");
    }
    Ok(ident)
}

/// Reads the name of a generated constructor from a string.
fn function_name(ctxt: &Ctxt, meta: &ParseNestedMeta<'_>, example: &str) -> syn::Result<Option<Ident>> {
    let Some(literal) = string(ctxt, meta, example)? else { return Ok(None) };
    let ident = literal.parse().ok();
    if ident.is_none() {
        ctxt.error(literal, format!("this is not the name of a function; write one, as in `{example}`"));
    }
    Ok(ident)
}

/// Reads `schema`, `schema = "path"`, or `schema(Page<User>, Page<Team> = "path")`.
fn schema(ctxt: &Ctxt, meta: &ParseNestedMeta<'_>) -> syn::Result<Schema> {
    let mut files = Vec::new();
    if meta.input.peek(syn::token::Paren) {
        let content;
        syn::parenthesized!(content in meta.input);
        while !content.is_empty() {
            let of = Some(content.parse()?);
            let path = if content.peek(Token![=]) {
                content.parse::<Token![=]>()?;
                Some(content.parse()?)
            } else {
                None
            };
            files.push(SchemaFile { of, path });
            if !content.is_empty() {
                content.parse::<Token![,]>()?;
            }
        }
    } else {
        let is_given = meta.input.peek(Token![=]);
        let path = if is_given { string(ctxt, meta, "schema = \"path/to/file\"")? } else { None };
        files.push(SchemaFile { of: None, path });
    }
    files.iter().filter_map(|file| file.path.as_ref()).for_each(|path| in_package(ctxt, path));
    Ok(Schema { attribute: meta.path.clone(), files })
}

/// Judges the path of a schema file.
pub(crate) fn in_package(ctxt: &Ctxt, path: &LitStr) {
    let value = path.value();
    if value.is_empty() || value.ends_with('/') || std::path::Path::new(&value).is_absolute() {
        ctxt.error(
            path,
            "this is not the path of a file in the folder of the package; write one such as \
             `schema = \"redis-hash/Settings.schema\"`",
        );
    }
}

/// Reads a type that something was before its meaning changed.
pub(crate) fn was(ctxt: &Ctxt, meta: &ParseNestedMeta<'_>) -> syn::Result<Option<(Path, Was)>> {
    let key = name_of(&meta.path);
    if !meta.input.peek(Token![=]) {
        ctxt.error(&meta.path, format!("this needs the type that it was before; write `{key} = OldType`"));
        ignore_value(meta)?;
        return Ok(None);
    }
    let value = meta.value()?;
    if value.peek(syn::Lit) {
        let literal: Expr = value.parse()?;
        ctxt.error(literal, format!("this needs a type, without quotes; write `{key} = OldType`"));
        return Ok(None);
    }
    let ty: Type = value.parse()?;
    let was = if key == "was" { Was::Encoded(ty) } else { Was::Text(ty) };
    Ok(Some((meta.path.clone(), was)))
}

/// Reads a duration: `"30m"`, or a constant expression of type `Duration`.
fn ttl(ctxt: &Ctxt, meta: &ParseNestedMeta<'_>) -> syn::Result<Option<Ttl>> {
    const EXAMPLE: &str = "ttl = \"30m\"";
    if !meta.input.peek(Token![=]) {
        return string(ctxt, meta, EXAMPLE).map(|_| None);
    }
    match meta.value()?.parse::<Expr>()? {
        Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) => match duration::millis(&literal) {
            Ok(millis) => return Ok(Some(Ttl::Millis(literal, millis))),
            Err(error) => ctxt.push(error),
        },
        literal @ Expr::Lit(_) => ctxt.error(
            literal,
            format!("this is not a duration; write `{EXAMPLE}`, or a constant expression of type `Duration`"),
        ),
        expr => return Ok(Some(Ttl::Expr(Box::new(expr)))),
    }
    Ok(None)
}

/// Reads a key that takes no value. Returns true, since the key is there.
fn flag(ctxt: &Ctxt, meta: &ParseNestedMeta<'_>) -> syn::Result<bool> {
    let key = name_of(&meta.path);
    if let Some(tokens) = ignore_value(meta)? {
        ctxt.error(tokens, format!("`{key}` takes no value here; write `#[redis_hash({key})]`"));
    }
    Ok(true)
}

/// Reports a key that does not belong here, and says where it does, if it belongs to another place with its own keys.
pub(crate) fn unknown(
    ctxt: &Ctxt,
    meta: &ParseNestedMeta<'_>,
    place: &str,
    keys: &str,
    other: Option<(&str, &str)>,
) -> syn::Result<()> {
    let key = name_of(&meta.path);
    if let Some((other_place, _)) = other.filter(|(_, keys)| keys.contains(&format!("`{key}`"))) {
        ctxt.error(&meta.path, format!("`{key}` belongs on {other_place}; {place} takes {keys}"));
    } else {
        let meant = nearest(&key, keys.split('`').skip(1).step_by(2));
        let meant = meant.map_or_else(|| ";".to_owned(), |meant| format!(", did you mean `{meant}`?"));
        ctxt.error(&meta.path, format!("unknown attribute `{key}`{meant} {place} takes {keys}"));
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
