//! Measures one case: all contenders in one process, interleaved.

use std::time::Duration;

use crate::backend::{Database, Server};
use crate::check::Digest;
use crate::contender::{Bench, Contender, Entry};
use crate::workload::{Case, Workload};

/// How long one sample should take.
const SAMPLE: Duration = Duration::from_millis(4);

/// The figures of one case.
pub struct Measured {
    /// The case's size.
    pub size: usize,
    /// The median or fastest time of one operation in microseconds, in the order of the contenders.
    pub times: Vec<f64>,
}

/// One contender during a case.
struct Lane {
    contender: Box<dyn Contender>,
    /// Goes after the contender.
    database: Database,
    iterations: u32,
    samples: Vec<f64>,
}

/// Checks all contenders, then measures them in `rounds` rounds of one sample each.
///
/// # Panics
///
/// If contenders disagree about the result, or it has not the expected number of rows.
pub fn measure(server: &Server, case: Case, entries: &[&Entry], rounds: usize, fastest: bool) -> Measured {
    eprintln!("{} {}", case.workload.name(), case.size);
    let mut lanes: Vec<Lane> = entries.iter().map(|entry| Lane::open(server, case, entry)).collect();
    let expected = check(case, entries, &mut lanes);
    for lane in &mut lanes {
        lane.iterations = calibrate(case, lane);
    }
    for round in 0..rounds {
        for index in order(round, lanes.len()) {
            let lane = &mut lanes[index];
            let elapsed = sample(case, lane);
            lane.samples.push(elapsed.as_secs_f64() * 1e6 / f64::from(lane.iterations));
        }
    }
    let left = check(case, entries, &mut lanes);
    assert_eq!(left, expected, "{case:?}: the samples changed the data");
    let of = if fastest { minimum } else { median };
    Measured { size: case.size, times: lanes.into_iter().map(|lane| of(lane.samples)).collect() }
}

impl Lane {
    fn open(server: &Server, case: Case, entry: &Entry) -> Self {
        let database = Database::create(server, entry.name);
        let mut contender = (entry.open)(&database);
        contender.execute(&database.setup_sql(case));
        Self { contender, database, iterations: 1, samples: Vec::new() }
    }

    /// Has inserted rows get the same keys as those of the others.
    fn restart_keys(&mut self, case: Case) {
        if let Some(sql) = self.database.backend().restart_keys(case.users_before() + 1)
            && case.workload.in_transaction()
        {
            self.contender.execute(&sql);
        }
    }
}

/// The order of contenders in a round: rotated each round, and every other one backwards, so that
/// nobody always follows the same neighbour.
fn order(round: usize, contenders: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..contenders).map(|i| (round + i) % contenders).collect();
    if round % 2 == 1 {
        order.reverse();
    }
    order
}

fn check(case: Case, entries: &[&Entry], lanes: &mut [Lane]) -> Digest {
    let mut first = None;
    for (entry, lane) in entries.iter().zip(lanes) {
        lane.restart_keys(case);
        let digest = around(case, &mut *lane.contender, |contender| {
            let digest = Bench::check(contender, case);
            match case.workload {
                Workload::Insert | Workload::InsertMany | Workload::UnitOfWork => {
                    Bench::check(contender, Workload::TrivialQuery.case(case.size))
                }
                _ => digest,
            }
        });
        assert_eq!(digest.rows, case.expected_rows(), "{case:?}: wrong number of rows from {}", entry.name);
        let first = *first.get_or_insert(digest);
        assert_eq!(digest, first, "{case:?}: {} and {} disagree", entry.name, entries[0].name);
    }
    first.expect("there is a contender")
}

/// The number of operations that fill a sample. Finding it warms caches up as well.
fn calibrate(case: Case, lane: &mut Lane) -> u32 {
    loop {
        let elapsed = sample(case, lane);
        if elapsed * 2 >= SAMPLE {
            let fitting = SAMPLE.as_nanos() * u128::from(lane.iterations) / elapsed.as_nanos();
            return u32::try_from(fitting).unwrap_or(u32::MAX).max(1);
        }
        lane.iterations *= 2;
    }
}

fn sample(case: Case, lane: &mut Lane) -> Duration {
    around(case, &mut *lane.contender, |contender| Bench::time(contender, case, lane.iterations))
}

/// Runs operations of one contender, for a profiler.
pub fn profile(server: &Server, case: Case, entry: &Entry, operations: u32) {
    let mut lane = Lane::open(server, case, entry);
    lane.iterations = 1;
    sample(case, &mut lane);
    lane.iterations = operations;
    sample(case, &mut lane);
}

/// Runs `work`, in a transaction that is rolled back if the workload asks for one.
fn around<T>(case: Case, contender: &mut dyn Contender, work: impl FnOnce(&mut dyn Contender) -> T) -> T {
    if !case.workload.in_transaction() {
        return work(contender);
    }
    contender.begin();
    let result = work(contender);
    contender.rollback();
    result
}

fn minimum(samples: Vec<f64>) -> f64 {
    samples.into_iter().fold(f64::INFINITY, f64::min)
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    let middle = samples.len() / 2;
    if samples.len().is_multiple_of(2) { f64::midpoint(samples[middle - 1], samples[middle]) } else { samples[middle] }
}
