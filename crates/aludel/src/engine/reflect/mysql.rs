//! The tables of a MariaDB or MySQL database, from its information schema.

use std::collections::HashMap;

use super::mariadb::Sequences;
use super::type_name::{TypeName, literals};
use super::{PooledConnection, Reflected, action, column_names, index_of, optional_text, query, text, unwrapped};
use crate::error::Result;
use crate::schema::{
    Action, CheckConstraint, Column, Computed, ForeignKey, Index, IndexElement, PrimaryKey, SqlType, Table,
    UniqueConstraint, View,
};
use crate::sql::Dialect;

const TABLES: &str = "SELECT table_name, table_comment FROM information_schema.tables \
    WHERE table_schema = database() AND table_type = 'BASE TABLE' ORDER BY table_name";

const VIEWS: &str = "SELECT table_name, view_definition FROM information_schema.views \
    WHERE table_schema = database() ORDER BY table_name";

const COLUMNS: &str = "SELECT table_name, column_name, column_type, is_nullable, column_default, extra, column_comment, \
    generation_expression \
    FROM information_schema.columns WHERE table_schema = database() ORDER BY table_name, ordinal_position";

const INDEXES_OF_MARIADB: &str = "SELECT table_name, index_name, non_unique = 0, column_name, sub_part, collation, \
    index_type, NULL FROM information_schema.statistics WHERE table_schema = database() \
    ORDER BY table_name, index_name, seq_in_index";

const INDEXES_OF_MYSQL: &str = "SELECT table_name, index_name, non_unique = 0, column_name, sub_part, collation, \
    index_type, expression FROM information_schema.statistics WHERE table_schema = database() \
    ORDER BY table_name, index_name, seq_in_index";

const FOREIGN_KEYS: &str = "SELECT k.table_name, k.constraint_name, k.column_name, k.referenced_table_name, \
    k.referenced_column_name, r.delete_rule, r.update_rule, nullif(k.referenced_table_schema, k.table_schema) FROM information_schema.key_column_usage k \
    JOIN information_schema.referential_constraints r \
    ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name AND r.table_name = k.table_name \
    WHERE k.table_schema = database() AND k.referenced_table_name IS NOT NULL \
    ORDER BY k.table_name, k.constraint_name, k.ordinal_position";

/// MySQL's view of checks does not name the table.
const CHECKS_OF_MARIADB: &str = "SELECT table_name, constraint_name, check_clause \
    FROM information_schema.check_constraints WHERE constraint_schema = database() ORDER BY table_name, constraint_name";

const CHECKS_OF_MYSQL: &str = "SELECT t.table_name, c.constraint_name, c.check_clause \
    FROM information_schema.check_constraints c JOIN information_schema.table_constraints t \
    ON t.constraint_schema = c.constraint_schema AND t.constraint_name = c.constraint_name \
    WHERE c.constraint_schema = database() AND t.constraint_type = 'CHECK' ORDER BY t.table_name, c.constraint_name";

/// A query on another database than the connection's own: a statement that is prepared keeps the `database()` of its time,
/// so that USE would not do.
fn of(sql: &str, database: Option<&str>) -> String {
    match database {
        None => sql.to_owned(),
        Some(name) => sql.replace("database()", &format!("'{}'", name.replace('\\', "\\\\").replace('\'', "''"))),
    }
}

pub(super) async fn reflect(connection: &mut PooledConnection, database: Option<&str>) -> Result<Reflected> {
    let dialect = connection.dialect();
    let mut tables = query(connection, &of(TABLES, database), &[], |row| {
        let mut table = Table::new(text(row, 0)?);
        table.comment = optional_text(row, 1)?.filter(|comment| !comment.is_empty());
        Ok(table)
    })
    .await?;
    let mut views =
        query(connection, &of(VIEWS, database), &[], |row| Ok(View::new(text(row, 0)?, text(row, 1)?))).await?;
    let mut sequences = Sequences::default();
    let positions: HashMap<String, usize> =
        tables.iter().enumerate().map(|(at, table)| (table.name.clone(), at)).collect();
    for (table, mut column) in query(connection, &of(COLUMNS, database), &[], |row| column(row, dialect)).await? {
        if dialect == Dialect::MariaDb {
            sequences.take(connection, database, &mut column).await?;
        }
        if let Some(&at) = positions.get(&table) {
            tables[at].columns.push(column);
        } else if let Some(view) = views.iter_mut().find(|view| view.name == table) {
            view.columns.push(column);
        }
    }
    foreign_keys(connection, &mut tables, &positions, database).await?;
    indexes(connection, &mut tables, &positions, database, dialect).await?;
    checks(connection, &mut tables, &positions, database, dialect).await?;
    Ok(Reflected { tables, views })
}

fn column(row: &super::Row<'_>, dialect: Dialect) -> Result<(String, Column)> {
    let mut column = Column::new(text(row, 1)?, sql_type(row.text(2)?));
    column.nullable = row.text(3)? == "YES";
    let extra = row.text(5)?.to_ascii_lowercase();
    column.autoincrement = extra.contains("auto_increment");
    let generated = extra.contains("generated") && !extra.contains("default_generated");
    column.computed = optional_text(row, 7)?.filter(|_| generated).map(|sql| match extra.contains("stored") {
        true => Computed::stored(unwrapped(&sql)),
        false => Computed::virtually(unwrapped(&sql)),
    });
    // MariaDB writes a default as SQL, NULL among them; MySQL writes texts without their quotes.
    column.server_default = optional_text(row, 4)?.filter(|_| !generated).and_then(|default| match dialect {
        Dialect::MariaDb => Some(default).filter(|default| default != "NULL"),
        _ if extra.contains("default_generated") || is_number(&column.ty) => Some(default),
        _ => Some(format!("'{}'", default.replace('\'', "''"))),
    });
    // The DDL gives it the digits that the column has.
    if column.server_default.as_deref().is_some_and(is_current_timestamp) {
        column.server_default = Some("CURRENT_TIMESTAMP".to_owned());
    } else if matches!(column.ty, SqlType::Time | SqlType::DateTime | SqlType::Timestamp) {
        column.server_default = column.server_default.map(without_zeros);
    }
    column.comment = optional_text(row, 6)?.filter(|comment| !comment.is_empty());
    Ok((text(row, 0)?, column))
}

/// RESTRICT and NO ACTION are one to InnoDB, and which of them the server names depends on its version.
fn own_action(words: &str) -> Action {
    match action(words) {
        Action::Restrict => Action::NoAction,
        action => action,
    }
}

async fn foreign_keys(
    connection: &mut PooledConnection,
    tables: &mut [Table],
    positions: &HashMap<String, usize>,
    database: Option<&str>,
) -> Result<()> {
    let sql = of(FOREIGN_KEYS, database);
    let rows = query(connection, &sql, &[], |row| {
        let actions = (own_action(row.text(5)?), own_action(row.text(6)?));
        Ok((
            text(row, 0)?,
            text(row, 1)?,
            text(row, 2)?,
            (text(row, 3)?, optional_text(row, 7)?),
            text(row, 4)?,
            actions,
        ))
    });
    for (table, name, column, target, target_column, (on_delete, on_update)) in rows.await? {
        let Some(&at) = positions.get(&table) else { continue };
        let keys = &mut tables[at].foreign_keys;
        if keys.last().is_none_or(|key| key.name.as_deref() != Some(&*name)) {
            let (target, target_schema) = target;
            let mut key = ForeignKey::new::<String, String>([], target, []).named(name);
            key.target_schema = target_schema;
            keys.push(key.on_delete(on_delete).on_update(on_update));
        }
        if let Some(key) = keys.last_mut() {
            key.columns.push(column);
            key.target_columns.push(target_column);
        }
    }
    Ok(())
}

/// Keys, unique constraints (which here are unique indexes) and indexes. An index that the server made for a foreign key
/// has that key's name, and is left out.
async fn indexes(
    connection: &mut PooledConnection,
    tables: &mut [Table],
    positions: &HashMap<String, usize>,
    database: Option<&str>,
    dialect: Dialect,
) -> Result<()> {
    let sql = of(if dialect == Dialect::MariaDb { INDEXES_OF_MARIADB } else { INDEXES_OF_MYSQL }, database);
    let rows = query(connection, &sql, &[], |row| Ok((text(row, 0)?, text(row, 1)?, part(row)?)));
    for (table_name, name, part) in rows.await? {
        let Some(&at) = positions.get(&table_name) else { continue };
        let table = &mut tables[at];
        match part.element.column_name().map(str::to_owned) {
            Some(column) if name == "PRIMARY" => {
                table.primary_key.get_or_insert_with(|| PrimaryKey::new::<String>([])).columns.push(column);
            }
            _ => {
                let index = index_of(&mut table.indexes, name, part.unique);
                index.using = part.using;
                index.elements.push(part.element);
            }
        }
    }
    for table in tables {
        let keys = &table.foreign_keys;
        table.indexes.retain(|index| !keys.iter().any(|key| key.name == index.name));
        let constraint = |index: &Index| {
            index.unique && index.is_over_columns() && !index.elements.iter().any(|element| element.descending)
        };
        let (unique, plain): (Vec<_>, _) = std::mem::take(&mut table.indexes).into_iter().partition(constraint);
        table.indexes = plain;
        let unique =
            unique.into_iter().map(|index| UniqueConstraint { columns: column_names(&index), name: index.name });
        table.uniques = unique.collect();
    }
    Ok(())
}

/// One element of an index.
struct IndexPart {
    unique: bool,
    using: Option<String>,
    element: IndexElement,
}

fn part(row: &super::Row<'_>) -> Result<IndexPart> {
    let mut element = match (optional_text(row, 3)?, optional_text(row, 7)?) {
        (Some(column), _) => IndexElement::column(column),
        (None, expression) => IndexElement::expression(unwrapped(&expression.unwrap_or_default())),
    };
    let method = text(row, 6)?.to_ascii_lowercase();
    // What words begin with is the affair of a full text index, and of points a spatial one.
    let own = method == "fulltext" || method == "spatial";
    element.length = row.optional_integer(4)?.filter(|_| !own).and_then(|length| u32::try_from(length).ok());
    element.descending = optional_text(row, 5)?.as_deref() == Some("D");
    Ok(IndexPart { unique: row.boolean(2)?, using: Some(method).filter(|method| method != "btree"), element })
}

async fn checks(
    connection: &mut PooledConnection,
    tables: &mut [Table],
    positions: &HashMap<String, usize>,
    database: Option<&str>,
    dialect: Dialect,
) -> Result<()> {
    let sql = if dialect == Dialect::MariaDb { CHECKS_OF_MARIADB } else { CHECKS_OF_MYSQL };
    for (table, name, sql) in
        query(connection, &of(sql, database), &[], |row| Ok((text(row, 0)?, text(row, 1)?, text(row, 2)?))).await?
    {
        let Some(&at) = positions.get(&table) else { continue };
        let table = &mut tables[at];
        // MariaDB's JSON is text with this check.
        let json = sql.strip_prefix("json_valid(`").and_then(|rest| rest.strip_suffix("`)"));
        match json.and_then(|json| table.columns.iter_mut().find(|column| column.name == json)) {
            Some(column) => column.ty = SqlType::Json,
            None => table.checks.push(CheckConstraint::new(sql).named(name)),
        }
    }
    Ok(())
}

/// `current_timestamp()`, with or without a number of digits.
fn is_current_timestamp(sql: &str) -> bool {
    let sql = sql.to_ascii_lowercase();
    let digits = sql.strip_prefix("current_timestamp").map(|rest| rest.trim_matches(['(', ')']));
    digits.is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))
}

/// A literal `'2020-01-01 00:00:00.000000'` without the zeros that the column's digits bring about.
fn without_zeros(sql: String) -> String {
    match sql.strip_suffix('\'') {
        Some(text) if text.starts_with('\'') && text.contains('.') => {
            format!("{}'", text.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => sql,
    }
}

fn is_number(ty: &SqlType) -> bool {
    !matches!(
        ty,
        SqlType::String(_)
            | SqlType::Text
            | SqlType::Enum { .. }
            | SqlType::Binary(_)
            | SqlType::Json
            | SqlType::Other(_)
            | SqlType::Date
            | SqlType::Time
            | SqlType::DateTime
            | SqlType::Timestamp
            | SqlType::Uuid
            | SqlType::Inet4
            | SqlType::Inet6
    )
}

fn sql_type(column_type: &str) -> SqlType {
    let name = TypeName::parse(column_type);
    let unsigned = name.rest.contains("unsigned") || name.word.ends_with("unsigned");
    match (name.word.trim_end_matches(" unsigned"), unsigned) {
        ("tinyint", false) if name.length() == Some(1) => SqlType::Boolean,
        ("tinyint", false) => SqlType::TinyInt,
        ("tinyint", true) => SqlType::UnsignedTinyInt,
        ("smallint", false) => SqlType::SmallInt,
        ("smallint", true) => SqlType::UnsignedSmallInt,
        ("int" | "mediumint", false) => SqlType::Integer,
        ("int" | "mediumint", true) => SqlType::UnsignedInteger,
        ("bigint", false) => SqlType::BigInt,
        ("bigint", true) => SqlType::UnsignedBigInt,
        ("float", _) => SqlType::Float,
        ("double", _) => SqlType::Double,
        ("decimal", _) if name.numbers == [65, 30] => SqlType::Decimal { precision: None, scale: None },
        ("decimal", _) => name.decimal(),
        ("char", _) if name.length() == Some(36) => SqlType::Uuid,
        ("varchar" | "char", _) => SqlType::String(name.length()),
        ("longtext" | "text" | "mediumtext" | "tinytext", _) => SqlType::Text,
        ("varbinary", _) => SqlType::Binary(name.length()),
        ("longblob" | "blob" | "mediumblob" | "tinyblob", _) => SqlType::Binary(None),
        ("date", _) => SqlType::Date,
        ("time", _) => SqlType::Time,
        ("datetime", _) => SqlType::DateTime,
        ("timestamp", _) => SqlType::Timestamp,
        ("uuid", _) => SqlType::Uuid,
        ("inet4", _) => SqlType::Inet4,
        ("inet6", _) => SqlType::Inet6,
        ("json", _) => SqlType::Json,
        ("enum", _) => {
            let values = literals(column_type);
            SqlType::Enum { name: "".into(), values: values.into() }
        }
        _ => name.other(),
    }
}
