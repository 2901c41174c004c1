//! A MariaDB server of a test's own.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts};
use tempfile::TempDir;

use super::{as_user, folder_of, free_port, is_root, program, run};

/// The user that the package creates.
const USER: &str = "mysql";

const PACKAGE: &str = "mariadb-server";

pub(crate) struct MariaDbServer {
    folder: TempDir,
    pub(crate) port: u16,
    server: Option<Child>,
}

impl MariaDbServer {
    /// Starts a server whose superuser has no password, with a database `test`.
    pub(crate) async fn start() -> Self {
        let mut server = Self { folder: folder_of(USER), port: free_port(), server: None };
        let install = program("mariadb-install-db", &[], PACKAGE);
        let datadir = server.option("datadir", "data");
        run(as_user(USER, &install).args(["--no-defaults", &datadir, "--auth-root-authentication-method=normal"]));
        server.start_again().await;
        server.run("CREATE DATABASE IF NOT EXISTS test").await;
        server
    }

    /// Starts it where it was stopped, and waits until it answers.
    pub(crate) async fn start_again(&mut self) {
        let log = self.folder.path().join("log");
        let mut command = Command::new(program("mariadbd", &[], PACKAGE));
        command
            .args(["--no-defaults", &self.option("datadir", "data"), "--bind-address=127.0.0.1"])
            .args([format!("--port={}", self.port), self.option("socket", "socket"), self.option("pid-file", "pid")])
            .args(["--innodb-flush-log-at-trx-commit=1", "--skip-log-bin"])
            .stdout(Stdio::null())
            .stderr(std::fs::File::options().create(true).append(true).open(log).expect("a log"));
        if is_root() {
            // So it is this process itself that a signal reaches.
            command.arg(format!("--user={USER}"));
        }
        self.server = Some(command.spawn().expect("mariadbd starts"));
        let end = Instant::now() + Duration::from_secs(60);
        while let Err(error) = Conn::new(self.opts()).await {
            assert!(Instant::now() < end, "mariadbd was started and does not answer: {error}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Stops it as the system does, or kills it as a crash would.
    pub(crate) fn stop(&mut self, crash: bool) {
        let Some(mut server) = self.server.take() else { return };
        let signal = if crash { "-KILL" } else { "-TERM" };
        run(Command::new("kill").args([signal, &server.id().to_string()]));
        server.wait().expect("it ends");
    }

    pub(crate) fn uri(&self) -> String {
        format!("mysql://root@127.0.0.1:{}/test", self.port)
    }

    /// The first column of a query's rows, as integers.
    pub(crate) async fn numbers(&self, sql: &str) -> Vec<i64> {
        let mut client = Conn::new(Opts::from_url(&self.uri()).expect("a URL")).await.expect("the server answers");
        client.query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    async fn run(&self, sql: &str) {
        let mut client = Conn::new(self.opts()).await.expect("the server answers");
        client.query_drop(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    fn opts(&self) -> Opts {
        Opts::from_url(&format!("mysql://root@127.0.0.1:{}", self.port)).expect("a URL")
    }

    fn option(&self, name: &str, file: &str) -> String {
        format!("--{name}={}", self.folder.path().join(file).display())
    }
}

impl Drop for MariaDbServer {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // It may have ended by itself.
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}
