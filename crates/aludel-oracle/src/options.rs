//! The command line, as `cargo xtask oracle` writes it.

use std::path::PathBuf;

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) backend: String,
    pub(crate) programs: u64,
    /// The first program's; each further one has the next.
    pub(crate) seed: u64,
    /// After how many differences to stop.
    pub(crate) stop: usize,
    /// A Python that has SQLAlchemy.
    pub(crate) python: String,
    pub(crate) script: PathBuf,
    /// A program to run in place of random ones.
    pub(crate) program: Option<PathBuf>,
}

impl Options {
    /// # Errors
    /// What is not understood.
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            backend: "sqlite".to_owned(),
            programs: 1000,
            seed: 1,
            stop: 5,
            python: "python3".to_owned(),
            script: PathBuf::from("crates/aludel-oracle/python/oracle.py"),
            program: None,
        };
        while let Some(name) = args.next() {
            let value = args.next().ok_or_else(|| format!("`{name}` needs a value"))?;
            let number = || value.parse::<u64>().map_err(|_| format!("`{name}` needs a number, not `{value}`"));
            match name.as_str() {
                "--backend" => options.backend = value,
                "--programs" => options.programs = number()?,
                "--seed" => options.seed = number()?,
                "--stop" => options.stop = number()? as usize,
                "--python" => options.python = value,
                "--script" => options.script = value.into(),
                "--program" => options.program = Some(value.into()),
                _ => return Err(format!("unknown option `{name}`")),
            }
        }
        Ok(options)
    }
}
