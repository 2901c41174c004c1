//! From the models' definitions to the tables of the database.

use crate::entity::def::{ConstraintDef, ModelDef};
use crate::error::Result;
use crate::schema::{CheckConstraint, Column, ForeignKey, Index, MetaData, NamingConvention, Table, UniqueConstraint};

/// What the derive submits for each model of the program.
pub struct ModelRegistration(pub fn() -> &'static ModelDef);

inventory::collect!(ModelRegistration);

/// Every derived model of the program, in the order of their tables' names: linkers promise none.
pub(crate) fn registered() -> Vec<&'static ModelDef> {
    let mut models: Vec<_> = inventory::iter::<ModelRegistration>().map(|registration| (registration.0)()).collect();
    models.sort_by_key(|def| (def.table, def.module, def.name));
    models
}

/// The tables of models.
///
/// # Errors
/// `Config` when two models have one table's name.
pub(crate) fn from_models(models: &[&'static ModelDef], naming: NamingConvention) -> Result<MetaData> {
    let mut metadata = MetaData::new(naming);
    for def in models {
        metadata.add_table(table_of(def))?;
    }
    Ok(metadata)
}

fn table_of(def: &'static ModelDef) -> Table {
    let names = |columns: &[usize]| columns.iter().map(|&column| def.columns[column].name).collect::<Vec<_>>();
    let mut table = Table::new(def.table)
        .with_declared_by(format!("{}::{}", def.module, def.name))
        .with_primary_key(names(def.primary_key));
    for column_def in def.columns {
        let mut column = Column::new(column_def.name, column_def.ty.clone());
        if column_def.nullable {
            column = column.nullable();
        }
        if column_def.generated == crate::entity::def::Generated::Autoincrement {
            column = column.autoincrement();
        }
        if let Some(sql) = column_def.server_default {
            column = column.with_server_default(sql);
        }
        if let Some(comment) = column_def.comment {
            column = column.with_comment(comment);
        }
        table = table.with_column(column);
        if column_def.unique {
            table = table.with_unique(UniqueConstraint::new([column_def.name]));
        }
        if column_def.index {
            table = table.with_index(Index::new([column_def.name]));
        }
        if let Some(reference) = &column_def.references
            && let (target, referenced) = (reference.target)()
            // No database looks into another.
            && target.bind == def.bind
        {
            let key = ForeignKey::new([column_def.name], target.table, [target.columns[referenced].name]);
            table = table.with_foreign_key(key.on_delete(reference.on_delete).on_update(reference.on_update));
        }
    }
    for constraint in def.constraints {
        table = match constraint {
            ConstraintDef::Index { name, columns, unique } => {
                let mut index = Index::new(names(columns));
                if *unique {
                    index = index.unique();
                }
                table.with_index(match name {
                    Some(name) => index.named(*name),
                    None => index,
                })
            }
            ConstraintDef::Unique { name, columns } => {
                let unique = UniqueConstraint::new(names(columns));
                table.with_unique(match name {
                    Some(name) => unique.named(*name),
                    None => unique,
                })
            }
            ConstraintDef::Check { name, sql } => {
                let check = CheckConstraint::new(*sql);
                table.with_check(match name {
                    Some(name) => check.named(*name),
                    None => check,
                })
            }
        };
    }
    table
}
