//! What the derive knows of a model, as plain data.

use std::fmt;
use std::sync::OnceLock;

use crate::schema::{Identity, SqlType};
use crate::sql::{Criteria, Dialect, SoftDelete, TenantColumn, Value};

pub use super::hooks::HookTable;
use super::inherit::InheritsDef;
use super::vtable::VTable;

/// All that the derive knows of a model; `MetaData`, statements and the unit of work are made from it.
#[derive(Debug)]
pub struct ModelDef {
    /// The struct's name.
    pub name: &'static str,
    /// Where the struct stands: `module_path!()`, for messages.
    pub module: &'static str,
    /// The name by which statements and messages know the table: its own, or `schema.table`.
    pub table: &'static str,
    /// The schema that the table is in, where it is not the connection's own.
    pub schema: Option<&'static str>,
    /// The name of the database that the table is in, where it is not the default one.
    pub bind: Option<&'static str>,
    /// The comment in the database.
    pub comment: Option<&'static str>,
    /// The primary key's name, or none for the naming convention's.
    pub primary_key_name: Option<&'static str>,
    /// The columns, in the order of the struct's fields.
    pub columns: &'static [ColumnDef],
    /// The primary key's columns, as positions in `columns`.
    pub primary_key: &'static [usize],
    /// Indexes and constraints over several columns.
    pub constraints: &'static [ConstraintDef],
    /// The relationships, in the order of the struct's fields.
    pub relationships: &'static [RelationshipDef],
    /// What the model has declared beyond its table.
    pub options: ModelOptions,
    /// The functions that know the struct's layout.
    pub vtable: VTable,
    /// What is made of the definition once.
    pub cache: DefCache,
}

/// What a model has declared beyond its table; most have declared nothing.
#[derive(Debug)]
pub struct ModelOptions {
    /// The column that counts the row's updates: `#[column(version)]`.
    pub version: Option<usize>,
    /// Whether an UPDATE compares the old values of what it changes: `#[model(optimistic = "dirty")]`.
    pub compares_old: bool,
    /// What the model inherits from: `#[model(inherits = ..)]`.
    pub inherits: Option<&'static InheritsDef>,
    /// The column that tells the rows of a model from those of the models that inherit: `#[column(discriminator)]`.
    pub discriminator: Option<usize>,
    /// The value of that column in the model's own rows: `#[model(identity = ..)]`.
    pub identity: Option<fn() -> Value<'static>>,
    /// The functions that are called when rows are written: `#[model(hooks)]`, `#[model(async_hooks)]`.
    pub hooks: Option<&'static HookTable>,
    /// Which rows statements see: `#[column(soft_delete)]`, `#[column(tenant)]`.
    pub criteria: Option<Criteria>,
    /// Columns that are loaded when they are asked for, as positions: `#[column(deferred)]`.
    pub deferred: &'static [usize],
}

impl ModelOptions {
    /// Nothing declared.
    pub const NONE: Self = Self {
        version: None,
        compares_old: false,
        inherits: None,
        discriminator: None,
        identity: None,
        hooks: None,
        criteria: None,
        deferred: &[],
    };
}

impl ModelOptions {
    /// The column that says whether a row is deleted.
    pub(crate) fn soft_delete(&'static self) -> Option<&'static SoftDelete> {
        self.criteria.as_ref()?.soft_delete.as_ref()
    }

    /// The column that says whose a row is.
    pub(crate) fn tenant(&'static self) -> Option<&'static TenantColumn> {
        self.criteria.as_ref()?.tenant.as_ref()
    }
}

/// What is made of a model's definition once, when it is first needed.
#[derive(Debug, Default)]
pub struct DefCache {
    /// The columns as a SELECT lists them, for each dialect.
    pub(crate) select_list: [OnceLock<Box<str>>; Dialect::COUNT],
    /// The SELECT of all rows, for each dialect.
    pub(crate) select_all: [OnceLock<Box<str>>; Dialect::COUNT],
    /// The condition of the join along each relationship, for each dialect.
    pub(crate) joins: [OnceLock<JoinConditions>; Dialect::COUNT],
    /// The relationships whose keys may change after new rows were linked.
    pub(crate) following: OnceLock<Box<[usize]>>,
}

/// The condition of the join along each relationship of a model.
pub(crate) type JoinConditions = Box<[OnceLock<Box<str>>]>;

impl DefCache {
    /// A cache with nothing in it.
    pub const fn new() -> Self {
        Self {
            select_list: [const { OnceLock::new() }; Dialect::COUNT],
            select_all: [const { OnceLock::new() }; Dialect::COUNT],
            joins: [const { OnceLock::new() }; Dialect::COUNT],
            following: OnceLock::new(),
        }
    }
}

impl ModelDef {
    /// The table's own name, without its schema.
    pub fn table_name(&self) -> &'static str {
        match self.schema {
            None => self.table,
            Some(schema) => &self.table[schema.len() + 1..],
        }
    }

    /// Whether queries leave a column out; a NULL stands in its place, so that a row has the same layout.
    pub(crate) fn is_deferred(&self, column: usize) -> bool {
        self.options.deferred.contains(&column)
    }

    /// The position of a column by its name in the database or in the struct.
    pub fn column_index(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name || column.field == name)
    }

    /// The position of a relationship by its field's name.
    pub fn relationship_index(&self, name: &str) -> Option<usize> {
        self.relationships.iter().position(|relationship| relationship.name == name)
    }

    /// Whether the two are the same model; every model has one definition in a program.
    pub fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

/// One column of a model.
#[derive(Debug)]
pub struct ColumnDef {
    /// The name in the database.
    pub name: &'static str,
    /// The name of the struct's field.
    pub field: &'static str,
    /// The column's type.
    pub ty: SqlType,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// Whether the column has a unique constraint of its own.
    pub unique: bool,
    /// Whether the column has an index of its own.
    pub index: bool,
    /// Who makes the value of a new row that gives none.
    pub generated: Generated,
    /// The default that the database fills in, as SQL.
    pub server_default: Option<&'static str>,
    /// The expression that gives the value, where the database computes it.
    pub computed: Option<ComputedDef>,
    /// The sequence that the database takes the number from.
    pub sequence: Option<SequenceDef>,
    /// How the database counts the key up, where it is not as usual.
    pub identity: Option<Identity>,
    /// The value written with every UPDATE of the row that does not set the column itself.
    pub on_update: Option<fn() -> Value<'static>>,
    /// The column that this one is a foreign key to.
    pub references: Option<ReferenceDef>,
    /// The comment in the database.
    pub comment: Option<&'static str>,
}

/// `#[column(computed = "..", stored)]`
#[derive(Clone, Copy, Debug)]
pub struct ComputedDef {
    /// The expression, as SQL.
    pub sql: &'static str,
    /// Whether the value is stored with the row.
    pub stored: bool,
}

/// A sequence, in the schema of its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SequenceDef {
    /// The name.
    pub name: &'static str,
    /// The first number.
    pub start: Option<i64>,
    /// What is added for each next number.
    pub increment: Option<i64>,
}

/// Who makes the value of a column that a new row does not give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generated {
    /// Nobody: it must be given, or has a client-side default that the builder fills in, or is nullable.
    No,
    /// The database counts it up; until the flush the entity holds a placeholder.
    Autoincrement,
    /// The client makes a UUID of version 7 when the row is added.
    Uuid,
    /// The database's default; read back by the flush.
    Server,
    /// The database computes it from the row's other columns; read back by the flush, and never written.
    Computed,
}

/// A foreign key of one column.
#[derive(Clone, Copy)]
pub struct ReferenceDef {
    /// The model and the position of the column that it points at.
    pub target: fn() -> (&'static ModelDef, usize),
    /// The constraint's name, or none for the naming convention's.
    pub name: Option<&'static str>,
    /// What happens to this row when the other is deleted.
    pub on_delete: Action,
    /// What happens to this row when the other's key changes.
    pub on_update: Action,
}

impl fmt::Debug for ReferenceDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (model, column) = (self.target)();
        write!(f, "{}.{}", model.table, model.columns[column].name)
    }
}

pub use crate::schema::{Action, NullsOrder};

/// An index or constraint over several columns, from `#[model(..)]`.
#[derive(Debug)]
pub enum ConstraintDef {
    /// `#[model(index(columns(a, b), name = ".."))]`
    Index(&'static IndexDef),
    /// `#[model(unique(columns(a, b), name = ".."))]`
    Unique {
        /// The name, or none for the naming convention's.
        name: Option<&'static str>,
        /// Positions of the columns.
        columns: &'static [usize],
    },
    /// `#[model(check(sql = "..", name = ".."))]`
    Check {
        /// The name, or none for the naming convention's.
        name: Option<&'static str>,
        /// The condition, as SQL.
        sql: &'static str,
    },
    /// `#[model(foreign_key(columns(a, b), references(Other::a, Other::b)))]`
    ForeignKey(&'static ForeignKeyDef),
}

/// An index.
#[derive(Debug)]
pub struct IndexDef {
    /// The name, or none for the naming convention's.
    pub name: Option<&'static str>,
    /// What it sorts by.
    pub elements: &'static [IndexElementDef],
    /// Whether it is unique.
    pub unique: bool,
    /// The condition of the rows that are in it, as SQL.
    pub predicate: Option<&'static str>,
    /// The method, where it is not the backend's usual one.
    pub using: Option<&'static str>,
    /// Positions of the columns that are in it only to be read.
    pub include: &'static [usize],
}

/// One element of an index.
#[derive(Debug)]
pub struct IndexElementDef {
    /// The column or expression.
    pub key: IndexKeyDef,
    /// Whether the greatest value comes first.
    pub descending: bool,
    /// Where NULL comes, where that is said.
    pub nulls: Option<NullsOrder>,
    /// How many characters of the value are in it.
    pub length: Option<u32>,
    /// The operator class.
    pub operator_class: Option<&'static str>,
}

/// What an element of an index sorts by.
#[derive(Debug)]
pub enum IndexKeyDef {
    /// The position of a column.
    Column(usize),
    /// An expression, as SQL.
    Expression(&'static str),
}

/// A foreign key of several columns.
pub struct ForeignKeyDef {
    /// The name, or none for the naming convention's.
    pub name: Option<&'static str>,
    /// Positions of the columns.
    pub columns: &'static [usize],
    /// The model that it points at.
    pub target: fn() -> &'static ModelDef,
    /// Positions of the columns there.
    pub target_columns: &'static [fn() -> usize],
    /// What happens to this row when the other is deleted.
    pub on_delete: Action,
    /// What happens to this row when the other's key changes.
    pub on_update: Action,
}

impl fmt::Debug for ForeignKeyDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} -> {}", self.columns, (self.target)().table)
    }
}

/// A column of the target, and whether the greatest value comes first.
pub type DeclaredOrder = (fn() -> usize, bool);

/// One relationship of a model.
pub struct RelationshipDef {
    /// The model that the field belongs to.
    pub owner: &'static str,
    /// The field's name.
    pub name: &'static str,
    /// Whether it leads to one row or to many.
    pub kind: RelationshipKind,
    /// The model that it leads to.
    pub target: fn() -> &'static ModelDef,
    /// The foreign key's columns on this side, when the key is here (`foreign_key = ..`, or the only one that
    /// references the target).
    pub foreign_key: &'static [usize],
    /// Columns of the foreign key on the other side, where the relationship names it: `foreign_key = ..` of a `Many`.
    /// With a link model it is that model's key to this side.
    pub target_key: &'static [fn() -> usize],
    /// The link model of a many-to-many relationship: one row for each pair.
    pub secondary: Option<fn() -> &'static ModelDef>,
    /// The relationship on the other side, from `back_populates`: its position there.
    pub inverse: Option<fn() -> usize>,
    /// What follows the parent.
    pub cascade: Cascade,
    /// Whether children are left to the database's ON DELETE.
    pub passive_deletes: bool,
    /// The order of a loaded collection: column of the target and whether it is descending.
    pub order_by: &'static [DeclaredOrder],
    /// Whether it may appear in serialized output.
    pub serialize: bool,
}

impl fmt::Debug for RelationshipDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {} ({:?})", self.name, (self.target)().name, self.kind)
    }
}

/// Whether a relationship leads to one row or to many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelationshipKind {
    /// `One<T>`: exactly one row.
    One,
    /// `One<Option<T>>`: at most one row.
    OptionalOne,
    /// `Many<T>`.
    Many,
}

/// What follows the parent in the unit of work; `save-update` always does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cascade {
    /// Deleting the parent deletes the children.
    pub delete: bool,
    /// A child removed from its parent is deleted.
    pub delete_orphan: bool,
}
