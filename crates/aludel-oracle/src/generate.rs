//! Random programs.

use crate::program::{Filter, Handle, How, Kind, Op, Path, Program, Rel, Set};
use crate::random::Random;

/// A program that a seed gives. It begins with some rows, so that there is something to work on.
pub(crate) fn program(seed: u64) -> Program {
    let mut generator = Generator { random: Random::new(seed), rows: Vec::new(), names: 0, ops: Vec::new() };
    generator.begin();
    let length = 4 + generator.random.below(28);
    for _ in 0..length {
        let op = generator.op();
        generator.ops.extend(op);
    }
    if generator.random.chance(80) {
        generator.ops.push(Op::Commit);
    }
    Program { autoflush: generator.random.chance(50), ops: generator.ops }
}

struct Generator {
    random: Random,
    /// Every row that an operation makes, with its label.
    rows: Vec<(Handle, Kind, String)>,
    names: usize,
    ops: Vec<Op>,
}

impl Generator {
    fn begin(&mut self) {
        for _ in 0..self.random.below(8) {
            let op = self.add();
            self.ops.extend(op);
        }
        if self.random.chance(70) {
            self.ops.push(Op::Commit);
        }
        if self.random.chance(40) {
            self.clear();
        }
    }

    fn op(&mut self) -> Option<Op> {
        let roll = self.random.below(100);
        match roll {
            0..20 => self.add(),
            20..30 => Some(Op::Set { h: self.any()?.0, set: self.set() }),
            30..38 => self.set_one(),
            38..46 => self.push(),
            46..50 => self.remove(),
            50..53 => self.set_many(),
            53..60 => Some(Op::Delete { h: self.any()?.0 }),
            60..64 => Some(Op::Flush),
            64..68 => Some(Op::Commit),
            68..70 => Some(Op::Rollback),
            70..73 => Some(Op::Savepoint),
            73..75 => Some(Op::Release),
            75..78 => Some(Op::RollbackTo),
            78..84 => self.load(),
            84..86 => Some(Op::Get { h: self.any()?.0 }),
            86 => Some(Op::Refresh { h: self.any()?.0 }),
            87 => Some(Op::ExpireAll),
            88 => {
                self.clear();
                None
            }
            89..92 => Some(self.query()),
            92..96 => self.eager(),
            96 => self.merge(),
            97 if self.random.chance(60) => Some(self.load_more()),
            97 => Some(Op::Conflict { h: self.any()?.0 }),
            _ if self.random.chance(40) => Some(Op::Merge { h: self.any()?.0, name: self.name(), n: self.number() }),
            98 => {
                let kind = Kind::ALL[self.random.below(5)];
                Some(Op::BulkUpdate { kind, filter: self.filter(), n: self.number() })
            }
            _ => Some(Op::BulkDelete { filter: self.filter() }),
        }
    }

    fn any(&mut self) -> Option<(Handle, Kind)> {
        self.random.pick(&self.rows).map(|row| (row.0, row.1))
    }

    /// A row of a kind: of the younger ones more often, which are more often alive.
    fn of(&mut self, kind: Kind) -> Option<Handle> {
        let rows: Vec<Handle> = self.rows.iter().filter(|row| row.1 == kind).map(|row| row.0).collect();
        self.random.pick(&rows).copied()
    }

    fn some_of(&mut self, kind: Kind) -> Vec<Handle> {
        let mut rows: Vec<Handle> = Vec::new();
        for _ in 0..self.random.below(4) {
            rows.extend(self.of(kind).filter(|h| !rows.contains(h)));
        }
        rows
    }

    fn name(&mut self) -> String {
        self.names += 1;
        // Now and then a name is there already.
        let number = if self.random.chance(4) { self.random.below(self.names) } else { self.names };
        format!("n{number}")
    }

    fn number(&mut self) -> Option<i64> {
        self.random.chance(70).then(|| self.random.below(6) as i64)
    }

    fn set(&mut self) -> Set {
        if self.random.chance(50) { Set::Name(self.name()) } else { Set::N(self.number()) }
    }

    fn filter(&mut self) -> Filter {
        match self.random.below(4) {
            0 => Filter::All,
            1 => Filter::Above(self.random.below(5) as i64),
            2 => Filter::NoNumber,
            _ => Filter::NameBelow(format!("n{}", self.random.below(self.names + 1))),
        }
    }

    fn add(&mut self) -> Option<Op> {
        let kind = Kind::ALL[self.random.below(5)];
        let mut one: Vec<(Rel, Handle)> = Vec::new();
        let mut many: Vec<(Rel, Vec<Handle>)> = Vec::new();
        let mut into = None;
        let parents: Vec<(Kind, Rel)> = Kind::ALL
            .into_iter()
            .flat_map(|parent| {
                parent.to_many().iter().filter(|(_, child)| *child == kind).map(move |(rel, _)| (parent, *rel))
            })
            .collect();
        if self.random.chance(30)
            && let Some(&(parent, rel)) = self.random.pick(&parents)
        {
            into = self.of(parent).map(|parent| (parent, rel));
        }
        for &(rel, target) in kind.to_one() {
            let needed = rel == Rel::Article;
            if into_gives(into.map(|into| into.1), kind, rel, self.rows_kind(into)) {
                continue;
            }
            if needed || self.random.chance(50) {
                match self.of(target) {
                    Some(h) => one.push((rel, h)),
                    None if needed => return None,
                    None => {}
                }
            }
        }
        for &(rel, target) in kind.to_many() {
            // A category comes after those that it hangs on, or there would be circles.
            if rel != Rel::Children && self.random.chance(25) {
                let mut rows = self.some_of(target);
                // In its collection already: one of SQLAlchemy's would have it twice.
                rows.retain(|row| into.is_none_or(|(parent, _)| parent != *row));
                if !rows.is_empty() {
                    many.push((rel, rows));
                }
            }
        }
        let h = self.rows.len() as Handle;
        let label = self.label(kind, h);
        self.rows.push((h, kind, label.clone()));
        Some(Op::Add { h, kind, label, name: self.name(), n: self.number(), one, many, into })
    }

    /// A tag may get the key of another one: of one that is gone, if all is well.
    fn label(&mut self, kind: Kind, h: Handle) -> String {
        let tags: Vec<String> = self.rows.iter().filter(|row| row.1 == Kind::Tag).map(|row| row.2.clone()).collect();
        if kind == Kind::Tag
            && self.random.chance(15)
            && let Some(label) = self.random.pick(&tags)
        {
            return label.clone();
        }
        format!("{}{h}", ["p", "c", "a", "m", "t"][kind as usize])
    }

    fn rows_kind(&self, parent: Option<(Handle, Rel)>) -> Option<Kind> {
        let (parent, _) = parent?;
        self.rows.iter().find(|row| row.0 == parent).map(|row| row.1)
    }

    fn set_one(&mut self) -> Option<Op> {
        let (h, kind) = self.any()?;
        let &(rel, target) = self.random.pick(kind.to_one())?;
        let to = if rel != Rel::Article && self.random.chance(25) { None } else { Some(self.of(target)?) };
        if rel == Rel::Parent && to.is_some_and(|to| to >= h) {
            // A circle would be nobody's.
            return None;
        }
        Some(Op::SetOne { h, rel, to })
    }

    fn collection(&mut self) -> Option<(Handle, Rel, Kind)> {
        let (h, kind) = self.any()?;
        let &(rel, child) = self.random.pick(kind.to_many())?;
        Some((h, rel, child))
    }

    fn push(&mut self) -> Option<Op> {
        let (h, rel, child) = self.collection()?;
        let child = self.of(child)?;
        if rel == Rel::Children && child <= h {
            return None;
        }
        Some(Op::Push { h, rel, child, load: self.random.chance(50) })
    }

    fn remove(&mut self) -> Option<Op> {
        let (h, rel, child) = self.collection()?;
        Some(Op::Remove { h, rel, child: self.of(child)? })
    }

    fn set_many(&mut self) -> Option<Op> {
        let (h, rel, child) = self.collection()?;
        let mut to = self.some_of(child);
        if rel == Rel::Children {
            to.retain(|&child| child > h);
        }
        Some(Op::SetMany { h, rel, to })
    }

    fn merge(&mut self) -> Option<Op> {
        if self.random.chance(50) {
            let h = self.rows.len() as Handle;
            let label = self.label(Kind::Tag, h);
            self.rows.push((h, Kind::Tag, label.clone()));
            return Some(Op::MergeTag { h, label, name: self.name(), n: self.number() });
        }
        let h = self.of(Kind::Article)?;
        let comment = self.random.chance(50).then(|| format!("x{}", self.ops.len()));
        let tag = if self.random.chance(50) { self.of(Kind::Tag) } else { None };
        Some(Op::MergeCopy { h, name: self.name(), drop: self.random.chance(50), comment, tag })
    }

    fn load_more(&mut self) -> Op {
        if self.random.chance(50) {
            let how = if self.random.chance(50) { How::Joined } else { How::Selectin };
            return Op::Nested { path: Path::ALL[self.random.below(4)], how };
        }
        let kind = Kind::ALL[self.random.below(5)];
        match self.relationship(kind) {
            Some(rel) => Op::LoadAll { kind, rel },
            None => Op::Flush,
        }
    }

    fn relationship(&mut self, kind: Kind) -> Option<Rel> {
        let all: Vec<Rel> = kind.to_one().iter().chain(kind.to_many()).map(|(rel, _)| *rel).collect();
        self.random.pick(&all).copied()
    }

    fn load(&mut self) -> Option<Op> {
        let (h, kind) = self.any()?;
        Some(Op::Load { h, rel: self.relationship(kind)? })
    }

    fn query(&mut self) -> Op {
        let kind = Kind::ALL[self.random.below(5)];
        let limit = self.random.chance(30).then(|| 1 + self.random.below(4) as u64);
        Op::Query { kind, filter: self.filter(), descending: self.random.chance(50), limit }
    }

    fn eager(&mut self) -> Option<Op> {
        let kind = Kind::ALL[self.random.below(5)];
        let how = if self.random.chance(50) { How::Joined } else { How::Selectin };
        Some(Op::Eager { kind, rel: self.relationship(kind)?, how })
    }

    /// Forgets all rows, and finds most of them again.
    fn clear(&mut self) {
        self.ops.push(Op::Clear);
        for (h, kind, label) in self.rows.clone() {
            if self.random.chance(75) {
                self.ops.push(Op::Find { h, kind, label });
            }
        }
    }
}

/// Whether a new row has a relationship from the collection that it is put into.
fn into_gives(into: Option<Rel>, kind: Kind, rel: Rel, parent: Option<Kind>) -> bool {
    match (into, kind, parent) {
        (Some(Rel::Children), Kind::Category, _) => rel == Rel::Parent,
        (Some(Rel::Articles), Kind::Article, Some(Kind::Person)) => rel == Rel::Author,
        (Some(Rel::Articles), Kind::Article, Some(Kind::Category)) => rel == Rel::Category,
        (Some(Rel::Comments), Kind::Comment, Some(Kind::Person)) => rel == Rel::Writer,
        (Some(Rel::Comments), Kind::Comment, Some(Kind::Article)) => rel == Rel::Article,
        _ => false,
    }
}
