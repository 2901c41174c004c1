//! The terms of an order that tells all rows apart.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::entity::def::{ModelDef, RelationshipKind};
use crate::error::Result;
use crate::query::draft::{Draft, Prepared};
use crate::query::scope::invalid;
use crate::query::source::{Joined, On, Table};
use crate::schema::SqlType;
use crate::sql::{BinaryOp, ColumnRef, Dialect, Node, NullsOrder, OrderBy, Rendering, Value};

/// The terms of an order, the primary keys last.
pub(super) struct Terms(Vec<Term>);

struct Term {
    column: ColumnRef,
    ty: SqlType,
    /// Whether it may be NULL, in a column or because there is no row.
    nullable: bool,
    descending: bool,
    /// Where NULL comes, whoever says so.
    nulls_first: bool,
    /// Where the query says that NULL comes.
    nulls: Option<NullsOrder>,
}

impl Terms {
    /// The terms of a query's order, and the primary keys that make it certain.
    ///
    /// # Errors
    /// `InvalidStatement` when it is ordered by something else than columns of models, or a joined table has no key.
    pub(super) fn of(draft: &Draft, dialect: Dialect) -> Result<Self> {
        let mut terms = Vec::new();
        for order in &draft.order_by {
            let Node::Column(column) = &order.node else { return Err(no_column()) };
            let (_, def) = draft.models().find(|(name, _)| *name == column.table).ok_or_else(no_column)?;
            // Of the models that inherit, those that have their rows there may have the column too, and other rows NULL.
            let heirs = def.heirs().filter(|heir| heir.table == def.table);
            let mut models = std::iter::once(def).chain(heirs);
            let known =
                |def: &'static ModelDef| Some((def, def.columns.iter().find(|known| known.name == column.name)?));
            let (owner, known) = models.find_map(known).ok_or_else(no_column)?;
            terms.push(Term {
                ty: sortable(owner, known.field, &known.ty)?,
                nullable: known.nullable || !owner.is(def) || draft.is_outer(&column.table),
                column: column.clone(),
                descending: order.descending,
                nulls_first: nulls_first(order, dialect),
                nulls: order.nulls,
            });
        }
        let descending = terms.last().is_some_and(|term| term.descending);
        for (name, def) in keyed(draft)? {
            for &key in def.primary_key {
                let known = &def.columns[key];
                if terms.iter().any(|term| term.column.table == name && term.column.name == known.name) {
                    continue;
                }
                let order = OrderBy { node: Node::NULL, descending, nulls: None };
                terms.push(Term {
                    column: ColumnRef::new(name.clone(), known.name),
                    ty: sortable(def, known.field, &known.ty)?,
                    nullable: draft.is_outer(&name),
                    descending,
                    nulls_first: nulls_first(&order, dialect),
                    nulls: None,
                });
            }
        }
        Ok(Self(terms))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// What tells this order, and the tables that it is of, from others.
    pub(super) fn fingerprint(&self, draft: &Draft) -> String {
        let mut text = String::new();
        for (name, def) in draft.models() {
            text.extend([name, "=", def.table, "\0"]);
        }
        for term in &self.0 {
            let Term { column, descending, nulls_first, .. } = term;
            text.push_str(&format!("\0{}\0{}\0{descending}{nulls_first}", column.table, column.name));
        }
        Sha256::digest(text.as_bytes())[..6].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The opposite order.
    pub(super) fn reversed(mut self) -> Self {
        for term in &mut self.0 {
            term.descending = !term.descending;
            term.nulls_first = !term.nulls_first;
            term.nulls = term.nulls.map(|nulls| match nulls {
                NullsOrder::First => NullsOrder::Last,
                NullsOrder::Last => NullsOrder::First,
            });
        }
        self
    }

    /// The statement for so many rows in this order, with the values of its terms at the end of each.
    ///
    /// # Errors
    /// As [`Draft::prepare`].
    pub(super) fn prepare(&self, mut draft: Box<Draft>, rows: u64, to: Rendering<'_>) -> Result<Prepared> {
        draft.order_by = self.order_by();
        draft.limit = Some(rows);
        draft.rare().keys = self.0.iter().map(Term::node).collect();
        let mut prepared = draft.prepare(to)?;
        prepared.keys = self.0.iter().map(|term| term.ty.clone()).collect();
        Ok(prepared)
    }

    fn order_by(&self) -> Vec<OrderBy> {
        let order = |term: &Term| OrderBy { node: term.node(), descending: term.descending, nulls: term.nulls };
        self.0.iter().map(order).collect()
    }

    /// The rows that come after one with these values; and that one, if it belongs to them.
    pub(super) fn after(&self, values: &[Value<'static>], inclusive: bool) -> Node {
        let mut any = Vec::new();
        let mut equal: Vec<Node> = Vec::new();
        for (term, value) in self.0.iter().zip(values) {
            if let Some(after) = term.after(value) {
                any.push(Node::And(equal.iter().cloned().chain([after]).collect()));
            }
            equal.push(Node::binary(term.node(), BinaryOp::Eq, Node::Value(value.clone())));
        }
        if inclusive {
            any.push(Node::And(equal));
        }
        let after = Node::Or(any);
        // No index helps with an OR; the first term's own bound is one that it can be found by.
        match (self.0.first(), values.first()) {
            (Some(first), Some(value)) if self.0.len() > 1 && !first.nullable && !value.is_null() => {
                let op = if first.descending { BinaryOp::Le } else { BinaryOp::Ge };
                Node::binary(first.node(), op, Node::Value(value.clone())).and(after)
            }
            _ => after,
        }
    }
}

impl Term {
    fn node(&self) -> Node {
        Node::Column(self.column.clone())
    }

    /// The values after this one; none where nothing is.
    fn after(&self, value: &Value<'static>) -> Option<Node> {
        let null = |negated| Node::IsNull { value: Box::new(self.node()), negated };
        if value.is_null() {
            return self.nulls_first.then(|| null(true));
        }
        let op = if self.descending { BinaryOp::Lt } else { BinaryOp::Gt };
        let after = Node::binary(self.node(), op, Node::Value(value.clone()));
        Some(if self.nullable && !self.nulls_first { after.or(null(false)) } else { after })
    }
}

/// Where NULL comes: PostgreSQL takes it for greater than all values, the others for less.
fn nulls_first(order: &OrderBy, dialect: Dialect) -> bool {
    match order.nulls {
        Some(nulls) => nulls == NullsOrder::First,
        None => order.descending == (dialect == Dialect::Postgres),
    }
}

/// The tables whose keys tell the rows of a query apart: not those that a row of another has one of.
fn keyed(draft: &Draft) -> Result<Vec<(Cow<'static, str>, &'static ModelDef)>> {
    let mut keyed = vec![(draft.root_name(), draft.def)];
    for joined in &draft.joins {
        let one = |owner: &'static ModelDef, at: usize| owner.relationships[at].kind != RelationshipKind::Many;
        let single = match joined {
            Joined::Along { source, relationship, .. } => one(source, *relationship),
            // A table of a hierarchy has the key of the root's.
            Joined::To(join) if matches!(join.source.table, Table::Own(_)) => true,
            Joined::To(join) => matches!(&join.on, On::Along { owner, relationship, .. } if one(owner, *relationship)),
        };
        if single {
            continue;
        }
        keyed.extend(joined.link().map(|(link, name)| (name.to_owned().into(), link)));
        let name = joined.name().to_owned();
        match joined.def() {
            Some(def) => keyed.push((name.into(), def)),
            None => {
                return Err(invalid(format!(
                    "paginate_by_key: `{name}` has no primary key, which would tell the rows apart; use `.paginate(..)`, or \
                     filter by it with `.in_(..)`"
                )));
            }
        }
    }
    Ok(keyed)
}

fn sortable(def: &ModelDef, field: &str, ty: &SqlType) -> Result<SqlType> {
    if matches!(ty, SqlType::Json) {
        let name = def.name;
        return Err(invalid(format!("paginate_by_key: `{name}::{field}` is a JSON document, which has no order")));
    }
    Ok(ty.clone())
}

#[cold]
fn no_column() -> crate::error::Error {
    invalid(
        "paginate_by_key: the order has something else than columns of the query's models, whose values a cursor could \
         hold; order by columns alone, or use `.paginate(..)`"
            .to_owned(),
    )
}
