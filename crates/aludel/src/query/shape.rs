//! The texts of queries that were asked before, and of short INSERTs, found again by their shape: all of them but values.
//!
//! A web application asks the same few queries with other values. What such a query names has been checked, and its text
//! written, when it was asked for the first time.

use std::borrow::Cow;
use std::cell::RefCell;
use std::hash::BuildHasher;
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use foldhash::fast::RandomState;
use hashbrown::{HashSet, HashTable};

use crate::entity::def::ModelDef;
use crate::entity::new::ColumnSet;
use crate::sql::{ColumnRef, Criteria, Node, Rendering, Value};

use super::draft::{Draft, Params};
use super::selection::Item;
use super::source::{Joined, target_of};

/// How many shapes a thread remembers; then it begins anew.
const SHAPES: usize = 1_024;

/// How many texts are kept, for as long as the program runs. The text of one more is written anew each time.
const TEXTS: usize = 8_192;

/// Of how many rows an INSERT is remembered: each number is a text of its own.
const FEW_ROWS: usize = 16;

/// What no query's numbers begin with.
const INSERT: usize = usize::MAX;

/// All that a query's text depends on, as numbers: two queries with the same numbers have the same text.
///
/// Names stand in it as the addresses of texts that stay. A query with a name that was made while the program runs has
/// no shape, and neither has one with a part that few queries have.
pub(super) struct Shape {
    words: Words,
    /// Whether values may come up: where an equal one may be named again by its number, the text depends on them.
    values: bool,
}

/// Numbers in a row, most often a few.
struct Words {
    len: usize,
    few: [usize; FEW],
    /// All of them, where they are more.
    many: Vec<usize>,
}

const FEW: usize = 40;

impl Words {
    fn new() -> Self {
        Self { len: 0, few: [0; FEW], many: Vec::new() }
    }

    #[inline]
    fn push(&mut self, word: usize) {
        match self.few.get_mut(self.len) {
            Some(place) => *place = word,
            None => self.push_to_many(word),
        }
        self.len += 1;
    }

    #[cold]
    fn push_to_many(&mut self, word: usize) {
        if self.many.is_empty() {
            self.many.extend_from_slice(&self.few);
        }
        self.many.push(word);
    }
}

impl Deref for Words {
    type Target = [usize];

    #[inline]
    fn deref(&self) -> &[usize] {
        self.few.get(..self.len).unwrap_or(&self.many)
    }
}

#[derive(Default)]
struct Memory {
    known: HashTable<Known>,
    hasher: RandomState,
}

struct Known {
    shape: Box<[usize]>,
    text: &'static str,
}

thread_local! {
    static MEMORY: RefCell<Memory> = RefCell::default();
}

/// The texts of all threads.
static KEPT: Mutex<Option<HashSet<&'static str, RandomState>>> = Mutex::new(None);

impl Shape {
    /// The shape of a query, if it has one.
    pub(super) fn of(draft: &Draft, to: Rendering<'_>) -> Option<Self> {
        let loads = !draft.loads.is_empty() || !draft.undeferred.is_empty();
        if draft.rare.is_some() || loads || to.schemas.is_some() || varies(draft.def) {
            return None;
        }
        let mut shape = Self { words: Words::new(), values: true };
        let said = [draft.distinct, draft.limit.is_some(), draft.offset.is_some(), draft.items.is_some()];
        shape.push(said.into_iter().fold(to.dialect.index(), |bits, said| bits << 1 | usize::from(said)));
        shape.push(std::ptr::from_ref(draft.def).addr());
        let items = draft.items.as_deref().unwrap_or_default();
        shape.each(items, Self::item)?;
        shape.each(&draft.joins, Self::join)?;
        shape.each(&draft.filter, Self::node)?;
        shape.values = false;
        shape.each(&draft.group_by, Self::node)?;
        shape.each(&draft.having, Self::node)?;
        shape.each(&draft.order_by, |shape, order| {
            shape.push(usize::from(order.descending) << 2 | order.nulls.map_or(0, |nulls| nulls as usize + 1));
            shape.node(&order.node)
        })?;
        Some(shape)
    }

    /// The text of a query of this shape, if this thread has asked one before.
    pub(super) fn text(&self) -> Option<&'static str> {
        MEMORY.with_borrow(|memory| {
            let hash = memory.hasher.hash_one(&self.words[..]);
            memory.known.find(hash, |known| *known.shape == self.words[..]).map(|known| known.text)
        })
    }

    /// Remembers the text of the queries of this shape.
    pub(super) fn remember(self, text: &str) {
        let Some(text) = keep(text) else { return };
        MEMORY.with_borrow_mut(|Memory { known, hasher }| {
            if known.len() >= SHAPES {
                known.clear();
            }
            let hash = hasher.hash_one(&self.words[..]);
            let shape: Box<[usize]> = self.words[..].into();
            known.insert_unique(hash, Known { shape, text }, |known| hasher.hash_one(&*known.shape));
        });
    }

    /// The shape of an INSERT of a few rows that give the same columns, and of which nothing is said but that.
    fn of_insert(def: &'static ModelDef, given: &ColumnSet, rows: usize, to: Rendering<'_>) -> Option<Self> {
        if to.schemas.is_some() || rows > FEW_ROWS {
            return None;
        }
        let mut shape = Self { words: Words::new(), values: false };
        shape.push(INSERT);
        shape.push(to.dialect.index());
        shape.push(std::ptr::from_ref(def).addr());
        shape.push(rows);
        for word in given.words() {
            // In two parts, for a number may have half as many bits as the word.
            shape.push((word & u64::from(u32::MAX)) as usize);
            shape.push((word >> 32) as usize);
        }
        Some(shape)
    }

    #[inline]
    fn push(&mut self, word: usize) {
        self.words.push(word);
    }

    /// A name that stays.
    #[allow(clippy::ptr_arg, reason = "a name that is borrowed stays")]
    fn name(&mut self, name: &Cow<'static, str>) -> Option<()> {
        match name {
            Cow::Borrowed(name) => {
                self.push(name.as_ptr().addr());
                self.push(name.len());
                Some(())
            }
            Cow::Owned(_) => None,
        }
    }

    fn each<T>(&mut self, all: &[T], mut one: impl FnMut(&mut Self, &T) -> Option<()>) -> Option<()> {
        self.push(all.len());
        all.iter().try_for_each(|item| one(self, item))
    }

    fn item(&mut self, item: &Item) -> Option<()> {
        match item {
            Item::Entity { def, optional, alias: None } => {
                self.push(usize::from(*optional));
                self.push(std::ptr::from_ref(*def).addr());
                Some(())
            }
            Item::Entity { alias: Some(_), .. } => None,
            Item::Value { node, nullable } => {
                self.push(2 | usize::from(*nullable));
                self.node(node)
            }
        }
    }

    fn join(&mut self, joined: &Joined) -> Option<()> {
        match joined {
            // What rows are seen of is said by values that the query itself does not have.
            Joined::Along { source, relationship, .. } if varies(target_of(source, *relationship)) => None,
            Joined::Along { source, relationship, kind } if joined.link().is_none() => {
                self.push(std::ptr::from_ref(*source).addr());
                self.push(*relationship << 1 | *kind as usize);
                Some(())
            }
            _ => None,
        }
    }

    fn node(&mut self, node: &Node) -> Option<()> {
        match node {
            Node::Column(column) => self.column(column),
            Node::Value(value) => {
                self.push(2 | usize::from(matches!(value, Value::Decimal(_))));
                self.values.then_some(())
            }
            Node::Sql(sql) => {
                self.push(4);
                self.name(sql)
            }
            Node::And(nodes) => {
                self.push(5);
                self.each(nodes, Self::node)
            }
            Node::Or(nodes) => {
                self.push(6);
                self.each(nodes, Self::node)
            }
            Node::Not(inner) => {
                self.push(7);
                self.node(inner)
            }
            Node::Binary(operation) => {
                self.push(16 | (operation.1 as usize) << 5);
                self.node(&operation.0)?;
                self.node(&operation.2)
            }
            Node::IsNull { value, negated } => {
                self.push(8 | usize::from(*negated));
                self.node(value)
            }
            Node::Between { value, low, high, negated } => {
                self.push(10 | usize::from(*negated));
                [value, low, high].into_iter().try_for_each(|node| self.node(node))
            }
            Node::Like { value, pattern, escaped, negated } => {
                self.push(12 | usize::from(*escaped) << 1 | usize::from(*negated));
                self.node(value)?;
                self.node(pattern)
            }
            Node::Function { name, distinct, args, .. } => {
                self.push(17 | usize::from(*distinct) << 5);
                self.name(&Cow::Borrowed(name))?;
                self.each(args, Self::node)
            }
            _ => None,
        }
    }

    fn column(&mut self, column: &ColumnRef) -> Option<()> {
        self.push(usize::from(column.nullable));
        self.name(&column.table)?;
        self.name(&column.name)
    }
}

/// The text of an INSERT of a few rows that give these columns, if this thread has sent one before.
pub(super) fn insert_text(
    def: &'static ModelDef,
    given: &ColumnSet,
    rows: usize,
    to: Rendering<'_>,
) -> Option<&'static str> {
    Shape::of_insert(def, given, rows, to)?.text()
}

/// Remembers the text of an INSERT of rows that give these columns, if they are few.
pub(super) fn remember_insert(def: &'static ModelDef, given: &ColumnSet, rows: usize, to: Rendering<'_>, text: &str) {
    if let Some(shape) = Shape::of_insert(def, given, rows, to) {
        shape.remember(text);
    }
}

/// Whether the rows of a model that are seen depend on the session or on the query, so that no text with it is kept.
#[inline]
pub(super) fn varies(def: &'static ModelDef) -> bool {
    def.criteria().is_some_and(Criteria::varies)
}

/// The text, to be kept for as long as the program runs; none where there are too many.
fn keep(text: &str) -> Option<&'static str> {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = kept.get_or_insert_default();
    if let Some(text) = kept.get(text) {
        return Some(text);
    }
    if kept.len() >= TEXTS {
        return None;
    }
    let text: &'static str = Box::leak(text.into());
    kept.insert(text);
    Some(text)
}

/// Takes the values of a query that has a shape, in the order in which its text has them.
pub(super) fn values(draft: &mut Draft) -> Params {
    let mut values = Params::new();
    for item in draft.items.iter_mut().flatten() {
        if let Item::Value { node, .. } = item {
            push_values(node, &mut values);
        }
    }
    draft.filter.iter_mut().for_each(|node| push_values(node, &mut values));
    values.extend(draft.limit.into_iter().chain(draft.offset).map(Value::rows));
    values
}

fn push_values(node: &mut Node, values: &mut Params) {
    match node {
        Node::Value(value) => values.push(std::mem::replace(value, Value::Null)),
        Node::And(nodes) | Node::Or(nodes) | Node::Function { args: nodes, .. } => {
            nodes.iter_mut().for_each(|node| push_values(node, values));
        }
        Node::Not(inner) | Node::IsNull { value: inner, .. } => push_values(inner, values),
        Node::Binary(operation) => {
            push_values(&mut operation.0, values);
            push_values(&mut operation.2, values);
        }
        Node::Like { value: left, pattern: right, .. } => {
            push_values(left, values);
            push_values(right, values);
        }
        Node::Between { value, low, high, .. } => {
            [value, low, high].into_iter().for_each(|node| push_values(node, values));
        }
        // Nothing else with values has a shape.
        _ => {}
    }
}
