//! Where each foreign key is said: at its column, on the struct, or nowhere.

use crate::schema::{Action, ForeignKey, MetaData, Table};

use super::plan::{Model, Plan};

/// A foreign key at its column.
pub(super) struct ColumnKey {
    /// Position of the target's model.
    pub(super) target: usize,
    /// The target's field.
    pub(super) field: String,
    /// The name, where the convention does not make it.
    pub(super) name: Option<String>,
    pub(super) on_delete: Action,
    pub(super) on_update: Action,
}

/// A foreign key on the struct.
pub(super) struct TableKey {
    pub(super) columns: Vec<String>,
    pub(super) target: usize,
    pub(super) targets: Vec<String>,
    /// Why no relationship can have the key.
    pub(super) apart: Option<String>,
    pub(super) name: Option<String>,
    pub(super) on_delete: Action,
    pub(super) on_update: Action,
}

pub(super) fn plan(plan: &mut Plan<'_>, metadata: &MetaData) {
    for at in 0..plan.models.len() {
        let table = plan.models[at].table;
        for (position, key) in table.foreign_keys.iter().enumerate() {
            let name = plan.models[at].names.foreign_keys.get(position).cloned().flatten();
            match place(&plan.models, at, key, metadata) {
                Ok(Place::Column { field, key }) => {
                    plan.models[at].fields[field].references = Some(ColumnKey { name, ..key })
                }
                Ok(Place::Table(key)) => {
                    if let Some(why) = &key.apart {
                        let columns = key.columns.join(", ");
                        plan.notes
                            .push(format!("the foreign key {}.({columns}) has no relationship: {why}", table.name));
                    }
                    plan.models[at].keys.push(TableKey { name, ..key });
                }
                Err(why) => plan.notes.push(format!(
                    "the foreign key {}.({}) is left out: {why}",
                    table.name,
                    key.columns.join(", ")
                )),
            }
        }
    }
}

enum Place {
    Column { field: usize, key: ColumnKey },
    Table(TableKey),
}

fn place(models: &[Model<'_>], at: usize, key: &ForeignKey, metadata: &MetaData) -> Result<Place, String> {
    let holder = &models[at];
    let is_target = |table: &Table| table.name == key.target_table && table.schema == key.target_schema;
    let Some(target_at) = models.iter().position(|model| is_target(model.table)) else {
        let there = metadata.tables().iter().any(is_target);
        let elsewhere = key.target_schema.is_some() != holder.table.schema.is_some();
        let why = match () {
            () if there => "has no model here",
            () if elsewhere => "is in another schema, of which no models are written here",
            () => "is not there",
        };
        return Err(format!("table `{}` {why}", key.target_key()));
    };
    let target = &models[target_at];
    let (Some(columns), Some(targets)) = (holder.idents(&key.columns), target.idents(&key.target_columns)) else {
        return Err("one of its columns is left out".to_owned());
    };
    if let ([column], [field]) = (&key.columns[..], &targets[..]) {
        let position = holder.fields.iter().position(|field| field.column.name == *column);
        let referenced = target.field(&key.target_columns[0]);
        if let (Some(position), Some(referenced)) = (position, referenced) {
            let own = &holder.fields[position];
            let comparable = own.ty.name == referenced.ty.name && own.ty.key;
            if comparable
                && own.references.is_none()
                && is_possible(key, own.nullable, own.column.server_default.is_some())
            {
                let key = ColumnKey {
                    target: target_at,
                    field: (*field).to_owned(),
                    name: None,
                    on_delete: key.on_delete,
                    on_update: key.on_update,
                };
                return Ok(Place::Column { field: position, key });
            }
        }
    }
    let fields = || columns.iter().filter_map(|ident| holder.fields.iter().find(|field| field.ident == **ident));
    if let Some(field) = fields().find(|field| !field.ty.key) {
        return Err(format!("`{}` is of the type {}, which is no key", field.ident, field.ty.name));
    }
    let referenced = key.target_columns.iter().filter_map(|column| target.field(column));
    let other = fields().zip(referenced).find(|(own, referenced)| own.ty.name != referenced.ty.name);
    let apart = other.map(|(own, referenced)| {
        format!("`{}` is `{}` here and `{}` there", own.ident, own.ty.name, referenced.ty.name)
    });
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    Ok(Place::Table(TableKey {
        columns: owned(columns),
        target: target_at,
        targets: owned(targets),
        apart,
        name: None,
        on_delete: key.on_delete,
        on_update: key.on_update,
    }))
}

/// Whether the derive takes the actions for such a column: what it refuses could never work, and databases take it.
fn is_possible(key: &ForeignKey, nullable: bool, default: bool) -> bool {
    [key.on_delete, key.on_update].iter().all(|action| match action {
        Action::SetNull => nullable,
        Action::SetDefault => default,
        _ => true,
    })
}
