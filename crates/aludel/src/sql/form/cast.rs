//! CAST.

use crate::schema::SqlType;
use crate::sql::render::Renderer;
use crate::sql::{Dialect, Node};

use super::Temporal;

impl Renderer<'_> {
    /// A value whose type the backend is told where it does not know it.
    pub(super) fn known(&mut self, value: Node, ty: &SqlType) {
        match self.dialect() {
            Dialect::Postgres => self.cast_as(value, ty),
            _ => self.node(value),
        }
    }

    /// `CAST(value AS type)`, the type as in a table's definition.
    pub(in crate::sql) fn cast_as(&mut self, value: Node, ty: &SqlType) {
        self.push("CAST(");
        self.node(value);
        self.push(" AS ");
        let dialect = self.dialect();
        crate::sql::ddl::write_type(dialect, ty, self.sql());
        self.push(")");
    }

    pub(super) fn cast(&mut self, value: Node, from: &SqlType, to: &SqlType) {
        if let (Some(from), Some(to)) = (Temporal::of(from), Temporal::of(to)) {
            return self.cast_temporal(value, from, to);
        }
        match self.dialect() {
            Dialect::Postgres => {
                // To PostgreSQL a truth value is no number but of its own width.
                let value = if *from == SqlType::Boolean && *to != SqlType::Integer {
                    super::Form::Cast { value, from: SqlType::Boolean, to: SqlType::Integer }.into()
                } else {
                    value
                };
                self.cast_as(value, to);
            }
            Dialect::Sqlite => self.cast_named(value, sqlite(to)),
            Dialect::MariaDb | Dialect::MySql => self.cast_named(value, mysql(to)),
        }
    }

    fn cast_named(&mut self, value: Node, name: &str) {
        self.push("CAST(");
        self.node(value);
        self.push(" AS ");
        self.push(name);
        self.push(")");
    }

    /// Instants are taken apart in UTC.
    fn cast_temporal(&mut self, value: Node, from: Temporal, to: Temporal) {
        match self.dialect() {
            Dialect::Sqlite => self.cast_temporal_text(value, from, to),
            Dialect::Postgres => {
                let instant = to == Temporal::Timestamp && from != Temporal::Timestamp;
                self.push(if instant { "(CAST(" } else { "CAST(" });
                if to == Temporal::Timestamp {
                    self.node(value)
                } else {
                    self.in_utc(value, from)
                }
                self.push(match to {
                    Temporal::Date => " AS DATE)",
                    Temporal::Time => " AS TIME)",
                    Temporal::Timestamp if !instant => " AS TIMESTAMPTZ)",
                    Temporal::DateTime | Temporal::Timestamp => " AS TIMESTAMP)",
                });
                self.push(if instant { " AT TIME ZONE 'UTC')" } else { "" });
            }
            Dialect::MariaDb | Dialect::MySql => {
                let name = match to {
                    Temporal::Date => "DATE",
                    Temporal::Time => "TIME(6)",
                    Temporal::DateTime | Temporal::Timestamp => "DATETIME(6)",
                };
                self.cast_named(value, name);
            }
        }
    }

    /// SQLite keeps them as texts: `YYYY-MM-DD HH:MM:SS.ffffff`.
    fn cast_temporal_text(&mut self, value: Node, from: Temporal, to: Temporal) {
        match to {
            Temporal::Date if from != Temporal::Date => {
                self.push("substr(");
                self.node(value);
                self.push(", 1, 10)");
            }
            Temporal::Time if from != Temporal::Time => {
                self.push("substr(");
                self.node(value);
                self.push(", 12)");
            }
            Temporal::DateTime | Temporal::Timestamp if from == Temporal::Date => {
                self.push("(");
                self.atom(value);
                self.push(" || ' 00:00:00.000000')");
            }
            _ => self.atom(value),
        }
    }
}

/// The types that SQLite converts to: its storage classes.
fn sqlite(ty: &SqlType) -> &'static str {
    use SqlType::{BigInt, Binary, Boolean, Integer, SmallInt, TinyInt};
    use SqlType::{UnsignedBigInt, UnsignedInteger, UnsignedSmallInt, UnsignedTinyInt};
    match ty {
        Boolean | TinyInt | SmallInt | Integer | BigInt => "INTEGER",
        UnsignedTinyInt | UnsignedSmallInt | UnsignedInteger | UnsignedBigInt => "INTEGER",
        SqlType::Float | SqlType::Double => "REAL",
        SqlType::Decimal { .. } => "NUMERIC",
        Binary(_) => "BLOB",
        _ => "TEXT",
    }
}

/// The types that CAST takes on MariaDB and MySQL, which are not those of columns.
fn mysql(ty: &SqlType) -> &'static str {
    use SqlType::{BigInt, Boolean, Integer, SmallInt, TinyInt};
    use SqlType::{UnsignedBigInt, UnsignedInteger, UnsignedSmallInt, UnsignedTinyInt};
    match ty {
        Boolean | TinyInt | SmallInt | Integer | BigInt => "SIGNED",
        UnsignedTinyInt | UnsignedSmallInt | UnsignedInteger => "SIGNED",
        UnsignedBigInt => "UNSIGNED",
        SqlType::Float | SqlType::Double => "DOUBLE",
        SqlType::Decimal { .. } => "DECIMAL(65, 30)",
        SqlType::Binary(_) => "BINARY",
        SqlType::Date => "DATE",
        SqlType::Time => "TIME(6)",
        SqlType::DateTime | SqlType::Timestamp => "DATETIME(6)",
        _ => "CHAR",
    }
}
