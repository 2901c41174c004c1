//! `CREATE INDEX`.

use std::fmt::Write;

use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Index, IndexElement, IndexKey, NullsOrder, Table};

use super::{Dialect, quote_list, quote_table};

/// `CREATE INDEX`.
///
/// # Errors
/// `Config` when the index has no name, which it gets when its table is added to a
/// [`MetaData`](crate::schema::MetaData); `Unsupported` for what the backend's indexes cannot do: conditions on MariaDB
/// and MySQL, the place of NULL, methods, operator classes and included columns elsewhere than on PostgreSQL.
pub fn create_index(dialect: Dialect, table: &Table, index: &Index) -> Result<String> {
    let Some(name) = &index.name else {
        let columns = index.columns().join(", ");
        let message =
            format!("the index on {}.{columns} has no name: name it, or add its table to a MetaData", table.key());
        return Err(Error::new(ErrorKind::Config, message).with_table(table.key()));
    };
    check(dialect, table, name, index)?;
    let using = index.using.as_deref();
    // MariaDB and MySQL name these two before the index.
    let kind = using.filter(|method| dialect.is_mysql() && ["fulltext", "spatial"].contains(method));
    let using = using.filter(|_| kind.is_none());
    let mut out = String::from(if index.unique { "CREATE UNIQUE " } else { "CREATE " });
    if let Some(kind) = kind {
        out.push_str(&kind.to_ascii_uppercase());
        out.push(' ');
    }
    out.push_str("INDEX ");
    if dialect == Dialect::Sqlite {
        // Here the index has the schema, and its table may not.
        quote_table(dialect, table.schema.as_deref(), name, &mut out);
        out.push_str(" ON ");
        dialect.quote(&table.name, &mut out);
    } else {
        dialect.quote(name, &mut out);
        out.push_str(" ON ");
        quote_table(dialect, table.schema.as_deref(), &table.name, &mut out);
    }
    if let Some(method) = using.filter(|_| !dialect.is_mysql()) {
        out.push_str(" USING ");
        out.push_str(method);
    }
    for (at, element) in index.elements.iter().enumerate() {
        out.push_str(if at == 0 { " (" } else { ", " });
        write_element(dialect, element, &mut out);
    }
    out.push(')');
    if let Some(method) = using.filter(|_| dialect.is_mysql()) {
        out.push_str(" USING ");
        out.push_str(method);
    }
    if !index.include.is_empty() {
        out.push_str(" INCLUDE (");
        quote_list(dialect, &index.include, &mut out);
        out.push(')');
    }
    if let Some(sql) = &index.predicate {
        out.push_str(" WHERE ");
        out.push_str(sql);
    }
    Ok(out)
}

fn write_element(dialect: Dialect, element: &IndexElement, out: &mut String) {
    match &element.key {
        IndexKey::Column(name) => dialect.quote(name, out),
        // SQLite takes two pairs of parentheses for one, and the others ask for the inner one.
        IndexKey::Expression(sql) => {
            out.push('(');
            out.push_str(sql);
            out.push(')');
        }
    }
    if let Some(length) = element.length {
        write!(out, "({length})").expect("a String takes all that is written");
    }
    if let Some(class) = &element.operator_class {
        out.push(' ');
        out.push_str(class);
    }
    if element.descending {
        out.push_str(" DESC");
    }
    out.push_str(match element.nulls {
        None => "",
        Some(NullsOrder::First) => " NULLS FIRST",
        Some(NullsOrder::Last) => " NULLS LAST",
    });
}

/// What a backend's indexes cannot do is said before a statement is sent.
fn check(dialect: Dialect, table: &Table, name: &str, index: &Index) -> Result<()> {
    let postgres = dialect == Dialect::Postgres;
    let any = |has: fn(&IndexElement) -> bool| index.elements.iter().any(has);
    let expression = any(|element| matches!(element.key, IndexKey::Expression(_)));
    let refused = [
        (
            dialect.is_mysql() && index.predicate.is_some(),
            "a condition, and only SQLite and PostgreSQL have partial indexes",
            "index all rows there, or compute a column and index that",
        ),
        (
            dialect == Dialect::MariaDb && expression,
            "an expression, and MariaDB indexes columns alone",
            "add a column with `computed = \"..\"` and index that",
        ),
        (
            !postgres && any(|element| element.nulls.is_some()),
            "a place for NULL, which only PostgreSQL can choose",
            "leave out NULLS FIRST and NULLS LAST",
        ),
        (
            !postgres && any(|element| element.operator_class.is_some()),
            "an operator class, which only PostgreSQL has",
            "leave it out",
        ),
        (
            !postgres && !index.include.is_empty(),
            "included columns, which only PostgreSQL has",
            "add them to its columns, or leave them out",
        ),
        (
            dialect == Dialect::Sqlite && index.using.is_some(),
            "a method, and SQLite has one kind of index",
            "leave out `using`",
        ),
        (
            !dialect.is_mysql() && any(|element| element.length.is_some()),
            "a prefix, which only MariaDB and MySQL have",
            "index an expression such as `substr(name, 1, 20)`",
        ),
    ];
    match refused.iter().find(|(refused, ..)| *refused) {
        None => Ok(()),
        Some((_, what, cure)) => {
            let message = format!("index `{name}` of table `{}` has {what}: {cure}", table.name);
            Err(Error::new(ErrorKind::Unsupported, message).with_table(&table.name))
        }
    }
}
