//! Rows that are added, and linked with each other.

use aludel::prelude::*;

use super::{Run, SKIPPED, done};
use crate::models::{Article, Category, Comment, Person, Tag};
use crate::program::{Kind, Op, Rel};
use crate::rows::{Row, no_such};

impl Run<'_> {
    pub(super) async fn add(&mut self, op: &Op) -> Result<String> {
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

    pub(super) async fn link(&mut self, op: &Op) -> Result<String> {
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
