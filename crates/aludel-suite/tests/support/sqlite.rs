//! A database file.

use std::path::PathBuf;

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use tempfile::TempDir;

use super::backend::hex;
use super::quoted;

pub(super) struct File {
    path: PathBuf,
    _folder: TempDir,
}

impl File {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { path: folder.path().join("test.db"), _folder: folder }
    }

    pub(super) fn uri(&self) -> String {
        format!("sqlite:///{}", self.path.display())
    }

    fn outside(&self) -> Connection {
        Connection::open(&self.path).expect("a second connection")
    }

    pub(super) fn rows(&self, sql: &str) -> Vec<String> {
        let connection = self.outside();
        let mut statement = connection.prepare(&quoted(sql)).expect("a statement");
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            let fields: Vec<String> = (0..columns).map(|at| text_of(row.get_ref_unwrap(at))).collect();
            Ok(fields.join("|"))
        });
        rows.expect("rows").collect::<Result<_, _>>().expect("rows")
    }

    pub(super) fn change(&self, sql: &str) {
        self.outside().execute_batch(&quoted(sql)).expect("a change from outside");
    }
}

fn text_of(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(value) => value.to_string(),
        ValueRef::Real(value) => format!("{value:?}"),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => hex(bytes),
    }
}
