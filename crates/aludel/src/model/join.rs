//! Which columns a relationship joins.

use std::borrow::Cow;

use crate::entity::def::{ModelDef, RelationshipDef, RelationshipKind};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::{BinaryOp, ColumnRef, Node};

/// The columns that a relationship joins, pairwise: each of `local` equals its partner in `remote`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JoinColumns {
    /// Positions among the columns of the relationship's own model.
    pub(crate) local: Vec<usize>,
    /// Positions among the columns of the target.
    pub(crate) remote: Vec<usize>,
    /// Whether `local` is the foreign key; else `remote` is.
    pub(crate) key_is_local: bool,
}

impl JoinColumns {
    /// The condition of the join, with the tables under these names.
    pub(crate) fn condition(
        &self,
        (owner, owner_name): (&'static ModelDef, &Cow<'static, str>),
        (target, target_name): (&'static ModelDef, &Cow<'static, str>),
    ) -> Node {
        let mut pairs = self.local.iter().zip(&self.remote).map(|(&local, &remote)| {
            Node::binary(
                column_of(target, target_name.clone(), remote),
                BinaryOp::Eq,
                column_of(owner, owner_name.clone(), local),
            )
        });
        let first = pairs.next().unwrap_or(Node::And(Vec::new()));
        pairs.fold(first, Node::and)
    }
}

/// A column of a table that has a name of its own in the statement.
pub(crate) fn column_of(model: &'static ModelDef, table: Cow<'static, str>, index: usize) -> Node {
    let column = &model.columns[index];
    Node::Column(ColumnRef { table, name: column.name.into(), nullable: column.nullable })
}

impl RelationshipDef {
    /// The columns that this relationship of `owner` joins.
    ///
    /// The foreign key is the one that the relationship names, or the only one that points from the one table to the
    /// other; for a relationship whose key is on the other side it is the key of its `back_populates`.
    ///
    /// # Errors
    /// `Config` when there is no foreign key between the two, or several and nothing says which.
    pub(crate) fn columns(&self, owner: &'static ModelDef) -> Result<JoinColumns> {
        let target = (self.target)();
        if self.kind != RelationshipKind::Many
            && let Some(key) = self.own_key(owner)?
        {
            return Ok(key);
        }
        if let Some(key) = self.target_key.map(|key| key()) {
            return match references(target, key, owner) {
                Some(local) => Ok(JoinColumns { local: vec![local], remote: vec![key], key_is_local: false }),
                None => Err(no_key(self, owner)),
            };
        }
        if let Some(inverse) = self.inverse {
            let inverse = &target.relationships[inverse()];
            if let Some(key) = inverse.own_key(target)? {
                return Ok(key.reversed());
            }
        }
        match only_key(target, owner, self, owner)? {
            Some(key) => Ok(key.reversed()),
            None => Err(no_key(self, owner)),
        }
    }

    /// The foreign key on this relationship's own side, if it is there.
    fn own_key(&self, owner: &'static ModelDef) -> Result<Option<JoinColumns>> {
        let target = (self.target)();
        let Some(key) = self.foreign_key else {
            return only_key(owner, target, self, owner);
        };
        match references(owner, key, target) {
            Some(remote) => Ok(Some(JoinColumns { local: vec![key], remote: vec![remote], key_is_local: true })),
            None => {
                let (own, column) = (owner.name, owner.columns[key].field);
                Err(config(format!(
                    "the relationship `{own}::{}` leads to `{}`, and its foreign key `{own}::{column}` does not: \
                     declare `references = {}::..` on the column",
                    self.name, target.name, target.name
                )))
            }
        }
    }
}

impl JoinColumns {
    /// The same columns, seen from the other side.
    pub(crate) fn reversed(self) -> Self {
        Self { local: self.remote, remote: self.local, key_is_local: !self.key_is_local }
    }
}

/// The position of the column of `target` that a column of `owner` is a foreign key to.
fn references(owner: &'static ModelDef, column: usize, target: &'static ModelDef) -> Option<usize> {
    let (model, remote) = (owner.columns[column].references.as_ref()?.target)();
    model.is(target).then_some(remote)
}

/// The only foreign key from the one model to the other, if there is one; `asking` and its model are for the message.
fn only_key(
    from: &'static ModelDef,
    to: &'static ModelDef,
    asking: &RelationshipDef,
    of: &'static ModelDef,
) -> Result<Option<JoinColumns>> {
    let mut keys = (0..from.columns.len()).filter_map(|local| Some((local, references(from, local, to)?)));
    let Some((local, remote)) = keys.next() else { return Ok(None) };
    if let Some((other, _)) = keys.next() {
        let [first, second] = [local, other].map(|column| from.columns[column].field);
        let cure = if from.is(of) && asking.kind != RelationshipKind::Many {
            format!("add `foreign_key = {first}` (or another) to the relationship")
        } else {
            format!("add `foreign_key = {first}` (or another), or `back_populates = ..`, to the relationship")
        };
        return Err(config(format!(
            "the relationship `{}::{}` could use the foreign keys `{from}::{first}` and `{from}::{second}`: {cure}",
            of.name,
            asking.name,
            from = from.name
        )));
    }
    Ok(Some(JoinColumns { local: vec![local], remote: vec![remote], key_is_local: true }))
}

#[cold]
fn no_key(relationship: &RelationshipDef, owner: &ModelDef) -> Error {
    let target = (relationship.target)().name;
    let (from, to) = match relationship.kind {
        RelationshipKind::Many => (target, owner.name),
        RelationshipKind::One | RelationshipKind::OptionalOne => (owner.name, target),
    };
    config(format!(
        "the relationship `{}::{}` has no foreign key: declare `references = {to}::..` on a column of `{from}`",
        owner.name, relationship.name
    ))
}

#[cold]
fn config(message: String) -> Error {
    Error::new(ErrorKind::Config, message)
}
