//! Compares database layers on the four workloads of Diesel's benchmark suite, on SQLite in memory.
//!
//! `README.md` says how to run it and how to add a contender.

mod aludel;
mod check;
mod contender;
mod diesel;
mod grouping;
mod harness;
mod models;
mod options;
mod report;
mod rusqlite;
mod seaorm;
mod sqlx;
mod workload;

use contender::Entry;
use options::{Command, Options};
use workload::Workload;

/// Everybody who is measured, in the order of the table's columns.
const CONTENDERS: &[Entry] = &[
    Entry::new(report::BASELINE, diesel::open),
    Entry::new("aludel", aludel::open),
    Entry::variant("aludel-uow", aludel::open_unit_of_work, Workload::Insert),
    Entry::variant("aludel-load", aludel::open_lazy, Workload::LoadingAssociationsSequentially),
    Entry::new("rusqlite", rusqlite::open),
    Entry::new("sqlx", sqlx::open),
    Entry::new("sea-orm", seaorm::open),
];

fn main() {
    let command = Command::from_args(std::env::args().skip(1)).unwrap_or_else(|message| {
        eprintln!("{message}\n\n{}", options::USAGE);
        std::process::exit(2);
    });
    if cfg!(debug_assertions) {
        eprintln!("warning: this is a debug build; run with `--release` for figures that mean something");
    }
    match command {
        Command::Measure(options) => measure(&options),
        Command::Profile { case, contender, operations } => match find(&contender) {
            Some(entry) => harness::profile(case, entry, operations),
            None => eprintln!("there is no contender `{contender}`"),
        },
    }
}

fn find(contender: &str) -> Option<&'static Entry> {
    CONTENDERS.iter().find(|entry| entry.name == contender)
}

fn measure(options: &Options) {
    let figure = if options.fastest { "fastest" } else { "median" };
    println!("SQLite {}, {figure} of {} rounds\n", ::rusqlite::version(), options.rounds);
    for &workload in &options.workloads {
        let entries: Vec<&Entry> = CONTENDERS
            .iter()
            .filter(|entry| entry.only.is_none_or(|only| only == workload))
            .filter(|entry| options.contenders.is_empty() || options.contenders.iter().any(|name| name == entry.name))
            .collect();
        let results: Vec<_> = workload
            .sizes()
            .iter()
            .filter(|&&size| size <= options.max_size)
            .map(|&size| harness::measure(workload.case(size), &entries, options.rounds, options.fastest))
            .collect();
        println!("{}", report::table(workload, &entries, &results));
    }
}
