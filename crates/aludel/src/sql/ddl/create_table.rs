//! `CREATE TABLE`.

use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Action, Column, ForeignKey, SqlType, Table};

use super::{Dialect, quote_list, quote_text, server_default, type_name};

/// `CREATE TABLE` with all constraints, without the indexes.
///
/// On SQLite a single integer primary key is the table's rowid, so that a row that gives none gets the next: the word
/// AUTOINCREMENT, which costs a write and only keeps deleted keys from coming back, is left out, as SQLAlchemy does.
///
/// # Errors
/// `Unsupported` for a column that autoincrements where the backend has no such thing.
pub fn create_table(dialect: Dialect, table: &Table) -> Result<String> {
    let mut out = String::from("CREATE TABLE ");
    dialect.quote(&table.name, &mut out);
    out.push_str(" (");
    let mut separator = "";
    let mut line = |out: &mut String| {
        out.push_str(separator);
        out.push_str("\n    ");
        separator = ",";
    };
    for column in &table.columns {
        autoincrement(dialect, table, column)?;
        line(&mut out);
        write_column(dialect, table, column, &mut out);
    }
    if let Some(key) = &table.primary_key {
        line(&mut out);
        write_name(dialect, key.name.as_deref(), &mut out);
        write_columns("PRIMARY KEY (", dialect, &key.columns, &mut out);
    }
    for unique in &table.uniques {
        line(&mut out);
        write_name(dialect, unique.name.as_deref(), &mut out);
        write_columns("UNIQUE (", dialect, &unique.columns, &mut out);
    }
    for key in &table.foreign_keys {
        line(&mut out);
        write_foreign_key(dialect, key, &mut out);
    }
    for check in &table.checks {
        line(&mut out);
        write_name(dialect, check.name.as_deref(), &mut out);
        out.push_str("CHECK (");
        out.push_str(&check.sql);
        out.push(')');
    }
    for column in &table.columns {
        if let SqlType::Enum { values, .. } = &column.ty {
            line(&mut out);
            write_enum_check(dialect, column, values, &mut out);
        }
    }
    out.push_str("\n)");
    Ok(out)
}

fn write_column(dialect: Dialect, table: &Table, column: &Column, out: &mut String) {
    dialect.quote(&column.name, out);
    out.push(' ');
    type_name::write(dialect, &column.ty, out);
    if let Some(sql) = &column.server_default {
        out.push_str(" DEFAULT ");
        server_default::write(dialect, sql, out);
    }
    // SQLite would allow NULL in a primary key that does not say NOT NULL.
    if !column.nullable || table.is_primary_key(&column.name) {
        out.push_str(" NOT NULL");
    }
}

fn write_name(dialect: Dialect, name: Option<&str>, out: &mut String) {
    if let Some(name) = name {
        out.push_str("CONSTRAINT ");
        dialect.quote(name, out);
        out.push(' ');
    }
}

fn write_columns(before: &str, dialect: Dialect, columns: &[String], out: &mut String) {
    out.push_str(before);
    quote_list(dialect, columns, out);
    out.push(')');
}

fn write_foreign_key(dialect: Dialect, key: &ForeignKey, out: &mut String) {
    write_name(dialect, key.name.as_deref(), out);
    write_columns("FOREIGN KEY (", dialect, &key.columns, out);
    out.push_str(" REFERENCES ");
    dialect.quote(&key.target_table, out);
    write_columns(" (", dialect, &key.target_columns, out);
    for (event, action) in [(" ON DELETE ", key.on_delete), (" ON UPDATE ", key.on_update)] {
        if action != Action::NoAction {
            out.push_str(event);
            out.push_str(action.sql());
        }
    }
}

fn write_enum_check<S: AsRef<str>>(dialect: Dialect, column: &Column, values: &[S], out: &mut String) {
    write_name(dialect, column.enum_check.as_deref(), out);
    out.push_str("CHECK (");
    dialect.quote(&column.name, out);
    out.push_str(" IN (");
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        quote_text(value.as_ref(), out);
    }
    out.push_str("))");
}

/// SQLite counts up nothing but the rowid.
fn autoincrement(dialect: Dialect, table: &Table, column: &Column) -> Result<()> {
    let Dialect::Sqlite = dialect;
    if !column.autoincrement || (table.primary_key_columns() == [column.name.as_str()] && is_integer(&column.ty)) {
        return Ok(());
    }
    let message = format!(
        "column {}.{} cannot autoincrement: SQLite counts up only an integer that is the whole primary key",
        table.name, column.name
    );
    Err(Error::new(ErrorKind::Unsupported, message).with_table(&table.name).with_columns(vec![column.name.clone()]))
}

fn is_integer(ty: &SqlType) -> bool {
    use SqlType::{BigInt, Integer, SmallInt, TinyInt};
    use SqlType::{UnsignedBigInt, UnsignedInteger, UnsignedSmallInt, UnsignedTinyInt};
    matches!(
        ty,
        TinyInt | SmallInt | Integer | BigInt | UnsignedTinyInt | UnsignedSmallInt | UnsignedInteger | UnsignedBigInt
    )
}
