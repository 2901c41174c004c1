//! A PostgreSQL server of a test's own.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use super::{as_user, folder_of, free_port, program, run};

/// The user that the package creates.
const USER: &str = "postgres";

/// How a server is stopped: `pg_ctl -m`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stop {
    /// Its clients are cut off, their transactions rolled back.
    Fast,
    /// As a crash is.
    Immediate,
}

pub(crate) struct PostgresServer {
    folder: TempDir,
    pub(crate) port: u16,
    /// More of `name=value` than what every server gets.
    settings: Vec<&'static str>,
}

impl PostgresServer {
    /// Starts a server in which everybody is trusted.
    pub(crate) fn start(settings: &[&'static str]) -> Self {
        let server = Self { folder: folder_of(USER), port: free_port(), settings: settings.to_vec() };
        let mut initdb = as_user(USER, &tool("initdb"));
        run(initdb.arg("-D").arg(server.data()).args(["-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale", "-N"]));
        server.start_again();
        server
    }

    /// Starts a second server that streams what this one writes, and takes reads.
    pub(crate) fn start_standby(&self) -> Self {
        let standby = Self { folder: folder_of(USER), port: free_port(), settings: self.settings.clone() };
        let port = self.port.to_string();
        let mut copy = as_user(USER, &tool("pg_basebackup"));
        copy.args(["-h", "127.0.0.1", "-p", &port, "-U", USER, "-R", "-X", "stream", "-c", "fast", "-N", "-D"]);
        run(copy.arg(standby.data()));
        standby.start_again();
        standby
    }

    /// Starts it where it was stopped, and waits until it answers.
    pub(crate) fn start_again(&self) {
        let mut options = format!(
            "-c port={} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_connections=60",
            self.port
        );
        self.settings.iter().for_each(|setting| options += &format!(" -c {setting}"));
        // What it writes goes to a file: a pipe would stay open as long as the server runs.
        let log = self.folder.path().join("log");
        let mut start = self.control();
        run(start.arg("-l").arg(log).args(["-o", &options, "-w", "start"]));
    }

    pub(crate) fn stop(&self, how: Stop) {
        let mode = match how {
            Stop::Fast => "fast",
            Stop::Immediate => "immediate",
        };
        run(self.control().args(["-m", mode, "-w", "stop"]));
    }

    /// Makes a standby a server that takes writes.
    pub(crate) fn promote(&self) {
        run(self.control().args(["-w", "promote"]));
    }

    pub(crate) fn uri(&self) -> String {
        format!("postgresql://{USER}@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }

    /// A client that the library knows nothing of.
    pub(crate) async fn client(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.uri(), NoTls).await.expect("the server answers");
        tokio::spawn(connection);
        client
    }

    /// The first column of a query's rows, as integers.
    pub(crate) async fn numbers(&self, sql: &str) -> Vec<i64> {
        let rows = self.client().await.query(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        rows.iter().map(|row| row.get(0)).collect()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn control(&self) -> Command {
        let mut control = as_user(USER, &tool("pg_ctl"));
        control.arg("-D").arg(self.data());
        control
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        // One that is stopped already says so, which is as well.
        let _ = self.control().args(["-m", "immediate", "stop"]).output();
    }
}

/// A program of PostgreSQL: in PATH, or in Debian's folder of the newest version.
fn tool(name: &str) -> PathBuf {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.flatten().map(|version| version.path().join("bin")).collect())
        .unwrap_or_default();
    versions.sort_by_key(|path| std::cmp::Reverse(version(path)));
    program(name, &versions, "postgresql")
}

fn version(bin: &Path) -> u32 {
    let name = bin.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    name.and_then(|name| name.parse().ok()).unwrap_or(0)
}
