//! The statements of several relationships, planned before any of them is sent: where the database takes several
//! statements at once, those that do not need each other's rows go in one round trip.

use std::panic::Location;

use smallvec::SmallVec;

use super::super::Session;
use super::super::shared::Bind;
use super::{children, is_fresh, linked, parents, related};
use crate::engine::row::Row;
use crate::entity::arena_ref::ArenaRef;
use crate::entity::def::{ModelDef, RelationshipKind};
use crate::entity::loader::RowLoader;
use crate::entity::slot::SlotPtr;
use crate::error::Result;
use crate::model::{RelationLoad, Strategy};
use crate::sql::{Select, Statement};

/// What a relationship's load has yet to do.
pub(super) trait Loading: Send {
    /// Notes what a row says beside its entity.
    fn note(&mut self, _row: &Row<'_>, _slot: SlotPtr) -> Result<()> {
        Ok(())
    }

    /// All rows are there: the relationships lead to them.
    fn finish(self: Box<Self>, rows: Vec<SlotPtr>) -> Result<()>;
}

/// A relationship's load: what it asks for, and what is done with the answer.
pub(super) struct Planned<'a> {
    pub(super) target: &'static ModelDef,
    pub(super) selects: Vec<Select>,
    /// Whether no row comes twice in one of the statements.
    pub(super) unique: bool,
    pub(super) loading: Box<dyn Loading + 'a>,
}

/// A statement that is ready to be sent, and the place of its load.
type Ready = (usize, Statement);

impl Session {
    /// Loads relationships of rows, and of what they lead to in turn, with one statement for each relationship (and
    /// each [`MAX_KEYS`](super::MAX_KEYS) keys). The rows are of this arena, which may not be the session's any more once
    /// something has been waited for: what is loaded has to come to lie in it too.
    pub(crate) async fn load_relations(
        &self,
        arena: &ArenaRef,
        def: &'static ModelDef,
        slots: &[SlotPtr],
        loads: &[RelationLoad],
        at: &'static Location<'static>,
    ) -> Result<()> {
        let mut rest = loads;
        while !rest.is_empty() {
            let (together, later) = rest.split_at(self.sent_together(def, rest));
            rest = later;
            let planned = plan_all(self, arena, def, slots, together)?;
            if !planned.is_empty() {
                self.run(arena, planned, at).await?;
            }
            let deeper = |load: &&RelationLoad| !load.nested.is_empty() || !load.undeferred.is_empty();
            for load in together.iter().filter(deeper).filter(|load| load.strategy != Some(Strategy::Raise)) {
                let related = related(arena, slots, load.relationship);
                let target = (def.relationships[load.relationship].target)();
                if !load.undeferred.is_empty() {
                    self.load_columns(arena, target, &related, &load.undeferred, at).await?;
                }
                Box::pin(self.load_relations(arena, target, &related, &load.nested, at)).await?;
            }
        }
        Ok(())
    }

    /// How many of the first loads are planned before any of them is sent: one, where the database takes statements one by
    /// one. What one of them brings, a later one may not have to ask for.
    fn sent_together(&self, def: &'static ModelDef, loads: &[RelationLoad]) -> usize {
        if loads.len() == 1 {
            return 1;
        }
        let bind = self.bind_of((def.relationships[loads[0].relationship].target)());
        let takes_several = |&bind: &Bind| self.db().engine(bind).dialect().capabilities().several_at_once;
        let Some(bind) = bind.ok().filter(takes_several) else { return 1 };
        let waits = |(at, load): (usize, &RelationLoad)| {
            let relationship = &def.relationships[load.relationship];
            let target = (relationship.target)();
            let elsewhere = self.bind_of(target).ok() != Some(bind);
            elsewhere
                || loads[..at].iter().any(|before| {
                    before.relationship == load.relationship
                        || brings(def, before, def)
                        || !relationship.foreign_key.is_empty() && brings(def, before, target)
                })
        };
        loads.iter().enumerate().skip(1).position(waits).map_or(loads.len(), |at| at + 1)
    }

    /// Sends the statements of planned loads, and finishes the loads.
    async fn run(
        &self,
        arena: &ArenaRef,
        mut planned: SmallVec<[Planned<'_>; 1]>,
        at: &'static Location<'static>,
    ) -> Result<()> {
        let mut statements: Vec<Ready> = Vec::new();
        for (place, planned) in planned.iter_mut().enumerate() {
            for select in planned.selects.drain(..) {
                let mut statement = Statement::default();
                select.render(self.rendering_of(planned.target), &mut statement);
                statement.check()?;
                statements.push((place, statement));
            }
        }
        let mut rows: SmallVec<[Vec<SlotPtr>; 1]> = planned.iter().map(|_| Vec::new()).collect();
        if planned.len() == 1 {
            for (_, statement) in &statements {
                let planned = &mut planned[0];
                let mut loader = loader(arena, planned);
                let rows = &mut rows[0];
                let mut sink = |row: &Row<'_>| {
                    let slot = loader.slot(row, 0)?;
                    rows.push(slot);
                    planned.loading.note(row, slot)
                };
                let bind = self.bind_of(planned.target)?;
                self.fetch(bind, &statement.sql, &statement.params, at, &mut sink).await?;
            }
        } else {
            self.run_together(arena, &mut planned, &statements, &mut rows, at).await?;
        }
        for (planned, rows) in planned.into_iter().zip(rows) {
            planned.loading.finish(rows)?;
        }
        Ok(())
    }

    /// Sends statements of several loads of one database in one round trip.
    async fn run_together(
        &self,
        arena: &ArenaRef,
        planned: &mut [Planned<'_>],
        statements: &[Ready],
        rows: &mut [Vec<SlotPtr>],
        at: &'static Location<'static>,
    ) -> Result<()> {
        if statements.is_empty() {
            return Ok(());
        }
        let bind = self.bind_of(planned[0].target)?;
        // Rows come statement by statement, and each statement has a loader of its own.
        let mut current: Option<(usize, RowLoader<'_>)> = None;
        let mut sink = |statement: usize, row: &Row<'_>| {
            let place = statements[statement].0;
            let planned = &mut planned[place];
            if current.as_ref().is_none_or(|(of, _)| *of != statement) {
                current = None;
                current = Some((statement, loader(arena, planned)));
            }
            let Some((_, loader)) = &mut current else { unreachable!("made above") };
            let slot = loader.slot(row, 0)?;
            rows[place].push(slot);
            planned.loading.note(row, slot)
        };
        let sent: Vec<(&str, &[crate::sql::Value<'_>])> =
            statements.iter().map(|(_, statement)| (statement.sql.as_str(), statement.params.as_slice())).collect();
        self.fetch_all(bind, &sent, at, &mut sink).await
    }
}

/// A loader for one statement of a load.
fn loader<'a>(arena: &'a ArenaRef, planned: &Planned<'_>) -> RowLoader<'a> {
    let alone = planned.unique && arena.tracker().find_store(planned.target).is_none_or(|store| !store.occupied);
    RowLoader::new(arena, planned.target, alone)
}

/// The loads of the relationships that are not loaded.
fn plan_all<'a>(
    session: &Session,
    arena: &'a ArenaRef,
    def: &'static ModelDef,
    slots: &[SlotPtr],
    loads: &'a [RelationLoad],
) -> Result<SmallVec<[Planned<'a>; 1]>> {
    let mut planned = SmallVec::new();
    for load in loads {
        let relationship = &def.relationships[load.relationship];
        if load.strategy == Some(Strategy::Raise) {
            let mut tracker = arena.tracker();
            slots.iter().for_each(|&slot| tracker.set_raised(arena, slot, load.relationship));
            continue;
        }
        let whole = load.is_whole();
        let missing: Vec<SlotPtr> =
            slots.iter().copied().filter(|&slot| !(whole && is_fresh(arena, slot, load.relationship))).collect();
        if missing.is_empty() {
            continue;
        }
        planned.push(if relationship.secondary.is_some() {
            linked::plan(arena, def, missing, load)?
        } else if relationship.kind == RelationshipKind::Many || relationship.foreign_key.is_empty() {
            children::plan(arena, def, missing, load)?
        } else {
            parents::plan(session, arena, def, &missing, load)?
        });
    }
    Ok(planned)
}

/// Whether a load brings rows of a model, itself or by what is nested in it.
fn brings(def: &'static ModelDef, load: &RelationLoad, model: &ModelDef) -> bool {
    let target = (def.relationships[load.relationship].target)();
    target.is(model) || load.nested.iter().any(|nested| brings(target, nested, model))
}
