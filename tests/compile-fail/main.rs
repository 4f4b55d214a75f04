//! Code that must not compile, and the errors that say why. Each case shows one fault and is named after it.

#[test]
fn compile_fail() {
    trybuild::TestCases::new().compile_fail("compile-fail/*/*.rs");
}
