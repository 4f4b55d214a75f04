//! How records may change: the schemas of what they have stored, in a file that is committed, and the test that proves that
//! today's types read it.

mod bounds;
pub(crate) mod check;
mod convert;
pub(crate) mod evolving;
pub(crate) mod field;
pub(crate) mod history;
pub(crate) mod lock;
mod loss;
mod mark;
mod overlap;
pub(crate) mod parse;
pub(crate) mod sample;
pub(crate) mod text;
pub(crate) mod trace;

#[cfg(test)]
mod check_rules_tests;
#[cfg(test)]
mod check_tests;
#[cfg(test)]
mod convert_tests;
#[cfg(test)]
mod convert_words_tests;
#[cfg(test)]
mod evolving_tests;
#[cfg(test)]
mod lock_tests;
#[cfg(test)]
mod mark_asks_tests;
#[cfg(test)]
mod mark_tests;
#[cfg(test)]
mod random_tests;
#[cfg(test)]
mod simulated;
