//! A private MariaDB server.

use std::path::PathBuf;
use std::process::{Child, Stdio};

use super::{as_user, folder_of, program, run};

/// The user that the package creates.
const USER: &str = "mysql";

pub(super) struct Cluster {
    data: PathBuf,
    server: Option<Child>,
}

impl Cluster {
    /// Creates a data folder with a superuser without a password, and starts a server on this machine alone.
    pub(super) fn start(port: u16) -> Result<Self, String> {
        let daemon = daemon().ok_or("there is no `mariadbd`")?;
        let install = program("mariadb-install-db").ok_or("there is no `mariadb-install-db`")?;
        let mut cluster = Self { data: folder_of(USER, "mariadb")?, server: None };
        let data = &cluster.data;
        let datadir = format!("--datadir={}", data.join("data").display());
        run(as_user(USER, &install).args(["--no-defaults", &datadir, "--auth-root-authentication-method=normal"]))?;
        let log = std::fs::File::create(data.join("log")).map_err(|error| error.to_string())?;
        let server = as_user(USER, &daemon)
            .args(["--no-defaults", &datadir, "--bind-address=127.0.0.1"])
            .arg(format!("--port={port}"))
            // Short, for the path of a socket may not be long.
            .arg(format!("--socket=/tmp/aludel-{port}.sock"))
            .arg(format!("--pid-file={}", data.join("data").join("pid").display()))
            .args(["--innodb-flush-log-at-trx-commit=0", "--skip-log-bin"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        cluster.server = Some(server.map_err(|error| format!("`mariadbd` did not start: {error}"))?);
        Ok(cluster)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // `runuser` passes the signal on, which a kill would not let it do.
        if let Some(mut server) = self.server.take() {
            let id = server.id().to_string();
            let _ = run(std::process::Command::new("kill").args(["-TERM", &id]));
            let _ = server.wait();
        }
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

/// The server's program.
pub(super) fn daemon() -> Option<PathBuf> {
    program("mariadbd")
}
