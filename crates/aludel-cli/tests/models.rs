//! The command as a user runs it.

use std::path::Path;
use std::process::{Command, Output};

fn aludel(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_aludel")).args(arguments).output().expect("the program")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A database with two tables, one of which has no key.
fn database(folder: &Path) -> String {
    let path = folder.join("app.db");
    let connection = rusqlite::Connection::open(&path).expect("a file");
    let sql = "CREATE TABLE user (id INTEGER PRIMARY KEY, name VARCHAR(80) NOT NULL); CREATE TABLE log (line TEXT)";
    connection.execute_batch(sql).expect("two tables");
    format!("sqlite:///{}", path.display())
}

#[test]
fn models_are_printed_and_what_they_do_not_say_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = aludel(&["models", "--url", &database(folder.path())]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("pub struct User {"), "{}", text(&output.stdout));
    assert_eq!(text(&output.stderr), "note: table `log` has no model: it has no primary key\n");
}

#[test]
fn a_file_that_is_there_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let (url, out) = (database(folder.path()), folder.path().join("models.rs"));
    let arguments = ["models", "--url", &url, "--tables", "user", "--out", out.to_str().expect("a path")];
    assert!(aludel(&arguments).status.success());
    assert!(std::fs::read_to_string(&out).expect("the file").contains("pub name: String"));

    std::fs::write(&out, "mine").expect("the file");
    let refused = aludel(&arguments);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("is there already"), "{}", text(&refused.stderr));
    assert_eq!(std::fs::read_to_string(&out).expect("the file"), "mine");
    assert!(aludel(&[&arguments[..], &["--force"]].concat()).status.success());
    assert!(std::fs::read_to_string(&out).expect("the file").contains("pub struct User"));
}

#[test]
fn a_table_that_is_not_there_is_an_error_with_the_one_that_may_be_meant() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = aludel(&["models", "--url", &database(folder.path()), "--tables", "usr"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), "error: the database has no table `usr`; did you mean `user`?\n");
}

#[test]
fn a_schema_is_asked_for_where_the_database_has_schemas() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = aludel(&["models", "--url", &database(folder.path()), "--schema", "shop"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("SQLite"), "{}", text(&output.stderr));
}
