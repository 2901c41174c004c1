//! Aludel and SQLAlchemy run the same random programs; what they leave in the database is compared, and how many
//! statements they took. `docs/oracle.md` says what is compared and why.

mod counts;
mod generate;
mod models;
mod options;
mod others;
mod ours;
mod outcome;
mod places;
mod program;
mod queries;
mod random;
mod report;
mod rows;
mod shrink;
mod theirs;

use std::process::ExitCode;

use options::Options;
use ours::Ours;
use outcome::{Difference, Outcome, difference};
use places::Place;
use program::Program;
use report::Report;
use theirs::Theirs;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::FAILURE;
        }
    };
    match run(&options).await {
        Ok(0) => ExitCode::SUCCESS,
        Ok(differences) => {
            eprintln!("error: {differences} programs differ");
            ExitCode::FAILURE
        }
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the programs on one backend; how many differ.
async fn run(options: &Options) -> Result<usize, String> {
    let place = Place::new(&options.backend)?;
    let theirs = Theirs::start(&options.python, &options.script, &place.settings())?;
    let ours = Ours::open(&place.uri()).await.map_err(|error| error.to_string())?;
    let mut both = Both { ours, theirs };
    let mut report = Report::new(options);
    if let Some(file) = &options.program {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let program: Program = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let ran = both.run(&program).await?;
        report.add(&ran);
        report.show(&program, &ran);
    } else {
        for number in 0..options.programs {
            let seed = options.seed.wrapping_add(number);
            let program = generate::program(seed);
            let ran = both.run(&program).await?;
            report.add(&ran);
            if let Some(found) = &ran.difference {
                let small = both.shrink(program, found).await?;
                let ran = both.run(&small).await?;
                report.difference(seed, &small, &ran);
                if report.differences >= options.stop {
                    break;
                }
            }
        }
    }
    report.end();
    both.theirs.end()?;
    Ok(report.differences)
}

/// The two sides.
struct Both {
    ours: Ours,
    theirs: Theirs,
}

/// A program's run on both sides.
struct Ran {
    ours: Outcome,
    theirs: Outcome,
    difference: Option<Difference>,
}

impl Both {
    async fn run(&mut self, program: &Program) -> Result<Ran, String> {
        self.theirs.run(program)?;
        // Ours runs meanwhile.
        let ours = self.ours.run(program).await.map_err(|error| format!("ours cannot go on: {error}"))?;
        let (theirs, their_rows) = self.theirs.ran()?;
        let our_rows = self.theirs.take_ours()?;
        let difference = difference(&ours, &theirs, &our_rows, &their_rows);
        Ok(Ran { ours, theirs, difference })
    }

    async fn shrink(&mut self, program: Program, found: &Difference) -> Result<Program, String> {
        let what = found.what.clone();
        shrink::shrink(program, async |smaller: &Program| {
            let ran = self.run(smaller).await?;
            Ok(ran.difference.is_some_and(|difference| difference.what.is_like(&what)))
        })
        .await
    }
}
