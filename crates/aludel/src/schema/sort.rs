//! The order of dependency between tables.

use super::{ForeignKey, MetaData, Table};

/// Tables in the order in which they can be created and filled.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SortedTables<'a> {
    /// The tables; each comes after those that its foreign keys point at, `cyclic` ones excepted.
    pub tables: Vec<&'a Table>,
    /// The foreign keys that point at a later table because they close a cycle, with the table that holds them.
    /// Where the cycle leaves a choice, they are keys that may be NULL.
    pub cyclic: Vec<(&'a Table, &'a ForeignKey)>,
}

/// Sorts the tables; those that could stand anywhere keep the order in which they were added. A foreign key to a
/// table that is not here is passed over.
pub(super) fn sort(metadata: &MetaData) -> SortedTables<'_> {
    let tables = metadata.tables();
    let mut graph = Graph {
        edges: tables.iter().enumerate().map(|(position, table)| edges(metadata, position, table)).collect(),
        done: vec![false; tables.len()],
    };
    let mut sorted = SortedTables { tables: Vec::with_capacity(tables.len()), cyclic: Vec::new() };
    while sorted.tables.len() < tables.len() {
        let next = graph.ready().unwrap_or_else(|| graph.opening());
        sorted.cyclic.extend(graph.unmet(next).map(|edge| (&tables[next], edge.key)));
        sorted.tables.push(&tables[next]);
        graph.done[next] = true;
    }
    sorted
}

struct Edge<'a> {
    target: usize,
    key: &'a ForeignKey,
    nullable: bool,
}

fn edges<'a>(metadata: &MetaData, position: usize, table: &'a Table) -> Vec<Edge<'a>> {
    let edge = |key: &'a ForeignKey| {
        let target = metadata.position(&key.target_key()).filter(|&target| target != position)?;
        // One NULL among the columns is enough: no backend then looks for the target (MATCH SIMPLE).
        let nullable = key
            .columns
            .iter()
            .any(|name| table.column(name).is_some_and(|column| column.nullable) && !table.is_primary_key(name));
        Some(Edge { target, key, nullable })
    };
    table.foreign_keys.iter().filter_map(edge).collect()
}

struct Graph<'a> {
    edges: Vec<Vec<Edge<'a>>>,
    done: Vec<bool>,
}

impl<'a> Graph<'a> {
    fn unmet(&self, table: usize) -> impl Iterator<Item = &Edge<'a>> {
        self.edges[table].iter().filter(|edge| !self.done[edge.target])
    }

    fn remaining(&self) -> impl Iterator<Item = usize> {
        (0..self.done.len()).filter(|&table| !self.done[table])
    }

    /// The first table that waits for nothing.
    fn ready(&self) -> Option<usize> {
        self.remaining().find(|&table| self.unmet(table).next().is_none())
    }

    /// The table to begin a cycle with, when every remaining one waits for another.
    ///
    /// It stands in a cycle that waits for nothing outside itself, so that each of its unmet keys does close a cycle.
    /// The first whose unmet keys may all be NULL is taken; there is one unless the keys that may not be NULL form a
    /// cycle by themselves.
    fn opening(&self) -> usize {
        let reached: Vec<Vec<bool>> = (0..self.done.len()).map(|table| self.reached_from(table)).collect();
        let closed = |table: &usize| self.remaining().all(|other| !reached[*table][other] || reached[other][*table]);
        let mut candidates = self.remaining().filter(closed).peekable();
        let first = *candidates.peek().expect("a graph in which every node has an edge has a closed component");
        candidates.find(|&table| self.unmet(table).all(|edge| edge.nullable)).unwrap_or(first)
    }

    fn reached_from(&self, start: usize) -> Vec<bool> {
        let mut reached = vec![false; self.done.len()];
        if self.done[start] {
            return reached;
        }
        let mut waiting = vec![start];
        while let Some(table) = waiting.pop() {
            for edge in self.unmet(table) {
                if !std::mem::replace(&mut reached[edge.target], true) {
                    waiting.push(edge.target);
                }
            }
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Column, SqlType};

    /// Tables with their foreign keys: `"post -> user, editor?"`, a question mark for a key that may be NULL.
    fn metadata(lines: &[&str]) -> MetaData {
        let mut metadata = MetaData::default();
        for line in lines {
            let (name, targets) = line.split_once(" -> ").unwrap_or((line, ""));
            let mut table = Table::new(name).with_column(Column::new("id", SqlType::BigInt)).with_primary_key(["id"]);
            for target in targets.split(", ").filter(|target| !target.is_empty()) {
                let (target, nullable) = target.strip_suffix('?').map_or((target, false), |target| (target, true));
                let mut column = Column::new(format!("{target}_id"), SqlType::BigInt);
                column.nullable = nullable;
                table =
                    table.with_foreign_key(ForeignKey::new([column.name.as_str()], target, ["id"])).with_column(column);
            }
            metadata.add_table(table).unwrap();
        }
        metadata
    }

    fn order(metadata: &MetaData) -> (Vec<&str>, Vec<String>) {
        let sorted = metadata.sorted_tables().unwrap();
        let cyclic = sorted.cyclic.iter().map(|(table, key)| format!("{}.{}", table.name, key.columns[0])).collect();
        (sorted.tables.iter().map(|table| &*table.name).collect(), cyclic)
    }

    #[test]
    fn a_target_comes_before_its_holders_and_the_rest_keeps_its_order() {
        let metadata = metadata(&["z", "comment -> post, user", "post -> user", "user", "a"]);
        assert_eq!(order(&metadata), (vec!["z", "user", "post", "comment", "a"], vec![]));
    }

    #[test]
    fn a_key_to_the_own_table_asks_for_no_order() {
        let metadata = metadata(&["employee -> employee?, employee", "b"]);
        assert_eq!(order(&metadata), (vec!["employee", "b"], vec![]));
    }

    #[test]
    fn a_cycle_is_opened_at_the_key_that_may_be_null() {
        let first = metadata(&["user -> post?", "post -> user"]);
        assert_eq!(order(&first), (vec!["user", "post"], vec!["user.post_id".to_owned()]));
        let second = metadata(&["post -> user", "user -> post?"]);
        assert_eq!(order(&second), (vec!["user", "post"], vec!["user.post_id".to_owned()]));
    }

    #[test]
    fn a_cycle_of_keys_that_may_not_be_null_is_opened_at_its_first_table() {
        let metadata = metadata(&["a -> b", "b -> c", "c -> a"]);
        assert_eq!(order(&metadata), (vec!["a", "c", "b"], vec!["a.b_id".to_owned()]));
    }

    #[test]
    fn only_keys_inside_a_cycle_close_it() {
        // `below` waits for the second cycle, and that for the first; neither of those keys is cyclic.
        let metadata = metadata(&["below -> c?", "c -> d?, a?", "d -> c", "a -> b?", "b -> a"]);
        let expected = (vec!["a", "b", "c", "below", "d"], vec!["a.b_id".to_owned(), "c.d_id".to_owned()]);
        assert_eq!(order(&metadata), expected);
    }

    #[test]
    fn a_ring_of_three_hundred_tables_has_one_cyclic_key() {
        let lines: Vec<String> = (0..300).map(|at| format!("t{at} -> t{}", (at + 1) % 300)).collect();
        let metadata = metadata(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        let (tables, cyclic) = order(&metadata);
        assert_eq!((tables.len(), cyclic), (300, vec!["t0.t1_id".to_owned()]));
    }

    #[test]
    fn a_part_of_the_primary_key_is_never_null_whatever_its_column_says() {
        let mut metadata = metadata(&["a -> b?", "b -> a?"]);
        let mut tables: Vec<Table> = metadata.tables().to_vec();
        tables[0].primary_key.as_mut().unwrap().columns = vec!["b_id".to_owned()];
        metadata = MetaData::default();
        for table in tables {
            metadata.add_table(table).unwrap();
        }
        let sorted = sort(&metadata);
        assert_eq!(sorted.tables[0].name, "b");
    }
}
