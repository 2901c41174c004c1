//! SQL that the application writes, within typed queries.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{BitAnd, BitOr, Not};

use crate::model::ColumnType;
use crate::model::argument::Argument;
use crate::model::expression::{Condition, Expr, Expression};
use crate::model::operand::Operand;
use crate::sql::{Form, Node};

/// An expression in the SQL of the database at hand, of type `T`: `sql_expr::<i64>("length(?)").bind(User::name)`.
///
/// Each `?` outside of quotes stands for what is bound next, a value or an expression, on PostgreSQL too; `??` is a
/// question mark. Never build the text from what a user typed: bind it. That the value is of this type, and not NULL where
/// that is no `Option`, the library takes from you; which tables the text names it does not know.
///
/// ```standalone_crate
/// use aludel::prelude::*;
///
/// #[derive(Model, Clone, Debug)]
/// struct User {
///     #[column(primary_key)]
///     id: i64,
///     name: String,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// # let db = Db::test().await?;
/// # let session = db.session();
/// User::insert_all([User::build().name("ann")]).execute(&session).await?;
/// let letter = func::sql_expr::<String>("substr(?, ?, 1)").bind(User::name).bind(2);
/// let letters: Vec<String> = User::query().filter(letter.clone().ne("x")).select(letter).all(&session).await?;
/// assert_eq!(letters, ["n"]);
/// # Ok(())
/// # }
/// ```
pub fn sql_expr<T: ColumnType>(sql: impl Into<Cow<'static, str>>) -> SqlExpr<T> {
    SqlExpr { sql: sql.into(), args: Vec::new(), ty: PhantomData }
}

/// An expression of type `T` in the application's own SQL: see [`sql_expr`].
#[must_use = "an expression does nothing until a query uses it"]
pub struct SqlExpr<T> {
    sql: Cow<'static, str>,
    args: Vec<Node>,
    ty: PhantomData<fn() -> T>,
}

impl<T> SqlExpr<T> {
    /// What the next `?` stands for: a value, a column or another expression.
    pub fn bind(mut self, value: impl Argument) -> Self {
        self.args.push(value.into_argument());
        self
    }

    /// The expression, to which nothing more is bound.
    pub fn into_expr(self) -> Expr<T> {
        let pieces = pieces(&self.sql);
        if pieces.len() != self.args.len() + 1 {
            let (found, given) = (pieces.len() - 1, self.args.len());
            let reason = format!("the SQL `{}` has {found} placeholders, and {given} values are bound", self.sql);
            return Expr::new(Node::Invalid(reason.into()));
        }
        Expr::new(Form::Fragment { pieces, args: self.args }.into())
    }
}

/// What stands between the placeholders.
fn pieces(sql: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut quote = None;
    let mut letters = sql.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('?', None) if letters.next_if_eq(&'?').is_none() => {
                pieces.push(String::new());
                continue;
            }
            ('\'' | '"' | '`', None) => quote = Some(letter),
            (letter, Some(open)) if letter == open => quote = None,
            _ => {}
        }
        pieces.last_mut().expect("there is always one").push(letter);
    }
    pieces
}

impl<T: ColumnType> Expression for SqlExpr<T> {
    type Type = T;

    fn into_node(self) -> Node {
        self.into_expr().into_node()
    }
}

impl<T: ColumnType> Operand<T::Base> for SqlExpr<T> {
    fn into_operand(self) -> Node {
        self.into_node()
    }
}

impl<T> From<SqlExpr<T>> for Expr<T> {
    fn from(sql: SqlExpr<T>) -> Self {
        sql.into_expr()
    }
}

impl Condition for SqlExpr<bool> {
    fn into_condition(self) -> Option<Node> {
        Some(self.into_node())
    }
}

impl<R: Into<Expr<bool>>> BitAnd<R> for SqlExpr<bool> {
    type Output = Expr<bool>;

    fn bitand(self, other: R) -> Expr<bool> {
        self.into_expr() & other.into()
    }
}

impl<R: Into<Expr<bool>>> BitOr<R> for SqlExpr<bool> {
    type Output = Expr<bool>;

    fn bitor(self, other: R) -> Expr<bool> {
        self.into_expr() | other.into()
    }
}

impl Not for SqlExpr<bool> {
    type Output = Expr<bool>;

    fn not(self) -> Expr<bool> {
        !self.into_expr()
    }
}

impl<T> Clone for SqlExpr<T> {
    fn clone(&self) -> Self {
        Self { sql: self.sql.clone(), args: self.args.clone(), ty: PhantomData }
    }
}

impl<T> fmt::Debug for SqlExpr<T> {
    /// The SQL, without its values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SqlExpr").field(&self.sql).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::pieces;

    #[test]
    fn placeholders_stand_outside_of_quotes_and_two_question_marks_are_one() {
        assert_eq!(pieces("length(?)"), ["length(", ")"]);
        assert_eq!(pieces("?"), ["", ""]);
        assert_eq!(pieces("a ?? 'is ? it' \"b?\" `c?` + ?"), ["a ? 'is ? it' \"b?\" `c?` + ", ""]);
        assert_eq!(pieces("'it''s ?' || ?"), ["'it''s ?' || ", ""]);
        assert_eq!(pieces("1"), ["1"]);
    }
}
