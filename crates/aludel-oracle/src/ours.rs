//! A program run by Aludel.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aludel::prelude::*;

use crate::counts::Counts;
use crate::models::{Article, Category, Comment, Person, Tag};
use crate::others;
use crate::outcome::Outcome;
use crate::program::{Handle, Kind, Op, Program, Rel, Set};
use crate::queries;
use crate::rows::{Row, no_such};

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

    async fn add(&mut self, op: &Op) -> Result<String> {
        let Op::Add { h, kind, label, name, n, one, many, into } = op else { return done() };
        let linked = !one.is_empty() || !many.is_empty() || into.is_some();
        if linked {
            self.settle().await?;
        }
        let one: Option<Vec<(Rel, Row)>> = one.iter().map(|&(rel, to)| Some((rel, self.alive(to)?))).collect();
        let many: Option<Vec<(Rel, Vec<Row>)>> =
            many.iter().map(|(rel, to)| Some((*rel, self.all_alive(to)?))).collect();
        let into = match into {
            Some((parent, rel)) => match self.alive(*parent) {
                Some(parent) => Some((parent, *rel)),
                None => return Ok(SKIPPED.to_owned()),
            },
            None => None,
        };
        let (Some(one), Some(many)) = (one, many) else { return Ok(SKIPPED.to_owned()) };
        for row in many.iter().flat_map(|(_, rows)| rows) {
            self.before_move(row, *kind).await?;
            if !row.is_alive() {
                return Ok(SKIPPED.to_owned());
            }
        }
        let row = new_row(&self.session, *kind, (label, name, *n), &one, &many, into.as_ref())?;
        for child in many.iter().flat_map(|(_, rows)| rows) {
            self.moved(child, *kind);
        }
        self.rows.insert(*h, row);
        self.linked |= linked;
        done()
    }

    async fn link(&mut self, op: &Op) -> Result<String> {
        self.settle().await?;
        let done = self.link_settled(op).await;
        self.linked = true;
        done
    }

    /// Flushes before a row gets another parent, where the two sides would differ.
    ///
    /// A comment: SQLAlchemy forgets a new row that leaves an owner before its first flush, also where it has another owner; and
    /// whether one that has left its owner is deleted, or updated in vain, is a matter of chance where it gets a parent
    /// that does not own it. An article: SQLAlchemy writes a row that came back to the parent that it had, and raises its
    /// version.
    async fn before_move(&mut self, child: &Row, parent: Kind) -> Result<()> {
        let unsettled = match child {
            Row::Comment(_) if parent == Kind::Article => child.is_pending(),
            Row::Comment(_) => self.linked,
            Row::Article(article) if !child.is_pending() && parent != Kind::Tag => {
                self.moved.others || self.moved.known.contains(&(article.label.clone(), parent))
            }
            _ => false,
        };
        if unsettled { self.flush().await } else { Ok(()) }
    }

    fn moved(&mut self, child: &Row, parent: Kind) {
        if let Row::Article(article) = child {
            self.moved.known.insert((article.label.clone(), parent));
        }
    }

    async fn link_settled(&mut self, op: &Op) -> Result<String> {
        match op {
            Op::SetOne { h, rel, to } => {
                let Some(row) = self.alive(*h) else { return Ok(SKIPPED.to_owned()) };
                let to = match to {
                    Some(to) => match self.alive(*to) {
                        Some(to) => Some(to),
                        None => return Ok(SKIPPED.to_owned()),
                    },
                    None => None,
                };
                let parent = match rel {
                    Rel::Author | Rel::Writer => Kind::Person,
                    Rel::Article => Kind::Article,
                    _ => Kind::Category,
                };
                if to.is_some() || row.kind() == Kind::Article {
                    self.before_move(&row, parent).await?;
                }
                if !row.is_alive() {
                    return Ok(SKIPPED.to_owned());
                }
                row.set_one(*rel, to.as_ref())?;
                self.moved(&row, parent);
            }
            Op::SetMany { h, rel, to } => {
                self.flush().await?;
                let (Some(row), Some(to)) = (self.alive(*h), self.all_alive(to)) else { return Ok(SKIPPED.to_owned()) };
                row.load(*rel).await?;
                row.set_many(*rel, &to)?;
                self.moved.others = true;
            }
            Op::Push { h, rel, child, load } => {
                if *load {
                    self.flush().await?;
                }
                let (Some(row), Some(child)) = (self.alive(*h), self.alive(*child)) else {
                    return Ok(SKIPPED.to_owned());
                };
                self.before_move(&child, row.kind()).await?;
                if !child.is_alive() {
                    return Ok(SKIPPED.to_owned());
                }
                if *load {
                    row.load(*rel).await?;
                }
                row.push(*rel, &child)?;
                self.moved(&child, row.kind());
            }
            Op::Remove { h, rel, child } => {
                self.flush().await?;
                let (Some(row), Some(child)) = (self.alive(*h), self.alive(*child)) else {
                    return Ok(SKIPPED.to_owned());
                };
                row.load(*rel).await?;
                if !row.remove(*rel, &child)? {
                    return Ok("not in it".to_owned());
                }
                self.moved.others = true;
            }
            _ => {}
        }
        done()
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

/// Adds a row of some kind, linked as it says.
fn new_row(
    session: &Session,
    kind: Kind,
    (label, name, n): (&str, &str, Option<i64>),
    one: &[(Rel, Row)],
    many: &[(Rel, Vec<Row>)],
    into: Option<&(Row, Rel)>,
) -> Result<Row> {
    /// Links a builder with each collection's rows.
    macro_rules! collections {
        ($builder:ident; $($rel:ident = $variant:ident : $child:ident),+) => {
            for (rel, rows) in many {
                $builder = match rel {
                    $(Rel::$variant => $builder.$rel(rows.iter().filter_map(|row| match row {
                        Row::$child(row) => Some(row),
                        _ => None,
                    })),)+
                    _ => return Err(no_such(*rel)),
                };
            }
        };
    }
    Ok(match kind {
        Kind::Person => {
            let mut row = Person::build().label(label).name(name).n(n);
            collections!(row; articles = Articles: Article, comments = Comments: Comment);
            Row::Person(session.add(row))
        }
        Kind::Category => {
            let mut row = Category::build().label(label).name(name).n(n);
            collections!(row; children = Children: Category, articles = Articles: Article);
            for link in one {
                row = match link {
                    (Rel::Parent, Row::Category(to)) => row.parent(to),
                    (rel, _) => return Err(no_such(*rel)),
                };
            }
            Row::Category(match into {
                None => session.add(row),
                Some((Row::Category(parent), Rel::Children)) => parent.push(Category::children, row),
                Some((_, rel)) => return Err(no_such(*rel)),
            })
        }
        Kind::Article => {
            let mut row = Article::build().label(label).name(name).n(n);
            collections!(row; comments = Comments: Comment, tags = Tags: Tag);
            for link in one {
                row = match link {
                    (Rel::Author, Row::Person(to)) => row.author(to),
                    (Rel::Category, Row::Category(to)) => row.category(to),
                    (rel, _) => return Err(no_such(*rel)),
                };
            }
            Row::Article(match into {
                None => session.add(row),
                Some((Row::Person(parent), Rel::Articles)) => parent.push(Person::articles, row),
                Some((Row::Category(parent), Rel::Articles)) => parent.push(Category::articles, row),
                Some((Row::Tag(parent), Rel::Articles)) => parent.push(Tag::articles, row),
                Some((_, rel)) => return Err(no_such(*rel)),
            })
        }
        Kind::Comment => new_comment(session, (label, name, n), one, into)?,
        Kind::Tag => {
            let mut row = Tag::build().label(label).name(name).n(n);
            collections!(row; articles = Articles: Article);
            Row::Tag(match into {
                None => session.add(row),
                Some((Row::Article(parent), Rel::Tags)) => parent.push(Article::tags, row),
                Some((_, rel)) => return Err(no_such(*rel)),
            })
        }
    })
}

/// A comment needs its article, which it has from its builder or from the collection that it is pushed into.
fn new_comment(
    session: &Session,
    (label, name, n): (&str, &str, Option<i64>),
    one: &[(Rel, Row)],
    into: Option<&(Row, Rel)>,
) -> Result<Row> {
    let mut row = Comment::build().label(label).name(name).n(n);
    let mut article = None;
    for link in one {
        match link {
            (Rel::Writer, Row::Person(to)) => row = row.writer(to),
            (Rel::Article, Row::Article(to)) => article = Some(to),
            (rel, _) => return Err(no_such(*rel)),
        }
    }
    Ok(Row::Comment(match (into, article) {
        (None, Some(article)) => session.add(row.article(article)),
        (Some((Row::Article(parent), Rel::Comments)), None) => parent.push(Article::comments, row),
        (Some((Row::Person(parent), Rel::Comments)), Some(article)) => {
            parent.push(Person::comments, row.article(article))
        }
        _ => return Err(no_such(Rel::Article)),
    }))
}
