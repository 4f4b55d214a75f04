//! What does not compile, and says why: each case is one fault, named after it.

#[test]
fn compile_fail() {
    trybuild::TestCases::new().compile_fail("compile-fail/*/*.rs");
}
