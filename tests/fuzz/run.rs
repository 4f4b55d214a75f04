//! Runs a target: its corpus, then random inputs, and says how many there were.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, RngSeed, TestCaseError, TestError, TestRng, TestRunner};

/// The inputs in the folder of a target, and the names of their files.
pub(crate) fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files.into_iter().map(|file| (file.clone(), std::fs::read(file).unwrap())).collect()
}

/// One of the inputs in the folder of a target.
pub(crate) fn seed(target: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    prop::sample::select(corpus(target).into_iter().map(|(_, input)| input).collect::<Vec<_>>())
}

/// A number that is given to the process.
fn given(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is not a number")))
}

/// Runs a target on its corpus and on so many random inputs. `check` returns whether the input was taken for a valid one,
/// which shows whether the inputs are any good.
pub(crate) fn run(target: &str, cases: u64, inputs: impl Strategy<Value = Vec<u8>>, check: impl Fn(&[u8]) -> bool) {
    let corpus = corpus(target);
    for (file, input) in &corpus {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(input))) {
            eprintln!("fuzz {target}: {} fails", file.display());
            resume_unwind(panic);
        }
    }
    // proptest's own number of cases is 256.
    let cases = cases * given("PROPTEST_CASES").unwrap_or(256).max(256) / 256;
    let seed = given("FUZZ_SEED").unwrap_or(0);
    let config = Config {
        cases: u32::try_from(cases).unwrap_or(u32::MAX),
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed),
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let valid = std::cell::Cell::new(0_u64);
    let result = runner.run(&inputs, |input| {
        let checked = catch_unwind(AssertUnwindSafe(|| check(&input)));
        let checked = checked.map_err(|panic| TestCaseError::fail(message(&*panic)))?;
        valid.set(valid.get() + u64::from(checked));
        Ok(())
    });
    if let Err(TestError::Fail(reason, input)) = &result {
        let folder = option_env!("CARGO_TARGET_TMPDIR").unwrap_or(".");
        let file = Path::new(folder).join(format!("fuzz-{target}"));
        std::fs::write(&file, input).unwrap();
        let input = input.escape_ascii();
        panic!(
            "fuzz {target} fails with FUZZ_SEED={seed} on b\"{input}\": {reason}\nAdd {} to its corpus.",
            file.display()
        );
    }
    result.unwrap();
    // Not by a macro, whose output the test harness keeps to itself.
    let (corpus, valid) = (corpus.len(), valid.get());
    let text = format!("fuzz {target}: {corpus} inputs of the corpus, {cases} random ones, {valid} of them valid\n");
    std::io::stderr().write_all(text.as_bytes()).unwrap();
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without a text").to_owned()
}
