//! Compares database layers on the four workloads of Diesel's benchmark suite and one more: on SQLite in memory, PostgreSQL or MariaDB.
//!
//! `README.md` says how to run it and how to add a contender.

mod aludel;
mod backend;
mod check;
mod contender;
mod diesel;
mod grouping;
mod harness;
mod models;
#[cfg(feature = "mariadb")]
mod mysql_async;
mod options;
mod report;
mod rows;
mod rusqlite;
mod seaorm;
mod sqlx;
#[cfg(feature = "postgres")]
mod tokio_postgres;
mod workload;

use backend::Backend;
use contender::Entry;
use options::{Command, Options};
use workload::Workload;

/// Everybody who is measured, in the order of the table's columns.
fn contenders(backend: Backend) -> Vec<Entry> {
    let (before, after) = peers(backend);
    let aludel = [
        Entry::of("aludel", aludel::open, Workload::ALL),
        Entry::of("aludel-held", aludel::open_held, Workload::READS),
        Entry::of("aludel-uow", aludel::open_unit_of_work, &[Workload::Insert]),
        Entry::of("aludel-load", aludel::open_lazy, &[Workload::LoadingAssociationsSequentially]),
    ];
    before.into_iter().chain(aludel).chain(after).chain([Entry::of("sea-orm", seaorm::open, Workload::ALL)]).collect()
}

/// The other libraries, left and right of Aludel; SeaORM has its backend from the URL.
fn peers(backend: Backend) -> (Vec<Entry>, Vec<Entry>) {
    match backend {
        Backend::Sqlite => (
            vec![
                Entry::of(report::BASELINE, diesel::open_sqlite, Workload::ALL),
                Entry::of("diesel-pool", diesel::open_pooled, Workload::READS),
                Entry::of("diesel-blocking", diesel::open_blocking, Workload::READS),
            ],
            vec![Entry::new("rusqlite", rusqlite::open), Entry::new("sqlx", sqlx::sqlite::open)],
        ),
        #[cfg(feature = "postgres")]
        Backend::Postgres => (
            vec![
                Entry::of(report::BASELINE, diesel::open_postgres, Workload::ALL),
                Entry::new("diesel-async", diesel::open_async_postgres),
            ],
            vec![
                Entry::of("aludel-insert", aludel::open_without_copy, &[Workload::InsertMany]),
                Entry::new("tokio-postgres", tokio_postgres::open),
                Entry::new("sqlx", sqlx::postgres::open),
            ],
        ),
        #[cfg(feature = "mariadb")]
        Backend::MariaDb => (
            vec![
                Entry::of(report::BASELINE, diesel::open_mariadb, Workload::ALL),
                Entry::new("diesel-async", diesel::open_async_mariadb),
            ],
            vec![Entry::new("mysql_async", mysql_async::open), Entry::new("sqlx", sqlx::mariadb::open)],
        ),
        #[allow(unreachable_patterns, reason = "there are servers with their features")]
        backend => unreachable!("{} is not in this build", backend.name()),
    }
}

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
        Command::Profile { server, case, contender, operations } => {
            match contenders(server.backend).iter().find(|entry| entry.name == contender) {
                Some(entry) => harness::profile(&server, case, entry, operations),
                None => eprintln!("there is no contender `{contender}`"),
            }
        }
    }
}

fn measure(options: &Options) {
    let figure = if options.fastest { "fastest" } else { "median" };
    let contenders = contenders(options.server.backend);
    println!("{}, {figure} of {} rounds\n", options.server.backend.name(), options.rounds);
    for &workload in &options.workloads {
        let entries: Vec<&Entry> = contenders
            .iter()
            .filter(|entry| entry.workloads.contains(&workload))
            .filter(|entry| options.contenders.is_empty() || options.contenders.iter().any(|name| name == entry.name))
            .collect();
        let results: Vec<_> = workload
            .sizes()
            .iter()
            .filter(|&&size| size <= options.max_size)
            .map(|&size| {
                harness::measure(&options.server, workload.case(size), &entries, options.rounds, options.fastest)
            })
            .collect();
        println!("{}", report::table(workload, &entries, &results));
    }
}
