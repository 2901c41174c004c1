//! Second stage: which foreign key each relationship has.

use proc_macro2::Ident;

use crate::errors::Errors;
use crate::names::{list, nearest};
use crate::types::{last_segment, same_name};

use super::spec::{Key, Kind, Model, Relationship};

/// Finds each relationship's key.
pub(super) fn resolve(model: &mut Model, errors: &mut Errors) {
    for position in 0..model.relationships.len() {
        let relationship = &model.relationships[position];
        if relationship.kind == Kind::Many || relationship.secondary.is_some() {
            continue;
        }
        let key = match &relationship.foreign_key[..] {
            [] if is_reverse_of_own(model, relationship) => None,
            [] => only_key(model, relationship, errors),
            [name] => named_key(model, relationship, name, errors),
            names => key_of(model, relationship, names, errors),
        };
        let Some(key) = key else { continue };
        if let Some(other) = model.relationships.iter().find(|other| other.key == key) {
            let text = format!(
                "`{}` is the foreign key of `{}` already: add `#[relationship(foreign_key = ..)]` to both",
                written(model, &key),
                other.field.ident
            );
            errors.at(&relationship.field.ident, text);
            continue;
        }
        refuse_other_nullability(model, &key, relationship, errors);
        for &column in &key {
            model.columns[column].links.push(position);
        }
        model.relationships[position].key = key;
    }
}

/// A key as `foreign_key = ..` names it.
fn written(model: &Model, key: &[usize]) -> String {
    let names: Vec<String> = key.iter().map(|&column| model.columns[column].field.ident.to_string()).collect();
    match &names[..] {
        [name] => name.clone(),
        names => format!("({})", names.join(", ")),
    }
}

/// The key of `foreign_key = field`: of that column alone, or the only one to the target that it is part of, or the one
/// whose constraint has the name.
fn named_key(model: &Model, relationship: &Relationship, name: &Ident, errors: &mut Errors) -> Option<Vec<usize>> {
    let Some(column) = model.columns.iter().position(|column| column.field.ident == *name) else {
        let called = |key: &Key<'_>| key.name.is_some_and(|text| *name == text.value());
        if let Some(key) = model.keys().find(called) {
            return Some(key.columns);
        }
        let fields: Vec<String> = model.columns.iter().map(|column| column.field.ident.to_string()).collect();
        let meant = nearest(&name.to_string(), fields.iter().map(String::as_str))
            .map(|field| format!("; did you mean `{field}`?"))
            .unwrap_or_default();
        errors.at(name, format!("`{}` has no column `{name}`{meant}", model.ident));
        return None;
    };
    if model.columns[column].references.is_some() {
        return Some(vec![column]);
    }
    let leads_there = |key: &Key<'_>| same_name(&relationship.target, key.model);
    let with_column = model.keys().filter(|key| key.columns.contains(&column));
    let mut keys: Vec<Vec<usize>> = with_column.filter(leads_there).map(|key| key.columns).collect();
    match keys.len() {
        1 => keys.pop(),
        0 => {
            let text = format!("`{name}` is no foreign key: add `#[column(references = Model::column)]` to it");
            errors.at(name, text);
            None
        }
        _ => {
            errors.at(name, ambiguous(model, relationship, &keys));
            None
        }
    }
}

/// The key of `foreign_key = (one, other)`.
fn key_of(model: &Model, relationship: &Relationship, names: &[Ident], errors: &mut Errors) -> Option<Vec<usize>> {
    let is_it = |columns: &[usize]| {
        columns.len() == names.len() && columns.iter().all(|&column| names.contains(&model.columns[column].field.ident))
    };
    let key = model.keys().find(|key| is_it(&key.columns) && same_name(&relationship.target, key.model));
    if key.is_none() {
        let columns = names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let target = last_segment(&relationship.target).map(|segment| segment.ident.to_string()).unwrap_or_default();
        let text = format!(
            "`{}` has no foreign key of the columns ({columns}) to `{target}`: add \
             `#[model(foreign_key(columns({columns}), references({target}::..)))]` to it",
            model.ident
        );
        errors.at(&names[0], text);
    }
    key.map(|key| key.columns)
}

/// The only key to the target, where there is no more than one.
fn only_key(model: &Model, relationship: &Relationship, errors: &mut Errors) -> Option<Vec<usize>> {
    let target = last_segment(&relationship.target)?.ident.to_string();
    let to_target = model.keys().filter(|key| same_name(&relationship.target, key.model));
    let to_target = to_target.filter(|key| !key.columns.iter().any(|&column| model.joins_parent(column)));
    let mut keys: Vec<Vec<usize>> = to_target.map(|key| key.columns).collect();
    match keys.len() {
        1 => keys.pop(),
        0 if relationship.kind == Kind::OptionalOne => None,
        0 => {
            let text = format!(
                "`{model}` has no foreign key to `{target}`: add a column `#[column(references = {target}::id)]`; or, when \
                 the key is in `{target}`, there may be no row, so write `One<Option<{target}>>`",
                model = model.ident,
            );
            errors.at(&relationship.field.ty, text);
            None
        }
        _ => {
            errors.at(&relationship.field.ident, ambiguous(model, relationship, &keys));
            None
        }
    }
}

fn ambiguous(model: &Model, relationship: &Relationship, keys: &[Vec<usize>]) -> String {
    let target = last_segment(&relationship.target).map(|segment| segment.ident.to_string()).unwrap_or_default();
    let names: Vec<String> = keys.iter().map(|key| written(model, key)).collect();
    format!(
        "{} are foreign keys to `{target}`: say which one is meant, `#[relationship(foreign_key = {})]`",
        list(names.iter().map(String::as_str)),
        names[0],
    )
}

/// Whether this is the side without a key of a one-to-one relationship of a model with itself: the other side names
/// the key.
fn is_reverse_of_own(model: &Model, relationship: &Relationship) -> bool {
    let own = last_segment(&relationship.target).is_some_and(|segment| segment.ident == model.ident);
    own && relationship.back_populates.as_ref().is_some_and(|name| {
        let other = model.relationships.iter().find(|other| other.field.ident == *name);
        other.is_some_and(|other| other.kind != Kind::Many && !other.foreign_key.is_empty())
    })
}

/// A key of several columns leads nowhere where one of them is NULL.
fn refuse_other_nullability(model: &Model, key: &[usize], relationship: &Relationship, errors: &mut Errors) {
    let Some(target) = last_segment(&relationship.target).map(|segment| &segment.ident) else { return };
    let key_name = written(model, key);
    let (an_option, can_be_null) = match key {
        [_] => ("the key an `Option`", "can be NULL"),
        _ => ("one of its columns an `Option`", "can be NULL in part"),
    };
    match (key.iter().any(|&column| model.columns[column].nullable), relationship.kind) {
        (true, Kind::One) => {
            let text =
                format!("its key `{key_name}` {can_be_null}, so there may be no row: write `One<Option<{target}>>`");
            errors.at(&relationship.field.ty, text);
        }
        (false, Kind::OptionalOne) => {
            let text = format!(
                "its key `{key_name}` is never NULL, so there is always a row: write `One<{target}>`, or make {an_option}"
            );
            errors.at(&relationship.field.ty, text);
        }
        _ => {}
    }
}
