//! A program run by Aludel.

mod links;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aludel::prelude::*;

use crate::counts::Counts;
use crate::models::Tag;
use crate::others;
use crate::outcome::Outcome;
use crate::program::{Handle, Kind, Op, Program, Set};
use crate::queries;
use crate::rows::Row;

/// The database that Aludel writes, and the log of its statements.
pub(crate) struct Ours {
    db: Db,
    log: Log,
}

/// The statements of an operation.
type Log = Arc<Mutex<Vec<String>>>;

impl Ours {
    /// Connects, and creates the tables.
    ///
    /// # Errors
    /// Those of the connection.
    pub(crate) async fn open(uri: &str) -> Result<Self> {
        let log = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&log);
        let observer = move |sql: &str| sink.lock().unwrap_or_else(PoisonError::into_inner).push(sql.to_owned());
        let options = EngineOptions::new().pool_size(2).on_statement(Arc::new(observer));
        let db = Db::builder().uri(uri).engine(options).connect().await?;
        db.create_all().await?;
        Ok(Self { db, log })
    }

    /// Runs a program to its end; an error of the database is a part of what happens.
    ///
    /// # Errors
    /// That a rollback fails, after which nothing can be said.
    pub(crate) async fn run(&self, program: &Program) -> Result<Outcome> {
        let mut run = Run {
            session: self.db.session(),
            db: &self.db,
            rows: HashMap::new(),
            doomed: HashSet::new(),
            savepoints: Vec::new(),
            expires: false,
            linked: false,
            moved: Moved::default(),
            autoflush: program.autoflush,
            log: Arc::clone(&self.log),
            restored: false,
        };
        self.take_log();
        let mut outcome = Outcome::default();
        for op in &program.ops {
            let step = match Box::pin(run.step(op)).await {
                Ok(step) => step,
                Err(error) => {
                    outcome.failed = true;
                    outcome.messages.push(error.to_string());
                    run.recover().await?;
                    format!("error: {}", kind_of(&error))
                }
            };
            let log = self.take_log();
            outcome.counts += Counts::of(&log);
            outcome.sql.push(log);
            outcome.trace.push(step);
        }
        // What is not committed is rolled back, before anybody looks.
        run.session.close().await;
        outcome.restored = run.restored;
        Ok(outcome)
    }

    fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The word for an error that the other side has too.
fn kind_of(error: &Error) -> String {
    match error.kind() {
        ErrorKind::UniqueViolation => "unique".to_owned(),
        ErrorKind::ForeignKeyViolation => "foreign key".to_owned(),
        ErrorKind::NotNullViolation => "not null".to_owned(),
        ErrorKind::StaleData => "stale".to_owned(),
        ErrorKind::NotFound => "gone".to_owned(),
        _ => format!("{:?}: {error}", error.kind()),
    }
}

/// One program under way.
struct Run<'a> {
    session: Session,
    db: &'a Db,
    rows: HashMap<Handle, Row>,
    /// Rows that are to be deleted by the next flush.
    doomed: HashSet<Handle>,
    savepoints: Vec<Savepoint>,
    /// The next flush lets the database change rows that the session does not know of.
    expires: bool,
    /// Rows were linked, or parted, since the last flush.
    linked: bool,
    /// The articles that got another parent since the last flush.
    moved: Moved,
    /// Whether queries are left to flush by themselves.
    autoflush: bool,
    log: Log,
    /// A savepoint was rolled back.
    restored: bool,
}

/// The articles that got another author or category, by their labels.
#[derive(Default)]
struct Moved {
    /// An article, and the kind of its parents.
    known: HashSet<(String, Kind)>,
    /// A whole collection was replaced, or parted with a row.
    others: bool,
}

/// What is said of an operation whose rows are not there.
const SKIPPED: &str = "skipped";

impl Run<'_> {
    /// The row, if the session still writes it.
    fn alive(&self, h: Handle) -> Option<Row> {
        self.rows.get(&h).filter(|row| !self.doomed.contains(&h) && row.is_alive()).cloned()
    }

    fn log(&self) -> MutexGuard<'_, Vec<String>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of several rows, if the session still writes them.
    fn all_alive(&self, handles: &[Handle]) -> Option<Vec<Row>> {
        handles.iter().map(|&h| self.alive(h)).collect()
    }

    async fn flush(&mut self) -> Result<()> {
        self.session.flush().await?;
        self.flushed();
        Ok(())
    }

    fn flushed(&mut self) {
        self.doomed.clear();
        self.linked = false;
        self.moved = Moved::default();
        if std::mem::take(&mut self.expires) {
            self.session.expire_all();
        }
    }

    /// After an error: the innermost savepoint, or everything, is rolled back.
    async fn recover(&mut self) -> Result<()> {
        self.rolled_back();
        match self.savepoints.pop() {
            Some(savepoint) => savepoint.rollback().await,
            None => self.session.rollback().await,
        }
    }

    fn rolled_back(&mut self) {
        self.doomed.clear();
        self.expires = false;
        self.linked = false;
        self.moved = Moved::default();
    }

    /// What follows rows that are to be deleted is done when they are gone.
    async fn settle(&mut self) -> Result<()> {
        if self.doomed.is_empty() { Ok(()) } else { self.flush().await }
    }

    async fn before_query(&mut self) -> Result<()> {
        let simple = !self.expires && !self.linked && self.doomed.is_empty();
        if self.autoflush && simple { Ok(()) } else { self.flush().await }
    }

    async fn step(&mut self, op: &Op) -> Result<String> {
        match op {
            Op::Add { .. } => self.add(op).await,
            Op::Set { h, set } => {
                let Some(row) = self.alive(*h) else { return Ok(SKIPPED.to_owned()) };
                row.set(set);
                done()
            }
            Op::SetOne { .. } | Op::SetMany { .. } | Op::Push { .. } | Op::Remove { .. } => self.link(op).await,
            Op::Delete { h } => self.delete(*h).await,
            Op::Flush | Op::Commit | Op::Rollback | Op::Savepoint | Op::Release | Op::RollbackTo => {
                self.transaction(op).await
            }
            Op::Load { .. } | Op::Get { .. } | Op::Refresh { .. } | Op::Merge { .. } => self.one_row(op).await,
            Op::MergeTag { .. } | Op::MergeCopy { .. } | Op::Conflict { .. } => self.meet(op).await,
            _ => self.query(op).await,
        }
    }

    /// What another session has a part in, and the merging of a row that may be new.
    async fn meet(&mut self, op: &Op) -> Result<String> {
        match op {
            Op::MergeTag { h, label, name, n } => {
                self.flush().await?;
                let tag = Tag::build().label(label.as_str()).name(name.as_str()).n(*n);
                let tag = Row::Tag(self.session.merge(tag).await?);
                let shown = tag.shown();
                self.rows.insert(*h, tag);
                Ok(shown)
            }
            Op::MergeCopy { h, name, drop, comment, tag } => {
                self.commit().await?;
                let Some(Row::Article(row)) = self.alive(*h) else { return Ok(SKIPPED.to_owned()) };
                let tag = tag.and_then(|tag| self.alive(tag));
                let tag = if let Some(Row::Tag(tag)) = &tag { Some(tag.label.as_str()) } else { None };
                let (counted, other) = (self.log().len(), self.db.session());
                let comment = comment.as_deref();
                let copy = others::changed_copy(&other, &row.label, name, *drop, comment, tag).await?;
                self.log().truncate(counted);
                let merged = Row::Article(self.session.merge(&copy).await?);
                other.close().await;
                let shown = merged.shown();
                self.rows.insert(*h, merged);
                self.linked = true;
                Ok(shown)
            }
            Op::Conflict { h } => {
                self.commit().await?;
                let Some(row) = self.alive(*h) else { return Ok(SKIPPED.to_owned()) };
                row.get(&self.session).await?;
                self.session.commit().await?;
                let counted = self.log().len();
                let interfered = others::interfere(&self.db.session(), &row).await?;
                self.log().truncate(counted);
                if !interfered {
                    return Ok("nobody else".to_owned());
                }
                // After the rollback SQLAlchemy would read it anew before it is changed; Aludel asks for that.
                self.rows.remove(h);
                row.set(&Set::N(Some(77)));
                self.flush().await?;
                done()
            }
            _ => done(),
        }
    }

    async fn delete(&mut self, h: Handle) -> Result<String> {
        // SQLAlchemy's cascade asks the database for what hangs on the row.
        if self.linked || self.alive(h).is_some_and(|row| row.is_pending()) {
            self.flush().await?;
        }
        let Some(row) = self.alive(h) else { return Ok(SKIPPED.to_owned()) };
        row.delete(&self.session);
        self.doomed.insert(h);
        self.expires |= row.kind() == Kind::Person;
        done()
    }

    async fn commit(&mut self) -> Result<()> {
        while let Some(savepoint) = self.savepoints.pop() {
            savepoint.release().await?;
        }
        self.session.commit().await?;
        self.flushed();
        Ok(())
    }

    async fn transaction(&mut self, op: &Op) -> Result<String> {
        match op {
            Op::Flush => self.flush().await?,
            Op::Commit => self.commit().await?,
            Op::Rollback => {
                self.savepoints.clear();
                self.session.rollback().await?;
                self.rolled_back();
            }
            Op::Savepoint => {
                let savepoint = self.session.begin_nested().await?;
                self.savepoints.push(savepoint);
                self.flushed();
            }
            Op::Release => {
                let Some(savepoint) = self.savepoints.pop() else { return Ok(SKIPPED.to_owned()) };
                savepoint.release().await?;
                self.flushed();
            }
            Op::RollbackTo => {
                let Some(savepoint) = self.savepoints.pop() else { return Ok(SKIPPED.to_owned()) };
                savepoint.rollback().await?;
                self.rolled_back();
                self.restored = true;
            }
            _ => {}
        }
        done()
    }

    /// Reads what one row is or leads to. Flushed before: whether it asks the database differs between the two sides.
    async fn one_row(&mut self, op: &Op) -> Result<String> {
        self.flush().await?;
        let (Op::Load { h, .. } | Op::Get { h } | Op::Refresh { h } | Op::Merge { h, .. }) = op else { return done() };
        let Some(row) = self.alive(*h) else { return Ok(SKIPPED.to_owned()) };
        match op {
            Op::Load { rel, .. } => row.load(*rel).await,
            Op::Refresh { .. } => {
                row.refresh(&self.session).await?;
                Ok(row.shown())
            }
            Op::Merge { name, n, .. } => {
                row.get(&self.session).await?;
                let merged = row.merge(&self.session, name, *n).await?;
                Ok(merged.shown())
            }
            _ => Ok(row.get(&self.session).await?.map_or_else(|| "gone".to_owned(), |row| row.shown())),
        }
    }

    async fn query(&mut self, op: &Op) -> Result<String> {
        match op {
            Op::ExpireAll => {
                self.flush().await?;
                self.session.expire_all();
                return done();
            }
            Op::Clear => {
                // What is found again must not be rolled back.
                self.commit().await?;
                self.session.clear();
                self.rows.clear();
                return done();
            }
            _ => self.before_query().await?,
        }
        let shown = match op {
            Op::Find { h, kind, label } => match queries::find(&self.session, *kind, label).await? {
                Some(row) => {
                    let shown = row.shown();
                    self.rows.insert(*h, row);
                    shown
                }
                None => "none".to_owned(),
            },
            Op::Query { kind, filter, descending, limit } => {
                queries::select(&self.session, *kind, filter, *descending, *limit).await?
            }
            Op::LoadAll { kind, rel } => {
                // The first load would flush, if it loads.
                self.flush().await?;
                queries::load_all(&self.session, *kind, *rel).await?
            }
            Op::Nested { path, how } => queries::nested(&self.session, *path, *how).await?,
            Op::Eager { kind, rel, how } => queries::eager(&self.session, *kind, *rel, *how).await?,
            Op::BulkUpdate { kind, filter, n } => {
                let count = queries::bulk_update(&self.session, *kind, filter, *n).await?;
                self.read_again(*kind).await?;
                count.to_string()
            }
            Op::BulkDelete { filter } => {
                let count = queries::bulk_delete(&self.session, filter).await?;
                self.read_again(Kind::Comment).await?;
                count.to_string()
            }
            _ => return done(),
        };
        // The query has flushed.
        self.flushed();
        Ok(shown)
    }

    /// Reads the rows again that a bulk write may have changed, and forgets those that it has deleted.
    async fn read_again(&mut self, kind: Kind) -> Result<()> {
        let handles: Vec<Handle> = self.rows.iter().filter(|(_, row)| row.kind() == kind).map(|(&h, _)| h).collect();
        for h in handles {
            let Some(row) = self.alive(h) else { continue };
            let counted = self.log().len();
            let outcome = row.refresh(&self.session).await;
            // What the comparison reads is nobody's cost.
            self.log().truncate(counted);
            match outcome {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    row.expunge(&self.session)?;
                    self.rows.remove(&h);
                }
                outcome => outcome?,
            }
        }
        Ok(())
    }
}

fn done() -> Result<String> {
    Ok("done".to_owned())
}
