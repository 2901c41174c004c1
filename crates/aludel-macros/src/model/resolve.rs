//! Second stage: what follows from the fields together, and what contradicts itself.

mod criteria;

use crate::errors::Errors;

use super::spec::{Column, Kind, Model, Origin, Relationship, Size};
use crate::types::{is_integer, is_uuid, last_segment};

pub(crate) fn model(model: &mut Model, errors: &mut Errors) {
    primary_key(model, errors);
    super::inherit::resolve(model, errors);
    version(model, errors);
    criteria::criteria(model, errors);
    for position in 0..model.columns.len() {
        let origin = origin(model, position, errors);
        let column = &mut model.columns[position];
        column.origin = origin;
        refuse_contradictions(column, errors);
    }
    super::foreign_keys::resolve(model, errors);
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
    if column.default.is_some() || column.version.is_some() || column.is_filled_in() {
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
    let always = column.primary_key.is_some() || column.references.is_some() || column.version.is_some();
    if let Some(span) = column.deferred
        && (always || column.tenant.is_some() || column.soft_delete.is_some())
    {
        errors.span(
            span,
            "keys, versions, tenants and marks of deletion are always loaded: remove `deferred`, and write the type itself",
        );
    }
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
    if relationship.key.is_empty() {
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
