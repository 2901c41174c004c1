//! The program as its users meet it: a process, and HTTP over a socket.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

/// Where the program listens.
pub(crate) const ADDRESS: &str = "127.0.0.1:3000";

/// The program listens on one fixed port: one test at a time, of all processes on this machine.
fn wait_for_port() -> File {
    let lock = File::create(std::env::temp_dir().join("aludel-quickstart-3000.lock")).unwrap();
    lock.lock().unwrap();
    lock
}

/// The program, running in a folder of its own. It is killed at the end.
pub(crate) struct Server {
    child: Child,
    folder: tempfile::TempDir,
    /// Locked until the program is gone.
    _port: File,
}

impl Server {
    /// Starts the program, and waits until it serves.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts the program with variables of the environment, and waits until it serves.
    pub(crate) fn start_with(environment: &[(&str, &str)]) -> Self {
        let port = wait_for_port();
        let folder = tempfile::tempdir().unwrap();
        Self { child: spawn(folder.path(), environment), folder, _port: port }
    }

    /// A path in the folder that the program runs in.
    pub(crate) fn in_folder(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Kills the program as a crash would: with SIGKILL, which it cannot hear.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts the program again, in the same folder.
    pub(crate) fn restart(&mut self) {
        self.child = spawn(self.folder.path(), &[]);
    }

    /// The database file.
    pub(crate) fn database(&self) -> PathBuf {
        self.in_folder("instance/quickstart.db")
    }

    /// What another program sees in the file: the first column of a query's rows.
    pub(crate) fn in_file<T: rusqlite::types::FromSql>(&self, sql: &str) -> Vec<T> {
        let file = rusqlite::Connection::open(self.database()).unwrap();
        let mut statement = file.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        send("GET", path, None).unwrap()
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        send("DELETE", path, None).unwrap()
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        send("POST", path, Some(&body.to_string())).unwrap()
    }

    pub(crate) fn patch(&self, path: &str, body: &Value) -> Answer {
        send("PATCH", path, Some(&body.to_string())).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // it may be killed already
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program, as it would be started in a folder.
fn program(folder: &Path, environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quickstart"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("ALUDEL_") || ["DATABASE_URL", "SQLALCHEMY_DATABASE_URI"].contains(&name.as_str()) {
            command.env_remove(name);
        }
    }
    command.envs(environment.iter().copied()).current_dir(folder);
    command
}

/// What the program says when it does not start.
pub(crate) fn refusal(environment: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = program(folder.path(), environment).output().unwrap();
    assert!(!output.status.success(), "it started and ended well");
    String::from_utf8(output.stderr).unwrap()
}

fn spawn(folder: &Path, environment: &[(&str, &str)]) -> Child {
    if let Err(error) = TcpListener::bind(ADDRESS) {
        panic!("the quickstart serves on {ADDRESS}, and something else is there: {error}; stop it to run these tests");
    }
    let mut child = program(folder, environment).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, format!("serving http://{ADDRESS}\n"), "the program did not come to serve");
    child
}

/// What the program answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// One request on a connection of its own; a body is sent as JSON.
pub(crate) fn send(method: &str, path: &str, body: Option<&str>) -> std::io::Result<Answer> {
    send_as(method, path, body.map(|body| ("application/json", body)))
}

/// One request on a connection of its own, its body of some type.
pub(crate) fn send_as(method: &str, path: &str, body: Option<(&str, &str)>) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(ADDRESS)?;
    // Far beyond what any answer takes: a test that hangs says so.
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {ADDRESS}\r\nconnection: close\r\n");
    if let Some((kind, body)) = body {
        request += &format!("content-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    } else {
        request += "\r\n";
    }
    stream.write_all(request.as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    parse(&text).ok_or_else(|| std::io::Error::other(format!("no whole answer: {text:?}")))
}

/// An answer whose body has the length that its head says; half an answer is none.
fn parse(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.split(' ').next()?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(key, value)| (key.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let answer = Answer { status, headers, body: body.to_owned() };
    let length = answer.header("content-length").map_or(Some(0), |length| length.parse::<usize>().ok())?;
    (body.len() == length).then_some(answer)
}
