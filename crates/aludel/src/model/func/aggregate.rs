//! Aggregates.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use crate::model::expression::{BaseOf, Condition, Expr, Expression};
use crate::model::operand::{Number, Operand, Text};
use crate::model::{ColumnType, Order};
use crate::schema::SqlType;
use crate::sql::{AggregateCall, AggregateName, Form, Node, Nulls};

use super::Window;

/// An aggregate of type `T`: an expression, of which more can be said.
///
/// ```standalone_crate
/// use aludel::prelude::*;
///
/// #[derive(Model, Clone, Debug)]
/// struct Sale {
///     #[column(primary_key)]
///     id: i64,
///     shop: String,
///     amount: i64,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// # let db = Db::test().await?;
/// # let session = db.session();
/// let sale = |shop: &'static str, amount| Sale::build().shop(shop).amount(amount);
/// Sale::insert_all([sale("north", 5), sale("north", 20), sale("south", 5)]).execute(&session).await?;
/// let row: (i64, i64, Option<i64>) = Sale::query()
///     .select((count(Sale::id), count(Sale::shop).distinct(), sum(Sale::amount).filter(Sale::shop.eq("north"))))
///     .one(&session)
///     .await?;
/// assert_eq!(row, (3, 2, Some(25)));
/// # Ok(())
/// # }
/// ```
#[must_use = "an expression does nothing until a query uses it"]
pub struct Aggregate<T> {
    call: AggregateCall,
    /// The type that the program reads, where backends have another for the result.
    read_as: Option<SqlType>,
    ty: PhantomData<fn() -> T>,
}

impl<T> Aggregate<T> {
    fn new(name: &'static str, arg: Option<Node>, nulls: Nulls) -> Self {
        Self::named(AggregateName::Plain(name), arg, nulls)
    }

    fn named(name: AggregateName, arg: Option<Node>, nulls: Nulls) -> Self {
        let call = AggregateCall { name, arg, distinct: false, filter: None, order_by: Vec::new(), nulls };
        Self { call, read_as: None, ty: PhantomData }
    }

    /// Of equal values only one.
    pub fn distinct(mut self) -> Self {
        self.call.distinct = true;
        self
    }

    /// Only rows that the condition holds for. (FILTER; on MariaDB and MySQL a CASE in the argument, which is the same.)
    pub fn filter(mut self, condition: impl Condition) -> Self {
        if let Some(condition) = condition.into_condition() {
            self.call.filter = Some(match self.call.filter {
                Some(first) => first.and(condition),
                None => condition,
            });
        }
        self
    }

    /// For each row the aggregate over its window, rather than one for the group.
    pub fn over(self, window: Window) -> Expr<T> {
        let reason = match () {
            () if self.call.distinct => Some("an aggregate over a window cannot be `distinct`: no backend has it"),
            () if !self.call.order_by.is_empty() => {
                Some("an aggregate over a window has the window's order: call `order_by` there")
            }
            () => None,
        };
        if let Some(reason) = reason {
            return Expr::new(Node::Invalid(reason.into()));
        }
        let read_as = self.read_as;
        let over = window.of(node_of(self.call));
        Expr::new(read_as_type(over, read_as))
    }

    /// The aggregate as an expression without more to say.
    pub fn into_expr(self) -> Expr<T> {
        Expr::new(read_as_type(node_of(self.call), self.read_as))
    }
}

impl Aggregate<Option<String>> {
    /// The order in which the texts are gathered; without one it is any.
    pub fn order_by(mut self, order: impl Order) -> Self {
        order.push_to(&mut self.call.order_by);
        self
    }
}

fn node_of(call: AggregateCall) -> Node {
    let AggregateCall { name, arg, distinct, filter: None, order_by, nulls } = call else {
        return Form::Aggregate(call).into();
    };
    match (name, arg) {
        (AggregateName::Plain(_), None) if distinct => {
            Node::Invalid("count_all() counts rows, of which none are equal: `distinct` is for `count(column)`".into())
        }
        (AggregateName::Plain(name), arg) if order_by.is_empty() => {
            let args = vec![arg.unwrap_or(Node::Sql("*".into()))];
            Node::Function { name, distinct, args, nulls }
        }
        (name, arg) => Form::Aggregate(AggregateCall { name, arg, distinct, filter: None, order_by, nulls }).into(),
    }
}

fn read_as_type(node: Node, ty: Option<SqlType>) -> Node {
    match ty {
        Some(ty) => Node::Typed(Box::new(node), ty),
        None => node,
    }
}

impl<T: ColumnType> Expression for Aggregate<T> {
    type Type = T;

    fn into_node(self) -> Node {
        self.into_expr().into_node()
    }
}

impl<T> Clone for Aggregate<T> {
    fn clone(&self) -> Self {
        Self { call: self.call.clone(), read_as: self.read_as.clone(), ty: PhantomData }
    }
}

impl<T> fmt::Debug for Aggregate<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Aggregate").field(&self.call).finish()
    }
}

impl<T> From<Aggregate<T>> for Expr<T> {
    fn from(aggregate: Aggregate<T>) -> Self {
        aggregate.into_expr()
    }
}

/// The number of rows, or of the group's rows, in which the expression is not NULL.
pub fn count(value: impl Expression) -> Aggregate<i64> {
    Aggregate::new("count", Some(value.into_node()), Nulls::Never)
}

/// The number of different values that are not NULL.
pub fn count_distinct(value: impl Expression) -> Aggregate<i64> {
    count(value).distinct()
}

/// The number of rows, or of the group's rows: `count(*)`.
pub fn count_all() -> Aggregate<i64> {
    Aggregate::new("count", None, Nulls::Never)
}

/// The sum of the values that are not NULL; `None` where there is none.
pub fn sum<E: Expression>(value: E) -> Aggregate<Option<<BaseOf<E> as Number>::Sum>>
where
    BaseOf<E>: Number,
{
    let sum = Aggregate::new("sum", Some(value.into_node()), Nulls::Propagate);
    Aggregate { read_as: Some(<BaseOf<E> as Number>::Sum::SQL_TYPE), ..sum }
}

/// The average of the values that are not NULL; `None` where there is none.
pub fn avg<E: Expression>(value: E) -> Aggregate<Option<f64>>
where
    BaseOf<E>: Number,
{
    // MySQL's average of integers is a decimal of four digits, and PostgreSQL's a decimal too.
    let value = if is_float::<BaseOf<E>>() {
        value.into_node()
    } else {
        Node::Typed(Box::new(value.into_node()), SqlType::Double)
    };
    Aggregate::new("avg", Some(value), Nulls::Propagate)
}

/// The least of the values that are not NULL; `None` where there is none.
pub fn min<E: Expression>(value: E) -> Aggregate<Option<BaseOf<E>>> {
    Aggregate::new("min", Some(value.into_node()), Nulls::Propagate)
}

/// The greatest of the values that are not NULL; `None` where there is none.
pub fn max<E: Expression>(value: E) -> Aggregate<Option<BaseOf<E>>> {
    Aggregate::new("max", Some(value.into_node()), Nulls::Propagate)
}

/// The texts that are not NULL, one after the other with a separator between them; `None` where there is none.
/// [`order_by`](Aggregate::order_by) says in which order.
///
/// What is no text is cast to it first. With `distinct` the separator is `,` on SQLite; over a window MariaDB and MySQL
/// have it not. MySQL cuts the result off at `group_concat_max_len`, 1024 bytes unless it is set up otherwise; MariaDB
/// at 1 MiB.
pub fn string_agg<E: Expression>(text: E, separator: impl Into<Cow<'static, str>>) -> Aggregate<Option<String>>
where
    BaseOf<E>: Text,
{
    let name = AggregateName::StringAgg { separator: separator.into() };
    Aggregate::named(name, Some(text.into_node()), Nulls::Propagate)
}

/// [`string_agg`] with a comma.
pub fn group_concat<E: Expression>(text: E) -> Aggregate<Option<String>>
where
    BaseOf<E>: Text,
{
    string_agg(text, ",")
}

fn is_float<T: ColumnType>() -> bool {
    matches!(T::SQL_TYPE, SqlType::Float | SqlType::Double)
}

impl<T: ColumnType> Operand<T::Base> for Aggregate<T> {
    fn into_operand(self) -> Node {
        self.into_node()
    }
}
