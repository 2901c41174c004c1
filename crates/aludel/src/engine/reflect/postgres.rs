//! The tables of a PostgreSQL schema, from its catalogs.

use std::collections::HashMap;

use super::type_name::TypeName;
use super::{PooledConnection, index_of, optional_text, passed_over, query, text};
use crate::error::Result;
use crate::schema::{Action, CheckConstraint, Column, ForeignKey, Index, PrimaryKey, SqlType, Table, UniqueConstraint};

/// The tables, partitioned ones included, without the partitions.
const TABLES: &str = "SELECT c.relname::text, obj_description(c.oid, 'pg_class') FROM pg_catalog.pg_class c \
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = current_schema()::regnamespace \
    ORDER BY c.relname";

const COLUMNS: &str = "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), t.typtype::text, \
    t.typname::text, a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text, \
    col_description(c.oid, a.attnum) \
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace AND a.attnum > 0 \
    AND NOT a.attisdropped ORDER BY c.relname, a.attnum";

const CONSTRAINTS: &str = "SELECT c.relname::text, k.conname::text, k.contype::text, f.relname::text, \
    k.confdeltype::text, k.confupdtype::text, a.attname::text, fa.attname::text, \
    CASE WHEN k.contype = 'c' THEN pg_get_expr(k.conbin, k.conrelid) END \
    FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid \
    LEFT JOIN pg_catalog.pg_class f ON f.oid = k.confrelid \
    LEFT JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS p (local, remote, position) ON true \
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.local \
    LEFT JOIN pg_catalog.pg_attribute fa ON fa.attrelid = k.confrelid AND fa.attnum = p.remote \
    WHERE k.contype IN ('p', 'u', 'f', 'c') AND c.relnamespace = current_schema()::regnamespace AND NOT c.relispartition \
    ORDER BY c.relname, k.oid, p.position";

/// The indexes that belong to no constraint.
const INDEXES: &str = "SELECT c.relname::text, i.relname::text, x.indisunique, a.attname::text, x.indpred IS NOT NULL \
    FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indrelid \
    JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid \
    CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY AS p (attnum, position) \
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = p.attnum AND p.attnum > 0 \
    WHERE c.relnamespace = current_schema()::regnamespace AND NOT c.relispartition AND NOT x.indisprimary \
    AND p.position <= x.indnkeyatts \
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conindid = x.indexrelid AND k.conrelid = x.indrelid) \
    ORDER BY c.relname, i.relname, p.position";

const ENUMS: &str = "SELECT t.typname::text, e.enumlabel::text FROM pg_catalog.pg_enum e \
    JOIN pg_catalog.pg_type t ON t.oid = e.enumtypid ORDER BY t.typname, e.enumsortorder";

pub(super) async fn reflect(connection: &mut PooledConnection) -> Result<Vec<Table>> {
    let mut tables: Vec<Table> = query(connection, TABLES, &[], |row| {
        let mut table = Table::new(text(row, 0)?);
        table.comment = optional_text(row, 1)?;
        Ok(table)
    })
    .await?;
    let positions: HashMap<String, usize> =
        tables.iter().enumerate().map(|(at, table)| (table.name.clone(), at)).collect();
    let mut enums: HashMap<String, Vec<String>> = HashMap::new();
    for (name, value) in query(connection, ENUMS, &[], |row| Ok((text(row, 0)?, text(row, 1)?))).await? {
        enums.entry(name).or_default().push(value);
    }
    for (table, column) in query(connection, COLUMNS, &[], |row| column(row, &enums)).await? {
        if let Some(&at) = positions.get(&table) {
            tables[at].columns.push(column);
        }
    }
    for part in query(connection, CONSTRAINTS, &[], ConstraintPart::read).await? {
        if let Some(&at) = positions.get(&part.table) {
            part.add_to(&mut tables[at]);
        }
    }
    let rows = query(connection, INDEXES, &[], |row| {
        Ok((text(row, 0)?, text(row, 1)?, row.boolean(2)?, optional_text(row, 3)?, row.boolean(4)?))
    });
    for (table, index, unique, column, partial) in rows.await? {
        let Some(&at) = positions.get(&table) else { continue };
        let indexes: &mut Vec<Index> = &mut tables[at].indexes;
        match column {
            Some(column) if !partial => index_of(indexes, index, unique).columns.push(column),
            _ => {
                passed_over(&table, &index);
                indexes.retain(|known| known.name.as_deref() != Some(&*index));
            }
        }
    }
    Ok(tables)
}

fn column(row: &super::Row<'_>, enums: &HashMap<String, Vec<String>>) -> Result<(String, Column)> {
    let (type_name, kind, internal) = (text(row, 2)?, text(row, 3)?, text(row, 4)?);
    let ty = match enums.get(&internal).filter(|_| kind == "e") {
        Some(values) => SqlType::Enum {
            name: internal.into(),
            values: values.iter().map(|value| value.clone().into()).collect::<Vec<_>>().into(),
        },
        None => sql_type(&type_name),
    };
    let mut column = Column::new(text(row, 1)?, ty);
    column.nullable = !row.boolean(5)?;
    let default = optional_text(row, 6)?.filter(|_| row.text(8).is_ok_and(str::is_empty));
    let sequence = default.as_ref().is_some_and(|default| default.starts_with("nextval("));
    column.autoincrement = sequence || !row.text(7)?.is_empty();
    column.server_default = default.filter(|_| !sequence);
    column.comment = optional_text(row, 9)?;
    Ok((text(row, 0)?, column))
}

/// One column of a constraint, or a check.
struct ConstraintPart {
    table: String,
    name: String,
    kind: String,
    target: Option<String>,
    on_delete: Action,
    on_update: Action,
    column: Option<String>,
    target_column: Option<String>,
    check: Option<String>,
}

impl ConstraintPart {
    fn read(row: &super::Row<'_>) -> Result<Self> {
        Ok(Self {
            table: text(row, 0)?,
            name: text(row, 1)?,
            kind: text(row, 2)?,
            target: optional_text(row, 3)?,
            on_delete: action(row.text(4)?),
            on_update: action(row.text(5)?),
            column: optional_text(row, 6)?,
            target_column: optional_text(row, 7)?,
            check: optional_text(row, 8)?,
        })
    }

    fn add_to(self, table: &mut Table) {
        let same = |name: &Option<String>| name.as_deref() == Some(&*self.name);
        match (self.kind.as_str(), self.column) {
            ("p", Some(column)) => {
                let key = table.primary_key.get_or_insert_with(|| PrimaryKey::new::<String>([]).named(self.name));
                key.columns.push(column);
            }
            ("u", Some(column)) => {
                if !table.uniques.last().is_some_and(|unique| same(&unique.name)) {
                    table.uniques.push(UniqueConstraint::new::<String>([]).named(self.name));
                }
                table.uniques.iter_mut().last().into_iter().for_each(|unique| unique.columns.push(column.clone()));
            }
            ("f", Some(column)) => {
                if !table.foreign_keys.last().is_some_and(|key| same(&key.name)) {
                    let key =
                        ForeignKey::new::<String, String>([], self.target.unwrap_or_default(), []).named(self.name);
                    table.foreign_keys.push(key.on_delete(self.on_delete).on_update(self.on_update));
                }
                if let Some(key) = table.foreign_keys.last_mut() {
                    key.columns.push(column);
                    key.target_columns.extend(self.target_column);
                }
            }
            ("c", _) if !table.checks.last().is_some_and(|check| same(&check.name)) => {
                let sql = self.check.unwrap_or_default();
                table.checks.push(CheckConstraint::new(unwrapped(&sql)).named(self.name));
            }
            _ => {}
        }
    }
}

/// A condition without the parentheses that PostgreSQL puts around the whole.
fn unwrapped(sql: &str) -> &str {
    let Some(inner) = sql.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else { return sql };
    let mut depth = 0_i32;
    let balanced = inner.chars().all(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth >= 0
    });
    if balanced { inner } else { sql }
}

/// The letters of `pg_constraint.confdeltype`.
fn action(letter: &str) -> Action {
    match letter {
        "r" => Action::Restrict,
        "c" => Action::Cascade,
        "n" => Action::SetNull,
        "d" => Action::SetDefault,
        _ => Action::NoAction,
    }
}

fn sql_type(format: &str) -> SqlType {
    let name = TypeName::parse(format);
    match (name.word.as_str(), name.rest.as_str()) {
        ("boolean", _) => SqlType::Boolean,
        ("smallint", _) => SqlType::SmallInt,
        ("integer", _) => SqlType::Integer,
        ("bigint", _) => SqlType::BigInt,
        ("real", _) => SqlType::Float,
        ("double precision", _) => SqlType::Double,
        ("numeric", _) => name.decimal(),
        ("character varying", "") => SqlType::String(name.length()),
        ("text", _) => SqlType::Text,
        ("bytea", _) => SqlType::Binary(None),
        ("date", _) => SqlType::Date,
        ("time without time zone", _) => SqlType::Time,
        ("timestamp without time zone", _) => SqlType::DateTime,
        ("timestamp with time zone", _) => SqlType::Timestamp,
        ("uuid", _) => SqlType::Uuid,
        ("jsonb", _) => SqlType::Json,
        _ => name.other(),
    }
}
