//! A query without types, and the statement that it becomes.

use std::borrow::Cow;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::entity::arena::Arena;
use crate::entity::def::ModelDef;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{RelationLoad, column_node};
use crate::session::Session;
use crate::sql::{
    Dialect, FromClause, Join, JoinKind, Node, OrderBy, Renderer, Rest, Select, SelectColumn, Statement, TableRef,
    Value,
};

use super::eager::{Eager, Plan};
use super::selection::Item;

/// A query without types, of which perhaps nothing was said but the model: the clauses are in a box, because a query is
/// moved with each method that builds it.
#[derive(Clone)]
pub(super) struct Lazy {
    def: &'static ModelDef,
    draft: Option<Box<Draft>>,
}

impl Lazy {
    pub(super) fn new(def: &'static ModelDef) -> Self {
        Self { def, draft: None }
    }

    /// The clauses, to be added to.
    pub(super) fn edit(&mut self) -> &mut Draft {
        self.draft.get_or_insert_with(|| Box::new(Draft::new(self.def)))
    }

    /// A relationship to be loaded along, if there is one.
    pub(super) fn load(&self) -> Option<&RelationLoad> {
        self.draft.as_ref()?.loads.first()
    }

    /// The clauses, there being perhaps none.
    pub(super) fn into_draft(self) -> Box<Draft> {
        self.draft.unwrap_or_else(|| Box::new(Draft::new(self.def)))
    }

    /// The statement for the rows.
    ///
    /// # Errors
    /// `InvalidStatement` for what the types do not check.
    pub(super) fn prepare(self, dialect: Dialect) -> Result<Prepared> {
        match self.draft {
            Some(draft) => draft.prepare(dialect),
            None => Ok(Prepared {
                sql: Cow::Borrowed(self.def.select_all(dialect)),
                params: Vec::new(),
                eager: None,
                alone: true,
                populate_existing: false,
            }),
        }
    }
}

/// A query without types: what all queries have in common, compiled once.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) def: &'static ModelDef,
    /// What is selected; nothing said is the model's entities.
    pub(super) items: Option<SmallVec<[Item; 3]>>,
    pub(super) joins: SmallVec<[Joined; 2]>,
    pub(super) filter: Vec<Node>,
    pub(super) group_by: Vec<Node>,
    pub(super) having: Vec<Node>,
    pub(super) order_by: Vec<OrderBy>,
    pub(super) limit: Option<u64>,
    pub(super) offset: Option<u64>,
    pub(super) distinct: bool,
    pub(super) loads: Vec<RelationLoad>,
    pub(super) populate_existing: bool,
}

/// A join along a relationship.
#[derive(Clone, Copy)]
pub(super) struct Joined {
    pub(super) source: &'static ModelDef,
    pub(super) relationship: usize,
    pub(super) kind: JoinKind,
}

impl Joined {
    pub(super) fn target(&self) -> &'static ModelDef {
        (self.source.relationships[self.relationship].target)()
    }
}

/// A statement ready to be sent, and what is to be loaded with its rows.
pub(super) struct Prepared {
    pub(super) sql: Cow<'static, str>,
    pub(super) params: Vec<Value<'static>>,
    pub(super) eager: Option<Box<Plan>>,
    /// Whether no row of a model can come twice.
    pub(super) alone: bool,
    pub(super) populate_existing: bool,
}

impl Draft {
    pub(super) fn new(def: &'static ModelDef) -> Self {
        Self {
            def,
            items: None,
            joins: SmallVec::new(),
            filter: Vec::new(),
            group_by: Vec::new(),
            having: Vec::new(),
            order_by: Vec::new(),
            limit: None,
            offset: None,
            distinct: false,
            loads: Vec::new(),
            populate_existing: false,
        }
    }

    /// At most so many rows, or fewer if fewer were asked for.
    pub(super) fn at_most(mut self: Box<Self>, rows: u64) -> Box<Self> {
        self.limit = Some(self.limit.map_or(rows, |limit| limit.min(rows)));
        self
    }

    /// The statement for the rows.
    ///
    /// # Errors
    /// `InvalidStatement` for what the types do not check.
    pub(super) fn prepare(mut self: Box<Self>, dialect: Dialect) -> Result<Prepared> {
        self.check()?;
        let entities = self.items.iter().flatten().filter(|item| matches!(item, Item::Entity { .. })).count();
        let eager = self.plan_eager()?;
        let alone = self.joins.is_empty() && entities <= 1 && eager.as_ref().is_none_or(|plan| plan.joined.is_empty());
        let populate_existing = self.populate_existing;
        let Statement { sql, params } = match &eager {
            Some(plan) => {
                let mut select = self.into_select(dialect)?;
                plan.join(dialect, &mut select);
                render(select, dialect)?
            }
            None => self.write(dialect)?,
        };
        Ok(Prepared { sql: Cow::Owned(sql), params, eager, alone, populate_existing })
    }

    /// Writes the statement for the rows where nothing is joined to it but the query's own joins: as
    /// [`into_select`](Draft::into_select) would have it, without making the select.
    fn write(self: Box<Self>, dialect: Dialect) -> Result<Statement> {
        let draft = *self;
        // One piece of memory for most statements.
        let entities = draft.items.as_ref().map_or(1, SmallVec::len) + draft.joins.len();
        let mut statement = Statement::new(String::with_capacity(128 * entities + 224), Vec::new());
        let mut out = Renderer::new(dialect, &mut statement);
        out.push(if draft.distinct { "SELECT DISTINCT " } else { "SELECT " });
        match draft.items {
            None => out.push(draft.def.select_list(dialect)),
            Some(items) => {
                for (at, item) in items.into_iter().enumerate() {
                    if at > 0 {
                        out.push(", ");
                    }
                    match item {
                        Item::Value { node, .. } => out.node(node),
                        Item::Entity { def, .. } => out.push(def.select_list(dialect)),
                    }
                }
            }
        }
        out.push(" FROM ");
        out.quote(draft.def.table);
        for joined in &draft.joins {
            out.push(joined.kind.sql());
            out.quote(joined.target().table);
            out.push(" ON ");
            out.push(joined.source.join_condition(joined.relationship, dialect)?);
        }
        out.rest(Rest {
            filter: draft.filter,
            group_by: draft.group_by,
            having: draft.having,
            order_by: draft.order_by,
            limit: draft.limit,
            offset: draft.offset,
        });
        check_parameters(dialect, &statement)?;
        Ok(statement)
    }

    /// The statement that counts the rows.
    ///
    /// # Errors
    /// As [`prepare`](Draft::prepare).
    pub(super) fn prepare_count(self: Box<Self>, dialect: Dialect) -> Result<Statement> {
        self.check()?;
        render(self.into_select(dialect)?.into_count(), dialect)
    }

    /// The statement that asks whether there is a row.
    ///
    /// # Errors
    /// As [`prepare`](Draft::prepare).
    pub(super) fn prepare_exists(self: Box<Self>, dialect: Dialect) -> Result<Statement> {
        self.check()?;
        render(self.into_select(dialect)?.into_exists(), dialect)
    }

    /// The select of values, for a condition of another query.
    ///
    /// # Errors
    /// As [`prepare`](Draft::prepare).
    pub(super) fn into_subquery(mut self: Box<Self>) -> Result<Select> {
        self.check()?;
        let items = self.items.take().unwrap_or_default();
        let columns = items.into_iter().map(|item| match item {
            Item::Value { node, .. } => node.into(),
            Item::Entity { def, .. } => column_node(def, def.primary_key[0]).into(),
        });
        let columns = columns.collect();
        Ok(Select { columns, ..self.clauses(None)? })
    }

    /// The select, without what is loaded along.
    fn into_select(mut self: Box<Self>, dialect: Dialect) -> Result<Select> {
        let def = self.def;
        let items = self.items.take();
        let mut select = self.clauses(Some(dialect))?;
        match items {
            None => select.list = def.select_list(dialect),
            Some(items) => select.columns = items.into_iter().map(|item| column(item, dialect)).collect(),
        }
        Ok(select)
    }

    /// The select without its columns.
    fn clauses(self: Box<Self>, dialect: Option<Dialect>) -> Result<Select> {
        let draft = *self;
        let joins = draft.joins.into_iter().map(|joined| join(joined, dialect)).collect::<Result<_>>()?;
        Ok(Select {
            distinct: draft.distinct,
            from: FromClause::Table(TableRef::new(draft.def.table)),
            joins,
            filter: draft.filter,
            group_by: draft.group_by,
            having: draft.having,
            order_by: draft.order_by,
            limit: draft.limit,
            offset: draft.offset,
            ..Select::default()
        })
    }
}

fn column(item: Item, dialect: Dialect) -> SelectColumn {
    match item {
        Item::Value { node, .. } => node.into(),
        Item::Entity { def, .. } => Node::Sql(def.select_list(dialect).into()).into(),
    }
}

/// The join, its condition rendered before where the dialect is known.
fn join(joined: Joined, dialect: Option<Dialect>) -> Result<Join> {
    let (source, target) = (joined.source, joined.target());
    let on = match dialect {
        Some(dialect) => Node::Sql(source.join_condition(joined.relationship, dialect)?.into()),
        None => {
            let columns = source.relationships[joined.relationship].columns(source)?;
            columns.condition((source, &source.table.into()), (target, &target.table.into()))
        }
    };
    Ok(Join { kind: joined.kind, table: TableRef::new(target.table), on })
}

/// Renders a select, and checks what only its text shows.
fn render(select: Select, dialect: Dialect) -> Result<Statement> {
    // one piece of memory for most statements
    let mut statement = Statement::new(String::with_capacity(select.list.len() + 224), Vec::new());
    select.render(dialect, &mut statement);
    check_parameters(dialect, &statement)?;
    Ok(statement)
}

/// # Errors
/// `InvalidStatement` when the statement has more parameters than the backend takes.
pub(super) fn check_parameters(dialect: Dialect, statement: &Statement) -> Result<()> {
    let (found, most) = (statement.params.len(), dialect.capabilities().max_parameters);
    if found <= most {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidStatement,
        format!(
            "the statement has {found} values, and this database takes {most} at most: ask for the rows of a long \
             `in_` list in parts"
        ),
    ))
}

/// What is loaded along with a query's rows, while they are read.
pub(super) fn eager(
    session: &Session,
    arena: &Arc<Arena>,
    plan: Option<Box<Plan>>,
    populate_existing: bool,
) -> Option<Box<Eager>> {
    plan.map(|plan| Box::new(Eager::new(session, arena, *plan, populate_existing)))
}
