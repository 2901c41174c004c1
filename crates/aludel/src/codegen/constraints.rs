//! The attributes of a model's struct: constraints and indexes over several columns, or with names of their own.

use crate::schema::{Action, Index, IndexElement, IndexKey, NullsOrder};

use super::plan::{Model, Plan};

/// The entries of `#[model(..)]`, and what is left out of them because its columns are.
pub(super) fn entries(plan: &Plan<'_>, model: &Model<'_>) -> (Vec<String>, Vec<String>) {
    let (mut entries, mut notes) = (Vec::new(), Vec::new());
    let table = model.table;
    entries.extend(primary_key(model));
    for (unique, name) in table.uniques.iter().zip(&model.names.uniques) {
        match model.idents(&unique.columns) {
            Some(_) if is_at_column(&unique.columns, name) => {}
            Some(columns) => entries.push(format!("unique(columns({}){})", columns.join(", "), named(name))),
            None => notes.push(format!("a unique constraint on {} is left out with its column", table.name)),
        }
    }
    for key in &model.keys {
        let target = &plan.models[key.target].ident;
        let targets: Vec<String> = key.targets.iter().map(|field| format!("{target}::{field}")).collect();
        entries.push(format!(
            "foreign_key(columns({}), references({}){}{})",
            key.columns.join(", "),
            targets.join(", "),
            actions(key.on_delete, key.on_update),
            named(&key.name)
        ));
    }
    for (check, name) in table.checks.iter().zip(&model.names.checks) {
        match model.mentions_left_out(&check.sql) {
            None => entries.push(format!("check(sql = {:?}{})", check.sql, named(name))),
            Some(column) => {
                notes.push(format!("a check of {} is left out with its column `{}`", table.name, column.name));
            }
        }
    }
    for (at, (index, name)) in table.indexes.iter().zip(&model.names.indexes).enumerate() {
        if is_column_index(model, at) {
            continue;
        }
        match self::index(model, index, name) {
            Some(entry) => entries.push(entry),
            None => {
                let name = index.name.as_deref().unwrap_or_default();
                notes.push(format!("index `{name}` of {} is left out with its column", table.name));
            }
        }
    }
    (entries, notes)
}

/// The order of the key's columns, where it is not that of the fields, and its name.
fn primary_key(model: &Model<'_>) -> Option<String> {
    let key = model.table.primary_key_columns();
    let fields = model.fields.iter().map(|field| field.column.name.as_str());
    let in_order = fields.filter(|column| model.table.is_primary_key(column)).eq(key.iter().map(String::as_str));
    let columns = if in_order { None } else { Some(format!("columns({})", model.idents(key)?.join(", "))) };
    let name = model.names.primary_key.as_ref().map(|name| format!("name = {name:?}"));
    let parts: Vec<String> = columns.into_iter().chain(name).collect();
    (!parts.is_empty()).then(|| format!("primary_key({})", parts.join(", ")))
}

/// Whether a unique constraint is said at its column: `#[column(unique)]`.
pub(super) fn is_at_column(columns: &[String], name: &Option<String>) -> bool {
    columns.len() == 1 && name.is_none()
}

/// Whether an index is said at its column: `#[column(index)]`.
pub(super) fn is_column_index(model: &Model<'_>, at: usize) -> bool {
    let index = &model.table.indexes[at];
    let [
        IndexElement {
            key: IndexKey::Column(column),
            descending: false,
            nulls: None,
            length: None,
            operator_class: None,
        },
    ] = &index.elements[..]
    else {
        return false;
    };
    let plain = !index.unique && index.predicate.is_none() && index.using.is_none() && index.include.is_empty();
    plain && model.names.indexes[at].is_none() && model.field(column).is_some()
}

pub(super) fn actions(on_delete: Action, on_update: Action) -> String {
    let mut out = String::new();
    for (key, action) in [("on_delete", on_delete), ("on_key_update", on_update)] {
        let word = match action {
            Action::NoAction => continue,
            Action::Restrict => "restrict",
            Action::Cascade => "cascade",
            Action::SetNull => "set_null",
            Action::SetDefault => "set_default",
        };
        out.push_str(&format!(", {key} = {word}"));
    }
    out
}

fn named(name: &Option<String>) -> String {
    name.as_ref().map(|name| format!(", name = {name:?}")).unwrap_or_default()
}

fn index(model: &Model<'_>, index: &Index, name: &Option<String>) -> Option<String> {
    let elements: Option<Vec<String>> = index.elements.iter().map(|part| element(model, part)).collect();
    let mut out = format!("index(columns({})", elements?.join(", "));
    if index.unique {
        out.push_str(", unique");
    }
    if let Some(method) = &index.using {
        out.push_str(&format!(", using = {method:?}"));
    }
    if !index.include.is_empty() {
        out.push_str(&format!(", include({})", model.idents(&index.include)?.join(", ")));
    }
    if let Some(sql) = &index.predicate {
        if model.mentions_left_out(sql).is_some() {
            return None;
        }
        out.push_str(&format!(", predicate = {sql:?}"));
    }
    out.push_str(&named(name));
    out.push(')');
    Some(out)
}

fn element(model: &Model<'_>, element: &IndexElement) -> Option<String> {
    let mut out = match &element.key {
        IndexKey::Column(name) => model.field(name)?.ident.clone(),
        IndexKey::Expression(sql) if model.mentions_left_out(sql).is_some() => return None,
        IndexKey::Expression(sql) => format!("expr({sql:?})"),
    };
    if let Some(length) = element.length {
        out = format!("prefix({out}, {length})");
    }
    if let Some(class) = &element.operator_class {
        out = format!("operator_class({out}, {class:?})");
    }
    if element.descending {
        out = format!("desc({out})");
    }
    match element.nulls {
        Some(NullsOrder::First) => out = format!("nulls_first({out})"),
        Some(NullsOrder::Last) => out = format!("nulls_last({out})"),
        None => {}
    }
    Some(out)
}
