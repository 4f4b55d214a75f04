//! Judges what was read: what is wrong only beside other attributes or other fields.

use std::collections::HashMap;

use syn::ext::IdentExt;

use crate::ctxt::Ctxt;
use crate::record::Record;

/// The operations of a record. A field's method would hide the one whose name it has.
const OPERATIONS: [&str; 27] = [
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

/// `default` is what the builder of a patch begins with. The others are operations that are planned: a struct that
/// compiles today will still compile when they come.
const RESERVED: [&str; 3] = ["default", "prune", "subscribe"];

/// Methods of the prelude's traits that every accessor has by value or by reference. They come before a method that
/// takes `&mut self`.
const OF_EVERY_TYPE: [&str; 5] = ["clone", "clone_into", "into", "to_owned", "try_into"];

/// Judges the record as a whole.
pub(crate) fn record(ctxt: &Ctxt, record: &Record) {
    if record.stored().next().is_none() {
        ctxt.error(&record.ident, "a record needs at least one field that is stored: Redis has no empty hash");
    }
    if let (Some(sliding), None) = (&record.sliding, &record.ttl) {
        ctxt.error(
            sliding,
            "`sliding` renews the time to live on each read, and none is declared: add one, as in \
             `#[redis_hash(ttl = \"30m\", sliding)]`",
        );
    }
    let mut names = HashMap::new();
    let mut accessors = HashMap::new();
    for field in record.stored() {
        if field.name.is_empty() {
            ctxt.error(&field.name_tokens, "the name of a field is empty: give it one");
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
            Some("is a method that every accessor has, which would come before the one of this field")
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
