//! What the types do not check: which tables a query's columns come from, and where NULL may come up.

use crate::entity::def::{ModelDef, RelationshipKind};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::{ColumnRef, JoinKind, Node};

use super::draft::{Draft, Joined};
use super::selection::Item;

impl Draft {
    /// Checks the query before a connection is taken.
    ///
    /// # Errors
    /// `InvalidStatement`, with the cure, for a column of a table that the query does not select from, and for a value
    /// that may be NULL and whose type is not an `Option`.
    pub(super) fn check(&self) -> Result<()> {
        self.check_joins()?;
        for item in self.items.iter().flatten() {
            self.check_item(item)?;
        }
        self.check_nodes("filter", &self.filter)?;
        self.check_nodes("group_by", &self.group_by)?;
        self.check_nodes("having", &self.having)?;
        self.order_by.iter().try_for_each(|order| self.check_node("order_by", &order.node))?;
        self.check_having()
    }

    fn check_joins(&self) -> Result<()> {
        for (at, joined) in self.joins.iter().enumerate() {
            let before = || std::iter::once(self.def).chain(self.joins[..at].iter().map(Joined::target));
            let (source, target) = (joined.source, joined.target());
            let name = source.relationships[joined.relationship].name;
            let word = if joined.kind == JoinKind::Left { "left_join" } else { "join" };
            if !before().any(|def| def.table == source.table) {
                return Err(invalid(format!(
                    "{word}({}::{name}): this query selects from {}; join `{}` first, or begin with `{}::query()`",
                    source.name,
                    self.tables(at),
                    source.name,
                    source.name
                )));
            }
            if source.bind != target.bind {
                return Err(invalid(format!(
                    "{word}({}::{name}): `{}` and `{}` are in different databases, which no statement joins; load the \
                     relationship with `.with({}::{name}.selectin())` or `load`",
                    source.name, source.name, target.name, source.name
                )));
            }
            if before().any(|def| def.table == target.table) {
                let many = source.relationships[joined.relationship].kind == RelationshipKind::Many;
                return Err(invalid(format!(
                    "{word}({}::{name}): this query selects from {} already, and a table can be in it once; filter by the \
                     related rows with `{}::{name}.{}(..)`",
                    source.name,
                    target.table,
                    source.name,
                    if many { "any" } else { "has" }
                )));
            }
        }
        Ok(())
    }

    /// A condition on groups, where there are none, would make one group of all rows, which is no entity.
    fn check_having(&self) -> Result<()> {
        if self.having.is_empty() || !self.group_by.is_empty() {
            return Ok(());
        }
        let mut items = self.items.iter().flatten();
        if self.items.is_some() && !items.any(|item| matches!(item, Item::Entity { .. })) {
            return Ok(());
        }
        let name = self.def.name;
        let key = self.def.columns[self.def.primary_key[0]].field;
        Err(invalid(format!(
            "having(..): this query selects entities of `{name}`, and has no groups; add `.group_by({name}::{key})`, or use \
             `.filter(..)` for a condition on rows"
        )))
    }

    fn check_item(&self, item: &Item) -> Result<()> {
        match item {
            Item::Entity { def, optional } => {
                if !self.has(def.table) {
                    let what = format!("{}::entity", def.name);
                    return Err(self.not_selected_from("select", &what, def.table));
                }
                if !optional && self.is_outer(def.table) {
                    return Err(invalid(format!(
                        "select({name}::entity): `{}` is outer-joined, so that there may be no row: use \
                         `{name}::entity.optional()`",
                        def.table,
                        name = def.name
                    )));
                }
                Ok(())
            }
            Item::Value { node, nullable } => {
                self.check_node("select", node)?;
                if *nullable {
                    return Ok(());
                }
                let null = |column: &ColumnRef| column.nullable || self.is_outer(&column.table);
                node.find_null(&null).map_or(Ok(()), |column| Err(self.may_be_null(column)))
            }
        }
    }

    fn check_nodes<'a>(&self, clause: &str, nodes: impl IntoIterator<Item = &'a Node>) -> Result<()> {
        nodes.into_iter().try_for_each(|node| self.check_node(clause, node))
    }

    fn check_node(&self, clause: &str, node: &Node) -> Result<()> {
        if let Some(reason) = node.find_invalid() {
            return Err(invalid(format!("{clause}(..): {reason}")));
        }
        let stranger = node.find_column(&mut |column| (!self.has(&column.table)).then_some(column));
        match stranger {
            None => Ok(()),
            Some(column) => {
                let what = format!("{}.{}", column.table, column.name);
                Err(self.not_selected_from(clause, &what, &column.table))
            }
        }
    }

    /// Whether the query selects from a table.
    pub(super) fn has(&self, table: &str) -> bool {
        self.def.table == table || self.joins.iter().any(|joined| joined.target().table == table)
    }

    /// Whether a table is outer-joined.
    fn is_outer(&self, table: &str) -> bool {
        self.joins.iter().any(|joined| joined.kind == JoinKind::Left && joined.target().table == table)
    }

    /// The models that the query selects from.
    fn models(&self) -> impl Iterator<Item = &'static ModelDef> {
        std::iter::once(self.def).chain(self.joins.iter().map(Joined::target))
    }

    /// The names of the tables that the query selects from, with so many of its joins.
    fn tables(&self, joins: usize) -> String {
        self.models().take(joins + 1).map(|def| def.table).collect::<Vec<_>>().join(", ")
    }

    #[cold]
    fn not_selected_from(&self, clause: &str, what: &str, table: &str) -> Error {
        let way = self.models().find_map(|def| {
            let relationship = def.relationships.iter().find(|relationship| (relationship.target)().table == table)?;
            Some(format!("add .join({}::{})", def.name, relationship.name))
        });
        let cure = way.unwrap_or_else(|| format!("no relationship leads from there to {table}"));
        invalid(format!("{clause}({what}): this query selects from {}; {cure}", self.tables(self.joins.len())))
    }

    #[cold]
    fn may_be_null(&self, column: &ColumnRef) -> Error {
        let ColumnRef { table, name, .. } = column;
        let why = if self.is_outer(table) {
            format!("`{table}` is outer-joined, so that the value may be NULL")
        } else {
            "the column may be NULL, and the expression's type is not an `Option`".to_owned()
        };
        invalid(format!("select({table}.{name}): {why}: use `.optional()`"))
    }
}

#[cold]
pub(super) fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidStatement, message)
}
