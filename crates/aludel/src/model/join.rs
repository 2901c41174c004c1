//! Which columns a relationship joins.

use std::borrow::Cow;

use crate::entity::def::{Generated, ModelDef, RelationshipDef, RelationshipKind};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::{BinaryOp, ColumnRef, Form, Join, JoinKind, Node, SelectColumn, Value};

/// How a relationship leads from one table to the other.
#[derive(Clone, Debug)]
pub(crate) enum JoinPath {
    /// By a foreign key of one of the two.
    Direct(JoinColumns),
    /// By the rows of a link model.
    Secondary(SecondaryJoin),
}

/// The columns of a many-to-many relationship.
#[derive(Clone, Debug)]
pub(crate) struct SecondaryJoin {
    /// The link model.
    pub(crate) link: &'static ModelDef,
    /// From the relationship's own model to the link model, which has the key.
    pub(crate) near: JoinColumns,
    /// From the link model, which has the key, to the target.
    pub(crate) far: JoinColumns,
}

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

/// The condition that columns have the values of one of these keys, of which none is NULL.
pub(crate) fn is_one_of<'a>(mut columns: Vec<Node>, keys: impl IntoIterator<Item = Vec<Value<'a>>>) -> Node {
    let owned = |value: Value<'a>| Node::Value(value.into_owned());
    if columns.len() == 1 {
        let list = keys.into_iter().flatten().map(owned).collect();
        return Node::in_list(columns.remove(0), list);
    }
    let list = keys.into_iter().map(|key| key.into_iter().map(owned).collect()).collect();
    Form::InRows { row: columns, list, negated: false }.into()
}

/// A column of a table that has a name of its own in the statement.
pub(crate) fn column_of(model: &'static ModelDef, table: Cow<'static, str>, index: usize) -> Node {
    let column = &model.columns[index];
    Node::Column(ColumnRef { table, name: column.name.into(), nullable: column.nullable })
}

/// A column in the list of a SELECT; NULL in the place of one that is deferred.
pub(crate) fn listed(model: &'static ModelDef, table: Cow<'static, str>, index: usize) -> SelectColumn {
    if model.is_deferred(index) {
        return SelectColumn { node: Node::Sql("NULL".into()), alias: Some(model.columns[index].name.into()) };
    }
    column_of(model, table, index).into()
}

impl RelationshipDef {
    /// How this relationship of `owner` leads to its target.
    ///
    /// # Errors
    /// Those of [`columns`](Self::columns) and [`secondary_join`](Self::secondary_join).
    pub(crate) fn path(&self, owner: &'static ModelDef) -> Result<JoinPath> {
        match self.secondary_join(owner)? {
            Some(join) => Ok(JoinPath::Secondary(join)),
            None => self.columns(owner).map(JoinPath::Direct),
        }
    }

    /// The columns that this relationship of `owner`, which has no link model, joins.
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
        if !self.target_key.is_empty() {
            return key_of(target, &self.target_columns(), owner)
                .map(JoinColumns::reversed)
                .ok_or_else(|| no_key(self, owner));
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

    /// The columns by which the link model of a many-to-many relationship of `owner` links the two sides.
    ///
    /// Its key to this side is the one that the relationship names, its key to the other side the one that the
    /// relationship's `back_populates` names; where they are not named, the only ones that are left.
    ///
    /// # Errors
    /// `Config` when one of the keys is missing, or several could be meant; when the three tables are not in one
    /// database; when a row of the link model needs more than the two keys.
    pub(crate) fn secondary_join(&self, owner: &'static ModelDef) -> Result<Option<SecondaryJoin>> {
        let Some(link) = self.secondary else { return Ok(None) };
        let (link, target) = (link(), (self.target)());
        let inverse = self.inverse.map(|inverse| &target.relationships[inverse()]);
        let mut near = link_keys(link, owner, &self.target_columns());
        let mut far = link_keys(link, target, &inverse.map(Self::target_columns).unwrap_or_default());
        if let [near] = &near[..] {
            far.retain(|far| far.local != near.local);
        } else if let [far] = &far[..] {
            near.retain(|near| far.local != near.local);
        }
        let (Ok([near]), Ok([far])) = (<[_; 1]>::try_from(near), <[_; 1]>::try_from(far)) else {
            return Err(no_link(self, owner, link));
        };
        let join = SecondaryJoin { link, near: near.reversed(), far };
        join.check(self, owner)?;
        Ok(Some(join))
    }

    /// The foreign key on this relationship's own side, if it is there.
    fn own_key(&self, owner: &'static ModelDef) -> Result<Option<JoinColumns>> {
        let target = (self.target)();
        if self.foreign_key.is_empty() {
            return only_key(owner, target, self, owner);
        }
        match key_of(owner, self.foreign_key, target) {
            Some(key) => Ok(Some(key)),
            None => {
                let (own, column) = (owner.name, fields(owner, self.foreign_key));
                Err(config(format!(
                    "the relationship `{own}::{}` leads to `{}`, and its foreign key `{own}::{column}` does not: \
                     declare `references = {}::..` on the column",
                    self.name, target.name, target.name
                )))
            }
        }
    }

    /// The columns of the key on the other side, or of the link model, that the relationship names.
    fn target_columns(&self) -> Vec<usize> {
        self.target_key.iter().map(|column| column()).collect()
    }
}

impl JoinColumns {
    /// The same columns, seen from the other side.
    pub(crate) fn reversed(self) -> Self {
        Self { local: self.remote, remote: self.local, key_is_local: !self.key_is_local }
    }
}

impl SecondaryJoin {
    /// Checks that a row of the link model can be written with its two keys alone.
    fn check(&self, relationship: &RelationshipDef, owner: &'static ModelDef) -> Result<()> {
        let (link, target) = (self.link, (relationship.target)());
        let name = format!("{}::{}", owner.name, relationship.name);
        if owner.bind != link.bind || target.bind != link.bind {
            return Err(config(format!(
                "the relationship `{name}` has the link model `{}` in another database than the rows that it links, \
                 and no database looks into another: give the three models one `bind`",
                link.name
            )));
        }
        let more = link.columns.iter().enumerate().find(|(position, column)| {
            link.options.tenant().is_none_or(|tenant| tenant.position != *position)
                && !self.near.remote.contains(position)
                && !self.far.local.contains(position)
                && !column.nullable
                && column.server_default.is_none()
                && column.generated == Generated::No
        });
        match more {
            None => Ok(()),
            Some((_, column)) => Err(config(format!(
                "the relationship `{name}` writes rows of its link model `{link}` with their two keys alone, and \
                 `{link}::{}` has to be given: declare `Many<{link}>` and, in `{link}`, a `One` to each side; or give \
                 the column a server_default",
                column.field,
                link = link.name,
            ))),
        }
    }

    /// The join to the link model, under a name of its own, and from there to the target.
    #[allow(clippy::ptr_arg, reason = "a static name is cloned as one, without an allocation")]
    pub(crate) fn joins(
        &self,
        kind: JoinKind,
        owner: (&'static ModelDef, &Cow<'static, str>),
        link_name: Cow<'static, str>,
        target: (&'static ModelDef, &Cow<'static, str>),
    ) -> [Join; 2] {
        let table = |def: &'static ModelDef, name: &Cow<'static, str>| {
            if name == def.table { def.table_ref() } else { def.table_as(name.clone()) }
        };
        let on_link = self.near.condition(owner, (self.link, &link_name));
        let on_target = self.far.condition((self.link, &link_name), target);
        [
            Join { kind, table: table(self.link, &link_name), on: on_link },
            Join { kind, table: table(target.0, target.1), on: on_target },
        ]
    }
}

/// The foreign keys from one model to another.
fn keys_between(from: &'static ModelDef, to: &'static ModelDef) -> impl Iterator<Item = JoinColumns> {
    from.row_keys().filter(move |key| key.target().is(to)).map(|key| {
        let (local, remote) = key.pairs().unzip();
        JoinColumns { local, remote, key_is_local: true }
    })
}

/// The foreign key from one model to another that has these columns, or the only one that has them and others.
fn key_of(from: &'static ModelDef, columns: &[usize], to: &'static ModelDef) -> Option<JoinColumns> {
    let has = |key: &JoinColumns| columns.iter().all(|column| key.local.contains(column));
    if let Some(key) = keys_between(from, to).find(|key| key.local.len() == columns.len() && has(key)) {
        return Some(key);
    }
    let mut keys = keys_between(from, to).filter(has);
    keys.next().filter(|_| keys.next().is_none())
}

/// Columns of a foreign key as an attribute names them.
fn fields(def: &ModelDef, columns: &[usize]) -> String {
    let names: Vec<&str> = columns.iter().map(|&column| def.columns[column].field).collect();
    match &names[..] {
        [name] => (*name).to_owned(),
        names => format!("({})", names.join(", ")),
    }
}

/// The foreign keys of a link model to one side: the named one, or all.
fn link_keys(link: &'static ModelDef, side: &'static ModelDef, named: &[usize]) -> Vec<JoinColumns> {
    match named {
        [] => keys_between(link, side).collect(),
        columns => key_of(link, columns, side).into_iter().collect(),
    }
}

/// The only foreign key from the one model to the other, if there is one; `asking` and its model are for the message.
fn only_key(
    from: &'static ModelDef,
    to: &'static ModelDef,
    asking: &RelationshipDef,
    of: &'static ModelDef,
) -> Result<Option<JoinColumns>> {
    let mut keys = keys_between(from, to);
    let Some(key) = keys.next() else { return Ok(None) };
    if let Some(other) = keys.next() {
        let [first, second] = [&key, &other].map(|key| fields(from, &key.local));
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
    Ok(Some(key))
}

#[cold]
fn no_link(relationship: &RelationshipDef, owner: &'static ModelDef, link: &'static ModelDef) -> Error {
    let target = (relationship.target)();
    let name = format!("{}::{}", owner.name, relationship.name);
    for side in [owner, target] {
        if keys_between(link, side).next().is_none() {
            return config(format!(
                "the link model `{link}` of the relationship `{name}` has no foreign key to `{side}`: declare \
                 `references = {side}::..` on a column of `{link}`",
                link = link.name,
                side = side.name
            ));
        }
    }
    let keys: Vec<String> = keys_between(link, owner)
        .chain(keys_between(link, target).filter(|_| !owner.is(target)))
        .map(|key| format!("`{}::{}`", link.name, fields(link, &key.local)))
        .collect();
    config(format!(
        "the relationship `{name}` could use the foreign keys {} of its link model: add `foreign_key = ..`, the key to \
         `{}`, to the relationship, and the key to `{}` to its `back_populates`",
        keys.join(", "),
        owner.name,
        target.name
    ))
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
