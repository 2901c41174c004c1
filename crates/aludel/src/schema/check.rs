//! What is wrong with a schema, found before a database is asked.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::Display;

use crate::error::{Error, ErrorKind, Result};

use super::{ForeignKey, MetaData, SqlType, Table};

/// What is wrong; `per_table` where each table has a space of its own for the names of its indexes.
pub(super) fn check(metadata: &MetaData, per_table: bool) -> Result<()> {
    for table in metadata.tables() {
        columns(table)?;
        constraint_columns(table)?;
        constraint_names(table)?;
    }
    index_names(metadata, per_table)?;
    foreign_keys(metadata)
}

/// Every foreign key points at columns that exist and that the target keeps unique. SQLite takes any other and then
/// refuses each write with "foreign key mismatch".
pub(super) fn foreign_keys(metadata: &MetaData) -> Result<()> {
    let keys = metadata.tables().iter().flat_map(|table| table.foreign_keys.iter().map(move |key| (table, key)));
    for (table, key) in keys {
        foreign_key(metadata, table, key)?;
    }
    Ok(())
}

fn foreign_key(metadata: &MetaData, table: &Table, key: &ForeignKey) -> Result<()> {
    let from = format!("{}.{}", table.key(), key.columns.join(", "));
    let to = &*key.target_key();
    let Some(target) = metadata.table(to) else {
        let message = format!(
            "foreign key {from} references table `{to}`, which does not exist: \
             add the model of that table, or correct the name"
        );
        return Err(wrong(table, message));
    };
    if key.columns.len() != key.target_columns.len() || key.columns.is_empty() {
        let message = format!(
            "foreign key {from} has {} columns and references {} of `{to}`: give as many on both sides",
            key.columns.len(),
            key.target_columns.len()
        );
        return Err(wrong(table, message));
    }
    if let Some(missing) = key.target_columns.iter().find(|name| target.column(name).is_none()) {
        return Err(wrong(
            table,
            format!("foreign key {from} references {to}.{missing}, and `{to}` has no such column"),
        ));
    }
    if !target.is_unique(&key.target_columns) {
        let message = format!(
            "foreign key {from} references {to}.{}, which is not unique there: \
             reference the primary key, or add a unique constraint",
            key.target_columns.join(", ")
        );
        return Err(wrong(table, message));
    }
    Ok(())
}

fn columns(table: &Table) -> Result<()> {
    if table.columns.is_empty() {
        return Err(wrong(table, format!("table `{}` has no columns: give it one", table.key())));
    }
    let mut seen = HashSet::new();
    for column in &table.columns {
        if !seen.insert(&column.name) {
            let message = format!("column {}.{} is declared twice: rename one of them", table.key(), column.name);
            return Err(wrong(table, message));
        }
        if let SqlType::Enum { values, .. } = &column.ty
            && values.is_empty()
        {
            let message = format!("enum column {}.{} has no values: give it one", table.key(), column.name);
            return Err(wrong(table, message));
        }
        if column.computed.is_some() && (column.server_default.is_some() || column.autoincrement) {
            let message = format!(
                "column {}.{} is computed, which leaves nothing to a default or to autoincrement: remove one of them",
                table.name, column.name
            );
            return Err(wrong(table, message));
        }
    }
    Ok(())
}

fn constraint_columns(table: &Table) -> Result<()> {
    let primary = table.primary_key.iter().map(|key| ("the primary key", &key.columns));
    let foreign = table.foreign_keys.iter().map(|key| ("a foreign key", &key.columns));
    let uniques = table.uniques.iter().map(|unique| ("a unique constraint", &unique.columns));
    for index in &table.indexes {
        if index.elements.is_empty() {
            return Err(wrong(table, format!("an index of table `{}` has no columns: name one", table.name)));
        }
        let included = index.include.iter().map(String::as_str);
        if let Some(missing) = index.columns().into_iter().chain(included).find(|name| table.column(name).is_none()) {
            let message =
                format!("an index of table `{}` names column `{missing}`, which it does not have", table.name);
            return Err(wrong(table, message));
        }
    }
    for (what, columns) in primary.chain(foreign).chain(uniques) {
        if columns.is_empty() {
            return Err(wrong(table, format!("{what} of table `{}` has no columns: name one", table.key())));
        }
        if let Some(missing) = columns.iter().find(|name| table.column(name).is_none()) {
            let message = format!("{what} of table `{}` names column `{missing}`, which it does not have", table.key());
            return Err(wrong(table, message));
        }
    }
    Ok(())
}

fn constraint_names(table: &Table) -> Result<()> {
    let mut seen = HashSet::new();
    let primary = table.primary_key.iter().filter_map(|key| key.name.as_ref());
    let foreign = table.foreign_keys.iter().filter_map(|key| key.name.as_ref());
    let uniques = table.uniques.iter().filter_map(|unique| unique.name.as_ref());
    let checks = table.checks.iter().filter_map(|check| check.name.as_ref());
    let enums = table.columns.iter().filter_map(|column| column.enum_check.as_ref());
    for name in primary.chain(foreign).chain(uniques).chain(checks).chain(enums) {
        if !seen.insert(name) {
            let message = format!(
                "two constraints of table `{}` have the name `{name}`: remove one, or give it a name of its own",
                table.key()
            );
            return Err(wrong(table, message).with_constraint(name));
        }
    }
    Ok(())
}

/// Indexes share one space of names with each other and with the tables of their schema, in SQLite as in PostgreSQL; in
/// MariaDB with those of their table alone.
fn index_names(metadata: &MetaData, per_table: bool) -> Result<()> {
    let mut owners: HashMap<(Cow<'_, str>, Cow<'_, str>), &Table> = HashMap::new();
    let indexes = metadata.tables().iter().flat_map(|table| table.indexes.iter().map(move |index| (table, index)));
    for (table, name) in indexes.filter_map(|(table, index)| Some((table, index.name.as_deref()?))) {
        let key = super::table::key(table.schema.as_deref(), name);
        let space = if per_table { table.key() } else { Cow::Borrowed("") };
        let taken: Option<&dyn Display> = match (metadata.table(&key), owners.insert((space, key), table)) {
            (Some(_), _) if !per_table => Some(&"a table"),
            (_, Some(owner)) => Some(&format!("an index of table `{}`", owner.key())),
            (_, None) => None,
        };
        if let Some(taken) = taken {
            let message = format!(
                "index `{name}` of table `{}` has the name of {taken}: give it another with name = \"..\"",
                table.key()
            );
            return Err(wrong(table, message));
        }
    }
    Ok(())
}

fn wrong(table: &Table, message: String) -> Error {
    Error::new(ErrorKind::Config, message).with_table(table.key())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{CheckConstraint, Column, Index, UniqueConstraint};

    fn table(name: &str, columns: &[&str]) -> Table {
        let columns = columns.iter().map(|column| Column::new(*column, SqlType::BigInt));
        columns.fold(Table::new(name), Table::with_column).with_primary_key(["id"])
    }

    fn message(tables: impl IntoIterator<Item = Table>) -> String {
        let mut metadata = MetaData::default();
        for table in tables {
            metadata.add_table(table).unwrap();
        }
        let error = metadata.check().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.table().is_some());
        error.to_string()
    }

    #[test]
    fn a_foreign_key_to_a_table_that_does_not_exist_is_an_error_that_names_both() {
        let post = table("post", &["id", "user_id"]).with_foreign_key(ForeignKey::new(["user_id"], "usr", ["id"]));
        let expected = "foreign key post.user_id references table `usr`, which does not exist: \
                        add the model of that table, or correct the name";
        assert_eq!(message([post.clone()]), expected);
        let mut metadata = MetaData::default();
        metadata.add_table(post).unwrap();
        assert_eq!(metadata.sorted_tables().unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_foreign_key_points_at_columns_that_exist_and_are_unique() {
        let user = table("user", &["id", "name"]);
        let post = |columns: &[&str], targets: &[&str]| {
            let key = ForeignKey::new(columns.iter().copied(), "user", targets.iter().copied());
            table("post", &["id", "user"]).with_foreign_key(key)
        };
        assert_eq!(
            message([user.clone(), post(&["user"], &["nick"])]),
            "foreign key post.user references user.nick, and `user` has no such column"
        );
        assert_eq!(
            message([user.clone(), post(&["user"], &["name"])]),
            "foreign key post.user references user.name, which is not unique there: \
             reference the primary key, or add a unique constraint"
        );
        assert_eq!(
            message([user.clone(), post(&["user"], &["id", "name"])]),
            "foreign key post.user has 1 columns and references 2 of `user`: give as many on both sides"
        );
        let mut metadata = MetaData::default();
        metadata.add_table(user.with_unique(UniqueConstraint::new(["name"]))).unwrap();
        metadata.add_table(post(&["user"], &["name"])).unwrap();
        metadata.check().unwrap();
    }

    #[test]
    fn a_constraint_names_columns_of_its_table() {
        assert_eq!(
            message([table("t", &["id"]).with_index(Index::new(["id", "title"]))]),
            "an index of table `t` names column `title`, which it does not have"
        );
        assert_eq!(
            message([table("t", &["id"]).with_unique(UniqueConstraint::new::<String>([]))]),
            "a unique constraint of table `t` has no columns: name one"
        );
    }

    #[test]
    fn a_table_has_columns_and_each_once() {
        assert_eq!(message([Table::new("t")]), "table `t` has no columns: give it one");
        let twice = "column t.id is declared twice: rename one of them";
        assert_eq!(message([table("t", &["id", "id"])]), twice);
    }

    #[test]
    fn an_enum_has_values() {
        let empty = SqlType::Enum { name: "mood".into(), values: (&[]).into() };
        let table = Table::new("t").with_column(Column::new("mood", empty));
        assert_eq!(message([table]), "enum column t.mood has no values: give it one");
    }

    #[test]
    fn two_constraints_of_a_table_do_not_share_a_name() {
        let check = || CheckConstraint::new("id > 0").named("positive");
        assert_eq!(
            message([table("t", &["id"]).with_check(check()).with_check(check())]),
            "two constraints of table `t` have the name `ck_t_positive`: remove one, or give it a name of its own"
        );
    }

    #[test]
    fn an_index_shares_its_name_with_no_other_index_and_no_table() {
        let first = table("a_b", &["id", "c"]).with_index(Index::new(["c"]));
        let second = table("a", &["id", "b_c"]).with_index(Index::new(["b_c"]));
        assert_eq!(
            message([first, second]),
            "index `ix_a_b_c` of table `a` has the name of an index of table `a_b`: give it another with name = \"..\""
        );
        let own = table("post", &["id"]).with_index(Index::new(["id"]).named("post"));
        assert_eq!(
            message([own]),
            "index `post` of table `post` has the name of a table: give it another with name = \"..\""
        );
    }
}
