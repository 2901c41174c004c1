//! CASE.

use std::marker::PhantomData;

use crate::model::ColumnType;
use crate::model::argument::Argument;
use crate::model::expression::{Condition, Expr};
use crate::model::operand::Operand;
use crate::sql::{Form, Node};

/// Begins a CASE: `case().when(User::age.lt(18), "minor").else_("adult")`.
///
/// The first value decides the type. An integer literal is an `i32` there, as it is in Rust where nothing else says:
/// write `1_i64` for another.
pub fn case() -> CaseStart {
    CaseStart(())
}

/// A CASE without a branch yet.
#[derive(Clone, Copy, Debug)]
#[must_use = "a CASE needs a branch: `.when(condition, value)`"]
pub struct CaseStart(());

/// A CASE whose values have type `T`; [`else_`](Case::else_) or [`end`](Case::end) makes an expression of it.
#[must_use = "a CASE is an expression after `.else_(value)` or `.end()`"]
pub struct Case<T> {
    branches: Vec<(Node, Node)>,
    ty: PhantomData<fn() -> T>,
}

impl CaseStart {
    /// The value where the condition holds.
    pub fn when<V: Argument>(self, condition: impl Condition, value: V) -> Case<V::Type> {
        let branches = vec![(condition_of(condition), value.into_argument())];
        Case { branches, ty: PhantomData }
    }
}

impl<T: ColumnType> Case<T> {
    /// The value where the condition holds, and none before it does.
    pub fn when(mut self, condition: impl Condition, value: impl Operand<T::Base>) -> Self {
        self.branches.push((condition_of(condition), value_of::<T>(value)));
        self
    }

    /// The value where no condition holds.
    pub fn else_(self, value: impl Operand<T::Base>) -> Expr<T> {
        Expr::new(Form::Case { branches: self.branches, otherwise: Some(value_of::<T>(value)) }.into())
    }

    /// NULL where no condition holds.
    pub fn end(self) -> Expr<Option<T::Base>>
    where
        Option<T::Base>: ColumnType,
    {
        Expr::new(Form::Case { branches: self.branches, otherwise: None }.into())
    }
}

impl<T> Clone for Case<T> {
    fn clone(&self) -> Self {
        Self { branches: self.branches.clone(), ty: PhantomData }
    }
}

impl<T> std::fmt::Debug for Case<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Case").field(&self.branches).finish()
    }
}

/// A condition that asks nothing holds.
fn condition_of(condition: impl Condition) -> Node {
    condition.into_condition().unwrap_or(Node::And(Vec::new()))
}

fn value_of<T: ColumnType>(value: impl Operand<T::Base>) -> Node {
    let value = value.into_operand();
    if value.is_null_value() && !T::NULLABLE {
        let reason = "a value of a CASE is None, and the type of its first value is no Option: make that `Some(..)`, or \
                      leave out `else_` and call `end()`";
        return Node::Invalid(reason.into());
    }
    value.known(T::SQL_TYPE)
}
