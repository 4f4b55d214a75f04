//! Judges what was read: attributes and names that contradict each other, and types that cannot be stored.

use std::collections::HashMap;

use syn::ext::IdentExt;
use syn::{GenericParam, Ident, Type};

use crate::attr::{FieldAttrs, Schema, Was};
use crate::ctxt::Ctxt;
use crate::record::{Field, OWNED, Presence, Record, Storage};
use crate::tokens::mentions;

/// The operations of a record. A field's method would hide an operation of the same name.
const OPERATIONS: [&str; 34] = [
    "wait",
    "merge",
    "merge_if_present",
    "get_each",
    "with_ttl",
    "delete_raw",
    "get_fields_raw",
    "on",
    "on_async",
    "on_exclusive",
    "set_value_limit",
    "set_attempt_limit",
    "key",
    "get_all",
    "get_or_default",
    "get_partial",
    "get_many",
    "set_all",
    "create",
    "replace",
    "patch",
    "patch_if_present",
    "update",
    "try_update",
    "update_or_default",
    "try_update_or_default",
    "ttl",
    "expire_in",
    "expire_at",
    "persist",
    "get_fields",
    "exists",
    "size",
    "clear",
];

/// `default` makes the patch that a builder starts from. The others are operations that are planned: a struct that
/// compiles today will still compile when they are added.
const RESERVED: [&str; 4] = ["default", "live", "prune", "subscribe"];

/// Methods of the prelude's traits that every accessor has. Those that take `self` by value would hide the method of a
/// field; it would hide the others.
const OF_EVERY_TYPE: [&str; 5] = ["clone", "clone_into", "into", "to_owned", "try_into"];

/// Judges the record. Returns false if code for it would only cause more errors.
pub(crate) fn record(ctxt: &Ctxt, record: &Record) -> bool {
    for field in &record.fields {
        attributes(ctxt, field);
    }
    let mut owned = true;
    for field in record.stored() {
        if let Type::Reference(reference) = &field.ty {
            owned = false;
            ctxt.error(reference, OWNED);
        }
    }
    if !owned {
        return false;
    }
    whole(ctxt, record);
    names(ctxt, record);
    aliases(ctxt, record);
    schema(ctxt, record);
    items(ctxt, record)
}

/// Judges the attributes of a field against each other.
fn attributes(ctxt: &Ctxt, field: &Field) {
    let FieldAttrs { rename, aliases, accessor, text, counter, merge, ttl, skip, default, sample, was, .. } =
        &field.given;
    if let (Some(counter), true) = (counter, *text) {
        ctxt.error(counter, "a counter is stored as text already: remove `text`");
    }
    if let (Some(flatten), false) = (&field.flatten, field.json_names.is_empty()) {
        ctxt.error(
            flatten,
            "a patch from JSON cannot set a field with serde's `flatten`, since its keys stand beside those of the record: add \
             `#[redis_hash(skip_deserializing)]`, and set it in code",
        );
    }
    let meaningless = [
        (rename.is_some(), "rename"),
        (!aliases.is_empty(), "alias"),
        (*text, "text"),
        (counter.is_some(), "counter"),
        (merge.is_some(), "merge"),
        (ttl.is_some(), "ttl"),
        (sample.is_some(), "sample"),
        (!was.is_empty(), "was"),
        (accessor.is_some(), "accessor"),
    ];
    for (_, key) in meaningless.iter().filter(|(given, _)| skip.is_some() && *given) {
        ctxt.error(
            skip,
            format!("a field that is skipped is not stored, so `{key}` has no effect: remove one of them"),
        );
    }
    if let (Some(merge), None) = (merge, skip) {
        let reason = if *text || counter.is_some() {
            Some("a field that is stored as text has no parts, so it cannot be merged: remove one of them")
        } else if field.with.read.is_some() || field.with.write.is_some() {
            Some(
                "parts are merged by the type's own Serialize and Deserialize, and not by the functions of `with`: remove \
                 `merge`, or give the field a type of its own that serializes so",
            )
        } else if field.json_names.is_empty() {
            Some("a patch from JSON does not set this field, so `merge` has no effect: remove one of them")
        } else {
            None
        };
        if let Some(reason) = reason {
            ctxt.error(merge, reason);
        }
    }
    if let (Presence::Defaulted(_), Some(_), Some((tokens, _))) = (&field.presence, counter, default) {
        ctxt.error(tokens, "a counter that is absent counts from 0, as in Redis: remove `default`");
    }
    if let (Presence::Required, Some(ttl)) = (&field.presence, ttl) {
        ctxt.error(
            ttl,
            "a field that expires cannot be required, since the record would be incomplete without it: make it an \
             `Option`, or give it a `default`",
        );
    }
}

/// Judges what the struct says of the record.
fn whole(ctxt: &Ctxt, record: &Record) {
    if let Some(transparent) = &record.transparent {
        ctxt.error(
            transparent,
            "with serde's `transparent` the JSON of this record is that of its only field, so a patch of it could not be \
             read: remove it",
        );
    }
    if record.stored().next().is_none() {
        ctxt.error(&record.ident, "a record needs at least one field that is stored: Redis has no empty hashes");
    }
    if let (Some(sliding), None) = (&record.sliding, &record.ttl) {
        ctxt.error(
            sliding,
            "`sliding` renews the time to live on each read, but none is declared: add one, as in \
             `#[redis_hash(ttl = \"30m\", sliding)]`",
        );
    }
}

/// Judges what is said about the schema.
fn schema(ctxt: &Ctxt, record: &Record) {
    if let Some(schema) = &record.schema {
        schema_files(ctxt, record, schema);
    }
    for removed in &record.removed {
        if record.schema.is_none() {
            ctxt.error(removed, "only a record with a `schema` knows what was stored: add `schema`, or remove this");
        } else if record.stored().any(|field| field.is_called(&removed.value())) {
            ctxt.error(
                removed,
                "this is a name of a field of the record: give the new field another name, or remove this",
            );
        }
    }
    for field in record.stored() {
        for (attribute, was) in &field.given.was {
            if record.schema.is_none() {
                ctxt.error(
                    attribute,
                    "only a record with a `schema` knows what was stored before: add `schema`, whose test proves that it is \
                     converted",
                );
            } else if let (Was::Text(_), Storage::Text) | (Was::Counter, Storage::Counter) = (was, field.storage) {
                ctxt.error(
                    attribute,
                    "this is how the field is stored today, so the two cannot be told apart: store the new meaning in a field \
                     of another name",
                );
            }
        }
    }
    for field in &record.fields {
        if let (Some((sample, _)), true) =
            (&field.given.sample, record.schema.is_none() || field.storage != Storage::Bincode)
        {
            ctxt.error(
                sample,
                "a sample is for the `schema` of an encoded field: add `schema` to the record, or remove this",
            );
        }
    }
}

/// Judges which types of the record have a schema file.
fn schema_files(ctxt: &Ctxt, record: &Record, Schema { attribute, files }: &Schema) {
    let Record { ident, generics, .. } = record;
    let params: Vec<Ident> = generics
        .params
        .iter()
        .filter_map(|param| match param {
            GenericParam::Type(param) => Some(param.ident.clone()),
            GenericParam::Const(param) => Some(param.ident.clone()),
            GenericParam::Lifetime(_) => None,
        })
        .collect();
    let is_generic = !params.is_empty();
    if files.is_empty() || files.iter().any(|file| file.of.is_some() != is_generic) {
        let problem = if is_generic {
            format!(
                "each type that a record with parameters is used as has a schema file of its own: name them, as in \
                 `schema({ident}<u8>)`"
            )
        } else {
            "a record without parameters has one schema file; write `schema`, or `schema = \"path/to/file\"`".to_owned()
        };
        ctxt.error(attribute, problem);
        return;
    }
    for (index, file) in files.iter().enumerate() {
        let path = file.path_for(&record.name_of(file));
        if files.iter().take(index).any(|other| other.path_for(&record.name_of(other)) == path) {
            ctxt.error(&file.of, format!("{path:?} is the schema file of another type: give one of them another path"));
        }
    }
    for of in files.iter().filter_map(|file| file.of.as_ref()) {
        let is_record =
            matches!(of, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == *ident));
        if !is_record || mentions(of, &params) {
            ctxt.error(of, format!("this is not a type that the record is used as; write one such as `{ident}<u8>`"));
        }
    }
}

/// Judges the names of the constructors and of the generated types. Returns false if two of them clash, which rustc
/// would report again.
fn items(ctxt: &Ctxt, record: &Record) -> bool {
    let mut distinct = true;
    if let (Some(of), None) = (&record.of, &record.key) {
        ctxt.error(of, "`of` names the constructor of a record that declares its key: add `key`, or remove `of`");
    }
    let (at, of) = (record.at_ident(), record.of_ident());
    if at == of && record.key.is_some() {
        distinct = false;
        let given = record.at.as_ref().or(record.of.as_ref());
        ctxt.error(given, format!("both constructors would be called `{at}`: give one of them another name"));
    }
    let generated = [
        (record.accessor_ident(), "accessor"),
        (record.partial_ident(), "partial"),
        (record.each_ident(), "each"),
        (record.patch_ident(), "patch"),
        (record.fields_ident(), "fields"),
    ];
    for param in record.generics.type_params() {
        if let Some((name, key)) = generated.iter().find(|(name, _)| *name == param.ident) {
            distinct = false;
            ctxt.error(
                &param.ident,
                format!(
                    "this parameter has the name of the generated type `{name}`: give that another with \
                     `#[redis_hash({key} = \"…\")]`"
                ),
            );
        }
    }
    distinct
}

/// Judges the names under which the fields were stored before.
fn aliases(ctxt: &Ctxt, record: &Record) {
    let mut names: HashMap<String, &Ident> = record.stored().map(|field| (field.name.clone(), &field.ident)).collect();
    for field in record.stored() {
        for alias in &field.aliases {
            let name = alias.value();
            if name.is_empty() {
                ctxt.error(alias, "this alias is empty: give it the name under which the field was stored before");
            } else if name == field.name {
                ctxt.error(alias, format!("{name:?} is the field's own name in Redis: remove this alias"));
            } else if let Some(other) = names.insert(name.clone(), &field.ident) {
                let problem = if *other == field.ident {
                    "is an alias of this field already: remove one of them".to_owned()
                } else {
                    format!(
                        "is a name of the field `{other}` in Redis too, and each reads its own: give one of them another"
                    )
                };
                ctxt.error(alias, format!("{name:?} {problem}"));
            }
        }
    }
}

/// Judges the names of the fields in Redis and those of their methods.
fn names(ctxt: &Ctxt, record: &Record) {
    let mut names = HashMap::new();
    let mut accessors = HashMap::new();
    for field in record.stored() {
        if field.name.is_empty() {
            ctxt.error(&field.name_tokens, "the name of this field is empty: give it a name");
        }
        if let Some(other) = names.insert(&field.name, &field.ident) {
            ctxt.error(
                &field.name_tokens,
                format!("the field `{other}` has the name {:?} in Redis too: rename one of them", field.name),
            );
        }
        let accessor = field.accessor.unraw().to_string();
        let taken = |names: &[&str]| names.contains(&accessor.as_str());
        let reason = if taken(&OPERATIONS) {
            Some("is an operation of the record, which the method of this field would hide")
        } else if taken(&RESERVED) {
            Some("is reserved for an operation of the record")
        } else if taken(&OF_EVERY_TYPE) {
            Some("is a method that every accessor has, which would clash with the one of this field")
        } else {
            None
        };
        if let Some(reason) = reason {
            ctxt.error(
                &field.accessor,
                format!(
                    "`{accessor}` {reason}: name the method with `#[redis_hash(accessor = \"…\")]` (the field keeps its \
                     name)"
                ),
            );
        }
        if let Some(other) = accessors.insert(accessor.clone(), &field.ident) {
            ctxt.error(
                &field.accessor,
                format!("the method of the field `{other}` is called `{accessor}` too: give one of them another name"),
            );
        }
    }
}
