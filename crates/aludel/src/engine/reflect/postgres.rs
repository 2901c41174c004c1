//! The tables of a PostgreSQL schema, from its catalogs.

use std::collections::HashMap;

use super::type_name::TypeName;
use super::{PooledConnection, Reflected, index_of, optional_text, query, text, unwrapped};
use crate::error::Result;
use crate::schema::{
    Action, CheckConstraint, Column, Computed, ForeignKey, Identity, IndexElement, NullsOrder, PrimaryKey, Sequence,
    SqlType, Table, UniqueConstraint, View,
};

/// The tables, partitioned ones included, without the partitions.
const TABLES: &str = "SELECT c.relname::text, obj_description(c.oid, 'pg_class') FROM pg_catalog.pg_class c \
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = current_schema()::regnamespace \
    ORDER BY c.relname";

/// The views, materialized ones included.
const VIEWS: &str = "SELECT c.relname::text, pg_get_viewdef(c.oid), c.relkind = 'm', obj_description(c.oid, 'pg_class') \
    FROM pg_catalog.pg_class c WHERE c.relkind IN ('v', 'm') AND c.relnamespace = current_schema()::regnamespace \
    ORDER BY c.relname";

const COLUMNS: &str = "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), t.typtype::text, \
    t.typname::text, a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text, \
    col_description(c.oid, a.attnum), t.oid::bigint \
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
    WHERE c.relkind IN ('r', 'p', 'v', 'm') AND c.relnamespace = current_schema()::regnamespace AND a.attnum > 0 \
    AND NOT a.attisdropped ORDER BY c.relname, a.attnum";

const CONSTRAINTS: &str = "SELECT c.relname::text, k.conname::text, k.contype::text, f.relname::text, \
    k.confdeltype::text, k.confupdtype::text, a.attname::text, fa.attname::text, \
    CASE WHEN k.contype = 'c' THEN pg_get_expr(k.conbin, k.conrelid) END, \
    CASE WHEN f.relnamespace <> c.relnamespace THEN \
    (SELECT nspname::text FROM pg_catalog.pg_namespace n WHERE n.oid = f.relnamespace) END \
    FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid \
    LEFT JOIN pg_catalog.pg_class f ON f.oid = k.confrelid \
    LEFT JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS p (local, remote, position) ON true \
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.local \
    LEFT JOIN pg_catalog.pg_attribute fa ON fa.attrelid = k.confrelid AND fa.attnum = p.remote \
    WHERE k.contype IN ('p', 'u', 'f', 'c') AND c.relnamespace = current_schema()::regnamespace AND NOT c.relispartition \
    ORDER BY c.relname, k.oid, p.position";

/// The elements of the indexes that belong to no constraint, and then their included columns. Bit 1 of an option is
/// DESC, bit 2 NULLS FIRST.
const INDEXES: &str = "SELECT c.relname::text, i.relname::text, x.indisunique, m.amname::text, \
    CASE WHEN x.indpred IS NOT NULL THEN pg_get_expr(x.indpred, x.indrelid) END, p.position <= x.indnkeyatts, a.attname::text, \
    pg_get_indexdef(x.indexrelid, p.position::int, true), p.option::bigint, CASE WHEN NOT o.opcdefault THEN o.opcname::text END \
    FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indrelid \
    JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid JOIN pg_catalog.pg_am m ON m.oid = i.relam \
    CROSS JOIN LATERAL unnest(x.indkey::int2[], x.indoption::int2[], x.indclass::oid[]) \
    WITH ORDINALITY AS p (attnum, option, class, position) \
    LEFT JOIN pg_catalog.pg_opclass o ON o.oid = p.class \
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = p.attnum AND p.attnum > 0 \
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace AND NOT c.relispartition AND NOT x.indisprimary \
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conindid = x.indexrelid AND k.conrelid = x.indrelid) \
    ORDER BY c.relname, i.relname, p.position";

/// How sequences count, with the column that each is the identity of.
const SEQUENCES: &str = "SELECT q.relname::text, s.seqstart, s.seqincrement, c.relname::text, a.attname::text \
    FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class q ON q.oid = s.seqrelid \
    LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = q.oid \
    AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype = 'i' \
    LEFT JOIN pg_catalog.pg_class c ON c.oid = d.refobjid \
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid \
    WHERE q.relnamespace = current_schema()::regnamespace";

const ENUMS: &str = "SELECT t.oid::bigint, e.enumlabel::text FROM pg_catalog.pg_enum e \
    JOIN pg_catalog.pg_type t ON t.oid = e.enumtypid ORDER BY t.oid, e.enumsortorder";

pub(super) async fn reflect(connection: &mut PooledConnection) -> Result<Reflected> {
    let mut tables: Vec<Table> = query(connection, TABLES, &[], |row| {
        let mut table = Table::new(text(row, 0)?);
        table.comment = optional_text(row, 1)?;
        Ok(table)
    })
    .await?;
    let mut views = query(connection, VIEWS, &[], |row| {
        let mut view = View::new(text(row, 0)?, row.text(1)?.trim().trim_end_matches(';'));
        view.materialized = row.boolean(2)?;
        view.comment = optional_text(row, 3)?;
        Ok(view)
    })
    .await?;
    let positions: HashMap<String, usize> =
        tables.iter().enumerate().map(|(at, table)| (table.name.clone(), at)).collect();
    let mut enums: HashMap<i64, Vec<String>> = HashMap::new();
    for (name, value) in query(connection, ENUMS, &[], |row| Ok((row.integer(0)?, text(row, 1)?))).await? {
        enums.entry(name).or_default().push(value);
    }
    let counting = query(connection, SEQUENCES, &[], Counting::read).await?;
    for (of, mut column) in query(connection, COLUMNS, &[], |row| column(row, &enums)).await? {
        counting.iter().for_each(|sequence| sequence.add_to(&of, &mut column));
        if let Some(&at) = positions.get(&of) {
            tables[at].columns.push(column);
        } else if let Some(view) = views.iter_mut().find(|view| view.name == of) {
            view.columns.push(column);
        }
    }
    for part in query(connection, CONSTRAINTS, &[], ConstraintPart::read).await? {
        if let Some(&at) = positions.get(&part.table) {
            part.add_to(&mut tables[at]);
        }
    }
    for part in query(connection, INDEXES, &[], IndexPart::read).await? {
        if let Some(&at) = positions.get(&part.table) {
            part.add_to(&mut tables[at]);
        }
    }
    Ok(Reflected { tables, views })
}

/// How a sequence counts, where it does not count 1, 2, 3 ..
struct Counting {
    name: String,
    start: Option<i64>,
    increment: Option<i64>,
    /// The table and the column that it is the identity of.
    identity: Option<(String, String)>,
}

impl Counting {
    fn read(row: &super::Row<'_>) -> Result<Self> {
        let other_than_1 = |number: i64| Some(number).filter(|number| *number != 1);
        Ok(Self {
            name: text(row, 0)?,
            start: other_than_1(row.integer(1)?),
            increment: other_than_1(row.integer(2)?),
            identity: optional_text(row, 3)?.zip(optional_text(row, 4)?),
        })
    }

    fn add_to(&self, table: &str, column: &mut Column) {
        if self.start.is_none() && self.increment.is_none() {
            return;
        }
        match &self.identity {
            Some((of, name)) if of == table && *name == column.name => {
                let identity = column.identity.get_or_insert_default();
                (identity.start, identity.increment) = (self.start, self.increment);
            }
            Some(_) => {}
            None => {
                if let Some(sequence) = column.sequence.as_mut().filter(|sequence| sequence.name == self.name) {
                    (sequence.start, sequence.increment) = (self.start, self.increment);
                }
            }
        }
    }
}

/// One element of an index, or a column that it includes.
struct IndexPart {
    table: String,
    name: String,
    unique: bool,
    method: String,
    predicate: Option<String>,
    sorted: bool,
    column: Option<String>,
    expression: Option<String>,
    options: i64,
    operator_class: Option<String>,
}

impl IndexPart {
    fn read(row: &super::Row<'_>) -> Result<Self> {
        Ok(Self {
            table: text(row, 0)?,
            name: text(row, 1)?,
            unique: row.boolean(2)?,
            method: text(row, 3)?,
            predicate: optional_text(row, 4)?,
            sorted: row.boolean(5)?,
            column: optional_text(row, 6)?,
            expression: optional_text(row, 7)?,
            options: row.optional_integer(8)?.unwrap_or_default(),
            operator_class: optional_text(row, 9)?,
        })
    }

    fn add_to(self, table: &mut Table) {
        let index = index_of(&mut table.indexes, self.name, self.unique);
        index.using = Some(self.method).filter(|method| method != "btree");
        index.predicate = self.predicate.map(|sql| unwrapped(&sql).to_owned());
        let mut element = match (self.column, self.expression) {
            (Some(column), _) if !self.sorted => return index.include.push(column),
            (Some(column), _) => IndexElement::column(column),
            (None, expression) => IndexElement::expression(unwrapped(&expression.unwrap_or_default())),
        };
        element.descending = self.options & 1 != 0;
        // NULL is greater than all values, where nothing else is said.
        let nulls_first = self.options & 2 != 0;
        if nulls_first != element.descending {
            element.nulls = Some(if nulls_first { NullsOrder::First } else { NullsOrder::Last });
        }
        element.operator_class = self.operator_class;
        index.elements.push(element);
    }
}

fn column(row: &super::Row<'_>, enums: &HashMap<i64, Vec<String>>) -> Result<(String, Column)> {
    let (type_name, kind, internal) = (text(row, 2)?, text(row, 3)?, text(row, 4)?);
    let ty = match enums.get(&row.integer(10)?).filter(|_| kind == "e") {
        Some(values) => SqlType::Enum {
            name: internal.into(),
            values: values.iter().map(|value| value.clone().into()).collect::<Vec<_>>().into(),
        },
        None => sql_type(&type_name),
    };
    let mut column = Column::new(text(row, 1)?, ty);
    column.nullable = !row.boolean(5)?;
    let expression = optional_text(row, 6)?;
    let generated = text(row, 8)?;
    column.computed = expression.as_deref().filter(|_| !generated.is_empty()).map(|sql| match generated.as_str() {
        "s" => Computed::stored(unwrapped(sql)),
        _ => Computed::virtually(unwrapped(sql)),
    });
    let default = expression.filter(|_| generated.is_empty());
    let sequence = default.as_ref().is_some_and(|default| default.starts_with("nextval("));
    column.autoincrement = sequence || !row.text(7)?.is_empty();
    column.identity = (row.text(7)? == "a").then(|| Identity::new(true, None, None));
    column.server_default = default.clone().filter(|_| !sequence);
    if let Some(name) = default.as_deref().filter(|_| sequence).and_then(shared_sequence)
        && name != format!("{}_{}_seq", row.text(0)?, column.name)
    {
        // One of the table's own, as `serial` makes it, is how the column counts up.
        column.autoincrement = false;
        column.sequence = Some(Sequence::new(name));
    }
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
    /// Where it is another than the table's own.
    target_schema: Option<String>,
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
            target_schema: optional_text(row, 9)?,
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
                    let mut key =
                        ForeignKey::new::<String, String>([], self.target.unwrap_or_default(), []).named(self.name);
                    key.target_schema = self.target_schema;
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
        ("inet", _) => SqlType::Inet,
        ("interval", _) => SqlType::Interval,
        ("int4range", _) => SqlType::Range(&SqlType::Integer),
        ("int8range", _) => SqlType::Range(&SqlType::BigInt),
        ("numrange", _) => SqlType::Range(&SqlType::Decimal { precision: None, scale: None }),
        ("tsrange", _) => SqlType::Range(&SqlType::DateTime),
        ("tstzrange", _) => SqlType::Range(&SqlType::Timestamp),
        ("daterange", _) => SqlType::Range(&SqlType::Date),
        _ => format.strip_suffix("[]").and_then(array).unwrap_or_else(|| name.other()),
    }
}

/// The sequence in `nextval('name'::regclass)`, without its schema.
fn shared_sequence(default: &str) -> Option<String> {
    let name = default.strip_prefix("nextval('")?.strip_suffix("'::regclass)")?;
    let name = match name.strip_suffix('"') {
        Some(quoted) => quoted.rsplit_once("\"").map_or(quoted, |(_, name)| name),
        None => name.rsplit_once('.').map_or(name, |(_, name)| name),
    };
    Some(name.replace("''", "'"))
}

/// An array of elements whose type has no size of its own.
fn array(element: &str) -> Option<SqlType> {
    Some(SqlType::Array(match element {
        "boolean" => &SqlType::Boolean,
        "smallint" => &SqlType::SmallInt,
        "integer" => &SqlType::Integer,
        "bigint" => &SqlType::BigInt,
        "real" => &SqlType::Float,
        "double precision" => &SqlType::Double,
        "numeric" => &SqlType::Decimal { precision: None, scale: None },
        "character varying" => &SqlType::String(None),
        "text" => &SqlType::Text,
        "date" => &SqlType::Date,
        "time without time zone" => &SqlType::Time,
        "timestamp without time zone" => &SqlType::DateTime,
        "timestamp with time zone" => &SqlType::Timestamp,
        "uuid" => &SqlType::Uuid,
        "inet" => &SqlType::Inet,
        _ => return None,
    }))
}
