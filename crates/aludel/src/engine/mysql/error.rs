//! What a server reports, as errors of the library.

use super::report::{Report, ServerError};
use super::wire::WireError;
use crate::error::{Error, ErrorKind};

/// The error for what the server reported, or for what became of the connection.
#[cold]
pub(super) fn classify(error: WireError) -> Error {
    match error {
        WireError::Server(error) => of_server(&error).with_source(Report::of(&error)),
        WireError::Broken(error) => Error::new(
            ErrorKind::Connection,
            "the connection to the server broke; what was not committed is rolled back",
        )
        .with_source(error),
        WireError::Garbled => Error::new(
            ErrorKind::Connection,
            "the server sent what does not belong there, so that the connection is closed; what was not committed is \
             rolled back",
        ),
        WireError::Unencrypted => Error::new(ErrorKind::Connection, "the server cannot encrypt the connection"),
        WireError::Refused(reason) => {
            Error::new(ErrorKind::Connection, format!("the server cannot be spoken with: {reason}"))
        }
    }
}

/// Whether the server closes the connection after an error.
pub(super) fn ends_connection(error: &WireError) -> bool {
    match error {
        WireError::Server(error) => {
            matches!(error.code, 1053 | 1080 | 1152 | 1153 | 1158..=1161 | 1927 | 2006 | 2013 | 4031)
        }
        _ => true,
    }
}

fn of_server(error: &ServerError) -> Error {
    let message = &*error.message;
    let kind = |kind, text: &'static str| Error::new(kind, text);
    match error.code {
        1022 | 1062 | 1169 | 1557 | 1586 | 1761 | 1762 | 1859 => unique(message),
        1451 | 1217 | 1834 => foreign_key(message, "rows still point at the row"),
        1452 | 1216 => foreign_key(message, "the row that it points at does not exist"),
        1048 | 1364 | 1263 => not_null(message),
        4025 | 3819 => check(message),
        1213 => kind(ErrorKind::Deadlock, "the database ended the transaction to break a deadlock; run it again"),
        1020 | 1879 => kind(
            ErrorKind::Serialization,
            "a row was changed by another transaction since this one first read it; run it again",
        ),
        1205 | 3572 => kind(
            ErrorKind::Busy,
            "a row or table stayed locked by another transaction for the whole busy timeout; run the transaction again, \
             or raise the timeout",
        ),
        1146 | 1051 | 4091 => missing_table(message),
        1054 | 1072 | 1091 => missing_column(message),
        1264 | 1265 | 1292 | 1366 | 1367 | 1406 | 1411 | 1525 | 1690 | 3140 | 3141 | 3156 => {
            wrong_value(error.code, message)
        }
        1040
        | 1044
        | 1045
        | 1049
        | 1053
        | 1080
        | 1129
        | 1130
        | 1152
        | 1158..=1161
        | 1203
        | 1226
        | 1698
        | 1927
        | 2006
        | 2013
        | 4031 => Error::new(ErrorKind::Connection, format!("the server ends the connection: {message}")),
        1792 | 1836 => read_only(),
        1290 if message.contains("read-only") || message.contains("read_only") => read_only(),
        1021 | 1114 => kind(ErrorKind::DiskFull, "the disk of the database's server is full, or a table cannot grow"),
        1317 => kind(ErrorKind::Database, "the statement was interrupted"),
        1969 | 3024 => kind(ErrorKind::Database, "the statement took longer than the server allows"),
        1153 => kind(
            ErrorKind::InvalidStatement,
            "the statement and its values are longer than the server allows (`max_allowed_packet`); split it",
        ),
        1390 => kind(
            ErrorKind::InvalidStatement,
            "the statement has more values than the server allows (65535); split it into several",
        ),
        1065 => kind(ErrorKind::InvalidStatement, "the statement is empty"),
        1148 | 3948 | 4166 => {
            kind(ErrorKind::Unsupported, "LOAD DATA LOCAL is not supported: the server reads no files of this machine")
        }
        _ if super::report::quotes_values(error.code) => {
            Error::new(ErrorKind::Database, format!("the server reports error {}", error.code))
        }
        1210 | 1295 | 1305 => invalid(message),
        1064 if message.contains(" near ':") => Error::new(
            ErrorKind::InvalidStatement,
            format!(
                "the server refuses the statement: {message}; placeholders have no names here: write a `?` for each value"
            ),
        ),
        // Syntax errors and violated access rules.
        _ if error.state.starts_with("42") || error.state.starts_with("21") => invalid(message),
        _ => Error::new(ErrorKind::Database, format!("the server reports: {message}")),
    }
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::InvalidStatement, format!("the server refuses the statement: {message}"))
}

fn read_only() -> Error {
    Error::new(ErrorKind::ReadOnly, "the database, or the transaction, is read-only")
}

/// `Duplicate entry 'x' for key 'name'`, in MySQL `'table.name'`. The entry may be anything, so the key is the last part.
fn unique(message: &str) -> Error {
    let Some(key) = message.rsplit_once(" for key '").and_then(|(_, key)| key.strip_suffix('\'')) else {
        return Error::new(
            ErrorKind::UniqueViolation,
            "a unique constraint refused the row: there is such a row already",
        );
    };
    let (table, name) = key.split_once('.').map_or((None, key), |(table, name)| (Some(table), name));
    let of = table.map(|table| format!(" of `{table}`")).unwrap_or_default();
    let text = if name == "PRIMARY" {
        format!("there is a row with the same primary key{of} already")
    } else {
        format!("the unique constraint `{name}`{of} has such a row already")
    };
    let error = Error::new(ErrorKind::UniqueViolation, text).with_constraint(name);
    match table {
        Some(table) => error.with_table(table),
        None => error,
    }
}

/// ``.. a foreign key constraint fails (`db`.`child`, CONSTRAINT `name` FOREIGN KEY (`a`, `b`) REFERENCES `parent` ..)``:
/// the table and columns are those of the rows that point.
fn foreign_key(message: &str, why: &str) -> Error {
    let described = message.split_once(" fails (").map_or("", |(_, described)| described);
    let (table, rest) = described.split_once(", CONSTRAINT ").unwrap_or_default();
    let (name, rest) = rest.split_once(" FOREIGN KEY (").unwrap_or_default();
    let (columns, _) = rest.split_once(") REFERENCES ").unwrap_or_default();
    if columns.is_empty() {
        return Error::new(ErrorKind::ForeignKeyViolation, format!("a foreign key refused the change: {why}"));
    }
    let table = last_name(table);
    let columns: Vec<String> = columns.split(", ").map(last_name).collect();
    let name = last_name(name);
    Error::new(
        ErrorKind::ForeignKeyViolation,
        format!("the foreign key `{name}` of `{table}` (`{}`) refused the change: {why}", columns.join("`, `")),
    )
    .with_constraint(name)
    .with_table(table)
    .with_columns(columns)
}

/// `Column 'name' cannot be null` and `Field 'name' doesn't have a default value`.
fn not_null(message: &str) -> Error {
    let Some(column) = quoted(message) else {
        return Error::new(ErrorKind::NotNullViolation, "a column that may not be NULL was given none");
    };
    Error::new(ErrorKind::NotNullViolation, format!("`{column}` may not be NULL; give it a value"))
        .with_columns(vec![column.to_owned()])
}

/// ``CONSTRAINT `name` failed for `db`.`table` `` of MariaDB, `Check constraint 'name' is violated.` of MySQL. MariaDB
/// names the check of a column after it, `table.column`.
fn check(message: &str) -> Error {
    let found = match message.strip_prefix("CONSTRAINT ").and_then(|rest| rest.split_once(" failed for ")) {
        Some((name, table)) => Some((name.trim_matches('`'), Some(last_name(table)))),
        None => quoted(message).map(|name| (name, None)),
    };
    let Some((name, table)) = found else {
        return Error::new(ErrorKind::CheckViolation, "a check constraint refused the row");
    };
    let error = Error::new(ErrorKind::CheckViolation, format!("the check constraint `{name}` refused the row"))
        .with_constraint(name);
    match table {
        Some(table) => error.with_table(table),
        None => error,
    }
}

/// `Table 'db.name' doesn't exist`, `Unknown table 'db.name'`.
fn missing_table(message: &str) -> Error {
    let Some(name) = quoted(message) else {
        return Error::new(ErrorKind::MissingTable, "a table of the statement does not exist");
    };
    let table = name.split_once('.').map_or(name, |(_, table)| table);
    Error::new(
        ErrorKind::MissingTable,
        format!("the table `{table}` does not exist; create it with `db.create_all()` or by a migration"),
    )
    .with_table(table)
}

/// `Unknown column 't.name' in 'field list'`.
fn missing_column(message: &str) -> Error {
    let Some(name) = quoted(message) else {
        return Error::new(ErrorKind::MissingTable, "a column of the statement does not exist");
    };
    let (table, column) = match name.rsplit_once('.') {
        Some((table, column)) => (Some(table.rsplit('.').next().unwrap_or(table)), column),
        None => (None, name),
    };
    let of = table.map(|table| format!(" of `{table}`")).unwrap_or_default();
    let error = Error::new(
        ErrorKind::MissingTable,
        format!("the column `{column}`{of} does not exist in the database; is a migration missing?"),
    )
    .with_columns(vec![column.to_owned()]);
    match table {
        Some(table) => error.with_table(table),
        None => error,
    }
}

/// A value that its column cannot hold: `.. for column 'name' at row 1`, or with ``column `db`.`table`.`name` ``.
fn wrong_value(code: u16, message: &str) -> Error {
    let why = match code {
        1264 | 1690 => "is out of range",
        1406 => "is too long",
        3140 | 3141 => "is no JSON document",
        _ => "is of another type, or would be cut",
    };
    // The value stands before it, and may be anything.
    let column = message.rsplit_once(" for column ").or(message.rsplit_once(" for column\u{20}")).map(|(_, rest)| {
        let name = rest.rsplit_once(" at row ").map_or(rest, |(name, _)| name);
        if name.starts_with('\'') { name.trim_matches(['\'', '.']).to_owned() } else { last_name(name) }
    });
    match column {
        Some(column) => {
            Error::new(ErrorKind::Decode, format!("the value of `{column}` does not fit its column: it {why}"))
                .with_columns(vec![column])
        }
        None => Error::new(ErrorKind::Decode, format!("a value of the statement {why}")),
    }
}

/// What stands between the first pair of single quotes.
fn quoted(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once('\'')?;
    let (name, _) = rest.split_once('\'')?;
    Some(name)
}

/// The last name of `` `db`.`table` ``.
fn last_name(path: &str) -> String {
    let path = path.trim();
    let name = path.strip_suffix('`').map_or(path, |rest| rest.rsplit_once('`').map_or(rest, |(_, name)| name));
    name.to_owned()
}
