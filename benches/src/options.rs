//! The command line.

use std::iter::Peekable;

use crate::backend::{Backend, Server};
use crate::workload::{Case, Workload};

/// The help text.
pub const USAGE: &str = "\
usage: aludel-benches [BACKEND] [--socket PATH] [--user NAME] [--workload NAME] [--contender NAME]
                      [--quick] [--rounds N] [--fastest]
       aludel-benches [BACKEND] [--socket PATH] [--user NAME] --profile WORKLOAD SIZE CONTENDER OPERATIONS

  BACKEND          sqlite (by default), postgres or mariadb
  --socket PATH    PostgreSQL's folder of sockets, or MariaDB's socket;
                   /var/run/postgresql and /run/mysqld/mysqld.sock by default
  --user NAME      who may create databases there and needs no password; by default
                   whoever runs this on PostgreSQL, and root on MariaDB
  --workload NAME  trivial_query, medium_complex_query, insert, insert_many,
                   loading_associations_sequentially, unit_of_work or three_levels;
                   may be repeated; all by default
  --contender NAME a column of the table; may be repeated; all by default
  --quick          7 rounds and at most 1000 rows
  --rounds N       samples of each contender in each case; 31 by default
  --fastest        shows the fastest sample instead of the median: for a machine
                   that has other things to do
  --profile        runs nothing but these operations, for a profiler: what it is
                   to look at happens in the function `Bench::time`";

/// What to do.
pub enum Command {
    /// Measure and print tables.
    Measure(Options),
    /// Run operations of one contender without looking at the clock.
    Profile {
        /// Where.
        server: Server,
        /// The workload and its size.
        case: Case,
        /// The contender's name.
        contender: String,
        /// How many operations.
        operations: u32,
    },
}

/// What to measure.
pub struct Options {
    /// Where.
    pub server: Server,
    /// The workloads, in the order they run.
    pub workloads: Vec<Workload>,
    /// The contenders; empty means all.
    pub contenders: Vec<String>,
    /// Samples of each contender in each case.
    pub rounds: usize,
    /// Whether the fastest sample is shown instead of the median.
    pub fastest: bool,
    /// Larger sizes are left out.
    pub max_size: usize,
}

impl Command {
    /// Reads the arguments, without the program's name.
    ///
    /// # Errors
    ///
    /// A message about the first argument that is not understood.
    pub fn from_args(args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut args = args.peekable();
        let server = server(&mut args)?;
        if args.next_if(|arg| arg == "--profile").is_none() {
            return Options::from_args(server, args).map(Self::Measure);
        }
        let workload = workload(args.next())?;
        let size = positive(args.next())?;
        let contender = args.next().ok_or("`--profile` needs a contender")?;
        let operations = u32::try_from(positive(args.next())?).map_err(|_| "too many operations")?;
        Ok(Self::Profile { server, case: workload.case(size), contender, operations })
    }
}

impl Options {
    fn from_args(server: Server, mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut workloads = Vec::new();
        let mut contenders = Vec::new();
        let mut rounds = None;
        let (mut quick, mut fastest) = (false, false);
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--quick" => quick = true,
                "--fastest" => fastest = true,
                "--workload" => workloads.push(workload(args.next())?),
                "--contender" => contenders.push(args.next().ok_or("`--contender` needs a name")?),
                "--rounds" => rounds = Some(positive(args.next())?),
                _ => return Err(format!("unknown argument `{arg}`")),
            }
        }
        if workloads.is_empty() {
            workloads = Workload::ALL.to_vec();
        }
        let (default_rounds, max_size) = if quick { (7, 1_000) } else { (31, usize::MAX) };
        Ok(Self { server, workloads, contenders, rounds: rounds.unwrap_or(default_rounds), fastest, max_size })
    }
}

/// Reads the backend and where it is.
fn server(args: &mut Peekable<impl Iterator<Item = String>>) -> Result<Server, String> {
    let backend = match args.next_if(|arg| !arg.starts_with("--")) {
        None => Backend::Sqlite,
        Some(name) => Backend::ALL
            .into_iter()
            .find(|backend| backend.name() == name)
            .ok_or_else(|| format!("there is no backend `{name}`"))?,
    };
    if !backend.is_built() {
        let name = backend.name();
        return Err(format!("this build has no `{name}`: cargo run --release --features {name} -- {name}"));
    }
    let (socket, user) = match backend {
        Backend::Sqlite => (String::new(), String::new()),
        Backend::Postgres => {
            let user = std::env::var("USER").unwrap_or_else(|_| String::from("postgres"));
            (String::from("/var/run/postgresql"), user)
        }
        Backend::MariaDb => (String::from("/run/mysqld/mysqld.sock"), String::from("root")),
    };
    let mut server = Server { backend, socket, user };
    while let Some(option) = args.next_if(|arg| arg == "--socket" || arg == "--user") {
        let value = args.next().ok_or_else(|| format!("`{option}` needs a value"))?;
        if option == "--socket" { server.socket = value } else { server.user = value }
    }
    Ok(server)
}

fn workload(value: Option<String>) -> Result<Workload, String> {
    let name = value.ok_or("a workload needs a name")?;
    let found = Workload::ALL.iter().copied().find(|workload| workload.name() == name);
    found.ok_or_else(|| format!("there is no workload `{name}`"))
}

fn positive(value: Option<String>) -> Result<usize, String> {
    let number = value.and_then(|value| value.parse().ok());
    number.filter(|&n| n > 0).ok_or_else(|| {
        String::from("a number above 0 is needed after `--rounds`, or as size and operations of `--profile`")
    })
}
