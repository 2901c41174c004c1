//! Every test there is.

use crate::cargo::{Cargo, Outcome, no_arguments};
use crate::ring;

pub(crate) const HELP: &str = "\
usage: cargo xtask test

Compiles a generated crate of 300 models in a ring (see `cargo xtask ring --help`), then runs all tests
of the workspace with all features: of the units, of behaviour, of the compiler's messages, of the
examples in the documentation and of the quickstart. Needs Rust and a C compiler, for SQLite.";

pub(crate) fn run(args: &[String]) -> Outcome {
    no_arguments(args)?;
    // Both run whatever the other does, and the test runner's summary comes last.
    let ring = ring::run(&[]);
    let tests = Cargo::new("test --workspace --all-features --no-fail-fast").run();
    match (ring, tests) {
        (Ok(()), tests) => tests,
        (ring, Ok(())) => ring,
        (Err(ring), Err(tests)) => Err(format!("{ring}; {tests}")),
    }
}
