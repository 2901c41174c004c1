//! Everything that a change must pass.

use crate::cargo::{Cargo, Outcome, no_arguments};
use crate::{loom, test};

pub(crate) const HELP: &str = "\
usage: cargo xtask ci

The format, clippy without a warning, the documentation without a warning, the combinations of features,
then `cargo xtask test` and `cargo xtask loom`. Stops at the first that fails. `cargo xtask sanitize` and
`cargo xtask valgrind`, which take long, are commands of their own.";

/// Beside all features together, which the other steps build.
const FEATURES: &[&str] =
    &["sqlite", "sqlite,axum", "sqlite,chrono", "sqlite,decimal", "sqlite,postgres", "sqlite,mysql"];

pub(crate) fn run(args: &[String]) -> Outcome {
    no_arguments(args)?;
    Cargo::new("fmt --all --check").run()?;
    Cargo::new("fmt --manifest-path benches/Cargo.toml --check").run()?;
    Cargo::new("clippy --workspace --all-targets --all-features -- -D warnings").run()?;
    for features in FEATURES {
        Cargo::new("clippy --package aludel --no-default-features --features")
            .args([features, "--", "-D", "warnings"])
            .run()?;
    }
    Cargo::new("doc --workspace --no-deps --all-features").env("RUSTDOCFLAGS", "-D warnings").run()?;
    test::run(&[])?;
    loom::run(&[])
}
