//! The arena's protocols under every interleaving.

use crate::cargo::{Cargo, Outcome, no_arguments, target_dir};

pub(crate) const HELP: &str = "\
usage: cargo xtask loom

Builds the library with loom's atomics and locks in the arena and runs the tests that try every
interleaving of its readers and writers (crates/aludel/src/entity/loom_tests.rs). Builds in target/loom.";

pub(crate) fn run(args: &[String]) -> Outcome {
    no_arguments(args)?;
    // Not a release build: the tests run for seconds, and the build would take minutes.
    Cargo::new("test --package aludel --lib loom_tests")
        .rustflags("--cfg aludel_loom")
        .build_in(target_dir().join("loom"))
        .run()
}
