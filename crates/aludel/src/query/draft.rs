//! A query without types, and the statement that it becomes.

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::entity::arena_ref::ArenaRef;
use crate::entity::def::ModelDef;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{RelationLoad, listed};
use crate::schema::SqlType;
use crate::session::Session;
use crate::sql::{
    Dialect, FromClause, Node, OrderBy, Renderer, Rendering, Rest, Select, SelectColumn, Statement, Value,
};

use super::eager::{Eager, Plan};
use super::selection::Item;
use super::shape::{self, Shape, varies};
use super::source::{Joined, On, Rare, Root};

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

    /// What is to be loaded along, if there is anything: its name.
    pub(super) fn load(&self) -> Option<&'static str> {
        let draft = self.draft.as_ref()?;
        let relation = draft.loads.first().map(|load| draft.def.relationships[load.relationship].name);
        relation.or_else(|| draft.undeferred.first().map(|&column| draft.def.columns[column].field))
    }

    /// Whether it locks the rows.
    pub(super) fn locks(&self) -> bool {
        self.draft.as_ref().and_then(|draft| draft.rare.as_ref()).is_some_and(|rare| rare.lock.is_some())
    }

    /// The clauses, there being perhaps none.
    pub(super) fn into_draft(self) -> Box<Draft> {
        self.draft.unwrap_or_else(|| Box::new(Draft::new(self.def)))
    }

    /// The statement for the rows.
    ///
    /// # Errors
    /// `InvalidStatement` for what the types do not check.
    pub(super) fn prepare(self, to: Rendering<'_>) -> Result<Prepared> {
        match self.draft {
            Some(draft) => draft.prepare(to),
            // The text that is rendered once has the schema's own name, and all rows.
            None if varies(self.def) || self.def.schema.is_some() && to.schemas.is_some() => {
                Box::new(Draft::new(self.def)).prepare(to)
            }
            None => Ok(Prepared::new(Cow::Borrowed(self.def.select_all(to.dialect)), SmallVec::new())),
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
    pub(super) filter: SmallVec<[Node; 1]>,
    pub(super) group_by: Vec<Node>,
    pub(super) having: Vec<Node>,
    pub(super) order_by: Vec<OrderBy>,
    pub(super) limit: Option<u64>,
    pub(super) offset: Option<u64>,
    pub(super) distinct: bool,
    pub(super) loads: Vec<RelationLoad>,
    /// Deferred columns that are loaded.
    pub(super) undeferred: Vec<usize>,
    pub(super) populate_existing: bool,
    /// Whether softly deleted rows are seen.
    pub(super) with_deleted: bool,
    pub(super) rare: Option<Box<Rare>>,
}

/// The values of a statement, of which most have one or none.
pub(super) type Params = SmallVec<[Value<'static>; 1]>;

/// A statement ready to be sent, and what is to be loaded with its rows.
pub(super) struct Prepared {
    pub(super) sql: Cow<'static, str>,
    pub(super) params: Params,
    pub(super) eager: Option<Box<Plan>>,
    /// Whether no row of a model can come twice.
    pub(super) alone: bool,
    pub(super) populate_existing: bool,
    /// Whether it locks the rows, so that it needs the transaction.
    pub(super) locks: bool,
    /// The types of the values that follow the columns of a row.
    pub(super) keys: Box<[SqlType]>,
}

impl Prepared {
    /// A statement for the rows of one table, and nothing else.
    fn new(sql: Cow<'static, str>, params: Params) -> Self {
        Self { sql, params, eager: None, alone: true, populate_existing: false, locks: false, keys: Box::default() }
    }
}

impl Draft {
    pub(super) fn new(def: &'static ModelDef) -> Self {
        Self {
            def,
            items: None,
            joins: SmallVec::new(),
            filter: SmallVec::new(),
            group_by: Vec::new(),
            having: Vec::new(),
            order_by: Vec::new(),
            limit: None,
            offset: None,
            distinct: false,
            loads: Vec::new(),
            undeferred: Vec::new(),
            populate_existing: false,
            with_deleted: false,
            rare: None,
        }
    }

    /// What few queries have, to be added to.
    pub(super) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Joins a table. It may be a query with a name, which stands in front of the statement.
    pub(super) fn join(&mut self, mut joined: Joined) {
        if joined.named().is_some() {
            self.rare();
        }
        if let Joined::To(join) = &mut joined
            && let On::Along { link: Some(link), .. } = &mut join.on
        {
            self.free_link_name(link, &join.source.name);
        }
        self.joins.push(joined);
    }

    /// Gives the table of a link model another name where its own is taken.
    fn free_link_name(&self, name: &mut Cow<'static, str>, target: &str) {
        let own = name.clone();
        let mut number = 0;
        while *name == target || self.root_name() == *name || self.joins.iter().any(|joined| joined.brings(name)) {
            number += 1;
            *name = format!("{own}_{number}").into();
        }
    }

    /// The name of the table that the query selects from first.
    pub(super) fn root_name(&self) -> Cow<'static, str> {
        match self.rare.as_ref().map(|rare| &rare.root) {
            Some(Root::Alias(name)) => name.clone(),
            Some(Root::Named(source)) => source.name.clone(),
            None | Some(Root::Model | Root::Compound(_)) => Cow::Borrowed(self.def.table),
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
    pub(super) fn prepare(mut self: Box<Self>, to: Rendering<'_>) -> Result<Prepared> {
        self.name_own_columns();
        let shape = Shape::of(&self, to);
        if let Some(sql) = shape.as_ref().and_then(Shape::text) {
            let (alone, populate_existing) = (self.is_alone(None), self.populate_existing);
            let prepared = Prepared::new(Cow::Borrowed(sql), shape::values(&mut self));
            return Ok(Prepared { alone, populate_existing, ..prepared });
        }
        self.check()?;
        let eager = self.plan_eager()?;
        let alone = self.is_alone(eager.as_deref());
        let populate_existing = self.populate_existing;
        if self.rare.is_some() {
            return self.prepare_rare(to, eager, alone);
        }
        let Statement { sql, params, .. } = match (&eager, shape) {
            (Some(plan), _) => {
                let mut select = self.into_select(to.dialect)?;
                plan.join(to.dialect, &mut select);
                render(select, to)?
            }
            (None, None) => self.write(to)?,
            (None, Some(shape)) => {
                let values = shape::values(&mut (*self).clone());
                let statement = self.write(to)?;
                if statement.params[..] == values[..] {
                    shape.remember(&statement.sql);
                }
                statement
            }
        };
        Ok(Prepared { eager, alone, populate_existing, ..Prepared::new(Cow::Owned(sql), params.into()) })
    }

    /// Whether no row of a model can come twice.
    fn is_alone(&self, eager: Option<&Plan>) -> bool {
        let mut entities = self.items.iter().flatten().filter(|item| matches!(item, Item::Entity { .. }));
        self.joins.is_empty() && entities.nth(1).is_none() && eager.is_none_or(|plan| plan.joined.is_empty())
    }

    #[cold]
    fn prepare_rare(mut self: Box<Self>, to: Rendering<'_>, eager: Option<Box<Plan>>, alone: bool) -> Result<Prepared> {
        let rare = self.rare();
        let locks = rare.lock.is_some();
        let alone = alone && !matches!(rare.root, Root::Compound(_));
        let keys = std::mem::take(&mut rare.keys);
        let populate_existing = self.populate_existing || locks;
        let mut select = self.into_select(to.dialect)?;
        if let Some(plan) = &eager {
            plan.join(to.dialect, &mut select);
        }
        select.columns.extend(keys.into_iter().map(SelectColumn::from));
        let Statement { sql, params, .. } = render(select, to)?;
        Ok(Prepared { eager, alone, populate_existing, locks, ..Prepared::new(Cow::Owned(sql), params.into()) })
    }

    /// Writes the statement for the rows where nothing is joined to it but the query's own joins: as
    /// [`into_select`](Draft::into_select) would have it, without making the select.
    fn write(self: Box<Self>, to: Rendering<'_>) -> Result<Statement> {
        let dialect = to.dialect;
        let draft = *self;
        // One piece of memory for most statements.
        let entities = draft.items.as_ref().map_or(1, SmallVec::len) + draft.joins.len();
        let mut statement = Statement::new(String::with_capacity(128 * entities + 224), Vec::new());
        let mut out = Renderer::new(to, &mut statement);
        out.with_deleted = draft.with_deleted;
        out.push(if draft.distinct { "SELECT DISTINCT " } else { "SELECT " });
        match draft.items {
            None => out.push(draft.def.select_list(dialect)),
            Some(items) => out.columns(false, items.into_iter().map(|item| column(item, dialect))),
        }
        out.push(" FROM ");
        let mut filter = draft.filter.into_vec();
        filter.extend(out.table(draft.def.table_ref()));
        for joined in draft.joins {
            let joins = joined.into_joins(Some(dialect), &mut Vec::new())?;
            joins.into_iter().for_each(|join| out.join(join));
        }
        out.rest(Rest {
            filter,
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
    pub(super) fn prepare_count(mut self: Box<Self>, to: Rendering<'_>) -> Result<Statement> {
        self.name_own_columns();
        self.check()?;
        self.refuse_lock("count")?;
        render(self.into_select(to.dialect)?.into_count(), to)
    }

    /// The statement that asks whether there is a row.
    ///
    /// # Errors
    /// As [`prepare`](Draft::prepare).
    pub(super) fn prepare_exists(mut self: Box<Self>, to: Rendering<'_>) -> Result<Statement> {
        self.name_own_columns();
        self.check()?;
        self.refuse_lock("exists")?;
        render(self.into_select(to.dialect)?.into_exists(), to)
    }

    /// The select as a part of another statement, whose columns it may name. Entities are all their columns.
    ///
    /// # Errors
    /// As [`prepare`](Draft::prepare).
    pub(super) fn into_inner(mut self: Box<Self>) -> Result<Select> {
        self.name_own_columns();
        self.check_in(true)?;
        self.refuse_lock("a subquery")?;
        if let Some(Root::Compound(compound)) = self.take_compound() {
            return self.into_compound(*compound);
        }
        let items = self.items.take().unwrap_or_else(|| {
            let entity = Item::Entity { def: self.def, optional: false, alias: Some(self.root_name()) };
            std::iter::once(entity).collect()
        });
        let mut select = self.clauses(None)?;
        for item in items {
            match item {
                Item::Value { node, .. } => select.columns.push(node.into()),
                Item::Entity { def, alias, .. } => {
                    let table = alias.unwrap_or(Cow::Borrowed(def.table));
                    let columns = (0..def.columns.len()).map(|column| listed(def, table.clone(), column));
                    select.columns.extend(columns);
                }
            }
        }
        Ok(select)
    }

    /// The queries that this one joins.
    fn take_compound(&mut self) -> Option<Root> {
        let rare = self.rare.as_mut()?;
        matches!(rare.root, Root::Compound(_)).then(|| std::mem::take(&mut rare.root))
    }

    /// The select, without what is loaded along.
    fn into_select(mut self: Box<Self>, dialect: Dialect) -> Result<Select> {
        if let Some(Root::Compound(compound)) = self.take_compound() {
            return self.into_compound(*compound);
        }
        let (def, name) = (self.def, self.root_name());
        let items = self.items.take();
        let mut select = self.clauses(Some(dialect))?;
        match items {
            None if name != def.table => select.columns.push(aliased(def, &name, dialect).into()),
            None => select.list = def.select_list(dialect),
            Some(items) => select.columns = items.into_iter().map(|item| column(item, dialect)).collect(),
        }
        Ok(select)
    }

    /// The select without its columns.
    fn clauses(mut self: Box<Self>, dialect: Option<Dialect>) -> Result<Select> {
        let lock = self.take_lock(dialect);
        if lock.is_some() {
            self.check_lock_of_heirs(dialect)?;
        }
        let root = self.root_name();
        let draft = *self;
        let mut with = Vec::new();
        let rare = draft.rare.map(|rare| *rare).unwrap_or_default();
        let distinct_on = rare.distinct_on;
        let table = match rare.root {
            Root::Named(source) => source.into_table(&mut with)?,
            _ if root == draft.def.table => draft.def.table_ref(),
            _ => draft.def.table_as(root),
        };
        let mut joins = Vec::with_capacity(draft.joins.len());
        for joined in draft.joins {
            joins.extend(joined.into_joins(dialect, &mut with)?);
        }
        let mut select = Select {
            distinct: draft.distinct,
            from: FromClause::Table(table),
            joins,
            filter: draft.filter.into_vec(),
            group_by: draft.group_by,
            having: draft.having,
            order_by: draft.order_by,
            limit: draft.limit,
            offset: draft.offset,
            ..Select::default()
        };
        if !with.is_empty() || !distinct_on.is_empty() || lock.is_some() {
            let extra = select.extra_mut();
            (extra.with, extra.distinct_on, extra.lock) = (with, distinct_on, lock);
        }
        if draft.with_deleted {
            select.extra_mut().with_deleted = true;
        }
        Ok(select)
    }
}

fn column(item: Item, dialect: Dialect) -> SelectColumn {
    match item {
        Item::Value { node, .. } => node.into(),
        Item::Entity { def, alias: None, .. } => Node::Sql(def.select_list(dialect).into()).into(),
        Item::Entity { def, alias: Some(alias), .. } => aliased(def, &alias, dialect).into(),
    }
}

/// The columns of a table under another name.
fn aliased(def: &'static ModelDef, name: &str, dialect: Dialect) -> Node {
    let mut list = String::new();
    def.write_select_list(dialect, name, &mut list);
    Node::Sql(list.into())
}

/// Renders a select, and checks what only its text shows.
fn render(select: Select, to: Rendering<'_>) -> Result<Statement> {
    // one piece of memory for most statements
    let mut statement = Statement::new(String::with_capacity(select.list.len() + 224), Vec::new());
    select.render(to, &mut statement);
    check_parameters(to.dialect, &statement)?;
    Ok(statement)
}

/// # Errors
/// `InvalidStatement` when the statement has more parameters than the backend takes; `Unsupported` for what it has not.
pub(super) fn check_parameters(dialect: Dialect, statement: &Statement) -> Result<()> {
    statement.check()?;
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
pub(super) fn eager<'a>(
    session: &'a Session,
    arena: &'a ArenaRef,
    plan: Option<Box<Plan>>,
    populate_existing: bool,
) -> Option<Box<Eager<'a>>> {
    plan.map(|plan| Box::new(Eager::new(session, arena, *plan, populate_existing)))
}
