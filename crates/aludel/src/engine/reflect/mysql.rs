//! The tables of a MariaDB or MySQL database, from its information schema.

use std::collections::HashMap;

use super::type_name::{TypeName, literals};
use super::{PooledConnection, action, index_of, optional_text, passed_over, query, text};
use crate::error::Result;
use crate::schema::{CheckConstraint, Column, ForeignKey, PrimaryKey, SqlType, Table, UniqueConstraint};
use crate::sql::Dialect;

const TABLES: &str = "SELECT table_name, table_comment FROM information_schema.tables \
    WHERE table_schema = database() AND table_type = 'BASE TABLE' ORDER BY table_name";

const COLUMNS: &str = "SELECT table_name, column_name, column_type, is_nullable, column_default, extra, column_comment \
    FROM information_schema.columns WHERE table_schema = database() ORDER BY table_name, ordinal_position";

const INDEXES: &str = "SELECT table_name, index_name, non_unique = 0, column_name, sub_part \
    FROM information_schema.statistics WHERE table_schema = database() ORDER BY table_name, index_name, seq_in_index";

const FOREIGN_KEYS: &str = "SELECT k.table_name, k.constraint_name, k.column_name, k.referenced_table_name, \
    k.referenced_column_name, r.delete_rule, r.update_rule FROM information_schema.key_column_usage k \
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

pub(super) async fn reflect(connection: &mut PooledConnection) -> Result<Vec<Table>> {
    let dialect = connection.dialect();
    let mut tables = query(connection, TABLES, &[], |row| {
        let mut table = Table::new(text(row, 0)?);
        table.comment = optional_text(row, 1)?.filter(|comment| !comment.is_empty());
        Ok(table)
    })
    .await?;
    let positions: HashMap<String, usize> =
        tables.iter().enumerate().map(|(at, table)| (table.name.clone(), at)).collect();
    for (table, column) in query(connection, COLUMNS, &[], |row| column(row, dialect)).await? {
        if let Some(&at) = positions.get(&table) {
            tables[at].columns.push(column);
        }
    }
    foreign_keys(connection, &mut tables, &positions).await?;
    indexes(connection, &mut tables, &positions).await?;
    checks(connection, &mut tables, &positions, dialect).await?;
    Ok(tables)
}

fn column(row: &super::Row<'_>, dialect: Dialect) -> Result<(String, Column)> {
    let mut column = Column::new(text(row, 1)?, sql_type(row.text(2)?));
    column.nullable = row.text(3)? == "YES";
    let extra = row.text(5)?.to_ascii_lowercase();
    column.autoincrement = extra.contains("auto_increment");
    let generated = extra.contains("generated") && !extra.contains("default_generated");
    // MariaDB writes a default as SQL, NULL among them; MySQL writes texts without their quotes.
    column.server_default = optional_text(row, 4)?.filter(|_| !generated).and_then(|default| match dialect {
        Dialect::MariaDb => Some(default).filter(|default| default != "NULL"),
        _ if extra.contains("default_generated") || is_number(&column.ty) => Some(default),
        _ => Some(format!("'{}'", default.replace('\'', "''"))),
    });
    column.comment = optional_text(row, 6)?.filter(|comment| !comment.is_empty());
    Ok((text(row, 0)?, column))
}

async fn foreign_keys(
    connection: &mut PooledConnection,
    tables: &mut [Table],
    positions: &HashMap<String, usize>,
) -> Result<()> {
    let rows = query(connection, FOREIGN_KEYS, &[], |row| {
        let actions = (action(row.text(5)?), action(row.text(6)?));
        Ok((text(row, 0)?, text(row, 1)?, text(row, 2)?, text(row, 3)?, text(row, 4)?, actions))
    });
    for (table, name, column, target, target_column, (on_delete, on_update)) in rows.await? {
        let Some(&at) = positions.get(&table) else { continue };
        let keys = &mut tables[at].foreign_keys;
        if keys.last().is_none_or(|key| key.name.as_deref() != Some(&*name)) {
            let key = ForeignKey::new::<String, String>([], target, []).named(name);
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
) -> Result<()> {
    let rows = query(connection, INDEXES, &[], |row| {
        Ok((text(row, 0)?, text(row, 1)?, row.boolean(2)?, optional_text(row, 3)?, row.is_null(4)))
    });
    for (table_name, name, unique, column, whole) in rows.await? {
        let Some(&at) = positions.get(&table_name) else { continue };
        let table = &mut tables[at];
        match column {
            Some(column) if name == "PRIMARY" => {
                table.primary_key.get_or_insert_with(|| PrimaryKey::new::<String>([])).columns.push(column);
            }
            Some(column) if whole => index_of(&mut table.indexes, name, unique).columns.push(column),
            _ => {
                passed_over(&table_name, &name);
                table.indexes.retain(|known| known.name.as_deref() != Some(&*name));
            }
        }
    }
    for table in tables {
        let keys = &table.foreign_keys;
        table.indexes.retain(|index| !keys.iter().any(|key| key.name == index.name));
        let (unique, plain) = std::mem::take(&mut table.indexes).into_iter().partition(|index| index.unique);
        table.indexes = plain;
        let unique: Vec<crate::schema::Index> = unique;
        table.uniques = unique
            .into_iter()
            .map(|index| UniqueConstraint { name: index.name, ..UniqueConstraint::new(index.columns) })
            .collect();
    }
    Ok(())
}

async fn checks(
    connection: &mut PooledConnection,
    tables: &mut [Table],
    positions: &HashMap<String, usize>,
    dialect: Dialect,
) -> Result<()> {
    let sql = if dialect == Dialect::MariaDb { CHECKS_OF_MARIADB } else { CHECKS_OF_MYSQL };
    for (table, name, sql) in
        query(connection, sql, &[], |row| Ok((text(row, 0)?, text(row, 1)?, text(row, 2)?))).await?
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
        ("json", _) => SqlType::Json,
        ("enum", _) => {
            let values = literals(column_type);
            SqlType::Enum { name: "".into(), values: values.into() }
        }
        _ => name.other(),
    }
}
