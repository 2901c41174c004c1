//! From the models' definitions to the tables of the database.

use crate::entity::def::{ColumnDef, ConstraintDef, Generated, IndexDef, IndexKeyDef, ModelDef};
use crate::error::Result;
use crate::schema::{
    CheckConstraint, Column, Computed, ForeignKey, Index, IndexElement, MetaData, NamingConvention, Sequence, Table,
    UniqueConstraint,
};

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
/// `Config` when two models have one table's name, or a model does not fit those that it inherits from.
pub(crate) fn from_models(models: &[&'static ModelDef], naming: NamingConvention) -> Result<MetaData> {
    let mut metadata = MetaData::new(naming);
    for def in with_parents(models) {
        std::iter::once(def).chain(def.heirs()).try_for_each(|def| def.check_inheritance())?;
        if def.options.inherits.is_none_or(|inherits| inherits.joined) {
            metadata.add_table(table_of(def))?;
        }
    }
    Ok(metadata)
}

/// The models, and those that they inherit from, whose tables they need.
fn with_parents(models: &[&'static ModelDef]) -> Vec<&'static ModelDef> {
    let mut all = models.to_vec();
    for def in models {
        let mut above = def.parent();
        while let Some(parent) = above {
            if !all.iter().any(|known| known.is(parent)) {
                all.push(parent);
            }
            above = parent.parent();
        }
    }
    all
}

/// The table of a model, with the columns of the models whose rows are in it.
fn table_of(def: &'static ModelDef) -> Table {
    let mut table = Table::new(def.table_name())
        .with_declared_by(format!("{}::{}", def.module, def.name))
        .with_primary_key(names(def, def.primary_key));
    table.schema = def.schema.map(str::to_owned);
    if let (Some(key), Some(name)) = (&mut table.primary_key, def.primary_key_name) {
        key.name = Some(name.to_owned());
    }
    table.comment = def.comment.map(str::to_owned);
    let mut table = with_columns(table, def, false);
    let has_own_table = |heir: &ModelDef| heir.options.inherits.is_some_and(|inherits| inherits.joined);
    for heir in def.heirs() {
        // Those that have another table between are in that one.
        let mut above = Some(heir);
        while let Some(model) = above.filter(|model| !model.is(def) && !has_own_table(model)) {
            above = model.parent();
        }
        if above.is_some_and(|model| model.is(def)) && !has_own_table(heir) {
            table = with_columns(table, heir, true);
        }
    }
    table
}

/// The table with the columns and constraints of a model that it does not have yet; those of models that inherit may be
/// NULL, for other rows have none.
fn with_columns(mut table: Table, def: &'static ModelDef, shared: bool) -> Table {
    let above: Vec<&str> =
        def.parent().into_iter().flat_map(|parent| parent.columns).map(|column| column.name).collect();
    for (position, column_def) in def.columns.iter().enumerate() {
        let is_key = def.primary_key.contains(&position);
        let is_parents = above.contains(&column_def.name) && !(is_key && def.joins_parent(position));
        if is_parents {
            continue;
        }
        // Models that inherit from the same one may share a column.
        let is_new = table.column(column_def.name).is_none();
        if is_new {
            let mut column = column_of(column_def);
            column.nullable |= shared;
            column.autoincrement &= !def.joins_parent(position);
            table = table.with_column(column);
        }
        if column_def.unique {
            let unique = UniqueConstraint::new([column_def.name]);
            if is_new || !table.uniques.contains(&unique) {
                table = table.with_unique(unique);
            }
        }
        if column_def.index {
            let index = Index::new([column_def.name]);
            if is_new || !table.indexes.contains(&index) {
                table = table.with_index(index);
            }
        }
        if is_new
            && let Some(reference) = &column_def.references
            && let (target, referenced) = (reference.target)()
            // No database looks into another.
            && target.bind == def.bind
        {
            let mut key = ForeignKey::new([column_def.name], target.table_name(), [target.columns[referenced].name]);
            key.target_schema = target.schema.map(str::to_owned);
            key.name = reference.name.map(str::to_owned);
            table = table.with_foreign_key(key.on_delete(reference.on_delete).on_update(reference.on_update));
        }
    }
    def.constraints.iter().fold(table, |table, constraint| with_constraint(def, table, constraint))
}

fn names(def: &ModelDef, columns: &[usize]) -> Vec<&'static str> {
    columns.iter().map(|&column| def.columns[column].name).collect()
}

fn column_of(def: &ColumnDef) -> Column {
    let mut column = Column::new(def.name, def.ty.clone());
    column.nullable = def.nullable;
    column.autoincrement = def.generated == Generated::Autoincrement;
    column.server_default = def.server_default.map(str::to_owned);
    column.comment = def.comment.map(str::to_owned);
    column.sequence = def.sequence.map(|def| {
        let mut sequence = Sequence::new(def.name);
        (sequence.start, sequence.increment) = (def.start, def.increment);
        sequence
    });
    if let Some(identity) = def.identity {
        column = column.with_identity(identity);
    }
    column.computed = def.computed.map(|computed| match computed.stored {
        true => Computed::stored(computed.sql),
        false => Computed::virtually(computed.sql),
    });
    column
}

fn with_constraint(def: &ModelDef, table: Table, constraint: &ConstraintDef) -> Table {
    let owned = |name: &Option<&str>| name.map(str::to_owned);
    match constraint {
        ConstraintDef::Index(index) => table.with_index(index_of(def, index)),
        ConstraintDef::Unique { name, columns } => {
            table.with_unique(UniqueConstraint { name: owned(name), ..UniqueConstraint::new(names(def, columns)) })
        }
        ConstraintDef::Check { name, sql } => {
            table.with_check(CheckConstraint { name: owned(name), ..CheckConstraint::new(*sql) })
        }
        ConstraintDef::ForeignKey(key) => {
            let target = (key.target)();
            if target.bind != def.bind {
                return table;
            }
            let targets: Vec<&str> = key.target_columns.iter().map(|column| target.columns[column()].name).collect();
            let mut made = ForeignKey::new(names(def, key.columns), target.table_name(), targets);
            made.target_schema = target.schema.map(str::to_owned);
            made.name = owned(&key.name);
            table.with_foreign_key(made.on_delete(key.on_delete).on_update(key.on_update))
        }
    }
}

fn index_of(def: &ModelDef, index: &IndexDef) -> Index {
    let elements = index.elements.iter().map(|element| {
        let mut made = match element.key {
            IndexKeyDef::Column(column) => IndexElement::column(def.columns[column].name),
            IndexKeyDef::Expression(sql) => IndexElement::expression(sql),
        };
        made.descending = element.descending;
        made.nulls = element.nulls;
        made.length = element.length;
        made.operator_class = element.operator_class.map(str::to_owned);
        made
    });
    let mut made = Index::of(elements).including(names(def, index.include));
    made.name = index.name.map(str::to_owned);
    made.unique = index.unique;
    made.predicate = index.predicate.map(str::to_owned);
    made.using = index.using.map(str::to_owned);
    made
}
