//! Compares database layers on the four workloads of Diesel's benchmark suite, on SQLite in memory.
//!
//! `README.md` says how to run it and how to add a contender.

mod check;
mod contender;
mod diesel;
mod grouping;
mod harness;
mod options;
mod report;
mod rusqlite;
mod seaorm;
mod sqlx;
mod workload;

use contender::Entry;
use options::Options;

/// Everybody who is measured, in the order of the table's columns.
const CONTENDERS: &[Entry] = &[
    Entry { name: report::BASELINE, open: diesel::open },
    Entry { name: "rusqlite", open: rusqlite::open },
    Entry { name: "sqlx", open: sqlx::open },
    Entry { name: "sea-orm", open: seaorm::open },
];

fn main() {
    let options = Options::from_args(std::env::args().skip(1)).unwrap_or_else(|message| {
        eprintln!("{message}\n\n{}", options::USAGE);
        std::process::exit(2);
    });
    if cfg!(debug_assertions) {
        eprintln!("warning: this is a debug build; run with `--release` for figures that mean something");
    }
    println!("SQLite {}, {} rounds\n", ::rusqlite::version(), options.rounds);
    for &workload in &options.workloads {
        let results: Vec<_> = workload
            .sizes()
            .iter()
            .filter(|&&size| size <= options.max_size)
            .map(|&size| harness::measure(workload.case(size), CONTENDERS, options.rounds))
            .collect();
        println!("{}", report::table(workload, CONTENDERS, &results));
    }
}
