//! The comparison with SQLAlchemy.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::{Cargo, Outcome, root, target_dir};
use crate::servers::{Kind, Server};

pub(crate) const HELP: &str = "\
usage: cargo xtask oracle [OPTIONS]

Runs random programs through Aludel and through SQLAlchemy, and compares what they read, the rows that they leave
and how many statements they take. A program that differs is made as small as it still differs, and printed.
`docs/oracle.md` says what is compared.

  --programs N     how many programs on each backend; 1000 by default
  --backend NAME   sqlite, postgres, mariadb or all; sqlite by default
  --seed S         the first program's seed, each further one has the next; 1 by default
  --stop N         stop after so many that differ; 5 by default
  --program FILE   run the program of a file, as it was printed, and show what both sides do

Needs Python 3.10 or newer with its module `venv`: SQLAlchemy and the drivers are installed into `target/oracle`,
from the Python package index, in the versions that `crates/aludel-oracle/python/requirements.txt` names. Servers
are found or started as for `cargo xtask test`.";

pub(crate) fn run(args: &[String]) -> Outcome {
    let (backend, options) = options(args)?;
    let python = python()?;
    let mut failures = Vec::new();
    for name in backends(&backend)? {
        let server = match Kind::ALL.into_iter().find(|kind| kind.name() == *name) {
            Some(kind) => Some(Server::find(kind)?),
            None => None,
        };
        let mut cargo = Cargo::new("run --quiet --package aludel-oracle -- --backend")
            .args([*name, "--python", &python.to_string_lossy()])
            .args(["--script", &folder().join("oracle.py").to_string_lossy()])
            .args(options.iter().map(String::as_str));
        if let Some((variable, url)) =
            server.as_ref().and_then(|server| Some((server.kind.variable(), server.url.as_ref()?)))
        {
            cargo = cargo.env(variable, url);
        }
        failures.extend(cargo.run().err());
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("; ")) }
}

/// The backend, and what goes on to the program.
fn options(args: &[String]) -> Result<(String, Vec<String>), String> {
    let mut backend = "sqlite".to_owned();
    let mut options = Vec::new();
    let mut args = args.iter();
    while let Some(name) = args.next() {
        let value = args.next().ok_or_else(|| format!("`{name}` needs a value; `--help` lists what is known"))?;
        match name.as_str() {
            "--backend" => backend.clone_from(value),
            "--program" => {
                // It is run from the workspace's folder.
                let file = std::path::absolute(value).map_err(|error| format!("{value}: {error}"))?;
                options.extend([name.clone(), file.to_string_lossy().into_owned()]);
            }
            "--programs" | "--seed" | "--stop" => options.extend([name.clone(), value.clone()]),
            _ => return Err(format!("unknown argument `{name}`; `--help` lists what is known")),
        }
    }
    Ok((backend, options))
}

fn backends(name: &str) -> Result<&'static [&'static str], String> {
    match name {
        "sqlite" => Ok(&["sqlite"]),
        "postgres" => Ok(&["postgres"]),
        "mariadb" => Ok(&["mariadb"]),
        "all" => Ok(&["sqlite", "postgres", "mariadb"]),
        other => Err(format!("there is no backend `{other}`; there are sqlite, postgres and mariadb, and all of them")),
    }
}

fn folder() -> PathBuf {
    root().join("crates/aludel-oracle/python")
}

/// A Python with the packages that are pinned; those of another list are replaced.
fn python() -> Result<PathBuf, String> {
    let home = target_dir().join("oracle");
    let python = home.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let requirements = folder().join("requirements.txt");
    let installed = home.join("requirements.txt");
    let read = |file: &Path| std::fs::read_to_string(file).unwrap_or_default();
    if python.is_file() && read(&installed) == read(&requirements) {
        return Ok(python);
    }
    eprintln!("installing SQLAlchemy and the drivers into {}", home.display());
    let system = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    call(Command::new(system).args(["-m", "venv"]).arg(&home))?;
    call(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(&requirements))?;
    std::fs::copy(&requirements, &installed).map_err(|error| format!("{}: {error}", installed.display()))?;
    Ok(python)
}

fn call(command: &mut Command) -> Outcome {
    let shown = format!("{command:?}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(format!("{shown} failed")),
        Err(error) => Err(format!("{shown} could not be started: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_go_on_to_the_program() {
        let args = ["--backend", "all", "--seed", "7"].map(String::from);
        assert_eq!(options(&args), Ok(("all".to_owned(), vec!["--seed".to_owned(), "7".to_owned()])));
        assert!(options(&["--seeds".to_owned(), "7".to_owned()]).is_err_and(|why| why.contains("--seeds")));
        assert!(backends("oracle").is_err_and(|why| why.contains("`oracle`")));
    }
}
