//! Window functions.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Bound as End, RangeBounds};

use crate::model::expression::{BaseOf, Expr, Expression};
use crate::model::operand::Operand;
use crate::model::{ColumnType, Grouping, Order};
use crate::sql::{self, Bound, Form, Frame, FrameUnit, Function, Node, Nulls};

use super::plain;

/// A window, to which more is added: `window().partition_by(Sale::shop).order_by(Sale::at).rows(-2..=0)`. Without a
/// partition it is all rows of the query.
pub fn window() -> Window {
    Window::default()
}

/// The rows that a window function or aggregate sees for each row: what stands in the parentheses of OVER.
///
/// Frames are ranges of numbers as Rust writes them: `-2..=0` is two before to this one, `..=0` all up to this one, `..`
/// all. Without a frame an ordered window ends with the rows that are equal to this one, and another has no end.
#[derive(Clone, Debug, Default)]
#[must_use = "give it to `over`"]
pub struct Window {
    window: sql::Window,
    invalid: Option<&'static str>,
}

impl Window {
    /// What rows have in common that see each other.
    pub fn partition_by(mut self, expressions: impl Grouping) -> Self {
        expressions.push_to(&mut self.window.partition_by);
        self
    }

    /// The order of the rows.
    pub fn order_by(mut self, order: impl Order) -> Self {
        order.push_to(&mut self.window.order_by);
        self
    }

    /// Only so many rows before and after this one.
    pub fn rows(self, frame: impl RangeBounds<i64>) -> Self {
        self.frame(FrameUnit::Rows, &frame)
    }

    /// Only rows whose value in the window's order differs by so much; the order is one number.
    pub fn range(self, frame: impl RangeBounds<i64>) -> Self {
        self.frame(FrameUnit::Range, &frame)
    }

    /// Only so many groups of rows that are equal in the window's order. MariaDB and MySQL have no such frames.
    pub fn groups(self, frame: impl RangeBounds<i64>) -> Self {
        self.frame(FrameUnit::Groups, &frame)
    }

    fn frame(mut self, unit: FrameUnit, frame: &impl RangeBounds<i64>) -> Self {
        let start = match frame.start_bound() {
            End::Unbounded => Bound::Unbounded,
            End::Included(&offset) => Bound::Offset(offset),
            End::Excluded(&offset) => Bound::Offset(offset.saturating_add(1)),
        };
        let end = match frame.end_bound() {
            End::Unbounded => Bound::Unbounded,
            End::Included(&offset) => Bound::Offset(offset),
            End::Excluded(&offset) => Bound::Offset(offset.saturating_sub(1)),
        };
        if let (Bound::Offset(start), Bound::Offset(end)) = (start, end)
            && start > end
        {
            self.invalid = Some("the frame of a window ends before it begins: write `-1..=1`, the lesser number first");
        }
        if unit != FrameUnit::Rows && self.window.order_by.is_empty() {
            let whole = (start, end) == (Bound::Unbounded, Bound::Unbounded);
            if !whole {
                self.invalid = Some("a frame of a range or of groups needs an order: call `order_by` before it");
            }
        }
        self.window.frame = Some(Frame { unit, start, end });
        self
    }

    /// The function over this window.
    pub(super) fn of(self, function: Node) -> Node {
        match self.invalid {
            Some(reason) => Node::Invalid(reason.into()),
            None => Form::Over { function, window: self.window }.into(),
        }
    }
}

/// A window function of type `T`, which becomes an expression [`over`](WindowFunction::over) a window.
#[must_use = "a window function needs a window: `.over(window()..)`"]
pub struct WindowFunction<T> {
    function: Node,
    ty: PhantomData<fn() -> T>,
}

impl<T> WindowFunction<T> {
    fn new(name: &'static str, args: Vec<Node>, nulls: Nulls) -> Self {
        Self::of(Node::Function { name, distinct: false, args, nulls })
    }

    fn of(function: Node) -> Self {
        Self { function, ty: PhantomData }
    }

    /// The function's value for each row, of the window that is given.
    pub fn over(self, window: Window) -> Expr<T> {
        if let Node::Invalid(_) = self.function {
            return Expr::new(self.function);
        }
        Expr::new(window.of(self.function))
    }
}

impl<T> Clone for WindowFunction<T> {
    fn clone(&self) -> Self {
        Self::of(self.function.clone())
    }
}

impl<T> fmt::Debug for WindowFunction<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WindowFunction").field(&self.function).finish()
    }
}

/// The number of the row in its part of the window, from 1.
pub fn row_number() -> WindowFunction<i64> {
    WindowFunction::new("row_number", Vec::new(), Nulls::Never)
}

/// The rank of the row, from 1: equal rows have one, and leave a gap after them.
pub fn rank() -> WindowFunction<i64> {
    WindowFunction::new("rank", Vec::new(), Nulls::Never)
}

/// The rank of the row without gaps.
pub fn dense_rank() -> WindowFunction<i64> {
    WindowFunction::new("dense_rank", Vec::new(), Nulls::Never)
}

/// The rank as a share of the other rows, from 0 to 1.
pub fn percent_rank() -> WindowFunction<f64> {
    WindowFunction::new("percent_rank", Vec::new(), Nulls::Never)
}

/// The share of rows that come before this one or are equal to it, above 0 and to 1.
pub fn cume_dist() -> WindowFunction<f64> {
    WindowFunction::new("cume_dist", Vec::new(), Nulls::Never)
}

/// The number of the part, from 1, where the rows are divided into so many parts of the same size.
pub fn ntile(parts: u32) -> WindowFunction<i64> {
    match counted(parts) {
        Ok(parts) => WindowFunction::new("ntile", vec![parts], Nulls::Never),
        Err(invalid) => WindowFunction::of(invalid),
    }
}

/// The value in the row so many rows before; `None` where there is none.
pub fn lag<E: Expression>(value: E, rows: u32) -> WindowFunction<Option<BaseOf<E>>> {
    WindowFunction::new("lag", vec![value.into_node(), number(rows)], Nulls::Propagate)
}

/// The value in the row so many rows after; `None` where there is none.
pub fn lead<E: Expression>(value: E, rows: u32) -> WindowFunction<Option<BaseOf<E>>> {
    WindowFunction::new("lead", vec![value.into_node(), number(rows)], Nulls::Propagate)
}

/// The value in the row so many rows before, or another where there is no such row. MariaDB has it not.
pub fn lag_or<E: Expression>(value: E, rows: u32, default: impl Operand<BaseOf<E>>) -> WindowFunction<E::Type> {
    neighbour::<E>("lag", value, rows, default.into_operand())
}

/// The value in the row so many rows after, or another where there is no such row. MariaDB has it not.
pub fn lead_or<E: Expression>(value: E, rows: u32, default: impl Operand<BaseOf<E>>) -> WindowFunction<E::Type> {
    neighbour::<E>("lead", value, rows, default.into_operand())
}

fn neighbour<E: Expression>(name: &'static str, value: E, rows: u32, default: Node) -> WindowFunction<E::Type> {
    let args = vec![value.into_node(), number(rows), default.known(<BaseOf<E>>::SQL_TYPE)];
    WindowFunction::of(Form::Call { function: Function::OfNeighbour(name), args }.into())
}

/// The value in the first row of the frame; `None` where the frame is empty.
pub fn first_value<E: Expression>(value: E) -> WindowFunction<Option<BaseOf<E>>> {
    WindowFunction::of(plain::<E::Type>("first_value", vec![value.into_node()]).into_node())
}

/// The value in the last row of the frame; `None` where the frame is empty. In an ordered window without a frame that is
/// this row, or one equal to it.
pub fn last_value<E: Expression>(value: E) -> WindowFunction<Option<BaseOf<E>>> {
    WindowFunction::of(plain::<E::Type>("last_value", vec![value.into_node()]).into_node())
}

/// The value in the frame's row with this number, the first being 1; `None` where there is none.
pub fn nth_value<E: Expression>(value: E, row: u32) -> WindowFunction<Option<BaseOf<E>>> {
    match counted(row) {
        Ok(row) => WindowFunction::new("nth_value", vec![value.into_node(), row], Nulls::Propagate),
        Err(invalid) => WindowFunction::of(invalid),
    }
}

fn number(number: u32) -> Node {
    Node::Sql(number.to_string().into())
}

fn counted(count: u32) -> Result<Node, Node> {
    let reason = "ntile and nth_value count from 1, and 0 was given";
    if count == 0 { Err(Node::Invalid(reason.into())) } else { Ok(number(count)) }
}
