//! Each public operation is in a scenario: a new one without fails the build.

use std::collections::BTreeSet;

/// The files whose public methods are operations of accessors, or make accessors.
const ACCESSORS: [&str; 7] = [
    include_str!("../../hashmap/src/accessor/field.rs"),
    include_str!("../../hashmap/src/accessor/hash_key.rs"),
    include_str!("../../hashmap/src/accessor/map.rs"),
    include_str!("../../hashmap/src/accessor/merge.rs"),
    include_str!("../../hashmap/src/accessor/record.rs"),
    include_str!("../../hashmap/src/accessor/scan.rs"),
    include_str!("../../hashmap/src/accessor/update.rs"),
];
const SCENARIOS: &str = include_str!("scenarios.rs");

/// How the scenarios name what they call an operation on. A field is what a method returns.
const RECORDS: [&str; 6] = ["user", "other", "settings", "profile", "session", "User"];
const MAPS: [&str; 6] = ["map", "codes", "counters", "text", "nowhere", "HashMap"];

/// Called by generated code, or by the macros that give an accessor its connection.
const ELSEWHERE: [&str; 8] = ["of", "new", "field", "typed", "at", "on", "on_async", "on_exclusive"];

/// The public methods of a file, each with the type that has it.
fn methods(file: &str) -> Vec<(&str, &str)> {
    let code = file.split("#[cfg(test)]").next().unwrap_or(file);
    let (mut of, mut found) = ("", Vec::new());
    for line in code.lines().map(str::trim_start) {
        if line.starts_with("impl") {
            of = ["Field<", "HashKey<", "HashMap<", "Record<"]
                .into_iter()
                .find(|name| line.contains(name))
                .unwrap_or("");
        }
        let public = line.strip_prefix("pub fn ").or_else(|| line.strip_prefix("pub async fn "));
        if let Some(method) = public.or_else(|| line.strip_prefix("pub const fn ")) {
            let name = method.split(['(', '<']).next().unwrap_or(method);
            if !of.is_empty() && !ELSEWHERE.contains(&name) {
                found.push((of.trim_end_matches('<'), name));
            }
        }
    }
    found
}

/// What the scenarios call: the type, and the method.
fn called() -> BTreeSet<(&'static str, String)> {
    let is_name = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let code: String = SCENARIOS.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    // A chain of calls may be broken into lines.
    let code: String = code.split_whitespace().collect::<Vec<_>>().join(" ").replace(" .", ".");
    let mut called = BTreeSet::new();
    for (at, _) in code.match_indices('.') {
        let (before, after) = (&code[..at], &code[at + 1..]);
        let name: String = after.chars().take_while(|char| is_name(*char)).collect();
        let is_call = after[name.len()..].starts_with('(') || after[name.len()..].starts_with("::<");
        if name.is_empty() || !is_call {
            continue;
        }
        let receiver = &before[before.rfind(|char| !is_name(char)).map_or(0, |end| end + 1)..];
        let made_of = |names: &[&str]| {
            // `User::at(key).with_ttl(`
            let begin = before.rfind(|char: char| !is_name(char) && !"():&*".contains(char)).map_or(0, |end| end + 1);
            names.iter().any(|name| before[begin..].contains(&format!("{name}::")))
        };
        if RECORDS.contains(&receiver) || made_of(&RECORDS) {
            called.extend([("Record", name.clone()), ("HashKey", name)]);
        } else if MAPS.contains(&receiver) || made_of(&MAPS) {
            called.extend([("HashMap", name.clone()), ("HashKey", name)]);
        } else if before.ends_with(')') {
            called.insert(("Field", name));
        }
    }
    called
}

#[test]
fn each_operation_is_in_a_scenario() {
    let all: Vec<(&str, &str)> = ACCESSORS.iter().flat_map(|file| methods(file)).collect();
    for known in [("Field", "take"), ("HashKey", "wait"), ("HashMap", "stream"), ("Record", "merge")] {
        assert!(all.contains(&known), "{known:?} is not found any more: correct this test");
    }
    // `entries!` calls the one that there is.
    let mut called = called();
    called.extend(["iter", "stream"].map(|name| ("HashMap", name.to_owned())));
    let missing: Vec<_> = all.into_iter().filter(|(of, name)| !called.contains(&(*of, (*name).to_owned()))).collect();
    assert!(missing.is_empty(), "no scenario has {missing:?}: add them to tests/conformance/scenarios.rs");
}

/// A scenario that is not named in the list would never run.
#[test]
fn each_scenario_is_run() {
    let scenarios = SCENARIOS.matches("async fn ").count() - 1; // `run`
    assert_eq!(crate::blocking::SCENARIOS.len(), scenarios);
}
