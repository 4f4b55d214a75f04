//! Odd structs, a module for each kind: the derive compiles for them, silently under every lint, and they work.

#![deny(
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    missing_docs,
    unreachable_pub,
    unused,
    unused_qualifications,
    unused_lifetimes,
    unused_import_braces,
    single_use_lifetimes,
    explicit_outlives_requirements,
    elided_lifetimes_in_paths,
    let_underscore_drop,
    missing_copy_implementations,
    missing_debug_implementations,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    redundant_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    trivial_bounds,
    unit_bindings,
    variant_size_differences,
    meta_variable_misuse,
    deprecated,
    warnings
)]
#![allow(clippy::redundant_pub_crate, reason = "`unreachable_pub` asks for the opposite")]

mod attributes;
mod constructors;
mod lifetimes;
mod lints;
mod names;
mod no_prelude;
mod self_type;
mod traits;

use std::error::Error;

type Test = Result<(), Box<dyn Error>>;
