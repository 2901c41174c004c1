//! Servers of a test's own: to be stopped, killed, copied and promoted while others go on with theirs.
//!
//! They are started from the programs of the system's packages, on a free port, with their data in a temporary folder,
//! and are gone with the test.
#![allow(dead_code, unused_imports, reason = "each test binary uses a part of it")]

mod mariadb;
mod postgres;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

pub(crate) use mariadb::MariaDbServer;
pub(crate) use postgres::{PostgresServer, Stop};

/// Whether the tests run as the superuser, as whom the servers refuse to run.
pub(crate) fn is_root() -> bool {
    static ROOT: OnceLock<bool> = OnceLock::new();
    *ROOT.get_or_init(|| run(Command::new("id").arg("-u")).trim() == "0")
}

/// A program of the system's packages, in PATH or in one of these folders; `package` of Debian brings it.
fn program(name: &str, folders: &[PathBuf], package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    let mut files = std::env::split_paths(&path).chain(system).chain(folders.iter().cloned()).map(|dir| dir.join(name));
    files.find(|file| file.is_file()).unwrap_or_else(|| {
        panic!("there is no `{name}`, and this test starts a server of its own: install the package `{package}`")
    })
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// An empty folder that belongs to the user whom the server runs as.
fn folder_of(user: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    if is_root() {
        run(Command::new("chown").arg(user).arg(folder.path()));
    }
    folder
}

/// A command that runs as a user of the system where the tests run as the superuser.
fn as_user(user: &str, program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", user, "--"]).arg(program);
    command
}

/// Runs a program to its end; what it wrote.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}", complaint.trim());
    String::from_utf8_lossy(&output.stdout).into_owned()
}
