//! The runs that break things, with their figures.

use std::fmt::Write as _;
use std::path::Path;

use crate::cargo::{Cargo, Outcome, no_arguments, root, target_dir};
use crate::servers::{Kind, Server};

pub(crate) const HELP: &str = "\
usage: cargo xtask reliability

Runs what `docs/reliability.md` reports in full and in release mode, on SQLite, PostgreSQL and MariaDB, prints
the figures and puts them into that file. It takes some minutes. Servers are found or started as for
`cargo xtask test`; those that are restarted are always private ones, so that the programs of PostgreSQL and
MariaDB have to be installed on this machine. The superuser's run also fills a small disk of its own.";

/// What the figures stand between in the file.
const MARKS: (&str, &str) = ("<!-- figures -->\n", "<!-- end of the figures -->\n");

pub(crate) fn run(args: &[String]) -> Outcome {
    no_arguments(args)?;
    let figures = target_dir().join("reliability.tsv");
    // It may be there from another run.
    let _ = std::fs::remove_file(&figures);
    run_on("sqlite", &figures, None)?;
    for kind in Kind::ALL {
        let server = Server::find(kind)?;
        run_on(kind.name(), &figures, server.url.as_deref().map(|url| (kind.variable(), url)))?;
    }
    let lines = std::fs::read_to_string(&figures).map_err(|error| format!("{}: {error}", figures.display()))?;
    let table = table(&lines);
    println!("\n{table}");
    put_into(&root().join("docs/reliability.md"), &table)
}

fn run_on(backend: &str, figures: &Path, variable: Option<(&str, &str)>) -> Outcome {
    let mut cargo = Cargo::new("test --release --package aludel-suite --all-features --test reliability --")
        // One after the other: they are about load.
        .args(["--test-threads=1"])
        .env("ALUDEL_TEST_BACKEND", backend)
        .env("ALUDEL_RELIABILITY", &figures.to_string_lossy());
    if let Some((name, value)) = variable {
        cargo = cargo.env(name, value);
    }
    cargo.run()
}

/// A part for each run, with what it has come to on each backend.
fn table(lines: &str) -> String {
    let figures: Vec<Vec<&str>> = lines.lines().map(|line| line.splitn(3, '\t').collect()).collect();
    let mut runs: Vec<&str> = figures.iter().map(|figure| figure[0]).collect();
    runs.sort_unstable();
    runs.dedup();
    let mut table = String::new();
    for run in runs {
        let _ = write!(table, "**{run}**\n\n");
        for figure in figures.iter().filter(|figure| figure[0] == run && figure.len() == 3) {
            let _ = writeln!(table, "- {}: {}.", figure[1], figure[2]);
        }
        table.push('\n');
    }
    table
}

fn put_into(file: &Path, table: &str) -> Outcome {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let (head, rest) = text.split_once(MARKS.0).ok_or("the figures have no place in docs/reliability.md")?;
    let (_, tail) = rest.split_once(MARKS.1).ok_or("the figures have no end in docs/reliability.md")?;
    let text = format!("{head}{}\n{table}{}{tail}", MARKS.0, MARKS.1);
    std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn figures_are_put_together_by_what_was_run() {
        let lines = "Deadlocks\tPostgreSQL\t2 of 2\nA pool\tSQLite\tall\nDeadlocks\tMariaDB\t3 of 3\n";
        let expected = "**A pool**\n\n- SQLite: all.\n\n**Deadlocks**\n\n- PostgreSQL: 2 of 2.\n- MariaDB: 3 of 3.\n\n";
        assert_eq!(super::table(lines), expected);
    }
}
