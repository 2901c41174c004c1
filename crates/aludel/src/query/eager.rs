//! What is loaded along with a query's entities: joined into its statement, or selected afterwards.

use std::borrow::Cow;
use std::panic::Location;

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};

use crate::engine::row::Row;
use crate::entity::arena::Arena;
use crate::entity::arena_ref::ArenaRef;
use crate::entity::def::{ModelDef, RelationshipKind};
use crate::entity::loader::RowLoader;
use crate::entity::slot::SlotPtr;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{JoinPath, RelationLoad, Strategy, column_of};
use crate::session::Session;
use crate::sql::{Dialect, FromClause, Join, JoinKind, Node, OrderBy, Select};

use super::draft::Draft;
use super::scope::invalid;
use super::source::{Root, target_of};

/// What is to be loaded with the entities of a query.
pub(super) struct Plan {
    def: &'static ModelDef,
    /// What is selected afterwards, for the query's own entities.
    loads: Vec<RelationLoad>,
    /// What is joined, parents before their children.
    pub(super) joined: Vec<JoinedLoad>,
    /// Deferred columns of the query's own entities that are selected with them, and those that are afterwards.
    pub(super) undeferred: Vec<usize>,
    late: Vec<usize>,
    /// The name of the query's own table in the statement.
    root_name: Cow<'static, str>,
}

/// A relationship that is loaded by a join.
pub(super) struct JoinedLoad {
    /// Whose relationship it is: 0 for the query's own entities, else the place in [`Plan::joined`], counted from 1.
    parent: usize,
    owner: &'static ModelDef,
    /// The name of the owner's table in the statement.
    owner_name: Cow<'static, str>,
    target: &'static ModelDef,
    /// The name of the target's table in the statement.
    name: Cow<'static, str>,
    path: JoinPath,
    /// The name of the link model's table in the statement, where there is one.
    link_name: Cow<'static, str>,
    /// Where the target's columns begin in a row.
    at: usize,
    load: RelationLoad,
}

impl JoinedLoad {
    /// Whether the owner may come in several rows.
    fn repeats(&self) -> bool {
        match &self.path {
            JoinPath::Direct(columns) => !columns.key_is_local,
            JoinPath::Secondary(_) => true,
        }
    }

    fn is_many(&self) -> bool {
        self.owner.relationships[self.load.relationship].kind == RelationshipKind::Many
    }

    /// The relationship on the other side that a row loaded here fixes too.
    fn back(&self) -> Option<usize> {
        match &self.path {
            JoinPath::Direct(columns) if !columns.key_is_local => {}
            JoinPath::Direct(_) | JoinPath::Secondary(_) => return None,
        }
        self.owner.relationships[self.load.relationship].inverse.map(|inverse| inverse())
    }
}

impl Draft {
    /// Chooses how each relationship is loaded.
    ///
    /// # Errors
    /// `InvalidStatement` when something is to be loaded for what are no entities, or under a condition on another
    /// table; `Config` for a relationship without a foreign key.
    pub(super) fn plan_eager(&mut self) -> Result<Option<Box<Plan>>> {
        if self.loads.is_empty() && self.undeferred.is_empty() {
            return Ok(None);
        }
        let undeferred = std::mem::take(&mut self.undeferred);
        check_columns(self.def, &undeferred)?;
        let mut loads = std::mem::take(&mut self.loads);
        if self.with_deleted {
            super::deleted::lift_loads(self.def, &mut loads);
        }
        if self.items.is_some() {
            let name = match loads.first() {
                Some(load) => self.def.relationships[load.relationship].name,
                None => self.def.columns[undeferred[0]].field,
            };
            return Err(invalid(format!(
                "with({}::{name}): this query selects something else than its entities, for which there is nothing to \
                 load; leave out `.select(..)` or `.with(..)`",
                self.def.name
            )));
        }
        let compound = self.rare.as_ref().is_some_and(|rare| matches!(rare.root, Root::Compound(_)));
        let (undeferred, late) = if compound { (Vec::new(), undeferred) } else { (undeferred, Vec::new()) };
        let root_name = self.root_name();
        let mut plan = Plan { def: self.def, loads: Vec::new(), joined: Vec::new(), undeferred, late, root_name };
        let mut at = self.def.columns.len() + plan.undeferred.len();
        plan.loads = self.choose(0, self.def, self.root_name(), loads, &mut plan.joined, &mut at)?;
        Ok(Some(Box::new(plan)))
    }

    /// Appends what is to be joined; returns what is to be selected afterwards.
    fn choose(
        &self,
        parent: usize,
        owner: &'static ModelDef,
        owner_name: Cow<'static, str>,
        loads: Vec<RelationLoad>,
        joined: &mut Vec<JoinedLoad>,
        at: &mut usize,
    ) -> Result<Vec<RelationLoad>> {
        let mut selected = Vec::new();
        for mut load in loads {
            let relationship = &owner.relationships[load.relationship];
            let target = (relationship.target)();
            check_load(owner, &load)?;
            if !self.is_joinable(owner, &load) {
                selected.push(load);
                continue;
            }
            let name = self.free_name(target, joined);
            if let Some(filter) = &mut load.filter {
                filter.rename_table(target.table, &name);
            }
            load.order_by.iter_mut().for_each(|order| order.node.rename_table(target.table, &name));
            let path = relationship.path(owner)?;
            let link_name = match &path {
                JoinPath::Direct(_) => Cow::Borrowed(""),
                JoinPath::Secondary(join) => self.free_name(join.link, joined),
            };
            let nested = std::mem::take(&mut load.nested);
            joined.push(JoinedLoad {
                parent,
                owner,
                owner_name: owner_name.clone(),
                target,
                name: name.clone(),
                path,
                link_name,
                at: *at,
                load,
            });
            *at += target.columns.len();
            let own = joined.len();
            let nested = self.choose(own, target, name, nested, joined, at)?;
            joined[own - 1].load.nested = nested;
        }
        Ok(selected)
    }

    /// To one row it is joined unless otherwise said, or it is in several tables, which SQLite would read as a whole; to
    /// many only where that was asked for, and where the joined rows would not be what the query cuts or gathers.
    fn is_joinable(&self, owner: &'static ModelDef, load: &RelationLoad) -> bool {
        let many = owner.relationships[load.relationship].kind == RelationshipKind::Many;
        let asked = match load.strategy {
            Some(strategy) => strategy == Strategy::Joined,
            None => !many && target_of(owner, load.relationship).joined_inheritance().is_none(),
        };
        if self.rare.as_ref().is_some_and(|rare| rare.is_whole()) || load.with_deleted && !self.with_deleted {
            return false;
        }
        let whole = self.limit.is_none() && self.offset.is_none() && !self.distinct;
        if owner.bind != (owner.relationships[load.relationship].target)().bind {
            // No statement joins two databases.
            return false;
        }
        let gathered = !self.group_by.is_empty() || !self.having.is_empty();
        asked && !gathered && load.limit.is_none() && (whole || !many)
    }

    /// A name for a table that the statement does not have yet.
    fn free_name(&self, target: &'static ModelDef, joined: &[JoinedLoad]) -> Cow<'static, str> {
        let mut number = joined.len() + 1;
        loop {
            let name = format!("{}_{number}", target.table);
            if !self.has(&name) {
                return Cow::Owned(name);
            }
            number += joined.len() + 1;
        }
    }
}

/// # Errors
/// `InvalidStatement` when a load's condition or order names another table than its own.
fn check_load(owner: &'static ModelDef, load: &RelationLoad) -> Result<()> {
    let relationship = &owner.relationships[load.relationship];
    let target = (relationship.target)();
    let nodes = load.filter.iter().chain(load.order_by.iter().map(|order| &order.node));
    for node in nodes {
        if let Some(reason) = node.find_invalid() {
            return Err(invalid(format!("with({}::{}): {reason}", owner.name, relationship.name)));
        }
        let stranger = node.find_column(&mut |column| (column.table != target.table).then_some(column));
        if let Some(column) = stranger {
            return Err(invalid(format!(
                "with({}::{}): {}.{} is no column of {}, of which alone the load selects",
                owner.name, relationship.name, column.table, column.name, target.table
            )));
        }
    }
    check_columns(target, &load.undeferred)?;
    // what is nested in a load that is selected afterwards is checked here as well: before anything is sent
    load.nested.iter().try_for_each(|nested| check_load(target, nested))
}

/// # Errors
/// `InvalidStatement` when a column is to be loaded that every query reads.
fn check_columns(def: &'static ModelDef, columns: &[usize]) -> Result<()> {
    match columns.iter().find(|&&column| !def.is_deferred(column)) {
        None => Ok(()),
        Some(&column) => {
            let (model, field) = (def.name, def.columns[column].field);
            Err(invalid(format!(
                "with({model}::{field}): the column is not deferred, and every query for entities reads it"
            )))
        }
    }
}

impl Plan {
    /// Adds the joins and their columns to the query's statement.
    pub(super) fn join(&self, dialect: Dialect, select: &mut Select) {
        let column = |&column: &usize| column_of(self.def, self.root_name.clone(), column).into();
        select.columns.extend(self.undeferred.iter().map(column));
        for joined in &self.joined {
            let mut list = String::new();
            joined.target.write_select_list(dialect, &joined.name, &mut list);
            select.columns.push(Node::Sql(list.into()).into());
            joined.join(select);
            select.order_by.extend(joined.order());
        }
        debug_assert!(matches!(select.from, FromClause::Table(_)));
    }
}

impl JoinedLoad {
    /// Adds the join. A row stays in the result also where its foreign key leads nowhere, as in data that is older than
    /// the key.
    fn join(&self, select: &mut Select) {
        let (owner, target) = ((self.owner, &self.owner_name), (self.target, &self.name));
        match &self.path {
            JoinPath::Direct(columns) => {
                let table = self.target.table_as(self.name.clone());
                select.joins.push(Join { kind: JoinKind::Left, table, on: columns.condition(owner, target) });
            }
            JoinPath::Secondary(join) => {
                select.joins.extend(join.joins(JoinKind::Left, owner, self.link_name.clone(), target));
            }
        }
        if let (Some(filter), Some(last)) = (&self.load.filter, select.joins.last_mut()) {
            let on = std::mem::replace(&mut last.on, Node::NULL);
            last.on = on.and(filter.clone());
        }
    }

    /// The order of a collection's rows: the load's own, or the relationship's.
    fn order(&self) -> Vec<OrderBy> {
        if !self.load.order_by.is_empty() || !self.is_many() {
            return self.load.order_by.clone();
        }
        let declared = self.owner.relationships[self.load.relationship].order_by;
        declared
            .iter()
            .map(|(column, descending)| OrderBy {
                node: column_of(self.target, self.name.clone(), column()),
                descending: *descending,
                nulls: None,
            })
            .collect()
    }
}

/// What is loaded with the entities of a query, while its rows are read.
pub struct Eager<'a> {
    session: &'a Session,
    arena: &'a ArenaRef,
    plan: Plan,
    loaders: Vec<RowLoader<'a>>,
    /// The query's entities; each once where collections are joined.
    roots: Vec<SlotPtr>,
    /// Whether rows that are joined may repeat the query's entities.
    repeats: bool,
    seen: HashSet<SlotPtr, RandomState>,
    found: Vec<Found>,
    /// The row's entity of each joined table, the query's own first.
    current: Vec<Option<SlotPtr>>,
}

/// What a joined relationship was found to lead to.
#[derive(Default)]
struct Found {
    parents: Vec<SlotPtr>,
    rows: Vec<Vec<SlotPtr>>,
    /// The place of a parent in `parents`.
    places: HashMap<SlotPtr, usize, RandomState>,
    pairs: HashSet<(SlotPtr, SlotPtr), RandomState>,
}

impl<'a> Eager<'a> {
    /// The deferred columns that the query's own rows have after their others.
    pub(super) fn undeferred(&self) -> &[usize] {
        &self.plan.undeferred
    }

    pub(super) fn new(session: &'a Session, arena: &'a ArenaRef, plan: Plan, populate_existing: bool) -> Self {
        let loader = |joined: &JoinedLoad| RowLoader::with(arena, joined.target, false, populate_existing, None);
        let loaders = plan.joined.iter().map(loader).collect();
        Self {
            session,
            arena,
            repeats: plan.joined.iter().any(JoinedLoad::repeats),
            found: plan.joined.iter().map(|_| Found::default()).collect(),
            current: Vec::with_capacity(plan.joined.len() + 1),
            loaders,
            roots: Vec::new(),
            seen: HashSet::default(),
            plan,
        }
    }

    /// Reads what a row brings beside its entity; false when the entity was there before.
    pub(super) fn row(&mut self, root: SlotPtr, row: &Row<'_>) -> Result<bool> {
        let new = !self.repeats || self.seen.insert(root);
        if new {
            self.roots.push(root);
        }
        self.current.clear();
        self.current.push(Some(root));
        for (at, joined) in self.plan.joined.iter().enumerate() {
            let target = match self.current[joined.parent] {
                Some(parent) => {
                    let target = self.loaders[at].optional(row, joined.at)?;
                    self.found[at].note(parent, target);
                    target
                }
                None => None,
            };
            self.current.push(target);
        }
        Ok(new)
    }

    /// Links what was found, and selects what is left.
    pub(super) async fn settle(self, at: &'static Location<'static>) -> Result<()> {
        let Self { session, arena, plan, roots, found, .. } = self;
        for (joined, found) in plan.joined.iter().zip(&found) {
            link(arena, joined, found)?;
        }
        if !plan.late.is_empty() {
            session.load_columns(arena, plan.def, &roots, &plan.late, at).await?;
        }
        if !plan.loads.is_empty() && !roots.is_empty() {
            session.load_relations(arena, plan.def, &unique(roots), &plan.loads, at).await?;
        }
        for (joined, found) in plan.joined.iter().zip(found) {
            let rows: Vec<SlotPtr> = found.rows.into_iter().flatten().collect();
            if !joined.load.undeferred.is_empty() {
                session.load_columns(arena, joined.target, &rows, &joined.load.undeferred, at).await?;
            }
            if !joined.load.nested.is_empty() && !rows.is_empty() {
                session.load_relations(arena, joined.target, &unique(rows), &joined.load.nested, at).await?;
            }
        }
        Ok(())
    }
}

impl Found {
    fn note(&mut self, parent: SlotPtr, target: Option<SlotPtr>) {
        let Self { parents, rows, places, pairs } = self;
        let place = *places.entry(parent).or_insert_with(|| {
            parents.push(parent);
            rows.push(Vec::new());
            parents.len() - 1
        });
        if let Some(target) = target
            && pairs.insert((parent, target))
        {
            rows[place].push(target);
        }
    }
}

/// Makes a relationship lead to the rows that were joined, except where the session has it already: what it has may
/// hold changes that are not in the database yet.
///
/// # Errors
/// `MultipleFound` when a relationship to one row leads to several.
fn link(arena: &Arena, joined: &JoinedLoad, found: &Found) -> Result<()> {
    let index = joined.load.relationship;
    let (mut parents, mut rows) = (Vec::with_capacity(found.parents.len()), Vec::with_capacity(found.rows.len()));
    let mut tracker = arena.tracker();
    let whole = joined.load.is_whole();
    for (&parent, targets) in found.parents.iter().zip(&found.rows) {
        if whole && tracker.is_fresh(arena, parent, index) {
            continue;
        }
        if let Some(back) = joined.back() {
            targets.iter().for_each(|&target| tracker.set_loaded_one(arena, target, back, Some(parent)));
        }
        if joined.is_many() {
            parents.push(parent);
            rows.push(targets.clone());
        } else if targets.len() > 1 {
            return Err(several(joined, targets.len()));
        } else {
            tracker.set_loaded_one(arena, parent, index, targets.first().copied());
            if !whole {
                tracker.found_in_part(arena, parent, index);
            }
        }
    }
    if !parents.is_empty() {
        tracker.set_loaded_many(arena, index, &parents, &rows);
        if !whole {
            parents.iter().for_each(|&parent| tracker.found_in_part(arena, parent, index));
        }
    }
    Ok(())
}

#[cold]
fn several(joined: &JoinedLoad, rows: usize) -> Error {
    let relationship = &joined.owner.relationships[joined.load.relationship];
    Error::new(
        ErrorKind::MultipleFound,
        format!(
            "`{}::{}` leads to one row at most, and {rows} rows of `{}` point at this one; declare it `Many`, or put a \
             unique constraint on the foreign key",
            joined.owner.name, relationship.name, joined.target.table
        ),
    )
}

/// Each of the rows once, in their order.
fn unique(mut rows: Vec<SlotPtr>) -> Vec<SlotPtr> {
    let mut seen: HashSet<SlotPtr, RandomState> = HashSet::default();
    rows.retain(|&row| seen.insert(row));
    rows
}
