//! State that comes from outside of the session, copied onto its entities.

use std::collections::HashMap;
use std::panic::Location;

use super::Session;
use super::add::add_row;
use super::links::{push, remove, set_one, write_column};
use crate::entity::Entity;
use crate::entity::arena_ref::ArenaRef;
use crate::entity::def::{Generated, ModelDef, RelationshipKind};
use crate::entity::deferred::is_unloaded;
use crate::entity::identity_map::IdentityKey;
use crate::entity::model::Model;
use crate::entity::new::{AnyEntity, AnyNew, ColumnSet, DraftRow, New, NewLink, Target};
use crate::entity::slot::{SlotPtr, State};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Value;

/// What [`Session::merge`] takes: a new row (a struct, or a builder with what it is linked to), or an entity of another
/// session.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be merged into a session",
    label = "neither a row of a model nor an entity",
    note = "give the struct, a complete builder, or an `&Entity<..>` of another session"
)]
pub trait Merge {
    /// The row's model.
    type Model: Model;

    #[doc(hidden)]
    fn into_source(self) -> MergeSource;
}

/// Where a merged row comes from.
#[doc(hidden)]
pub struct MergeSource(Source);

enum Source {
    New(Box<dyn AnyNew>),
    Entity(AnyEntity),
}

impl<N: New> Merge for N {
    type Model = N::Model;

    fn into_source(self) -> MergeSource {
        MergeSource(Source::New(Box::new(self.into_row())))
    }
}

impl<M: Model> Merge for &Entity<M> {
    type Model = M;

    fn into_source(self) -> MergeSource {
        MergeSource(Source::Entity(self.erase()))
    }
}

impl Session {
    /// Copies the state of a row onto the session's entity with its key, and returns that: the entity that the session
    /// has, or that it loads now, or a new one where the database has no such row. For what was kept in a cache, came in
    /// a request, or belongs to another session.
    ///
    /// Of a builder the columns that were given are copied, of a struct or an entity all. What its relationships have
    /// loaded, or a builder was linked to, is merged too, and the links are made the same. A version that was given has to
    /// be the row's. Pending changes are flushed before.
    ///
    /// ```standalone_crate
    /// use aludel::prelude::*;
    ///
    /// #[derive(Model, Clone, Debug)]
    /// struct User {
    ///     #[column(primary_key)]
    ///     id: i64,
    ///     email: String,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> aludel::Result<()> {
    /// # let db = Db::connect("sqlite://").await?;
    /// # db.create_all().await?;
    /// # let session = db.session();
    /// let user = session.add(User::build().email("old@example.com"));
    /// session.commit().await?;
    ///
    /// let cached = User { id: user.id, email: "new@example.com".into() };
    /// let merged = session.merge(cached).await?;
    /// assert_eq!(merged, user);
    /// assert_eq!(user.email, "new@example.com");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `StaleData` when the version that was given is not the row's; otherwise those of [`get`](Session::get).
    #[track_caller]
    pub fn merge<S: Merge>(&self, row: S) -> impl Future<Output = Result<Entity<S::Model>>> + Send + use<S> {
        let (at, session, source) = (Location::caller(), self.clone(), row.into_source());
        async move {
            session.check()?;
            session.autoflush(at).await?;
            let arena = session.arena();
            // Nothing is sent while only a part of it is merged.
            let _guard = session.no_autoflush();
            let mut merging = Merging { session: &session, arena: arena.clone(), merged: HashMap::new(), at };
            let slot = merging.row(source.0).await?;
            Ok(Entity::new(arena, slot))
        }
    }
}

/// One merge under way.
struct Merging<'a> {
    session: &'a Session,
    arena: ArenaRef,
    /// The session's rows by those of other sessions that were merged into them.
    merged: HashMap<SlotPtr, SlotPtr>,
    at: &'static Location<'static>,
}

/// The rows that a relationship of what is merged leads to.
enum Linked {
    /// In place of what is there.
    All(Vec<Source>),
    /// Beside what is there.
    More(Vec<Source>),
}

impl Merging<'_> {
    async fn row(&mut self, source: Source) -> Result<SlotPtr> {
        let (row, from, links) = match source {
            Source::Entity(entity) if entity.slot.is_in(&self.arena) => return Ok(entity.slot),
            Source::Entity(entity) => {
                if let Some(&known) = self.merged.get(&entity.slot) {
                    return Ok(known);
                }
                let row: Box<dyn AnyNew> = Box::new(DraftRow::of(&entity));
                let links = loaded_links(entity.slot.def(), |index| linked_of(&entity.arena, entity.slot, index));
                (row, Some(entity), links)
            }
            Source::New(mut row) => {
                let given = row.take_links();
                let def = row.def();
                let mut links = loaded_links(def, |index| row.loaded(index));
                links.extend(by_relationship(given));
                (row, None, links)
            }
        };
        let slot = self.columns(row).await?;
        if let Some(entity) = from {
            // Before its relationships, which may lead back.
            self.merged.insert(entity.slot, slot);
        }
        for (index, linked) in links {
            self.link(slot, index, linked).await?;
        }
        Ok(slot)
    }

    /// The session's entity for a row, with the columns that are given.
    async fn columns(&mut self, row: Box<dyn AnyNew>) -> Result<SlotPtr> {
        let def = row.def();
        let given = row.given_columns();
        if !def.primary_key.iter().all(|&column| given.contains(column)) {
            return Ok(add_row(&self.arena, row));
        }
        let key: Vec<Value<'static>> = def.primary_key.iter().map(|&column| row.value(column).into_owned()).collect();
        if let Some(slot) = self.pending_with_key(def, &key) {
            return self.copy(slot, row.as_ref(), &given);
        }
        match Box::pin(self.session.find(def, &key, true, self.at)).await? {
            Some((arena, slot)) if arena.is(&self.arena) => self.copy(slot, row.as_ref(), &given),
            Some(_) => Err(super::cleared()),
            None => Ok(add_row(&self.arena, row)),
        }
    }

    /// A row that was added with this key and not flushed: by this merge, which has turned flushes off.
    fn pending_with_key(&self, def: &'static ModelDef, key: &[Value<'_>]) -> Option<SlotPtr> {
        let new: Vec<SlotPtr> = self.arena.tracker().new.clone();
        let key = IdentityKey::new(key.iter().map(Value::as_borrowed));
        new.into_iter().find(|&slot| {
            slot.def().is(def)
                && slot.state() == State::Pending
                && IdentityKey::of(def, |column| self.arena.value(slot, column)) == key
        })
    }

    fn copy(&self, slot: SlotPtr, row: &dyn AnyNew, given: &ColumnSet) -> Result<SlotPtr> {
        let def = slot.def();
        if let Some(version) = def.options.version
            && given.contains(version)
            && slot.state() == State::Persistent
            && self.arena.value(slot, version) != row.value(version)
        {
            return Err(other_version(def, &self.arena.tracker().committed_key(&self.arena, slot)));
        }
        for column in (0..def.columns.len()).filter(|&column| given.contains(column)) {
            if def.primary_key.contains(&column) || def.options.version == Some(column) {
                continue;
            }
            let value = row.value(column);
            if self.arena.value(slot, column) == value || is_unloaded(&value) {
                continue;
            }
            write_column(&self.arena, slot, column, value)?;
            for (index, relationship) in def.relationships.iter().enumerate() {
                if relationship.foreign_key.contains(&column) {
                    self.arena.tracker().unload(&self.arena, slot, index);
                }
            }
        }
        Ok(slot)
    }

    async fn link(&mut self, slot: SlotPtr, index: usize, linked: Linked) -> Result<()> {
        let (sources, replaces) = match linked {
            Linked::All(sources) => (sources, true),
            Linked::More(sources) => (sources, false),
        };
        let many = slot.def().relationships[index].kind == RelationshipKind::Many;
        if many {
            // Before its members are looked for one by one: most are in it.
            Box::pin(super::load::load_slot(&self.arena, slot, index, false, self.at)).await?;
        }
        let mut targets = Vec::with_capacity(sources.len());
        for source in sources {
            targets.push(Box::pin(self.row(source)).await?);
        }
        if !many {
            if let Some(&target) = targets.first() {
                set_one(&self.arena, slot, index, Some(target));
            }
            return Ok(());
        }
        let before: Vec<SlotPtr> =
            self.arena.relation(slot, index).many().flatten().map(|list| list.iter().collect()).unwrap_or_default();
        for &target in targets.iter().filter(|target| !before.contains(target)) {
            push(&self.arena, slot, index, target);
        }
        if replaces {
            for &gone in before.iter().filter(|member| !targets.contains(member)) {
                remove(&self.arena, slot, index, gone);
            }
        }
        Ok(())
    }
}

/// What the relationships of a row have loaded.
fn loaded_links(def: &'static ModelDef, loaded: impl Fn(usize) -> Option<Vec<AnyEntity>>) -> Vec<(usize, Linked)> {
    let links = (0..def.relationships.len()).filter_map(|index| Some((index, loaded(index)?)));
    links.map(|(index, rows)| (index, Linked::All(rows.into_iter().map(Source::Entity).collect()))).collect()
}

/// What a relationship of an entity has loaded.
fn linked_of(arena: &ArenaRef, slot: SlotPtr, index: usize) -> Option<Vec<AnyEntity>> {
    let field = arena.relation(slot, index);
    let rows: Vec<SlotPtr> = if slot.def().relationships[index].kind == RelationshipKind::Many {
        field.many()?.into_iter().flat_map(|list| list.iter()).collect()
    } else {
        field.one()?.into_iter().collect()
    };
    Some(rows.into_iter().map(|slot| AnyEntity { arena: arena.clone(), slot }).collect())
}

/// What a builder was linked to, by relationship.
fn by_relationship(links: Vec<NewLink>) -> Vec<(usize, Linked)> {
    let mut gathered: Vec<(usize, Vec<Source>)> = Vec::new();
    for link in links {
        let source = match link.target.0 {
            Target::None => continue,
            Target::Entity(entity) => Source::Entity(entity),
            Target::New(row) => Source::New(row),
        };
        match gathered.iter_mut().find(|(index, _)| *index == link.relationship) {
            Some((_, sources)) => sources.push(source),
            None => gathered.push((link.relationship, vec![source])),
        }
    }
    gathered.into_iter().map(|(index, sources)| (index, Linked::More(sources))).collect()
}

impl DraftRow {
    /// A copy of an entity of another session. A key that is not known yet, or stands for one, is not given.
    fn of(entity: &AnyEntity) -> Self {
        let AnyEntity { arena, slot } = entity;
        let def = slot.def();
        let mut given = ColumnSet::first(def.columns.len());
        for (position, column) in def.columns.iter().enumerate() {
            let value = arena.value(*slot, position);
            let is_placeholder = |model: &ModelDef| arena.tracker().is_placeholder(model.key_space(), &value);
            let stands_for_a_key = if column.generated == Generated::Autoincrement {
                is_placeholder(def)
            } else {
                def.sources(position).iter().any(|(model, _)| is_placeholder(model))
            };
            if stands_for_a_key || is_unloaded(&value) {
                given.remove(position);
            }
        }
        Self::new(arena.copy_of(*slot, slot.head()), given)
    }
}

#[cold]
fn other_version(def: &ModelDef, key: &IdentityKey) -> Error {
    let key = key.values().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Error::new(
        ErrorKind::StaleData,
        format!(
            "the row of `{}` with the key {key} was to be merged, and is of another version than what was given; get it \
             again, and make the change there",
            def.table
        ),
    )
    .with_table(def.table)
}
