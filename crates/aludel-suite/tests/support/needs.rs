//! Tests that are at home on some backends only.

use std::io::Write;

use super::Backend;

/// What a test returns that has found out that it is of another backend.
pub(crate) trait Skipped {
    fn skipped() -> Self;
}

impl Skipped for () {
    fn skipped() -> Self {}
}

impl<E> Skipped for Result<(), E> {
    fn skipped() -> Self {
        Ok(())
    }
}

/// Ends the test on other backends than these, and says why: `needs!(Sqlite, "rowids are SQLite's own")`.
macro_rules! needs {
    ($($backend:ident)|+, $why:literal) => {
        fn here() {}
        if crate::support::skips(&[$(crate::support::Backend::$backend),+], $why, std::any::type_name_of_val(&here)) {
            return crate::support::Skipped::skipped();
        }
    };
}
pub(crate) use needs;

/// Whether a test has to be skipped: then its name and the reason are appended to the file that `ALUDEL_TEST_SKIPPED`
/// names, for the summary of `cargo xtask test`, and printed.
pub(crate) fn skips(backends: &[Backend], why: &str, place: &str) -> bool {
    let backend = Backend::current();
    if backends.contains(&backend) {
        return false;
    }
    let name = place.trim_end_matches("::here").trim_end_matches("::{{closure}}");
    let line = format!("{name}: {why}\n");
    eprint!("skipped on {backend:?}: {line}");
    if let Some(path) = std::env::var_os("ALUDEL_TEST_SKIPPED") {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        file.and_then(|mut file| file.write_all(line.as_bytes())).expect("the list of skipped tests");
    }
    true
}
