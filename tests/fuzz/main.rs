//! Fuzzing on stable, as part of the tests: inputs that once failed, real ones, and random changes of both.
//!
//! Each target is a function that takes bytes and panics where they show a fault. It goes through its folder in `corpus/`
//! first, then through a fixed number of random inputs. `PROPTEST_CASES` multiplies that number by itself / 256, and
//! `FUZZ_SEED` makes the inputs others.
//!
//! They are made by proptest, not by bolero. What is stored has a digest, so bytes out of the blue never get past it;
//! bolero's engine on stable makes nothing else, starts from another seed in each run, and takes inputs only from folders
//! of its own beside the sources. proptest changes valid inputs, and makes what fails small. A function of bytes is what
//! guided fuzzers call, too: a crate for cargo-fuzz needs `#[path]` to these files, and one line for each target.

#[path = "../format/measured.rs"]
mod measured;
#[path = "../format/stored.rs"]
#[expect(dead_code, reason = "shared with the tests of the format")]
mod stored;
#[path = "../format/wide.rs"]
#[expect(dead_code, reason = "shared with the tests of the format")]
mod wide;

mod bincode_too;
mod commands;
mod decode;
mod keys;
mod mutation;
mod replies;
mod run;
mod shapes;
mod urls;
mod value;
