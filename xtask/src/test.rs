//! Every test there is, on every backend.

use std::collections::BTreeSet;
use std::path::Path;

use crate::cargo::{Cargo, Counts, Outcome, no_arguments, root, target_dir};
use crate::ring;
use crate::servers::{Kind, Server};

pub(crate) const HELP: &str = "\
usage: cargo xtask test

Compiles a generated crate of 300 models in a ring (see `cargo xtask ring --help`), then runs all tests
of the workspace with all features: of the units, of behaviour, of the compiler's messages, of the
examples in the documentation and of the quickstart; then the suite of behaviour again on PostgreSQL
and on MariaDB. Tests that are at home on one backend are listed at the end, with the reason.

Needs Rust and a C compiler, for SQLite, and the two servers: those that ALUDEL_TEST_POSTGRES_URL and
ALUDEL_TEST_MARIADB_URL name, those at 127.0.0.1:5432 and 127.0.0.1:3306 (`docker compose up -d`
starts them), or private ones, which are started from the programs that are installed; on Debian and
Ubuntu the superuser's run installs them. A server that is missing is a failure.";

/// What the tests of a backend have come to.
struct Ran {
    backend: &'static str,
    outcome: Outcome,
    counts: Counts,
    skipped: BTreeSet<String>,
}

pub(crate) fn run(args: &[String]) -> Outcome {
    no_arguments(args)?;
    // All run whatever the others do, and the summary comes last.
    let mut failures: Vec<String> = ring::run(&[]).err().into_iter().collect();
    // Before the first of the tests: those of the drivers run with those of SQLite.
    let mut servers = Vec::new();
    for kind in Kind::ALL {
        match Server::find(kind) {
            Ok(server) => servers.push(server),
            Err(why) => failures.push(why),
        }
    }
    let tests = suite()?;
    let mut ran = vec![run_on("sqlite", &[], &servers)];
    ran.extend(servers.iter().map(|server| run_on(server.kind.name(), &tests, &servers)));
    for ran in ran {
        summarize(&ran);
        failures.extend(ran.outcome.err());
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("; ")) }
}

/// Runs tests on a backend: those that are named, or all.
fn run_on(backend: &'static str, tests: &[String], servers: &[Server]) -> Ran {
    let list = target_dir().join(format!("skipped-on-{backend}.txt"));
    // It may be there from another run.
    let _ = std::fs::remove_file(&list);
    // The same packages and features for all backends, so that the same programs run.
    let mut cargo = Cargo::new("test --workspace --all-features --no-fail-fast")
        .args(tests.iter().flat_map(|test| ["--test", test.as_str()]))
        .env("ALUDEL_TEST_BACKEND", backend)
        .env("ALUDEL_TEST_SKIPPED", &list.to_string_lossy());
    for server in servers {
        if let Some(url) = &server.url {
            cargo = cargo.env(server.kind.variable(), url);
        }
    }
    let (outcome, counts) = cargo.run_counting();
    Ran { backend, outcome, counts, skipped: lines(&list) }
}

/// The programs of the suite of behaviour: a file each, or a folder with a `main.rs`.
fn suite() -> Result<Vec<String>, String> {
    let folder = root().join("crates/aludel-suite/tests");
    let files = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names: Vec<String> = files
        .flatten()
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs") || path.join("main.rs").is_file())
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

fn lines(file: &Path) -> BTreeSet<String> {
    // Where nothing was skipped there is no such file.
    std::fs::read_to_string(file).unwrap_or_default().lines().map(str::to_owned).collect()
}

fn summarize(ran: &Ran) {
    let Counts { passed, failed, ignored } = ran.counts;
    let skipped = ran.skipped.len();
    println!("\n{}: {} tests passed, {failed} failed, {ignored} ignored", ran.backend, passed.saturating_sub(skipped));
    if skipped > 0 {
        println!("  {skipped} are at home on other backends:");
    }
    for line in &ran.skipped {
        println!("    {line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_the_suite_is_a_file_or_a_folder_with_a_main_file() {
        let suite = suite().unwrap();
        let has = |name: &str| suite.iter().any(|known| known == name);
        assert!(has("reliability") && has("session"));
        assert!(!has("support") && !has("main"));
    }
}
