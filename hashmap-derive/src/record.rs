//! The struct as the derive understands it, and how it is read from the tokens.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;
use syn::{
    Attribute, Data, DeriveInput, Expr, ExprPath, Fields, FieldsNamed, GenericArgument, GenericParam, Generics, Ident,
    LitStr, Path, PathArguments, Type, Visibility, WherePredicate,
};

use crate::attr::{FieldAttrs, RecordAttrs, Schema, SchemaFile, Ttl};
use crate::carried::{self, Carried};
use crate::case::Case;
use crate::ctxt::Ctxt;
use crate::key::Template;
use crate::serde_attr::{ReadWrite, SerdeAttrs};
use crate::tokens::{Receiver, UsedNames, arguments, without_self, written};

/// A struct that derives `RedisHash`.
pub(crate) struct Record {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) generics: Generics,
    /// The arguments of the struct's type, with a comma after each.
    pub(crate) args: TokenStream,
    /// All names in the struct and its attributes.
    pub(crate) used: UsedNames,
    /// All names in the generics and in the types of fields.
    pub(crate) used_in_types: UsedNames,
    /// The path of the runtime crate.
    pub(crate) runtime: Path,
    pub(crate) key: Option<Template>,
    /// The names of generated types, where they are given.
    pub(crate) accessor: Option<Ident>,
    pub(crate) partial: Option<Ident>,
    pub(crate) each: Option<Ident>,
    pub(crate) patch: Option<Ident>,
    pub(crate) fields_by_name: Option<Ident>,
    /// The names of its constructors, where they are given.
    pub(crate) at: Option<Ident>,
    pub(crate) of: Option<Ident>,
    /// How long the record lives after each write.
    pub(crate) ttl: Option<Ttl>,
    /// The attribute that says that reads renew the time to live.
    pub(crate) sliding: Option<Path>,
    pub(crate) schema: Option<Schema>,
    /// The names of fields that are gone.
    pub(crate) removed: Vec<LitStr>,
    /// True if an unknown name in a patch is an error.
    pub(crate) deny_unknown_fields: bool,
    /// True if serde reads the struct from another type. Then it is not known how to read a patch.
    pub(crate) from: bool,
    /// True if serde writes the struct as another type. Then it is not known how to write a part of it.
    pub(crate) into: bool,
    /// The names under which serde reads and writes the struct.
    pub(crate) serde_name: (String, String),
    /// The key under which serde writes a name of the struct.
    pub(crate) tag: Option<String>,
    /// What serde's `bound` says of the type's parameters, on the struct and on its fields.
    pub(crate) serde_bound: ReadWrite<Vec<WherePredicate>>,
    /// serde's `transparent`, if it is given.
    pub(crate) transparent: Option<Path>,
    /// What the generated types repeat of the struct's attributes.
    pub(crate) carried: Carried,
    /// Lints that are allowed in all generated items, since the user allows or expects them on the struct or a field.
    pub(crate) allows: Vec<Attribute>,
    pub(crate) fields: Vec<Field>,
}

/// A field of the struct.
pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    /// The type of what is stored: for an `Option<T>`, the `T`.
    pub(crate) ty: Type,
    /// What generated items repeat of its attributes.
    pub(crate) carried: Carried,
    /// Its name in Redis.
    pub(crate) name: String,
    /// The tokens that give it that name.
    pub(crate) name_tokens: TokenStream,
    /// The names under which it was stored before.
    pub(crate) aliases: Vec<LitStr>,
    /// The name of its method on the accessor.
    pub(crate) accessor: Ident,
    pub(crate) storage: Storage,
    /// True if a patch can change parts of its value.
    pub(crate) merge: bool,
    /// How long the field lives after each write of it.
    pub(crate) ttl: Option<Ttl>,
    /// Its names in JSON: its own, then its aliases. Empty if JSON cannot set it.
    pub(crate) json_names: Vec<String>,
    /// The name under which it is written to JSON. `None` if it is not shown.
    pub(crate) written_name: Option<String>,
    /// serde's `flatten`, if it is given.
    pub(crate) flatten: Option<Path>,
    /// The functions with which serde reads it and writes it, if they are given.
    pub(crate) with: ReadWrite<ExprPath>,
    /// The function that says that it is not written.
    pub(crate) skip_serializing_if: Option<ExprPath>,
    /// What serde's `bound` says of it; the record has it with its own.
    serde_bound: ReadWrite<Vec<WherePredicate>>,
    pub(crate) presence: Presence,
    /// What its `#[redis_hash(…)]` says, for `check` to judge.
    pub(crate) given: FieldAttrs,
}

/// How a value is stored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Storage {
    Bincode,
    Text,
    Counter,
}

/// What the absence of a field in Redis means.
pub(crate) enum Presence {
    Required,
    Optional,
    Defaulted(Value),
    /// The field is never stored. A record that is read has this value in it.
    Skipped(Value),
}

/// The default of a field.
pub(crate) enum Value {
    /// `Default::default()`.
    Trait,
    Expr(Box<Expr>),
}

/// The error of a struct that borrows.
pub(crate) const OWNED: &str =
    "a record must own its data, because it is read from Redis: use `String` for `&str`, `Vec<T>` for `&[T]`";

impl Record {
    /// Reads the struct. Returns `None` if it has no named fields or has a lifetime: then it cannot be a hash at all.
    pub(crate) fn read(ctxt: &Ctxt, input: &DeriveInput) -> Option<Self> {
        let input = &without_self(input);
        let named = named_fields(ctxt, input)?;
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

        let attrs = RecordAttrs::of(ctxt, &input.attrs);
        let serde = SerdeAttrs::of(ctxt, &input.attrs);
        let receiver = Receiver::of(input);
        let mut fields: Vec<Field> = named
            .named
            .iter()
            .filter_map(|field| Field::read(ctxt, field, &receiver, attrs.rename_all, &serde.rename_all))
            .collect();
        let carried = Carried::of(&input.ident, &input.attrs);
        let runtime = attrs.runtime.unwrap_or_else(|| syn::parse_quote!(::redis_hashmap));
        // Names that attributes have in strings are not among the tokens of the input.
        let mut used = UsedNames::default();
        used.add(input);
        let mut used_in_types = UsedNames::default();
        used_in_types.add(&input.generics);
        used_in_types.add(&input.generics.where_clause);
        named.named.iter().for_each(|field| used_in_types.add(&field.ty));
        used.add(&runtime);
        for Field { with: ReadWrite { read, write }, skip_serializing_if, .. } in &fields {
            [read, write, skip_serializing_if].into_iter().flatten().for_each(|function| used.add(function));
        }
        let mut serde_bound = serde.bound;
        for field in &mut fields {
            serde_bound.read.get_or_insert_default().extend(field.serde_bound.read.take().unwrap_or_default());
            serde_bound.write.get_or_insert_default().extend(field.serde_bound.write.take().unwrap_or_default());
        }
        // `'de` is what serde calls the lifetime of its own impl, which is ours too.
        [&serde_bound.read, &serde_bound.write]
            .into_iter()
            .flatten()
            .flatten()
            .for_each(|bound| used.add_idents(bound));
        for ident in attrs.key.iter().flat_map(|key| &key.placeholders).map(|(_, ident)| ident) {
            used.add(ident);
        }
        for ident in [&attrs.accessor, &attrs.partial, &attrs.each, &attrs.patch, &attrs.fields].into_iter().flatten() {
            used.add(ident);
        }
        Some(Self {
            ident: input.ident.clone(),
            vis: input.vis.clone(),
            generics: input.generics.clone(),
            args: arguments(input),
            used,
            used_in_types,
            runtime,
            key: attrs.key,
            accessor: attrs.accessor,
            partial: attrs.partial,
            each: attrs.each,
            patch: attrs.patch,
            fields_by_name: attrs.fields,
            at: attrs.at,
            of: attrs.of,
            ttl: attrs.ttl,
            sliding: attrs.sliding,
            schema: attrs.schema,
            removed: attrs.removed,
            deny_unknown_fields: serde.deny_unknown_fields,
            from: serde.from,
            into: serde.into,
            serde_name: serde.rename.or(&input.ident.unraw().to_string()),
            tag: serde.tag,
            serde_bound,
            transparent: serde.transparent,
            allows: carried::lints(
                std::iter::once(&carried).chain(fields.iter().map(|field| &field.carried)),
                input.generics.type_params().next().is_some(),
            ),
            carried,
            fields,
        })
    }

    /// What a schema file is called after: the record, or the type that it is used as, as in `Cached_User`.
    pub(crate) fn name_of(&self, file: &SchemaFile) -> String {
        let is_of_name = |char: char| char.is_alphanumeric() || char == '_';
        let Some(of) = &file.of else { return self.ident.unraw().to_string() };
        // Of each path, its last segment.
        let mut words: Vec<String> = Vec::new();
        let mut is_path = false;
        for token in written(of).split_inclusive(|char: char| !is_of_name(char)) {
            let (word, mark) = token.split_at(token.trim_end_matches(|char| !is_of_name(char)).len());
            if !word.is_empty() {
                if is_path {
                    words.pop();
                }
                words.push(word.to_owned());
                is_path = false;
            }
            is_path |= mark == ":";
        }
        words.join("_")
    }

    /// The fields that lie in Redis.
    pub(crate) fn stored(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.is_stored())
    }

    pub(crate) fn accessor_ident(&self) -> Ident {
        self.accessor.clone().unwrap_or_else(|| self.item("Hash"))
    }

    pub(crate) fn partial_ident(&self) -> Ident {
        self.partial.clone().unwrap_or_else(|| self.item("Partial"))
    }

    pub(crate) fn each_ident(&self) -> Ident {
        self.each.clone().unwrap_or_else(|| self.item("Each"))
    }

    pub(crate) fn patch_ident(&self) -> Ident {
        self.patch.clone().unwrap_or_else(|| self.item("Patch"))
    }

    pub(crate) fn fields_ident(&self) -> Ident {
        self.fields_by_name.clone().unwrap_or_else(|| self.item("Fields"))
    }

    pub(crate) fn at_ident(&self) -> Ident {
        self.at.clone().unwrap_or_else(|| format_ident!("at"))
    }

    pub(crate) fn of_ident(&self) -> Ident {
        self.of.clone().unwrap_or_else(|| format_ident!("of"))
    }

    /// The name of a generated type, where none is given.
    fn item(&self, suffix: &str) -> Ident {
        format_ident!("{}{}", self.ident.unraw(), suffix, span = self.ident.span())
    }
}

impl Field {
    fn read(
        ctxt: &Ctxt,
        input: &syn::Field,
        receiver: &Receiver,
        rename_all: Option<Case>,
        json_case: &ReadWrite<Case>,
    ) -> Option<Self> {
        let ident = input.ident.clone()?;
        let attrs = FieldAttrs::of(ctxt, &input.attrs);

        let (name, name_tokens) = if let Some(rename) = &attrs.rename {
            (rename.value(), rename.to_token_stream())
        } else {
            let plain = ident.unraw().to_string();
            (rename_all.map_or(plain.clone(), |case| case.apply(&plain)), ident.to_token_stream())
        };
        let option = option_of(&input.ty);
        let default = attrs.default.as_ref().map(|(tokens, expr)| (tokens, Value::of(expr.clone())));
        let presence = match (&attrs.skip, default, option) {
            (Some(_), default, _) => Presence::Skipped(default.map_or(Value::Trait, |(_, value)| value)),
            (None, Some((tokens, _)), Some(_)) => {
                // No `Presence` expresses this, so it is reported here and not in `check`.
                ctxt.error(
                    tokens,
                    "an `Option` is `None` where the field is absent, and cannot have another default: remove \
                     `default`, or use the plain type",
                );
                Presence::Optional
            }
            (None, Some((_, value)), None) => Presence::Defaulted(value),
            (None, None, Some(_)) => Presence::Optional,
            // Redis counts from 0, which is the default of an i64.
            (None, None, None) if attrs.counter.is_some() => Presence::Defaulted(Value::Trait),
            (None, None, None) => Presence::Required,
        };
        let skipped = matches!(presence, Presence::Skipped(_));
        let storage = match (&attrs.counter, attrs.text) {
            (Some(_), _) => Storage::Counter,
            (None, true) => Storage::Text,
            (None, false) => Storage::Bincode,
        };
        let mut serde = SerdeAttrs::of(ctxt, &input.attrs);
        let functions = [&mut serde.with.read, &mut serde.with.write, &mut serde.skip_serializing_if];
        for function in functions.into_iter().flatten() {
            receiver.replace(function);
        }
        let has_functions = serde.with.read.is_some() || serde.with.write.is_some();
        let plain = ident.unraw().to_string();
        let in_case = |case: Option<Case>| case.map_or(plain.clone(), |case| case.apply(&plain));
        let read_name = serde.rename.read.unwrap_or_else(|| in_case(json_case.read));
        let written_name = serde.rename.write.unwrap_or_else(|| in_case(json_case.write));
        let is_read = !(serde.skip_deserializing || attrs.skip_deserializing);
        let is_written = !(serde.skip_serializing || attrs.skip_serializing);
        Some(Self {
            vis: input.vis.clone(),
            ty: if skipped { input.ty.clone() } else { option.unwrap_or(&input.ty).clone() },
            carried: Carried::of(&receiver.ident, &input.attrs),
            name,
            name_tokens,
            aliases: attrs.aliases.clone(),
            accessor: attrs.accessor.clone().unwrap_or_else(|| ident.clone()),
            storage,
            merge: attrs.merge.is_some() && !has_functions,
            ttl: attrs.ttl.clone(),
            json_names: if is_read { std::iter::once(read_name).chain(serde.aliases).collect() } else { Vec::new() },
            written_name: is_written.then_some(written_name),
            flatten: serde.flatten,
            with: serde.with,
            skip_serializing_if: serde.skip_serializing_if,
            serde_bound: serde.bound,
            presence,
            given: attrs,
            ident,
        })
    }

    /// True if this is its name in Redis, or one of its aliases.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.iter().any(|alias| alias.value() == name)
    }

    pub(crate) fn is_stored(&self) -> bool {
        !matches!(self.presence, Presence::Skipped(_))
    }
}

impl Value {
    /// The value of `default`, or of `default = expression`.
    fn of(expr: Option<Expr>) -> Self {
        expr.map_or(Self::Trait, |expr| Self::Expr(Box::new(expr)))
    }
}

/// The fields of a struct with named fields. Anything else is an error.
fn named_fields<'a>(ctxt: &Ctxt, input: &'a DeriveInput) -> Option<&'a FieldsNamed> {
    let message = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => return Some(fields),
            _ => "RedisHash needs named fields: the name of each is the name of a field in Redis",
        },
        Data::Enum(_) => {
            "an enum cannot be a Redis hash: derive RedisHash on a struct with named fields, and use the enum as the \
             type of one of them (with serde's derives)"
        }
        Data::Union(_) => "a union cannot be a Redis hash: derive RedisHash on a struct with named fields",
    };
    ctxt.error(&input.ident, message);
    None
}

/// The type of which something is stored: the `T` of an `Option<T>`, or the type itself.
pub(crate) fn stored_type(ty: &Type) -> &Type {
    option_of(ty).unwrap_or(ty)
}

/// The `T` of an `Option<T>`. The last segment of the path is what makes it one, as for serde and clap.
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
