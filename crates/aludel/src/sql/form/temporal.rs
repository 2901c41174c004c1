//! Parts of dates and times, and arithmetic with them.

use crate::schema::SqlType;
use crate::sql::render::Renderer;
use crate::sql::{BinaryOp, Dialect, Node, Value};

/// What kind of date or time an expression is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Temporal {
    /// A calendar date.
    Date,
    /// A time of day.
    Time,
    /// A date and time without a zone.
    DateTime,
    /// An instant.
    Timestamp,
}

/// A part of a date or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatePart {
    /// The year.
    Year,
    /// The month, from 1 to 12.
    Month,
    /// The day of the month, from 1.
    Day,
    /// The hour, from 0 to 23.
    Hour,
    /// The minute, from 0 to 59.
    Minute,
    /// The whole second, from 0 to 59.
    Second,
    /// The day of the week, from 0, Sunday, to 6.
    DayOfWeek,
    /// The day of the year, from 1.
    DayOfYear,
}

/// What is added to a date or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// Months; a day that the month does not have becomes its last one.
    Month,
    /// Days.
    Day,
    /// Seconds.
    Second,
}

impl Temporal {
    /// What a type is, if it is one of these.
    pub fn of(ty: &SqlType) -> Option<Self> {
        match ty {
            SqlType::Date => Some(Self::Date),
            SqlType::Time => Some(Self::Time),
            SqlType::DateTime => Some(Self::DateTime),
            SqlType::Timestamp => Some(Self::Timestamp),
            _ => None,
        }
    }
}

impl DatePart {
    /// The letters of SQLite's `strftime`.
    fn strftime(self) -> &'static str {
        match self {
            Self::Year => "%Y",
            Self::Month => "%m",
            Self::Day => "%d",
            Self::Hour => "%H",
            Self::Minute => "%M",
            Self::Second => "%S",
            Self::DayOfWeek => "%w",
            Self::DayOfYear => "%j",
        }
    }

    /// The word of PostgreSQL's `extract`.
    fn field(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Month => "month",
            Self::Day => "day",
            Self::Hour => "hour",
            Self::Minute => "minute",
            Self::Second => "second",
            Self::DayOfWeek => "dow",
            Self::DayOfYear => "doy",
        }
    }

    /// The function of MariaDB and MySQL.
    fn function(self) -> &'static str {
        match self {
            Self::Day => "dayofmonth",
            Self::DayOfWeek => "dayofweek",
            Self::DayOfYear => "dayofyear",
            other => other.field(),
        }
    }
}

impl Renderer<'_> {
    /// To PostgreSQL an instant has parts only in a zone, which would be the session's.
    pub(super) fn in_utc(&mut self, value: Node, of: Temporal) {
        if of == Temporal::Timestamp && self.dialect() == Dialect::Postgres {
            self.atom(value);
            self.push(" AT TIME ZONE 'UTC'");
        } else {
            self.node(value);
        }
    }

    pub(super) fn date_part(&mut self, part: DatePart, of: Temporal, value: Node) {
        match self.dialect() {
            Dialect::Sqlite => {
                self.push("CAST(strftime('");
                self.push(part.strftime());
                self.push("', ");
                self.node(value);
                self.push(") AS INTEGER)");
            }
            Dialect::Postgres => {
                let fraction = part == DatePart::Second;
                self.push(if fraction { "CAST(floor(extract(" } else { "CAST(extract(" });
                self.push(part.field());
                self.push(" FROM ");
                self.in_utc(value, of);
                self.push(if fraction { ")) AS BIGINT)" } else { ") AS BIGINT)" });
            }
            Dialect::MariaDb | Dialect::MySql => {
                // It counts from 1.
                let shifted = part == DatePart::DayOfWeek;
                self.push(if shifted { "(" } else { "" });
                self.named(part.function(), vec![value]);
                self.push(if shifted { " - 1)" } else { "" });
            }
        }
    }

    pub(super) fn shift(&mut self, value: Node, of: Temporal, by: Vec<(Unit, Node)>) {
        match self.dialect() {
            Dialect::Sqlite => self.shift_text(value, of, by),
            Dialect::Postgres => self.shift_postgres(value, of, by),
            Dialect::MariaDb | Dialect::MySql => {
                for _ in &by {
                    self.push("date_add(");
                }
                self.node(value);
                for (unit, amount) in by {
                    self.push(", INTERVAL ");
                    self.atom(amount);
                    self.push(match unit {
                        Unit::Month => " MONTH)",
                        Unit::Day => " DAY)",
                        Unit::Second => " SECOND)",
                    });
                }
            }
        }
    }

    /// SQLite calculates with milliseconds: the fraction, which no whole number of seconds changes, is left aside.
    fn shift_text(&mut self, value: Node, of: Temporal, by: Vec<(Unit, Node)>) {
        if of == Temporal::Date {
            self.push("date(");
            self.node(value);
            self.modifiers(by);
            return self.push(")");
        }
        self.push("(strftime('%Y-%m-%d %H:%M:%S', substr(");
        self.node(value.clone());
        self.push(", 1, 19)");
        self.modifiers(by);
        self.push(") || substr(");
        self.node(value);
        self.push(", 20))");
    }

    fn modifiers(&mut self, by: Vec<(Unit, Node)>) {
        for (unit, amount) in by {
            let name = match unit {
                Unit::Month => " months",
                Unit::Day => " days",
                Unit::Second => " seconds",
            };
            self.push(", ");
            match amount {
                Node::Value(Value::Int(amount)) => {
                    self.bind(Value::Text(format!("{amount}{name}").into()));
                }
                amount => {
                    self.atom(amount);
                    self.push(" || '");
                    self.push(name);
                    self.push("'");
                }
            }
            // The last day of a month, rather than days of the next one.
            self.push(if unit == Unit::Month { ", 'floor'" } else { "" });
        }
    }

    /// A day has 24 hours in UTC, which the session's zone may not be.
    fn shift_postgres(&mut self, value: Node, of: Temporal, by: Vec<(Unit, Node)>) {
        self.push(match of {
            Temporal::Date => "CAST(",
            Temporal::Timestamp => "((",
            Temporal::Time | Temporal::DateTime => "(",
        });
        self.in_utc_atom(value, of);
        self.push(" + make_interval(");
        for (at, (unit, amount)) in by.into_iter().enumerate() {
            self.push(if at > 0 { ", " } else { "" });
            let (name, ty) = match unit {
                Unit::Month => ("months => ", SqlType::Integer),
                Unit::Day => ("days => ", SqlType::Integer),
                Unit::Second => ("secs => ", SqlType::Double),
            };
            self.push(name);
            self.cast_as(amount, &ty);
        }
        self.push(match of {
            Temporal::Date => ") AS DATE)",
            Temporal::Timestamp => ")) AT TIME ZONE 'UTC')",
            Temporal::Time | Temporal::DateTime => "))",
        });
    }

    fn in_utc_atom(&mut self, value: Node, of: Temporal) {
        self.atom(value);
        if of == Temporal::Timestamp {
            self.push(" AT TIME ZONE 'UTC'");
        }
    }

    pub(super) fn days_between(&mut self, of: Temporal, args: Vec<Node>) {
        let [from, to] = two(args);
        match self.dialect() {
            Dialect::Sqlite => {
                self.push("CAST(julianday(substr(");
                self.node(to);
                self.push(", 1, 10)) - julianday(substr(");
                self.node(from);
                self.push(", 1, 10)) AS INTEGER)");
            }
            Dialect::Postgres => {
                self.push("(CAST(");
                self.in_utc(to, of);
                self.push(" AS DATE) - CAST(");
                self.in_utc(from, of);
                self.push(" AS DATE))");
            }
            Dialect::MariaDb | Dialect::MySql => self.named("datediff", vec![to, from]),
        }
    }

    pub(super) fn seconds_between(&mut self, args: Vec<Node>) {
        let [from, to] = two(args);
        match self.dialect() {
            Dialect::Sqlite => {
                let part = |out: &mut Self, before: &str, value: &Node, after: &str| {
                    out.push(before);
                    out.node(value.clone());
                    out.push(after);
                };
                part(self, "(strftime('%s', substr(", &to, ", 1, 19)) - strftime('%s', substr(");
                part(self, "", &from, ", 1, 19)) + (CAST('0' || substr(");
                part(self, "", &to, ", 20) AS REAL) - CAST('0' || substr(");
                part(self, "", &from, ", 20) AS REAL)))");
            }
            Dialect::Postgres => {
                let difference = Node::operation(to, BinaryOp::Sub, from);
                self.push("CAST(extract(epoch FROM ");
                self.node(difference);
                self.push(") AS DOUBLE PRECISION)");
            }
            Dialect::MariaDb | Dialect::MySql => {
                self.push("(timestampdiff(MICROSECOND, ");
                self.node(from);
                self.push(", ");
                self.node(to);
                self.push(") / 1000000e0)");
            }
        }
    }
}

fn two(args: Vec<Node>) -> [Node; 2] {
    args.try_into().expect("a function of two arguments has two")
}
