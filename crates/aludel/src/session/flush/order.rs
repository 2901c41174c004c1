//! The order in which rows are inserted: parents before children.

use std::collections::{HashMap, HashSet};

use smallvec::SmallVec;

use crate::entity::arena::Arena;
use crate::entity::def::ModelDef;
use crate::entity::foreign_key::ForeignKeyRef;
use crate::entity::inherit::ColumnsNumber;
use crate::entity::slot::SlotPtr;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Value;

/// A foreign key that is inserted as NULL and set afterwards, because the rows depend on each other.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Late {
    pub(super) slot: SlotPtr,
    pub(super) column: usize,
}

/// Rows in an order in which they can be inserted, and the foreign keys that have to wait.
pub(super) struct Ordered {
    pub(super) slots: Vec<SlotPtr>,
    pub(super) late: Vec<Late>,
}

/// Groups of models of which each depends only on those before it, by the foreign keys that count; several in one group
/// depend on each other.
pub(super) fn groups(
    defs: &[&'static ModelDef],
    counts: impl Fn(ForeignKeyRef) -> bool,
) -> Vec<Vec<&'static ModelDef>> {
    let mut state = Tarjan {
        defs,
        counts: &counts,
        index: vec![None; defs.len()],
        low: vec![0; defs.len()],
        on_stack: vec![false; defs.len()],
        stack: Vec::new(),
        groups: Vec::new(),
        next: 0,
    };
    for position in 0..defs.len() {
        if state.index[position].is_none() {
            state.visit(position);
        }
    }
    state.groups
}

/// Strongly connected components in order of dependency (R. Tarjan, 1972). The depth is that of the models' foreign
/// keys, which a program's author wrote by hand.
struct Tarjan<'a> {
    defs: &'a [&'static ModelDef],
    counts: &'a dyn Fn(ForeignKeyRef) -> bool,
    index: Vec<Option<usize>>,
    low: Vec<usize>,
    on_stack: Vec<bool>,
    stack: Vec<usize>,
    groups: Vec<Vec<&'static ModelDef>>,
    next: usize,
}

impl Tarjan<'_> {
    fn visit(&mut self, position: usize) {
        self.index[position] = Some(self.next);
        self.low[position] = self.next;
        self.next += 1;
        self.stack.push(position);
        self.on_stack[position] = true;
        let def = self.defs[position];
        for key in def.row_keys().filter(|key| (self.counts)(*key)) {
            let target = key.target();
            for other in 0..self.defs.len() {
                if self.defs[other].is_a(target) {
                    self.follow(position, other);
                }
            }
        }
        if Some(self.low[position]) != self.index[position] {
            return;
        }
        let mut group = Vec::new();
        while let Some(member) = self.stack.pop() {
            self.on_stack[member] = false;
            group.push(self.defs[member]);
            if member == position {
                break;
            }
        }
        self.groups.push(group);
    }

    fn follow(&mut self, position: usize, other: usize) {
        match self.index[other] {
            None => {
                self.visit(other);
                self.low[position] = self.low[position].min(self.low[other]);
            }
            Some(index) if self.on_stack[other] => self.low[position] = self.low[position].min(index),
            Some(_) => {}
        }
    }
}

/// The models of rows, each once, in the order of their first row.
pub(super) fn models_of(slots: &[SlotPtr]) -> Vec<&'static ModelDef> {
    let mut defs: Vec<&'static ModelDef> = Vec::new();
    for slot in slots {
        let def = slot.def();
        if !defs.iter().any(|known| known.is(def)) {
            defs.push(def);
        }
    }
    defs
}

/// Orders new rows: by the tables' dependencies, and by the rows' own where tables depend on themselves or each other.
pub(super) fn for_insert(arena: &Arena, new: &[SlotPtr]) -> Result<Ordered> {
    let defs = models_of(new);
    let mut ordered = Ordered { slots: Vec::with_capacity(new.len()), late: Vec::new() };
    for group in groups(&defs, |_| true) {
        let rows = new.iter().copied().filter(|slot| group.iter().any(|def| def.is(slot.def())));
        if let [def] = group.as_slice()
            && !def.row_keys().any(|key| points_into(key, &group))
        {
            ordered.slots.extend(rows);
        } else {
            by_rows(arena, &rows.collect::<Vec<_>>(), &group, &mut ordered)?;
        }
    }
    Ok(ordered)
}

fn points_into(key: ForeignKeyRef, group: &[&'static ModelDef]) -> bool {
    let target = key.target();
    group.iter().any(|def| def.is_a(target))
}

/// One row's foreign key to another new row.
struct Dependency {
    key: ForeignKeyRef,
    /// Whether the row can be inserted with NULL in the key.
    nullable: bool,
    on: SlotPtr,
}

/// Whether rows can be inserted with NULL in a key, to be completed afterwards. What the database makes of the row that
/// the key leads to has to be among what is NULL.
fn can_be_late(def: &'static ModelDef, key: ForeignKeyRef) -> bool {
    let target = key.target();
    let is_made = |referenced: usize| target.columns[referenced].generated.is_made_by_database();
    key.nullable(def).next().is_some()
        && key.pairs().all(|(column, referenced)| def.columns[column].nullable || !is_made(referenced))
}

fn by_rows(arena: &Arena, rows: &[SlotPtr], group: &[&'static ModelDef], ordered: &mut Ordered) -> Result<()> {
    let keys = group.iter().flat_map(|def| def.row_keys()).filter(|key| points_into(*key, group));
    let referenced: HashSet<ColumnsNumber> = keys.map(ForeignKeyRef::number).collect();
    let mut by_value: HashMap<(&ColumnsNumber, SmallVec<[Value<'_>; 1]>), SlotPtr> = HashMap::new();
    for &slot in rows {
        for to in &referenced {
            if let Some(columns) = slot.def().numbered(to) {
                let values = columns.iter().map(|&column| arena.value(slot, column)).collect();
                by_value.insert((to, values), slot);
            }
        }
    }
    let mut waiting: Vec<(SlotPtr, Vec<Dependency>)> = rows
        .iter()
        .map(|&slot| {
            let def = slot.def();
            let dependencies = def
                .row_keys()
                .filter(|key| points_into(*key, group))
                .filter_map(|key| {
                    let values: SmallVec<[Value<'_>; 1]> =
                        key.pairs().map(|(column, _)| arena.value(slot, column)).collect();
                    if values.iter().any(Value::is_null) {
                        return None;
                    }
                    let to = key.number();
                    let on = *by_value.get(&(&to, values))?;
                    // A row that points at itself waits for its own key, unless that is known.
                    let target = key.target();
                    let is_made = |referenced: usize| target.columns[referenced].generated.is_made_by_database();
                    let own = on == slot && !key.pairs().any(|(_, referenced)| is_made(referenced));
                    (!own).then(|| Dependency { key, nullable: can_be_late(def, key), on })
                })
                .collect();
            (slot, dependencies)
        })
        .collect();
    let mut done: HashSet<SlotPtr> = HashSet::new();
    while !waiting.is_empty() {
        let (ready, blocked): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .partition(|(_, dependencies)| dependencies.iter().all(|dependency| done.contains(&dependency.on)));
        waiting = blocked;
        if ready.is_empty() {
            open_cycle(&mut waiting, &done, &mut ordered.late)?;
            continue;
        }
        for (slot, _) in ready {
            done.insert(slot);
            ordered.slots.push(slot);
        }
    }
    Ok(())
}

/// Lets one row of a cycle go first, with NULL in the keys that keep it; and with it the others of its model that wait
/// for rows of other models as it does, so that they share their statements.
fn open_cycle(waiting: &mut [(SlotPtr, Vec<Dependency>)], done: &HashSet<SlotPtr>, late: &mut Vec<Late>) -> Result<()> {
    let can_be_null = |dependencies: &[Dependency]| {
        dependencies.iter().all(|dependency| dependency.nullable || done.contains(&dependency.on))
    };
    let on_others = |slot: SlotPtr, dependencies: &[Dependency]| {
        dependencies.iter().all(|dependency| done.contains(&dependency.on) || !dependency.on.def().is(slot.def()))
    };
    let needed = in_cycles(waiting, done);
    let candidates =
        || waiting.iter().filter(|(slot, dependencies)| needed.contains(slot) && can_be_null(dependencies));
    let first = candidates().next().map(|(slot, dependencies)| (*slot, on_others(*slot, dependencies)));
    match first {
        Some((first, shared)) => {
            let together: HashSet<SlotPtr> = candidates()
                .filter(|(slot, dependencies)| {
                    *slot == first || shared && slot.def().is(first.def()) && on_others(*slot, dependencies)
                })
                .map(|(slot, _)| *slot)
                .collect();
            for (slot, dependencies) in waiting.iter_mut().filter(|(slot, _)| together.contains(slot)) {
                dependencies.retain(|dependency| {
                    let keep = done.contains(&dependency.on);
                    if !keep {
                        let columns = dependency.key.nullable(slot.def());
                        late.extend(columns.map(|column| Late { slot: *slot, column }));
                    }
                    keep
                });
            }
            Ok(())
        }
        None => {
            let mut names: Vec<_> = waiting.iter().map(|(slot, _)| slot.def().name).collect();
            names.dedup();
            Err(Error::new(
                ErrorKind::InvalidStatement,
                format!(
                    "new rows of {} depend on each other by foreign keys that may not be NULL, so that none of them can \
                     be inserted first; make one of the keys an Option",
                    names.join(", ")
                ),
            ))
        }
    }
}

/// The rows that others wait for which are waited for in turn: those of the cycles, and of the ways between them.
fn in_cycles(waiting: &[(SlotPtr, Vec<Dependency>)], done: &HashSet<SlotPtr>) -> HashSet<SlotPtr> {
    let mut rows: HashSet<SlotPtr> = waiting.iter().map(|(slot, _)| *slot).collect();
    loop {
        let needed: HashSet<SlotPtr> = waiting
            .iter()
            .filter(|(slot, _)| rows.contains(slot))
            .flat_map(|(_, dependencies)| dependencies.iter().map(|dependency| dependency.on))
            .filter(|on| rows.contains(on) && !done.contains(on))
            .collect();
        if needed.len() == rows.len() {
            return rows;
        }
        rows = needed;
    }
}
