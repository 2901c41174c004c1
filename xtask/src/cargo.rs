//! Running cargo, with its output going through.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How a command ended; the message says what failed.
pub(crate) type Outcome = Result<(), String>;

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// Where cargo builds.
pub(crate) fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => std::path::absolute(&dir).unwrap_or_else(|_| dir.into()),
        None => root().join("target"),
    }
}

/// A call of cargo in the workspace's folder.
pub(crate) struct Cargo {
    command: Command,
    shown: String,
}

impl Cargo {
    /// `cargo` with arguments, separated by spaces.
    pub(crate) fn new(args: &str) -> Self {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(root()).args(args.split(' '));
        Self { command, shown: format!("cargo {args}") }
    }

    /// More arguments.
    pub(crate) fn args<'a>(mut self, args: impl IntoIterator<Item = &'a str>) -> Self {
        for arg in args {
            self.shown = format!("{} {arg}", self.shown);
            self.command.arg(arg);
        }
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.shown = format!("{name}={value:?} {}", self.shown);
        self.command.env(name, value);
        self
    }

    /// Appends to the compiler's flags.
    pub(crate) fn rustflags(self, flags: &str) -> Self {
        match std::env::var("RUSTFLAGS") {
            Ok(given) if !given.trim().is_empty() => self.env("RUSTFLAGS", &format!("{given} {flags}")),
            _ => self.env("RUSTFLAGS", flags),
        }
    }

    /// Builds in another folder: for builds whose flags would throw the others away.
    pub(crate) fn build_in(mut self, folder: impl AsRef<OsStr>) -> Self {
        self.command.env("CARGO_TARGET_DIR", folder);
        self
    }

    /// Runs in a folder of the workspace.
    pub(crate) fn folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Says what it runs, runs it and waits.
    pub(crate) fn run(mut self) -> Outcome {
        eprintln!("\n$ {}", self.shown);
        match self.command.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(_) => Err(format!("`{}` failed", self.shown)),
            Err(error) => Err(format!("`{}` could not be started: {error}", self.shown)),
        }
    }

    /// The same for tests, which are counted.
    pub(crate) fn run_counting(mut self) -> (Outcome, Counts) {
        eprintln!("\n$ {}", self.shown);
        let mut counts = Counts::default();
        let outcome = self.count(&mut counts);
        let outcome = match outcome {
            Ok(true) => Ok(()),
            Ok(false) => Err(format!("`{}` failed", self.shown)),
            Err(error) => Err(format!("`{}` could not be started: {error}", self.shown)),
        };
        (outcome, counts)
    }

    fn count(&mut self, counts: &mut Counts) -> std::io::Result<bool> {
        let mut child = self.command.stdout(Stdio::piped()).spawn()?;
        for line in child.stdout.take().into_iter().flat_map(|out| BufReader::new(out).lines()) {
            let line = line?;
            println!("{line}");
            counts.add(&line);
        }
        Ok(child.wait()?.success())
    }
}

/// How many tests there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) ignored: usize,
}

impl Counts {
    /// Adds what a line of the test runner says, if it is a result:
    /// `test result: ok. 9 passed; 0 failed; 1 ignored; ..`.
    fn add(&mut self, line: &str) {
        let Some((_, result)) = line.strip_prefix("test result: ").and_then(|line| line.split_once(". ")) else {
            return;
        };
        for part in result.split("; ") {
            let Some((number, what)) = part.split_once(' ') else { continue };
            let Ok(number) = number.parse::<usize>() else { continue };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

/// Refuses arguments, for commands that take none.
pub(crate) fn no_arguments(args: &[String]) -> Outcome {
    match args.first() {
        None => Ok(()),
        Some(arg) => Err(format!("unknown argument `{arg}`; `--help` lists what is known")),
    }
}

/// The platform that the compiler builds for by itself.
pub(crate) fn host() -> Result<String, String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().map_err(|error| format!("rustc did not start: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| format!("`rustc -vV` names no host:\n{text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_all_programs_are_added_up() {
        let mut counts = Counts::default();
        for line in [
            "running 3 tests",
            "test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.22s",
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 4 filtered out; finished in 1.00s",
        ] {
            counts.add(line);
        }
        assert_eq!(counts, Counts { passed: 3, failed: 2, ignored: 1 });
    }
}
