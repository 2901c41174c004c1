//! The texts of the errors that users meet at compile time, one mistake a program; and programs that must compile
//! without a warning.
//!
//! After a wanted change of a text: `TRYBUILD=overwrite cargo test -p aludel-suite --test ui`, and read the difference.

#[test]
fn mistakes_are_explained_and_what_is_right_compiles() {
    let tests = trybuild::TestCases::new();
    tests.pass("tests/ui/pass/*.rs");
    tests.compile_fail("tests/ui/fail/*.rs");
}
