//! What the packages state is true: the Rust version that they build with, and the licences that go with them.

use std::process::Command;

use serde_json::Value;

use crate::{read, root};

/// Cargo takes a newer version of a dependency silently where a crate between does not state its own Rust version.
#[test]
fn no_dependency_needs_a_newer_rust_than_the_workspace() {
    let cargo = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["metadata", "--format-version", "1", "--all-features", "--locked"])
        .output()
        .expect("cargo");
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    let metadata: Value = serde_json::from_slice(&cargo.stdout).expect("JSON");
    let ours = parts(env!("CARGO_PKG_RUST_VERSION"));
    let packages = metadata["packages"].as_array().expect("packages");
    assert!(packages.len() > 100, "this test no longer finds the dependencies");
    let newer: Vec<String> = packages
        .iter()
        .filter(|package| package["rust_version"].as_str().is_some_and(|version| parts(version) > ours))
        .map(|package| format!("{} {} needs Rust {}", package["name"], package["version"], package["rust_version"]))
        .collect();
    assert!(newer.is_empty(), "hold an older version of these, or of what asks for them, in Cargo.lock: {newer:#?}");
}

fn parts(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().expect("a number")).collect()
}

/// A package holds only what lies in its folder. Links to the licences do, where they were not checked out as text.
#[test]
fn the_licences_are_in_each_package() {
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        let text = read(&root().join(licence));
        for package in ["hashmap", "hashmap-derive"] {
            assert!(read(&root().join(package).join(licence)) == text, "{package}/{licence} is not {licence}");
        }
    }
}
