//! The comparison with other libraries.

use crate::cargo::{Cargo, Outcome, root};

pub(crate) const HELP: &str = "\
usage: cargo xtask bench sqlite|postgres|mariadb [OPTIONS]

Builds the workspace in `benches/` in release mode and prints its tables. Options go on to it:

  --quick          few rounds and at most 1000 rows
  --workload NAME  only this workload; may be repeated
  --rounds N       samples of each contender in each case
  --socket PATH    where the server is (these two go before the others):
  --user NAME      PostgreSQL's folder of sockets or MariaDB's socket, and who may create databases

`benches/README.md` says what is measured. Run it on a machine that does nothing else.";

/// The backends, with the features that they need.
const BACKENDS: [(&str, &str); 3] =
    [("sqlite", ""), ("postgres", " --features postgres"), ("mariadb", " --features mariadb")];

pub(crate) fn run(args: &[String]) -> Outcome {
    let Some((backend, options)) = args.split_first() else {
        return Err(String::from("on which backend? there is `cargo xtask bench sqlite`, `postgres` and `mariadb`"));
    };
    let Some((_, features)) = BACKENDS.iter().find(|(name, _)| name == backend) else {
        return Err(format!("there is no benchmark on `{backend}`; there is one on sqlite, postgres and mariadb"));
    };
    Cargo::new(&format!("run --release --quiet{features} --"))
        .args([backend.as_str()])
        .args(options.iter().map(String::as_str))
        .folder(&root().join("benches"))
        .run()
}
