//! The Markdown tables.

use std::fmt::Write as _;

use crate::contender::Entry;
use crate::harness::Measured;
use crate::workload::Workload;

/// The contender that all others are compared with.
pub const BASELINE: &str = "diesel";

/// The table of one workload: a row for each size, a column for each contender.
pub fn table(workload: Workload, entries: &[&Entry], results: &[Measured]) -> String {
    let mut table = format!("### {}: µs per operation (ratio to {BASELINE})\n\n| rows |", workload.name());
    let baseline = entries.iter().position(|entry| entry.name == BASELINE);
    for entry in entries {
        let _ = write!(table, " {} |", entry.name);
    }
    table += "\n|---:|";
    table += &"---:|".repeat(entries.len());
    for result in results {
        let _ = write!(table, "\n| {} |", result.size);
        for &time in &result.times {
            let _ = write!(table, " {}", three_digits(time));
            if let Some(baseline) = baseline {
                let _ = write!(table, " ({:.2})", time / result.times[baseline]);
            }
            table += " |";
        }
    }
    table += "\n";
    table
}

/// Microseconds with three significant digits, or all digits before the point.
fn three_digits(value: f64) -> String {
    let decimals = match value {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}
