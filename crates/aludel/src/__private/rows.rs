//! What builders and struct literals are made into.

use crate::entity::def::Generated;
use crate::entity::model::Model;
use crate::entity::new::{ColumnSet, IntoLink, LinkTarget, NewLink, NewRow};
use crate::model::{ChildOf, ColumnType};
use crate::sql::Value;

/// The value of a required field.
///
/// # Panics
/// When it is missing, which the builder's type rules out.
pub fn given<T>(field: Option<T>, given: &mut ColumnSet, column: usize) -> T {
    given.insert(column);
    match field {
        Some(value) => value,
        None => unreachable!("the builder's type says that column {column} is given"),
    }
}

/// The value of a field, or its default, which is written too.
pub fn given_or<T>(
    field: Option<T>,
    (given, defaulted): (&mut ColumnSet, &mut ColumnSet),
    column: usize,
    default: impl FnOnce() -> T,
) -> T {
    given.insert(column);
    field.unwrap_or_else(|| {
        defaulted.insert(column);
        default()
    })
}

/// The value of a field, or what stands in its place until it is known.
pub fn given_or_blank<T>(field: Option<T>, given: &mut ColumnSet, column: usize, blank: impl FnOnce() -> T) -> T {
    match field {
        Some(value) => {
            given.insert(column);
            value
        }
        None => blank(),
    }
}

/// Links the row to another, in place of what it was linked to before.
pub fn link<T: Model>(links: &mut Vec<NewLink>, relationship: usize, target: impl IntoLink<T>) {
    unlink(links, relationship);
    links.push(NewLink::to(relationship, target.into_link()));
}

/// Takes the links of a relationship back: its key was given.
pub fn unlink(links: &mut Vec<NewLink>, relationship: usize) {
    links.retain(|link| link.relationship != relationship);
}

/// Notes that a column of a relationship's key of several columns was given after the row that it leads to.
pub fn given_beside(links: &mut [NewLink], relationship: usize, column: usize) {
    links.iter_mut().filter(|link| link.relationship == relationship).for_each(|link| link.given.insert(column));
}

/// Links the row to the only one that holds its key.
pub fn link_child<P: Model, T: Model, C: ChildOf<P, T>>(links: &mut Vec<NewLink>, relationship: usize, child: C) {
    unlink(links, relationship);
    links.push(NewLink::to(relationship, child.into_link()));
}

/// Links the row to more rows that hold its key.
pub fn link_children<P: Model, T: Model, C: ChildOf<P, T>>(
    links: &mut Vec<NewLink>,
    relationship: usize,
    children: impl IntoIterator<Item = C>,
) {
    links.extend(children.into_iter().map(|child| NewLink::to(relationship, child.into_link())));
}

/// Links the row to more rows by a link model.
pub fn link_rows<T: Model, L: IntoLink<T>>(
    links: &mut Vec<NewLink>,
    relationship: usize,
    rows: impl IntoIterator<Item = L>,
) {
    links.extend(rows.into_iter().map(|row| NewLink::to(relationship, row.into_link())));
}

/// The other end of a link to a new row.
pub fn child<M: Model>(row: NewRow<M>) -> LinkTarget {
    IntoLink::into_link(row)
}

/// The new row of a struct literal: all its columns are given, but a key that is to be made and was left as it is in
/// `Default`.
pub fn literal_row<M: Model>(mut value: M) -> NewRow<M> {
    identify(&mut value);
    let mut given = ColumnSet::EMPTY;
    for (position, column) in M::def().columns.iter().enumerate() {
        let blank = match column.generated {
            Generated::Autoincrement => value.value(position) == Value::Int(0),
            Generated::Uuid => value.value(position) == Value::Uuid(uuid::Uuid::nil()),
            Generated::No | Generated::Server => {
                M::def().options.version == Some(position) && value.value(position) == Value::Int(0)
            }
            // Nobody writes it, whatever stands there.
            Generated::Computed => true,
        };
        if !blank {
            given.insert(position);
        }
    }
    NewRow { value, given, defaulted: ColumnSet::EMPTY, links: Vec::new() }
}

/// Gives a discriminator that was left as it is in `Default` the model's identity.
fn identify<M: Model>(value: &mut M) {
    let options = &M::def().options;
    let Some((position, identity)) = options.discriminator.zip(options.identity) else { return };
    let is_blank = match value.value(position) {
        Value::Text(text) => text.is_empty(),
        number => number == Value::Int(0),
    };
    // What cannot be put there stays, and the flush says that it is no identity of the model's.
    if is_blank && value.put(position, identity()).is_err() {
        debug_assert!(false, "an identity has the discriminator's type");
    }
}

/// A column's value as a value of the database.
pub fn owned<T: ColumnType>(value: T) -> Value<'static> {
    value.to_value().into_owned()
}

/// # Panics
/// Always: positions come from the model's own definition.
#[cold]
pub fn no_column<M: Model>(column: usize) -> ! {
    panic!("`{}` has no column at position {column}", M::def().name)
}

/// # Panics
/// Always: positions come from the model's own definition.
#[cold]
pub fn no_relationship<M: Model>(index: usize) -> ! {
    panic!("`{}` has no relationship at position {index}", M::def().name)
}
