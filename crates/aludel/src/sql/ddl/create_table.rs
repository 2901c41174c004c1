//! `CREATE TABLE`.

use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Action, Column, Computed, ForeignKey, SqlType, Table};

use super::{Dialect, comment, quote_list, quote_table, quote_text, sequence, server_default, type_name};

/// `CREATE TABLE` with all constraints, without the indexes.
///
/// On SQLite a single integer primary key is the table's rowid, so that a row that gives none gets the next: the word
/// AUTOINCREMENT, which costs a write and only keeps deleted keys from coming back, is left out, as SQLAlchemy does.
///
/// # Errors
/// `Unsupported` for a column or a foreign key that the backend cannot have.
pub fn create_table(dialect: Dialect, table: &Table) -> Result<String> {
    create_table_without(dialect, table, &[])
}

/// `CREATE TABLE` without some of its foreign keys, which are added when their targets are there.
pub(super) fn create_table_without(dialect: Dialect, table: &Table, without: &[&ForeignKey]) -> Result<String> {
    let mut out = String::from("CREATE TABLE ");
    quote_table(dialect, table.schema.as_deref(), &table.name, &mut out);
    out.push_str(" (");
    let mut separator = "";
    let mut line = |out: &mut String| {
        out.push_str(separator);
        out.push_str("\n    ");
        separator = ",";
    };
    for column in &table.columns {
        autoincrement(dialect, table, column)?;
        native(dialect, table, column)?;
        computed(dialect, table, column)?;
        line(&mut out);
        write_column(dialect, table, column, &mut out)?;
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
    let early = |key: &&ForeignKey| !without.iter().any(|late| std::ptr::eq(*late, *key));
    for key in table.foreign_keys.iter().filter(early) {
        line(&mut out);
        write_foreign_key(dialect, table, key, &mut out)?;
    }
    for check in &table.checks {
        line(&mut out);
        write_name(dialect, check.name.as_deref(), &mut out);
        out.push_str("CHECK (");
        out.push_str(&check.sql);
        out.push(')');
    }
    for column in &table.columns {
        if let SqlType::Enum { values, .. } = &column.ty
            && dialect == Dialect::Sqlite
        {
            line(&mut out);
            write_enum_check(dialect, column, values, &mut out);
        }
    }
    out.push_str("\n)");
    sequence::write_table_options(dialect, table, &mut out);
    // Texts compare as on other backends: by their characters, letter case and blanks at the end included.
    match dialect {
        Dialect::Sqlite | Dialect::Postgres => {}
        Dialect::MariaDb => out.push_str(" CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"),
        Dialect::MySql => out.push_str(" CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin"),
    }
    if let Some(comment) = table.comment.as_ref().filter(|_| dialect.is_mysql()) {
        out.push_str(" COMMENT=");
        comment::literal(dialect, comment, &mut out);
    }
    Ok(out)
}

fn write_column(dialect: Dialect, table: &Table, column: &Column, out: &mut String) -> Result<()> {
    dialect.quote(&column.name, out);
    out.push(' ');
    type_name::write(dialect, table.schema.as_deref(), &column.ty, out);
    if let Some(computed) = &column.computed {
        write_computed(dialect, computed, out);
    }
    if let Some(sql) = &column.server_default {
        out.push_str(" DEFAULT ");
        server_default::write(dialect, sql, out);
    }
    // SQLite would allow NULL in a primary key that does not say NOT NULL. MariaDB has no NOT NULL for computed columns.
    let said = !(dialect == Dialect::MariaDb && column.computed.is_some());
    if said && (!column.nullable || table.is_primary_key(&column.name)) {
        out.push_str(" NOT NULL");
    }
    sequence::write_counted(dialect, table, column, out)?;
    if let Some(comment) = column.comment.as_ref().filter(|_| dialect.is_mysql()) {
        out.push_str(" COMMENT ");
        comment::literal(dialect, comment, out);
    }
    Ok(())
}

fn write_computed(dialect: Dialect, computed: &Computed, out: &mut String) {
    out.push_str(" GENERATED ALWAYS AS (");
    out.push_str(&computed.sql);
    out.push(')');
    match (computed.stored, dialect) {
        (true, _) => out.push_str(" STORED"),
        (false, Dialect::Postgres) => {}
        (false, _) => out.push_str(" VIRTUAL"),
    }
}

/// PostgreSQL stores what it computes.
fn computed(dialect: Dialect, table: &Table, column: &Column) -> Result<()> {
    if dialect != Dialect::Postgres || column.computed.as_ref().is_none_or(|computed| computed.stored) {
        return Ok(());
    }
    let message = format!(
        "column {}.{} is computed when it is read, and PostgreSQL computes columns when they are written: add `stored`",
        table.name, column.name
    );
    Err(Error::new(ErrorKind::Unsupported, message).with_table(&table.name).with_columns(vec![column.name.clone()]))
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

/// # Errors
/// `Unsupported` for a key to another schema on SQLite, whose databases do not look into each other.
pub(super) fn write_foreign_key(dialect: Dialect, table: &Table, key: &ForeignKey, out: &mut String) -> Result<()> {
    write_name(dialect, key.name.as_deref(), out);
    write_columns("FOREIGN KEY (", dialect, &key.columns, out);
    out.push_str(" REFERENCES ");
    if dialect == Dialect::Sqlite {
        // The target is in the table's own database, which may not be named here.
        if key.target_schema != table.schema {
            return Err(foreign_schema(table, key));
        }
        dialect.quote(&key.target_table, out);
    } else {
        quote_table(dialect, key.target_schema.as_deref(), &key.target_table, out);
    }
    write_columns(" (", dialect, &key.target_columns, out);
    for (event, action) in [(" ON DELETE ", key.on_delete), (" ON UPDATE ", key.on_update)] {
        if action != Action::NoAction {
            out.push_str(event);
            out.push_str(action.sql());
        }
    }
    Ok(())
}

#[cold]
fn foreign_schema(table: &Table, key: &ForeignKey) -> Error {
    let message = format!(
        "foreign key {}.{} references `{}`, which is in another schema, and SQLite has no foreign keys between databases: \
         give the schemas one name with `db.translate_schemas(..)`, or remove the reference",
        table.key(),
        key.columns.join(", "),
        key.target_key()
    );
    Error::new(ErrorKind::Unsupported, message).with_table(table.key())
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
    if dialect != Dialect::Sqlite {
        return Ok(());
    }
    if !column.autoincrement || (table.primary_key_columns() == [column.name.as_str()] && is_integer(&column.ty)) {
        return Ok(());
    }
    let message = format!(
        "column {}.{} cannot autoincrement: SQLite counts up only an integer that is the whole primary key",
        table.name, column.name
    );
    Err(Error::new(ErrorKind::Unsupported, message).with_table(&table.name).with_columns(vec![column.name.clone()]))
}

/// Arrays, ranges and intervals are PostgreSQL's.
fn native(dialect: Dialect, table: &Table, column: &Column) -> Result<()> {
    let (what, cure) = match &column.ty {
        SqlType::Array(_) => ("an array", "a `Json<Vec<T>>`"),
        SqlType::Range(_) => ("a range", "two columns, one for each bound"),
        SqlType::Interval => ("an interval", "an integer of seconds, or a text"),
        _ => return Ok(()),
    };
    if dialect == Dialect::Postgres {
        return Ok(());
    }
    let by = table.declared_by.as_ref().map_or_else(String::new, |model| format!(" of `{model}`"));
    let message = format!(
        "column {}.{}{by} is {what}, which only PostgreSQL has: make it {cure} where the program has other databases too",
        table.key(),
        column.name
    );
    Err(Error::new(ErrorKind::Unsupported, message).with_table(table.key()).with_columns(vec![column.name.clone()]))
}

fn is_integer(ty: &SqlType) -> bool {
    use SqlType::{BigInt, Integer, SmallInt, TinyInt};
    use SqlType::{UnsignedBigInt, UnsignedInteger, UnsignedSmallInt, UnsignedTinyInt};
    matches!(
        ty,
        TinyInt | SmallInt | Integer | BigInt | UnsignedTinyInt | UnsignedSmallInt | UnsignedInteger | UnsignedBigInt
    )
}
