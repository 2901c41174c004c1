//! The tables of a SQLite database, from its pragmas and from the text that made them.

use super::create_table::{self, Declared};
use super::type_name::TypeName;
use super::{PooledConnection, Reflected, action, column_names, index_of, optional_text, query, text};
use crate::error::Result;
use crate::schema::{
    CheckConstraint, Column, Computed, ForeignKey, Index, IndexElement, PrimaryKey, SqlType, Table, UniqueConstraint,
    View,
};
use crate::sql::{Dialect, Value};

/// What `pragma_table_xinfo` says of a column that is computed and stored.
const STORED: i64 = 3;

pub(super) async fn reflect(connection: &mut PooledConnection) -> Result<Reflected> {
    let sql = "SELECT type, name, sql FROM sqlite_schema WHERE type IN ('table', 'view') \
               AND name NOT LIKE 'sqlite/_%' ESCAPE '/' ORDER BY name";
    let mut reflected = Reflected::default();
    let rows = query(connection, sql, &[], |row| Ok((text(row, 0)?, text(row, 1)?, optional_text(row, 2)?)));
    for (kind, name, sql) in rows.await? {
        let sql = sql.unwrap_or_default();
        // A view has columns as a table has.
        let declared = if kind == "view" { Declared::default() } else { create_table::parse(&sql) };
        let mut table = Table::new(name);
        columns(connection, &mut table, &declared).await?;
        if kind == "view" {
            let mut view = View::new(table.name, create_table::view_definition(&sql));
            view.columns = table.columns;
            reflected.views.push(view);
            continue;
        }
        foreign_keys(connection, &mut table, &declared).await?;
        indexes(connection, &mut table, &declared).await?;
        checks(&mut table, declared);
        reflected.tables.push(table);
    }
    Ok(reflected)
}

async fn columns(connection: &mut PooledConnection, table: &mut Table, declared: &Declared) -> Result<()> {
    let name = [Value::Text(table.name.clone().into())];
    // Hidden columns are those of virtual tables; 2 and 3 are computed ones.
    let sql = "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid";
    let rows = query(connection, sql, &name, |row| {
        let default = optional_text(row, 3)?;
        Ok((text(row, 0)?, text(row, 1)?, row.boolean(2)?, default, row.integer(4)?, row.integer(5)?))
    });
    let mut key = Vec::new();
    let mut integer = false;
    for (name, ty, not_null, default, position, hidden) in rows.await? {
        integer |= position > 0 && ty.eq_ignore_ascii_case("INTEGER");
        if position > 0 {
            key.push((position, name.clone()));
        }
        let mut column = Column::new(name, sql_type(&ty));
        column.nullable = !not_null && position == 0;
        column.server_default = default;
        let computed = declared.computed.iter().find(|(computed, _)| *computed == column.name);
        column.computed = computed.map(|(_, sql)| match hidden {
            STORED => Computed::stored(sql),
            _ => Computed::virtually(sql),
        });
        table.columns.push(column);
    }
    key.sort();
    let key: Vec<String> = key.into_iter().map(|(_, name)| name).collect();
    if let [only] = &*key {
        // An INTEGER that is the whole key is the rowid, which SQLite counts up.
        let rowid = integer && !declared.without_rowid;
        table.columns.iter_mut().filter(|column| column.name == *only).for_each(|column| column.autoincrement = rowid);
    }
    if !key.is_empty() {
        table.primary_key = Some(PrimaryKey { name: declared.primary_key.clone(), ..PrimaryKey::new(key) });
    }
    Ok(())
}

async fn foreign_keys(connection: &mut PooledConnection, table: &mut Table, declared: &Declared) -> Result<()> {
    let name = [Value::Text(table.name.clone().into())];
    let sql = "SELECT id, \"table\", \"from\", \"to\", on_update, on_delete FROM pragma_foreign_key_list(?) ORDER BY id DESC, seq";
    let rows = query(connection, sql, &name, |row| {
        let parts = (text(row, 1)?, text(row, 2)?, optional_text(row, 3)?, text(row, 4)?, text(row, 5)?);
        Ok((row.integer(0)?, parts))
    });
    let mut last = None;
    for (id, (target, from, to, on_update, on_delete)) in rows.await? {
        if last != Some(id) {
            last = Some(id);
            let key = ForeignKey::new::<String, String>([], target.clone(), []);
            table.foreign_keys.push(key.on_update(action(&on_update)).on_delete(action(&on_delete)));
        }
        // A key that names no columns points at the primary key.
        let to = match to {
            Some(to) => to,
            None => primary_key_of(connection, &target).await?,
        };
        if let Some(key) = table.foreign_keys.last_mut() {
            key.columns.push(from);
            key.target_columns.push(to);
        }
    }
    for key in &mut table.foreign_keys {
        key.name =
            declared.foreign_keys.iter().find(|(columns, _)| *columns == key.columns).map(|(_, name)| name.clone());
    }
    Ok(())
}

async fn primary_key_of(connection: &mut PooledConnection, table: &str) -> Result<String> {
    let sql = "SELECT name FROM pragma_table_info(?) WHERE pk = 1";
    let names = query(connection, sql, &[Value::Text(table.into())], |row| text(row, 0)).await?;
    Ok(names.into_iter().next().unwrap_or_else(|| "rowid".to_owned()))
}

async fn indexes(connection: &mut PooledConnection, table: &mut Table, declared: &Declared) -> Result<()> {
    let name = [Value::Text(table.name.clone().into())];
    let sql = "SELECT l.name, l.\"unique\", l.origin, i.name, i.desc, s.sql FROM pragma_index_list(?) AS l \
               JOIN pragma_index_xinfo(l.name) AS i LEFT JOIN sqlite_schema AS s ON s.type = 'index' AND s.name = l.name \
               WHERE i.key = 1 ORDER BY l.seq DESC, i.seqno";
    let rows = query(connection, sql, &name, |row| {
        let part = (optional_text(row, 3)?, row.boolean(4)?, optional_text(row, 5)?);
        Ok((text(row, 0)?, row.boolean(1)?, text(row, 2)?, part))
    });
    let (mut made, mut constraints): (Vec<Index>, Vec<Index>) = (Vec::new(), Vec::new());
    for (index, unique, origin, (column, descending, sql)) in rows.await? {
        // Made by the program, by a unique constraint, or by the primary key.
        let list = match origin.as_str() {
            "c" => &mut made,
            "u" => &mut constraints,
            _ => continue,
        };
        let index = index_of(list, index, unique);
        let mut declared = sql.as_deref().map(create_table::parse_index).unwrap_or_default();
        let at = index.elements.len();
        let written = (at < declared.elements.len()).then(|| declared.elements.swap_remove(at));
        let mut element = match (column, written) {
            (Some(column), None) => IndexElement::column(column),
            (Some(column), Some(written)) => match written.collation {
                None => IndexElement::column(column),
                Some(collation) => IndexElement::expression(collated(&column, &collation)),
            },
            (None, written) => IndexElement::expression(written.map_or(String::new(), |part| part.sql)),
        };
        element.descending = descending;
        index.elements.push(element);
        index.predicate = declared.predicate;
    }
    table.indexes = made;
    table.indexes.sort_by(|a, b| a.name.cmp(&b.name));
    table.uniques = constraints
        .into_iter()
        .map(|index| {
            let columns = column_names(&index);
            let name = declared.uniques.iter().find(|(known, _)| *known == columns).map(|(_, name)| name.clone());
            UniqueConstraint { name, columns }
        })
        .collect();
    Ok(())
}

/// A column compared in another way than its own.
fn collated(column: &str, collation: &str) -> String {
    let mut out = String::new();
    Dialect::Sqlite.quote(column, &mut out);
    out.push_str(" COLLATE ");
    out.push_str(collation);
    out
}

/// The checks; those that stand in for an enum are its type.
fn checks(table: &mut Table, declared: Declared) {
    for check in declared.checks {
        let enumerated = create_table::in_list(&check.sql)
            .and_then(|(name, values)| Some((table.columns.iter_mut().find(|column| column.name == name)?, values)));
        match enumerated {
            Some((column, values)) if matches!(column.ty, SqlType::String(_)) => {
                let name = check.name.clone().unwrap_or_else(|| column.name.clone());
                column.ty = SqlType::Enum { name: name.into(), values: values.into() };
                column.enum_check = check.name;
            }
            _ => table.checks.push(CheckConstraint { name: check.name, ..CheckConstraint::new(check.sql) }),
        }
    }
}

/// The type that a declared name stands for: the names that the DDL writes, and those that other programs use.
fn sql_type(declared: &str) -> SqlType {
    let name = TypeName::parse(declared);
    match name.word.as_str() {
        "boolean" | "bool" => SqlType::Boolean,
        // SQLite's integers have up to 64 bits, whatever they are called.
        "integer" | "int" | "bigint" | "smallint" | "tinyint" | "mediumint" => SqlType::BigInt,
        "float" => SqlType::Float,
        "double" | "double precision" | "real" => SqlType::Double,
        "numeric" | "decimal" => name.decimal(),
        "char" if name.length() == Some(36) => SqlType::Uuid,
        "varchar" | "char" | "nvarchar" | "character varying" => SqlType::String(name.length()),
        "text" => SqlType::Text,
        "blob" => SqlType::Binary(None),
        "date" => SqlType::Date,
        "time" => SqlType::Time,
        "datetime" => SqlType::DateTime,
        "timestamp" => SqlType::Timestamp,
        "json text" | "json" => SqlType::Json,
        "inet text" => SqlType::Inet,
        "inet4 text" => SqlType::Inet4,
        "inet6 text" => SqlType::Inet6,
        _ => name.other(),
    }
}
