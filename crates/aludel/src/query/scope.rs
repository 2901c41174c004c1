//! What the types do not check: which tables a query's columns come from, and where NULL may come up.

use crate::entity::def::{ModelDef, RelationshipKind};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::{ColumnRef, JoinKind, Node};

use super::draft::Draft;
use super::selection::Item;
use super::source::{JoinTo, Joined, On, Root, target_of};

impl Draft {
    /// Checks the query before a connection is taken.
    ///
    /// # Errors
    /// `InvalidStatement`, with the cure, for a column of a table that the query does not select from, and for a value
    /// that may be NULL and whose type is not an `Option`.
    pub(super) fn check(&self) -> Result<()> {
        self.check_in(false)
    }

    /// The same for a query that may be a part of another: then it may name the other's columns, which that one checks.
    pub(super) fn check_in(&self, inner: bool) -> Result<()> {
        if let Some(rare) = &self.rare {
            match &rare.root {
                Root::Compound(compound) => return self.check_compound(compound, inner),
                Root::Named(source) => check_named(source.named())?,
                Root::Model | Root::Alias(_) => {}
            }
            self.check_nodes("distinct_on", &rare.distinct_on, inner)?;
            rare.lock.as_ref().map_or(Ok(()), |lock| self.check_lock(lock))?;
        }
        self.check_joins(inner)?;
        for item in self.items.iter().flatten() {
            self.check_item(item, inner)?;
        }
        self.check_nodes("filter", &self.filter, inner)?;
        self.check_nodes("group_by", &self.group_by, inner)?;
        self.check_nodes("having", &self.having, inner)?;
        self.order_by.iter().try_for_each(|order| self.check_node("order_by", &order.node, inner))?;
        self.check_having()
    }

    fn check_joins(&self, inner: bool) -> Result<()> {
        for (at, joined) in self.joins.iter().enumerate() {
            match joined {
                Joined::Along { source, relationship, kind } => self.check_along(at, source, *relationship, *kind)?,
                Joined::To(join) => self.check_join_to(at, join, inner)?,
            }
        }
        Ok(())
    }

    fn check_along(&self, at: usize, source: &'static ModelDef, relationship: usize, kind: JoinKind) -> Result<()> {
        let target = target_of(source, relationship);
        let name = source.relationships[relationship].name;
        let word = if kind == JoinKind::Left { "left_join" } else { "join" };
        if !self.names(at).any(|name| name == source.table) {
            return Err(invalid(format!(
                "{word}({}::{name}): this query selects from {}; join `{}` first, or begin with `{}::query()`",
                source.name,
                self.tables(at),
                source.name,
                source.name
            )));
        }
        check_databases(word, source, relationship)?;
        let link = self.joins[at].link().map(|(link, _)| link);
        let twice = std::iter::once(target).chain(link).find(|def| self.names(at).any(|name| name == def.table));
        if let Some(target) = twice {
            let many = source.relationships[relationship].kind == RelationshipKind::Many;
            return Err(invalid(format!(
                "{word}({}::{name}): this query selects from {} already, and a table can be in it once under one name; \
                 join it under another, `{}::{name}.to(&alias)`, or filter by the related rows with `{}::{name}.{}(..)`",
                source.name,
                target.table,
                source.name,
                source.name,
                if many { "any" } else { "has" }
            )));
        }
        Ok(())
    }

    fn check_join_to(&self, at: usize, join: &JoinTo, inner: bool) -> Result<()> {
        let name = &join.source.name;
        if self.names(at).any(|before| before == name) {
            return Err(invalid(format!(
                "join of `{name}`: this query selects from a table of this name already; give one of them another alias"
            )));
        }
        check_named(join.source.named())?;
        let known = |table: &str| table == name || self.names(at).any(|before| before == table);
        match &join.on {
            On::Along { owner, name: from, relationship, .. } => {
                if !known(from) {
                    return Err(invalid(format!(
                        "join({}::{}): this query selects from {}; join `{from}` first",
                        owner.name,
                        owner.relationships[*relationship].name,
                        self.tables(at)
                    )));
                }
                check_databases("join", owner, *relationship)
            }
            On::Condition(condition) => {
                if let Some(def) = join.source.def()
                    && def.bind != self.def.bind
                {
                    return Err(invalid(format!(
                        "join_on({name}): `{}` and `{}` are in different databases, which no statement joins",
                        self.def.name, def.name
                    )));
                }
                if inner {
                    return condition.iter().try_for_each(|node| check_valid("join_on", node));
                }
                if let Some(node) = condition {
                    check_valid("join_on", node)?;
                    if let Some(column) = node.find_column(&mut |column| (!known(&column.table)).then_some(column)) {
                        return Err(self.stranger("join_on", column, at));
                    }
                }
                let lateral = join.source.named().and_then(|named| named.lateral());
                let column = lateral.and_then(|select| {
                    select.find_outer_column(&mut |column| (!known(&column.table)).then_some(column))
                });
                column.map_or(Ok(()), |column| Err(self.stranger("lateral", column, at)))
            }
        }
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

    fn check_item(&self, item: &Item, inner: bool) -> Result<()> {
        match item {
            Item::Entity { def, optional, alias } => {
                let (table, name) = (Item::table(def, alias), def.name);
                let what = || match alias {
                    None => format!("{name}::entity"),
                    Some(alias) => format!("{alias}.entity()"),
                };
                if !self.has(table) {
                    return Err(self.not_selected_from("select", &what(), table, self.joins.len()));
                }
                if !optional && self.is_outer(table) {
                    let what = what();
                    return Err(invalid(format!(
                        "select({what}): `{table}` is outer-joined, so that there may be no row: use `{what}.optional()`"
                    )));
                }
                Ok(())
            }
            Item::Value { node, nullable } => {
                self.check_node("select", node, inner)?;
                if *nullable {
                    return Ok(());
                }
                let null = |column: &ColumnRef| column.nullable || self.is_outer(&column.table);
                node.find_null(&null).map_or(Ok(()), |column| Err(self.may_be_null(column)))
            }
        }
    }

    fn check_nodes<'a>(&self, clause: &str, nodes: impl IntoIterator<Item = &'a Node>, inner: bool) -> Result<()> {
        nodes.into_iter().try_for_each(|node| self.check_node(clause, node, inner))
    }

    fn check_node(&self, clause: &str, node: &Node, inner: bool) -> Result<()> {
        check_valid(clause, node)?;
        if inner {
            return Ok(());
        }
        let stranger = node.find_column(&mut |column| (!self.has(&column.table)).then_some(column));
        stranger.map_or(Ok(()), |column| Err(self.stranger(clause, column, self.joins.len())))
    }

    /// The name of the table that the query selects from first, if it has one.
    fn root(&self) -> &str {
        match self.rare.as_ref().map(|rare| &rare.root) {
            Some(Root::Alias(name)) => name,
            Some(Root::Named(source)) => &source.name,
            None | Some(Root::Model | Root::Compound(_)) => self.def.table,
        }
    }

    /// The names of the tables that the query selects from, with so many of its joins.
    fn names(&self, joins: usize) -> impl Iterator<Item = &str> {
        std::iter::once(self.root()).chain(self.joins[..joins].iter().flat_map(Joined::names))
    }

    /// Whether the query selects from a table under this name.
    pub(super) fn has(&self, table: &str) -> bool {
        self.root() == table || self.joins.iter().any(|joined| joined.brings(table))
    }

    /// Whether a table is outer-joined.
    pub(super) fn is_outer(&self, table: &str) -> bool {
        self.joins.iter().any(|joined| joined.kind() == JoinKind::Left && joined.brings(table))
    }

    /// The models that the query selects from, with the names of their tables.
    pub(super) fn models(&self) -> impl Iterator<Item = (&str, &'static ModelDef)> {
        let root = match self.rare.as_ref().map(|rare| &rare.root) {
            Some(Root::Named(_)) => None,
            _ => Some((self.root(), self.def)),
        };
        root.into_iter().chain(self.joins.iter().flat_map(Joined::models))
    }

    /// The same names as a list.
    fn tables(&self, joins: usize) -> String {
        self.names(joins).collect::<Vec<_>>().join(", ")
    }

    #[cold]
    fn stranger(&self, clause: &str, column: &ColumnRef, joins: usize) -> Error {
        self.not_selected_from(clause, &format!("{}.{}", column.table, column.name), &column.table, joins)
    }

    #[cold]
    fn not_selected_from(&self, clause: &str, what: &str, table: &str, joins: usize) -> Error {
        let alias = self.models().find(|(_, def)| def.table == table);
        let alias = alias.map(|(name, _)| format!("there `{name}` is {table}: name its columns with `{name}.col(..)`"));
        let way = || {
            self.models().find_map(|(name, def)| {
                let relationship =
                    def.relationships.iter().find(|relationship| (relationship.target)().table == table)?;
                Some(if name == def.table {
                    format!("add .join({}::{})", def.name, relationship.name)
                } else {
                    format!("add .join({name}.rel({}::{}))", def.name, relationship.name)
                })
            })
        };
        let cure = alias
            .or_else(way)
            .unwrap_or_else(|| format!("no relationship leads from there to {table}: join it with `.join_on(..)`"));
        invalid(format!("{clause}({what}): this query selects from {}; {cure}", self.tables(joins)))
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

/// # Errors
/// `InvalidStatement` when an expression could not be made.
fn check_valid(clause: &str, node: &Node) -> Result<()> {
    match node.find_invalid() {
        Some(reason) => Err(invalid(format!("{clause}(..): {reason}"))),
        None => Ok(()),
    }
}

/// # Errors
/// `InvalidStatement` when a query that has a name could not be made.
fn check_named(named: Option<&super::named::NamedTable>) -> Result<()> {
    match named.and_then(|named| named.invalid.as_deref()) {
        Some(reason) => Err(invalid(reason.to_owned())),
        None => Ok(()),
    }
}

/// # Errors
/// `InvalidStatement` when a relationship leads to another database.
fn check_databases(word: &str, source: &'static ModelDef, relationship: usize) -> Result<()> {
    let (target, name) = (target_of(source, relationship), source.relationships[relationship].name);
    if source.bind == target.bind {
        return Ok(());
    }
    Err(invalid(format!(
        "{word}({}::{name}): `{}` and `{}` are in different databases, which no statement joins; load the relationship \
         with `.with({}::{name}.selectin())` or `load`",
        source.name, source.name, target.name, source.name
    )))
}
