//! What a program did, on one side, and how the two sides differ.

use serde::Deserialize;

use crate::counts::{Count, Counts};

/// One side's run of a program.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Outcome {
    /// What each operation gave: rows that it read, or the kind of its error.
    pub(crate) trace: Vec<String>,
    pub(crate) counts: Counts,
    /// Whether an operation failed.
    pub(crate) failed: bool,
    /// Whether a savepoint was rolled back: Aludel reads everything anew then, SQLAlchemy what was changed since.
    #[serde(default)]
    pub(crate) restored: bool,
    /// What the errors said.
    #[serde(default)]
    pub(crate) messages: Vec<String>,
    /// The statements of each operation.
    pub(crate) sql: Vec<Vec<String>>,
}

/// The committed rows: a list for each table, in the order of its keys.
pub(crate) type Dump = Vec<(String, Vec<String>)>;

/// The first thing in which two runs differ, and what each has there; nothing where they are equal.
pub(crate) fn difference(ours: &Outcome, theirs: &Outcome, our_rows: &Dump, their_rows: &Dump) -> Option<Difference> {
    let steps = ours.trace.iter().zip(&theirs.trace).enumerate();
    for (at, (our, their)) in steps {
        if our != their {
            return Some(Difference { what: What::Step(at), ours: our.clone(), theirs: their.clone() });
        }
    }
    for ((table, our), (_, their)) in our_rows.iter().zip(their_rows) {
        if our != their {
            let what = What::Rows(table.clone());
            return Some(Difference { what, ours: our.join("; "), theirs: their.join("; ") });
        }
    }
    // How far a flush came that fails is nobody's business.
    if ours.failed {
        return None;
    }
    let (our, their) = (&ours.counts, &theirs.counts);
    // What leaves out rows of a link model that are there stands for a SELECT that asks for them.
    let inserts = Count {
        statements: our.insert.statements - our.probing.statements,
        executions: our.insert.executions - our.probing.executions,
    };
    let mut all = their.all();
    // The SELECT that a row is appended to also reads the collection's rows anew, which Aludel may have to do later.
    let appended = our.probing.executions + our.asking.executions;
    let free = if ours.restored { u64::MAX / 2 } else { their.known + our.asking.executions + appended };
    all += Count { statements: free, executions: free };
    let pairs =
        [("INSERTs", inserts, their.insert), ("UPDATEs", our.update, their.update), ("statements", our.all(), all)];
    let pairs = pairs.into_iter().flat_map(|(what, our, their)| {
        [(what, our.statements, their.statements), (what, our.executions, their.executions)]
    });
    let more = pairs.into_iter().find(|(_, our, their)| our > their)?;
    Some(Difference { what: What::Count(more.0), ours: more.1.to_string(), theirs: more.2.to_string() })
}

/// In what two runs differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// What an operation read, or its error.
    Step(usize),
    /// The rows of a table at the end.
    Rows(String),
    /// Ours sent more statements.
    Count(&'static str),
}

impl What {
    /// Whether two programs differ in the same way: shrinking one must not find another difference.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Step(_), Self::Step(_)) => true,
            (Self::Rows(a), Self::Rows(b)) => a == b,
            (Self::Count(a), Self::Count(b)) => a == b,
            _ => false,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Difference {
    pub(crate) what: What,
    pub(crate) ours: String,
    pub(crate) theirs: String,
}
