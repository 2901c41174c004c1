//! What has to fit together between two models. The derive of one sees the other by its types only.

use crate::entity::model::Model;
use crate::model::{ByLink, Column, ColumnType, ToMany, ToOne};
use crate::schema::SqlType;

/// The target of `references = ..`; the key's type is that of the column that it references.
pub fn reference<K, M, T>(column: Column<M, T>) -> usize
where
    K: ColumnType,
    M: Model,
    T: ColumnType,
    K::Base: SameType<T::Base>,
{
    column.index()
}

/// Two types that are one.
#[diagnostic::on_unimplemented(
    message = "a foreign key of type `{Self}` cannot reference a column of type `{Other}`",
    label = "a column of type `{Other}`",
    note = "give both columns the same type; the key may be an `Option` of it"
)]
pub trait SameType<Other> {}

impl<T> SameType<T> for T {}

/// With a second implementation the compiler waits until it knows both types, and then names them.
pub struct Undecided<T>(T);

impl<T> SameType<Undecided<T>> for T {}

/// The target of a relationship whose key references a column of that same target.
pub fn target<M: Model, T>(_referenced: Column<M, T>) {}

/// A foreign key on the other side of a relationship.
pub fn key_to<M: Model, T>(column: Column<M, T>) -> usize {
    column.index()
}

/// Whether a soft deletion is marked by a truth value; else it is by a time, which may be NULL. Stops the compiler for other
/// types.
pub const fn is_deletion_flag<T: ColumnType>() -> bool {
    match const { &T::SQL_TYPE } {
        SqlType::Boolean if !T::NULLABLE => true,
        SqlType::Timestamp | SqlType::DateTime if T::NULLABLE => false,
        _ => panic!(
            "a `#[column(soft_delete)]` says when the row was deleted, as an `Option<Timestamp>`, or whether it is, as a `bool`"
        ),
    }
}

/// A column of the model that a relationship leads to.
pub fn column_of<M: Model, T>(column: Column<M, T>) -> usize {
    column.index()
}

/// A relationship from `Target` back to one row of `Source`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not lead back to `{Source}`",
    label = "not a relationship from `{Target}` to one `{Source}`",
    note = "`back_populates` of a `Many<{Target}>` names a field of `{Target}` of type `One<{Source}>` or `One<Option<{Source}>>`"
)]
pub trait InverseOfMany<Source, Target>: Copy {}

impl<S, T> InverseOfMany<S, T> for ToOne<T, S> {}

impl<S, T> InverseOfMany<S, T> for ToOne<T, Option<S>> {}

/// A relationship from `Target` back to one row or to many of `Source`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not lead back to `{Source}`",
    label = "not a relationship from `{Target}` to `{Source}`",
    note = "`back_populates` of a `One<{Target}>` names a field of `{Target}` of type `Many<{Source}>` or `One<Option<{Source}>>`"
)]
pub trait InverseOfOne<Source, Target>: Copy {}

impl<S, T> InverseOfOne<S, T> for ToMany<T, S> {}

impl<S, T> InverseOfOne<S, T> for ToOne<T, S> {}

impl<S, T> InverseOfOne<S, T> for ToOne<T, Option<S>> {}

/// A many-to-many relationship from `Target` back to `Source`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not lead back to `{Source}`",
    label = "not a relationship from `{Target}` to many `{Source}`",
    note = "`back_populates` of a many-to-many relationship names a field of `{Target}` of type `Many<{Source}>` with the same `secondary`"
)]
pub trait InverseByLink<Source, Target>: Copy {}

impl<S, T> InverseByLink<S, T> for ToMany<T, S, ByLink> {}

/// A model with a foreign key to `Target`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no foreign key to `{Target}`",
    label = "`{Self}` does not link `{Target}`",
    note = "a link model has a foreign key to each side: add a column with `#[column(references = {Target}::..)]` to `{Self}`, or `#[model(foreign_key(..))]` for a key of several columns"
)]
pub trait References<Target> {}

/// Checks that a link model has foreign keys to both sides.
pub const fn links_both<L: References<A> + References<B>, A, B>() {}

/// What each relationship of a model says of its other side, for [`points_back`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    label = "not a model",
    note = "add `#[derive(Model, Clone)]` to the struct"
)]
pub trait Relationships {
    /// The `back_populates` of each, in order.
    const BACK: &'static [Option<&'static str>];
    /// The link model of each that has one, in order.
    const SECONDARY: &'static [Option<&'static str>];
    /// The names of the models that the foreign keys lead to, in order.
    const KEYS: &'static [&'static str];
}

/// Stops the compiler with `message` where a model has several foreign keys to the model with a name.
pub const fn only_key<T: Relationships>(name: &str, message: &'static str) {
    check_only(T::KEYS, name, message);
}

const fn check_only(keys: &[&str], name: &str, message: &'static str) {
    let (mut at, mut found) = (0, 0);
    while at < keys.len() {
        if same_text(keys[at], name) {
            found += 1;
        }
        at += 1;
    }
    if found > 1 {
        panic!("{}", message);
    }
}

/// Stops the compiler with `message` where the other side of a `One`, which is at `index`, does not name `name` as its
/// own other side.
pub const fn points_back<S, T: Relationships, R: InverseOfOne<S, T>>(
    _other: R,
    index: usize,
    name: &str,
    message: &'static str,
) {
    check_back(T::BACK, index, name, message);
}

/// The same for a `Many`, whose other side leads to one row.
pub const fn points_back_to_one<S, T: Relationships, R: InverseOfMany<S, T>>(
    _other: R,
    index: usize,
    name: &str,
    message: &'static str,
) {
    check_back(T::BACK, index, name, message);
}

/// The same for a many-to-many relationship, with the name of its link model, which the other side has to have too.
pub const fn points_back_by_link<S, T: Relationships, R: InverseByLink<S, T>>(
    _other: R,
    index: usize,
    (name, message): (&str, &'static str),
    (link, apart): (&str, &'static str),
) {
    check_back(T::BACK, index, name, message);
    check_back(T::SECONDARY, index, link, apart);
}

const fn check_back(back: &[Option<&str>], index: usize, name: &str, message: &'static str) {
    let same = match back[index] {
        Some(named) => same_text(named, name),
        None => false,
    };
    if !same {
        panic!("{}", message);
    }
}

const fn same_text(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_when_all_their_bytes_are() {
        assert!(same_text("posts", "posts") && same_text("", ""));
        assert!(!same_text("posts", "post") && !same_text("post", "posts") && !same_text("posts", "pasts"));
    }

    #[test]
    fn two_keys_to_one_model_are_one_too_many() {
        check_only(&["User", "Team"], "User", "");
        assert!(std::panic::catch_unwind(|| check_only(&["User", "Team", "User"], "User", "x")).is_err());
    }

    #[test]
    fn a_relationship_that_names_another_side_does_not_point_back() {
        check_back(&[None, Some("posts")], 1, "posts", "");
        assert!(std::panic::catch_unwind(|| check_back(&[None], 0, "posts", "x")).is_err());
        assert!(std::panic::catch_unwind(|| check_back(&[Some("drafts")], 0, "posts", "x")).is_err());
    }
}
