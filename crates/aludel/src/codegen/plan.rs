//! What is to be written: the models with their fields, before a line of source is.

use std::collections::HashMap;

use crate::error::Result;
use crate::schema::{Column, MetaData, NamingConvention, Sequence, SqlType, Table};
use crate::sql::Dialect;

use super::foreign_keys::{ColumnKey, TableKey};
use super::names::{Taken, pascal, snake};
use super::naming::{self, Names};
use super::relationships::Relationship;
use super::types::{RustType, cure, database_name, rust_type};
use super::{foreign_keys, relationships};

/// The most columns that a key has as a tuple.
const KEY_COLUMNS: usize = 6;

/// All that is written.
pub(super) struct Plan<'a> {
    pub(super) models: Vec<Model<'a>>,
    pub(super) enums: Vec<Enum>,
    /// The tables that are no models, and why.
    pub(super) left_out: Vec<(&'a Table, String)>,
    pub(super) notes: Vec<String>,
    /// Whether the names of constraints are all written, because the convention does not make them.
    pub(super) own_names: bool,
}

/// A model.
pub(super) struct Model<'a> {
    pub(super) table: &'a Table,
    pub(super) ident: String,
    pub(super) fields: Vec<Field<'a>>,
    /// The columns that are no fields.
    pub(super) left_out: Vec<&'a Column>,
    pub(super) relationships: Vec<Relationship>,
    /// The foreign keys that stand on the struct.
    pub(super) keys: Vec<TableKey>,
    /// The names of constraints that the convention does not make.
    pub(super) names: Names,
    pub(super) taken: Taken,
}

/// A column as a field.
pub(super) struct Field<'a> {
    pub(super) column: &'a Column,
    pub(super) ident: String,
    pub(super) ty: RustType,
    pub(super) nullable: bool,
    pub(super) references: Option<ColumnKey>,
}

/// An enum.
pub(super) struct Enum {
    pub(super) ident: String,
    /// The type's name in the database, where it has names.
    pub(super) name: Option<String>,
    pub(super) values: Vec<String>,
}

impl<'a> Model<'a> {
    pub(super) fn field(&self, column: &str) -> Option<&Field<'a>> {
        self.fields.iter().find(|field| field.column.name == column)
    }

    /// The fields of columns, if all of them have one.
    pub(super) fn idents<S: AsRef<str>>(&self, columns: &[S]) -> Option<Vec<&str>> {
        columns.iter().map(|column| Some(self.field(column.as_ref())?.ident.as_str())).collect()
    }

    /// Whether SQL names a column that is no field.
    pub(super) fn mentions_left_out(&self, sql: &str) -> Option<&'a Column> {
        let words = || sql.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        self.left_out.iter().copied().find(|column| words().any(|word| word.eq_ignore_ascii_case(&column.name)))
    }
}

pub(super) fn plan<'a>(tables: Vec<&'a Table>, metadata: &MetaData, dialect: Dialect) -> Result<Plan<'a>> {
    let mut plan =
        Plan { models: Vec::new(), enums: Vec::new(), left_out: Vec::new(), notes: Vec::new(), own_names: false };
    let mut types = Taken::default();
    for table in tables {
        model(&mut plan, table, dialect, &mut types);
    }
    let convention = NamingConvention::default();
    plan.own_names = !naming::all_stated(&plan.models, &convention, dialect)?;
    let convention = if plan.own_names { NamingConvention::none() } else { convention };
    for at in 0..plan.models.len() {
        plan.models[at].names = naming::names(plan.models[at].table, &convention)?;
    }
    plan.notes.extend(naming::notes(&plan, dialect));
    foreign_keys::plan(&mut plan, metadata);
    relationships::plan(&mut plan);
    Ok(plan)
}

/// Adds the model of a table, or says why there is none.
fn model<'a>(plan: &mut Plan<'a>, table: &'a Table, dialect: Dialect, types: &mut Taken) {
    if let Some(why) = why_not(table) {
        plan.notes.push(format!("table `{}` has no model: {why}", table.name));
        plan.left_out.push((table, why));
        return;
    }
    let mut model = Model {
        table,
        ident: types.ty(pascal(&table.name, "Row")),
        fields: Vec::new(),
        left_out: Vec::new(),
        relationships: Vec::new(),
        keys: Vec::new(),
        names: Names::default(),
        taken: Taken::default(),
    };
    for column in &table.columns {
        let named = |column: &Column| enum_of(&mut plan.enums, table, column, dialect, types);
        let Some(ty) = rust_type(column, named) else {
            let what = database_name(&column.ty);
            let cure = cure(&column.ty);
            plan.notes
                .push(format!("column {}.{} is left out: Rust has no type for {what}{cure}", table.name, column.name));
            model.left_out.push(column);
            continue;
        };
        if let SqlType::Array(SqlType::Text) = column.ty {
            let (table, column) = (&table.name, &column.name);
            plan.notes
                .push(format!("column {table}.{column} is a TEXT[], and `create_all` of its model makes a VARCHAR[]"));
        }
        let ident = model.taken.field(snake(&column.name));
        let nullable = column.nullable && !table.is_primary_key(&column.name);
        model.fields.push(Field { column, ident, ty, nullable, references: None });
        if column.sequence.is_some() && counting(column).is_none() {
            let (table, column) = (&table.name, &column.name);
            plan.notes.push(format!(
                "column {table}.{column} takes its values from a sequence, and its model does not say so"
            ));
        }
        if column.autoincrement && table.primary_key_columns() != [column.name.as_str()] {
            let (table, column) = (&table.name, &column.name);
            plan.notes
                .push(format!("column {table}.{column} is counted up by the database, and its model does not say so"));
        }
    }
    plan.models.push(model);
}

/// What a model says of a column's sequence: it counts up, and in integers.
pub(super) fn counting(column: &Column) -> Option<&Sequence> {
    use SqlType::{BigInt, Integer, SmallInt, TinyInt};
    use SqlType::{UnsignedBigInt, UnsignedInteger, UnsignedSmallInt, UnsignedTinyInt};
    let counted = matches!(
        column.ty,
        TinyInt | SmallInt | Integer | BigInt | UnsignedTinyInt | UnsignedSmallInt | UnsignedInteger | UnsignedBigInt
    );
    column.sequence.as_ref().filter(|sequence| counted && sequence.increment.is_none_or(|by| by > 0))
}

/// Why a table cannot be a model.
fn why_not(table: &Table) -> Option<String> {
    let key = table.primary_key_columns();
    if key.is_empty() {
        return Some("it has no primary key".to_owned());
    }
    if key.len() > KEY_COLUMNS {
        return Some(format!("its primary key has {} columns, and a model's has at most {KEY_COLUMNS}", key.len()));
    }
    key.iter().find_map(|name| {
        let column = table.column(name)?;
        let usable = rust_type(column, |_| String::new()).is_some_and(|ty| ty.key);
        (!usable)
            .then(|| format!("its primary key `{name}` is of the type {}, which is no key", database_name(&column.ty)))
    })
}

/// The enum of a column: that of its type where the database has such types, else one of its own.
fn enum_of(enums: &mut Vec<Enum>, table: &Table, column: &Column, dialect: Dialect, types: &mut Taken) -> String {
    let SqlType::Enum { name, values } = &column.ty else { return String::new() };
    let named = dialect == Dialect::Postgres && !name.is_empty();
    if let Some(known) = enums.iter().find(|known| named && known.name.as_deref() == Some(name)) {
        return known.ident.clone();
    }
    let own = format!("{} {}", table.name, column.name);
    let ident = types.ty(pascal(if named { name } else { &own }, "Enum"));
    let values = values.iter().map(|value| value.clone().into_owned()).collect();
    enums.push(Enum { ident: ident.clone(), name: named.then(|| name.clone().into_owned()), values });
    ident
}

/// The names of variants: each value's, in camel case, made unique.
pub(super) fn variants(values: &[String]) -> Vec<(String, &str)> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let name = |value: &String| match pascal(value, "") {
        name if name.is_empty() || name == "Self" => format!("Value{name}"),
        name if name.starts_with(|first: char| first.is_ascii_digit()) => format!("Value{name}"),
        name => name,
    };
    let mut unique = |name: String| {
        let count = seen.entry(name.clone()).or_default();
        *count += 1;
        if *count == 1 { name } else { format!("{name}{count}") }
    };
    values.iter().map(|value| (unique(name(value)), value.as_str())).collect()
}
