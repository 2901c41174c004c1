//! The relationships: two for each foreign key at a column, which name each other.

use crate::schema::Action;

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

pub(super) fn plan(plan: &mut Plan<'_>) {
    for holder in 0..plan.models.len() {
        for field in 0..plan.models[holder].fields.len() {
            if plan.models[holder].fields[field].references.is_some() {
                both_sides(&mut plan.models, holder, field);
            }
        }
    }
}

fn both_sides(models: &mut [Model<'_>], holder: usize, field: usize) {
    let own = &models[holder];
    let key = &own.fields[field];
    let Some(reference) = &key.references else { return };
    let (target, on_delete) = (reference.target, reference.on_delete);
    let several = keys_to(own, target) > 1 || holder == target;
    let single = own.table.is_unique(&[key.column.name.as_str()]);
    // The derive would take this model's own key for that of a reverse that leads to one row.
    let single = single && (holder == target || keys_to(&models[target], holder) == 0);
    let foreign_key = several.then(|| key.ident.clone());
    let (holder_ident, target_ident) = (own.ident.clone(), models[target].ident.clone());
    let one = if key.nullable { format!("One<Option<{target_ident}>>") } else { format!("One<{target_ident}>") };
    let base = to_one_name(&key.ident, &target_ident);

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

/// How many columns of a model are foreign keys to another.
fn keys_to(model: &Model<'_>, target: usize) -> usize {
    model.fields.iter().filter(|field| field.references.as_ref().is_some_and(|key| key.target == target)).count()
}

/// `author` for `author_id`; else the target's name.
fn to_one_name(key: &str, target: &str) -> String {
    let stripped = ["_id", "_key", "_fk", "_uuid"].iter().find_map(|suffix| key.strip_suffix(suffix));
    snake(stripped.filter(|name| !name.is_empty()).unwrap_or(target))
}
