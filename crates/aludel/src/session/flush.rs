//! The flush: what the session has to write, in order of dependency, in as few statements as the database allows.

mod apart;
mod cascade;
mod confine;
mod deletes;
mod early;
mod guard;
mod hooked;
mod inherit;
mod inserts;
mod links;
mod order;
mod parents_keys;
mod queue;
mod read_back;
mod row_switch;
mod soft_cascade;
mod updates;

pub(super) use inserts::value_of;

use std::collections::HashSet;
use std::panic::Location;

use super::Session;
use super::hooks::inside::is_in_flush;
use super::lock::Turn;
use super::transaction::Unsettled;
use crate::entity::arena_ref::ArenaRef;
use crate::entity::def::ModelDef;
use crate::entity::placeholder::may_be_placeholder;
use crate::entity::slot::{SlotPtr, State};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::{Dialect, Rendering, Value};
use queue::Queue;

/// The keys that the database made, by the placeholders that stood for them. They are kept where the queries of other
/// tasks find them too.
struct Keys(ArenaRef);

impl Keys {
    /// The real key for a foreign key's value, if that is a placeholder of a row inserted since the last commit.
    fn resolve(&self, def: &'static ModelDef, column: usize, value: &Value<'_>) -> Option<Value<'static>> {
        if !may_be_placeholder(&def.columns[column].ty, value) {
            return None;
        }
        if let Some(reference) = &def.columns[column].references {
            let (target, referenced) = (reference.target)();
            if target.primary_key == [referenced]
                && let Some(key) = self.key_of(target, value)
            {
                return Some(key);
            }
        }
        self.resolve_further(def, column, value)
    }

    fn key_of(&self, target: &'static ModelDef, value: &Value<'_>) -> Option<Value<'static>> {
        self.0.tracker().made_keys.get(&(target.key_space(), value.clone().into_owned())).cloned()
    }

    /// The key of the row that the value comes from by several steps, or by a foreign key of several columns.
    #[cold]
    fn resolve_further(&self, def: &'static ModelDef, column: usize, value: &Value<'_>) -> Option<Value<'static>> {
        let sources = def.sources(column);
        let mut counted = sources.iter().filter(|(model, column)| model.primary_key == [*column]);
        counted.find_map(|(model, _)| self.key_of(model, value))
    }
}

/// One flush under way.
struct Flush<'a, 'b> {
    session: &'a Session,
    turn: &'a mut Turn<'b>,
    arena: ArenaRef,
    at: &'static Location<'static>,
    keys: Keys,
    /// One buffer for the text of all statements.
    sql: String,
    /// How many placeholders the statement in the buffer has.
    placeholders: usize,
    /// How many of the rows to be deleted have had their cascades followed.
    cascaded: usize,
}

impl Session {
    /// Sends what has changed: inserts, then updates, then the rows of link models, then deletes, in order of dependency
    /// between the tables. Of a table that gets new rows, the changed rows go first where they can: a new one may take
    /// the unique value that they give up. The transaction stays open; [`commit`](Session::commit) ends it. Queries
    /// flush by themselves before they run.
    ///
    /// # Errors
    /// What the database says: `UniqueViolation`, `ForeignKeyViolation`, `NotNullViolation`, `CheckViolation`,
    /// `StaleData` when a row to be updated is gone, `Busy`, `Connection`. Also what could not be reported where it
    /// was done: an entity of another session, a child left without its parent. After any of these the session needs
    /// a rollback, of a savepoint or of everything, before it sends anything again. What a hook returns that is called
    /// before the first statement, `Validation` say, does not: see [`Hooks`](crate::Hooks).
    #[track_caller]
    pub fn flush(&self) -> impl Future<Output = Result<()>> + Send + '_ {
        let at = Location::caller();
        async move {
            self.check()?;
            self.refuse_in_flush("flush")?;
            let mut turn = self.turn(at).await?;
            self.flush_in(&mut turn, at).await
        }
    }

    /// The flush before a query, unless it is turned off or there is nothing to send.
    #[inline]
    pub(crate) async fn autoflush(&self, at: &'static Location<'static>) -> Result<()> {
        if !self.needs_autoflush() {
            return Ok(());
        }
        // In a box, which few queries need: else the future of every query would be larger, and it is moved around.
        Box::pin(self.flush_for_query(at)).await
    }

    /// Whether a query has something to flush before it.
    #[inline]
    pub(crate) fn needs_autoflush(&self) -> bool {
        let pending = self.existing_arena().is_some_and(|arena| arena.tracker().needs_flush());
        pending && self.autoflushes()
    }

    #[cold]
    async fn flush_for_query(&self, at: &'static Location<'static>) -> Result<()> {
        self.check()?;
        if is_in_flush(self) {
            // A hook's own queries: what they would flush is on its way.
            return Ok(());
        }
        let mut turn = self.turn(at).await?;
        self.flush_in(&mut turn, at).await.map_err(|error| {
            error.with_message(|message| format!("{message} (flushed by the query at {}:{})", at.file(), at.line()))
        })
    }

    /// The flush, in the session's turn.
    pub(super) async fn flush_in(&self, turn: &mut Turn<'_>, at: &'static Location<'static>) -> Result<()> {
        let Some(arena) = self.existing_arena() else { return Ok(()) };
        let has_hooks = {
            let mut tracker = arena.tracker();
            if !tracker.needs_flush() {
                return Ok(());
            }
            if !tracker.errors.is_empty() {
                let error = tracker.errors.remove(0);
                drop(tracker);
                self.set(super::NEEDS_ROLLBACK);
                return Err(error);
            }
            self.has_hooks(&tracker)
        };
        if has_hooks {
            return Box::pin(self.flush_with_hooks(turn, at)).await;
        }
        let unsettled = Unsettled::new(self);
        let mut flush = Flush::new(self, turn, arena, at);
        flush.run().await?;
        unsettled.settle();
        Ok(())
    }
}

impl<'a, 'b> Flush<'a, 'b> {
    /// A flush of what an arena has, which is the session's or one of its own.
    fn new(session: &'a Session, turn: &'a mut Turn<'b>, arena: ArenaRef, at: &'static Location<'static>) -> Self {
        let keys = Keys(arena.clone());
        Self { session, turn, arena, at, keys, sql: String::new(), placeholders: 0, cascaded: 0 }
    }
}

impl Flush<'_, '_> {
    async fn run(&mut self) -> Result<()> {
        self.cascade_deletes().await?;
        let (mut new, dirty, mut doomed, links) = {
            let mut tracker = self.arena.tracker();
            let mut new = std::mem::take(&mut tracker.new);
            new.retain(|slot| slot.state() == State::Pending);
            let mut doomed = std::mem::take(&mut tracker.doomed);
            doomed.retain(|slot| slot.state() == State::Persistent);
            (new, tracker.take_dirty(), doomed, tracker.links.take())
        };
        self.stamp(&new)?;
        self.follow_parents(&new)?;
        let switches = self.switches(&mut new, &doomed);
        let (before, after) = self.order_switches(switches, &new);
        self.switch(&before).await?;
        let arena = self.arena.clone();
        let mut queue = Queue::default();
        let early = self.before_inserts(&new, &dirty);
        self.update(&mut queue, &arena, &early, &[]).await?;
        let ordered = order::for_insert(&arena, &new)?;
        self.insert(&mut queue, &arena, &ordered).await?;
        if !after.is_empty() {
            self.send(&mut queue).await?;
            self.switch(&after).await?;
        }
        // What waits in the queue looks as it did before.
        let early: HashSet<SlotPtr> = early.into_iter().collect();
        let rest = updates::by_table(dirty.iter().copied().filter(|slot| !early.contains(slot)).collect());
        self.update(&mut queue, &arena, &rest, &ordered.late).await?;
        if !links.is_empty() {
            // They are between rows that may wait there.
            self.send(&mut queue).await?;
        }
        self.write_links(&doomed, links).await?;
        doomed.retain(|slot| slot.state() == State::Persistent);
        self.retain_one_view(&mut doomed);
        self.delete(&mut queue, &doomed).await?;
        self.send(&mut queue).await?;
        self.arena.tracker().keep_dirty(&dirty);
        Ok(())
    }

    /// The value to be sent for a column: a placeholder of another row is its real key by now.
    fn value_to_send<'v>(&self, slot: SlotPtr, value: Value<'v>, column: usize) -> Value<'v> {
        match self.keys.resolve(slot.def(), column, &value) {
            Some(key) => key,
            None => value,
        }
    }

    /// What is known of a row that could not be written: the column of a value that could not be sent, where the
    /// statement's values are these columns' again and again; what its foreign keys point at.
    #[cold]
    fn explain(def: &'static ModelDef, columns: &[usize], mut error: Error) -> Error {
        if error.kind() == ErrorKind::ForeignKeyViolation && error.table().is_none() {
            return missing_parent(def, error);
        }
        // MariaDB and MySQL name the constraint alone, and each primary key by this word.
        if error.kind() == ErrorKind::UniqueViolation && error.table().is_none() {
            error = error.with_table(def.table);
            if error.constraint() == Some("PRIMARY") {
                let columns = def.primary_key.iter().map(|&column| def.columns[column].name.to_owned());
                error = error.with_columns(columns.collect());
            }
            return error;
        }
        let Some(number) = error.take_parameter() else { return error };
        match number.checked_sub(1).and_then(|position| columns.get(position % columns.len().max(1))) {
            Some(&column) => {
                let column = &def.columns[column];
                error
                    .with_message(|message| {
                        format!("{}.{}: {message} (`{}::{}`)", def.table, column.name, def.name, column.field)
                    })
                    .with_table(def.table)
                    .with_columns(vec![column.name.to_owned()])
            }
            None => error.with_parameter(number),
        }
    }

    /// Makes it the turn of the database that a model's rows are in: what follows is about that one.
    fn turn_to(&mut self, def: &ModelDef) -> Result<()> {
        self.turn.switch(self.session.bind_of(def)?);
        Ok(())
    }

    /// The SQL of the database whose turn it is.
    fn dialect(&self) -> Dialect {
        self.session.db().engine(self.turn.bind).dialect()
    }

    fn quote(&mut self, identifier: &str) {
        let dialect = self.dialect();
        dialect.quote(identifier, &mut self.sql);
    }

    /// A model's table, with its schema.
    fn quote_table(&mut self, def: &ModelDef) {
        let dialect = self.dialect();
        match def.schema {
            None => dialect.quote(def.table, &mut self.sql),
            Some(_) => {
                let to = Rendering { schemas: self.session.schemas(), ..dialect.into() };
                to.quote_table(def.schema, def.table_name(), &mut self.sql);
            }
        }
    }

    /// What a model's rows are read from: its table, or the tables of the hierarchy. Which of them are seen is the
    /// caller's to write.
    fn quote_rows(&mut self, def: &'static ModelDef) {
        match def.joined_inheritance() {
            None => self.quote_table(def),
            Some(_) => self.session.write_table(def, &mut self.sql),
        }
    }

    /// Begins another statement in the buffer.
    fn begin_sql(&mut self, head: &str) {
        self.sql.clear();
        self.placeholders = 0;
        self.sql.push_str(head);
    }

    /// The placeholder of the next value.
    fn placeholder(&mut self) {
        self.placeholders += 1;
        let dialect = self.dialect();
        dialect.placeholder(self.placeholders, &mut self.sql);
    }

    /// `"a" = ?`, in SET or in a condition.
    fn assign(&mut self, column: &str) {
        self.quote(column);
        self.sql.push_str(" = ");
        self.placeholder();
    }

    /// `"a" IN (?, ?)` or `("a" = ? AND "b" = ?) OR (..)`
    fn is_one_of(&mut self, def: &'static ModelDef, columns: &[usize], count: usize) {
        if let [column] = columns[..] {
            self.quote(def.columns[column].name);
            self.sql.push_str(" IN (");
            for position in 0..count {
                self.sql.push_str(if position == 0 { "" } else { ", " });
                self.placeholder();
            }
            self.sql.push(')');
            return;
        }
        // Another condition may follow.
        let apart = def.criteria().is_some() && count > 1;
        self.sql.push_str(if apart { "(" } else { "" });
        for row in 0..count {
            self.sql.push_str(if row == 0 { "(" } else { " OR (" });
            for (position, &column) in columns.iter().enumerate() {
                self.sql.push_str(if position == 0 { "" } else { " AND " });
                self.assign(def.columns[column].name);
            }
            self.sql.push(')');
        }
        self.sql.push_str(if apart { ")" } else { "" });
    }

    /// Values of a row as the database has them.
    fn stored(&self, slot: SlotPtr, columns: &[usize]) -> Vec<Value<'static>> {
        let tracker = self.arena.tracker();
        let flushed = tracker.flushed(slot);
        columns.iter().map(|&column| self.arena.value_in(slot, flushed, column).into_owned()).collect()
    }

    /// `"a" = ? AND "b" = ?` for the primary key.
    fn key_condition(&mut self, def: &'static ModelDef) {
        for (position, &column) in def.primary_key.iter().enumerate() {
            if position > 0 {
                self.sql.push_str(" AND ");
            }
            self.assign(def.columns[column].name);
        }
    }
}

/// SQLite does not say which foreign key it was.
#[cold]
fn missing_parent(def: &'static ModelDef, error: Error) -> Error {
    let keys = def.foreign_keys().map(|key| {
        let target = key.target();
        let (own, theirs): (Vec<&str>, Vec<&str>) =
            key.pairs().map(|(column, referenced)| (def.columns[column].name, target.columns[referenced].name)).unzip();
        match (&own[..], &theirs[..]) {
            ([column], [referenced]) => format!("`{column}` at `{}.{referenced}`", target.table),
            _ => format!("`({})` at `{}.({})`", own.join(", "), target.table, theirs.join(", ")),
        }
    });
    let keys: Vec<_> = keys.collect();
    let points = if keys.is_empty() {
        String::new()
    } else {
        format!(" points at a row that does not exist ({})", keys.join(", "))
    };
    let or = if keys.is_empty() { " cannot change its key, because" } else { ", or" };
    error
        .with_message(|_| format!("a row of `{}`{points}{or} others still point at it", def.table))
        .with_table(def.table)
}
