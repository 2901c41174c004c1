//! A private PostgreSQL cluster.

use std::path::PathBuf;

use super::{as_user, folder_of, program as in_path, run};

/// The user that the package creates.
const USER: &str = "postgres";

pub(super) struct Cluster {
    data: PathBuf,
}

impl Cluster {
    /// Creates a cluster in which everybody is trusted, and starts it on this machine alone.
    pub(super) fn start(port: u16) -> Result<Self, String> {
        let tool = |name| program(name).ok_or_else(|| format!("there is no `{name}`"));
        let data = folder_of(USER, "postgres")?;
        let cluster = Self { data };
        let data = &cluster.data;
        let mut initdb = as_user(USER, &tool("initdb")?);
        run(initdb.arg("-D").arg(data).args(["-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]))?;
        // What it writes goes to a file: a pipe would stay open as long as the server runs.
        let options = format!(
            "-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off \
             -c max_connections=100"
        );
        let mut start = as_user(USER, &tool("pg_ctl")?);
        run(start.arg("-D").arg(data).arg("-l").arg(data.join("log")).args(["-o", &options, "-w", "start"]))?;
        let port = port.to_string();
        run(as_user(USER, &tool("createdb")?).args(["-h", "127.0.0.1", "-p", &port, "-U", USER, "test"]))?;
        Ok(cluster)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(pg_ctl) = program("pg_ctl") {
            // One that never started has nothing to be stopped.
            let _ = run(as_user(USER, &pg_ctl).arg("-D").arg(&self.data).args(["-m", "immediate", "stop"]));
        }
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

/// A program of PostgreSQL: in PATH, or in Debian's folder of the newest version.
pub(super) fn program(name: &str) -> Option<PathBuf> {
    in_path(name).or_else(|| {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
        let mut files: Vec<PathBuf> = versions
            .flatten()
            .map(|version| version.path().join("bin").join(name))
            .filter(|file| file.is_file())
            .collect();
        files.sort();
        files.pop()
    })
}
