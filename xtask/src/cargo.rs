//! Running cargo, with its output going through.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

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
