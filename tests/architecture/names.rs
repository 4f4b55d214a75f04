//! Names of the record's operations, which the methods of fields must not hide.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::{read, root};

/// Operations that are planned: a struct that compiles today will still compile when they are added.
const PLANNED: &[&str] = &["wait", "live", "subscribe", "prune"];

#[test]
fn every_operation_of_a_record_is_reserved_in_the_derive() {
    let check = read(&root().join("hashmap-derive/src/check.rs"));
    let accessor = root().join("hashmap/src/accessor");
    let mut operations = Vec::new();
    for (file, types) in
        [("record.rs", "Record"), ("hash_key.rs", "HashKey"), ("update.rs", "Record"), ("merge.rs", "Record")]
    {
        let tokens: TokenStream = read(&accessor.join(file)).parse().expect("Rust code");
        let found = methods_of(types, tokens);
        assert!(!found.is_empty(), "{file} has no methods of {types} any more: correct this test");
        operations.extend(found);
    }
    for known in ["get_all", "size", "update", "key", "on"] {
        assert!(operations.iter().any(|operation| operation == known), "this test no longer finds `{known}`");
    }
    let planned = PLANNED.iter().map(|name| (*name).to_owned());
    let missing: Vec<String> =
        operations.into_iter().chain(planned).filter(|name| !check.contains(&format!("\"{name}\""))).collect();
    assert!(
        missing.is_empty(),
        "a field's method could hide these operations: add {missing:?} to OPERATIONS or RESERVED in the derive's check.rs"
    );
}

/// The public methods with a receiver in the visible inherent `impl` blocks of a type.
fn methods_of(name: &str, tokens: TokenStream) -> Vec<String> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut methods = Vec::new();
    let mut header: Option<usize> = None;
    for (at, tree) in tokens.iter().enumerate() {
        match tree {
            TokenTree::Ident(ident) if ident == "impl" => header = Some(at),
            TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => {
                if let Some(start) = header.take() {
                    let says = |word: &str| tokens[start..at].iter().any(|tree| tree.to_string() == word);
                    // An attribute comes before it as `#` and `[…]`.
                    let hidden = start > 0 && tokens[start - 1].to_string().replace(' ', "").contains("doc(hidden)");
                    if says(name) && !says("for") && !hidden {
                        methods.extend(public_methods(body.stream()));
                    }
                }
            }
            _ => {}
        }
    }
    methods
}

fn public_methods(body: TokenStream) -> Vec<String> {
    let tokens: Vec<TokenTree> = body.into_iter().collect();
    let mut methods = Vec::new();
    for (at, window) in tokens.windows(3).enumerate() {
        let [TokenTree::Ident(public), TokenTree::Ident(function), TokenTree::Ident(name)] = window else { continue };
        if public != "pub" || function != "fn" {
            continue;
        }
        let arguments = tokens[at..].iter().find_map(|tree| match tree {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => Some(group.stream().to_string()),
            _ => None,
        });
        if arguments.is_some_and(|arguments| arguments.contains("self")) {
            methods.push(name.to_string());
        }
    }
    methods
}
