//! Functions and operators that the application names.

use std::marker::PhantomData;

use crate::model::ColumnType;
use crate::model::argument::Argument;
use crate::model::expression::Expr;
use crate::model::operand::Operand;
use crate::sql::{Form, Node};

/// A function of the database that the library does not know, whose result has type `T`:
/// `function::<String>("soundex", (User::name,))`.
///
/// Where an argument is NULL the result is taken to be NULL; [`sql_function!`](crate::sql_function) declares the types of
/// the arguments, and which of them may be NULL.
pub fn function<T: ColumnType>(name: &'static str, args: impl Arguments) -> Expr<T> {
    let mut nodes = Vec::new();
    args.push_to(&mut nodes);
    SqlFunction::<T> { args: nodes, strict: u32::MAX, ..SqlFunction::new(name) }.call()
}

/// A call of a function that the application names: what [`sql_function!`](crate::sql_function) writes.
#[derive(Debug)]
#[must_use = "a function is an expression after `.call()`"]
pub struct SqlFunction<T> {
    name: &'static str,
    args: Vec<Node>,
    strict: u32,
    ty: PhantomData<fn() -> T>,
}

impl<T> SqlFunction<T> {
    /// A function by its name, with its schema where it has one, and without arguments yet.
    pub const fn new(name: &'static str) -> Self {
        Self { name, args: Vec::new(), strict: 0, ty: PhantomData }
    }
}

impl<T: ColumnType> SqlFunction<T> {
    /// An argument of type `A`. Where that is an `Option` the function takes NULL and may make a value of it; else its
    /// result is NULL where the argument is.
    pub fn arg<A: ColumnType>(mut self, value: impl Operand<A::Base>) -> Self {
        if !A::NULLABLE {
            self.strict |= u32::try_from(self.args.len()).ok().and_then(|at| 1_u32.checked_shl(at)).unwrap_or(0);
        }
        self.args.push(value.into_operand().known(A::SQL_TYPE));
        self
    }

    /// The function's value.
    pub fn call(self) -> Expr<T> {
        let Self { name, args, strict, .. } = self;
        if !is_name(name) {
            let reason = format!("`{name}` is no name of a function: letters, digits, `_`, and `.` after a schema");
            return Expr::new(Node::Invalid(reason.into()));
        }
        Expr::new(Form::Custom { name, args, strict }.into())
    }
}

fn is_name(name: &str) -> bool {
    name.split('.').all(|part| {
        let first = part.chars().next();
        first.is_some_and(|first| first.is_alphabetic() || first == '_')
            && part.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '$'))
    })
}

/// `left operator right`, of an operator that the application names.
pub(in crate::model) fn infix<T>(left: Node, operator: &'static str, right: Node) -> Expr<T> {
    let sign = |letter: char| "+-*/<>=~!@#%^&|?".contains(letter);
    let word =
        operator.split(' ').all(|word| !word.is_empty() && word.chars().all(|letter| letter.is_ascii_alphabetic()));
    let signs = !operator.is_empty() && operator.chars().all(sign);
    let comment = operator.contains("--") || operator.contains("/*");
    if comment || !(word || signs) {
        let reason = format!("`{operator}` is no operator: signs such as `<->`, or words such as `REGEXP`");
        return Expr::new(Node::Invalid(reason.into()));
    }
    Expr::new(Form::Operator { left, operator, right }.into())
}

/// What [`sql_operator!`](crate::sql_operator) writes.
#[doc(hidden)]
pub fn operator<A: ColumnType, B: ColumnType, T: ColumnType>(
    left: impl Operand<A::Base>,
    operator: &'static str,
    right: impl Operand<B::Base>,
) -> Expr<T> {
    infix(left.into_operand().known(A::SQL_TYPE), operator, right.into_operand().known(B::SQL_TYPE))
}

/// What [`function`] takes: a tuple of expressions and values, or `()`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no list of a function's arguments",
    label = "not a tuple of expressions and values",
    note = "one argument is a tuple too: `(User::name,)`"
)]
pub trait Arguments {
    /// Appends the arguments.
    fn push_to(self, nodes: &mut Vec<Node>);
}

impl Arguments for () {
    fn push_to(self, _: &mut Vec<Node>) {}
}

macro_rules! tuples {
    ($($name:ident)+) => {
        impl<$($name: Argument),+> Arguments for ($($name,)+) {
            fn push_to(self, nodes: &mut Vec<Node>) {
                #[allow(non_snake_case, reason = "the macro names the fields as their types")]
                let ($($name,)+) = self;
                $(nodes.push($name.into_argument());)+
            }
        }
    };
}

crate::tuples::each_tuple!(tuples);

/// Declares functions of the database with their types, each as a Rust function of expressions.
///
/// An argument whose type is an `Option` may be NULL without the result being NULL; a result whose type is an `Option` may
/// always be. The name in the database is the function's own, or the one that follows.
///
/// ```standalone_crate
/// use aludel::prelude::*;
/// use aludel::{sql_function, sql_operator};
///
/// sql_function! {
///     /// The text in hexadecimal digits.
///     pub fn hex(text: String) -> String;
///     /// The first argument that is not NULL.
///     fn if_null(text: Option<String>, other: String) -> String = "ifnull";
/// }
///
/// sql_operator! {
///     /// Whether a text is like a pattern of the shell.
///     pub fn glob(text: String, pattern: String) -> bool = "GLOB";
/// }
///
/// #[derive(Model, Clone, Debug)]
/// struct User {
///     #[column(primary_key)]
///     id: i64,
///     name: String,
///     nick: Option<String>,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// # let db = Db::test().await?;
/// # let session = db.session();
/// User::insert_all([User::build().name("Ann")]).execute(&session).await?;
/// let query = User::query().filter(glob(User::name, "A*"));
/// let row: (String, String) = query.select((hex(User::name), if_null(User::nick, "-"))).one(&session).await?;
/// assert_eq!(row, ("416E6E".into(), "-".into()));
/// # Ok(())
/// # }
/// ```
#[macro_export]
macro_rules! sql_function {
    ($($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) -> $out:ty $(= $sql:literal)?;)+) => {$(
        $(#[$meta])*
        $vis fn $name(
            $($arg: impl $crate::model::Operand<<$ty as $crate::model::ColumnType>::Base>),*
        ) -> $crate::model::Expr<$out> {
            $crate::func::SqlFunction::<$out>::new($crate::__sql_name!($name $($sql)?))$(.arg::<$ty>($arg))*.call()
        }
    )+};
}

/// Declares operators of the database with their types, each as a Rust function of two expressions: see
/// [`sql_function!`](crate::sql_function).
#[macro_export]
macro_rules! sql_operator {
    ($(
        $(#[$meta:meta])*
        $vis:vis fn $name:ident($left:ident: $first:ty, $right:ident: $second:ty $(,)?) -> $out:ty = $sql:literal;
    )+) => {$(
        $(#[$meta])*
        $vis fn $name(
            $left: impl $crate::model::Operand<<$first as $crate::model::ColumnType>::Base>,
            $right: impl $crate::model::Operand<<$second as $crate::model::ColumnType>::Base>,
        ) -> $crate::model::Expr<$out> {
            $crate::__private::operator::<$first, $second, $out>($left, $sql, $right)
        }
    )+};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __sql_name {
    ($name:ident) => {
        stringify!($name)
    };
    ($name:ident $sql:literal) => {
        $sql
    };
}
