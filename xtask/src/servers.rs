//! The servers that the suite runs on: those that are there, or private ones for the time of the tests.

mod greeting;
mod mariadb;
mod packages;
mod postgres;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::target_dir;

/// A backend with a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    MariaDb,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Postgres, Self::MariaDb];

    /// What `ALUDEL_TEST_BACKEND` calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::MariaDb => "mariadb",
        }
    }

    /// The variable that says where the server is.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::Postgres => "ALUDEL_TEST_POSTGRES_URL",
            Self::MariaDb => "ALUDEL_TEST_MARIADB_URL",
        }
    }

    fn url(self, port: u16) -> String {
        match self {
            Self::Postgres => format!("postgresql://postgres@127.0.0.1:{port}/test?sslmode=disable"),
            Self::MariaDb => format!("mysql://root@127.0.0.1:{port}"),
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Postgres => 5432,
            Self::MariaDb => 3306,
        }
    }

    /// The package of Debian that brings the server.
    fn package(self) -> &'static str {
        match self {
            Self::Postgres => "postgresql",
            Self::MariaDb => "mariadb-server",
        }
    }
}

/// A server that answers. One that was started for the tests ends with this.
pub(crate) struct Server {
    pub(crate) kind: Kind,
    /// Where a private server is; the tests know the other places themselves.
    pub(crate) url: Option<String>,
    _private: Option<Private>,
}

/// A server of our own.
enum Private {
    Postgres { _cluster: postgres::Cluster },
    MariaDb { _cluster: mariadb::Cluster },
}

impl Server {
    /// The server that the variable names, the one at the usual address, or one that is started.
    ///
    /// # Errors
    /// What to do where there is none.
    pub(crate) fn find(kind: Kind) -> Result<Self, String> {
        if let Ok(url) = std::env::var(kind.variable()) {
            greeting::reach(&url).map_err(|why| format!("where {} points, {why}", kind.variable()))?;
            return Ok(Self { kind, url: None, _private: None });
        }
        let (port, name) = (kind.default_port(), kind.name());
        let there = match greeting::greet(kind, port) {
            Ok(()) => return Ok(Self { kind, url: None, _private: None }),
            Err(why) => format!("{name} does not serve the tests at 127.0.0.1:{port}: {why}"),
        };
        eprintln!("{there}; starting a server for the tests");
        let started = start(kind).map_err(|why| {
            format!(
                "{there}; and none could be started: {why}\nSet {} to the URL of a server where databases may be \
                 created and dropped, or run `docker compose up -d` in this folder.",
                kind.variable()
            )
        });
        let (private, port) = started?;
        Ok(Self { kind, url: Some(kind.url(port)), _private: Some(private) })
    }
}

fn start(kind: Kind) -> Result<(Private, u16), String> {
    if !is_installed(kind) {
        packages::install(kind.package())?;
    }
    let port = free_port()?;
    let private = match kind {
        Kind::Postgres => Private::Postgres { _cluster: postgres::Cluster::start(port)? },
        Kind::MariaDb => Private::MariaDb { _cluster: mariadb::Cluster::start(port)? },
    };
    greeting::wait_for(kind, port)?;
    Ok((private, port))
}

fn is_installed(kind: Kind) -> bool {
    match kind {
        Kind::Postgres => postgres::program("initdb").is_some(),
        Kind::MariaDb => mariadb::daemon().is_some() && program("mariadb-install-db").is_some(),
    }
}

/// A program in PATH, or where the system keeps those of administrators.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(system).map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(|error| format!("no port is free: {error}"))?;
    Ok(listener.local_addr().map_err(|error| error.to_string())?.port())
}

/// Whether this program is the superuser, as whom the servers refuse to run.
fn is_root() -> bool {
    run(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// A command that runs as a user of the system where this program is the superuser.
fn as_user(user: &str, program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", user, "--"]).arg(program);
    command
}

/// An empty folder that belongs to a user: below `target`, unless that user cannot go there.
fn folder_of(user: &str, name: &str) -> Result<PathBuf, String> {
    let folder = |parent: PathBuf| parent.join(format!("aludel-{name}-{}", std::process::id()));
    let create = |folder: &Path| {
        std::fs::create_dir_all(folder).map_err(|error| format!("{} cannot be created: {error}", folder.display()))
    };
    let mut place = folder(target_dir());
    create(&place)?;
    if is_root() {
        if run(as_user(user, Path::new("test")).arg("-x").arg(&place)).is_err() {
            let _ = std::fs::remove_dir(&place);
            place = folder(std::env::temp_dir());
            create(&place)?;
        }
        run(Command::new("chown").arg(user).arg(&place))?;
    }
    Ok(place)
}

/// Runs a program to its end; its output, or what it complained of.
fn run(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("`{name}` did not start: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{command:?}` failed: {}", complaint.trim()))
}
