//! What the session knows of its entities: which are new, changed or to be deleted, and how to make it forget.

use std::panic::Location;

use super::Session;
use super::flush::value_of;
use crate::engine::row::Row;
use crate::entity::arena::Arena;
use crate::entity::arena_ref::ArenaRef;
use crate::entity::def::ModelDef;
use crate::entity::model::Model;
use crate::entity::new::AnyEntity;
use crate::entity::slot::{DIRTY, SlotPtr, State};
use crate::entity::tracker::changed_columns;
use crate::entity::{Entity, publish_columns};
use crate::error::{Error, ErrorKind, Result};
use crate::model::ColumnList;
use crate::sql::{ColumnRef, FromClause, Node, Select, SelectExtra, Statement, Value};

impl Session {
    /// The rows that were added and are not in the database yet, of all models, in the order in which they were added.
    ///
    /// ```standalone_crate
    /// use aludel::prelude::*;
    ///
    /// #[derive(Model, Clone, Debug)]
    /// struct User {
    ///     #[column(primary_key)]
    ///     id: i64,
    ///     username: String,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> aludel::Result<()> {
    /// # let db = Db::connect("sqlite://").await?;
    /// # db.create_all().await?;
    /// # let session = db.session();
    /// let ann = session.add(User::build().username("ann"));
    /// assert_eq!(session.new()[0].downcast::<User>(), Some(ann.clone()));
    /// session.flush().await?;
    /// assert!(session.new().is_empty());
    ///
    /// ann.set(User::username, "anna");
    /// assert_eq!(session.dirty()[0].model_name(), "User");
    /// # Ok(())
    /// # }
    /// ```
    #[allow(clippy::new_ret_no_self, clippy::wrong_self_convention, reason = "SQLAlchemy's name for it")]
    pub fn new(&self) -> Vec<AnyEntity> {
        self.list(|arena| {
            let tracker = arena.tracker();
            tracker.new.iter().copied().filter(|slot| slot.state() == State::Pending).collect()
        })
    }

    /// The rows of the database that have changes which no flush has sent, of all models, in the order of their first
    /// change. Some may have been changed back since: see [`is_modified`](Session::is_modified).
    pub fn dirty(&self) -> Vec<AnyEntity> {
        self.list(|arena| arena.tracker().dirty_rows())
    }

    /// The rows that the next flush deletes, of all models, without those that its cascades will find.
    pub fn deleted(&self) -> Vec<AnyEntity> {
        self.list(|arena| {
            let tracker = arena.tracker();
            tracker.doomed.iter().copied().filter(|slot| slot.state() == State::Persistent).collect()
        })
    }

    fn list(&self, rows: impl FnOnce(&Arena) -> Vec<SlotPtr>) -> Vec<AnyEntity> {
        let Some(arena) = self.existing_arena() else { return Vec::new() };
        rows(&arena).into_iter().map(|slot| AnyEntity { arena: arena.clone(), slot }).collect()
    }

    /// Whether the next flush would write the entity: it is new, or a column differs from what the database has.
    pub fn is_modified<M: Model>(&self, entity: &Entity<M>) -> bool {
        let (arena, slot) = (entity.arena(), entity.slot());
        if slot.state() != State::Persistent || !slot.has(DIRTY) {
            return entity.is_pending();
        }
        let flushed = arena.tracker().flushed(slot);
        !changed_columns(arena, slot, flushed, slot.head()).is_empty()
    }

    /// Takes an entity out of the session, with its changes: no flush writes it any more, and a query that brings its row
    /// makes another entity. The handle stays readable. Rows that it is linked to stay in the session.
    ///
    /// # Errors
    /// `InvalidStatement` for an entity of another session.
    pub fn expunge<M: Model>(&self, entity: &Entity<M>) -> Result<()> {
        let arena = self.own_arena(entity)?;
        let mut tracker = arena.tracker();
        tracker.expunge(&arena, entity.slot());
        Ok(())
    }

    /// Forgets what the session knows of an entity's row, and the changes that were not flushed: the next query that
    /// brings the row, `get`, `load` or [`refresh`](Session::refresh) reads it anew. Until then the entity shows what was
    /// last read.
    ///
    /// # Errors
    /// `InvalidStatement` for an entity that is not in the database, or of another session.
    pub fn expire<M: Model>(&self, entity: &Entity<M>) -> Result<()> {
        let arena = self.own_arena(entity)?;
        if entity.slot().state() != State::Persistent {
            return Err(not_in_database(M::def(), "expired"));
        }
        arena.tracker().expire(&arena, entity.slot());
        Ok(())
    }

    /// Expires all entities that are in the database: see [`expire`](Session::expire). Changes that were not flushed are
    /// given up, but for new rows and rows to be deleted.
    pub fn expire_all(&self) {
        let Some(arena) = self.existing_arena() else { return };
        let mut tracker = arena.tracker();
        for slot in tracker.dirty_rows() {
            tracker.expire(&arena, slot);
        }
        tracker.raise_epoch(None);
    }

    /// Reads some columns of an entity's row again, giving up what was set on them and not flushed:
    /// `session.refresh_columns(&user, (User::email, User::karma))`. Changes of other columns stay.
    ///
    /// # Errors
    /// `NotFound` when the row is gone, `InvalidStatement` for an entity that is not in the database or of another
    /// session, or for no columns; otherwise those of a query.
    #[track_caller]
    pub fn refresh_columns<M: Model>(
        &self,
        entity: &Entity<M>,
        columns: impl ColumnList<M>,
    ) -> impl Future<Output = Result<()>> + Send {
        let (at, session, entity) = (Location::caller(), self.clone(), entity.clone());
        let columns = columns.positions();
        async move {
            let arena = session.own_arena(&entity)?;
            if entity.slot().state() != State::Persistent {
                return Err(not_in_database(M::def(), "refreshed"));
            }
            session.read_columns(&arena, entity.slot(), &columns, at).await
        }
    }

    /// Reads columns of a row, and writes them onto its entity.
    pub(super) async fn read_columns(
        &self,
        arena: &ArenaRef,
        slot: SlotPtr,
        columns: &[usize],
        at: &'static Location<'static>,
    ) -> Result<()> {
        let def = slot.def();
        if columns.is_empty() {
            return Err(Error::new(ErrorKind::InvalidStatement, "no column is named that is to be read"));
        }
        self.check()?;
        let key = arena.tracker().committed_key(arena, slot);
        let select = select_columns(def, columns, &key.values());
        let mut statement = Statement::default();
        select.render(self.rendering_of(def), &mut statement);
        statement.check()?;
        let mut values: Vec<(usize, Value<'static>)> = Vec::with_capacity(columns.len());
        let mut sink = |row: &Row<'_>| {
            for (at, &column) in columns.iter().enumerate() {
                values.push((column, value_of(row, at, &def.columns[column])?));
            }
            Ok(())
        };
        self.fetch(self.bind_of(def)?, &statement.sql, &statement.params, at, &mut sink).await?;
        if values.is_empty() {
            return Err(super::get::no_row(def, &key.values()));
        }
        let flushed = arena.tracker().flushed(slot);
        publish_columns(arena, slot, flushed, &values)?;
        let mut tracker = arena.tracker();
        for (index, relationship) in def.relationships.iter().enumerate() {
            if relationship.foreign_key.iter().any(|column| columns.contains(column)) {
                tracker.unload(arena, slot, index);
            }
        }
        Ok(())
    }

    /// The session's arena, which the entity has to be in.
    fn own_arena<M: Model>(&self, entity: &Entity<M>) -> Result<ArenaRef> {
        let arena = self.arena();
        if entity.slot().is_in(&arena) { Ok(arena) } else { Err(super::add::foreign(M::def())) }
    }
}

/// A SELECT of some columns of the row with a key.
fn select_columns(def: &'static ModelDef, columns: &[usize], key: &[Value<'_>]) -> Select {
    let node = |column: usize| Node::Column(ColumnRef::new(def.table, def.columns[column].name));
    let conditions = def.primary_key.iter().zip(key);
    Select {
        columns: columns.iter().map(|&column| node(column).into()).collect(),
        from: FromClause::Table(def.table_ref()),
        filter: conditions
            .map(|(&column, value)| {
                Node::binary(node(column), crate::sql::BinaryOp::Eq, Node::Value(value.clone().into_owned()))
            })
            .collect(),
        // The row is at hand, deleted or not.
        extra: Some(Box::new(SelectExtra { with_deleted: true, ..SelectExtra::default() })),
        ..Select::default()
    }
}

#[cold]
fn not_in_database(def: &ModelDef, what: &str) -> Error {
    Error::new(
        ErrorKind::InvalidStatement,
        format!("a `{}` that is not in the database cannot be {what}; flush it first", def.name),
    )
}
