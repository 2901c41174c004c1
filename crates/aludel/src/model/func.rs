//! Functions of SQL, and all that expressions are made of.
//!
//! An expression has a type, which says also whether its value may be NULL: a column of `Option<T>`, the sum of no rows,
//! the row before the first. Where a function gets an argument that may be NULL and its own type has no place for it, it
//! is selected as [`.optional()`](crate::model::Expression::optional); the query says so before it is sent.
//!
//! # The groups
//!
//! | group | expressions |
//! |---|---|
//! | comparison | [`eq`], [`ne`], [`lt`], [`le`], [`gt`], [`ge`], [`between`], [`in_`], [`not_in`], [`is_null`], [`is_not_null`], [`is_distinct_from`], [`is_not_distinct_from`] |
//! | conditions | `&`, <code>\|</code>, `!`; each is a value of type `bool` that can be selected |
//! | rows | `(Seat::row, Seat::number).in_([(1, 2)])`: [`RowExpression`](crate::model::RowExpression) |
//! | text matching | [`contains`], [`starts_with`], [`ends_with`], [`like`], [`not_like`], [`like_escape`], [`ilike`] |
//! | text | [`concat`], [`lower`], [`upper`], [`trim`], [`ltrim`], [`rtrim`], [`length`], [`substr`], [`replace`], [`position`] |
//! | arithmetic | `+`, `-`, `*`, `/`, `%`, unary `-`, [`abs`], [`round`], [`round_to`], [`floor`], [`ceil`] |
//! | NULL | [`coalesce`], [`nullif`], [`optional`] |
//! | choice | [`case`], [`greatest`], [`least`] |
//! | types | [`cast`], [`literal`] |
//! | dates and times | [`year`], [`month`], [`day`], [`hour`], [`minute`], [`second`], [`day_of_week`], [`day_of_year`], [`current_timestamp`], [`now`], [`current_date`] |
//! | their arithmetic | `+` and `-` with [`years`], [`months`], [`days`], [`hours`], [`minutes`], [`seconds`], a `Duration` or a `jiff::Span`; [`days_between`], [`seconds_between`] |
//! | aggregates | [`count`], [`count_all`], [`count_distinct`], [`sum`], [`avg`], [`min`], [`max`], [`string_agg`], [`group_concat`], each with [`distinct`], [`filter`] and [`over`] |
//! | windows | [`row_number`], [`rank`], [`dense_rank`], [`percent_rank`], [`cume_dist`], [`ntile`], [`lag`], [`lead`], [`first_value`], [`last_value`], [`nth_value`] over a [`window`] |
//! | your own | [`sql_function!`](crate::sql_function), [`sql_operator!`](crate::sql_operator), [`function`], [`op`], [`sql_expr`] |
//!
//! What a backend does not have is an error of the kind `Unsupported` that says so, before anything is sent: `ilike` is
//! PostgreSQL's, frames of groups are missing on MariaDB and MySQL.
//!
//! # An example
//!
//! ```standalone_crate
//! use aludel::prelude::*;
//!
//! #[derive(Model, Clone, Debug)]
//! struct Sale {
//!     #[column(primary_key)]
//!     id: i64,
//!     shop: String,
//!     amount: i64,
//!     note: Option<String>,
//!     at: Timestamp,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<()> {
//! # let db = Db::test().await?;
//! # let session = db.session();
//! let at: Timestamp = "2026-11-21T10:15:00Z".parse().unwrap();
//! let sale = |shop: &'static str, amount| Sale::build().shop(shop).amount(amount).at(at);
//! Sale::insert_all([sale("north", 5), sale("north", 20), sale("south", 7)]).execute(&session).await?;
//!
//! let sizes: Vec<(String, i64)> = Sale::query()
//!     .select((
//!         case().when(Sale::amount.ge(10), "large").when(Sale::amount.ge(6), "middle").else_("small"),
//!         func::year(Sale::at + func::days(60)),
//!     ))
//!     .order_by(Sale::id)
//!     .all(&session)
//!     .await?;
//! assert_eq!(sizes, [("small".into(), 2027), ("large".into(), 2027), ("middle".into(), 2027)]);
//!
//! let shops: Vec<(String, Option<i64>, i64)> = Sale::query()
//!     .group_by(Sale::shop)
//!     .select((Sale::shop, sum(Sale::amount).filter(Sale::amount.gt(5)), count(Sale::note)))
//!     .order_by(Sale::shop)
//!     .all(&session)
//!     .await?;
//! assert_eq!(shops, [("north".into(), Some(20), 0), ("south".into(), Some(7), 0)]);
//!
//! let best = func::rank().over(window().partition_by(Sale::shop).order_by(Sale::amount.desc()));
//! let ranks: Vec<i64> = Sale::query().order_by(Sale::id).select(best).all(&session).await?;
//! assert_eq!(ranks, [2, 1, 1]);
//! # Ok(())
//! # }
//! ```
//!
//! [`eq`]: crate::model::Expression::eq
//! [`ne`]: crate::model::Expression::ne
//! [`lt`]: crate::model::Expression::lt
//! [`le`]: crate::model::Expression::le
//! [`gt`]: crate::model::Expression::gt
//! [`ge`]: crate::model::Expression::ge
//! [`between`]: crate::model::Expression::between
//! [`in_`]: crate::model::Expression::in_
//! [`not_in`]: crate::model::Expression::not_in
//! [`is_null`]: crate::model::Expression::is_null
//! [`is_not_null`]: crate::model::Expression::is_not_null
//! [`is_distinct_from`]: crate::model::Expression::is_distinct_from
//! [`is_not_distinct_from`]: crate::model::Expression::is_not_distinct_from
//! [`contains`]: crate::model::Expression::contains
//! [`starts_with`]: crate::model::Expression::starts_with
//! [`ends_with`]: crate::model::Expression::ends_with
//! [`like`]: crate::model::Expression::like
//! [`not_like`]: crate::model::Expression::not_like
//! [`like_escape`]: crate::model::Expression::like_escape
//! [`ilike`]: crate::model::Expression::ilike
//! [`concat`]: crate::model::Expression::concat
//! [`cast`]: crate::model::Expression::cast
//! [`op`]: crate::model::Expression::op
//! [`optional`]: crate::model::Expression::optional
//! [`distinct`]: Aggregate::distinct
//! [`filter`]: Aggregate::filter
//! [`over`]: Aggregate::over

mod aggregate;
mod case;
mod custom;
mod date;
mod fragment;
mod interval;
mod null;
mod number;
mod text;
mod window;

pub use aggregate::{Aggregate, avg, count, count_all, count_distinct, group_concat, max, min, string_agg, sum};
pub use case::{Case, CaseStart, case};
pub(super) use custom::infix;
#[doc(hidden)]
pub use custom::operator;
pub use custom::{Arguments, SqlFunction, function};
pub use date::{
    current_date, current_timestamp, day, day_of_week, day_of_year, days_between, hour, minute, month, now, second,
    seconds_between, year,
};
pub use fragment::{SqlExpr, sql_expr};
pub use interval::{Interval, days, hours, minutes, months, seconds, years};
pub use null::{coalesce, greatest, least, literal, nullif};
pub use number::{abs, ceil, floor, round, round_to};
pub use text::{length, lower, ltrim, position, replace, rtrim, substr, trim, upper};
pub use window::{
    Window, WindowFunction, cume_dist, dense_rank, first_value, lag, lag_or, last_value, lead, lead_or, nth_value,
    ntile, percent_rank, rank, row_number, window,
};

use super::expression::Expr;
use crate::sql::{Form, Function, Node, Nulls};

/// A function that has the same name everywhere, and gives NULL for NULL.
fn plain<T>(name: &'static str, args: Vec<Node>) -> Expr<T> {
    Expr::new(Node::Function { name, distinct: false, args, nulls: Nulls::Propagate })
}

/// A function that backends spell in different ways.
fn call<T>(function: Function, args: Vec<Node>) -> Expr<T> {
    Expr::new(Form::Call { function, args }.into())
}

#[cfg(test)]
mod tests;
