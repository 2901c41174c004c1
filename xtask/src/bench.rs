//! The comparison with other libraries.

use crate::cargo::{Cargo, Outcome, root};

pub(crate) const HELP: &str = "\
usage: cargo xtask bench sqlite [OPTIONS]

Builds the workspace in `benches/` in release mode and prints its tables. Options go on to it:

  --quick          few rounds and at most 1000 rows
  --workload NAME  only this workload; may be repeated
  --rounds N       samples of each contender in each case

`benches/README.md` says what is measured. Run it on a machine that does nothing else.";

pub(crate) fn run(args: &[String]) -> Outcome {
    match args.split_first() {
        Some((backend, options)) if backend == "sqlite" => Cargo::new("run --release --quiet --")
            .args(options.iter().map(String::as_str))
            .folder(&root().join("benches"))
            .run(),
        Some((backend, _)) => Err(format!("there is no benchmark on `{backend}`; there is one on `sqlite`")),
        None => Err(String::from("on which backend? there is `cargo xtask bench sqlite`")),
    }
}
