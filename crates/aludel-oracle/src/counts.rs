//! How many statements a program took.

use std::collections::HashSet;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// Statements of one verb.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Count {
    /// As SQLAlchemy counts: one for each execution of a cursor, be it with one set of parameters or with many.
    pub(crate) statements: u64,
    /// How often the database ran one: a set of parameters each, unless they were written into one INSERT.
    pub(crate) executions: u64,
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.statements += other.statements;
        self.executions += other.executions;
    }
}

/// What a program sent, without what begins and ends transactions and savepoints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) select: Count,
    pub(crate) insert: Count,
    pub(crate) update: Count,
    pub(crate) delete: Count,
    /// Of the INSERTs those that leave out what is there, in place of asking for it.
    #[serde(default)]
    pub(crate) probing: Count,
    /// Of the SELECTs those that ask which pairs are there, on MariaDB, which has no such INSERT.
    #[serde(default)]
    pub(crate) asking: Count,
    /// SELECTs that are sent for the comparison alone, and are not among the others.
    #[serde(default)]
    pub(crate) known: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.select += other.select;
        self.insert += other.insert;
        self.update += other.update;
        self.delete += other.delete;
        self.probing += other.probing;
        self.asking += other.asking;
        self.known += other.known;
    }
}

impl Counts {
    /// Those of one operation. A write whose text comes again is one statement with several sets of parameters.
    pub(crate) fn of(log: &[String]) -> Self {
        let mut counts = Self::default();
        let mut seen: HashSet<&str> = HashSet::new();
        for sql in log {
            let verb = sql.split_whitespace().next().unwrap_or_default();
            let again = !seen.insert(sql) && verb != "SELECT";
            let count = match verb {
                "SELECT" | "WITH" => &mut counts.select,
                "INSERT" => &mut counts.insert,
                "UPDATE" => &mut counts.update,
                "DELETE" => &mut counts.delete,
                _ => continue,
            };
            let sent = Count { statements: u64::from(!again), executions: 1 };
            *count += sent;
            if verb == "INSERT" && sql.ends_with("DO NOTHING") {
                counts.probing += sent;
            }
            if sql.starts_with("SELECT `article_id`, `tag_label` FROM `article_tag` WHERE") {
                counts.asking += sent;
            }
        }
        counts
    }

    pub(crate) fn all(&self) -> Count {
        let mut all = self.select;
        all += self.insert;
        all += self.update;
        all += self.delete;
        all
    }
}
