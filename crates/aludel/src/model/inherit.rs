//! The tables of models that inherit, as statements read them.

use std::borrow::Cow;
use std::mem::discriminant;
use std::sync::OnceLock;

use super::metadata::registered;
use super::{Column, ColumnType};
use crate::entity::def::{ColumnDef, ConstraintDef, ModelDef};
use crate::entity::inherit::{Inheritance, InheritsDef, Level, literal};
use crate::entity::model::Model;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::Action;
use crate::sql::{
    BinaryOp, ColumnRef, Criteria, DerivedTable, FromClause, Join, JoinKind, Kinds, Node, Select, SelectColumn,
    TableRef, Value,
};

/// A model whose rows share a table, or a key, with those of models that inherit from it: it has a column marked
/// `#[column(discriminator)]`, or inherits itself. Implemented by `#[derive(Model)]` only.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no model that others inherit from",
    label = "nothing tells its rows from those of others",
    note = "mark the column that says of which model a row is `#[column(discriminator)]`; a model that inherits names its parent, `#[model(inherits = .., identity = \"..\")]`"
)]
pub trait Hierarchy: Model {
    /// The model that inherits from none.
    type Root: Model;
    /// The type of the discriminator.
    type Discriminator: ColumnType;
    /// The table that the rows are in.
    #[doc(hidden)]
    const TABLE: &'static str;
    /// The schema that it is in.
    #[doc(hidden)]
    const SCHEMA: Option<&'static str>;
    /// The database that it is in.
    #[doc(hidden)]
    const BIND: Option<&'static str>;
    /// The discriminator, as a position among the columns of the root.
    #[doc(hidden)]
    const DISCRIMINATOR: usize;
    /// The name of the column that says whether a row is deleted.
    #[doc(hidden)]
    const SOFT_DELETE: Option<&'static str>;
    /// The name of the column that says whose a row is.
    #[doc(hidden)]
    const TENANT: Option<&'static str>;
}

/// A model of a polymorphic enum.
pub fn member<M: Hierarchy<Root = R>, R>() -> &'static ModelDef {
    M::def()
}

/// Stops the compiler with `message` where a column is not the discriminator of its model.
pub const fn discriminates<M: Hierarchy, T>(column: Column<M, T>, message: &'static str) {
    if column.index() != M::DISCRIMINATOR {
        panic!("{}", message);
    }
}

/// Stops the compiler with `message` where a model and its parent do not say by the same column which rows are seen.
pub const fn confined_alike(own: Option<&str>, parent: Option<&str>, message: &'static str) {
    let alike = match (own, parent) {
        (None, None) => true,
        (Some(own), Some(parent)) => are_equal(own.as_bytes(), parent.as_bytes()),
        _ => false,
    };
    if !alike {
        panic!("{}", message);
    }
}

const fn are_equal(a: &[u8], b: &[u8]) -> bool {
    match (a, b) {
        ([], []) => true,
        ([a, rest_a @ ..], [b, rest_b @ ..]) => *a == *b && are_equal(rest_a, rest_b),
        _ => false,
    }
}

impl ModelDef {
    /// What follows from the model's parents, where it has any.
    #[inline]
    pub(crate) fn inheritance(&self) -> Option<&'static Inheritance> {
        self.options.inherits.map(inheritance_of)
    }

    /// The same, where its rows are in several tables.
    #[inline]
    pub(crate) fn joined_inheritance(&self) -> Option<&'static Inheritance> {
        self.inheritance().filter(|inheritance| inheritance.is_joined())
    }

    /// # Errors
    /// `Config` when the model does not fit those that it inherits from.
    #[inline]
    pub(crate) fn check_inheritance(&self) -> Result<()> {
        if self.in_hierarchy() { check(self) } else { Ok(()) }
    }

    /// Which rows of the model statements see.
    #[inline]
    pub(crate) fn criteria(&'static self) -> Option<&'static Criteria> {
        match self.inheritance() {
            None => self.options.criteria.as_ref(),
            Some(inheritance) => inheritance.criteria.as_ref(),
        }
    }

    /// The table, as a statement that reads names it: where the model's rows are in several tables, what they are in all of
    /// them, under the name that its columns are qualified with.
    pub(crate) fn table_ref(&'static self) -> TableRef {
        match self.joined_inheritance() {
            None => self.own_table(),
            Some(inheritance) => inheritance.derived(self, self.table.into()),
        }
    }

    /// The same, under another name.
    pub(crate) fn table_as(&'static self, alias: Cow<'static, str>) -> TableRef {
        match self.joined_inheritance() {
            None => self.own_table_as(alias),
            Some(inheritance) => inheritance.derived(self, alias),
        }
    }

    /// The table alone, as a statement names it: where it is in a schema, columns are qualified by an alias of both names,
    /// which stays the same whatever the schema is called in the database.
    pub(crate) fn own_table(&'static self) -> TableRef {
        match self.schema {
            None => TableRef { criteria: self.own_criteria(), ..TableRef::new(self.table) },
            Some(_) => self.own_table_as(self.table.into()),
        }
    }

    /// The same, under another name.
    fn own_table_as(&'static self, alias: Cow<'static, str>) -> TableRef {
        TableRef {
            schema: self.schema.map(Cow::Borrowed),
            criteria: self.own_criteria(),
            ..TableRef::aliased(self.table_name(), alias)
        }
    }

    /// Which rows of the table alone are seen: the columns that say so are in the root's.
    fn own_criteria(&'static self) -> Option<&'static Criteria> {
        if self.joined_inheritance().is_some() { None } else { self.criteria() }
    }

    /// The condition of the rows that are seen in a statement that writes the table alone, where its root's says which.
    pub(crate) fn confinement(&'static self) -> Option<Node> {
        let inheritance = self.joined_inheritance()?;
        if inheritance.criteria.is_none() && inheritance.kinds.is_none() {
            return None;
        }
        let root = inheritance.levels[0].def;
        let key = Level { def: self }.key(root);
        let kinds = inheritance.kinds.as_ref().map(|kinds| kinds.condition(root.table.into()));
        let select = Select {
            list: "1",
            from: FromClause::Table(root.own_table()),
            filter: std::iter::once(key).chain(kinds).collect(),
            ..Select::default()
        };
        Some(Node::Exists { select: Box::new(select), negated: false })
    }

    /// The tables that a row is deleted from, those first whose keys point at the others', and the root's last.
    pub(crate) fn row_tables(&'static self) -> Vec<&'static ModelDef> {
        let mut tables: Vec<&'static ModelDef> = match self.inheritance() {
            None => vec![self],
            Some(inheritance) => inheritance.levels.iter().map(|level| level.def).collect(),
        };
        // A row that is deleted as its parent's may have a part in the tables of those that inherit.
        tables.extend(self.heirs().filter(|heir| heir.options.inherits.is_some_and(|inherits| inherits.joined)));
        tables.reverse();
        tables
    }

    /// Whether a DELETE from the model's own table leaves parts of the rows in others, or fails because of them.
    pub(crate) fn is_deleted_in_pieces(&'static self) -> bool {
        let cascades = |table: &'static ModelDef| {
            let key = table.foreign_keys().find(|key| key.pairs().any(|(column, _)| table.joins_parent(column)));
            key.is_some_and(|key| key.on_delete() == Action::Cascade)
        };
        let mut tables = self.heirs().filter(|heir| heir.options.inherits.is_some_and(|inherits| inherits.joined));
        self.joined_inheritance().is_some() || tables.any(|table| !cascades(table))
    }

    /// The models of the program that inherit from it, those that inherit from another after that one.
    pub(crate) fn heirs(&'static self) -> impl Iterator<Item = &'static ModelDef> {
        let of: &[&'static ModelDef] = if self.in_hierarchy() { heirs() } else { &[] };
        of.iter().copied().filter(|def| !def.is(self) && def.is_a(self))
    }
}

/// The models of the program that inherit, by their distance from their root.
fn heirs() -> &'static [&'static ModelDef] {
    static HEIRS: OnceLock<Vec<&'static ModelDef>> = OnceLock::new();
    HEIRS.get_or_init(|| {
        let mut heirs = registered();
        heirs.retain(|def| def.options.inherits.is_some());
        heirs.sort_by_key(|def| depth(def));
        heirs
    })
}

fn depth(def: &ModelDef) -> usize {
    def.parent().map_or(0, |parent| 1 + depth(parent))
}

fn inheritance_of(inherits: &'static InheritsDef) -> &'static Inheritance {
    inherits.cache.0.get_or_init(|| Inheritance::of(inherits))
}

/// A model and its parents, the root first.
fn line(def: &'static ModelDef) -> Vec<&'static ModelDef> {
    let mut line = def.parent().map(line).unwrap_or_default();
    line.push(def);
    line
}

fn identity(def: &ModelDef) -> Option<Value<'static>> {
    def.options.identity.map(|identity| identity())
}

impl Inheritance {
    fn of(inherits: &'static InheritsDef) -> Self {
        let def = (inherits.child)();
        let line = line(def);
        let root = line[0];
        let has_table = |def: &&ModelDef| def.options.inherits.is_none_or(|inherits| inherits.joined);
        let levels: Vec<Level> = line.iter().copied().filter(has_table).map(|def| Level { def }).collect();
        let last = levels.len() - 1;
        let homes = def.columns.iter().enumerate().map(|(position, column)| {
            if def.primary_key.contains(&position) {
                return last;
            }
            let declares = |def: &&ModelDef| def.columns.iter().any(|other| other.name == column.name);
            let declared = line.iter().position(declares).unwrap_or(0);
            line[..=declared].iter().filter(|def| has_table(def)).count() - 1
        });
        let homes = homes.collect();
        // The macro lets nothing inherit from a model without a discriminator.
        let discriminator = &root.columns[root.options.discriminator.unwrap_or(0)];
        // A table of its own has no other rows.
        let kinds = (!inherits.joined).then(|| {
            let identities = identity(def).into_iter().chain(def.heirs().filter_map(identity));
            Kinds {
                column: discriminator.name,
                literals: identities.filter_map(|identity| literal(&identity)).collect(),
            }
        });
        let declared = def.options.criteria.clone();
        let (criteria, kinds) = if levels.len() > 1 || kinds.is_none() {
            (declared, kinds)
        } else {
            let none = Criteria { model: def.name, kinds: None, soft_delete: None, tenant: None };
            (Some(Criteria { kinds, ..declared.unwrap_or(none) }), None)
        };
        Self {
            levels,
            homes,
            discriminator,
            own_discriminator: def.columns.iter().position(|column| column.name == discriminator.name),
            identity: identity(def).unwrap_or(Value::Null),
            criteria,
            kinds,
            problem: problem(def),
        }
    }

    /// The rows of the model, from all tables that they are in, under a name.
    fn derived(&'static self, def: &ModelDef, name: Cow<'static, str>) -> TableRef {
        let root = self.levels[0].def;
        let columns = def.columns.iter().enumerate().map(|(position, column)| {
            let (table, name) =
                (self.levels[self.homes[position]].def.table, self.name_in(def, self.homes[position], position));
            let alias = (name != column.name).then_some(Cow::Borrowed(column.name));
            SelectColumn { node: Node::Column(ColumnRef::new(table, name)), alias }
        });
        let select = Select {
            columns: columns.collect(),
            // What is seen of the rows is said from outside, where the columns have the model's names.
            from: FromClause::Table(TableRef { criteria: None, ..root.own_table() }),
            joins: self.levels[1..].iter().map(|level| level.join(root, JoinKind::Inner)).collect(),
            filter: self.kinds.iter().map(|kinds| kinds.condition(root.table.into())).collect(),
            ..Select::default()
        };
        TableRef {
            derived: Some(Box::new(DerivedTable { select, lateral: false })),
            criteria: self.criteria.as_ref(),
            ..TableRef::new(name)
        }
    }
}

impl Level {
    /// The join of the table to the first one, by the key.
    pub(crate) fn join(&self, root: &'static ModelDef, kind: JoinKind) -> Join {
        Join { kind, table: self.def.own_table(), on: self.key(root) }
    }

    /// The condition that a row of the table and one of the first are one.
    fn key(&self, root: &'static ModelDef) -> Node {
        let key = |def: &'static ModelDef, position: usize| {
            let column = def.primary_key.get(position).or(def.primary_key.first()).copied().unwrap_or(0);
            Node::Column(ColumnRef::new(def.table, def.columns[column].name))
        };
        let pairs = 0..root.primary_key.len();
        let mut pairs = pairs.map(|at| Node::binary(key(self.def, at), BinaryOp::Eq, key(root, at)));
        let first = pairs.next().unwrap_or(Node::And(Vec::new()));
        pairs.fold(first, Node::and)
    }
}

fn check(def: &ModelDef) -> Result<()> {
    match def.inheritance().and_then(|inheritance| inheritance.problem.as_ref()) {
        None => Ok(()),
        Some(problem) => Err(Error::new(ErrorKind::Config, problem.clone()).with_table(def.table)),
    }
}

/// What does not fit between a model and its parents, with the cure.
fn problem(def: &'static ModelDef) -> Option<String> {
    let parent = def.parent()?;
    let (name, root) = (def.name, def.root());
    if def.bind != parent.bind {
        return Some(format!(
            "`{name}` inherits from `{}`, and they are in different databases: give them one `bind`",
            parent.name
        ));
    }
    let identity = identity(def)?;
    let Some(shown) = literal(&identity) else {
        return Some(format!(
            "the identity of `{name}` is no text or integer that can stand in a statement: give `{}::{}` the type \
             `String`, `i64` or one with `#[derive(DbEnum)]`",
            root.name,
            root.columns[root.options.discriminator.unwrap_or(0)].field
        ));
    };
    let others = std::iter::once(root).chain(heirs().iter().copied().filter(|other| other.is_a(root)));
    if let Some(other) =
        others.filter(|other| !other.is(def)).find(|other| self::identity(other).as_ref() == Some(&identity))
    {
        return Some(format!(
            "`{}` and `{name}` have the same identity {shown}, by which their rows are told apart: give one of them \
             another `identity`",
            other.name
        ));
    }
    if def.primary_key.len() != parent.primary_key.len() {
        return Some(format!(
            "`{name}` inherits from `{}`, whose key has {} columns, and its own has {}: give it the same key",
            parent.name,
            parent.primary_key.len(),
            def.primary_key.len()
        ));
    }
    let is_new = |version: &usize| parent.columns.iter().all(|above| above.name != def.columns[*version].name);
    if let Some(version) = def.options.version.filter(is_new) {
        return Some(format!(
            "`{name}::{}` counts the updates of a row that is one of `{}` too: declare the version there, and in the models \
             that inherit",
            def.columns[version].field, root.name
        ));
    }
    let fits =
        parent.columns.iter().enumerate().find_map(|(position, column)| column_problem(def, parent, position, column));
    fits.or_else(|| shared_problem(def)).or_else(|| constraint_problem(def))
}

/// What does not fit between a column of the parent and the one that the model has for it.
fn column_problem(def: &ModelDef, parent: &'static ModelDef, position: usize, column: &ColumnDef) -> Option<String> {
    let (name, above, field) = (def.name, parent.name, column.field);
    let is_discriminator =
        parent.root().options.discriminator.is_some_and(|at| parent.root().columns[at].name == column.name);
    let Some(own) = def.column_like(parent, position) else {
        return (!is_discriminator).then(|| {
            format!("`{name}` inherits from `{above}` and has no `{field}`: a model has the columns of its parent too, add the field")
        });
    };
    let own_def = &def.columns[own];
    let what = if discriminant(&own_def.ty) != discriminant(&column.ty) || own_def.nullable != column.nullable {
        "type"
    } else if own_def.generated != column.generated && !is_discriminator {
        "key (`autoincrement`, `server_default`, `computed`)"
    } else if own_def.on_update.is_some() != column.on_update.is_some() {
        "`on_update`"
    } else if (def.options.version == Some(own)) != (parent.options.version == Some(position)) {
        "`version`"
    } else if def.is_deferred(own) != parent.is_deferred(position) {
        "`deferred`"
    } else if !def.joins_parent(own) && !parent.joins_parent(position) && target(own_def) != target(column) {
        "`references`"
    } else if is_discriminator && def.options.discriminator != Some(own) {
        return Some(format!(
            "`{name}::{}` is the discriminator of `{above}`: mark it `#[column(discriminator)]`, or leave it out, and it \
             is written by itself",
            own_def.field
        ));
    } else {
        return None;
    };
    Some(format!(
        "`{name}::{}` is the column `{above}::{field}`, and has another {what}: declare both alike",
        own_def.field
    ))
}

fn target(column: &ColumnDef) -> Option<(usize, usize)> {
    let (target, referenced) = (column.references.as_ref()?.target)();
    Some(target.column_number(referenced))
}

/// Two models with columns of one name in one table.
fn shared_problem(def: &'static ModelDef) -> Option<String> {
    if def.options.inherits.is_some_and(|inherits| inherits.joined) {
        return None;
    }
    let parent = def.parent()?;
    let table = |def: &'static ModelDef| {
        line(def).into_iter().rev().find(|def| def.options.inherits.is_none_or(|it| it.joined))
    };
    let siblings = heirs().iter().copied().filter(|other| !other.is(def) && !def.is_a(other) && !other.is_a(def));
    for other in siblings.filter(|other| table(other).zip(table(def)).is_some_and(|(a, b)| a.is(b))) {
        for column in def.columns.iter().filter(|own| parent.columns.iter().all(|above| above.name != own.name)) {
            let twin = other.columns.iter().find(|twin| twin.name == column.name);
            if let Some(twin) = twin.filter(|twin| twin.ty != column.ty || target(twin) != target(column)) {
                return Some(format!(
                    "`{}::{}` and `{}::{}` are one column of the table `{}`, and are declared differently: declare both \
                     alike, or give one another `name`",
                    other.name, twin.field, def.name, column.field, def.table
                ));
            }
        }
    }
    None
}

/// A constraint of the model's over columns that are in another table.
fn constraint_problem(def: &'static ModelDef) -> Option<String> {
    let inherits = def.options.inherits.filter(|inherits| inherits.joined)?;
    let parent = (inherits.parent)();
    let foreign = |column: &usize| {
        !def.primary_key.contains(column) && parent.columns.iter().any(|above| above.name == def.columns[*column].name)
    };
    let of = |constraint: &ConstraintDef| match constraint {
        ConstraintDef::Unique { columns, .. } => columns.iter().copied().find(foreign),
        ConstraintDef::ForeignKey(key) => key.columns.iter().copied().find(foreign),
        ConstraintDef::Index(index) => {
            let columns = index.elements.iter().filter_map(|element| match element.key {
                crate::entity::def::IndexKeyDef::Column(column) => Some(column),
                crate::entity::def::IndexKeyDef::Expression(_) => None,
            });
            columns.chain(index.include.iter().copied()).find(foreign)
        }
        ConstraintDef::Check { .. } => None,
    };
    let column = def.constraints.iter().find_map(of)?;
    Some(format!(
        "an index or constraint of `{}` names `{}`, which is in the table of `{}`: declare it there",
        def.name, def.columns[column].field, parent.name
    ))
}
