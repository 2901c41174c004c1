//! What a database layer implements to be measured.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::backend::Database;
use crate::check::{Contents, Digest};
use crate::workload::{Case, Workload};

/// A database layer under its column heading.
pub struct Entry {
    /// The column heading.
    pub name: &'static str,
    /// Connects to an empty database.
    pub open: fn(&Database) -> Box<dyn Contender>,
    /// The workloads it takes part in.
    pub workloads: &'static [Workload],
}

impl Entry {
    /// A database layer that takes part in the common workloads.
    pub const fn new(name: &'static str, open: fn(&Database) -> Box<dyn Contender>) -> Self {
        Self::of(name, open, Workload::COMMON)
    }

    /// A database layer, or another way to use it, that takes part in these workloads.
    pub const fn of(
        name: &'static str,
        open: fn(&Database) -> Box<dyn Contender>,
        workloads: &'static [Workload],
    ) -> Self {
        Self { name, open, workloads }
    }
}

/// A database layer, connected to a database of its own.
pub trait Contender {
    /// Runs a batch of statements that take no values and whose rows, if any, are dropped. Never measured.
    fn execute(&mut self, sql: &str);

    /// Begins the transaction that a sample of inserts runs in. Never measured.
    fn begin(&mut self) {
        self.execute("BEGIN");
    }

    /// Undoes what was done since [`begin`](Self::begin). Never measured.
    fn rollback(&mut self) {
        self.execute("ROLLBACK");
    }

    /// Hands the one operation of `case` to `bench`, by [`Bench::run`] or [`Bench::run_async`].
    fn run(&mut self, case: Case, bench: &mut Bench);
}

/// Runs an operation: once, to look at its result, or many times against the clock.
pub struct Bench(Mode);

enum Mode {
    Check(Option<Digest>),
    Time { iterations: u32, elapsed: Duration },
}

impl Bench {
    /// What one operation of `case` yields.
    ///
    /// # Panics
    ///
    /// If the contender hands over no operation.
    pub fn check(contender: &mut dyn Contender, case: Case) -> Digest {
        let mut bench = Self(Mode::Check(None));
        contender.run(case, &mut bench);
        match bench.0 {
            Mode::Check(Some(digest)) => digest,
            _ => panic!("{case:?}: the contender ran nothing"),
        }
    }

    /// The time `iterations` operations of `case` take.
    // Not inlined, for profilers: what happens below it is what is measured.
    #[inline(never)]
    pub fn time(contender: &mut dyn Contender, case: Case, iterations: u32) -> Duration {
        let mut bench = Self(Mode::Time { iterations, elapsed: Duration::ZERO });
        contender.run(case, &mut bench);
        match bench.0 {
            Mode::Time { elapsed, .. } => elapsed,
            Mode::Check(_) => unreachable!("the mode never changes"),
        }
    }

    /// Runs an operation. Dropping what it returns is part of it.
    pub fn run<T: Contents>(&mut self, mut operation: impl FnMut() -> T) {
        match &mut self.0 {
            Mode::Check(digest) => *digest = Some(Digest::of(&operation())),
            Mode::Time { iterations, elapsed } => {
                let start = Instant::now();
                for _ in 0..*iterations {
                    black_box(operation());
                }
                *elapsed = start.elapsed();
            }
        }
    }

    /// As [`Bench::run`]; to be called in one `block_on`, so that entering the runtime is not measured.
    pub async fn run_async<T: Contents>(&mut self, mut operation: impl AsyncFnMut() -> T) {
        match &mut self.0 {
            Mode::Check(digest) => *digest = Some(Digest::of(&operation().await)),
            Mode::Time { iterations, elapsed } => {
                let start = Instant::now();
                for _ in 0..*iterations {
                    black_box(operation().await);
                }
                *elapsed = start.elapsed();
            }
        }
    }
}
