//! Each public operation is in a scenario: a new one without fails the build.

/// The files whose public methods are operations of accessors, or make accessors.
const ACCESSORS: [&str; 6] = [
    include_str!("../../hashmap/src/accessor/field.rs"),
    include_str!("../../hashmap/src/accessor/hash_key.rs"),
    include_str!("../../hashmap/src/accessor/map.rs"),
    include_str!("../../hashmap/src/accessor/merge.rs"),
    include_str!("../../hashmap/src/accessor/scan.rs"),
    include_str!("../../hashmap/src/accessor/update.rs"),
];
const RECORD: &str = include_str!("../../hashmap/src/accessor/record.rs");

/// The scenarios, and the macros that give accessors their connections.
const SCENARIOS: [&str; 2] = [include_str!("scenarios.rs"), include_str!("main.rs")];

/// What generated code calls.
const OF_GENERATED_CODE: [&str; 3] = ["of", "new", "field"];

/// The names of the public methods of a file.
fn methods(file: &str) -> impl Iterator<Item = &str> {
    let code = file.split("#[cfg(test)]").next().unwrap_or(file);
    code.lines().filter_map(|line| {
        let name = line.strip_prefix("    pub fn ").or_else(|| line.strip_prefix("        pub fn "))?;
        name.split(['(', '<']).next()
    })
}

#[test]
fn each_operation_is_in_a_scenario() {
    let record = methods(RECORD).filter(|name| !OF_GENERATED_CODE.contains(name));
    let all: Vec<&str> = ACCESSORS.iter().flat_map(|file| methods(file)).chain(record).collect();
    assert!(all.len() > 60, "{all:?}");
    let called = |name: &str| {
        // `map.set(`, `get::<u8>(`, `HashMap::typed(`
        let calls = [format!(".{name}("), format!(".{name}::<"), format!("::{name}(")];
        SCENARIOS.iter().any(|code| calls.iter().any(|call| code.contains(call)))
    };
    let missing: Vec<&str> = all.into_iter().filter(|name| !called(name)).collect();
    assert!(missing.is_empty(), "no scenario has {missing:?}: add them to tests/conformance/scenarios.rs");
}
