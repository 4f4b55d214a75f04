//! The house rules that a compiler does not check: which file may import which, how long a file may be, which names are
//! reserved, what the packages state, and what is public.

mod imports;
mod names;
mod packages;
mod public_api;
mod sources;

use std::fs;
use std::path::{Path, PathBuf};

/// The root of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All Rust files below a folder, by their paths in it.
fn rust_files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap_or_else(|error| panic!("{}: {error}", next.display())) {
            let path = entry.expect("a folder's entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let path = path.strip_prefix(folder).expect("a path in the folder");
                found.push(path.to_str().expect("a name in UTF-8").replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_file_says_what_it_is_for_and_can_be_held_in_the_head() {
    const LONGEST: usize = 450;
    let mut faults = Vec::new();
    for folder in ["hashmap/src", "hashmap-derive/src", "tests", "examples"] {
        for file in rust_files(&root().join(folder)) {
            // Not the cases that must not compile, which show one fault each, nor what the derive has generated.
            if file.starts_with("compile-fail/") && file != "compile-fail/main.rs" {
                continue;
            }
            let text = read(&root().join(folder).join(&file));
            if !text.starts_with("//! ") {
                faults.push(format!("{folder}/{file} does not begin with a `//!` that says what it is for"));
            }
            let lines = text.lines().count();
            if lines > LONGEST {
                faults.push(format!("{folder}/{file} has {lines} lines, {LONGEST} are the most: split it"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The map of the code is one page, and shows what is there.
#[test]
fn the_map_names_files_that_exist() {
    const LONGEST: usize = 120;
    let map = read(&root().join("docs/architecture.md"));
    assert!(map.lines().count() <= LONGEST, "docs/architecture.md is to be read at once: {LONGEST} lines are the most");
    let files: Vec<String> = ["hashmap/src", "hashmap-derive/src", "tests"]
        .iter()
        .flat_map(|folder| rust_files(&root().join(folder)).into_iter().map(move |file| format!("/{folder}/{file}")))
        .collect();
    let is_part = |char: char| char.is_ascii_alphanumeric() || "_/.-*".contains(char);
    let named = map
        .split(|char: char| !is_part(char))
        .filter(|word| Path::new(word).extension().is_some_and(|extension| extension == "rs"));
    let missing: Vec<&str> =
        named.filter(|name| !files.iter().any(|file| file.ends_with(&format!("/{name}")))).collect();
    assert!(missing.is_empty(), "docs/architecture.md names files that do not exist: {missing:?}");
}

/// A promise whose test was renamed or removed is no promise.
#[test]
fn the_tests_that_docs_reliability_names_exist() {
    let page = read(&root().join("docs/reliability.md"));
    let mut named = 0;
    for row in page.lines().filter(|line| line.starts_with('|')) {
        let mut file = String::new();
        for word in row.split('`').skip(1).step_by(2) {
            if Path::new(word).extension().is_some_and(|extension| extension == "rs") {
                file = read(&root().join(word));
            } else if !file.is_empty() {
                named += 1;
                assert!(
                    file.contains(&format!("fn {word}(")),
                    "docs/reliability.md names `{word}`, which is not there"
                );
            }
        }
    }
    assert!(named > 30, "only {named} tests are found: correct this test");
}
