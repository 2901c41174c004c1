//! One row by its key.

use std::panic::Location;

use super::Session;
use crate::engine::row::Row;
use crate::entity::Entity;
use crate::entity::arena::Arena;
use crate::entity::arena_ref::ArenaRef;
use crate::entity::def::ModelDef;
use crate::entity::identity_map::IdentityKey;
use crate::entity::loader::RowLoader;
use crate::entity::model::{IntoKey, Key, Model};
use crate::entity::slot::{DIRTY, DOOMED, SlotPtr, State};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::{Renderer, Statement, TableRef, Value};

impl Session {
    /// The row with a primary key, or `None`. An entity that the session has since its last commit is returned
    /// without asking the database.
    ///
    /// # Errors
    /// Those of any query: `MissingTable`, `Decode`, `Connection`, and of the flush before it.
    #[track_caller]
    pub fn get<M: Model>(&self, key: impl IntoKey<M::Key>) -> impl Future<Output = Result<Option<Entity<M>>>> + Send {
        let (at, session, key) = (Location::caller(), self.clone(), key.into_key());
        async move {
            let found = session.find(M::def(), &key.values(), false, at).await?;
            Ok(found.map(|(arena, slot)| Entity::new(arena, slot)))
        }
    }

    /// The row with a primary key.
    ///
    /// # Errors
    /// `NotFound` when there is none; otherwise as [`get`](Session::get).
    #[track_caller]
    pub fn get_one<M: Model>(&self, key: impl IntoKey<M::Key>) -> impl Future<Output = Result<Entity<M>>> + Send {
        let (at, session, key) = (Location::caller(), self.clone(), key.into_key());
        async move {
            match session.find(M::def(), &key.values(), false, at).await? {
                Some((arena, slot)) => Ok(Entity::new(arena, slot)),
                None => Err(no_row(M::def(), &key.values())),
            }
        }
    }

    /// The row with a primary key; its absence is the response 404.
    ///
    /// # Errors
    /// `NotFound` when there is none; otherwise as [`get`](Session::get).
    #[track_caller]
    pub fn get_or_404<M: Model>(&self, key: impl IntoKey<M::Key>) -> impl Future<Output = Result<Entity<M>>> + Send {
        let get = self.get_one::<M>(key);
        async move { get.await.map_err(Error::or_404) }
    }

    /// Reads an entity's row again, giving up what was set on it and not flushed. Its relationships are to be loaded
    /// again.
    ///
    /// # Errors
    /// `NotFound` when the row is gone, `InvalidStatement` for an entity that is pending or of another session;
    /// otherwise as [`get`](Session::get).
    #[track_caller]
    pub fn refresh<M: Model>(&self, entity: &Entity<M>) -> impl Future<Output = Result<()>> + Send {
        let (at, session, entity) = (Location::caller(), self.clone(), entity.clone());
        async move { session.refresh_row(entity.slot(), at).await }
    }

    async fn refresh_row(&self, slot: SlotPtr, at: &'static Location<'static>) -> Result<()> {
        let arena = self.arena();
        if !slot.is_in(&arena) {
            return Err(super::add::foreign(slot.def()));
        }
        let def = slot.def();
        if slot.state() != State::Persistent {
            return Err(Error::new(
                ErrorKind::InvalidStatement,
                format!("a `{}` that is not in the database cannot be refreshed; flush it first", def.name),
            ));
        }
        let key = {
            let mut tracker = arena.tracker();
            let flushed = tracker.flushed(slot);
            // What was set is given up before the row is read, so that the loader may overwrite it.
            tracker.publish_flushed(slot, flushed, flushed);
            for index in 0..def.relationships.len() {
                tracker.unload(&arena, slot, index);
            }
            tracker.committed_key(&arena, slot)
        };
        let loader = RowLoader::with(&arena, def, false, true, None);
        // The row is at hand, deleted or not.
        match self.select_by_key(loader, &key.values(), true, at).await? {
            Some(_) => Ok(()),
            None => Err(no_row(def, &key.values())),
        }
    }

    /// The row with a key: from the identity map while it is current, otherwise from the database. It comes with its
    /// arena, which may not be the session's any more by the time it is found. A softly deleted row is found if that is
    /// asked for.
    pub(crate) async fn find(
        &self,
        def: &'static ModelDef,
        key: &[Value<'_>],
        deleted: bool,
        at: &'static Location<'static>,
    ) -> Result<Option<(ArenaRef, SlotPtr)>> {
        self.check()?;
        let arena = self.arena();
        if let Some(slot) = known(&arena, def, key) {
            let epoch = arena.tracker().store(def).epoch;
            if slot.epoch() == epoch || slot.has(DIRTY) {
                let seen = !slot.has(DOOMED) && self.sees(&arena, slot, deleted)?;
                return Ok(seen.then_some((arena, slot)));
            }
        }
        self.autoflush(at).await?;
        let empty = arena.tracker().find_store(def).is_none_or(|store| !store.occupied);
        let slot = self.select_by_key(RowLoader::new(&arena, def, empty), key, deleted, at).await?;
        Ok(slot.map(|slot| (arena, slot)))
    }

    async fn select_by_key(
        &self,
        mut loader: RowLoader<'_>,
        key: &[Value<'_>],
        deleted: bool,
        at: &'static Location<'static>,
    ) -> Result<Option<SlotPtr>> {
        let mut sql = String::new();
        let def = loader.def();
        self.render_select_by_key(def, &mut sql);
        let confined = self.confine_by_key(def, key, deleted, &mut sql)?;
        let key = confined.as_deref().unwrap_or(key);
        let mut found = None;
        let mut sink = |row: &Row<'_>| {
            found = Some(loader.slot(row, 0)?);
            Ok(())
        };
        self.fetch(self.bind_of(def)?, &sql, key, at, &mut sink).await?;
        Ok(found.filter(|slot: &SlotPtr| !slot.has(DOOMED) && slot.state() == State::Persistent))
    }

    /// The rows of a model in several tables. Which of them are seen is the caller's to say.
    #[cold]
    pub(super) fn write_table(&self, def: &'static ModelDef, sql: &mut String) {
        let mut table = Statement::default();
        let rows = TableRef { criteria: None, ..def.table_ref() };
        let confined = Renderer::new(self.rendering_of(def), &mut table).table(rows);
        debug_assert!(confined.is_none() && table.params.is_empty(), "its conditions are within, and have no values");
        sql.push_str(&table.sql);
    }

    fn render_select_by_key(&self, def: &'static ModelDef, sql: &mut String) {
        let dialect = self.dialect_of(def);
        sql.push_str("SELECT ");
        for (position, column) in def.columns.iter().enumerate() {
            if position > 0 {
                sql.push_str(", ");
            }
            sql.push_str(if def.is_deferred(position) { "NULL AS " } else { "" });
            dialect.quote(column.name, sql);
        }
        sql.push_str(" FROM ");
        match def.joined_inheritance() {
            None => self.rendering_of(def).quote_table(def.schema, def.table_name(), sql),
            Some(_) => self.write_table(def, sql),
        }
        sql.push_str(" WHERE ");
        for (position, &column) in def.primary_key.iter().enumerate() {
            if position > 0 {
                sql.push_str(" AND ");
            }
            dialect.quote(def.columns[column].name, sql);
            sql.push_str(" = ");
            dialect.placeholder(position + 1, sql);
        }
    }
}

/// The entity with a committed key, if the session has it.
fn known(arena: &Arena, def: &'static ModelDef, key: &[Value<'_>]) -> Option<SlotPtr> {
    let mut tracker = arena.tracker();
    if !tracker.store(def).occupied {
        return None;
    }
    tracker.identity_map(arena, def).get(&IdentityKey::new(key.iter().map(Value::as_borrowed)))
}

#[cold]
pub(super) fn no_row(def: &ModelDef, key: &[Value<'_>]) -> Error {
    let key = key.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Error::new(ErrorKind::NotFound, format!("no row of `{}` has the key {key}", def.table)).with_table(def.table)
}
