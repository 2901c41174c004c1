//! What is printed.

use crate::Ran;
use crate::counts::{Count, Counts};
use crate::options::Options;
use crate::outcome::What;
use crate::program::Program;

/// The sums over all programs.
pub(crate) struct Report {
    backend: String,
    seed: u64,
    programs: u64,
    operations: usize,
    skipped: usize,
    failed: usize,
    ours: Counts,
    theirs: Counts,
    pub(crate) differences: usize,
}

impl Report {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            backend: options.backend.clone(),
            seed: options.seed,
            programs: 0,
            operations: 0,
            skipped: 0,
            failed: 0,
            ours: Counts::default(),
            theirs: Counts::default(),
            differences: 0,
        }
    }

    /// Adds a program's run to the sums.
    pub(crate) fn add(&mut self, ran: &Ran) {
        self.programs += 1;
        self.operations += ran.ours.trace.len();
        self.skipped += ran.ours.trace.iter().filter(|step| *step == "skipped").count();
        if ran.ours.failed {
            self.failed += 1;
        } else {
            self.ours += ran.ours.counts;
            self.theirs += ran.theirs.counts;
        }
        if self.programs.is_multiple_of(1000) {
            eprintln!("{}: {} programs, {} differ", self.backend, self.programs, self.differences);
        }
    }

    /// A program that differs, with its statements on both sides.
    pub(crate) fn difference(&mut self, seed: u64, program: &Program, ran: &Ran) {
        self.differences += 1;
        println!("\n{}: the program of seed {seed} differs; as small as it gets:", self.backend);
        self.show(program, ran);
    }

    pub(crate) fn show(&self, program: &Program, ran: &Ran) {
        match serde_json::to_string(program) {
            Ok(text) => println!("{text}"),
            Err(error) => println!("{program:?} ({error})"),
        }
        for (at, op) in program.ops.iter().enumerate() {
            println!("  {at:>2} {}", serde_json::to_string(op).unwrap_or_default());
            println!("       ours:   {}", ran.ours.trace[at]);
            ran.ours.sql[at].iter().for_each(|sql| println!("               {sql}"));
            println!("       theirs: {}", ran.theirs.trace[at]);
            ran.theirs.sql[at].iter().for_each(|sql| println!("               {}", sql.replace('\n', "")));
        }
        for (whose, messages) in [("ours", &ran.ours.messages), ("theirs", &ran.theirs.messages)] {
            messages.iter().for_each(|message| println!("  {whose}: {message}"));
        }
        if let Some(difference) = &ran.difference {
            let what = match &difference.what {
                What::Step(at) => format!("operation {at}"),
                What::Rows(table) => format!("the rows of `{table}`"),
                What::Count(what) => format!("{what}, of which ours has more"),
            };
            println!("  differs in {what}:\n    ours:   {}\n    theirs: {}", difference.ours, difference.theirs);
        }
    }

    pub(crate) fn end(&self) {
        println!(
            "\n{}: {} programs from seed {}, {} operations ({} without their rows), {} programs with an error on both \
             sides; {} differ",
            self.backend, self.programs, self.seed, self.operations, self.skipped, self.failed, self.differences
        );
        println!("  {:<8} {:>22}   {:>22}", "", "statements", "executions");
        println!("  {:<8} {:>10} {:>11}   {:>10} {:>11}", "", "ours", "SQLAlchemy", "ours", "SQLAlchemy");
        let (ours, theirs) = (&self.ours, &self.theirs);
        let rows: [(&str, Count, Count); 5] = [
            ("SELECT", ours.select, theirs.select),
            ("INSERT", ours.insert, theirs.insert),
            ("UPDATE", ours.update, theirs.update),
            ("DELETE", ours.delete, theirs.delete),
            ("all", ours.all(), theirs.all()),
        ];
        for (verb, ours, theirs) in rows {
            println!(
                "  {verb:<8} {:>10} {:>11}   {:>10} {:>11}",
                ours.statements, theirs.statements, ours.executions, theirs.executions
            );
        }
    }
}
