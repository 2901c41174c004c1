//! A model as plain data: what the attributes said, checked, and what follows from it.

use proc_macro2::Span;
use syn::{Attribute, Expr, Ident, LitInt, LitStr, Path, Type, Visibility};

/// A model.
pub(crate) struct Model {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) table: String,
    /// The name of the database that it is in.
    pub(crate) bind: Option<String>,
    pub(crate) columns: Vec<Column>,
    pub(crate) relationships: Vec<Relationship>,
    pub(crate) constraints: Vec<Constraint>,
    /// Positions in `columns`.
    pub(crate) primary_key: Vec<usize>,
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
    pub(crate) unique: bool,
    pub(crate) index: bool,
    pub(crate) size: Option<Size>,
    pub(crate) references: Option<Reference>,
    pub(crate) default: Option<Expr>,
    pub(crate) server_default: Option<LitStr>,
    pub(crate) on_update: Option<Expr>,
    pub(crate) comment: Option<LitStr>,
    /// Who makes the value; decided once all columns are known.
    pub(crate) origin: Origin,
    /// The to-one relationships whose foreign key this is, as positions; decided once all fields are known.
    pub(crate) links: Vec<usize>,
}

/// What narrows or widens a column's type.
pub(crate) enum Size {
    Length(LitInt),
    Text(Span),
    Decimal { precision: Option<LitInt>, scale: Option<LitInt>, span: Span },
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
}

/// `references = User::id`
pub(crate) struct Reference {
    /// The whole path, as written.
    pub(crate) path: Path,
    /// The path of the model.
    pub(crate) model: Path,
    pub(crate) on_delete: Ident,
    pub(crate) on_update: Ident,
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
    /// As written: a field of this struct, or of the target for the side that has no key.
    pub(crate) foreign_key: Option<Ident>,
    /// The column here that holds the key, as a position in `Model::columns`; none on the side that is pointed at.
    pub(crate) key: Option<usize>,
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
    Index { name: Option<LitStr>, columns: Vec<usize>, unique: bool },
    Unique { name: Option<LitStr>, columns: Vec<usize> },
    Check { name: Option<LitStr>, sql: LitStr },
}
