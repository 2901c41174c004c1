//! The tests under tools that watch each access to memory.

use std::process::{Command, Stdio};

use crate::cargo::{Cargo, Outcome, host, target_dir};

pub(crate) const SANITIZE_HELP: &str = "\
usage: cargo xtask sanitize [FILTER]

Runs the tests of the library and of the suite under AddressSanitizer, which finds reads and writes of
memory that is freed or out of bounds, and leaks. FILTER chooses tests by a part of their name. Builds in
target/asan. The stable toolchain is enough, on Linux and macOS, x86-64 and arm64.";

pub(crate) const VALGRIND_HELP: &str = "\
usage: cargo xtask valgrind [FILTER]

Runs the tests of the library and of the suite under valgrind, which finds reads of memory that was never
written, reads and writes of memory that is freed, and leaks. FILTER chooses tests by a part of their
name. Slow: minutes where the tests by themselves take seconds.";

/// The tests that both tools run: all but those of the compiler's messages, which run no code of the library, the one
/// that has models compiled, the ones that leak a future to see what comes of it, and the servers' drivers, which have no
/// unsafe code and need servers.
const TESTS: &str = "test --package aludel --package aludel-suite --lib --tests --all-features --no-fail-fast";
const WITHOUT: [&str; 11] = [
    "--",
    "--skip",
    "mistakes_are_explained",
    "--skip",
    "create_the_same_database",
    "--skip",
    "is_leaked",
    "--skip",
    "postgres::tests",
    "--skip",
    "mysql::tests",
];

/// What valgrind does not run beside these: a handler that has to come to its end in one slice of time, and a write that has
/// to begin in it.
const TOO_SLOW: [&str; 4] = [
    "--skip",
    "a_client_that_goes_away_while_the_session_is_being_closed",
    "--skip",
    "a_dropped_write_that_returns_rows",
];

/// Leaks that are only possible are the test runner's: what it keeps until the process ends.
const VALGRIND: &str = "valgrind --quiet --error-exitcode=1 --leak-check=full --show-leak-kinds=definite \
                        --errors-for-leak-kinds=definite";

/// Where the toolchain brings the sanitizer's runtime.
const SANITIZER_HOSTS: &[&str] =
    &["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "x86_64-apple-darwin", "aarch64-apple-darwin"];

/// Whether this platform has the sanitizer.
pub(crate) fn has_sanitizer() -> Result<bool, String> {
    Ok(SANITIZER_HOSTS.contains(&host()?.as_str()))
}

pub(crate) fn sanitize(args: &[String]) -> Outcome {
    let host = host()?;
    if !has_sanitizer()? {
        return Err(format!("the toolchain has no AddressSanitizer for {host}; it has for {SANITIZER_HOSTS:?}"));
    }
    Cargo::new(TESTS)
        // A target that is named keeps the flag away from build scripts and macros.
        .args(["--target", &host])
        .args(filter(args)?)
        .args(WITHOUT)
        .env("RUSTC_BOOTSTRAP", "1")
        .rustflags("-Zsanitizer=address")
        // SQLite's C code has static variables of the same name in several functions, which it takes for a conflict.
        .env("ASAN_OPTIONS", "detect_odr_violation=0")
        .build_in(target_dir().join("asan"))
        .run()
}

pub(crate) fn valgrind(args: &[String]) -> Outcome {
    let found = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
    if !found.is_ok_and(|status| status.success()) {
        return Err(String::from(
            "valgrind is not installed; install the package `valgrind` of your system (`apt-get install valgrind`)",
        ));
    }
    let runner = format!("CARGO_TARGET_{}_RUNNER", host()?.to_uppercase().replace('-', "_"));
    Cargo::new(TESTS).args(filter(args)?).args(WITHOUT).args(TOO_SLOW).env(&runner, VALGRIND).run()
}

/// The name of the tests to run, if one is given.
fn filter(args: &[String]) -> Result<Option<&str>, String> {
    match args {
        [] => Ok(None),
        [filter] => Ok(Some(filter)),
        [_, more, ..] => Err(format!("unknown argument `{more}`; one filter is enough")),
    }
}
