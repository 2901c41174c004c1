//! Second stage: what follows from the fields together, and what contradicts itself.

use crate::errors::Errors;
use crate::names::{list, nearest};

use super::spec::{Column, Kind, Model, Origin, Relationship, Size};
use crate::types::{is_integer, is_uuid, last_segment, same_name};

pub(crate) fn model(model: &mut Model, errors: &mut Errors) {
    primary_key(model, errors);
    super::inherit::resolve(model, errors);
    version(model, errors);
    for position in 0..model.columns.len() {
        let origin = origin(model, position, errors);
        let column = &mut model.columns[position];
        column.origin = origin;
        refuse_contradictions(column, errors);
    }
    foreign_keys(model, errors);
    for relationship in &model.relationships {
        refuse_what_the_key_side_cannot(relationship, errors);
        refuse_what_many_to_many_cannot(model, relationship, errors);
    }
}

fn primary_key(model: &mut Model, errors: &mut Errors) {
    let key = model.columns.iter().enumerate().filter(|(_, column)| column.primary_key.is_some());
    model.primary_key = key.map(|(position, _)| position).collect();
    if model.primary_key.is_empty() {
        let text =
            format!("could not assemble any primary key for `{}`: mark a field `#[column(primary_key)]`", model.ident);
        errors.at(&model.ident, text);
    }
    if let Some((order, span)) = &model.key_order {
        let mut sorted = order.clone();
        sorted.sort_unstable();
        if sorted != model.primary_key {
            errors.span(
                *span,
                "`primary_key(columns(..))` names the fields that are marked `#[column(primary_key)]`, each once",
            );
            return;
        }
        model.primary_key.clone_from(order);
    }
}

/// Finds the column that counts the row's updates.
fn version(model: &mut Model, errors: &mut Errors) {
    for (position, column) in model.columns.iter().enumerate() {
        let Some(span) = column.version else { continue };
        if !is_integer(&column.field.ty) {
            errors.span(span, "a version counts the row's updates: its type is an integer, such as `i32`");
        }
        if column.primary_key.is_some() || column.references.is_some() {
            errors.span(span, "a version is counted by the flush, so that it can be no key");
        }
        if column.on_update.is_some() || column.server_default.is_some() {
            errors.span(span, "a version is counted by the flush: it takes no `on_update` and no `server_default`");
        }
        if model.version.is_some() {
            errors.span(span, "a model has one version column");
        }
        model.version = Some(position);
    }
    if let (Some(span), Some(_)) = (model.compares_old, model.version) {
        errors.span(span, "a version column tells of each change already: leave one of the two out");
    }
}

/// Who makes a column's value, after the rules for single keys.
fn origin(model: &Model, position: usize, errors: &mut Errors) -> Origin {
    let column = &model.columns[position];
    let single_key = model.primary_key == [position];
    if let Some((counted, span)) = column.autoincrement {
        if column.primary_key.is_none() {
            errors.span(span, "`autoincrement` belongs to a primary key");
        } else if counted && !single_key {
            errors.span(span, "only a primary key of one column is counted up");
        } else if counted && (is_uuid(&column.field.ty) || is_string(column)) {
            errors.span(span, "only integers are counted up");
        }
    }
    counted(column, single_key, errors);
    if column.computed.is_some() {
        return Origin::Computed;
    }
    if column.default.is_some() || column.version.is_some() {
        return Origin::Default;
    }
    if column.server_default.is_some() || column.sequence.is_some() {
        return Origin::Server;
    }
    let off = column.autoincrement.is_some_and(|(counted, _)| !counted);
    let own = column.references.is_none() || model.joins_parent(position);
    if single_key && own && !off && !column.nullable {
        return if is_integer(&column.field.ty) || is_uuid(&column.field.ty) {
            Origin::GeneratedKey
        } else {
            Origin::Key
        };
    }
    if column.nullable { Origin::Null } else { Origin::Given }
}

/// Who counts a column's numbers is said once.
fn counted(column: &Column, single_key: bool, errors: &mut Errors) {
    if let Some(sequence) = &column.sequence {
        let other = column.server_default.is_some() || column.default.is_some() || column.identity.is_some();
        if other || column.autoincrement.is_some_and(|(counted, _)| counted) {
            errors.span(
                sequence.span,
                "`sequence`, `identity`, `autoincrement`, `default` and `server_default` exclude each other",
            );
        }
        if !is_integer(&column.field.ty) {
            errors.span(sequence.span, "a sequence gives integers: write the type as `i64`");
        }
    }
    if let Some(identity) = &column.identity {
        let off = column.autoincrement.is_some_and(|(counted, _)| !counted);
        if !single_key || off || column.server_default.is_some() || column.default.is_some() {
            errors.span(
                identity.span,
                "`identity` says how the single primary key is counted up; for other columns write `sequence = \"..\"`",
            );
        }
    }
}

fn is_string(column: &Column) -> bool {
    last_segment(&column.field.ty).is_some_and(|segment| segment.ident == "String")
}

fn refuse_contradictions(column: &Column, errors: &mut Errors) {
    if let Some(computed) = &column.computed {
        let others = [
            ("primary_key", column.primary_key.is_some()),
            ("default", column.default.is_some()),
            ("server_default", column.server_default.is_some()),
            ("on_update", column.on_update.is_some()),
            ("references", column.references.is_some()),
        ];
        for (other, _) in others.iter().filter(|(_, given)| *given) {
            let text =
                format!("the database computes the value, which leaves nothing to `{other}`: remove one of them");
            errors.span(computed.span, text);
        }
    }
    if let Some(span) = column.primary_key.filter(|_| column.nullable) {
        errors.span(span, "a primary key is never NULL: its type cannot be an `Option`");
    }
    if let Some(Size::Decimal { precision, scale, span }) = &column.size {
        let digits = precision.as_ref().and_then(|digits| errors.ok(digits.base10_parse::<u8>()));
        let after = scale.as_ref().and_then(|digits| errors.ok(digits.base10_parse::<u8>()));
        if precision.is_none() {
            errors.span(*span, "`scale` needs `precision`: the number of digits in all");
        } else if let (Some(digits), Some(after)) = (digits, after)
            && after > digits
        {
            errors.span(*span, "`scale` counts some of the digits of `precision`, so it cannot be greater");
        }
    }
    if let Some(reference) = &column.references {
        for (action, attribute) in [(&reference.on_delete, "on_delete"), (&reference.on_update, "on_key_update")] {
            if action == "SetNull" && !column.nullable {
                let text = format!(
                    "`{attribute} = set_null` needs a column that can be NULL: make `{}` an `Option`",
                    column.field.ident
                );
                errors.at(action, text);
            }
            if action == "SetDefault" && column.server_default.is_none() {
                let text = format!("`{attribute} = set_default` needs `server_default = \"..\"`");
                errors.at(action, text);
            }
        }
    }
}

/// Finds each relationship's key.
fn foreign_keys(model: &mut Model, errors: &mut Errors) {
    for position in 0..model.relationships.len() {
        let relationship = &model.relationships[position];
        if relationship.kind == Kind::Many || relationship.secondary.is_some() {
            continue;
        }
        let key = match &relationship.foreign_key {
            Some(_) => named_key(model, relationship, errors),
            None if is_reverse_of_own(model, relationship) => None,
            None => only_key(model, relationship, errors),
        };
        let Some(key) = key else { continue };
        if let Some(&other) = model.columns[key].links.first() {
            let text = format!(
                "`{}` is the foreign key of `{}` already: add `#[relationship(foreign_key = ..)]` to both",
                model.columns[key].field.ident, model.relationships[other].field.ident
            );
            errors.at(&relationship.field.ident, text);
            continue;
        }
        refuse_other_nullability(&model.columns[key], relationship, errors);
        model.relationships[position].key = Some(key);
        model.columns[key].links.push(position);
    }
}

/// The column of `foreign_key = ..`.
fn named_key(model: &Model, relationship: &Relationship, errors: &mut Errors) -> Option<usize> {
    let name = relationship.foreign_key.as_ref()?;
    let Some(key) = model.columns.iter().position(|column| column.field.ident == *name) else {
        let fields: Vec<String> = model.columns.iter().map(|column| column.field.ident.to_string()).collect();
        let meant = nearest(&name.to_string(), fields.iter().map(String::as_str))
            .map(|field| format!("; did you mean `{field}`?"))
            .unwrap_or_default();
        errors.at(name, format!("`{}` has no column `{name}`{meant}", model.ident));
        return None;
    };
    if model.columns[key].references.is_none() {
        let text = format!("`{name}` is no foreign key: add `#[column(references = Model::column)]` to it");
        errors.at(name, text);
        return None;
    }
    Some(key)
}

/// The only key to the target, where there is no more than one.
fn only_key(model: &Model, relationship: &Relationship, errors: &mut Errors) -> Option<usize> {
    let target = last_segment(&relationship.target)?.ident.to_string();
    let to_target = |column: &Column| {
        column.references.as_ref().is_some_and(|reference| same_name(&relationship.target, &reference.model))
    };
    let keys: Vec<usize> =
        (0..model.columns.len()).filter(|&i| !model.joins_parent(i) && to_target(&model.columns[i])).collect();
    match keys[..] {
        [key] => Some(key),
        [] if relationship.kind == Kind::OptionalOne => None,
        [] => {
            let text = format!(
                "`{model}` has no foreign key to `{target}`: add a column `#[column(references = {target}::id)]`; or, when \
                 the key is in `{target}`, there may be no row, so write `One<Option<{target}>>`",
                model = model.ident,
            );
            errors.at(&relationship.field.ty, text);
            None
        }
        _ => {
            let names: Vec<String> = keys.iter().map(|&key| model.columns[key].field.ident.to_string()).collect();
            let text = format!(
                "{} are foreign keys to `{target}`: say which one is meant, `#[relationship(foreign_key = {})]`",
                list(names.iter().map(String::as_str)),
                names[0],
            );
            errors.at(&relationship.field.ident, text);
            None
        }
    }
}

/// Whether this is the side without a key of a one-to-one relationship of a model with itself: the other side names
/// the key.
fn is_reverse_of_own(model: &Model, relationship: &Relationship) -> bool {
    let own = last_segment(&relationship.target).is_some_and(|segment| segment.ident == model.ident);
    own && relationship.back_populates.as_ref().is_some_and(|name| {
        let other = model.relationships.iter().find(|other| other.field.ident == *name);
        other.is_some_and(|other| other.kind != Kind::Many && other.foreign_key.is_some())
    })
}

fn refuse_other_nullability(key: &Column, relationship: &Relationship, errors: &mut Errors) {
    let Some(target) = last_segment(&relationship.target).map(|segment| &segment.ident) else { return };
    let key_name = &key.field.ident;
    match (key.nullable, relationship.kind) {
        (true, Kind::One) => {
            let text =
                format!("its key `{key_name}` can be NULL, so there may be no row: write `One<Option<{target}>>`");
            errors.at(&relationship.field.ty, text);
        }
        (false, Kind::OptionalOne) => {
            let text = format!(
                "its key `{key_name}` is never NULL, so there is always a row: write `One<{target}>`, or make the key an `Option`"
            );
            errors.at(&relationship.field.ty, text);
        }
        _ => {}
    }
}

/// What belongs to relationships without a link model only.
fn refuse_what_many_to_many_cannot(model: &Model, relationship: &Relationship, errors: &mut Errors) {
    let Some(secondary) = &relationship.secondary else { return };
    if relationship.kind != Kind::Many {
        let target = last_segment(&relationship.target).map(|segment| segment.ident.to_string()).unwrap_or_default();
        let text = format!("`secondary` leads to many rows by way of a link model: write `Many<{target}>`");
        errors.at(secondary, text);
        return;
    }
    if let Some(span) = relationship.delete_orphan {
        let text = "`delete-orphan` needs a row with one parent, and by a link model it may have several: write \
                    `cascade = \"all\"`, or let go of the row and delete it yourself";
        errors.span(span, text);
    }
    let own = last_segment(&relationship.target).is_some_and(|segment| segment.ident == model.ident);
    if own && relationship.back_populates.as_ref() == Some(&relationship.field.ident) {
        let text = "a relationship is not its own other side: write two, each with the `foreign_key` of the link model \
                    that is its own";
        errors.at(&relationship.field.ident, text);
    }
}

fn refuse_what_the_key_side_cannot(relationship: &Relationship, errors: &mut Errors) {
    if relationship.kind != Kind::Many && !relationship.order_by.is_empty() {
        errors.at(&relationship.field.ident, "`order_by` orders many rows, and this relationship leads to one");
    }
    if relationship.key.is_none() {
        return;
    }
    if let Some(span) = relationship.delete_orphan {
        let text = "`delete-orphan` belongs to the side that has no foreign key: the parent's";
        errors.span(span, text);
    }
    if relationship.passive_deletes {
        let text = "`passive_deletes` belongs to the side that has no foreign key: the parent's";
        errors.at(&relationship.field.ident, text);
    }
}
