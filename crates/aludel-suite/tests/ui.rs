//! The texts of the errors that users meet at compile time, one mistake a program; and programs that must compile
//! without a warning.
//!
//! After a wanted change of a text: `TRYBUILD=overwrite cargo test -p aludel-suite --test ui`, and read the difference.

mod support;
use support::needs;

#[test]
fn mistakes_are_explained_and_what_is_right_compiles() {
    needs!(Sqlite, "messages of the compiler, which know no database");
    let tests = trybuild::TestCases::new();
    tests.pass("tests/ui/pass/*.rs");
    tests.compile_fail("tests/ui/fail/*.rs");
}
