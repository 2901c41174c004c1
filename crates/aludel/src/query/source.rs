//! The tables that a query selects from, under which names, and how they are joined.

use std::borrow::Cow;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::entity::def::ModelDef;
use crate::entity::model::Model;
use crate::error::Result;
use crate::model::{Alias, AliasedRelationship, Condition, ModelTable, Relationship};
use crate::sql::{CommonTable, Dialect, Join, JoinKind, Lock, Node, SetOperator, TableRef};

use super::draft::Draft;
use super::named::NamedTable;

/// What few queries have, in a box of its own.
#[derive(Clone, Default)]
pub(super) struct Rare {
    pub(super) root: Root,
    pub(super) distinct_on: Vec<Node>,
    pub(super) lock: Option<Lock>,
    /// What is read after the columns of the rows.
    pub(super) keys: Vec<Node>,
}

/// What a query selects from first.
#[derive(Clone, Default)]
pub(super) enum Root {
    /// The model's table.
    #[default]
    Model,
    /// The model's table under another name.
    Alias(Cow<'static, str>),
    /// A query that has a name.
    Named(Source),
    /// The rows of several queries.
    Compound(Box<Compound>),
}

/// The rows of several queries.
#[derive(Clone)]
pub(super) struct Compound {
    pub(super) first: Box<Draft>,
    pub(super) rest: Vec<(SetOperator, Box<Draft>)>,
}

impl Rare {
    /// Whether nothing may be joined to the query.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.root, Root::Compound(_)) || !self.distinct_on.is_empty() || self.lock.is_some()
    }
}

/// A table with the name that it has in the statement.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) name: Cow<'static, str>,
    pub(super) table: Table,
}

/// What stands behind a name.
#[derive(Clone)]
pub(super) enum Table {
    Model(&'static ModelDef),
    /// The table that a model that inherits has of its own, without those of its parents.
    Own(&'static ModelDef),
    Named(Arc<NamedTable>),
}

impl Source {
    pub(super) fn def(&self) -> Option<&'static ModelDef> {
        match &self.table {
            Table::Model(def) | Table::Own(def) => Some(def),
            Table::Named(_) => None,
        }
    }

    pub(super) fn named(&self) -> Option<&NamedTable> {
        match &self.table {
            Table::Model(_) | Table::Own(_) => None,
            Table::Named(named) => Some(named),
        }
    }

    /// The table as the statement names it; what has to stand in front of the statement is added to `with`.
    pub(super) fn into_table(self, with: &mut Vec<CommonTable>) -> Result<TableRef> {
        match self.table {
            Table::Model(def) if self.name == def.table => Ok(def.table_ref()),
            Table::Model(def) => Ok(def.table_as(self.name)),
            Table::Own(def) => Ok(def.own_table()),
            Table::Named(named) => named.table(self.name, with),
        }
    }
}

/// A table that is joined.
#[derive(Clone)]
pub(super) enum Joined {
    /// Along a relationship, both tables under their own names.
    Along { source: &'static ModelDef, relationship: usize, kind: JoinKind },
    /// Any other way.
    To(Box<JoinTo>),
}

/// A join of a table under a name, or on a condition.
#[derive(Clone)]
pub(super) struct JoinTo {
    pub(super) kind: JoinKind,
    pub(super) source: Source,
    pub(super) on: On,
}

/// Which rows a join brings together.
#[derive(Clone)]
pub(super) enum On {
    Condition(Option<Node>),
    /// Those that a relationship does, whose owner has this name.
    Along {
        owner: &'static ModelDef,
        name: Cow<'static, str>,
        relationship: usize,
        /// The link model's table has this name, where there is one.
        link: Option<Cow<'static, str>>,
    },
}

/// The link model of a relationship.
pub(super) fn link_of(source: &'static ModelDef, relationship: usize) -> Option<&'static ModelDef> {
    source.relationships[relationship].secondary.map(|link| link())
}

/// The target of a relationship.
pub(super) fn target_of(source: &'static ModelDef, relationship: usize) -> &'static ModelDef {
    (source.relationships[relationship].target)()
}

impl Joined {
    pub(super) fn kind(&self) -> JoinKind {
        match self {
            Self::Along { kind, .. } => *kind,
            Self::To(join) => join.kind,
        }
    }

    /// The name that the table has in the statement.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Along { source, relationship, .. } => target_of(source, *relationship).table,
            Self::To(join) => &join.source.name,
        }
    }

    /// The link model by whose rows it joins, if there is one, with the name of its table in the statement.
    pub(super) fn link(&self) -> Option<(&'static ModelDef, &str)> {
        match self {
            Self::Along { source, relationship, .. } => link_of(source, *relationship).map(|link| (link, link.table)),
            Self::To(join) => match &join.on {
                On::Along { owner, relationship, link: Some(name), .. } => {
                    link_of(owner, *relationship).map(|link| (link, &**name))
                }
                On::Along { .. } | On::Condition(_) => None,
            },
        }
    }

    /// Whether it brings a table of this name.
    pub(super) fn brings(&self, table: &str) -> bool {
        self.name() == table || self.link().is_some_and(|(_, name)| name == table)
    }

    /// The names of the tables that it brings, the link model's first.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.link().map(|(_, name)| name).into_iter().chain([self.name()])
    }

    /// The models that it brings, with the names of their tables.
    pub(super) fn models(&self) -> impl Iterator<Item = (&str, &'static ModelDef)> {
        let link = self.link().map(|(link, name)| (name, link));
        link.into_iter().chain(self.def().map(|def| (self.name(), def)))
    }

    /// The model whose table it is, if it is one's.
    pub(super) fn def(&self) -> Option<&'static ModelDef> {
        match self {
            Self::Along { source, relationship, .. } => Some(target_of(source, *relationship)),
            Self::To(join) => join.source.def(),
        }
    }

    /// The query that has the name, if it is one.
    pub(super) fn named(&self) -> Option<&NamedTable> {
        match self {
            Self::To(join) => join.source.named(),
            Self::Along { .. } => None,
        }
    }

    /// The joins, two where there is a link model; the condition rendered before where the dialect is known.
    pub(super) fn into_joins(
        self,
        dialect: Option<Dialect>,
        with: &mut Vec<CommonTable>,
    ) -> Result<SmallVec<[Join; 2]>> {
        let join = match self {
            Self::To(join) => *join,
            Self::Along { source, relationship, kind } => {
                let target = target_of(source, relationship);
                let ends = [(source, &source.table.into()), (target, &target.table.into())];
                if let Some(link) = link_of(source, relationship) {
                    return along_link(kind, relationship, ends, link.table.into());
                }
                let on = match dialect {
                    Some(dialect) => Node::Sql(source.join_condition(relationship, dialect)?.into()),
                    None => along(relationship, ends)?,
                };
                return Ok(SmallVec::from_iter([Join { kind, table: target.table_ref(), on }]));
            }
        };
        let on = match join.on {
            On::Condition(condition) => condition.unwrap_or(Node::And(Vec::new())),
            On::Along { owner, name, relationship, link } => {
                let ends = [(owner, &name), (target_of(owner, relationship), &join.source.name)];
                if let Some(link) = link {
                    return along_link(join.kind, relationship, ends, link);
                }
                along(relationship, ends)?
            }
        };
        Ok(SmallVec::from_iter([Join { kind: join.kind, table: join.source.into_table(with)?, on }]))
    }
}

/// The two tables of a relationship, its owner's first, with the names that they have in the statement.
type Ends<'a> = [(&'static ModelDef, &'a Cow<'static, str>); 2];

/// The condition of the join along a relationship without a link model.
fn along(relationship: usize, [owner, target]: Ends<'_>) -> Result<Node> {
    Ok(owner.0.relationships[relationship].columns(owner.0)?.condition(owner, target))
}

/// The joins along a relationship with a link model, whose table has this name.
fn along_link(
    kind: JoinKind,
    relationship: usize,
    [owner, target]: Ends<'_>,
    link_name: Cow<'static, str>,
) -> Result<SmallVec<[Join; 2]>> {
    let join = owner.0.relationships[relationship].secondary_join(owner.0)?;
    Ok(join.map(|join| join.joins(kind, owner, link_name.clone(), target).into()).unwrap_or_default())
}

/// What `join` and `left_join` take: a relationship, from or to an alias where it says so.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a relationship",
    label = "not a relationship",
    note = "give one of a model's relationships: `Post::author`; a table is joined with `.join_on(&alias, condition)`"
)]
pub trait JoinPath {
    /// The join without types.
    #[doc(hidden)]
    fn into_path(self) -> Path;
}

/// A join along a relationship, without types.
#[doc(hidden)]
pub struct Path {
    owner: &'static ModelDef,
    relationship: usize,
    source: Option<Cow<'static, str>>,
    target: Option<Cow<'static, str>>,
}

impl Path {
    pub(super) fn joined(self, kind: JoinKind) -> Joined {
        let Self { owner, relationship, source, target } = self;
        if source.is_none() && target.is_none() {
            return Joined::Along { source: owner, relationship, kind };
        }
        let def = target_of(owner, relationship);
        let source_name = source.unwrap_or(Cow::Borrowed(owner.table));
        let link = link_of(owner, relationship).map(|link| link.table.into());
        Joined::To(Box::new(JoinTo {
            kind,
            source: Source { name: target.unwrap_or(Cow::Borrowed(def.table)), table: Table::Model(def) },
            on: On::Along { owner, name: source_name, relationship, link },
        }))
    }
}

impl<R: Relationship> JoinPath for R {
    fn into_path(self) -> Path {
        Path { owner: R::Source::def(), relationship: self.position(), source: None, target: None }
    }
}

impl<R: Relationship> JoinPath for AliasedRelationship<R> {
    fn into_path(self) -> Path {
        let Self { relationship, source, target } = self;
        Path { owner: R::Source::def(), relationship: relationship.position(), source, target }
    }
}

/// What `join_on` joins: `&alias`, a model's table (`Post::TABLE`), or a query that has a name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no table that could be joined on a condition",
    label = "not a table",
    note = "give an alias (`&User::alias(\"boss\")`), a model's table (`Post::TABLE`), or what `.cte(..)` or `.subquery(..)` gave; along a relationship a table is joined with `.join(Post::author)`"
)]
pub trait JoinTarget {
    /// The table without types.
    #[doc(hidden)]
    fn into_target(self) -> JoinTable;
}

/// A table to be joined, without types.
#[doc(hidden)]
pub struct JoinTable(pub(super) Source);

impl JoinTable {
    pub(super) fn joined(self, kind: JoinKind, on: impl Condition) -> Joined {
        Joined::To(Box::new(JoinTo { kind, source: self.0, on: On::Condition(on.into_condition()) }))
    }
}

impl JoinTarget for ModelTable {
    fn into_target(self) -> JoinTable {
        let def = (self.0)();
        JoinTable(Source { name: def.table.into(), table: Table::Model(def) })
    }
}

impl<M: Model> JoinTarget for &Alias<M> {
    fn into_target(self) -> JoinTable {
        JoinTable(Source { name: self.shared_name(), table: Table::Model(M::def()) })
    }
}
