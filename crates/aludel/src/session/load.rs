//! Relationships loaded by a statement of their own: lazily for an entity and its siblings, or after a query.

mod children;
mod columns;
mod join_key;
mod linked;
mod parents;
mod relations;

use std::panic::Location;

use hashbrown::HashMap;

use super::Session;
use crate::entity::arena::Arena;
use crate::entity::arena_ref::ArenaRef;
use crate::entity::def::{ModelDef, RelationshipKind};
use crate::entity::model::Model;
use crate::entity::one::not_loaded;
use crate::entity::slot::{SlotPtr, State};
use crate::entity::{Entity, Target};
use crate::error::Result;
use crate::model::{Column, ColumnType, HasDeferred, RelationLoad, ToMany, ToOne, listed};
use crate::sql::{ColumnRef, FromClause, Node, Select, SelectColumn};

/// How many entities on each side of the one that asked are served by one lazy load.
const WINDOW: usize = 250;

/// How many keys one statement asks for, counted by their values.
const MAX_KEYS: usize = 4096;

/// Rows by the values of the columns that join them.
type ByKey<K> = HashMap<K, Vec<SlotPtr>, foldhash::fast::RandomState>;

impl<T: Model> Entity<T> {
    /// Loads a relationship, or a [deferred](crate::entity::Deferred) column, in one statement, for this entity and for
    /// those that the same query brought and that have it not loaded yet (about 250 before and after this one), and returns
    /// what it leads to, or its value. What is loaded is
    /// returned without asking the database, until the session's next commit or rollback.
    ///
    /// ```standalone_crate
    /// use aludel::prelude::*;
    ///
    /// #[derive(Model, Clone, Debug)]
    /// struct User {
    ///     #[column(primary_key)]
    ///     id: i64,
    ///     username: String,
    ///     #[relationship(back_populates = author)]
    ///     posts: Many<Post>,
    /// }
    ///
    /// #[derive(Model, Clone, Debug)]
    /// struct Post {
    ///     #[column(primary_key)]
    ///     id: i64,
    ///     title: String,
    ///     #[column(references = User::id)]
    ///     user_id: i64,
    ///     #[relationship(back_populates = posts)]
    ///     author: One<User>,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> aludel::Result<()> {
    /// # let db = Db::connect("sqlite://").await?;
    /// # db.create_all().await?;
    /// # let session = db.session();
    /// for name in ["ann", "bob"] {
    ///     session.add(User::build().username(name).posts([Post::build().title(format!("{name}'s first"))]));
    /// }
    /// session.commit().await?;
    /// # let session = db.session();
    ///
    /// let users = User::query().order_by(User::id).all(&session).await?;
    /// let mut titles = Vec::new();
    /// for user in &users {
    ///     // One statement for all users.
    ///     for post in user.load(User::posts).await? {
    ///         titles.push(post.title.clone());
    ///     }
    /// }
    /// assert_eq!(titles, ["ann's first", "bob's first"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Detached` when the session is closed or the entity no longer in it; `NotFound` when a column's row is gone;
    /// otherwise those of a query.
    #[track_caller]
    pub fn load<R: LazyLoad<T>>(&self, relationship: R) -> impl Future<Output = Result<R::Loaded>> + Send + use<T, R> {
        let (at, entity) = (Location::caller(), self.clone());
        async move {
            load_lazily(&entity, relationship.part(), true, at).await?;
            relationship.loaded(&entity)
        }
    }

    /// Loads a relationship, or a deferred column, for this entity alone: see [`load`](Entity::load).
    ///
    /// # Errors
    /// As [`load`](Entity::load).
    #[track_caller]
    pub fn load_one<R: LazyLoad<T>>(
        &self,
        relationship: R,
    ) -> impl Future<Output = Result<R::Loaded>> + Send + use<T, R> {
        let (at, entity) = (Location::caller(), self.clone());
        async move {
            load_lazily(&entity, relationship.part(), false, at).await?;
            relationship.loaded(&entity)
        }
    }
}

async fn load_lazily<T: Model>(
    entity: &Entity<T>,
    part: LazyPart,
    siblings: bool,
    at: &'static Location<'static>,
) -> Result<()> {
    match part {
        LazyPart::Relation(index) => load_slot(entity.arena(), entity.slot(), index, siblings, at).await,
        LazyPart::Column(column) => columns::load_column(entity.arena(), entity.slot(), column, siblings, at).await,
    }
}

pub(super) async fn load_slot(
    arena: &ArenaRef,
    slot: SlotPtr,
    index: usize,
    siblings: bool,
    at: &'static Location<'static>,
) -> Result<()> {
    if is_fresh(arena, slot, index) || slot.state() == State::Pending {
        return Ok(());
    }
    if arena.relation(slot, index).is_raised() {
        return Err(not_loaded(arena.relation(slot, index), "relationship"));
    }
    let session = Session::of(arena)?;
    session.check()?;
    session.autoflush(at).await?;
    let slots = if siblings { window(arena, slot, index) } else { vec![slot] };
    session.load_relations(arena, slot.def(), &slots, &[RelationLoad::new(index)], at).await
}

/// Whether a relationship is loaded as a whole, and no commit, rollback or bulk write has been since.
fn is_fresh(arena: &Arena, slot: SlotPtr, index: usize) -> bool {
    arena.tracker().is_fresh(arena, slot, index)
}

/// The entity and its neighbours of the same query that have the relationship not loaded.
fn window(arena: &Arena, slot: SlotPtr, index: usize) -> Vec<SlotPtr> {
    window_of(arena, slot, |sibling| !is_fresh(arena, sibling, index))
}

/// The entity and its neighbours of the same query that lack something.
fn window_of(arena: &Arena, slot: SlotPtr, lacks: impl Fn(SlotPtr) -> bool) -> Vec<SlotPtr> {
    let siblings = arena.slots(slot.def(), Some(slot.query()));
    let here = siblings.iter().position(|&sibling| sibling == slot).unwrap_or(0);
    let from = here.saturating_sub(WINDOW);
    let to = (here + WINDOW).min(siblings.len());
    let mut slots: Vec<SlotPtr> = siblings[from..to]
        .iter()
        .copied()
        .filter(|&sibling| sibling.state() == State::Persistent && lacks(sibling))
        .collect();
    if !slots.contains(&slot) {
        slots.push(slot);
    }
    slots
}

/// What a loaded relationship of rows leads to, each row once.
fn related(arena: &Arena, slots: &[SlotPtr], index: usize) -> Vec<SlotPtr> {
    let mut seen = std::collections::HashSet::new();
    let mut related = Vec::new();
    for &slot in slots {
        let field = arena.relation(slot, index);
        let rows: Vec<SlotPtr> = if slot.def().relationships[index].kind == RelationshipKind::Many {
            field.many().flatten().into_iter().flat_map(|list| list.iter()).collect()
        } else {
            field.one().flatten().into_iter().collect()
        };
        related.extend(rows.into_iter().filter(|&row| seen.insert(row)));
    }
    related
}

/// The select, which sees softly deleted rows where the load does.
fn lifted(mut select: Select, load: &RelationLoad) -> Select {
    if load.with_deleted {
        select.extra_mut().with_deleted = true;
    }
    select
}

/// `SELECT` of all columns of a model where a condition holds, and another.
fn select_where(target: &'static ModelDef, keys: Node, filter: Option<&Node>) -> Select {
    let mut select = Select {
        columns: columns_of(target, target.table),
        from: FromClause::Table(target.table_ref()),
        ..Select::default()
    };
    select.filter.push(keys);
    select.filter.extend(filter.cloned());
    select
}

fn columns_of(def: &'static ModelDef, qualifier: &'static str) -> Vec<SelectColumn> {
    (0..def.columns.len()).map(|column| listed(def, qualifier.into(), column)).collect()
}

fn column_node(def: &'static ModelDef, qualifier: &'static str, column: usize) -> Node {
    let column = &def.columns[column];
    let reference = ColumnRef::new(qualifier, column.name);
    Node::Column(if column.nullable { reference.nullable() } else { reference })
}

/// What `load` takes: a relationship, or a deferred column.
#[diagnostic::on_unimplemented(message = "`{Self}` does not load from `{M}`", label = "not a relationship of `{M}`")]
pub trait LazyLoad<M: Model>: Send {
    /// What is loaded: `Vec<Entity<T>>`, `Entity<T>` or `Option<Entity<T>>`, or a column's value.
    type Loaded;

    #[doc(hidden)]
    fn part(&self) -> LazyPart;

    #[doc(hidden)]
    fn loaded(&self, entity: &Entity<M>) -> Result<Self::Loaded>;
}

/// What `load` loads, without types: a relationship or a column, by its position.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum LazyPart {
    Relation(usize),
    Column(usize),
}

impl<M: HasDeferred, T: ColumnType> LazyLoad<M> for Column<M, T> {
    type Loaded = T;

    fn part(&self) -> LazyPart {
        LazyPart::Column(self.index())
    }

    fn loaded(&self, entity: &Entity<M>) -> Result<T> {
        T::from_value(entity.arena().value(entity.slot(), self.index()))
    }
}

impl<M: Model, R: Target> LazyLoad<M> for ToOne<M, R> {
    type Loaded = R::Entity;

    fn part(&self) -> LazyPart {
        LazyPart::Relation(self.index())
    }

    fn loaded(&self, entity: &Entity<M>) -> Result<R::Entity> {
        let slot = entity.arena().relation(entity.slot(), self.index()).one().flatten();
        R::of_entity(slot.map(|slot| Entity::new(entity.arena().clone(), slot)))
    }
}

impl<M: Model, T: Model, K> LazyLoad<M> for ToMany<M, T, K> {
    type Loaded = Vec<Entity<T>>;

    fn part(&self) -> LazyPart {
        LazyPart::Relation(self.index())
    }

    fn loaded(&self, entity: &Entity<M>) -> Result<Vec<Entity<T>>> {
        let list = entity.arena().relation(entity.slot(), self.index()).many().flatten();
        let slots = list.into_iter().flat_map(|list| list.iter());
        Ok(slots.map(|slot| Entity::new(entity.arena().clone(), slot)).collect())
    }
}
