//! A model as plain data: what the attributes said, checked, and what follows from it.

use proc_macro2::Span;
use syn::{Attribute, Expr, Ident, LitInt, LitStr, Path, Type, Visibility};

pub(crate) use super::inherit::Inheritance;

/// A model.
pub(crate) struct Model {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) table: String,
    /// The schema that its table is in.
    pub(crate) schema: Option<String>,
    /// The name of the database that it is in.
    pub(crate) bind: Option<String>,
    pub(crate) comment: Option<LitStr>,
    pub(crate) primary_key_name: Option<LitStr>,
    /// The order of the key's columns, where it is not that of the fields.
    pub(crate) key_order: Option<(Vec<usize>, Span)>,
    pub(crate) columns: Vec<Column>,
    pub(crate) mixins: Vec<Mixin>,
    pub(crate) relationships: Vec<Relationship>,
    pub(crate) constraints: Vec<Constraint>,
    /// Positions in `columns`.
    pub(crate) primary_key: Vec<usize>,
    /// The column with `version`, as a position in `columns`.
    pub(crate) version: Option<usize>,
    /// The column with `soft_delete`, as a position in `columns`.
    pub(crate) soft_delete: Option<usize>,
    /// The column with `tenant`, as a position in `columns`.
    pub(crate) tenant: Option<usize>,
    /// Where `optimistic = "dirty"` stands.
    pub(crate) compares_old: Option<Span>,
    pub(crate) inheritance: Inheritance,
    /// Where `hooks` stands.
    pub(crate) hooks: Option<Span>,
    /// Where `async_hooks` stands.
    pub(crate) async_hooks: Option<Span>,
}

/// A field whose own fields are columns: `#[model(flatten)]`.
pub(crate) struct Mixin {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// Its columns in `Model::columns`, which follow each other.
    pub(crate) first: usize,
    pub(crate) count: usize,
}

impl Mixin {
    pub(crate) fn columns(&self) -> std::ops::Range<usize> {
        self.first..self.first + self.count
    }
}

impl Model {
    /// The columns that are fields of the struct itself, with their positions.
    pub(crate) fn own_columns(&self) -> impl Iterator<Item = (usize, &Column)> {
        let own = |position: &usize| !self.mixins.iter().any(|mixin| mixin.columns().contains(position));
        self.columns.iter().enumerate().filter(move |(position, _)| own(position))
    }
}

/// What columns and relationships have in common.
pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) ty: Type,
    /// The name of the associated constant; spanned at the field.
    pub(crate) constant: Ident,
}

/// A column.
pub(crate) struct Column {
    pub(crate) field: Field,
    /// The name in the database.
    pub(crate) name: String,
    /// The type is an `Option`.
    pub(crate) nullable: bool,
    /// Where `primary_key` stands.
    pub(crate) primary_key: Option<Span>,
    pub(crate) autoincrement: Option<(bool, Span)>,
    /// Where `version` stands.
    pub(crate) version: Option<Span>,
    /// Where `discriminator` stands.
    pub(crate) discriminator: Option<Span>,
    /// Where `soft_delete` stands.
    pub(crate) soft_delete: Option<Span>,
    /// Where `deferred` stands; the type is what `Deferred<..>` holds then.
    pub(crate) deferred: Option<Span>,
    /// Where `tenant` stands.
    pub(crate) tenant: Option<Span>,
    pub(crate) unique: bool,
    pub(crate) index: bool,
    pub(crate) size: Option<Size>,
    pub(crate) references: Option<Reference>,
    pub(crate) default: Option<Expr>,
    pub(crate) server_default: Option<LitStr>,
    pub(crate) computed: Option<Computed>,
    pub(crate) sequence: Option<Sequence>,
    pub(crate) identity: Option<Identity>,
    pub(crate) on_update: Option<Expr>,
    pub(crate) comment: Option<LitStr>,
    /// Who makes the value; decided once all columns are known.
    pub(crate) origin: Origin,
    /// The to-one relationships whose foreign key this is, or is part of, as positions; decided once all fields are known.
    pub(crate) links: Vec<usize>,
}

/// `sequence = ".."`
pub(crate) struct Sequence {
    pub(crate) name: LitStr,
    pub(crate) start: Option<i64>,
    pub(crate) increment: Option<i64>,
    pub(crate) span: Span,
}

/// `identity(always, start = 100)`
pub(crate) struct Identity {
    pub(crate) always: bool,
    pub(crate) start: Option<i64>,
    pub(crate) increment: Option<i64>,
    pub(crate) span: Span,
}

/// What narrows or widens a column's type.
pub(crate) enum Size {
    Length(LitInt),
    Text(Span),
    Decimal { precision: Option<LitInt>, scale: Option<LitInt>, span: Span },
}

/// `computed = "..", stored`
pub(crate) struct Computed {
    pub(crate) sql: LitStr,
    pub(crate) stored: bool,
    pub(crate) span: Span,
}

/// Who makes a column's value when a new row does not give it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The program has to.
    Given,
    /// It is NULL.
    Null,
    /// The `default` of the column.
    Default,
    /// The database.
    Server,
    /// The database, always: no program writes it.
    Computed,
    /// The key is counted up or drawn, as its type is known to be.
    GeneratedKey,
    /// The key's type decides, and this macro does not know it.
    Key,
}

impl Column {
    /// Whether a new row cannot do without a value, or may not be able to.
    pub(crate) fn required(&self) -> bool {
        matches!(self.origin, Origin::Given | Origin::Key)
    }

    /// Whether the library fills it in: a tenant, or the truth value of a soft deletion.
    pub(crate) fn is_filled_in(&self) -> bool {
        self.tenant.is_some() || self.soft_delete.is_some() && !self.nullable
    }
}

/// `references = User::id`
pub(crate) struct Reference {
    /// The whole path, as written.
    pub(crate) path: Path,
    /// The path of the model.
    pub(crate) model: Path,
    /// The name of the constraint.
    pub(crate) name: Option<LitStr>,
    pub(crate) on_delete: Ident,
    pub(crate) on_update: Ident,
}

/// A foreign key of the model, declared at a column or for several.
pub(crate) struct Key<'a> {
    /// Positions in `Model::columns`.
    pub(crate) columns: Vec<usize>,
    /// The model that it leads to.
    pub(crate) model: &'a Path,
    /// The columns that it leads to, as written.
    pub(crate) paths: Vec<&'a Path>,
    /// The constraint's name.
    pub(crate) name: Option<&'a LitStr>,
}

impl Model {
    /// The foreign keys: those of one column, then those of several.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key<'_>> {
        let single = self.columns.iter().enumerate().filter_map(|(position, column)| {
            let Reference { path, model, name, .. } = column.references.as_ref()?;
            Some(Key { columns: vec![position], model, paths: vec![path], name: name.as_ref() })
        });
        let several = self.constraints.iter().filter_map(|constraint| match constraint {
            Constraint::ForeignKey(ForeignKey { columns, targets, model, name, .. }) => {
                Some(Key { columns: columns.clone(), model, paths: targets.iter().collect(), name: name.as_ref() })
            }
            _ => None,
        });
        single.chain(several)
    }

    /// Whether a column is one of several of a foreign key.
    pub(crate) fn is_part_of_a_key(&self, column: usize) -> bool {
        self.constraints
            .iter()
            .any(|constraint| matches!(constraint, Constraint::ForeignKey(key) if key.columns.contains(&column)))
    }
}

/// A relationship.
pub(crate) struct Relationship {
    pub(crate) field: Field,
    pub(crate) kind: Kind,
    /// What stands in `One<..>` or `Many<..>`.
    pub(crate) content: Type,
    /// The model that it leads to.
    pub(crate) target: Type,
    pub(crate) back_populates: Option<Ident>,
    /// The link model of a many-to-many relationship.
    pub(crate) secondary: Option<Path>,
    /// As written: fields of this struct (or the name of one of its constraints), of the target for the side that has no
    /// key, or of the link model.
    pub(crate) foreign_key: Vec<Ident>,
    /// The columns here that hold the key, as positions in `Model::columns`; none on the side that is pointed at.
    pub(crate) key: Vec<usize>,
    pub(crate) delete: bool,
    pub(crate) delete_orphan: Option<Span>,
    pub(crate) passive_deletes: bool,
    pub(crate) order_by: Vec<(Path, bool)>,
    pub(crate) serialize: bool,
}

/// What a relationship leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    One,
    OptionalOne,
    Many,
}

/// An index or constraint of `#[model(..)]`; columns are positions.
pub(crate) enum Constraint {
    Index(Index),
    Unique { name: Option<LitStr>, columns: Vec<usize> },
    Check { name: Option<LitStr>, sql: LitStr },
    ForeignKey(ForeignKey),
}

/// An index.
#[derive(Default)]
pub(crate) struct Index {
    pub(crate) name: Option<LitStr>,
    pub(crate) elements: Vec<Element>,
    pub(crate) unique: bool,
    pub(crate) predicate: Option<LitStr>,
    pub(crate) using: Option<LitStr>,
    pub(crate) include: Vec<usize>,
}

/// One element of an index.
pub(crate) struct Element {
    pub(crate) key: ElementKey,
    pub(crate) descending: bool,
    /// Where NULL comes, as a variant of `NullsOrder`.
    pub(crate) nulls: Option<&'static str>,
    pub(crate) length: Option<LitInt>,
    pub(crate) operator_class: Option<LitStr>,
}

/// What an element of an index sorts by.
pub(crate) enum ElementKey {
    Column(usize),
    Expression(LitStr),
}

/// A foreign key of several columns.
pub(crate) struct ForeignKey {
    pub(crate) name: Option<LitStr>,
    pub(crate) columns: Vec<usize>,
    /// The columns that it points at, as written, all of `model`.
    pub(crate) targets: Vec<Path>,
    pub(crate) model: Path,
    pub(crate) on_delete: Ident,
    pub(crate) on_update: Ident,
}
