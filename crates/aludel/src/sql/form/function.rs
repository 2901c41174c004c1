//! Functions that backends spell in different ways.

use crate::schema::SqlType;
use crate::sql::render::Renderer;
use crate::sql::{Dialect, Node};

use super::{DatePart, Temporal};

/// A function that backends spell in different ways.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Function {
    /// `substr(text, start[, length])`
    Substr,
    /// Where the second text begins in the first.
    Position,
    /// The greatest of several values.
    Greatest,
    /// The least of several values.
    Least,
    /// A number rounded to so many digits after the point; what type it is.
    Round(u8, SqlType),
    /// The next integer that is not greater.
    Floor,
    /// The next integer that is not less.
    Ceil,
    /// The rest of a division of numbers of this type, which are no integers.
    Rem(SqlType),
    /// The value of a row so many rows before, or another value where there is none: `lag(value, n, default)`.
    OfNeighbour(&'static str),
    /// A part of a date or time.
    Part(DatePart, Temporal),
    /// The days from the first date to the second.
    DaysBetween(Temporal),
    /// The seconds from the first time to the second.
    SecondsBetween,
    /// The time at which the statement, or its transaction, began.
    CurrentTimestamp,
    /// The date of it in UTC.
    CurrentDate,
}

impl Renderer<'_> {
    pub(super) fn call(&mut self, function: Function, mut args: Vec<Node>) {
        match function {
            Function::Substr => self.substr(args),
            Function::Position => self.position(args),
            Function::Greatest => self.named(if self.dialect() == Dialect::Sqlite { "max" } else { "greatest" }, args),
            Function::Least => self.named(if self.dialect() == Dialect::Sqlite { "min" } else { "least" }, args),
            Function::Round(digits, ty) => self.round(args.swap_remove(0), digits, &ty),
            Function::Floor => self.whole(args, "floor", " - (", " > "),
            Function::Ceil => self.whole(args, "ceil", " + (", " < "),
            Function::Rem(ty) => self.rem(args, &ty),
            Function::OfNeighbour(name) => {
                if self.dialect() == Dialect::MariaDb {
                    let cure = "use `lag` or `lead`, and `coalesce` where the value is never NULL";
                    self.unsupported(format!("{name} with a default: MariaDB's has none; {cure}"));
                }
                self.named(name, args);
            }
            Function::Part(part, of) => self.date_part(part, of, args.swap_remove(0)),
            Function::DaysBetween(of) => self.days_between(of, args),
            Function::SecondsBetween => self.seconds_between(args),
            Function::CurrentTimestamp => {
                self.push(if self.dialect().is_mysql() { "utc_timestamp(6)" } else { "CURRENT_TIMESTAMP" });
            }
            Function::CurrentDate => self.push(match self.dialect() {
                // SQLite's is UTC's.
                Dialect::Sqlite => "CURRENT_DATE",
                Dialect::Postgres => "CAST(CURRENT_TIMESTAMP AT TIME ZONE 'UTC' AS DATE)",
                Dialect::MariaDb | Dialect::MySql => "utc_date()",
            }),
        }
    }

    /// `name(args)`
    pub(super) fn named(&mut self, name: &str, args: Vec<Node>) {
        self.push(name);
        self.push("(");
        self.list("", args, Self::node);
        self.push(")");
    }

    /// PostgreSQL counts in integers of 32 bits.
    fn substr(&mut self, args: Vec<Node>) {
        let postgres = self.dialect() == Dialect::Postgres;
        self.push("substr(");
        for (at, arg) in args.into_iter().enumerate() {
            self.push(if at > 0 { ", " } else { "" });
            if at > 0 && postgres { self.cast_as(arg, &SqlType::Integer) } else { self.node(arg) }
        }
        self.push(")");
    }

    fn position(&mut self, mut args: Vec<Node>) {
        let name = match self.dialect() {
            Dialect::Sqlite => "instr",
            Dialect::Postgres => "strpos",
            Dialect::MariaDb | Dialect::MySql => {
                args.swap(0, 1);
                "locate"
            }
        };
        self.named(name, args);
    }

    /// PostgreSQL rounds to digits only what is exact.
    fn round(&mut self, value: Node, digits: u8, ty: &SqlType) {
        let exact = matches!(ty, SqlType::Decimal { .. });
        if digits == 0 {
            return self.named("round", vec![value]);
        }
        let inexact = self.dialect() == Dialect::Postgres && !exact;
        self.push(if inexact { "CAST(round(" } else { "round(" });
        if inexact {
            self.cast_as(value, &SqlType::Decimal { precision: None, scale: None });
        } else {
            self.node(value);
        }
        self.push(", ");
        self.push(&digits.to_string());
        self.push(if inexact { ") AS DOUBLE PRECISION)" } else { ")" });
    }

    /// SQLite has `floor` and `ceil` only where it was compiled with them; `round` it always has.
    fn whole(&mut self, mut args: Vec<Node>, name: &str, correct: &str, compare: &str) {
        if self.dialect() != Dialect::Sqlite {
            return self.named(name, args);
        }
        let value = args.swap_remove(0);
        self.push("(");
        self.named("round", vec![value.clone()]);
        self.push(correct);
        self.named("round", vec![value.clone()]);
        self.push(compare);
        self.atom(value);
        self.push("))");
    }

    fn rem(&mut self, args: Vec<Node>, ty: &SqlType) {
        let exact = matches!(ty, SqlType::Decimal { .. });
        let what = match self.dialect() {
            Dialect::Sqlite => Some("`%` of numbers with digits after the point: SQLite cuts them off before"),
            Dialect::Postgres if !exact => Some("`%` of floats: PostgreSQL has it for integers and decimals alone"),
            _ => None,
        };
        if let Some(what) = what {
            self.unsupported(what.to_owned());
        }
        self.push("(");
        for (at, arg) in args.into_iter().enumerate() {
            self.push(if at > 0 { " % " } else { "" });
            self.atom(arg);
        }
        self.push(")");
    }
}
