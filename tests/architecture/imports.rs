//! Imports go one way: a file imports only from files before it in these lists.

use std::collections::HashMap;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::{read, root, rust_files};

/// The runtime crate from the ground up. `docs/architecture.md` says what each folder is for.
const RUNTIME: &[&str] = &[
    "kind.rs",
    // What can go wrong.
    "error/fault.rs",
    "error/place.rs",
    "error/redis_fault.rs",
    "error/several.rs",
    "error/mod.rs",
    "error/verdicts.rs",
    // What lies in Redis.
    "format/asked_kind.rs",
    "format/asks_for_any.rs",
    "format/shape.rs",
    "format/shape_digest.rs",
    "format/decode_fault.rs",
    "format/deserializer.rs",
    "format/schema.rs",
    "format/verify.rs",
    "format/part.rs",
    "format/part_access.rs",
    "format/resolve.rs",
    "format/mod.rs",
    "format/past.rs",
    "format/value.rs",
    "format/value_serde.rs",
    "format/storage.rs",
    "format/any.rs",
    "format/given.rs",
    "format/merge.rs",
    // How records may change.
    "schema/bounds.rs",
    "schema/text.rs",
    "schema/parse.rs",
    "schema/lock.rs",
    "schema/history.rs",
    "schema/sample.rs",
    "schema/trace/untraceable.rs",
    "schema/trace/samples.rs",
    "schema/trace/menu.rs",
    "schema/trace/graph.rs",
    "schema/trace/recorder.rs",
    "schema/trace/minimal.rs",
    "schema/trace/replay.rs",
    "schema/trace/choices.rs",
    "schema/trace/rules.rs",
    "schema/trace/sampler.rs",
    "schema/trace/mod.rs",
    "schema/loss.rs",
    "schema/field.rs",
    "schema/overlap.rs",
    "schema/convert.rs",
    "schema/mark.rs",
    "schema/check.rs",
    "schema/evolving.rs",
    "schema/mod.rs",
    "schema/simulated.rs",
    "schema/random_tests.rs",
    "schema/lock_tests.rs",
    "schema/check_tests.rs",
    "schema/convert_tests.rs",
    "schema/convert_words_tests.rs",
    "schema/mark_tests.rs",
    "schema/mark_asks_tests.rs",
    "schema/check_rules_tests.rs",
    "schema/evolving_tests.rs",
    "schema/trace/tests.rs",
    "schema/trace/attributes_tests.rs",
    "schema/trace/limits_tests.rs",
    "schema/trace/untraceable_tests.rs",
    // One command as a value.
    "command/key.rs",
    "command/ttl.rs",
    "command/script.rs",
    "command/slot.rs",
    "command/probe.rs",
    "command/name.rs",
    "command/changes.rs",
    "command/named_field.rs",
    "command/names.rs",
    "command/target.rs",
    "command/packed.rs",
    "command/strings.rs",
    "command/request.rs",
    "command/redis.rs",
    "command/reply.rs",
    "command/received.rs",
    "command/mod.rs",
    "command/batch.rs",
    "command/patch_writer.rs",
    "command/redis_hash.rs",
    // The store inside the process.
    "embedded/storage.rs",
    "embedded/bytes.rs",
    "embedded/ordered.rs",
    "embedded/memory.rs",
    "embedded/layout.rs",
    "embedded/row.rs",
    "embedded/tables.rs",
    "embedded/editing.rs",
    "embedded/log.rs",
    "embedded/migrate.rs",
    "embedded/disk.rs",
    "embedded/base.rs",
    "embedded/answer.rs",
    "embedded/server.rs",
    "embedded/names.rs",
    "embedded/request.rs",
    "embedded/pattern.rs",
    "embedded/scan.rs",
    "embedded/expiry.rs",
    "embedded/random.rs",
    "embedded/whole.rs",
    "embedded/long_double.rs",
    "embedded/reads.rs",
    "embedded/writes.rs",
    "embedded/scripts.rs",
    "embedded/transaction.rs",
    "embedded/sent.rs",
    "embedded/shared.rs",
    "embedded/committed.rs",
    "embedded/eventual.rs",
    "embedded/file.rs",
    "embedded/mod.rs",
    // Opening by URL.
    "open/options.rs",
    "open/url.rs",
    "open/direct.rs",
    "open/deadline.rs",
    "open/resp.rs",
    "open/socket.rs",
    "open/clients.rs",
    "open/login.rs",
    "open/failed.rs",
    "open/past.rs",
    "open/node.rs",
    "open/stream.rs",
    "open/driver.rs",
    "open/sentinels.rs",
    "open/reconnecting.rs",
    "open/reconnecting_async.rs",
    "open/slots.rs",
    "open/route.rs",
    "open/routed.rs",
    "open/cluster.rs",
    "open/cluster_async.rs",
    "open/blocking.rs",
    "open/asynchronous.rs",
    "open/mod.rs",
    // What sends commands.
    "run/mailbox.rs",
    "run/mod.rs",
    "run/attempts.rs",
    "run/pipeline.rs",
    "run/pipeline_async.rs",
    "run/blocking.rs",
    "run/asynchronous.rs",
    "run/subject.rs",
    "run/update.rs",
    "run/take.rs",
    "run/merge.rs",
    "run/require.rs",
    "run/write_if.rs",
    "run/wait.rs",
    "run/get_or_insert.rs",
    // What users hold.
    "accessor/mod.rs",
    "accessor/debug.rs",
    "accessor/by_name.rs",
    "accessor/each.rs",
    "accessor/hash_key.rs",
    "accessor/field.rs",
    "accessor/names.rs",
    "accessor/map_value.rs",
    "accessor/map.rs",
    "accessor/scan.rs",
    "accessor/get_many.rs",
    "accessor/record.rs",
    "accessor/update.rs",
    "accessor/merge.rs",
    "lib.rs",
];

/// The derive: parse, check, expand.
const DERIVE: &[&str] = &[
    "ctxt.rs",
    "case.rs",
    "duration.rs",
    "key.rs",
    "carried.rs",
    "tokens.rs",
    "serde_attr.rs",
    "nearest.rs",
    "attr.rs",
    "evolving.rs",
    "record.rs",
    "check.rs",
    "expand/shared.rs",
    "expand/accessor.rs",
    "expand/constructors.rs",
    "expand/read_json.rs",
    "expand/write_json.rs",
    "expand/partial.rs",
    "expand/each.rs",
    "expand/patch.rs",
    "expand/fields.rs",
    "expand/redis_hash.rs",
    "expand/schema.rs",
    "expand/evolving.rs",
    "expand/mod.rs",
    "lib.rs",
];

#[test]
fn no_file_of_the_runtime_imports_upwards() {
    check("hashmap/src", RUNTIME);
}

#[test]
fn no_file_of_the_derive_imports_upwards() {
    check("hashmap-derive/src", DERIVE);
}

#[test]
fn the_format_knows_no_redis() {
    for file in RUNTIME.iter().filter(|file| file.starts_with("format/")) {
        let text = read(&root().join("hashmap/src").join(file));
        let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        assert!(!code.contains("redis::"), "format/ knows no redis, and {file} names it");
    }
}

fn check(folder: &str, order: &[&str]) {
    let folder = root().join(folder);
    let files = rust_files(&folder);
    let rank: HashMap<&str, usize> = order.iter().enumerate().map(|(rank, file)| (*file, rank)).collect();
    let mut faults = Vec::new();
    for file in &files {
        if !rank.contains_key(file.as_str()) {
            faults.push(format!("{file} is in no layer: add it to the list in {}", file!()));
        }
    }
    for file in order {
        if !files.iter().any(|found| found == file) {
            faults.push(format!("{file} is in the list of {} and not in the folder", file!()));
        }
    }
    let modules: HashMap<Vec<String>, &str> = order.iter().map(|file| (module_of(file), *file)).collect();
    for file in order.iter().filter(|file| files.iter().any(|found| found == *file)) {
        let tokens: TokenStream = read(&folder.join(file)).parse().expect("Rust code");
        let mut paths = Vec::new();
        collect(tokens, &module_of(file), &mut paths);
        for path in paths {
            let imported = (0..=path.len()).rev().find_map(|end| modules.get(&path[..end])).expect("the root");
            if imported != file && rank[imported] > rank[file] {
                faults.push(format!("{file} imports {imported}, which is above it (`{}`)", path.join("::")));
            }
        }
    }
    faults.sort();
    faults.dedup();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The path of a file's module, from the root of its crate.
fn module_of(file: &str) -> Vec<String> {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    if path == "lib" { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

/// The paths in this module that begin with `crate`, `super`, `self` or a module of its own, wherever they occur.
fn collect(tokens: TokenStream, module: &[String], paths: &mut Vec<Vec<String>>) {
    collect_below(tokens, module, &[], paths);
}

fn collect_below(tokens: TokenStream, module: &[String], children: &[String], paths: &mut Vec<Vec<String>>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let declared = tokens.windows(3).filter_map(|window| match window {
        [TokenTree::Ident(word), TokenTree::Ident(name), TokenTree::Punct(end)]
            if word == "mod" && end.as_char() == ';' =>
        {
            Some(name.to_string())
        }
        _ => None,
    });
    let children: Vec<String> = children.iter().cloned().chain(declared).collect();
    let children = children.as_slice();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Ident(ident) if ident == "mod" => {
                if let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(body))) =
                    (tokens.get(at + 1), tokens.get(at + 2))
                {
                    let inner: Vec<String> = module.iter().cloned().chain([name.to_string()]).collect();
                    collect(body.stream(), &inner, paths);
                    at += 3;
                    continue;
                }
            }
            TokenTree::Ident(ident) if is_colons(&tokens, at + 1) => {
                // `$crate` in a macro is for who uses it.
                let is_exported =
                    at > 0 && matches!(&tokens[at - 1], TokenTree::Punct(punct) if punct.as_char() == '$');
                let start = match ident.to_string().as_str() {
                    _ if is_exported => None,
                    "crate" => Some(Vec::new()),
                    "self" => Some(module.to_vec()),
                    "super" => Some(module[..module.len().saturating_sub(1)].to_vec()),
                    child if children.iter().any(|known| known == child) => {
                        Some(module.iter().cloned().chain([child.to_owned()]).collect())
                    }
                    _ => None,
                };
                if let Some(start) = start {
                    at = follow(&tokens, at + 3, start, paths);
                    continue;
                }
                // A path that begins with something else: none of its later parts begins one.
                while is_colons(&tokens, at + 1) {
                    at += 3;
                }
                continue;
            }
            TokenTree::Group(group) => collect_below(group.stream(), module, children, paths),
            _ => {}
        }
        at += 1;
    }
}

fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    let is_colon = |tree: Option<&TokenTree>| matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    is_colon(tokens.get(at)) && is_colon(tokens.get(at + 1))
}

/// Follows a path from the part at a position on, also into the braces of a `use`. Returns where it ends.
fn follow(tokens: &[TokenTree], mut at: usize, mut path: Vec<String>, paths: &mut Vec<Vec<String>>) -> usize {
    loop {
        match tokens.get(at) {
            Some(TokenTree::Ident(part)) if part == "super" => drop(path.pop()),
            Some(TokenTree::Ident(part)) if part == "self" => {}
            Some(TokenTree::Ident(part)) => path.push(part.to_string()),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                let is_comma = |tree: &TokenTree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ',');
                for part in inner.split(is_comma).filter(|part| !part.is_empty()) {
                    follow(part, 0, path.clone(), paths);
                }
                return at + 1;
            }
            _ => break,
        }
        at += 1;
        if !is_colons(tokens, at) {
            break;
        }
        at += 2;
    }
    paths.push(path);
    at
}
