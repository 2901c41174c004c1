//! An existing database, the models written of it, and the database that those models create: reflected the same.
//!
//! The models are a crate of their own, compiled with warnings denied, as a user's are.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use aludel::codegen::{ModelSource, ModelWriter};
use aludel::prelude::*;
use support::{Backend, TestDb};

/// Tables made by hand, with all that the schema knows.
fn schema() -> &'static str {
    Backend::current().pick(
        include_str!("round_trip_schemas/sqlite.sql"),
        include_str!("round_trip_schemas/postgres.sql"),
        include_str!("round_trip_schemas/mariadb.sql"),
    )
}

const PROGRAM: &str = "\
#![deny(warnings)]
#![forbid(unsafe_code)]

use aludel::prelude::*;

pub mod models;

#[tokio::main(flavor = \"current_thread\")]
async fn main() -> Result<()> {
    let uri = std::env::args().nth(1).expect(\"the URI of an empty database\");
    let db = Db::builder().uri(uri).naming_convention(NamingConvention::none()).connect().await?;
    db.create_all().await
}
";

/// Writes the crate, compiles it and lets it create its tables.
fn create_all(source: &ModelSource, uri: &str) {
    let name = format!("round-trip-{:?}", Backend::current()).to_lowercase();
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let target = temporary.parent().expect("the target folder");
    let folder = temporary.join(&name);
    fs::create_dir_all(folder.join("src")).expect("a folder");
    let write = |file: &str, text: &str| write_changed(&folder.join(file), text);
    write("Cargo.toml", &manifest(&name));
    write("src/main.rs", PROGRAM);
    write("src/models.rs", &source.code);
    // The same versions as everywhere, whatever has been released since.
    fs::copy(workspace().join("Cargo.lock"), folder.join("Cargo.lock")).expect("the versions");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // What cargo says to a test would change what the dependencies are built with, so that each run built them anew.
    for (variable, _) in std::env::vars_os().filter(|(variable, _)| is_of_package(&variable.to_string_lossy())) {
        command.env_remove(variable);
    }
    let output = command
        .args(["run", "--quiet", "--offline", "--target-dir"])
        .arg(target)
        .args(["--", uri])
        .current_dir(&folder)
        .output()
        .expect("cargo");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}:\n{errors}", folder.join("src/models.rs").display());
}

fn is_of_package(variable: &str) -> bool {
    variable.starts_with("CARGO_PKG_") || variable.starts_with("CARGO_MANIFEST_") || variable.starts_with("CARGO_BIN_")
}

/// A file that is as it was is not compiled again.
fn write_changed(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|known| known == text) {
        return;
    }
    fs::write(path, text).expect("a file");
}

fn workspace() -> PathBuf {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR"));
    suite.ancestors().nth(2).expect("the workspace").to_owned()
}

fn manifest(name: &str) -> String {
    let aludel = workspace().join("crates/aludel");
    format!(
        "[workspace]

[package]
name = \"{name}\"
version = \"0.0.0\"
edition = \"2024\"
publish = false

[dependencies]
aludel = {{ path = {aludel:?}, features = [\"chrono\", \"decimal\", \"mysql\", \"postgres\"] }}
jiff = \"0.2\"
rust_decimal = {{ version = \"1\", default-features = false }}
serde_json = \"1\"
tokio = {{ version = \"1\", features = [\"macros\", \"net\", \"rt-multi-thread\"] }}

# As in Aludel's workspace, so that SQLite is compiled once.
[profile.dev]
debug = \"line-tables-only\"

[profile.dev.package.libsqlite3-sys]
opt-level = 2
"
    )
}

#[tokio::test]
async fn models_written_of_a_database_create_the_same_database() -> Result<()> {
    let test = TestDb::without_tables(Db::builder()).await;
    test.change(schema());
    let reflected = test.db.reflect().await?;
    assert!(reflected.tables().len() >= 20, "{} tables", reflected.tables().len());
    assert!(reflected.view("rich_customer").is_some_and(|view| view.definition.contains("1000")));

    let source = ModelWriter::new(&reflected, test.dialect()).write()?;
    assert!(source.notes.is_empty(), "{:#?}", source.notes);
    let empty = TestDb::without_tables(Db::builder()).await;
    create_all(&source, &empty.uri());

    let again = empty.db.reflect().await?;
    for (first, second) in reflected.tables().iter().zip(again.tables()) {
        assert_eq!(first, second);
    }
    assert_eq!(reflected.tables(), again.tables());
    let rewritten = ModelWriter::new(&again, test.dialect()).write()?;
    // The models say nothing of views.
    assert!(source.code.starts_with(&rewritten.code), "the models of both databases are the same");
    Ok(())
}
