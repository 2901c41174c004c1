//! The relationships: two for each foreign key, which name each other.

use crate::schema::Action;

use super::foreign_keys::{ColumnKey, TableKey};
use super::names::snake;
use super::plan::{Model, Plan};

/// A relationship's field.
pub(super) struct Relationship {
    pub(super) ident: String,
    /// `One<User>`
    pub(super) ty: String,
    /// The field of the other side.
    pub(super) back_populates: String,
    /// The key's field, where it has to be said.
    pub(super) foreign_key: Option<String>,
    /// What the database does to these rows when this one is deleted; on the side without the key.
    pub(super) on_delete: Action,
}

/// A foreign key, wherever it is said.
struct Key {
    /// The fields.
    columns: Vec<String>,
    target: usize,
    on_delete: Action,
}

impl Key {
    /// As `foreign_key = ..` names it.
    fn written(&self) -> String {
        match &self.columns[..] {
            [column] => column.clone(),
            columns => format!("({})", columns.join(", ")),
        }
    }
}

pub(super) fn plan(plan: &mut Plan<'_>) {
    for holder in 0..plan.models.len() {
        for key in keys(&plan.models[holder]) {
            both_sides(&mut plan.models, holder, &key);
        }
    }
}

/// The keys of a model that a relationship can have.
fn keys(model: &Model<'_>) -> Vec<Key> {
    let single = model.fields.iter().filter_map(|field| {
        let ColumnKey { target, on_delete, .. } = field.references.as_ref()?;
        Some(Key { columns: vec![field.ident.clone()], target: *target, on_delete: *on_delete })
    });
    let several = model.keys.iter().filter(|key| key.apart.is_none()).map(|key| {
        let TableKey { columns, target, on_delete, .. } = key;
        Key { columns: columns.clone(), target: *target, on_delete: *on_delete }
    });
    single.chain(several).collect()
}

fn both_sides(models: &mut [Model<'_>], holder: usize, key: &Key) {
    let own = &models[holder];
    let (target, on_delete) = (key.target, key.on_delete);
    let several = keys_to(own, target) > 1 || holder == target;
    let fields = || key.columns.iter().filter_map(|ident| own.fields.iter().find(|field| field.ident == *ident));
    let columns: Vec<&str> = fields().map(|field| field.column.name.as_str()).collect();
    let single = own.table.is_unique(&columns);
    // The derive would take this model's own key for that of a reverse that leads to one row.
    let single = single && (holder == target || keys_to(&models[target], holder) == 0);
    let foreign_key = several.then(|| key.written());
    let (holder_ident, target_ident) = (own.ident.clone(), models[target].ident.clone());
    let nullable = fields().any(|field| field.nullable);
    let one = if nullable { format!("One<Option<{target_ident}>>") } else { format!("One<{target_ident}>") };
    let base = match own_column(own, key) {
        Some(column) => to_one_name(column, &target_ident),
        None => snake(&target_ident),
    };

    let to_one = models[holder].taken.field(base);
    let back = snake(&models[holder].table.name);
    let back =
        if several { format!("{}_by_{}", back.trim_end_matches('_'), to_one.trim_end_matches('_')) } else { back };
    let back = models[target].taken.field(back);
    models[holder].relationships.push(Relationship {
        ident: to_one.clone(),
        ty: one,
        back_populates: back.clone(),
        foreign_key: foreign_key.clone(),
        on_delete: Action::NoAction,
    });
    models[target].relationships.push(Relationship {
        ident: back,
        ty: if single { format!("One<Option<{holder_ident}>>") } else { format!("Many<{holder_ident}>") },
        back_populates: to_one,
        // The reverse that leads to one row knows its key by the other side.
        foreign_key: foreign_key.filter(|_| !single),
        on_delete,
    });
}

/// The column that is this key's alone: of `(tenant_id, author_id)` and `(tenant_id, blog_id)` the second.
fn own_column<'k>(model: &Model<'_>, key: &'k Key) -> Option<&'k str> {
    if let [column] = &key.columns[..] {
        return Some(column);
    }
    let others: Vec<Key> = keys(model).into_iter().filter(|other| other.columns != key.columns).collect();
    let is_own = |column: &&String| !others.iter().any(|other| other.columns.contains(column));
    let mut own = key.columns.iter().filter(is_own);
    own.next().filter(|_| own.next().is_none()).map(String::as_str)
}

/// How many foreign keys of a model lead to another.
fn keys_to(model: &Model<'_>, target: usize) -> usize {
    let single = model.fields.iter().filter_map(|field| Some(field.references.as_ref()?.target));
    single.chain(model.keys.iter().map(|key| key.target)).filter(|model| *model == target).count()
}

/// `author` for `author_id`; else the target's name.
fn to_one_name(key: &str, target: &str) -> String {
    let stripped = ["_id", "_key", "_fk", "_uuid"].iter().find_map(|suffix| key.strip_suffix(suffix));
    snake(stripped.filter(|name| !name.is_empty()).unwrap_or(target))
}
