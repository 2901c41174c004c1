//! A program run by SQLAlchemy: a Python process that reads and answers lines of JSON.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::outcome::{Dump, Outcome};
use crate::program::Program;

/// The process. It also reads and empties both databases, over connections that neither library knows of.
pub(crate) struct Theirs {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// SQLAlchemy's run of a program, with the rows that it left.
#[derive(Deserialize)]
struct Ran {
    #[serde(flatten)]
    outcome: Outcome,
    rows: Dump,
}

impl Theirs {
    /// Starts the process, which creates SQLAlchemy's tables.
    ///
    /// # Errors
    /// That Python does not start, or has no SQLAlchemy.
    pub(crate) fn start(python: &str, script: &Path, settings: &Value) -> Result<Self, String> {
        let mut command = Command::new(python);
        command.arg("-B").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("`{python}` did not start: {error}"))?;
        let (Some(requests), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(format!("`{python}` has no input or output"));
        };
        let mut theirs = Self { child, requests, answers: BufReader::new(answers) };
        theirs.ask(settings)?;
        theirs.answer::<Value>()?;
        Ok(theirs)
    }

    /// Begins a program there; [`ran`](Self::ran) waits for its end.
    ///
    /// # Errors
    /// That the process has ended.
    pub(crate) fn run(&mut self, program: &Program) -> Result<(), String> {
        self.ask(&json!({"do": "run", "program": program}))
    }

    /// What the program did there.
    ///
    /// # Errors
    /// That the process has ended.
    pub(crate) fn ran(&mut self) -> Result<(Outcome, Dump), String> {
        let Ran { outcome, rows } = self.answer()?;
        Ok((outcome, rows))
    }

    /// The rows that are committed in our database, which is empty then.
    ///
    /// # Errors
    /// That the process has ended.
    pub(crate) fn take_ours(&mut self) -> Result<Dump, String> {
        self.ask(&json!({"do": "take"}))?;
        self.answer()
    }

    /// Drops what was made on a server, and ends the process.
    ///
    /// # Errors
    /// That it did not end well.
    pub(crate) fn end(mut self) -> Result<(), String> {
        self.ask(&json!({"do": "end"}))?;
        self.answer::<Value>()?;
        let status = self.child.wait().map_err(|error| error.to_string())?;
        if status.success() { Ok(()) } else { Err(format!("the Python side ended with {status}")) }
    }

    fn ask(&mut self, request: &Value) -> Result<(), String> {
        writeln!(self.requests, "{request}").map_err(|error| format!("the Python side is gone: {error}"))
    }

    fn answer<T: for<'de> Deserialize<'de>>(&mut self) -> Result<T, String> {
        let mut line = String::new();
        let read = self.answers.read_line(&mut line).map_err(|error| format!("the Python side is gone: {error}"))?;
        if read == 0 {
            return Err("the Python side ended; what it said stands above".to_owned());
        }
        serde_json::from_str(&line).map_err(|error| format!("the Python side answered {line}: {error}"))
    }
}
